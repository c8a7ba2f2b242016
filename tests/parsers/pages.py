"""The same sheet written as .xlsx, .xls and .ods, by libraries other than the reader's."""

from __future__ import annotations

import io
import re
import struct
import zipfile
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

import xlsxwriter
import xlwt

Spot = tuple[int, int]


@dataclass(frozen=True)
class Wrong:
    """An error cell."""

    text: str


Value = str | int | float | date | Wrong


@dataclass
class Page:
    """A sheet to be written; rows and columns count from 1.

    Attributes:
        faint: Cells with white text.
        blank: Cells with the format `;;;`, which shows nothing.
    """

    name: str
    cells: dict[Spot, Value] = field(default_factory=dict)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    is_visible: bool = True
    struck: set[Spot] = field(default_factory=set)
    faint: set[Spot] = field(default_factory=set)
    blank: set[Spot] = field(default_factory=set)

    def look(self, at: Spot) -> str:
        """How a cell is formatted."""
        looks = {"struck": self.struck, "faint": self.faint, "blank": self.blank}
        plain = "day" if isinstance(self.cells.get(at), date) else ""
        return next((look for look, spots in looks.items() if at in spots), plain)


def xlsx(pages: list[Page]) -> bytes:
    held = io.BytesIO()
    book = xlsxwriter.Workbook(held, {"in_memory": True})
    looks = {
        "day": book.add_format({"num_format": "dd.mm.yyyy"}),
        "struck": book.add_format({"font_strikeout": True}),
        "faint": book.add_format({"font_color": "white"}),
        "blank": book.add_format({"num_format": ";;;"}),
    }
    for page in pages:
        sheet = book.add_worksheet(page.name)
        for top, left, bottom, right in page.merged:
            sheet.merge_range(top - 1, left - 1, bottom - 1, right - 1, "")
        for (row, column), value in page.cells.items():
            how = looks.get(page.look((row, column)))
            _write(sheet, (row - 1, column - 1), value, how)
        for row in page.hidden_rows:
            sheet.set_row(row - 1, None, None, {"hidden": True})
        for column in page.hidden_columns:
            sheet.set_column(column - 1, column - 1, None, None, {"hidden": True})
        if not page.is_visible:
            sheet.hide()
    book.close()
    return held.getvalue()


def _write(sheet: Any, at: Spot, value: Value, how: Any) -> None:
    if isinstance(value, Wrong):
        sheet.write_formula(*at, "=1/0", None, value.text)
    elif isinstance(value, date):
        sheet.write_datetime(*at, value, how)
    elif isinstance(value, str):
        sheet.write_string(*at, value, how)
    else:
        sheet.write_number(*at, value, how)


def xls(pages: list[Page]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    looks = {
        "": xlwt.easyxf(),
        "day": xlwt.easyxf(num_format_str="DD.MM.YYYY"),
        "struck": xlwt.easyxf("font: struck_out on"),
        "faint": xlwt.easyxf("font: colour white"),
        "blank": xlwt.easyxf(num_format_str=";;;"),
    }
    for page in pages:
        sheet = book.add_sheet(page.name, cell_overwrite_ok=True)
        for (row, column), value in page.cells.items():
            at = row - 1, column - 1
            if isinstance(value, Wrong):
                sheet.row(at[0]).set_cell_error(at[1], value.text.replace("N/A", "N/A!"))
            else:
                sheet.write(*at, value, looks[page.look((row, column))])
        for top, left, bottom, right in page.merged:
            sheet.merge(top - 1, bottom - 1, left - 1, right - 1)
        for row in page.hidden_rows:
            sheet.row(row - 1).hidden = True
        for column in page.hidden_columns:
            sheet.col(column - 1).hidden = True
        sheet.visibility = 0 if page.is_visible else 1
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


_NAMES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
    ' xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
    ' xmlns:fo="urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0"'
    ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


_LOOKS = (
    '<style:style style:name="ce9" style:family="table-cell">'
    '<style:text-properties style:text-line-through-style="solid"/></style:style>'
    '<style:style style:name="ce8" style:family="table-cell">'
    '<style:text-properties fo:color="#ffffff"/></style:style>'
    '<style:style style:name="ce7" style:family="table-cell" style:data-style-name="N144">'
    "<style:table-cell-properties/></style:style>"
)


def ods(pages: list[Page]) -> bytes:
    """As LibreOffice writes it; by hand, since odfpy knows no error cells."""
    held = io.BytesIO()
    hidden = '<style:style style:name="ta2"><style:table-properties table:display="false"/>'
    tables = "".join(map(_table, pages))
    content = (
        f"<?xml version='1.0' encoding='UTF-8'?><office:document-content {_NAMES}>"
        f"<office:automatic-styles>{hidden}</style:style>{_LOOKS}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return held.getvalue()


def _table(page: Page) -> str:
    spans = {(top, left): (bottom, right) for top, left, bottom, right in page.merged}
    covered = {
        (row, column)
        for top, left, bottom, right in page.merged
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
    } - spans.keys()
    last_row = max((row for row, _ in page.cells), default=1)
    last_column = max((column for _, column in page.cells), default=1)
    columns = "".join(
        f"<table:table-column{_collapsed(column in page.hidden_columns)}/>"
        for column in range(1, last_column + 1)
    )
    rows = []
    for row in range(1, last_row + 1):
        cells = []
        for column in range(1, last_column + 1):
            at = (row, column)
            name = "covered-table-cell" if at in covered else "table-cell"
            cell = _cell(name, page.cells.get(at), at, spans.get(at))
            style = {"struck": "ce9", "faint": "ce8", "blank": "ce7"}.get(page.look(at), "")
            if style:
                cell = cell.replace(
                    f"<table:{name}", f'<table:{name} table:style-name="{style}"', 1
                )
            if at in page.blank:
                said = f' office:string-value="{page.cells[at]}"><text:p/>'
                cell = re.sub("><text:p>.*</text:p>", said, cell)
            cells.append(cell)
        hidden = _collapsed(row in page.hidden_rows)
        rows.append(f"<table:table-row{hidden}>{''.join(cells)}</table:table-row>")
    style = "" if page.is_visible else ' table:style-name="ta2"'
    name = f'table:name="{escape(page.name)}"'
    return f"<table:table {name}{style}>{columns}{''.join(rows)}</table:table>"


def _collapsed(is_hidden: bool) -> str:
    return ' table:visibility="collapse"' if is_hidden else ""


def _cell(name: str, value: Value | None, at: Spot, span: Spot | None) -> str:
    said = ""
    if span is not None:
        down, right = span[0] - at[0] + 1, span[1] - at[1] + 1
        said = f' table:number-rows-spanned="{down}" table:number-columns-spanned="{right}"'
    if value is None:
        return f"<table:{name}{said}/>"
    if isinstance(value, Wrong):
        said += ' table:formula="of:=1/0" office:value-type="string" calcext:value-type="error"'
        shown = value.text
    elif isinstance(value, date):
        said += f' office:value-type="date" office:date-value="{value:%Y-%m-%d}"'
        shown = f"{value:%d.%m.%Y}"
    elif isinstance(value, str):
        said += ' office:value-type="string"'
        shown = value
    else:
        said += f' office:value-type="float" office:value="{value!r}"'
        shown = str(value).replace(".", ",")
    lines = "".join(f"<text:p>{escape(line)}</text:p>" for line in shown.split("\n"))
    return f"<table:{name}{said}>{lines}</table:{name}>"


def xlsb(pages: list[Page]) -> bytes:
    """No more records than Excel's own programs need to open it."""
    sheets, relations = b"", ""
    parts: dict[str, bytes | str] = {}
    for n, page in enumerate(pages, 1):
        state = 0 if page.is_visible else 1
        sheets += _record(156, struct.pack("<II", state, n) + _long(f"rId{n}") + _long(page.name))
        relations += _relation(f"rId{n}", "worksheet", f"worksheets/sheet{n}.bin")
        parts[f"xl/worksheets/sheet{n}.bin"] = _xlsb_sheet(page)
    relations += _relation("rId99", "styles", "styles.bin")
    white = struct.pack("<8xBBhI", 5, 0, 0, 0xFFFFFFFF)
    looks = ((0, b""), (8, b""), (0, white))
    fonts = b"".join(_record(43, struct.pack("<HH", 220, strike) + more) for strike, more in looks)
    form = _record(44, struct.pack("<H", 164) + _long(";;;"))
    # The number format and the font of each of `_STYLES`.
    cells = ((0, 0), (14, 0), (0, 1), (0, 2), (164, 0))
    styles = b"".join(_record(47, struct.pack("<HHHHQ", 0, *of, 0, 0)) for of in cells)
    parts |= {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{_TYPES}</Types>',
        "_rels/.rels": _relations(_relation("rId1", "officeDocument", "xl/workbook.bin")),
        "xl/_rels/workbook.bin.rels": _relations(relations),
        "xl/workbook.bin": _within(131, _within(143, sheets, 144), 132),
        "xl/styles.bin": _within(
            278, form + fonts + _record(617, b"\3\0\0\0") + styles + _record(618, b""), 279
        ),
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return held.getvalue()


_TYPES = (
    '<Default Extension="bin" ContentType='
    '"application/vnd.ms-excel.sheet.binary.macroEnabled.main"/>'
    '<Default Extension="rels" ContentType='
    '"application/vnd.openxmlformats-package.relationships+xml"/>'
)
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _relations(items: str) -> str:
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{items}</Relationships>'


def _relation(name: str, kind: str, target: str) -> str:
    base = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return f'<Relationship Id="{name}" Type="{base}/{kind}" Target="{target}"/>'


def _record(kind: int, data: bytes) -> bytes:
    name = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, rest = b"", len(data)
    while rest > 127:
        size, rest = size + bytes([rest & 127 | 128]), rest >> 7
    return name + size + bytes([rest]) + data


def _within(first: int, content: bytes, last: int) -> bytes:
    return _record(first, b"") + content + _record(last, b"")


def _long(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


_STYLES = ("", "day", "struck", "faint", "blank")
_ERRORS = {"#DIV/0!": 7, "#REF!": 0x17, "#N/A": 0x2A}


def _xlsb_sheet(page: Page) -> bytes:
    made = b""
    for column in page.hidden_columns:
        made += _record(60, struct.pack("<IIIIH", column - 1, column - 1, 2048, 0, 1))
    made = (_within(390, made, 391) if made else b"") + _record(145, b"")
    rows: dict[int, list[tuple[int, Value]]] = {}
    for (row, column), value in sorted(page.cells.items()):
        rows.setdefault(row, []).append((column, value))
    for row, cells in rows.items():
        flags = 0x10 if row in page.hidden_rows else 0
        made += _record(0, struct.pack("<IIHBBI", row - 1, 0, 300, 0, flags, 0))
        for column, value in cells:
            place = struct.pack("<II", column - 1, _STYLES.index(page.look((row, column))))
            made += _xlsb_cell(place, value)
    made += _record(146, b"")
    merged = b""
    for top, left, bottom, right in page.merged:
        merged += _record(176, struct.pack("<IIII", top - 1, bottom - 1, left - 1, right - 1))
    if merged:
        made += _record(177, struct.pack("<I", len(page.merged))) + merged + _record(178, b"")
    return _within(129, made, 130)


def _xlsb_cell(place: bytes, value: Value) -> bytes:
    if isinstance(value, Wrong):
        return _record(3, place + bytes([_ERRORS[value.text]]))
    if isinstance(value, date):
        return _record(5, place + struct.pack("<d", (value - date(1899, 12, 30)).days))
    if isinstance(value, str):
        return _record(6, place + _long(value))
    if isinstance(value, int) and value < 2**29:
        return _record(2, place + struct.pack("<i", value << 2 | 2))
    return _record(5, place + struct.pack("<d", value))


WRITERS = {"xlsx": xlsx, "xls": xls, "ods": ods, "xlsb": xlsb}
