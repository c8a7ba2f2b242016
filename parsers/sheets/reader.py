"""Reads one sheet of a known layout into a draft, and accounts for each of its cells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

from layouts.document import Places, cell_name
from layouts.findings import Code, Finding, Place, Severity, finding
from layouts.terms import Kind
from parsers.assemble import Column, Draft, Reading
from parsers.clock import Clock, clock
from parsers.fields import Fault, Number, is_blank, mended_code, read_number, shown
from parsers.grid import Cell
from parsers.sheets.account import Account, is_note
from parsers.sheets.dates import Dates, day_of_month
from parsers.sheets.header import Fact, Rivals
from parsers.sheets.hours import numbering
from parsers.sheets.keys import Keys, has_digits, is_code, meter_number, point_code
from parsers.sheets.rows import (
    Defaults,
    Proof,
    Sums,
    across,
    adopt_totals,
    is_signed,
    is_total,
    place_of,
    zone_in_words,
)
from parsers.sheets.stated import Stated
from parsers.sheets.table import SINCE, Slot, Table
from parsers.sheets.titles import Titles
from parsers.sheets.units import Units
from parsers.sheets.view import View
from parsers.sheets.vocabulary import HARMLESS
from parsers.signs import channel_of, zone_of


class SheetReader:
    """Reads the tables of one sheet.

    Args:
        view: The sheet.
        shared: What other sheets of the workbook state.
        in_full: Whether only names and places are wanted, of everything on it: of
            columns between which nothing decides, all are read.
    """

    def __init__(
        self, view: View, shared: Mapping[str, Fact | Rivals], *, in_full: bool = False
    ) -> None:
        self._layout = view.form.layout
        self._definition = view.form.definition
        self._sheet = view.sheet
        self._words = view.form.words
        self._facts = view.facts
        self._tables = view.tables
        self._in_full = in_full
        self._clock: Clock = clock(view.form.layout.zone)
        self._draft = Draft(view.form.layout, view.sheet.name, view.form.layout.unit)
        self._account = Account(view.sheet, view.form.words, view.tables)
        self._point: str | None = None
        self._missing_told: set[tuple[str, str | None]] = set()
        self._sums: Sums | None = None
        self._doubt: Finding | None = None
        self._names_points: bool
        self._last_channel: tuple[str, str] | None = None
        self._keys = Keys(view.sheet)
        self._titles = Titles(view.sheet, view.tables, view.form.words, view.facts.hold)
        self._units = Units(view.sheet, view.form.layout.unit)
        self._dates = Dates(view.sheet, view.form.words, self._titles)
        self._stated = Stated(view, shared, self._draft, self._units, self._dates, self._clock)

    @property
    def _is_register(self) -> bool:
        return self._layout.kind is Kind.REGISTER

    def read(self) -> Draft:
        """The draft of the document with every format mistake."""
        if not self._tables:
            self._stated.read(None)
            place = Place(sheet=self._sheet.name)
            about = {"field": "table", "expected": ", ".join(self._wanted())}
            self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about))
        for number, table in enumerate(self._tables):
            if number == 0:
                self._stated.read(table)
            elif not self._stated.further(table):
                for row, cells in self._rows(table):
                    self._account.use(row, cells)
                continue
            self._table(table)
        self._draft.findings.extend(self.left_over())
        return self._draft

    def left_over(self) -> Iterator[Finding]:
        """What of the sheet nothing has used."""
        for fact in self._facts.all():
            self._account.use(fact.row, (fact.column,))
        yield from self._account.findings()

    def _wanted(self) -> Iterator[str]:
        for name in self._definition.columns:
            if name in self._definition.required or name in self._definition.any_of:
                yield self._definition.columns[name][0]
        if self._definition.hours:
            yield "0, 1, 2, ... 23"

    def _table(self, table: Table) -> None:
        for row in range(table.top, table.bottom + 1):
            inside = (c for c in self._sheet.rows.get(row, {}) if table.left <= c <= table.right)
            self._account.use(row, inside)
        if self._in_full:
            for conflict in table.conflicts:
                for label in (conflict.first, conflict.second):
                    if conflict.field == "value":
                        table.values.setdefault(label.column, Slot(label.meaning.zone, None))
        rows = list(self._rows(table))
        down, right = range(table.top, table.end), range(table.left, table.right + 1)
        self._draft.keys.append((down, right, table.columns))
        data = [row for row, cells in rows if self._holds_data(table, row, cells)]
        self._adopt_keys(table)
        titles = list(self._titles.above(table))
        defaults = Defaults(self._sheet, table, self._layout, self._words, titles)
        self._above = defaults.above
        defaults.adopt(data)
        if table.hours:
            adopt_totals(self._sheet, table, data)
        told = len(self._draft.readings), frozenset[object](self._draft.columns)
        self._keys, self._last_channel = Keys(self._sheet), None
        at = table.columns.get("point")
        # Then a row without one does not speak of the enterprise as a whole.
        self._names_points = at is not None and any(
            not is_blank(self._sheet.key(row, at)) for row in data
        )
        self._read_rows(table, rows, defaults)
        self._refuse(table, defaults, data, told)

    def _read_rows(
        self, table: Table, rows: Sequence[tuple[int, dict[int, Cell]]], defaults: Defaults
    ) -> None:
        sums = self._sums_of(table)
        for row, cells in self._draft.counted(rows):
            self._keys.go_to(row, table.columns)
            before = len(sums.rows)
            is_of_keys = bool(table.hours and self._facts.keys_in(row))
            if is_of_keys or all(map(is_note, cells.values())):
                self._doubt = self._line(table, defaults, row, cells) or self._doubt
            if is_of_keys or self._is_statistic(table):
                self._account.use(row, cells)
            elif is_total(self._sheet, table, row, cells, self._words) or (
                self._has_no_key(table) and sums.is_of(cells)
            ):
                self._account.use_figures(row, table.numbers())
                sums.compare(row, cells, self._draft.findings)
            elif self._definition.hours:
                self._matrix_row(table, row, cells, sums)
            else:
                self._list_row(table, row, cells, sums)
            if self._doubt is not None and len(sums.rows) > before:
                self._draft.findings.add(self._doubt)
                self._doubt = None

    def _is_statistic(self, table: Table) -> bool:
        """Whether the row in hand is the highest, the mean and the like of hours, and no day."""
        if not self._definition.hours:
            return False
        said = self._words.known(self._keys.at(table.columns["date"]))
        return said.known and said.role == HARMLESS

    def _line(
        self, table: Table, defaults: Defaults, row: int, cells: Mapping[int, Cell]
    ) -> Finding | None:
        """Take what a line of text between the rows says of those below it; or the doubt."""
        for fact in self._facts.keys_in(row):
            if fact.field not in table.columns:
                self._adopt_key(table, fact)
        return defaults.adopt_line(row, cells)

    def _adopt_keys(self, table: Table) -> None:
        """Take for all rows the keys that are stated above a table without such a column."""
        for name, stated in self._facts.keys_of(table, self._tables).items():
            if name in table.columns:
                continue
            fact = stated.first if isinstance(stated, Rivals) else stated
            if isinstance(stated, Rivals):
                self._stated.rivals(name, stated)
            self._adopt_key(table, fact)

    def _adopt_key(self, table: Table, fact: Fact) -> None:
        code = mended_code(fact.cell)
        tidy = _TIDY.get(fact.field)
        if isinstance(code, str):
            table.defaults[fact.field] = tidy(code) if tidy else code
        self._account.use(fact.row, (fact.column,))

    def _sums_of(self, table: Table) -> Sums:
        """The sums of a table; labels repeated on each printed page go on with the last."""
        texts = {column: label.text for column, label in table.labels.items()}
        last = self._sums
        before = last.table.labels if last is not None and last.table.end == table.top else {}
        if last is not None and texts == {column: label.text for column, label in before.items()}:
            if table.top - 1 in self._sheet.rows:
                table.defaults = last.table.defaults | table.defaults
            last.table = table
            return last
        self._sums, self._doubt = Sums(self._sheet, table), None
        return self._sums

    def _rows(self, table: Table) -> Iterator[tuple[int, dict[int, Cell]]]:
        """Rows below a table's labels, without those that number the columns."""
        for row, cells in self._sheet.rows.items():
            if not table.bottom < row < table.end:
                continue
            inside, unseen = (
                {c: v for c, v in some.items() if table.left <= c <= table.right}
                for some in (cells, self._sheet.unseen.get(row, {}))
            )
            if numbered := numbering(inside, unseen):
                self._account.use(row, numbered)
            elif inside:
                yield row, inside

    def _values(self, table: Table, cells: Mapping[int, Cell]) -> list[int]:
        """Columns of values that a row fills."""
        columns: Iterable[int] = table.hours if self._definition.hours else table.values
        return [column for column in columns if not is_blank(cells.get(column))]

    def _holds_data(self, table: Table, row: int, cells: Mapping[int, Cell]) -> bool:
        """Whether a row fills columns of values, and not with a name beside «Отпустил»."""
        values = [cells[column] for column in self._values(table, cells)]
        if not all(map(is_note, values)):
            return True
        keys = (self._sheet.key(row, at) for at in table.columns.values())
        return bool(values) and any(map(has_digits if table.hours else is_code, keys))

    def _refuse(
        self,
        table: Table,
        defaults: Defaults,
        data: Sequence[int],
        told: tuple[int, frozenset[object]],
    ) -> None:
        """What makes a whole table doubtful, told for the document or for its points."""
        readings = self._draft.readings[told[0] :]
        points = {(r.point, None if r.point else r.meter) for r in readings}
        points |= {(key[1], None) for key in self._draft.columns if key not in told[1]}
        wholly = len(self._tables) == 1 or not points
        found = []
        for conflict in table.conflicts:
            other = conflict.second
            there = f"{other.text}, {cell_name(other.row, other.column)}"
            about = {"field": conflict.field, "other": there}
            place = place_of(self._sheet, conflict.first.row, conflict.first.column)
            found.append(finding(Code.AMBIGUOUS_COLUMN, place, seen=conflict.first.text, **about))
            for row in data:
                self._account.use(row, (conflict.first.column, conflict.second.column))
        if data and (title := defaults.doubt()) is not None:
            found.append(title)
        for column, doubt in defaults.doubts(data):
            found.append(doubt)
            for row in data:
                self._account.use(row, (column,))
        for one in found:
            if wholly or not one.is_error:
                self._draft.findings.add(one)
                continue
            for point, meter in sorted(points, key=str):
                self._draft.findings.add(_of(one, point, meter))

    def _code(self, table: Table, name: str, row: int) -> str | None:
        """A key's code of a row; None when empty or, with a finding, when wrong."""
        column = table.columns.get(name)
        if column is None:
            return table.defaults.get(name)
        cell = self._keys.at(column)
        # In the column of the channel a dash may be a sign.
        code = None if name in _TIDY and is_blank(cell) else mended_code(cell)
        if isinstance(code, Fault):
            place = place_of(self._sheet, row, column)
            about = {"point": self._point, "field": name, "expected": code.expected}
            self._draft.findings.add(finding(code.code, place, seen=shown(cell), **about))
            return None
        tidy = _TIDY.get(name)
        return tidy(code) if tidy and code else code

    def _channel(self, table: Table, row: int, slot: Slot) -> str | None:
        is_of_column = slot.channel and "channel" not in table.columns
        raw = None if is_of_column else self._code(table, "channel", row)
        whose = shown(self._keys.at(table.columns.get("meter", table.columns.get("point", 0))))
        default = self._layout.default_channel
        if raw is None:
            stated = slot.channel
            last, channel = self._last_channel or (None, default)
            if stated is None and last == whose and channel != default:
                # Left out below R+: of that one, or of the default?
                return None
            heading = table.labels.get(table.columns.get("channel", 0))
            if stated is None and heading and heading.meaning.channel not in {None, default}:
                return None
            if default and self._is_reactive(table):
                # Of the same direction.
                default = f"R{default[-1]}"
            # Left out below «Реактивная энергия», a label, a title or a line: None.
            return stated or (default if self._above["channel"] <= {default} else None)
        # 01 loses its zero in a cell of numbers.
        channel = (
            channel_of(raw, self._layout)
            or channel_of(raw.zfill(2), self._layout)
            or self._words.channel(raw)
            or raw
        )
        self._last_channel = whose, channel
        self._hold_against(slot.channel, channel, table, row, "channel")
        return channel

    def _is_reactive(self, table: Table) -> bool:
        return (self._units.of_row(table, self._keys) or "").endswith("varh")

    def _matrix_row(self, table: Table, row: int, cells: Mapping[int, Cell], sums: Sums) -> None:
        """A row of one day, a column for each hour."""
        filled = {column: cells[column] for column in self._values(table, cells)}
        if not self._holds_data(table, row, cells):
            return
        self._account.use(row, (*table.columns.values(), *table.hours))
        self._account.use_figures(row, table.totals)
        self._point = None
        point = self._point = self._code(table, "point", row)
        day = self._day(table, row)
        channel = self._channel(table, row, Slot(None, None))
        named = point is not None
        if not named and self._layout.point_from_sender and not self._names_points:
            point = self._draft.header.sender_code
        if point is None and "sender_code" not in self._stated.faulty:
            self._missing_in_row("point", table, row)
        if channel is None:
            self._missing_in_row("channel", table, row)
            return
        self._unit_of(table, next(iter(filled)), row, (point, None))
        sums.add(row, channel, None)
        self._draft.findings.extend(across(self._sheet, table, row, cells))
        self._draft.points.add((None, point))
        filled_at = list(filled)
        column_places = [Places.cell_at(row, column) for column in filled_at]
        starts = self._clock.hours(day, [table.hours[column] for column in filled_at])
        made = Column(
            None, point, channel, named, starts, None, list(filled.values()), column_places
        )
        empty = [column for column in table.hours if column not in filled]
        if empty:
            gaps = self._clock.hours(day, [table.hours[column] for column in empty])
            made.empty = {
                start: Places.cell_at(row, column)
                for start, column in zip(gaps, empty, strict=True)
                if start is not None
            }
        if day is not None:
            skipped = [index for index, start in enumerate(starts) if start is None]
            for index in made.leave_out_skipped(skipped):
                self._tell_skipped(row, filled_at[index], point)
        self._draft.add_column(made)

    def _has_no_key(self, table: Table) -> bool:
        """Whether nothing says of what the row in hand is."""
        names = ("point", "meter", "date", "start", "zone", "channel", "instant")
        columns = [table.columns[name] for name in names if name in table.columns]
        return all(is_blank(self._keys.at(column)) for column in columns)

    def _tell_skipped(self, row: int, column: int, point: str | None) -> None:
        """A value beside an hour that clocks skip."""
        place, seen = place_of(self._sheet, row, column), shown(self._sheet.cell(row, column))
        about = {"point": point, "field": "start", "expected": ""}
        self._draft.findings.add(finding(Code.INVALID_TIME, place, seen=seen, **about))

    def _missing_in_row(self, name: str, table: Table, row: int) -> None:
        """Tell a key that is not there; of a column that is not there, once for all its rows.

        Beside other tables it is told for each point, so that theirs stand.
        """
        place, column = Place(sheet=self._sheet.name), table.columns.get(name)
        point = self._point if column is not None or len(self._tables) > 1 else None
        if column is not None:
            if not is_blank(self._sheet.key(row, column)):
                # What stands there has been told to be wrong.
                return
            place = place_of(self._sheet, row, column)
        elif (name, point) in self._missing_told:
            return
        self._missing_told.add((name, point))
        expected = self._definition.columns.get(name, ("",))[0]
        about = {"point": point, "field": name, "expected": expected}
        self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about))

    def _day(self, table: Table, row: int) -> date | None:
        """The day of a row; None, with a finding, when it cannot be read."""
        column = table.columns["date"]
        cell = self._keys.at(column)
        month = self._stated.month
        moment = day_of_month(cell, month) or self._dates.in_column(cell, table, column, month)
        if isinstance(moment, Fault):
            code = Code.MISSING_FIELD if is_blank(cell) else moment.code
            said = replace(moment, expected="01.11.2026").about()
            about = {"point": self._point, "field": "date", **said}
            place = place_of(self._sheet, row, column)
            self._draft.findings.add(finding(code, place, seen=shown(cell) or None, **about))
            return None
        return moment.date()

    def _list_row(self, table: Table, row: int, cells: Mapping[int, Cell], sums: Sums) -> None:
        """A row of one value, or of one meter with its registers in columns."""
        held = self._values(table, cells)
        is_data = self._is_data(table, row, [cells[at] for at in held])
        if is_data:
            self._account.use(row, (*table.columns.values(), *table.values))
            self._account.use_figures(row, table.figures)
            self._tell_merged(table, row, cells)
        if not held or not is_data:
            return
        self._point = None
        point = self._point = self._code(table, "point", row)
        if point is not None:
            self._draft.points.add((None, point))
        if not self._is_register:
            self._interval_row(table, row, point, held, sums)
        else:
            self._readings(table, row, point, held, sums)

    def _tell_merged(self, table: Table, row: int, cells: Mapping[int, Cell]) -> None:
        """One merged value of several rows, or several columns, is nobody's reading."""
        if not any(column in cells for column in table.columns.values()):
            return
        spots = ((row, column) for column in table.values)
        heads = {head for spot in spots if (head := self._sheet.head(*spot)) != spot}
        for top, left in sorted(heads):
            value = self._sheet.cell(top, left)
            if left not in table.values or top <= table.bottom or is_blank(value):
                continue
            place, seen = place_of(self._sheet, top, left), shown(value)
            about = {"reason": "merged", "severity": Severity.ERROR}
            mine = self._code(table, "point", row), self._code(table, "meter", row)
            at = Places.cell_at(top, left)
            whose = {mine, *((r.point, r.meter) for r in self._draft.readings if r.place == at)}
            for point, meter in sorted(whose, key=str):
                found = finding(Code.NOT_READ, place, seen=seen, **about)
                self._draft.findings.add(_of(found, point, meter))

    def _is_data(self, table: Table, row: int, values: Sequence[Cell]) -> bool:
        """Whether a row is more than a remark below the table."""
        if any(isinstance(read_number(value), Number) for value in values):
            return True
        keys = [table.columns[n] for n in ("point", "meter") if n in table.columns]
        if not all(map(is_blank, values)) and is_signed(table, self._keys, self._layout):
            return True
        named = any(not is_blank(self._keys.at(column)) for column in keys)
        figures = (self._sheet.cell(row, column) for column in table.figures)
        return named and (
            # A name beside «Директор» is a remark, whatever column it stands in.
            not all(map(is_note, values))
            or any(isinstance(read_number(c), Number) for c in figures)
            or self._has_code(table)
        )

    def _has_code(self, table: Table) -> bool:
        """Whether a row without values names a meter, and is not a text below the table."""
        column = table.columns.get("meter", table.columns.get("point"))
        return column is not None and is_code(self._keys.at(column))

    def _readings(
        self, table: Table, row: int, point: str | None, held: Sequence[int], sums: Sums
    ) -> None:
        meter = self._code(table, "meter", row)
        if meter is None:
            self._missing_in_row("meter", table, row)
        since = self._moment(table, row, SINCE)
        own = self._moment(table, row, "instant")
        made: dict[int, Reading] = {}
        for column in held:
            slot = table.values[column]
            channel = self._channel(table, row, slot)
            if channel is None:
                self._missing_in_row("channel", table, row)
            zone = self._zone(table, row, slot, (point, meter, channel))
            if meter is None or channel is None:
                self._tell_number(row, column, (point, meter))
                continue
            instant = self._instant_of(table, column, row, own, (point, meter))
            unit = self._unit_of(table, column, row, (point, meter))
            place, value = Places.cell_at(row, column), self._sheet.cell(row, column)
            dated = self._stated.dated(table.labels[column]) if own is None else 0
            made[column] = Reading(point, meter, channel, zone, instant, value, place, unit, dated)
        self._draft.readings.extend(made.values())
        first = next(iter(made.values()), None)
        sums.add(row, *((first.channel, first.zone) if first else (None, None)))
        if table.figures:
            proof = Proof(
                self._sheet,
                table,
                row,
                since,
                self._units.of_row(table, self._keys) or self._draft.unit,
                self._clock.midnight,
            )
            self._draft.findings.extend(proof.findings(made, self._draft.figures))

    def _tell_number(self, row: int, column: int, names: tuple[str | None, str | None]) -> None:
        """Tell what is no number beside a key that is wrong itself: all mistakes at once."""
        cell = self._sheet.cell(row, column)
        number = read_number(cell)
        if isinstance(number, Fault):
            place = place_of(self._sheet, row, column)
            told = finding(number.code, place, seen=shown(cell), **number.about())
            self._draft.findings.add(_of(told, *names))

    def _instant_of(
        self, table: Table, column: int, row: int, own: int | None, names: tuple[str | None, str]
    ) -> int | None:
        """The moment of a reading: of its row, of its column's label, or of the sheet."""
        label, labelled = table.labels[column], None
        if label.meaning.at is not None:
            moment = self._dates.in_label(label.meaning.at, table)
            if isinstance(moment, Fault):
                place = place_of(self._sheet, label.row, column)
                about = {"field": "instant", "point": names[0], "meter": names[1]}
                about |= moment.about()
                self._draft.findings.add(finding(moment.code, place, seen=label.text, **about))
                return None
            labelled = self._clock.epoch(moment)
        stated = self._stated.instant if own is None else own
        if labelled is None or stated in (None, labelled):
            if labelled is None and stated is None and "instant" not in self._stated.faulty:
                self._missing_in_row("instant", table, row)
            return labelled if stated is None else stated
        other = self._stated.instant_place
        if own is not None:
            other = place_of(self._sheet, row, table.columns["instant"])
        there = f"{self._clock.local(stated or 0):%d.%m.%Y}, {other.cell if other else ''}"
        about = {"field": "instant", "other": there, "point": names[0], "meter": names[1]}
        place = place_of(self._sheet, label.row, column)
        self._draft.findings.add(finding(Code.AMBIGUOUS_COLUMN, place, seen=label.text, **about))
        return None

    def _unit_of(
        self, table: Table, column: int, row: int, names: tuple[str | None, str | None]
    ) -> str:
        unit, doubt = self._units.of_value(table, row, column, self._keys)
        if doubt is not None:
            self._draft.findings.add(_of(doubt, *names))
        return unit

    def _interval_row(
        self, table: Table, row: int, point: str | None, held: Sequence[int], sums: Sums
    ) -> None:
        named = point is not None
        if not named and self._layout.point_from_sender and not self._names_points:
            point = self._draft.header.sender_code
        start = self._moment(table, row, "start")
        for column in held:
            channel = self._channel(table, row, table.values[column])
            if point is None or channel is None:
                self._missing_in_row("point" if point is None else "channel", table, row)
                return
            self._draft.points.add((None, point))
            self._unit_of(table, column, row, (point, None))
            value, place = self._sheet.cell(row, column), Places.cell_at(row, column)
            made = Column(None, point, channel, named, [start], None, [value], [place])
            self._draft.add_column(made)
            sums.add(row, channel, None)

    def _moment(self, table: Table, row: int, name: str) -> int | None:
        column = table.columns.get(name)
        cell = self._keys.at(column) if column is not None else None
        if column is None or is_blank(cell):
            return None
        moment = self._dates.in_column(cell, table, column)
        epoch = None if isinstance(moment, Fault) else self._clock.epoch(moment)
        if epoch is None:
            place = place_of(self._sheet, row, column)
            fault = moment if isinstance(moment, Fault) else Fault(Code.INVALID_DATE)
            said = replace(fault, expected="01.11.2026").about()
            about = {"point": self._point, "field": name, **said}
            self._draft.findings.add(finding(Code.INVALID_DATE, place, seen=shown(cell), **about))
        return epoch

    def _zone(
        self, table: Table, row: int, slot: Slot, names: tuple[str | None, str | None, str | None]
    ) -> str | None:
        raw = self._code(table, "zone", row) if "zone" in table.columns or not slot.zone else None
        zone = zone_of(raw, self._layout) or zone_in_words(raw or "", self._words)
        if slot.zone:
            self._hold_against(slot.zone, raw and zone, table, row, "zone")
            return slot.zone
        if raw is None and not self._above["zone"] <= {self._layout.default_zone}:
            self._missing_in_row("zone", table, row)
            return None
        if zone is None:
            place = place_of(self._sheet, row, table.columns["zone"])
            about = dict(zip(("point", "meter", "channel"), names, strict=True))
            about |= {"field": "zone", "expected": "T0, T1, T2, T3, T4"}
            self._draft.findings.add(finding(Code.INVALID_CODE, place, seen=raw, **about))
        return zone

    def _hold_against(
        self, labelled: str | None, own: str | None, table: Table, row: int, name: str
    ) -> None:
        """Tell a row whose key says another channel or zone than the label of its value."""
        if labelled and own and own != labelled:
            place = place_of(self._sheet, row, table.columns[name])
            about = {"field": name, "point": self._point, "meter": self._code(table, "meter", row)}
            seen = shown(self._keys.at(table.columns[name]))
            found = finding(Code.AMBIGUOUS_COLUMN, place, seen=seen, other=labelled, **about)
            self._draft.findings.add(found)


def _of(found: Finding, point: str | None, meter: str | None) -> Finding:
    return replace(found, point=point, meter=meter)


_TIDY = {"meter": meter_number, "point": point_code}
