"""Workbooks in every format, by the programs and libraries that write them."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterator
from datetime import date
from typing import Any

import xlsxwriter
import xlwt
from making_expected import Grid
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook


def xlsx(*sheets: tuple[str, Grid]) -> bytes:
    """Sheets as openpyxl saves them."""
    book = Workbook()
    book.remove(book.active)
    for title, grid in sheets:
        sheet = book.create_sheet(title)
        for row in grid:
            sheet.append(row)
    return _saved(book)


def _saved(book: Any) -> bytes:
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def xls(grid: Grid) -> bytes:
    """A sheet as xlwt saves it, in the form of Excel 97."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Лист1")
    dated = xlwt.easyxf(num_format_str="DD.MM.YYYY")
    for row, cells in enumerate(grid):
        for column, cell in enumerate(cells):
            if cell is not None:
                style = dated if isinstance(cell, date) else xlwt.Style.default_style
                sheet.write(row, column, cell, style)
    return _saved(book)


def ods(grid: Grid) -> bytes:
    """A sheet as odfpy saves it."""
    book = OpenDocumentSpreadsheet()
    table = Table(name="Лист1")
    for cells in grid:
        row = TableRow()
        for cell in cells:
            row.addElement(_ods_cell(cell))
        table.addElement(row)
    book.spreadsheet.addElement(table)
    return _saved(book)


def _ods_cell(cell: Any) -> Any:
    if cell is None:
        return TableCell()
    if isinstance(cell, date):
        made = TableCell(valuetype="date", datevalue=cell.isoformat())
    elif isinstance(cell, int | float):
        made = TableCell(valuetype="float", value=str(cell))
    else:
        made = TableCell(valuetype="string")
    made.addElement(P(text=str(cell)))
    return made


def by_xlsxwriter(grid: Grid, *, sums: bool) -> bytes:
    """A sheet as XlsxWriter saves it, with merged titles and counted sums."""
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True})
    sheet = book.add_worksheet("Октябрь")
    dated = book.add_format({"num_format": "dd.mm.yyyy"})
    sheet.merge_range(0, 0, 0, 8, grid[0][0])
    for row, cells in enumerate(grid[1:], 1):
        for column, cell in enumerate(cells):
            if isinstance(cell, date):
                sheet.write_datetime(row, column, cell, dated)
            elif cell is not None:
                sheet.write(row, column, cell)
        if sums and cells and isinstance(cells[0], date):
            total = sum(cell for cell in cells[1:] if cell is not None)
            sheet.write_formula(row, len(cells), f"=SUM(B{row + 1}:Y{row + 1})", None, total)
    book.close()
    return held.getvalue()


def xlsb(grid: Grid) -> bytes:
    """A sheet in Excel's binary form, with no more records than a reader needs."""
    width = max(len(values) for values in grid)
    extent = struct.pack("<IIII", 0, len(grid) - 1, 0, width - 1)
    bundle = struct.pack("<II", 0, 1) + _long("rId1") + _long("Лист1")
    sheet = [(129, b""), (148, extent), (145, b""), *_xlsb_rows(grid), (146, b""), (130, b"")]
    book = [(131, b""), (143, b""), (156, bundle), (144, b""), (132, b"")]
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{OFFICE}package/2006/content-types"/>',
        "_rels/.rels": _relation("officeDocument", "xl/workbook.bin"),
        "xl/_rels/workbook.bin.rels": _relation("worksheet", "worksheets/sheet1.bin"),
        "xl/workbook.bin": b"".join(_record(*item) for item in book),
        "xl/worksheets/sheet1.bin": b"".join(_record(*item) for item in sheet),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 11, 1, 0, 0, 0)), content)
    return held.getvalue()


OFFICE = "http://schemas.openxmlformats.org/"


def _relation(kind: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{OFFICE}package/2006/relationships"><Relationship Id="rId1" '
        f'Type="{OFFICE}officeDocument/2006/relationships/{kind}" Target="{target}"/>'
        "</Relationships>"
    )


def _record(kind: int, data: bytes) -> bytes:
    """Kind and size of a record take seven bits a byte, the lowest first."""
    name = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, rest = b"", len(data)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    return name + size + bytes([rest]) + data


def _long(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _xlsb_rows(grid: Grid) -> Iterator[tuple[int, bytes]]:
    for row, values in enumerate(grid):
        yield 0, struct.pack("<IIHHBI", row, 0, 300, 0, 0, 0)
        for column, value in enumerate(values):
            place = struct.pack("<II", column, 0)
            if isinstance(value, int | float):
                yield 5, place + struct.pack("<d", value)
            elif value is not None:
                yield 6, place + _long(str(value))
