"""The register of points read from a file that people edit: CSV or XLSX.

One row per meter at a metering point, in the columns of `COLUMNS`, of which those of
`OPTIONAL` may be left out. A row without a meter is about the point itself: its channels
are those of the point's profile. An entity's rows repeat its own columns, or leave them
empty after the first. Rows of one point with different `valid_from` say what was true
when, see `registry_rows`; the file is written in `registry_written`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from ingest.letters.terms import Line
from ingest.operations.output import cell_text
from ingest.operations.register.registry_rows import Mistake, Said, points_of
from ingest.replies.wording import Wording
from layouts.findings import Code, Finding
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.terms import CHANNELS, ZONES

_ENTITY = ("name", "inn", "addresses", "active")
_POINT = ("point_name", "area", "max_power_kw")
_METER = ("digits", "decimals", "ratio", "installed", "removed", "zones")
OPTIONAL = ("valid_from", "source", "load")
COLUMNS = (
    "user_code",
    *_ENTITY,
    "point",
    *_POINT,
    "meter",
    *_METER[:-1],
    "channels",
    "zones",
    *OPTIONAL,
)
PASSWORD = "password"  # noqa: S105 - the name of a column

_DIGITS = re.compile(r"\d{1,32}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}([.,]\d{1,6})?", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_WORKBOOK = b"PK\x03\x04"
_FLAGS = {"": True, "1": True, "0": False}
_SOURCES = ("register", "profile", "both")
_LOADS = ("constant", "timed")


class RegistryMistakes(ValueError):  # noqa: N818 - its name is what it holds
    """A registry file with mistakes; all of them, in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))

    def told(self, words: Wording) -> list[str]:
        """A sentence a mistake."""
        return [one.told(words) for one in self.mistakes]


@dataclass(frozen=True, slots=True)
class Registry:
    """What a registry file says.

    Attributes:
        entities: Without ids and password hashes.
        passwords: In the clear, by user code; empty unless they were asked for.
        lines: What each line says of a point, by its code.
        silent: Those of `OPTIONAL` that the file has no column for.
    """

    entities: tuple[LegalEntity, ...]
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[str, Sequence[Said]] = field(default_factory=dict, repr=False)
    silent: frozenset[str] = frozenset()

    def line(
        self, point: MeteringPoint, meter: Meter | None = None, day: date | None = None
    ) -> int:
        """The line that says what is true of a point, or of a meter at it, from a day on.

        Where no line names the day, the first one about it; 0 where there is none.
        """
        areas = {point.area, *(row.area for row in point.rows)}
        numbers = {meter.number, *(row.number for row in meter.rows)} if meter else None
        about = [
            said
            for said in self.lines.get(point.code, ())
            if said.point.area in areas
            and (numbers is None or (said.meter is not None and said.meter.number in numbers))
        ]
        exact = [said for said in about if day is not None and said.valid_from == day]
        return next((said.line for said in (*exact, *about)), 0)


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str] = field(repr=False)
    is_too_long: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_registry(
    content: bytes,
    table: Callable[[bytes], Sequence[Line] | Finding],
    *,
    with_passwords: bool = False,
) -> Registry:
    """What a registry file says, when it says nothing wrong.

    Args:
        content: CSV in UTF-8 or windows-1251, with `;` or `,`; or a workbook, of
            which the first sheet counts.
        table: Reads that sheet, in a confined child.
        with_passwords: Take a `password` column, which is refused otherwise.

    Raises:
        RegistryMistakes: it has mistakes; nothing of it should be imported.
    """
    is_workbook = content.startswith(_WORKBOOK)
    lines = _workbook_lines(table(content)) if is_workbook else _csv_lines(content)
    names, rows = _rows(lines, with_passwords=with_passwords)
    reading = _Reading()
    for row in rows:
        reading.take(row)
    return reading.registry(frozenset(OPTIONAL) - set(names))


def _csv_lines(content: bytes) -> list[Line]:
    text = _text(content)
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") >= first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, begins = [], 1
    try:
        for cells in reader:
            lines.append((begins, [cell_text(cell.strip()) for cell in cells]))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise RegistryMistakes([Mistake.of(begins, "not_csv", error=error)]) from None
    return lines


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("windows-1251")
    except UnicodeDecodeError:
        raise RegistryMistakes([Mistake(1, "encoding")]) from None


def _workbook_lines(lines: Sequence[Line] | Finding) -> Sequence[Line]:
    if isinstance(lines, Finding):
        what = "too_costly" if lines.code is Code.TOO_COSTLY else "not_a_workbook"
        raise RegistryMistakes([Mistake(1, what)])
    return lines


def _rows(lines: Sequence[Line], *, with_passwords: bool) -> tuple[list[str], Iterator[_Row]]:
    """Names of the columns, and what stands below them."""
    filled = [(line, cells) for line, cells in lines if any(cells)]
    if not filled:
        raise RegistryMistakes([Mistake(1, "empty")])
    line, head = filled[0]
    names = [name.lower() for name in head]
    _check_head(line, names, with_passwords=with_passwords)
    return names, (
        _Row(number, dict(zip(names, cells, strict=False)), any(cells[len(names) :]))
        for number, cells in filled[1:]
    )


def _check_head(line: int, names: Sequence[str], *, with_passwords: bool) -> None:
    mistakes = [
        Mistake.of(line, "no_column", column=n)
        for n in COLUMNS
        if n not in names and n not in OPTIONAL
    ]
    if PASSWORD in names and not with_passwords:
        mistakes.append(Mistake(line, "passwords"))
    known = {*COLUMNS, PASSWORD, ""}
    mistakes += [Mistake.of(line, "unknown_column", column=n) for n in names if n not in known]
    doubled = {n for n in names if n and names.count(n) > 1}
    mistakes += [Mistake.of(line, "doubled_column", column=n) for n in doubled]
    if mistakes:
        raise RegistryMistakes(mistakes)


class _Reading:
    """Rows to entities; collects every mistake on the way."""

    def __init__(self) -> None:
        self._mistakes: list[Mistake] = []
        self._first: dict[tuple[object, ...], _Row] = {}
        self._entities: dict[str, LegalEntity] = {}
        self._said: list[Said] = []
        self._passwords: dict[str, str] = {}

    def take(self, row: _Row) -> None:
        """One row more."""
        if row.is_too_long:
            self._mistakes.append(Mistake(row.line, "too_long"))
        code = row["user_code"]
        if not _DIGITS.fullmatch(code):
            self._wrong(row, "user_code", "digits")
            return
        self._take_entity(row, code)
        if not row["point"]:
            self._nothing_but(row, "point", (*_POINT, "meter", *_METER, "channels", *OPTIONAL))
            return
        self._said.append(self._take_point(row, code))

    def registry(self, silent: frozenset[str]) -> Registry:
        """Everything taken.

        Raises:
            RegistryMistakes: when there was one.
        """
        points: dict[str, list[MeteringPoint]] = {code: [] for code in self._entities}
        for owner, point in points_of(self._said, self._mistakes):
            points[owner].append(point)
        if self._mistakes:
            raise RegistryMistakes(self._mistakes)
        entities = (replace(e, points=tuple(points[c])) for c, e in self._entities.items())
        lines: dict[str, list[Said]] = defaultdict(list)
        for said in self._said:
            lines[said.point.code].append(said)
        return Registry(tuple(entities), dict(self._passwords), lines, silent)

    def _take_entity(self, row: _Row, code: str) -> None:
        if row[PASSWORD]:
            self._passwords.setdefault(code, row[PASSWORD])
            if self._passwords[code] != row[PASSWORD]:
                # The words of a mistake are shown: no password is among them.
                self._mistakes.append(Mistake(row.line, "other_password"))
        if self._repeats(row, (code,), _ENTITY):
            return
        if row["active"] not in _FLAGS:
            self._wrong(row, "active", "flag")
        if row["inn"] and not _DIGITS.fullmatch(row["inn"]):
            self._wrong(row, "inn", "digits")
        addresses = tuple(row["addresses"].lower().split())
        if not all(_ADDRESS.fullmatch(a) and a.isprintable() for a in addresses):
            self._wrong(row, "addresses", "addresses")
        self._entities[code] = LegalEntity(
            user_code=code,
            name=row["name"],
            inn=row["inn"],
            addresses=addresses,
            active=_FLAGS.get(row["active"], True),
        )

    def _take_point(self, row: _Row, code: str) -> Said:
        valid_from = self._date(row, "valid_from")
        key = row["point"], row["area"], valid_from
        for column in ("point", "area"):
            if row[column] and not _is_code(row[column]):
                self._wrong(row, column, "code")
        meter = self._meter(row, valid_from) if row["meter"] else None
        if meter is None:
            self._nothing_but(row, "meter", _METER)
            first = self._first.setdefault(("profile", *key), row)
            if first is not row:
                self._mistakes.append(Mistake.of(row.line, "same_point", other=first.line))
        told = row
        if self._repeats(row, ("point", *key), ("point_name", "max_power_kw", "source", "load")):
            told = self._first[("point", *key)]
        point = MeteringPoint(
            code=row["point"],
            name=told["point_name"],
            area=row["area"] or None,
            max_power_kw=self._number(told, "max_power_kw"),
            channels=() if meter else self._words(row, "channels", CHANNELS),
            source=self._one_of(told, "source", _SOURCES),
            load=self._one_of(told, "load", _LOADS),
        )
        return Said(row.line, code, point, meter, valid_from)

    def _meter(self, row: _Row, valid_from: date | None) -> Meter:
        if not _is_code(row["meter"]):
            self._wrong(row, "meter", "meter_number")
        installed, removed = self._date(row, "installed"), self._date(row, "removed")
        if installed and removed and removed < installed:
            about = {"removed": removed, "installed": installed}
            self._mistakes.append(Mistake.of(row.line, "removed_before", **about))
        if valid_from and installed and valid_from < installed:
            days = {"day": valid_from, "installed": installed}
            self._mistakes.append(Mistake.of(row.line, "before_installed", **days))
        if valid_from and removed and valid_from > removed:
            days = {"day": valid_from, "removed": removed}
            self._mistakes.append(Mistake.of(row.line, "after_removed", **days))
        ratio = self._number(row, "ratio")
        if not row["ratio"]:
            self._mistakes.append(Mistake.of(row.line, "no_ratio", meter=row["meter"]))
        elif ratio is not None and not ratio:
            self._wrong(row, "ratio", "above_zero")
        return Meter(
            number=row["meter"],
            digits=self._whole(row, "digits", 1, 12),
            decimals=self._whole(row, "decimals", 0, 6),
            ratio=ratio or Decimal(1),
            installed=installed,
            removed=removed,
            channels=self._words(row, "channels", CHANNELS),
            zones=self._words(row, "zones", ZONES),
        )

    def _repeats(self, row: _Row, key: tuple[object, ...], columns: Sequence[str]) -> bool:
        """Whether a row above said this already; then it must not say otherwise."""
        first = self._first.setdefault(key, row)
        if first is row:
            return False
        for column in columns:
            if row[column] and row[column] != first[column]:
                about = {"column": column, "seen": row[column], "before": first[column]}
                self._mistakes.append(Mistake.of(row.line, "differs", other=first.line, **about))
        return True

    def _nothing_but(self, row: _Row, without: str, columns: Sequence[str]) -> None:
        filled = ", ".join(column for column in columns if row[column])
        if filled:
            about = {"filled": filled, "without": without}
            self._mistakes.append(Mistake.of(row.line, "without", **about))

    def _wrong(self, row: _Row, column: str, expected: str, **more: object) -> None:
        about = {"column": column, "seen": row[column], "expected": expected, **more}
        self._mistakes.append(Mistake.of(row.line, "wrong", **about))

    def _words(self, row: _Row, column: str, known: Sequence[str]) -> tuple[str, ...]:
        words = tuple(row[column].upper().split())
        if not set(words) <= set(known) or len(set(words)) < len(words):
            self._wrong(row, column, "some_of", known=" ".join(known))
        return words

    def _number(self, row: _Row, column: str) -> Decimal | None:
        if not row[column]:
            return None
        if not _NUMBER.fullmatch(row[column]):
            self._wrong(row, column, "number")
            return None
        return Decimal(row[column].replace(",", "."))

    def _one_of(self, row: _Row, column: str, known: Sequence[str]) -> str:
        text = row[column].lower()
        if text and text not in known:
            self._wrong(row, column, "one_of", known=", ".join(known))
        return text

    def _whole(self, row: _Row, column: str, least: int, most: int) -> int | None:
        if not row[column]:
            return None
        if row[column].isdecimal() and least <= int(row[column][:4]) <= most:
            return int(row[column])
        self._wrong(row, column, "between", least=least, most=most)
        return None

    def _date(self, row: _Row, column: str) -> date | None:
        text = row[column]
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date only
            except ValueError:
                continue
        if text:
            self._wrong(row, column, "date")
        return None


def _is_code(text: str) -> bool:
    return len(text) <= 64 and text.isprintable() and not any(map(str.isspace, text))
