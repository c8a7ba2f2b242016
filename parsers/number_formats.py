"""What a cell's number is shown as: a number, a percentage, a date, a time, a code."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, auto

from parsers.grid import Cell


class Shape(Enum):
    """What a number format makes of a number; UNSEEN nothing at all, BLANK of a text, too."""

    NUMBER = auto()
    PERCENT = auto()
    DATE = auto()
    TIME = auto()
    ELAPSED = auto()
    ZEROS = auto()
    UNSEEN = auto()
    BLANK = auto()


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A number format; `digits` is the length of a code shown with its leading zeros."""

    shape: Shape
    digits: int = 0


GENERAL = NumberFormat(Shape.NUMBER)


WHITE, BLACK = "FFFFFF", "000000"


@dataclass(frozen=True, slots=True)
class Font:
    """What of a font matters; a colour is RRGGBB, or whatever names it."""

    is_struck: bool = False
    colour: str = BLACK


@dataclass(frozen=True, slots=True)
class CellStyles:
    """The number format of each cell style, and which styles make something else of a cell.

    Attributes:
        struck: Styles that strike their text through.
        veiled: Styles that show nothing: a font of the colour of its cell, or `;;;`.
    """

    formats: Sequence[NumberFormat] = ()
    struck: frozenset[int] = frozenset()
    veiled: frozenset[int] = frozenset()


def cell_styles(
    formats: Sequence[NumberFormat],
    looks: Sequence[tuple[int, int]],
    fonts: Sequence[Font],
    fills: Sequence[str],
) -> CellStyles:
    """The styles of cells.

    Args:
        formats: Of each style.
        looks: The numbers of the font and of the fill of each style.
        fonts: All fonts.
        fills: The colours of all fills.
    """
    struck, veiled = set(), {n for n, form in enumerate(formats) if form.shape is Shape.BLANK}
    for n, (at, fill) in enumerate(looks):
        font = fonts[at] if 0 <= at < len(fonts) else Font()
        if font.is_struck:
            struck.add(n)
        if font.colour == (fills[fill] if 0 <= fill < len(fills) else WHITE):
            veiled.add(n)
    return CellStyles(formats, frozenset(struck), frozenset(veiled))


# Texts, colours and conditions, escaped signs, signs of padding.
_LITERAL = re.compile(r'"[^"]*"|\[(?!h+\]|m+\]|s+\])[^\]]*\]|\\.|_.|\*.')
_ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]")
_FORM_MOST = 255
_PARTS = 4
"""Of a format: for numbers above, below and of zero, and for texts."""


def number_format(code: str) -> NumberFormat:
    """The format that a code such as `dd.mm.yyyy` stands for."""
    if len(code) > 1 and code.strip("0") == "":
        return NumberFormat(Shape.ZEROS, min(len(code), _FORM_MOST))
    parts = [part.strip() for part in code[:_FORM_MOST].split(";")]
    if len(parts) > 1 and not parts[0]:
        return NumberFormat(Shape.UNSEEN if any(parts) or len(parts) < _PARTS else Shape.BLANK)
    signs = _LITERAL.sub("", code.lower()[:_FORM_MOST]).partition(";")[0]
    if _ELAPSED.search(signs):
        return NumberFormat(Shape.ELAPSED)
    if "y" in signs or "d" in signs or ("m" in signs and "h" not in signs and "s" not in signs):
        return NumberFormat(Shape.DATE)
    if "h" in signs or "s" in signs:
        return NumberFormat(Shape.TIME)
    return NumberFormat(Shape.PERCENT) if "%" in signs else GENERAL


# The formats that a workbook names by number only; all others have a code of their own.
# Source: ECMA-376 part 1, 18.8.30; 27 to 36 and 50 to 58 are dates of East Asian ones.
_DATES = (*range(14, 18), 22, *range(27, 32), 36, *range(50, 59))
BUILT_IN: Mapping[int, NumberFormat] = {
    **dict.fromkeys((9, 10), NumberFormat(Shape.PERCENT)),
    **dict.fromkeys(_DATES, NumberFormat(Shape.DATE)),
    **dict.fromkeys((*range(18, 22), *range(32, 36), 45, 47), NumberFormat(Shape.TIME)),
    46: NumberFormat(Shape.ELAPSED),
}

# Beyond, a float's neighbours are no longer whole numbers of 15 digits.
_WHOLE_MOST = 1e15


def number(value: float) -> Cell:
    """A number as a grid holds it."""
    return int(value) if abs(value) < _WHOLE_MOST and value == int(value) else value


def read_text(text: str) -> Cell:
    """The number that a text in a workbook's XML is; else the text itself."""
    try:
        value = float(text)
    except ValueError:
        return text
    return number(value) if math.isfinite(value) and "_" not in text else text


def typed(value: float, form: NumberFormat, epoch: datetime) -> Cell:
    """A cell's number as what its format shows it as."""
    if not math.isfinite(value):
        return str(value)
    if form.shape is Shape.ZEROS and value >= 0 and value == int(value):
        return str(int(value)).zfill(form.digits)
    if form.shape in _MOMENTS and 0 <= value < _SERIAL_MOST:
        return _moment(value, form.shape, epoch)
    return number(value)


_MOMENTS = frozenset({Shape.DATE, Shape.TIME, Shape.ELAPSED})
_SERIAL_MOST = 2_900_000


def _moment(serial: float, shape: Shape, epoch: datetime) -> Cell:
    days = int(serial)
    rest = timedelta(seconds=round(serial % 1 * 86_400))
    if shape is Shape.ELAPSED:
        return timedelta(days=days) + rest
    if shape is Shape.TIME or not days:
        return time_of_day(rest)
    return epoch + timedelta(days=days) + rest


def time_of_day(rest: timedelta) -> time:
    """What a clock shows so long after midnight."""
    seconds = int(rest.total_seconds()) % 86_400
    return time(seconds // 3600, seconds // 60 % 60, seconds % 60)
