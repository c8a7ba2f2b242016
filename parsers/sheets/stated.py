"""Reads the header block of a sheet: sender, unit, month, moment, with each format mistake."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from layouts.document import Header, Places
from layouts.findings import Code, Place, finding
from layouts.terms import Kind
from layouts.workbook_form import SheetField
from parsers.assemble import Draft
from parsers.clock import Clock
from parsers.fields import Fault, mended_code, read_month, read_unit, shown
from parsers.grid import Cell
from parsers.sheets.dates import Dates
from parsers.sheets.header import Fact, Rivals
from parsers.sheets.rows import place_of
from parsers.sheets.table import Label, Table
from parsers.sheets.units import Units, differ
from parsers.sheets.view import View

_OF_TABLE = "instant"
"""The one field that each table of a sheet may state anew."""


class Stated:
    """What a sheet states of itself; its findings and its header go into the draft.

    Args:
        view: The sheet.
        shared: What other sheets of the workbook state.
        draft: Of the sheet's document.
        units: Takes the unit that is stated.
        dates: Reads the dates.
        clock: Of the layout's zone.

    Attributes:
        month: The stated month, by its first day.
        instant: The stated moment of all readings, as seconds of the epoch.
        instant_place: Where it stands.
        faulty: Fields that are stated, and wrong.
    """

    def __init__(
        self,
        view: View,
        shared: Mapping[str, Fact | Rivals],
        draft: Draft,
        units: Units,
        dates: Dates,
        clock: Clock,
    ) -> None:
        self._layout = view.form.layout
        self._definition = view.form.definition
        self._sheet = view.sheet
        self._facts = view.facts
        self._tables = view.tables
        self._shared = shared
        self._draft = draft
        self._units = units
        self._dates = dates
        self._clock = clock
        self.month: date | None = None
        self.instant: int | None = None
        self.instant_place: Place | None = None
        self._instant_at = 0
        self.faulty: set[str] = set()

    def read(self, table: Table | None) -> None:
        """Read the header block, of the sheet's first table if it has one."""
        facts = self._facts.of(table, self._tables)
        values: dict[str, str] = {}
        for field in self._definition.header:
            fact = facts.get(field.name) or self._shared.get(field.name)
            if fact is None:
                if field.required and field.name != "unit":
                    self._missing(field.name)
                continue
            text = self._settled(field, fact)
            if text is not None:
                values[field.name] = text
        if "unit" not in self.faulty:
            required = any(f.required for f in self._definition.header if f.name == "unit")
            self._unit_of_titles(table, required=required)
        names = ("sender_code", "sender_name", "sender_inn", "password")
        self._draft.header = Header(**{name: values[name] for name in names if name in values})  # type: ignore[arg-type]

    def further(self, table: Table) -> bool:
        """The facts of a further table: its own moment; False when others contradict."""
        agrees, unit = True, self._draft.unit
        first = self._facts.of(self._tables[0], self._tables)
        mine = self._facts.of(table, self._tables)
        for field in self._definition.header:
            fact, before = mine.get(field.name), first.get(field.name)
            if fact is None:
                continue
            if field.name == _OF_TABLE:
                self._settled(field, fact)
            elif isinstance(fact, Rivals):
                if field.name not in self.faulty:
                    agrees = False
                    self._settled(field, fact)
            elif isinstance(before, Fact):
                if shown(fact.cell) != shown(before.cell):
                    agrees = False
                    self.rivals(field.name, Rivals(before, fact))
            elif before is None:
                # Below the first table it was not that table's.
                self._settled(field, fact)
        self._unit_of_titles(table, required=False)
        if self._layout.kind is not Kind.REGISTER and differ((unit, self._draft.unit)):
            # All series of a document are in one unit.
            agrees = False
            there = place_of(self._sheet, table.top, table.left)
            about = {"field": "unit", "other": f"{self._draft.unit}, {there.cell}"}
            place = place_of(self._sheet, self._tables[0].top, self._tables[0].left)
            self._draft.findings.add(finding(Code.AMBIGUOUS_COLUMN, place, seen=unit, **about))
        return agrees

    def _settled(self, field: SheetField, fact: Fact | Rivals) -> str | None:
        if isinstance(fact, Rivals):
            self.faulty.add(field.name)
            self.rivals(field.name, fact)
            return None
        return self._field(field, fact)

    def rivals(self, name: str, rivals: Rivals) -> None:
        """Tell two facts of one field that say different things."""
        secret = name == "password"
        first, second = rivals.first, rivals.second
        other = second.place.cell if secret else f"{shown(second.cell)}, {second.place.cell}"
        about = {"field": name, "other": other}
        seen = None if secret else shown(first.cell)
        self._draft.findings.add(finding(Code.AMBIGUOUS_COLUMN, first.place, seen=seen, **about))

    def _missing(self, name: str) -> None:
        place = Place(sheet=self._sheet.name)
        label = next(f.labels[0] for f in self._definition.header if f.name == name)
        about = {"field": name, "expected": label}
        self._draft.findings.add(finding(Code.MISSING_FIELD, place, **about))

    def _field(self, field: SheetField, fact: Fact) -> str | None:
        """One fact as text, or kept where a typed one belongs; None for a bad one."""
        if field.type == "secret":
            code = mended_code(fact.cell) if not isinstance(fact.cell, str) else fact.cell.strip()
            return code if isinstance(code, str) else None
        value = self._value(field, fact)
        if isinstance(value, Fault):
            self.faulty.add(field.name)
            about = {"field": field.name, **value.about()}
            self._draft.findings.add(
                finding(value.code, fact.place, seen=shown(fact.cell), **about)
            )
            return None
        return value

    def _value(self, field: SheetField, fact: Fact) -> str | Fault:
        if field.type == "code":
            code = mended_code(fact.cell)
            digits = code.replace(" ", "") if isinstance(code, str) else ""
            fits = digits.isascii() and digits.isdigit()
            return digits if fits else Fault(Code.INVALID_CODE, "0-9")
        if field.type == "unit":
            unit = read_unit(fact.cell)
            if isinstance(unit, str):
                self._draft.unit = unit
                self._units.state(unit, fact)
            return unit
        if field.type == "month":
            return self._keep_month(fact.cell)
        if field.type == "instant":
            return self._keep_instant(fact)
        return shown(fact.cell)

    def _keep_month(self, cell: Cell) -> str | Fault:
        month, day = read_month(cell, self._sheet.epoch), self._moment(cell)
        if isinstance(day, Fault) and day.either:
            return day
        if isinstance(month, Fault):
            return Fault(month.code, "11.2026")
        self.month = month
        self._draft.month = self._clock.month(month)
        return month.isoformat()

    def _moment(self, cell: Cell) -> datetime | Fault:
        return self._dates.alone(cell, self._tables[0] if self._tables else None)

    def _keep_instant(self, fact: Fact) -> str | Fault:
        moment = self._moment(fact.cell)
        if isinstance(moment, Fault):
            return replace(moment, expected="01.11.2026")
        self.instant = self._clock.epoch(moment)
        self.instant_place = fact.place
        is_here = fact.sheet == self._sheet.name
        self._instant_at = Places.cell_at(fact.row, fact.column) if is_here else 0
        return moment.isoformat()

    def dated(self, label: Label) -> int:
        """The cell, packed, of the date above a column of readings; 0 on another sheet."""
        if label.meaning.at is not None:
            return Places.cell_at(label.row, label.column)
        return self._instant_at

    def _unit_of_titles(self, table: Table | None, *, required: bool) -> None:
        """The unit that titles above a table name: `Потребление, кВт·ч`."""
        taken = [at for fact in self._facts.all() for at in (fact.at, (fact.row, fact.column))]
        rivals = self._units.take_titles(self._rows_above(table), taken)
        self._draft.unit = self._units.unit
        if rivals is not None:
            self.rivals("unit", rivals)
        elif required and not self._units.is_stated:
            self._missing("unit")

    def _rows_above(self, table: Table | None) -> range:
        """Rows between a table and the one before it."""
        if table is None:
            return range(max(self._sheet.rows, default=0) + 1)
        before = max((t.end for t in self._tables if t.end <= table.top), default=0)
        if self._layout.kind is not Kind.REGISTER:
            return range(before, table.bottom + 1)
        # A column of readings has the unit of its own label; a line of one text right above
        # the labels is a title, though it is taken for their first row.
        rows = range(table.top, table.bottom + 1)
        return range(before, next(r for r in rows if len(self._sheet.rows.get(r, {})) != 1))
