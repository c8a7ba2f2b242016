"""Sheets of .xlsb.

Source: [MS-XLSB] 2.1.4 (records), 2.4 (their content), 2.5 (structures).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from io import BufferedReader
from typing import IO

from parsers.grid import EPOCH_1900, EPOCH_1904, Cell, ErrorCell, Merged, Sheet
from parsers.grid_draft import SheetDraft, Spent, TooCostlyError
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
from parsers.workbooks_xlsx import MOST_FORMATS, MOST_STYLES, colour
from parsers.workbooks_zip import Package

# Types of records.
_ROW, _RK, _ERROR, _BOOL, _REAL, _INLINE, _SHARED = 0, 2, 3, 4, 5, 6, 7
_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOL, _FORMULA_ERROR = 8, 9, 10, 11
_STRING, _FORMAT, _STYLE, _COLUMNS, _RICH_INLINE = 19, 44, 47, 60, 62
_BOOK_PROPERTIES, _SHEET, _MERGED = 153, 156, 176
_FONT, _FILL, _STRUCK = 43, 45, 8
_CELL_STYLES, _CELL_STYLES_END = 617, 618

ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}
"""Texts of the errors that binary workbooks number."""

_RECORD_MOST = 1 << 20


def read_xlsb(package: Package) -> list[Sheet]:
    """Every worksheet, hidden ones included.

    Raises:
        TooCostlyError: it has more of something than any form has.
        LookupError, ValueError, struct.error: it is damaged.
    """
    path = package.book()
    epoch, listed, spent = EPOCH_1900, [], package.spent
    with package.open(path) as part:
        for kind, data in _records(part, spent):
            if kind == _BOOK_PROPERTIES and data[0] & 1:
                epoch = EPOCH_1904
            elif kind == _SHEET:
                relation, at = _wide(data, 8)
                listed.append((relation, _wide(data, at)[0], data[0] == 0))
    relations = package.relations(path)
    of_kind = {item.kind: item.path for item in relations.values()}
    strings = _strings(package, of_kind.get("sharedStrings"), spent)
    styles = _styles(package, of_kind.get("styles"), spent)
    sheets = []
    for relation, name, is_visible in listed:
        spent.sheet()
        item = relations[relation]
        if item.kind == "worksheet":
            draft = SheetDraft(name, spent, epoch, is_visible)
            _Reader(draft, strings, styles).read(package, item.path)
            sheets.append(draft.sheet())
    return sheets


def _records(stream: IO[bytes], spent: Spent) -> Iterator[tuple[int, bytes]]:
    """Type and content of each record."""
    # Of a zip itself every byte would be asked for anew.
    part = BufferedReader(stream)  # type: ignore[type-var]
    while kind := part.read(1):
        spent.record()
        number = kind[0]
        if number & 0x80:
            number = number & 0x7F | (part.read(1)[0] & 0x7F) << 7
        size = _size(part)
        if size > _RECORD_MOST:
            raise TooCostlyError(str(_RECORD_MOST))
        yield number, part.read(size)


def _size(part: IO[bytes]) -> int:
    size = 0
    for shift in (0, 7, 14, 21):
        byte = part.read(1)[0]
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return size


def _wide(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends; a missing one is ''."""
    (length,) = struct.unpack_from("<I", data, at)
    at += 4
    if length == 0xFFFF_FFFF:
        return "", at
    end = at + 2 * length
    if end > len(data):
        raise ValueError("a text longer than its record")
    return data[at:end].decode("utf-16-le", "replace"), end


def _strings(package: Package, path: str | None, spent: Spent) -> list[str]:
    if path is None or path not in package:
        return []
    found = []
    with package.open(path) as part:
        for kind, data in _records(part, spent):
            if kind == _STRING:
                spent.text()
                found.append(_wide(data, 1)[0])
    return found


def _styles(package: Package, path: str | None, spent: Spent) -> CellStyles:
    if path is None or path not in package:
        return CellStyles()
    formats, numbers, is_of_cells = dict(BUILT_IN), [], False
    looks: list[tuple[int, int]] = []
    fonts: list[Font] = []
    fills: list[str] = []
    with package.open(path) as part:
        for kind, data in _records(part, spent):
            if kind == _FORMAT:
                (at,) = struct.unpack_from("<H", data)
                formats[at] = number_format(_wide(data, 2)[0])
                if len(formats) > MOST_FORMATS:
                    raise TooCostlyError(str(MOST_FORMATS))
            elif kind == _FONT:
                struck = bool(struct.unpack_from("<H", data, 2)[0] & _STRUCK)
                fonts.append(Font(struck, _colour(data, 12, BLACK)))
            elif kind == _FILL:
                (pattern,) = struct.unpack_from("<I", data)
                patterns = {0: WHITE, 1: _colour(data, 4, "automatic")}
                fills.append(patterns.get(pattern, f"pattern {pattern}"))
            elif kind in {_CELL_STYLES, _CELL_STYLES_END}:
                is_of_cells = kind == _CELL_STYLES
            elif kind == _STYLE and is_of_cells:
                of, font, fill = struct.unpack_from("<HHH", data, 2)
                numbers.append(of)
                looks.append((font, fill))
                if len(numbers) > MOST_STYLES:
                    raise TooCostlyError(str(MOST_STYLES))
    return cell_styles([formats.get(at, GENERAL) for at in numbers], looks, fonts, fills)


def _colour(data: bytes, at: int, default: str) -> str:
    """The colour that stands in a record of a font or a fill."""
    if len(data) < at + _COLOUR.size:
        return default
    kind, number, tint, rgb = _COLOUR.unpack_from(data, at)
    if kind >> 1 == _RGB:
        return str(rgb.hex()).upper()
    return colour(number, is_theme=kind >> 1 == _THEME, tint=tint) if kind >> 1 else default


_COLOUR = struct.Struct("<BBh3sx")
_RGB, _THEME = 2, 3


class _Reader:
    """Reads the records of one sheet into a draft."""

    def __init__(self, draft: SheetDraft, strings: Sequence[str], styles: CellStyles) -> None:
        self._draft = draft
        self._strings = strings
        self._styles = styles.formats
        self._struck = styles.struck
        self._veiled = styles.veiled
        self._row = 0

    def read(self, package: Package, path: str) -> None:
        with package.open(path) as part:
            for kind, data in _records(part, self._draft.spent):
                if kind == _ROW:
                    self._start_row(data)
                elif kind in _CELLS:
                    self._cell(kind, data)
                elif kind in _OTHERS:
                    self._other(kind, data)

    def _start_row(self, data: bytes) -> None:
        (row,) = struct.unpack_from("<I", data)
        self._row = row + 1
        if data[11] & 0x10:
            self._draft.hidden_rows.add(self._row)

    def _other(self, kind: int, data: bytes) -> None:
        draft = self._draft
        if kind == _COLUMNS:
            first, last, width, _, flags = struct.unpack_from("<IIIIH", data)
            if flags & 1 or width == 0:
                draft.hidden_columns.append((first + 1, last + 1))
        elif kind == _MERGED:
            top, bottom, left, right = struct.unpack_from("<IIII", data)
            draft.merge(Merged(top + 1, left + 1, bottom + 1, right + 1))

    def _cell(self, kind: int, data: bytes) -> None:
        column, style = struct.unpack_from("<II", data)
        at = (self._row, column + 1)
        value = self._value(kind, data, style & 0xFF_FFFF, at)
        if style & 0xFF_FFFF in self._struck:
            self._draft.struck.add(at)
        if style & 0xFF_FFFF in self._veiled:
            self._draft.veiled.add(at)
        if kind in _FORMULAS:
            self._draft.formulas.add(at)
        self._draft.put(*at, value)

    def _value(self, kind: int, data: bytes, style: int, at: tuple[int, int]) -> Cell:
        if kind == _SHARED:
            index: int = struct.unpack_from("<I", data, 8)[0]
            return self._strings[index]
        if kind in {_INLINE, _FORMULA_TEXT}:
            return _wide(data, 8)[0]
        if kind == _RICH_INLINE:
            return _wide(data, 9)[0]
        if kind in {_ERROR, _FORMULA_ERROR}:
            return ErrorCell(ERRORS.get(data[8], "#N/A"))
        if kind in {_BOOL, _FORMULA_BOOL}:
            return bool(data[8])
        value: float = _rk(data) if kind == _RK else struct.unpack_from("<d", data, 8)[0]
        form = self._styles[style] if self._styles else GENERAL
        return self._draft.typed(at, value, form)


_FORMULAS = frozenset({_FORMULA_TEXT, _FORMULA_REAL, _FORMULA_BOOL, _FORMULA_ERROR})
_PLAIN = {_RK, _ERROR, _BOOL, _REAL, _INLINE, _SHARED, _RICH_INLINE}
_CELLS = frozenset({*_PLAIN, *_FORMULAS})
_OTHERS = frozenset({_COLUMNS, _MERGED})


def _rk(data: bytes) -> float:
    """A cell's number packed into 30 bits, a whole one or the upper part of a float."""
    (packed,) = struct.unpack_from("<i", data, 8)
    value: float
    if packed & 2:
        value = packed >> 2
    else:
        (value,) = struct.unpack("<d", b"\0\0\0\0" + struct.pack("<i", packed & ~3))
    return value / 100 if packed & 1 else value
