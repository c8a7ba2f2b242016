"""Bytes of a workbook to sheets of cells: .xlsx and .xlsm safely, others by calamine."""

from __future__ import annotations

import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from defusedxml.common import DefusedXmlException

from layouts.findings import Code, Finding, finding
from parsers.grid import Cell, Merged, Rows, Sheet, Uncounted
from parsers.parts import Part, ods_parts, xlsx_parts

MOST_UNPACKED = 64 * 2**20
"""A workbook whose parts are larger than this together is `too-costly`."""

MOST_CELLS = 500_000
"""A workbook with more filled cells than this is `too-costly`."""

MOST_EXTENT = 5_000_000
"""So is one with more cells and rows, empty ones and those repeated included."""

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# What the readers raise on damaged bytes; neither promises anything narrower.
_DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    AssertionError,
)


def is_workbook(content: bytes) -> bool:
    """Whether bytes are a workbook, also an encrypted or damaged one."""
    return _container(content) is not None


def _container(content: bytes) -> str | None:
    """`xlsx`, `xlsb`, `ods`, `xls`, `encrypted`, or None for no workbook."""
    if content.startswith(_OLE):
        if _named("EncryptedPackage") in content:
            return "encrypted"
        # A text or a presentation may hold a workbook inside.
        other = _named("WordDocument") in content or _named("PowerPoint Document") in content
        own = _named("Workbook") in content or _named("Book") in content
        return "xls" if own and not other else None
    if not content.startswith(_ZIP):
        return None
    names = _names(content)
    if names is None:
        # Without its directory a cut-off workbook still begins like one.
        return "xlsx" if b"[Content_Types].xml" in content[:64] else None
    if any(name.endswith("workbook.bin") for name in names):
        return "xlsb"
    if any(name.endswith("workbook.xml") for name in names):
        return "xlsx"
    return "ods" if {"mimetype", "content.xml"} <= set(names) else None


def _named(stream: str) -> bytes:
    # Names in an OLE directory are UTF-16 and end with a zero.
    return stream.encode("utf-16-le") + b"\0\0"


def _names(content: bytes) -> list[str] | None:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return archive.namelist()
    except _DAMAGES:
        return None


def open_workbook(content: bytes) -> list[Sheet] | Finding:
    """The sheets of a workbook, or the finding that says why there are none."""
    container = _container(content)
    if container == "encrypted":
        return finding(Code.ENCRYPTED_DOCUMENT)
    try:
        with warnings.catch_warnings():
            # Both readers warn of styles and extensions that no reading needs.
            warnings.simplefilter("ignore")
            return _opened(content, container)
    except _TooManyCellsError:
        return finding(Code.TOO_COSTLY, limit=str(MOST_CELLS))
    except DefusedXmlException:
        return finding(Code.FORBIDDEN_CONTENT)
    except _DAMAGES:
        return finding(Code.UNREADABLE_DOCUMENT, reason="damaged")


def _opened(content: bytes, container: str | None) -> list[Sheet] | Finding:
    if container == "xls":
        return _with_calamine(content, {})
    forbidden = _forbidden(content)
    if forbidden is not None:
        return forbidden
    if container == "xlsx":
        return _with_openpyxl(content)
    return _with_calamine(content, ods_parts(content) if container == "ods" else {})


class _TooManyCellsError(Exception):
    """A workbook has more cells than a form can have."""


@dataclass(slots=True)
class _Spent:
    """What was read of a workbook, all its sheets together."""

    cells: int = 0
    extent: int = 0

    def row(self, cells: int, extent: int) -> None:
        """Count one row.

        Raises:
            _TooManyCellsError: it is more than any form has.
        """
        self.cells += cells
        self.extent += extent + 1
        if self.cells > MOST_CELLS or self.extent > MOST_EXTENT:
            raise _TooManyCellsError


_ENCRYPTED_ENTRY = 1
_STRINGS = re.compile(rb"<(?:\w{1,20}:)?sst[\s>/]")
_STRING = re.compile(rb"<(?:\w{1,20}:)?si[\s>/]")


def _forbidden(content: bytes) -> Finding | None:
    """What in a zipped workbook keeps it from being read at all."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MOST_UNPACKED:
            return finding(Code.TOO_COSTLY, limit=f"{MOST_UNPACKED // 2**20} MB")
        if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in entries):
            return finding(Code.ENCRYPTED_DOCUMENT)
        for entry in entries:
            if entry.filename.endswith((".xml", ".rels")):
                with archive.open(entry) as part:
                    head = part.read(65_536)
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                    return finding(Code.FORBIDDEN_CONTENT, seen="<!DOCTYPE")
                # An .ods encrypts its parts one by one and says so here.
                if entry.filename == "META-INF/manifest.xml" and b"encryption-data" in head:
                    return finding(Code.ENCRYPTED_DOCUMENT)
                if _STRINGS.search(head):
                    _count_strings(archive, entry)
    return None


def _count_strings(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Count the texts that cells share: the reader makes them all before the first cell.

    Raises:
        _TooManyCellsError: they are more than there may be cells.
    """
    count = 0
    with archive.open(entry) as part:
        while piece := part.read(1 << 20):
            count += len(_STRING.findall(piece))
            if count > MOST_CELLS:
                raise _TooManyCellsError


def _with_openpyxl(content: bytes) -> list[Sheet]:
    from openpyxl import load_workbook

    parts = xlsx_parts(content)
    book = load_workbook(BytesIO(content), read_only=True, data_only=True, keep_links=False)
    sheets, spent = [], _Spent()
    for worksheet in book.worksheets:
        # What the sender does not see, the sender does not send.
        if worksheet.sheet_state == "visible":
            part = parts.get(worksheet.title, Part())
            rows = _with_uncounted(_filled(worksheet, spent), part.uncounted)
            sheets.append(Sheet(worksheet.title, rows, merged=part.merged, epoch=book.epoch))
    return sheets


def _filled(worksheet: object, spent: _Spent) -> Rows:
    """The filled cells of an openpyxl sheet."""
    # The dimensions that a file states are often wrong, and rows are cut by them.
    worksheet.reset_dimensions()  # type: ignore[attr-defined]
    rows: Rows = {}
    for cells in worksheet.iter_rows():  # type: ignore[attr-defined]
        filled = {cell.column: _shown_value(cell) for cell in cells if cell.value is not None}
        spent.row(len(filled), len(cells))
        if filled:
            rows[next(cell.row for cell in cells if cell.value is not None)] = filled
    return rows


def _shown_value(cell: object) -> Cell:
    """A cell's value; a number shown with leading zeros as that text."""
    value: Cell = cell.value  # type: ignore[attr-defined]
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        form: str = cell.number_format  # type: ignore[attr-defined]
        if len(form) > 1 and form.strip("0") == "":
            return str(value).zfill(len(form))
    return value


def _with_uncounted(rows: Rows, uncounted: Mapping[tuple[int, int], str]) -> Rows:
    """The rows with a mark where a formula stands without its value."""
    for (row, column), formula in uncounted.items():
        rows.setdefault(row, {})[column] = Uncounted(f"={formula.removeprefix('=')}")
    return dict(sorted(rows.items())) if uncounted else rows


def _with_calamine(content: bytes, parts: Mapping[str, Part]) -> list[Sheet] | Finding:
    """The sheets as calamine reads them; a huge extent ends the whole process."""
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    try:
        book, spent = CalamineWorkbook.from_filelike(BytesIO(content)), _Spent()
        return [
            _calamine_sheet(book, sheet.name, parts.get(sheet.name, Part()), spent)
            for sheet in book.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]
    except PasswordError:
        return finding(Code.ENCRYPTED_DOCUMENT)
    except CalamineError:
        return finding(Code.UNREADABLE_DOCUMENT, reason="damaged")
    except BaseException as error:
        # A panic of Rust is no Exception, and its class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        return finding(Code.UNREADABLE_DOCUMENT, reason="damaged")


def _calamine_sheet(book: object, name: str, part: Part, spent: _Spent) -> Sheet:
    worksheet = book.get_sheet_by_name(name)  # type: ignore[attr-defined]
    rows: Rows = {}
    for number, cells in enumerate(worksheet.to_python(skip_empty_area=False), 1):
        filled = {column: cell for column, cell in enumerate(cells, 1) if cell != ""}
        spent.row(len(filled), len(cells))
        if filled:
            rows[number] = filled
    ranges = worksheet.merged_cell_ranges or ()
    merged = tuple(
        Merged(top + 1, left + 1, end + 1, right + 1) for (top, left), (end, right) in ranges
    )
    return Sheet(name, _with_uncounted(rows, part.uncounted), merged=merged)
