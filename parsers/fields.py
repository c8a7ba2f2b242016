"""One text or cell to a number, a code, a day, a channel; or a `Fault`."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, lru_cache

from layouts.findings import Code
from parsers.clock import YEARS
from parsers.grid import EPOCH_1900, Cell, ErrorCell, StruckCell, Uncounted


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not what it should be.

    Attributes:
        expected: What should stand there, as an example or a form; '' when the
            code says it all.
        either: The dates that it may mean, when day and month may have changed places.
        reason: Why else, as a word of the replies.
    """

    code: Code
    expected: str = ""
    either: str = ""
    reason: str = ""

    def about(self) -> dict[str, str]:
        """What a finding says of it beside its code."""
        said = {"expected": self.expected} if self.expected else {}
        if self.reason:
            said["reason"] = self.reason
        return said | ({"reason": "day-or-month", "either": self.either} if self.either else {})


@dataclass(frozen=True, slots=True)
class Number:
    """An exact number, and whether it was written with a decimal comma."""

    value: Decimal
    comma: bool = False


WHOLE_DIGITS = 15
"""Wh have at most this many digits, so that a year's sum of them fits 64 bits."""

REGISTER_DIGITS = 12
"""Places before the decimal point that a register reading may have."""

_GROUPED = re.compile(r"[+-]?\d{1,3}(?: \d{3})+(?:[.,]\d+)?", re.ASCII)
_NUMBER = re.compile(
    r"[+-]?(?:\d{1,500}(?:[.,]\d{0,500})?|[.,]\d{1,500})(?:[eE][+-]?\d{1,2})?", re.ASCII
)
_PLAIN = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-"))


def shown(cell: Cell) -> str:
    """A cell as its sender sees it, for `seen`."""
    if cell is None:
        return ""
    if isinstance(cell, Uncounted):
        return plain(cell.formula)
    if isinstance(cell, ErrorCell):
        return cell.text
    if isinstance(cell, StruckCell):
        return shown(cell.cell)
    if isinstance(cell, float):
        return format(cell, ".15g")
    if isinstance(cell, datetime):
        return cell.strftime("%d.%m.%Y %H:%M").removesuffix(" 00:00")
    if isinstance(cell, date):
        return cell.strftime("%d.%m.%Y")
    return plain(str(cell))


def plain(text: str) -> str:
    """A text on one line with single blanks, also for no-break and thin ones."""
    return " ".join(text.replace("\u200b", "").replace("\ufeff", "").split())


def is_blank(cell: Cell) -> bool:
    """Whether nothing is written in a cell; a lone dash is nothing, too."""
    if isinstance(cell, str):
        return not cell[:1].isalnum() and plain(cell) in _NOTHING
    return cell is None


_NOTHING = frozenset(("", "-", "–", "—", "'"))


_NO_NUMBER = Fault(Code.INVALID_NUMBER)
_STRUCK = Fault(Code.INVALID_NUMBER, reason="struck")


def read_number(cell: Cell, *, exponents: bool = True) -> Number | Fault:
    """The exact number in a cell; of a binary float, its 15 significant digits.

    Without `exponents`, which are a workbook's own way of writing, 1e3 is none.
    """
    fault = _NO_NUMBER
    if isinstance(cell, Uncounted | StruckCell):
        return Fault(Code.FORMULA_WITHOUT_VALUE) if isinstance(cell, Uncounted) else _STRUCK
    if isinstance(cell, bool):
        return fault
    if isinstance(cell, int):
        return Number(Decimal(cell))
    if isinstance(cell, float):
        return Number(Decimal(format(cell, ".15g"))) if math.isfinite(cell) else fault
    if not isinstance(cell, str) or cell[:1].isalpha():
        return fault
    if _PLAIN.fullmatch(cell):
        return Number(Decimal(cell))
    text = plain(cell).removeprefix("'").translate(_HYPHENS)
    if _GROUPED.fullmatch(text) and len(cell.strip().splitlines()) == 1:
        text = text.replace(" ", "")
    if not _NUMBER.fullmatch(text) or (not exponents and "E" in text.upper()):
        return fault
    # As people write it: 1E+5 is 100000.
    return Number(Decimal(format(Decimal(text.replace(",", ".")), "f")), comma="," in text)


def is_zero(cell: Cell) -> bool:
    """Whether a cell holds the number zero."""
    number = read_number(cell)
    return isinstance(number, Number) and not number.value


def energies_at_once(texts: Sequence[str | None], power: int, decimals: int) -> list[int] | None:
    """A whole column of plain numbers in Wh; None when it takes a closer look.

    Args:
        texts: As written, in a unit of 10 to the `power` Wh.
        power: Of ten.
        decimals: Most decimals that one may have.
    """
    try:
        joined = "\n".join(texts)  # type: ignore[arg-type]
        # A text with a line break in it would be taken for two.
        is_one_each = joined.count("\n") == len(texts) - 1
        if not is_one_each or not _plain_numbers(WHOLE_DIGITS - power, decimals).fullmatch(joined):
            return None
        if "." not in joined:
            scale = 10**power
            return [int(text) * scale for text in texts]  # type: ignore[arg-type]
        places = len(joined) - joined.rindex(".") - 1
        if _same_places(places).fullmatch(joined):
            # All with as many decimals: without the point they are whole numbers.
            scale = 10 ** (power - places)
            return [int(text) * scale for text in joined.replace(".", "").split("\n")]
        parts = [text.partition(".") for text in texts]  # type: ignore[union-attr]
        return [int(whole + fraction.ljust(power, "0")) for whole, _, fraction in parts]
    except (TypeError, ValueError):
        return None


@cache
def _same_places(places: int) -> re.Pattern[str]:
    return re.compile(rf"(?:-?[0-9]++\.[0-9]{{{places}}}(?:\n|\Z))*+")


@cache
def _plain_numbers(whole: int, decimals: int) -> re.Pattern[str]:
    fraction = rf"(?:\.[0-9]{{1,{decimals}}}+)?+" if decimals else ""
    return re.compile(rf"(?:-?[0-9]{{1,{whole}}}+{fraction}(?:\n|\Z))*+")


def energy(value: Decimal, power: int, decimals: int) -> int | Fault:
    """An exact number in Wh, from a unit of 10 to the `power` Wh."""
    fault = fitting(value, WHOLE_DIGITS - power, decimals)
    return fault or int(value.scaleb(power))


def fitting(value: Decimal, whole: int, decimals: int) -> Fault | None:
    """The fault of a number with too many places before or after its point."""
    if value.adjusted() >= whole and value:
        return Fault(Code.TOO_MANY_DIGITS, str(whole))
    # Zeros at the end do not count.
    places = len(format(value, "f").partition(".")[2].rstrip("0"))
    return Fault(Code.TOO_MANY_DECIMALS, str(decimals)) if places > decimals else None


CODE_LENGTH = 64
_MANGLED = re.compile(r"(\d+)\.0+|(\d(?:\.(\d+))?)[eE]\+?(\d{1,2})", re.ASCII)


def read_code(cell: Cell) -> str | Fault | None:
    """A code as text, also one that a workbook turned into a number; None for none."""
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell) if cell >= 0 else Fault(Code.INVALID_CODE)
    if isinstance(cell, float):
        # Beyond 15 digits a workbook has already lost some of them.
        return (
            str(int(cell)) if cell.is_integer() and 0 <= cell < 1e15 else Fault(Code.INVALID_CODE)
        )
    if cell is None:
        return None
    if not isinstance(cell, str):
        uncounted = isinstance(cell, Uncounted)
        return Fault(Code.FORMULA_WITHOUT_VALUE if uncounted else Code.INVALID_CODE)
    text = plain(cell).removeprefix("'").strip().translate(_HYPHENS)
    if not text:
        return None
    if len(text) > CODE_LENGTH or not text.isprintable():
        return Fault(Code.INVALID_CODE, f"at most {CODE_LENGTH}")
    return text


def mended_code(cell: Cell) -> str | Fault | None:
    """As `read_code`, of a cell in which a number's text may stand for a code."""
    code = read_code(cell)
    mangled = _MANGLED.fullmatch(code.replace(",", ".")) if isinstance(code, str) else None
    if mangled is None:
        return code
    if mangled[1]:
        return mangled[1]
    fraction, exponent = mangled[3] or "", int(mangled[4])
    # With fewer digits than the exponent says, the rest of the code is lost; more are no code.
    if len(fraction) < exponent or fraction[exponent:].strip("0"):
        return Fault(Code.INVALID_CODE)
    return str(int(Decimal(mangled[0].replace(",", "."))))


# Letters that look alike on a screen; А and Т are typed in Cyrillic as often as not.
_ALIKE = str.maketrans("АВТСРЕаВтсре", "ABTCPEABTCPE")


def normal_sign(text: str) -> str:
    """A channel or zone with Latin capitals and without blanks: `а +` gives `A+`."""
    return plain(text).replace(" ", "").translate(_HYPHENS).translate(_ALIKE).upper()


def label(cell: Cell) -> str:
    """A label as it is compared: lower case, `е` for `ё`, `n` for `№`, no colon."""
    if not isinstance(cell, str):
        return ""
    return _label(cell) if len(cell) <= _LABEL_MOST else _label.__wrapped__(cell)


_LABEL_MOST = 300


@lru_cache(maxsize=20_000)
def _label(cell: str) -> str:
    """As `label`: each form asks for that of every text of a sheet."""
    text = unicodedata.normalize("NFC", cell).casefold().replace("ё", "е")
    text = text.replace("№", "n ").replace("n°", "n ").replace("-\n", "")
    return plain(text).strip(" :.*=")


_MONTHS = ("янв", "фев", "мар", "апр", "ма", "июн", "июл", "авг", "сен", "окт", "ноя", "дек")
_DAY_FORMS = (
    (re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})"), (3, 2, 1)),
    (re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})"), (1, 2, 3)),
    (re.compile(r"(\d{4})(\d{2})(\d{2})"), (1, 2, 3)),
)
_CLOCK = re.compile(r"[ T](\d{1,2}):(\d{2})(?::(\d{2}))?(?:\.0+)?$")
_WORDED = re.compile(r"(\d{1,2})?\s*([а-яё]{3,})\.?\s*(\d{4})\s*(?:г(?:\.|ода?)?)?", re.IGNORECASE)

_YEAR = re.compile(r"\s*(?:г|года?)$", re.IGNORECASE)
_QUOTES = str.maketrans("", "", '«»“”„"')


def read_moment(cell: Cell, epoch: datetime = EPOCH_1900) -> datetime | Fault:
    """The local date, with a time if there is one, in a cell of any form."""
    moment = _moment(cell, epoch)
    wrong = isinstance(moment, datetime) and moment.year not in YEARS
    return Fault(Code.INVALID_DATE) if wrong else moment


def _moment(cell: Cell, epoch: datetime) -> datetime | Fault:
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=None)
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
    if isinstance(cell, int | float):
        return _serial(float(cell), epoch)
    if not isinstance(cell, str):
        uncounted = isinstance(cell, Uncounted)
        return Fault(Code.FORMULA_WITHOUT_VALUE if uncounted else Code.INVALID_DATE)
    text = plain(cell).removeprefix("'").rstrip(".")
    if text.isascii() and text.isdigit() and len(text) == 5:
        return _serial(float(text), epoch)
    if text[:3].casefold() == "на ":
        # «На 01.11.2026», as titles have it.
        text = text[3:]
    return _worded_moment(text)


def _serial(number: float, epoch: datetime) -> datetime | Fault:
    try:
        return epoch + timedelta(days=int(number), seconds=round(number % 1 * 86_400))
    except (ValueError, OverflowError):
        return Fault(Code.INVALID_DATE)


def _worded_moment(text: str) -> datetime | Fault:
    clock = _CLOCK.search(text)
    day = _day_of(text[: clock.start()] if clock else text)
    if day is None:
        return Fault(Code.INVALID_DATE)
    try:
        hour, minute, second = (int(part or 0) for part in clock.groups()) if clock else (0, 0, 0)
        if (hour, minute, second) == (24, 0, 0):
            # As meters are read: midnight is the end of its day.
            return datetime(*day) + timedelta(days=1)  # noqa: DTZ001
        return datetime(*day, hour, minute, second)  # noqa: DTZ001
    except (ValueError, OverflowError):
        return Fault(Code.INVALID_DATE)


def _day_of(text: str) -> tuple[int, int, int] | None:
    # «01» ноября, as forms on paper have it.
    text = _YEAR.sub("", text.strip(" .,").translate(_QUOTES))
    for form, (year, month, day) in _DAY_FORMS:
        found = form.fullmatch(text)
        if found:
            century = 2000 if len(found[year]) == 2 else 0
            return century + int(found[year]), int(found[month]), int(found[day])
    worded = _WORDED.fullmatch(text)
    if worded and worded[1] and (named := month_number(worded[2])):
        return int(worded[3]), named, int(worded[1])
    return None


def month_number(word: str) -> int | None:
    """The number of the month that a word begins like."""
    word = word.casefold()
    return next((i for i, start in enumerate(_MONTHS, 1) if word.startswith(start)), None)


_MONTH_FORMS = (
    (re.compile(r"(\d{1,2})[./-](\d{4})"), (2, 1)),
    (re.compile(r"(\d{4})[./-](\d{1,2})"), (1, 2)),
    (re.compile(r"(\d{4})(\d{2})"), (1, 2)),
)


def read_month(cell: Cell, epoch: datetime = EPOCH_1900) -> date | Fault:
    """The first day of the month that a cell names: `ноябрь 2026`, `11.2026`, a date."""
    text = plain(cell).rstrip(".").strip() if isinstance(cell, str) else ""
    if isinstance(cell, float):
        # 11.2026 typed into a cell becomes a number.
        text = format(cell, ".4f")
    for form, (year, month) in _MONTH_FORMS:
        found = form.fullmatch(re.sub(r"\s*(?:г|года?)$", "", text))
        if found:
            return _first_of(int(found[year]), int(found[month]))
    worded = _WORDED.fullmatch(text)
    if worded and (number := month_number(worded[2])):
        return _first_of(int(worded[3]), number)
    moment = read_moment(cell, epoch)
    return moment if isinstance(moment, Fault) else moment.date().replace(day=1)


def _first_of(year: int, month: int) -> date | Fault:
    if year not in YEARS or not 1 <= month <= 12:
        return Fault(Code.INVALID_DATE)
    return date(year, month, 1)


_UNITS = {
    "вт": "Wh", "втч": "Wh", "wh": "Wh", "квт": "kWh", "квтч": "kWh", "kwh": "kWh",
    "тысвтч": "kWh", "тысквт": "MWh", "тысквтч": "MWh", "тысквар": "Mvarh", "тыскварч": "Mvarh",
    "квтчас": "kWh", "мвтчас": "MWh", "кварчас": "kvarh",
    "мвт": "MWh", "мвтч": "MWh", "mwh": "MWh", "кварч": "kvarh", "квар": "kvarh",
    "kvarh": "kvarh", "варч": "varh", "varh": "varh", "мварч": "Mvarh", "mvarh": "Mvarh",
}  # fmt: skip


UNIT_PARTS = frozenset(unit[at : at + 3] for unit in _UNITS for at in range(len(unit) - 2))
"""What each longer word of a unit begins with."""


def read_unit(cell: Cell) -> str | Fault:
    """A unit of energy, however its dots and strokes are written."""
    letters = _letters(cell) if isinstance(cell, str) else ""
    return _UNITS.get(letters, Fault(Code.INVALID_CODE, "кВт·ч, МВт·ч"))


def names_unit(text: str) -> bool:
    """Whether a unit of energy may stand somewhere in a text."""
    letters = _letters(text)
    return any(unit in letters for unit in _UNITS)


def _letters(text: str) -> str:
    return re.sub(r"[\W\d_]", "", text).casefold()


_HOUR = re.compile(r"(?:час\s*)?(\d{1,2})(?:[:.]00)?(?:\s*ч(?:ас)?\.?)?", re.IGNORECASE)
_SPAN = re.compile(
    r"(?:с\s+)?(\d{1,2})(?:[:.]00)?\s*(?:[-–—÷]|до)\s*(\d{1,2})(?:[:.]00)?(?:\s*ч(?:ас)?\.?)?"
)


def read_hour(cell: Cell) -> tuple[int, int | None] | None:
    """(first, second) hour that a column's label names, such as (0, 1) for `0-1`.

    The second one is None for a single hour; None when it names no hour.
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return _single(int(cell)) if float(cell).is_integer() else _hour_of_day(float(cell))
    if isinstance(cell, timedelta):
        return _single(int(cell.total_seconds() // 3600))
    if isinstance(cell, datetime | time):
        # 24:00 is midnight of the day after the workbook's first one.
        whole = cell.minute == 0
        return _single(cell.hour) if whole else None
    if not isinstance(cell, str):
        return None
    text = plain(cell)
    span = _SPAN.fullmatch(text)
    if span:
        return int(span[1]), int(span[2]) % 24
    single = _HOUR.fullmatch(text)
    return _single(int(single[1])) if single else None


def _single(hour: int) -> tuple[int, None] | None:
    return (hour, None) if 0 <= hour <= 24 else None


def _hour_of_day(part: float) -> tuple[int, None] | None:
    # A time of day in a workbook is a fraction of the day.
    hour = part * 24
    return _single(round(hour)) if 0 <= part <= 1 and abs(hour - round(hour)) < 1e-6 else None
