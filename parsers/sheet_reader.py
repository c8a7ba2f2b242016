"""Reads every layout that people fill in as a workbook, as its definition says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from layouts.findings import Code, Finding, Place, finding
from layouts.layout import HeaderField, Layout, WorkbookDefinition
from layouts.terms import Header, Kind, Parsed, Places, cell_name
from parsers.assemble import Column, Draft, Reading, assemble, finished
from parsers.clock import Clock, clock
from parsers.fields import (
    Fault,
    Number,
    is_blank,
    label,
    mended_code,
    plain,
    read_hour,
    read_moment,
    read_month,
    read_number,
    read_unit,
    shown,
)
from parsers.grid import Cell, Sheet
from parsers.names import name_findings
from parsers.signs import channel_of, zone_of
from parsers.workbooks import open_workbook


def parse_workbook(
    about: Parsed, content: bytes, layouts: Mapping[str, Layout]
) -> tuple[Parsed, ...]:
    """One document for each sheet that a layout claims; never none at all.

    Args:
        about: Name, digest and size of the file.
        content: Its bytes.
        layouts: The definitions that may claim its sheets.
    """
    opened = open_workbook(content)
    if isinstance(opened, Finding):
        return (replace(about, findings=(*about.findings, opened)),)
    # What the sender does not see, the sender does not send.
    opened = [sheet for sheet in opened if sheet.is_visible]
    claims = [claim for sheet in opened if (claim := _claim(sheet, layouts)) is not None]
    if not claims:
        found = finding(Code.UNKNOWN_LAYOUT)
        return (replace(about, findings=(*about.findings, found)),)
    shared = _shared(opened, claims)
    parts = [replace(about, part=claim.sheet.name) for claim in claims]
    if len(claims) == 1:
        parts = [about]
    return tuple(claim.read(part, shared) for claim, part in zip(claims, parts, strict=True))


@dataclass(frozen=True, slots=True)
class _Fact:
    """A value of the header block, and where it stands."""

    cell: Cell
    place: Place


@dataclass(frozen=True, slots=True)
class _Table:
    """Where a table's columns are.

    Attributes:
        row: Of its labels; the data begin below.
        hours: Columns with the hour at which their intervals start.
        wide: Columns with the zone whose readings they hold.
    """

    row: int
    columns: Mapping[str, int]
    hours: Mapping[int, int]
    wide: Mapping[int, str]


_Able = tuple[Layout, WorkbookDefinition]
"""A layout that has a workbook form, with that form."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sheet, and what can be said of whose it is."""

    sheet: Sheet
    layouts: tuple[_Able, ...]
    stated: str | None
    fact: _Fact | None

    def read(self, about: Parsed, shared: Mapping[str, _Fact]) -> Parsed:
        """The document on this sheet, or the finding that it is none."""
        place = self.fact.place if self.fact is not None else Place(sheet=self.sheet.name)
        if len(self.layouts) > 1:
            both = ", ".join(layout.number for layout, _ in self.layouts)
            found = finding(Code.AMBIGUOUS_LAYOUT, place, seen=self.stated, layouts=both)
            return replace(about, findings=(*about.findings, found))
        if not self.layouts:
            found = finding(Code.UNKNOWN_LAYOUT, place, seen=self.stated)
            return replace(about, findings=(*about.findings, found))
        return _SheetReader(*self.layouts[0], self, shared).read(about)


def _place(sheet: Sheet, row: int, column: int) -> Place:
    return Place(sheet=sheet.name, cell=cell_name(row, column))


# Whose a sheet is.


def _claim(sheet: Sheet, layouts: Mapping[str, Layout]) -> _Claim | None:
    """The layouts that claim a sheet; None when it is just another sheet."""
    able = [(layout, layout.workbook) for layout in layouts.values() if layout.workbook]
    fact = next((fact for _, form in able if (fact := _class_fact(sheet, form))), None)
    if fact is not None:
        code = mended_code(fact.cell)
        number = code if isinstance(code, str) else shown(fact.cell)
        stated = tuple(pair for pair in able if number in pair[0].numbers)
        return _Claim(sheet, stated, number, fact)
    structured = tuple(pair for pair in able if _find_table(sheet, pair[1]) is not None)
    return _Claim(sheet, structured, None, None) if structured else None


_CLASS = re.compile(r"\D*(\d{4,6})\D*")


def _class_fact(sheet: Sheet, definition: WorkbookDefinition) -> _Fact | None:
    field = next((field for field in definition.header if field.name == "class"), None)
    if field is None:
        return None
    fact = _block(sheet, (field,), _BLOCK_ROWS).get("class")
    if fact is None or not isinstance(fact.cell, str):
        return fact
    found = _CLASS.fullmatch(fact.cell)
    return replace(fact, cell=found[1]) if found else fact


# The header block.

_BLOCK_ROWS = 60
_REACH = 12


def _block(sheet: Sheet, fields: Sequence[HeaderField], most: int) -> dict[str, _Fact]:
    """Facts beside their labels in the rows before `most`; of two, the first."""
    names = {label(text): field.name for field in fields for text in field.labels}
    facts: dict[str, _Fact] = {}
    for row, cells in sheet.rows.items():
        if row >= most:
            break
        for column, cell in cells.items():
            name, inline = _named(cell, names)
            if name is None or name in facts:
                continue
            inside = _Fact(inline, _place(sheet, row, column))
            fact = inside if inline else _beside(sheet, row, column, names)
            if fact is not None:
                facts[name] = fact
    return facts


_INLINE = re.compile(r"([^:=]*)[:=](.*\S.*)", re.DOTALL)


def _named(cell: Cell, names: Mapping[str, str]) -> tuple[str | None, str]:
    """The field that a cell is the label of, with a value in the same cell."""
    if not isinstance(cell, str):
        return None, ""
    name = names.get(label(cell))
    if name is not None:
        return name, ""
    inline = _INLINE.fullmatch(cell)
    if inline:
        return names.get(label(inline[1])), inline[2].strip()
    head, _, tail = plain(cell).rpartition(" ")
    if tail.isdigit() and names.get(label(head)) == "class":
        return "class", tail
    return None, ""


def _beside(sheet: Sheet, row: int, column: int, names: Mapping[str, str]) -> _Fact | None:
    """The nearest filled cell to the right, unless it is a label itself."""
    cells = sheet.rows[row]
    following = min((at for at in cells if column < at <= column + _REACH), default=None)
    if following is None or _named(cells[following], names)[0] is not None:
        return None
    cell = cells[following]
    return None if is_blank(cell) else _Fact(cell, _place(sheet, row, following))


_SHARED = ("sender_code", "password", "sender_name")


def _shared(sheets: Sequence[Sheet], claims: Sequence[_Claim]) -> dict[str, _Fact]:
    """Who sends it, as any sheet says: some forms have a title sheet for that."""
    facts: dict[str, _Fact] = {}
    for definition in {layout.number: form for c in claims for layout, form in c.layouts}.values():
        fields = [field for field in definition.header if field.name in _SHARED]
        for sheet in sheets:
            facts = {**_block(sheet, fields, _BLOCK_ROWS), **facts}
    return facts


# The table.

_TABLE_ROWS = 300
_UNIT_TAIL = re.compile(r"[,(].*$", re.DOTALL)


def _find_table(sheet: Sheet, definition: WorkbookDefinition) -> _Table | None:
    """The table whose labels the definition knows; the first one on the sheet."""
    for row in sheet.rows:
        if row > _TABLE_ROWS:
            return None
        table = _table_at(sheet, row, definition)
        if table is None:
            continue
        # Labels may fill two rows: zones below a merged `Показания`.
        following = sheet.rows.get(row + 1, {}).values()
        if not definition.hours and any(_is_number(cell) for cell in following):
            return table
        return _table_at(sheet, row + 1, definition) or table
    return None


def _is_number(cell: Cell) -> bool:
    return isinstance(read_number(cell), Number)


def _table_at(sheet: Sheet, row: int, definition: WorkbookDefinition) -> _Table | None:
    cells = _labels_at(sheet, row)
    names = {label(text): name for name, texts in definition.columns.items() for text in texts}
    wide = {label(text): zone for text, zone in definition.wide.items()}
    columns: dict[str, int] = {}
    zones: dict[int, str] = {}
    for column, cell in cells.items():
        text = label(cell)
        short = label(_UNIT_TAIL.sub("", text))
        zone = wide.get(_zone_label(text)) or wide.get(_zone_label(short))
        name = names.get(text) or names.get(short)
        if name is not None:
            columns.setdefault(name, column)
        elif zone is not None and zone not in zones.values():
            zones[column] = zone
    hours = _hours(cells) if definition.hours else {}
    found = {*columns, *(["wide"] if zones else [])}
    fits = definition.required <= found and (not definition.any_of or definition.any_of & found)
    if not fits or (definition.hours and not hours):
        return None
    return _Table(row, columns, hours, zones)


def _zone_label(text: str) -> str:
    # Т1 is typed in Cyrillic as often as not; labels are compared in lower case.
    return re.sub(r"^т(?=\d$)", "t", text)


def _labels_at(sheet: Sheet, row: int) -> dict[int, Cell]:
    """Labels of a row; above an empty cell the label stands a row or two higher."""
    own = sheet.rows.get(row)
    if own is None:
        return {}
    above = {
        column: cell
        for higher in (row - 2, row - 1)
        for column, cell in sheet.rows.get(higher, {}).items()
        if isinstance(cell, str)
    }
    return dict(sorted({**above, **own}.items()))


def _hours(cells: Mapping[int, Cell]) -> dict[int, int]:
    """Columns of the 24 hours with the hour each one starts at; {} for none.

    Single hours that run from 1 to 24 (or to 0) name the end of theirs.
    """
    found = {column: hours for column, cell in cells.items() if (hours := read_hour(cell))}
    spans = {column: first for column, (first, second) in found.items() if second is not None}
    if set(spans.values()) == set(range(24)) and len(spans) == 24:
        return spans
    singles = {column: first for column, (first, second) in found.items() if second is None}
    for order in (list(range(24)), list(range(1, 25)), [*range(1, 24), 0]):
        columns = _in_order(singles, order)
        if columns:
            return {column: hour for hour, column in enumerate(columns)}
    return {}


def _in_order(singles: Mapping[int, int], order: Sequence[int]) -> list[int]:
    """The neighbouring columns whose hours are exactly these; [] for none."""
    columns = list(singles)
    for start in range(len(columns) - len(order) + 1):
        part = columns[start : start + len(order)]
        if [singles[column] for column in part] == list(order):
            return part
    return []


class _SheetReader:
    """Reads one sheet of a known layout into a draft."""

    def __init__(
        self,
        layout: Layout,
        definition: WorkbookDefinition,
        claim: _Claim,
        shared: Mapping[str, _Fact],
    ) -> None:
        self._layout = layout
        self._definition = definition
        self._sheet = claim.sheet
        self._stated = claim.stated
        self._shared = shared
        self._clock: Clock = clock(layout.zone)
        self._draft = Draft(layout, claim.sheet.name, layout.unit)
        self._instant: int | None = None
        self._month: date | None = None
        self._point: str | None = None
        self._faulty: set[str] = set()
        self._missing_told: set[str] = set()

    def read(self, about: Parsed) -> Parsed:
        """The document with its series and every format mistake."""
        table = _find_table(self._sheet, self._definition)
        most = _BLOCK_ROWS if table is None else table.row
        self._header(_block(self._sheet, self._definition.header, most), table)
        self._draft.keys = {} if table is None else table.columns
        if table is None:
            place = Place(sheet=self._sheet.name)
            labels = ", ".join(self._wanted())
            about_table = {"field": "table", "expected": labels}
            self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about_table))
        elif self._definition.hours:
            self._matrix(table)
        else:
            self._list(table)
        header, number = self._draft.header, self._stated or self._layout.number
        self._draft.findings.extend(name_findings(about.name, self._layout, number, header, ()))
        return finished(self._draft, about, assemble(self._draft))

    def _wanted(self) -> Iterator[str]:
        for name in self._definition.columns:
            if name in self._definition.required or name in self._definition.any_of:
                yield self._definition.columns[name][0]

    # The header block.

    def _header(self, facts: Mapping[str, _Fact], table: _Table | None) -> None:
        values: dict[str, str] = {}
        for field in self._definition.header:
            fact = facts.get(field.name) or self._shared.get(field.name)
            if fact is None:
                if field.name == "unit":
                    self._unit_from_labels(field, table)
                elif field.required:
                    self._missing(field)
                continue
            text = self._field(field, fact)
            if text is not None:
                values[field.name] = text
        names = ("sender_code", "sender_name", "sender_inn", "password")
        self._draft.header = Header(**{name: values[name] for name in names if name in values})  # type: ignore[arg-type]

    def _missing(self, field: HeaderField) -> None:
        place = Place(sheet=self._sheet.name)
        about = {"field": field.name, "expected": field.labels[0]}
        self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about))

    def _field(self, field: HeaderField, fact: _Fact) -> str | None:
        """One fact as text, or kept where a typed one belongs; None for a bad one."""
        if field.type == "secret":
            code = mended_code(fact.cell) if not isinstance(fact.cell, str) else fact.cell.strip()
            return code if isinstance(code, str) else None
        value = self._value(field, fact)
        if isinstance(value, Fault):
            self._faulty.add(field.name)
            about = {"field": field.name, "expected": value.expected}
            self._draft.findings.add(
                finding(value.code, fact.place, seen=shown(fact.cell), **about)
            )
            return None
        return value

    def _value(self, field: HeaderField, fact: _Fact) -> str | Fault:
        epoch = self._sheet.epoch
        if field.type == "code":
            code = mended_code(fact.cell)
            digits = code.replace(" ", "") if isinstance(code, str) else ""
            fits = digits.isascii() and digits.isdigit()
            return digits if fits else Fault(Code.INVALID_CODE, "0-9")
        if field.type == "unit":
            unit = read_unit(fact.cell)
            if isinstance(unit, str):
                self._draft.unit = unit
            return unit
        if field.type == "month":
            return self._keep_month(read_month(fact.cell, epoch))
        if field.type == "instant":
            return self._keep_instant(read_moment(fact.cell, epoch))
        return shown(fact.cell)

    def _keep_month(self, month: date | Fault) -> str | Fault:
        if isinstance(month, Fault):
            return Fault(month.code, "11.2026")
        self._month = month
        self._draft.month = self._clock.month(month)
        return month.isoformat()

    def _keep_instant(self, moment: datetime | Fault) -> str | Fault:
        if isinstance(moment, Fault):
            return Fault(moment.code, "01.11.2026")
        self._instant = self._clock.epoch(moment)
        return moment.isoformat()

    def _unit_from_labels(self, field: HeaderField, table: _Table | None) -> None:
        """The unit that titles or labels end with: `Потребление, кВт·ч`."""
        most = _BLOCK_ROWS if table is None else table.row
        above = [cells.values() for row, cells in self._sheet.rows.items() if row <= most]
        unit = _common_unit(cell for cells in above for cell in cells)
        if unit is not None:
            self._draft.unit = unit
        elif field.required:
            self._missing(field)

    # The rows.

    def _rows(self, table: _Table) -> Iterator[tuple[int, dict[int, Cell]]]:
        """Rows of data: those of totals, of column numbers and repeated labels left out."""
        totals = tuple(label(word) for word in self._definition.totals)
        for row, cells in self._sheet.rows.items():
            if row <= table.row:
                continue
            texts = [label(cell) for cell in cells.values() if isinstance(cell, str)]
            if any(text.startswith(totals) for text in texts if text):
                continue
            if not _counts(cells) and not self._repeats(table, cells):
                yield row, cells

    def _repeats(self, table: _Table, cells: Mapping[int, Cell]) -> bool:
        """Whether a row repeats the labels, as on each printed page."""
        column = next(table.columns[name] for name in sorted(self._definition.required))
        text = label(cells.get(column))
        labels = self._definition.columns.values()
        return bool(text) and any(text == label(one) for texts in labels for one in texts)

    def _code(self, table: _Table, name: str, row: int) -> str | None:
        """A key's code in a row; None when empty or, with a finding, when wrong."""
        column = table.columns.get(name)
        if column is None:
            return None
        cell = self._sheet.key(row, column)
        code = mended_code(cell)
        if isinstance(code, Fault):
            place = _place(self._sheet, row, column)
            about = {"point": self._point, "field": name, "expected": code.expected}
            self._draft.findings.add(finding(code.code, place, seen=shown(cell), **about))
            return None
        return code

    def _channel(self, table: _Table, row: int) -> str | None:
        raw = self._code(table, "channel", row)
        if raw is None:
            return self._layout.default_channel
        # 01 loses its zero in a cell of numbers.
        return channel_of(raw, self._layout) or channel_of(raw.zfill(2), self._layout) or raw

    def _matrix(self, table: _Table) -> None:
        """A row for each day, a column for each hour."""
        for row, cells in self._rows(table):
            filled = {column: cells[column] for column in table.hours if column in cells}
            filled = {column: cell for column, cell in filled.items() if not is_blank(cell)}
            if not filled:
                continue
            self._point = None
            point = self._point = self._code(table, "point", row)
            day = self._day(table, row)
            channel = self._channel(table, row)
            named = point is not None
            if not named and self._layout.point_from_sender:
                point = self._draft.header.sender_code
            if point is None and "sender_code" not in self._faulty:
                self._missing_in_row("point", table, row)
            if channel is None:
                self._missing_in_row("channel", table, row)
                continue
            self._draft.points.add((None, point))
            column_places = [Places.cell_at(row, column) for column in filled]
            starts = self._starts(day, [table.hours[column] for column in filled])
            values = list(filled.values())
            made = Column(None, point, channel, named, starts, None, values, column_places)
            self._draft.add_column(made)

    def _missing_in_row(self, name: str, table: _Table, row: int) -> None:
        """Tell a key that is not there; of a column that is not there, once."""
        place, column = Place(sheet=self._sheet.name), table.columns.get(name)
        if column is not None:
            if not is_blank(self._sheet.key(row, column)):
                # What stands there has been told to be wrong.
                return
            place = _place(self._sheet, row, column)
        elif name in self._missing_told:
            return
        self._missing_told.add(name)
        expected = self._definition.columns.get(name, ("",))[0]
        about = {"point": self._point, "field": name, "expected": expected}
        self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about))

    def _day(self, table: _Table, row: int) -> date | None:
        """The day of a row; None, with a finding, when it cannot be read."""
        column = table.columns["date"]
        cell = self._sheet.key(row, column)
        moment = _day_of_month(cell, self._month) or read_moment(cell, self._sheet.epoch)
        if isinstance(moment, Fault):
            code = Code.MISSING_FIELD if is_blank(cell) else moment.code
            about = {"point": self._point, "field": "date", "expected": "01.11.2026"}
            place = _place(self._sheet, row, column)
            self._draft.findings.add(finding(code, place, seen=shown(cell) or None, **about))
            return None
        return moment.date()

    def _starts(self, day: date | None, hours: Sequence[int]) -> list[int | None]:
        if day is None:
            return [None] * len(hours)
        midnight = self._clock.midnight(day)
        if midnight is not None and self._clock.is_plain(day):
            return [midnight + 3600 * hour for hour in hours]
        midnight_local = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - local, as written
        return self._clock.epochs([midnight_local + timedelta(hours=hour) for hour in hours])

    def _list(self, table: _Table) -> None:
        """A row for each value, or for each meter with its zones in columns."""
        labels = [*table.wide, *([table.columns["value"]] if "value" in table.columns else [])]
        unit = _common_unit(self._sheet.cell(table.row, column) for column in labels)
        self._draft.unit = unit or self._draft.unit
        for row, cells in self._rows(table):
            filled = {column: zone for column, zone in table.wide.items() if column in cells}
            held: dict[int, str | None] = {
                c: z for c, z in filled.items() if not is_blank(cells[c])
            }
            column = table.columns.get("value")
            if column is not None and not is_blank(cells.get(column)):
                held[column] = None
            if held and self._is_data(table, row, [cells[at] for at in held]):
                self._list_row(table, row, held)

    def _is_data(self, table: _Table, row: int, values: Sequence[Cell]) -> bool:
        """Whether a row is more than a remark below the table."""
        keys = [table.columns[n] for n in ("point", "meter") if n in table.columns]
        if any(not is_blank(self._sheet.key(row, column)) for column in keys):
            return True
        return any(_is_number(value) for value in values)

    def _list_row(self, table: _Table, row: int, held: Mapping[int, str | None]) -> None:
        self._point = None
        point = self._point = self._code(table, "point", row)
        channel = self._channel(table, row)
        if point is not None:
            self._draft.points.add((None, point))
        if self._layout.kind is Kind.INTERVAL:
            self._interval_row(table, row, point, channel, held)
            return
        meter = self._code(table, "meter", row)
        instant = self._moment(table, row, "instant") or self._instant
        if instant is None and "instant" not in self._faulty:
            self._missing_in_row("instant", table, row)
        if meter is None or channel is None:
            self._missing_in_row("meter" if meter is None else "channel", table, row)
            return
        for column, wide in held.items():
            zone = wide or self._zone(table, row, point)
            if zone is None:
                continue
            place = Places.cell_at(row, column)
            value = self._sheet.cell(row, column)
            self._draft.readings.append(Reading(point, meter, channel, zone, instant, value, place))

    def _interval_row(
        self,
        table: _Table,
        row: int,
        point: str | None,
        channel: str | None,
        held: Mapping[int, str | None],
    ) -> None:
        named = point is not None
        if not named and self._layout.point_from_sender:
            point = self._draft.header.sender_code
        if point is None or channel is None:
            self._missing_in_row("point" if point is None else "channel", table, row)
            return
        self._draft.points.add((None, point))
        start = self._moment(table, row, "start")
        for column in held:
            value, place = self._sheet.cell(row, column), Places.cell_at(row, column)
            self._draft.add_column(
                Column(None, point, channel, named, [start], None, [value], [place])
            )

    def _moment(self, table: _Table, row: int, name: str) -> int | None:
        column = table.columns.get(name)
        cell = self._sheet.key(row, column) if column is not None else None
        if column is None or is_blank(cell):
            return None
        moment = read_moment(cell, self._sheet.epoch)
        epoch = None if isinstance(moment, Fault) else self._clock.epoch(moment)
        if epoch is None:
            place = _place(self._sheet, row, column)
            about = {"point": self._point, "field": name, "expected": "01.11.2026"}
            self._draft.findings.add(finding(Code.INVALID_DATE, place, seen=shown(cell), **about))
        return epoch

    def _zone(self, table: _Table, row: int, point: str | None) -> str | None:
        raw = self._code(table, "zone", row)
        zone = zone_of(raw, self._layout)
        if zone is None:
            place = _place(self._sheet, row, table.columns["zone"])
            about = {"point": point, "field": "zone", "expected": "T0, T1, T2, T3, T4"}
            self._draft.findings.add(finding(Code.INVALID_CODE, place, seen=raw, **about))
        return zone


def _common_unit(labels: Iterable[Cell]) -> str | None:
    """The one unit that labels end with, after a comma or in brackets."""
    tails = [_UNIT_TAIL.search(text) for text in labels if isinstance(text, str)]
    units = [read_unit(tail[0]) for tail in tails if tail]
    found = {unit for unit in units if isinstance(unit, str)}
    return found.pop() if len(found) == 1 else None


def _counts(cells: Mapping[int, Cell]) -> bool:
    """Whether a row only numbers the columns: 1, 2, 3, ..."""
    numbers = [plain(str(cell)) for cell in cells.values()]
    return len(numbers) > 2 and numbers == [str(n) for n in range(1, len(numbers) + 1)]


def _day_of_month(cell: Cell, month: date | None) -> datetime | None:
    """A day that is only numbered, in the month of the header block."""
    number = read_number(cell)
    if month is None or isinstance(number, Fault) or number.value != int(number.value):
        return None
    if not 1 <= number.value <= 31:
        return None
    try:
        day = month.replace(day=int(number.value))
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
