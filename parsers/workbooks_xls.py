"""Sheets of .xls: xlrd reads the cells, a walk over the records what it does not tell.

Source: [MS-XLS] 2.3 (records), 2.4 (their content), 2.5.133 (a formula's value).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from parsers.grid import EPOCH_1900, EPOCH_1904, Cell, ErrorCell, Merged, Sheet, Uncounted
from parsers.grid_draft import MOST_CELLS, SheetDraft, Spent, TooCostlyError
from parsers.number_formats import (
    BLACK,
    BUILT_IN,
    GENERAL,
    WHITE,
    CellStyles,
    Font,
    cell_styles,
    number_format,
)
from parsers.workbooks_xlsb import ERRORS

if TYPE_CHECKING:
    import xlrd.book
    import xlrd.sheet
    from xlrd.formatting import XFBackground

_FORMULAS = frozenset({0x0006, 0x0206, 0x0406})
_BEGIN, _SHEET, _SHARED, _ENCRYPTED, _COUNTED = (
    0x0809, 0x0085, 0x00FC, 0x002F, 0x01C1,
)  # fmt: skip


class EncryptedError(Exception):
    """A workbook opens with a password only."""


@dataclass(slots=True)
class _About:
    """What the records say of one sheet.

    Attributes:
        formulas: Cells with a formula.
        textless: Those among them whose kept value is an empty text.
    """

    formulas: set[tuple[int, int]] = field(default_factory=set)
    textless: set[tuple[int, int]] = field(default_factory=set)

    def formula(self, data: bytes) -> None:
        """Take in the record of one."""
        row, column = struct.unpack_from("<HH", data)
        self.formulas.add((row + 1, column + 1))
        if data[6] == _NO_TEXT and data[12:14] == b"\xff\xff":
            self.textless.add((row + 1, column + 1))


def read_xls(content: bytes, spent: Spent) -> list[Sheet]:
    """Every worksheet, hidden ones included.

    Raises:
        EncryptedError: it opens with a password only.
        TooCostlyError: it has more of something than any form has.
        LookupError, ValueError, struct.error: it is damaged, or whatever else
            xlrd meets on its way.
    """
    from xlrd.biffh import XLRDError
    from xlrd.compdoc import CompDocError

    try:
        return _read(content, spent)
    except (XLRDError, CompDocError) as error:
        raise ValueError(str(error)) from error


def _read(content: bytes, spent: Spent) -> list[Sheet]:
    import xlrd

    about = _walked(content, spent)
    book = xlrd.open_workbook(
        file_contents=content,
        logfile=_Silence(),
        formatting_info=True,
        on_demand=True,
        ragged_rows=True,
        # Some programs write a directory that xlrd thinks little of, and Excel reads.
        ignore_workbook_corruption=True,
    )
    epoch = EPOCH_1904 if book.datemode else EPOCH_1900
    styles = _styles(book)
    struck = frozenset(n for n, font in enumerate(book.font_list) if font.struck_out)
    sheets = []
    for index in range(book.nsheets):
        spent.sheet()
        source = book.sheet_by_index(index)
        draft = SheetDraft(source.name, spent, epoch, source.visibility == 0)
        _fill_cells(draft, source, about[index], styles)
        draft.struck |= {
            (row + 1, column + 1)
            for (row, column), runs in source.rich_text_runlist_map.items()
            if any(font in struck for _, font in runs)
        }
        book.unload_sheet(index)
        sheets.append(draft.sheet())
    return sheets


class _Silence(io.StringIO):
    """Log file for xlrd that discards everything."""

    def write(self, text: str) -> int:
        return len(text)


def _walked(content: bytes, spent: Spent) -> list[_About]:
    """What the records say of each worksheet, in their order."""
    sheets: dict[int, _About] = {}
    current, is_counted = _About(), False
    for at, kind, data in _records(spent, *_stream(content)):
        if kind in _FORMULAS:
            current.formula(data)
        elif kind == _BEGIN:
            current = sheets.get(at, current)
        elif kind == _SHEET and data[5] == 0:
            sheets[struct.unpack_from("<I", data)[0]] = _About()
        elif kind == _COUNTED:
            is_counted = True
        elif kind in {_SHARED, _ENCRYPTED}:
            _refuse(kind, data)
    if is_counted:
        # Excel and LibreOffice count when they save: an empty text is what a formula gives.
        for about in sheets.values():
            about.textless.clear()
    return list(sheets.values())


_NO_TEXT = 3


def _refuse(kind: int, data: bytes) -> None:
    if kind == _ENCRYPTED:
        raise EncryptedError
    # xlrd makes all texts that cells share before the first cell.
    if struct.unpack_from("<I", data, 4)[0] > MOST_CELLS:
        raise TooCostlyError(str(MOST_CELLS))


def _stream(content: bytes) -> tuple[bytes, int, int]:
    """The stream of the workbook: bytes, where in them it begins, its length."""
    from xlrd.compdoc import CompDoc

    container = CompDoc(content, logfile=_Silence(), ignore_workbook_corruption=True)
    for name in ("Workbook", "Book"):
        found, start, length = container.locate_named_stream(name)
        if found:
            return bytes(found), start, length
    raise ValueError("no stream of a workbook")


def _records(
    spent: Spent, stream: bytes, start: int, length: int
) -> Iterator[tuple[int, int, bytes]]:
    """Offset in the stream, type and content of each record."""
    at, end = start, min(start + length, len(stream))
    while at + 4 <= end:
        spent.record()
        kind, size = struct.unpack_from("<HH", stream, at)
        yield at - start, kind, stream[at + 4 : at + 4 + size]
        at += 4 + size


def _styles(book: xlrd.book.Book) -> CellStyles:
    known = {
        key: number_format(form.format_str) if form.format_str else BUILT_IN.get(key, GENERAL)
        for key, form in book.format_map.items()
    }
    formats = [known.get(style.format_key, GENERAL) for style in book.xf_list]
    looks = [(style.font_index, at) for at, style in enumerate(book.xf_list)]
    fonts = [
        Font(bool(font.struck_out), _colour(book, font.colour_index, BLACK))
        for font in book.font_list
    ]
    # The stubs do not know that each style has a background.
    fills = [_fill(book, style.background) for style in book.xf_list]  # type: ignore[arg-type]
    return cell_styles(formats, looks, fonts, fills)


def _fill(book: xlrd.book.Book, background: XFBackground) -> str:
    pattern = background.fill_pattern
    if pattern == 1:
        return _colour(book, background.pattern_colour_index, "automatic")
    return f"pattern {pattern}" if pattern else WHITE


def _colour(book: xlrd.book.Book, index: int, default: str) -> str:
    rgb = book.colour_map.get(index)
    return default if rgb is None else "".join(f"{part:02X}" for part in rgb)


def _fill_cells(
    draft: SheetDraft, source: xlrd.sheet.Sheet, about: _About, styles: CellStyles
) -> None:
    draft.formulas |= about.formulas
    draft.hidden_rows |= {
        row + 1 for row, info in source.rowinfo_map.items() if info.hidden or info.height == 0
    }
    draft.hidden_columns += [
        (column + 1, column + 1)
        for column, info in source.colinfo_map.items()
        if info.hidden or info.width == 0
    ]
    for top, bottom, left, right in source.merged_cells:
        draft.merge(Merged(top + 1, left + 1, bottom, right))
    for row in range(source.nrows):
        kinds, values = source.row_types(row), source.row_values(row)
        for column, (kind, value) in enumerate(zip(kinds, values, strict=True)):
            at = row + 1, column + 1
            style = source.cell_xf_index(row, column)
            if style in styles.struck:
                draft.struck.add(at)
            if style in styles.veiled:
                draft.veiled.add(at)
            if at in about.textless:
                draft.put(*at, Uncounted("="))
            elif kind in {_NUMBER, _DATE}:
                draft.put(*at, draft.typed(at, float(value), styles.formats[style]))
            elif kind in _TYPED:
                draft.put(*at, _other(kind, value))


_TEXT, _NUMBER, _DATE, _BOOL, _ERROR = 1, 2, 3, 4, 5
_TYPED = frozenset({_TEXT, _BOOL, _ERROR})


def _other(kind: int, value: object) -> Cell:
    if kind == _ERROR:
        return ErrorCell(ERRORS.get(int(str(value)), "#N/A"))
    return bool(value) if kind == _BOOL else str(value)
