"""Keys of a table's rows as people write them: ditto marks, models around a meter's number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from parsers.fields import Fault, is_blank, plain, read_moment, shown
from parsers.grid import Cell, Sheet

_SAME = frozenset(("тоже", "тож", "тотже", "таже", "томуже", "такойже", "ditto", "same"))
_MARK = re.compile(r"[-/|]*(?:[\"«»“”„‟″〃]|['’`´]{2}|,,|//|\\\\|\|\|)[-/|\"'’»”“]*")
_BLANKS = re.compile(r"\s+")
_DASHES = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212_", "-"))


def is_ditto(cell: Cell) -> bool:
    """Whether a cell says only "as above": `-"-`, `—//—`, «то же»."""
    if not isinstance(cell, str) or len(cell) > 20 or cell[:1].isdigit():
        return False
    return _is_ditto(cell)


@lru_cache(maxsize=4096)
def _is_ditto(cell: str) -> bool:
    text = _BLANKS.sub("", plain(cell)).translate(_DASHES).casefold().strip(".")
    return text in _SAME or _MARK.fullmatch(text) is not None


class Keys:
    """The key cells of one row after another.

    A ditto mark is what stands above it. So is an empty meter in a row of another zone or
    channel, where each meter is written once, in the first of its rows.
    """

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._row = 0
        self._cells: dict[int, Cell] = {}
        self._signs: set[tuple[str, ...]] = set()

    def go_to(self, row: int, columns: Mapping[str, int]) -> None:
        """Take up the next row that is seen; each has to be, also one without a reading."""
        before, self._cells = self._cells, {}
        for column in columns.values():
            cell = self._sheet.key(row, column)
            above = before.get(column) if is_ditto(cell) else None
            # Below nothing the mark stays, which is no code and is told so.
            self._cells[column] = cell if is_blank(above) else above
        names = [columns[name] for name in ("point", "meter") if name in columns]
        signs = tuple(shown(self._cells[columns[n]]) for n in ("zone", "channel") if n in columns)
        goes_on = self._row == row - 1 and any(signs) and signs not in self._signs
        if not all(is_blank(self._cells[column]) for column in names):
            self._signs = {signs}
        elif names and goes_on and any(not is_blank(before.get(column)) for column in names):
            self._cells |= {column: before.get(column) for column in names}
            self._signs.add(signs)
        self._row = row

    def at(self, column: int) -> Cell:
        """The key of the row in a column of `go_to`."""
        return self._cells.get(column)


# `№`, `N `, «зав.», «заводской номер» in front of a number.
_SIGN = re.compile(
    r"(?:(?<!\w)зав(?:одской|\.)?\s*)?(?:№|(?<!\w)номер(?!\w)|(?<!\w)n[oо]?[.°]?(?=\s)|n°)[:.]?"
    r"|(?<!\w)зав\.(?=\s*\d)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\w[\w-]*")
_ANOTHERS = re.compile(r"(?<!\w)(?:инв|пломб|дог|акт|паспорт|св-|свид)", re.IGNORECASE)
_DIGITS = re.compile(r"\d{1,3}(?: \d{3})+", re.ASCII)


def meter_number(text: str) -> str:
    """The number in the cell of a meter: `Меркурий 230 №07512345`, `зав. № 07512345`.

    A cell that may name more than one number, or another one than the meter's, is left
    as it is.
    """
    if _DIGITS.fullmatch(text):
        return text.replace(" ", "")
    model, *rest = _SIGN.split(text)
    number = rest[0].strip() if len(rest) == 1 else ""
    is_number = _NUMBER.fullmatch(number) and any(map(str.isdigit, number))
    return number if is_number and not _ANOTHERS.search(model) else text


_AROUND_HYPHEN = re.compile(r" ?- ?")


def point_code(text: str) -> str:
    """The code in the cell of a metering point: without blanks around its hyphens."""
    if not any(map(str.isdigit, text)) or any(map(str.isalpha, text)):
        return text
    return text.replace(" ", "") if _DIGITS.fullmatch(text) else _AROUND_HYPHEN.sub("-", text)


def has_digits(cell: Cell) -> bool:
    """Whether a cell holds a digit."""
    return any(map(str.isdigit, shown(cell)))


def is_code(cell: Cell) -> bool:
    """Whether a cell may be the number of a meter or a point: no word, no day of a signature."""
    return has_digits(cell) and (shown(cell).isdigit() or isinstance(read_moment(cell), Fault))
