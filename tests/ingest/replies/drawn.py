"""A workbook of ours as a text: every cell, and all that a workbook program does with it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import openpyxl
from openpyxl.cell.cell import Cell

from ingest.replies.cells import ranges_told


def drawn(content: bytes) -> str:
    """A workbook, sheet by sheet; cells that are alike are told as one range."""
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    active = workbook.active.title if workbook.active else ""
    return "\n".join([f"active: {active}", *(line for s in workbook for line in _sheet(s))]) + "\n"


def _sheet(sheet: Any) -> Iterator[str]:
    setup, protection = sheet.page_setup, sheet.protection
    yield f"\n== {sheet.title}: {sheet.sheet_state}, selected {sheet.sheet_view.tabSelected}"
    yield f"frozen {sheet.freeze_panes}, grid {sheet.sheet_view.showGridLines}, {setup.orientation}"
    fit = sheet.sheet_properties.pageSetUpPr
    yield f"fits {fit.fitToPage if fit else None} x {setup.fitToHeight}"
    yield f"protected {protection.sheet}, columns {protection.formatColumns}"
    yield f"merged {' '.join(sorted(map(str, sheet.merged_cells.ranges)))}"
    widths = {name: one.width for name, one in sheet.column_dimensions.items()}
    yield f"widths {' '.join(f'{name}={width:g}' for name, width in widths.items())}"
    heights = {row: one.height for row, one in sheet.row_dimensions.items() if one.height}
    yield f"heights {' '.join(f'{row}={height:g}' for row, height in heights.items())}"
    for rule in sheet.data_validations.dataValidation:
        yield f"rule {rule.sqref}: {rule.type} {rule.operator} {rule.formula1} {rule.formula2}"
        yield f"  blank {rule.allow_blank}, told {rule.showErrorMessage}: {rule.errorTitle}"
        yield f"  {rule.error}"
    for cells in sheet.conditional_formatting:
        for rule in cells.rules:
            yield f"colour {cells.sqref}: {rule.formula} {rule.dxf.fill.bgColor.rgb}"
    filled = [cell for row in sheet.iter_rows() for cell in row if _is_made(cell)]
    for look, alike in groupby(filled, key=_look):
        yield f"{' '.join(ranges_told(cell.coordinate for cell in alike))}: {look}"


def _is_made(cell: Any) -> bool:
    return isinstance(cell, Cell) and (cell.value is not None or cell.has_style)


def _look(cell: Any) -> str:
    fill = cell.fill.fgColor.rgb if cell.fill.fill_type else "-"
    parts = [
        repr(cell.value), cell.data_type, cell.number_format, fill,
        "edge" if cell.border.left.style else "", "bold" if cell.font.b else "",
        f"{cell.font.sz}", cell.font.u or "", "" if cell.protection.locked else "open",
        "wrapped" if cell.alignment.wrap_text else "", cell.alignment.vertical or "",
        f"-> {cell.hyperlink.location}" if cell.hyperlink else "",
        repr(cell.comment.text) if cell.comment else "",
    ]  # fmt: skip
    return " ".join(part for part in parts if part)
