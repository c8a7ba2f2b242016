"""The register of points as a file that people edit: CSV or XLSX, there and back.

One row per meter at a metering point, in the columns of `COLUMNS`. A row without a
meter is about the point itself: its channels are those of the point's profile. An
entity's rows repeat its own columns, or leave them empty after the first.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from layouts.months import MOSCOW
from layouts.terms import CHANNELS, ZONES, LegalEntity, Meter, MeteringPoint

_ENTITY = ("name", "inn", "addresses", "active")
_POINT = ("point_name", "area", "max_power_kw")
_METER = ("digits", "decimals", "ratio", "installed", "removed", "zones")
COLUMNS = (
    "user_code",
    *_ENTITY,
    "point",
    *_POINT,
    "meter",
    *_METER[:-1],
    "channels",
    "zones",
)
PASSWORD = "password"  # noqa: S105 - the name of a column

_DIGITS = re.compile(r"\d{1,32}", re.ASCII)
_NUMBER = re.compile(r"\d{1,9}([.,]\d{1,6})?", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
_WORKBOOK = b"PK\x03\x04"
_FLAGS = {"": True, "1": True, "0": False}


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """What is wrong in one line (from 1) of a registry file."""

    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text}"


class RegistryMistakes(ValueError):  # noqa: N818 - its name is what it holds
    """A registry file with mistakes; all of them, in the order of their lines."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(map(str, self.mistakes)))


@dataclass(frozen=True, slots=True)
class Registry:
    """What a registry file says.

    Attributes:
        entities: Without ids and password hashes.
        passwords: In the clear, by user code; empty unless they were asked for.
        lines: Where each meter stands, by point, area ('' for none) and meter.
    """

    entities: tuple[LegalEntity, ...]
    passwords: Mapping[str, str] = field(default_factory=dict, repr=False)
    lines: Mapping[tuple[str, str, Meter], int] = field(default_factory=dict, repr=False)

    def contradictions(
        self, read: Iterable[tuple[MeteringPoint, Meter, datetime]]
    ) -> tuple[Mistake, ...]:
        """What is wrong with meters that were read when they are said not to be there.

        Args:
            read: Point and meter, with the moment of its last reading, or of its first.
        """
        return tuple(
            Mistake(self.lines.get((point.code, point.area or "", meter), 0), _told(meter, moment))
            for point, meter, moment in read
        )


def _told(meter: Meter, read: datetime) -> str:
    local = read.astimezone(MOSCOW)
    at = f"{local:%Y-%m-%d %H:%M}"
    if meter.removed is not None and local.date() > meter.removed:
        return (
            f"meter {meter.number} is removed on {meter.removed}, but its last recorded"
            f" reading is of {at}"
        )
    return (
        f"meter {meter.number} is installed on {meter.installed}, but its first recorded"
        f" reading is of {at}"
    )


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: Mapping[str, str] = field(repr=False)
    is_too_long: bool = False

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_registry(content: bytes, *, with_passwords: bool = False) -> Registry:
    """What a registry file says, when it says nothing wrong.

    Args:
        content: CSV in UTF-8 or windows-1251, with `;` or `,`; or a workbook, of
            which the first sheet counts.
        with_passwords: Take a `password` column, which is refused otherwise.

    Raises:
        RegistryMistakes: it has mistakes; nothing of it should be imported.
    """
    lines = _workbook_lines(content) if content.startswith(_WORKBOOK) else _csv_lines(content)
    rows = _rows(lines, with_passwords=with_passwords)
    reading = _Reading()
    for row in rows:
        reading.take(row)
    return reading.registry()


def _csv_lines(content: bytes) -> list[tuple[int, list[str]]]:
    text = _text(content)
    first = text.split("\n", 1)[0]
    delimiter = ";" if first.count(";") >= first.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines, begins = [], 1
    try:
        for cells in reader:
            lines.append((begins, [cell.strip() for cell in cells]))
            begins = reader.line_num + 1
    except csv.Error as error:
        raise RegistryMistakes([Mistake(begins, f"cannot be read as CSV: {error}")]) from None
    return lines


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return content.decode("windows-1251")
    except UnicodeDecodeError:
        raise RegistryMistakes([Mistake(1, "is neither UTF-8 nor windows-1251")]) from None


def _workbook_lines(content: bytes) -> list[tuple[int, list[str]]]:
    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        workbook = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = workbook.worksheets[0].iter_rows(values_only=True)
        return [(line, [_cell(value) for value in row]) for line, row in enumerate(rows, 1)]
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError):
        raise RegistryMistakes([Mistake(1, "is not a workbook that can be read")]) from None


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float):
        # A code that became a number, or a number with the digits that it shows.
        return format(Decimal(format(value, ".15g")), "f")
    return str(value).strip()


def _rows(lines: Sequence[tuple[int, list[str]]], *, with_passwords: bool) -> Iterator[_Row]:
    filled = [(line, cells) for line, cells in lines if any(cells)]
    if not filled:
        raise RegistryMistakes([Mistake(1, "the file is empty")])
    line, head = filled[0]
    names = [name.lower() for name in head]
    _check_head(line, names, with_passwords=with_passwords)
    for number, cells in filled[1:]:
        beyond = any(cells[len(names) :])
        yield _Row(number, dict(zip(names, cells, strict=False)), beyond)


def _check_head(line: int, names: Sequence[str], *, with_passwords: bool) -> None:
    mistakes = [Mistake(line, f"column {n!r} is missing") for n in COLUMNS if n not in names]
    if PASSWORD in names and not with_passwords:
        mistakes.append(
            Mistake(line, "a 'password' column is only taken with --with-passwords; remove it")
        )
    known = {*COLUMNS, PASSWORD, ""}
    mistakes += [Mistake(line, f"column {n!r} is not known") for n in names if n not in known]
    doubled = {n for n in names if n and names.count(n) > 1}
    mistakes += [Mistake(line, f"column {n!r} is there twice") for n in doubled]
    if mistakes:
        raise RegistryMistakes(mistakes)


class _Reading:
    """Rows to entities; collects every mistake on the way."""

    def __init__(self) -> None:
        self._mistakes: list[Mistake] = []
        self._first: dict[tuple[str, ...], _Row] = {}
        self._entities: dict[str, LegalEntity] = {}
        self._points: dict[tuple[str, str], MeteringPoint] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._meters: dict[tuple[str, str], list[tuple[int, Meter]]] = {}
        self._passwords: dict[str, str] = {}

    def take(self, row: _Row) -> None:
        """One row more."""
        if row.is_too_long:
            self._mistakes.append(Mistake(row.line, "has more cells than there are columns"))
        code = row["user_code"]
        if not _DIGITS.fullmatch(code):
            self._wrong(row, "user_code", "digits")
            return
        self._take_entity(row, code)
        if not row["point"]:
            self._nothing_but(row, "point", (*_POINT, "meter", *_METER, "channels"))
            return
        key = self._take_point(row, code)
        if row["meter"]:
            self._take_meter(row, key)
        else:
            self._nothing_but(row, "meter", _METER)

    def registry(self) -> Registry:
        """Everything taken.

        Raises:
            RegistryMistakes: when there was one.
        """
        self._check_meters()
        if self._mistakes:
            raise RegistryMistakes(self._mistakes)
        points: dict[str, list[MeteringPoint]] = {code: [] for code in self._entities}
        for key, point in self._points.items():
            meters = tuple(meter for _, meter in self._meters.get(key, ()))
            points[self._owners[key]].append(replace(point, meters=meters))
        entities = (replace(e, points=tuple(points[c])) for c, e in self._entities.items())
        lines = {(*key, m): line for key, held in self._meters.items() for line, m in held}
        return Registry(tuple(entities), dict(self._passwords), lines)

    def _take_entity(self, row: _Row, code: str) -> None:
        if row[PASSWORD]:
            self._passwords.setdefault(code, row[PASSWORD])
            if self._passwords[code] != row[PASSWORD]:
                # The words of a mistake are shown: no password is among them.
                self._mistakes.append(Mistake(row.line, "password differs from the line above"))
        if self._repeats(row, (code,), _ENTITY):
            return
        if row["active"] not in _FLAGS:
            self._wrong(row, "active", "1 or 0")
        if row["inn"] and not _DIGITS.fullmatch(row["inn"]):
            self._wrong(row, "inn", "digits")
        addresses = tuple(row["addresses"].lower().split())
        if not all(_ADDRESS.fullmatch(a) and a.isprintable() for a in addresses):
            self._wrong(row, "addresses", "e-mail addresses with blanks between them")
        self._entities[code] = LegalEntity(
            user_code=code,
            name=row["name"],
            inn=row["inn"],
            addresses=addresses,
            active=_FLAGS.get(row["active"], True),
        )

    def _take_point(self, row: _Row, code: str) -> tuple[str, str]:
        key = row["point"], row["area"]
        for column in ("point", "area"):
            if row[column] and not _is_code(row[column]):
                self._wrong(row, column, "a code without blanks")
        if self._owners.setdefault(key, code) != code:
            owner = self._owners[key]
            self._mistakes.append(
                Mistake(row.line, f"point {key[0]} is {owner}'s already, in a line above")
            )
        channels = () if row["meter"] else self._words(row, "channels", CHANNELS)
        profile = ("profile", *key)
        if not row["meter"]:
            if profile in self._first:
                first = self._first[profile].line
                self._mistakes.append(Mistake(row.line, f"says the same point as line {first}"))
            self._first.setdefault(profile, row)
        if self._repeats(row, ("point", *key), ("point_name", "max_power_kw")):
            known = self._points[key]
            self._points[key] = replace(known, channels=known.channels or channels)
        else:
            self._points[key] = MeteringPoint(
                code=key[0],
                name=row["point_name"],
                area=key[1] or None,
                max_power_kw=self._number(row, "max_power_kw"),
                channels=channels,
            )
        return key

    def _take_meter(self, row: _Row, key: tuple[str, str]) -> None:
        if not _is_code(row["meter"]):
            self._wrong(row, "meter", "a number without blanks")
        installed, removed = self._date(row, "installed"), self._date(row, "removed")
        if installed and removed and removed < installed:
            self._mistakes.append(
                Mistake(row.line, f"removed {removed} is before installed {installed}")
            )
        ratio = self._number(row, "ratio")
        if ratio is not None and not ratio:
            self._wrong(row, "ratio", "more than zero")
        meter = Meter(
            number=row["meter"],
            digits=self._whole(row, "digits", 1, 12),
            decimals=self._whole(row, "decimals", 0, 6),
            ratio=Decimal(1) if ratio is None else ratio,
            installed=installed,
            removed=removed,
            channels=self._words(row, "channels", CHANNELS),
            zones=self._words(row, "zones", ZONES),
        )
        self._meters.setdefault(key, []).append((row.line, meter))

    def _check_meters(self) -> None:
        """One meter of an entity is in one place at a time."""
        of_one: dict[tuple[str, str], list[tuple[int, Meter]]] = {}
        for key, meters in self._meters.items():
            for line, meter in meters:
                of_one.setdefault((self._owners[key], meter.number), []).append((line, meter))
        for (_, number), placed in of_one.items():
            for index, (line, meter) in enumerate(placed):
                for earlier, other in placed[:index]:
                    if _overlap(meter, other):
                        text = f"meter {number} is in line {earlier} at the same time"
                        self._mistakes.append(Mistake(line, text))

    def _repeats(self, row: _Row, key: tuple[str, ...], columns: Sequence[str]) -> bool:
        """Whether a row above said this already; then it must not say otherwise."""
        first = self._first.setdefault(key, row)
        if first is row:
            return False
        for column in columns:
            if row[column] and row[column] != first[column]:
                self._mistakes.append(
                    Mistake(
                        row.line,
                        f"{column} {row[column]!r} differs from {first[column]!r} "
                        f"in line {first.line}",
                    )
                )
        return True

    def _nothing_but(self, row: _Row, without: str, columns: Sequence[str]) -> None:
        filled = ", ".join(column for column in columns if row[column])
        if filled:
            self._mistakes.append(Mistake(row.line, f"has {filled} but no {without}"))

    def _wrong(self, row: _Row, column: str, expected: str) -> None:
        self._mistakes.append(
            Mistake(row.line, f"{column} is {row[column]!r}, expected {expected}")
        )

    def _words(self, row: _Row, column: str, known: Sequence[str]) -> tuple[str, ...]:
        words = tuple(row[column].upper().split())
        if not set(words) <= set(known) or len(set(words)) < len(words):
            self._wrong(row, column, f"some of {' '.join(known)}, each once")
        return words

    def _number(self, row: _Row, column: str) -> Decimal | None:
        if not row[column]:
            return None
        if not _NUMBER.fullmatch(row[column]):
            self._wrong(row, column, "a number such as 150 or 0.4")
            return None
        return Decimal(row[column].replace(",", "."))

    def _whole(self, row: _Row, column: str, least: int, most: int) -> int | None:
        if not row[column]:
            return None
        if row[column].isdecimal() and least <= int(row[column][:4]) <= most:
            return int(row[column])
        self._wrong(row, column, f"{least} to {most}")
        return None

    def _date(self, row: _Row, column: str) -> date | None:
        text = row[column]
        for form in ("%Y-%m-%d", "%d.%m.%Y"):
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a date only
            except ValueError:
                continue
        if text:
            self._wrong(row, column, "a date such as 2020-03-01")
        return None


def _is_code(text: str) -> bool:
    return len(text) <= 64 and text.isprintable() and not any(map(str.isspace, text))


def _overlap(one: Meter, other: Meter) -> bool:
    """Whether both were installed on one day; a meter may move within a day."""
    return (one.installed or date.min) < (other.removed or date.max) and (
        other.installed or date.min
    ) < (one.removed or date.max)


def registry_csv(entities: Iterable[LegalEntity]) -> bytes:
    """The register of points as CSV, in UTF-8 with a mark that Excel understands."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows(_written(entities))
    return out.getvalue().encode("utf-8-sig")


def registry_xlsx(entities: Iterable[LegalEntity]) -> bytes:
    """The register of points as a workbook; every cell is text, so that zeros stay."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.append(COLUMNS)
    for row in _written(entities):
        sheet.append(row)
    for cells in sheet.iter_rows():
        for cell in cells:
            cell.number_format = "@"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def _written(entities: Iterable[LegalEntity]) -> Iterator[list[str]]:
    for entity in entities:
        own = {
            "user_code": entity.user_code,
            "name": entity.name,
            "inn": entity.inn,
            "addresses": " ".join(entity.addresses),
            "active": str(int(entity.active)),
        }
        for more in _written_points(entity.points) if entity.points else [{}]:
            cells = own | more
            yield [cells.get(column, "") for column in COLUMNS]


def _written_points(points: Iterable[MeteringPoint]) -> Iterator[dict[str, str]]:
    for point in points:
        own = {
            "point": point.code,
            "point_name": point.name,
            "area": point.area or "",
            "max_power_kw": _plain(point.max_power_kw),
        }
        if point.channels or not point.meters:
            yield own | {"channels": " ".join(point.channels)}
        for meter in point.meters:
            yield own | _written_meter(meter)


def _written_meter(meter: Meter) -> dict[str, str]:
    return {
        "meter": meter.number,
        "digits": "" if meter.digits is None else str(meter.digits),
        "decimals": "" if meter.decimals is None else str(meter.decimals),
        "ratio": _plain(meter.ratio),
        "installed": meter.installed.isoformat() if meter.installed else "",
        "removed": meter.removed.isoformat() if meter.removed else "",
        "channels": " ".join(meter.channels),
        "zones": " ".join(meter.zones),
    }


def _plain(number: Decimal | None) -> str:
    return "" if number is None else format(number, "f")
