"""A workbook to fill in, made from a layout's own labels and an entity's meters."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import cast

from openpyxl.cell.cell import Cell
from openpyxl.formatting.rule import FormulaRule
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.utils import get_column_letter
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.cell_range import MultiCellRange
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from ingest.replies.cells import ranges_told
from ingest.replies.wording import MOSCOW, Wording, wording
from layouts.known import RegisterKey, meter_key
from layouts.layout import Layout
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.terms import CHANNELS, ZONES
from layouts.workbook_form import SheetField, WorkbookDefinition

LastReadings = Mapping[RegisterKey, tuple[Decimal, datetime]]
"""Last accepted reading of a register and its instant."""

_FONT = "Calibri"
_INPUT = PatternFill("solid", fgColor="FFE6F4E6")
_HEAD = PatternFill("solid", fgColor="FFE8E8E8")
_BELOW = PatternFill("solid", bgColor="FFD9C2F0")
_EDGE = Border(*(Side(style="thin", color="FFBFBFBF"),) * 4)
_NAME = "point_name"
_KEYS = {"point": 26, _NAME: 34, "meter": 22, "channel": 10, "zone": 10}
"""Columns of keys in their order, with their widths."""
_HEAD_POINTS = 32
_EMPTY_ROWS = 20
_TURN_OF_MONTH = 10


@dataclass(frozen=True, slots=True)
class _Line:
    """One line to fill in: the keys it is known by, its point's name, meter and register."""

    keys: Mapping[str, str]
    name: str = ""
    meter: Meter | None = None
    register: RegisterKey | None = None


def template(
    layout: Layout,
    entity: LegalEntity | None,
    last_readings: LastReadings,
    language: str,
    *,
    today: date,
) -> bytes:
    """An .xlsx to fill in, which the readers take without a finding.

    Args:
        layout: One that has a workbook form.
        entity: Whose points and meters stand in it; None for an empty form.
        last_readings: Shown beside the cells of register readings.
        language: `ru` or `en`.
        today: Decides the month: up to the 10th the one that has just ended.

    Raises:
        ValueError: the layout has no workbook form.
    """
    if layout.workbook is None:
        raise ValueError(f"layout {layout.number} has no workbook to fill in")
    form = _Form(layout, layout.workbook, wording(language), today)
    form.header(entity)
    if layout.workbook.hours:
        form.matrix(_profile_lines(entity, today))
    else:
        form.list(_meter_lines(entity, today), last_readings)
    form.finish()
    buffer = io.BytesIO()
    form.workbook.save(buffer)
    return buffer.getvalue()


def _profile_lines(entity: LegalEntity | None, today: date) -> list[_Line]:
    """Points without a meter, or all of them when each has one."""
    if entity is None:
        return [_Line({"channel": CHANNELS[0]})]
    points = [point for point in entity.points if not _installed(point, today)]
    return [
        _Line({"point": point.code, "channel": channel}, point.name)
        for point in points or entity.points
        for channel in point.channels or CHANNELS[:1]
    ]


def _meter_lines(entity: LegalEntity | None, today: date) -> list[_Line]:
    if entity is None:
        return [_Line({})] * _EMPTY_ROWS
    return [
        _Line(
            {"point": p.code, "meter": m.number, "channel": channel, "zone": zone},
            p.name,
            m,
            (meter_key(p, m), channel, zone),
        )
        for p in entity.points
        for m in _installed(p, today)
        for channel in m.channels or CHANNELS[:1]
        for zone in m.zones or ZONES[:1]
    ]


def _installed(point: MeteringPoint, today: date) -> list[Meter]:
    """The meters of the last month: one that was replaced in it is read, too."""
    since = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    return [meter for meter in point.meters if meter.removed is None or meter.removed >= since]


class _Form:
    """A workbook in the making: header block, table, help."""

    def __init__(
        self, layout: Layout, definition: WorkbookDefinition, words: Wording, today: date
    ) -> None:
        self.workbook = Workbook()
        self._layout = layout
        self._definition = definition
        self._words = words
        self._today = today
        self._sheet: Worksheet = self.workbook.worksheets[0]
        self._sheet.title = f"{layout.number} {layout.titles[words.language]}"[:31]
        self._row = 1
        self._numbers: dict[int | None, list[str]] = {}

    def header(self, entity: LegalEntity | None) -> None:
        """Label and value of each field of the definition, one below the other."""
        title = self._sheet.cell(1, 1, self._layout.titles[self._words.language])
        title.font = Font(name=_FONT, bold=True, size=14)
        self._row = 3
        for field in self._definition.header:
            label = self._label(field.labels)
            self._cell(1, label).font = Font(name=_FONT, bold=True)
            self._header_value(field, self._cell(2), entity)
            self._row += 1
        self._row += 1

    def _header_value(self, field: SheetField, cell: Cell, entity: LegalEntity | None) -> None:
        cell.number_format = "@"
        known = {
            "class": self._layout.number,
            "sender_code": entity.user_code if entity else "",
            "sender_name": entity.name if entity else "",
        }
        if known.get(field.name):
            cell.value = known[field.name]
            cell.data_type = "s"
            return
        if field.type == "month":
            # Not to be changed: the lines below are the days of this month.
            cell.value = f"{self._month():%m.%Y}"
            return
        self._input(cell)
        if field.type == "unit":
            cell.value = self._word("unit")
            units = f'"{self._word("units")}"'
            self._guard(DataValidation(type="list", formula1=units), "list_error", cell)
        elif field.type == "instant":
            cell.value, cell.number_format = self._next_month(), "dd.mm.yyyy"
            dates = DataValidation(
                type="date", operator="greaterThanOrEqual", formula1="DATE(2014,1,1)"
            )
            self._guard(dates, "date_error", cell)

    def _month(self) -> date:
        first = self._today.replace(day=1)
        if self._today.day > _TURN_OF_MONTH:
            return first
        return (first - timedelta(days=1)).replace(day=1)

    def _next_month(self) -> date:
        return (self._month() + timedelta(days=32)).replace(day=1)

    def list(self, lines: Sequence[_Line], last_readings: LastReadings) -> None:
        """A line for each register, its last reading beside the cell to fill in."""
        keys = self._keys(lines)
        figures = {"last": 20, "last_at": 14}
        labels = [*map(self._heading, keys), *map(self._word, figures), self._column("value")]
        self._headings(labels, [*(_KEYS[key] for key in keys), *figures.values(), 22])
        for line in lines:
            self._key_cells(line, keys)
            self._reading(line, len(keys) + 1, last_readings)
            self._row += 1

    def _reading(self, line: _Line, column: int, last_readings: LastReadings) -> None:
        before, at, value = (self._cell(column + n) for n in range(3))
        decimals = line.meter.decimals if line.meter and line.meter.decimals is not None else 3
        form = f"0.{'0' * decimals}" if decimals else "0"
        known = last_readings.get(line.register) if line.register else None
        if known is not None:
            before.value, before.number_format = known[0], form
            at.value, at.number_format = known[1].astimezone(MOSCOW).date(), "dd.mm.yyyy"
            rule = f'AND({value.coordinate}<>"",{value.coordinate}<{before.coordinate})'
            self._sheet.conditional_formatting.add(
                value.coordinate,
                FormulaRule(formula=[rule], fill=_BELOW),  # type: ignore[no-untyped-call]
            )
        for cell in (before, at):
            cell.border = _EDGE
        self._number(value, form, line.meter.digits if line.meter else None)

    def matrix(self, lines: Sequence[_Line]) -> None:
        """A line for each day of the form's month, a column for each hour."""
        keys = self._keys(lines)
        hours = [f"{hour}-{hour + 1}" for hour in range(24)]
        labels = [*map(self._heading, keys), self._column("date"), *hours]
        self._headings(labels, [*(_KEYS[key] for key in keys), 10, *([9] * 24)])
        for line in lines:
            for day in range(1, (self._next_month() - self._month()).days + 1):
                self._key_cells(line, keys)
                self._cell(len(keys) + 1, day).border = _EDGE
                for column in range(len(keys) + 2, len(keys) + 26):
                    self._number(self._cell(column), "General", None)
                self._row += 1

    def _keys(self, lines: Sequence[_Line]) -> Sequence[str]:
        """The form's key columns; the names of points stand beside their codes."""
        known = {*self._definition.columns, *(_NAME for line in lines if line.name)}
        return [key for key in _KEYS if key in known]

    def _heading(self, key: str) -> str:
        return self._word(_NAME) if key == _NAME else self._column(key)

    def _key_cells(self, line: _Line, keys: Sequence[str]) -> None:
        for column, key in enumerate(keys, 1):
            self._key(self._cell(column), line.name if key == _NAME else line.keys.get(key))

    def finish(self) -> None:
        """What is checked while typing, the help sheet, and the protection."""
        self._guard_numbers()
        sheet = self.workbook.create_sheet(self._word("help_sheet"))
        lines: list[str] = list(self._words.words["template"]["help"])
        lines.append(self._word("one_month" if self._definition.hours else "below"))
        for row, text in enumerate(lines, 1):
            cell = sheet.cell(row, 1, text)
            cell.alignment = Alignment(wrap_text=True, vertical="top")
            cell.font = Font(name=_FONT, bold=row == 1)
        sheet.column_dimensions["A"].width = 110
        for each in self.workbook.worksheets:
            each.protection.sheet = True
            each.protection.formatColumns = False
        self._sheet.page_setup.orientation = "landscape"
        self._sheet.page_setup.fitToHeight = 0
        self._sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)

    def _headings(self, labels: Sequence[str], widths: Sequence[int]) -> None:
        for column, (text, width) in enumerate(zip(labels, widths, strict=False), 1):
            cell = self._cell(column, text)
            cell.font, cell.fill, cell.border = Font(name=_FONT, bold=True), _HEAD, _EDGE
            cell.alignment = Alignment(wrap_text=True, vertical="center")
            self._sheet.column_dimensions[get_column_letter(column)].width = width
        self._sheet.row_dimensions[self._row].height = _HEAD_POINTS
        self._row += 1
        self._sheet.freeze_panes = self._cell(1)

    def _key(self, cell: Cell, text: str | None) -> None:
        cell.border, cell.number_format = _EDGE, "@"
        if text is None:
            self._input(cell)
        else:
            cell.value = text
            cell.data_type = "s"

    def _number(self, cell: Cell, form: str, digits: int | None) -> None:
        self._input(cell)
        cell.number_format = form
        self._numbers.setdefault(digits, []).append(cell.coordinate)

    def _guard_numbers(self) -> None:
        for digits, cells in self._numbers.items():
            if digits is None:
                rule = DataValidation(type="decimal", operator="greaterThanOrEqual", formula1="0")
                self._guard(rule, "number_error", *cells)
                continue
            # The first number that the meter cannot show has a digit more.
            most = f"{10**digits - 1}.999999"
            rule = DataValidation(type="decimal", operator="between", formula1="0", formula2=most)
            self._guard(rule, "large_error", *cells)

    def _input(self, cell: Cell) -> None:
        cell.fill, cell.border = _INPUT, _EDGE
        cell.protection = Protection(locked=False)

    def _guard(self, rule: DataValidation, error: str, *cells: Cell | str) -> None:
        names = [cell if isinstance(cell, str) else cell.coordinate for cell in cells]
        rule.sqref = MultiCellRange(" ".join(ranges_told(names)))
        rule.allow_blank = rule.showErrorMessage = True
        rule.error, rule.errorTitle = self._word(error), self._layout.number
        self._sheet.add_data_validation(rule)

    def _cell(self, column: int, value: object = None) -> Cell:
        # Nothing is merged here, so that it is never a MergedCell.
        cell = cast("Cell", self._sheet.cell(self._row, column))
        if value is not None:
            cell.value = value  # type: ignore[assignment]
        return cell

    def _column(self, name: str) -> str:
        return self._label(self._definition.columns[name])

    def _label(self, labels: Sequence[str]) -> str:
        # A definition's lists begin with the Russian label and end with the English one.
        at: int = self._words.words["writing"]["label"]
        return labels[at]

    def _word(self, key: str) -> str:
        return self._words.word("template", key)
