"""Sheets of .xlsx and .xlsm, strict Open XML among them.

Source: ECMA-376 part 1, 18.2 (workbook), 18.3 (worksheet), 18.4 (shared texts), 18.8 (styles).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, time
from functools import lru_cache

from parsers.grid import (
    EPOCH_1900,
    EPOCH_1904,
    Cell,
    ErrorCell,
    Merged,
    Sheet,
    StruckCell,
    Uncounted,
)
from parsers.grid_draft import MOST_CELLS, MOST_WIDE, SheetDraft, TooCostlyError
from parsers.number_formats import (
    BLACK,
    BUILT_IN,
    GENERAL,
    WHITE,
    CellStyles,
    Font,
    cell_styles,
    number_format,
    read_text,
)
from parsers.trees import Element
from parsers.workbooks_zip import Package, relation_of

_TRUE = frozenset({"1", "true", "on"})
MOST_STYLES = 65_536
"""A workbook with more cell styles than Excel itself allows is `too-costly`."""

MOST_FORMATS = 5_000
"""Number formats of its own beyond which it is `too-costly`."""


def read_xlsx(package: Package) -> list[Sheet]:
    """Every worksheet, hidden ones included.

    Raises:
        TooCostlyError: it has more of something than any form has.
        LookupError, ValueError, SyntaxError: it is damaged.
    """
    path = package.book()
    epoch, listed, spent = EPOCH_1900, [], package.spent
    for item in package.elements(path, "workbookPr", "sheet"):
        if _local(item) == "sheet":
            is_visible = (item.get("state") or "visible") == "visible"
            listed.append((item.get("name") or "", relation_of(item), is_visible))
        elif item.get("date1904") in _TRUE:
            epoch = EPOCH_1904
    relations = package.relations(path)
    of_kind = {item.kind: item.path for item in relations.values()}
    strings = _strings(package, of_kind.get("sharedStrings"))
    styles = _styles(package, of_kind.get("styles"))
    parts = [relations[relation] for _, relation, _ in listed]
    _bound_cells(package, {part.path for part in parts if part.kind == "worksheet"})
    sheets = []
    for (name, _, is_visible), part in zip(listed, parts, strict=True):
        spent.sheet()
        if part.kind == "worksheet":
            draft = SheetDraft(name, spent, epoch, is_visible)
            _Reader(draft, strings, styles).read(package, part.path)
            sheets.append(draft.sheet())
    return sheets


def _bound_cells(package: Package, paths: Iterable[str]) -> None:
    """Count the filled cells of all sheets before the first one is read."""
    filled = 0
    for path in paths:
        for piece in package.pieces(path):
            filled += piece.count(b"</v>") + piece.count(b"</is>") - piece.count(b"<v></v>")
            if filled > MOST_CELLS:
                raise TooCostlyError(str(MOST_CELLS))


def _local(element: Element) -> str:
    return _bare(element.tag)


@lru_cache(maxsize=256)
def _bare(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _strings(package: Package, path: str | None) -> list[Cell]:
    """The texts that cells share."""
    if path is None or path not in package:
        return []
    return [_shared(item) for item in package.texts(path, "si")]


def _shared(element: Element) -> Cell:
    """The text of an item, its runs joined, without what tells how to pronounce it.

    It is struck where any of them is.
    """
    if len(element) == 1 and _bare((only := element[0]).tag) == "t":
        return unescaped(only.text or "")
    pieces = [item.text or "" for item in element.iter("{*}t") if not _is_in(item, "rPh")]
    text = unescaped("".join(pieces))
    return StruckCell(text) if any(map(_is_on, element.iter("{*}strike"))) else text


def _is_on(element: Element) -> bool:
    return (element.get("val") or "1") in _TRUE


_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text without the escapes that stand for what XML cannot hold."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "_x" in text else text


def _styles(package: Package, path: str | None) -> CellStyles:
    if path is None or path not in package:
        return CellStyles()
    formats = dict(BUILT_IN)
    numbers: list[int] = []
    looks: list[tuple[int, int]] = []
    fonts: list[Font] = []
    fills: list[str] = []
    for item in package.elements(path, "numFmt", "font", "fill", "xf", "cellStyleXfs", "dxfs"):
        name = _local(item)
        if name == "numFmt":
            if len(formats) > MOST_FORMATS:
                raise TooCostlyError(str(MOST_FORMATS))
            formats[int(item.get("numFmtId") or 0)] = number_format(item.get("formatCode") or "")
        elif name == "font" and _is_in(item, "fonts"):
            struck = any(_local(child) == "strike" and _is_on(child) for child in item)
            fonts.append(Font(struck, _colour(item.find("{*}color"), BLACK)))
        elif name == "fill" and _is_in(item, "fills"):
            fills.append(_fill(item))
        elif name == "xf" and _is_in(item, "cellXfs"):
            numbers.append(int(item.get("numFmtId") or 0))
            looks.append((int(item.get("fontId") or 0), int(item.get("fillId") or 0)))
            if len(numbers) > MOST_STYLES:
                raise TooCostlyError(str(MOST_STYLES))
    return cell_styles([formats.get(at, GENERAL) for at in numbers], looks, fonts, fills)


def _colour(element: Element | None, default: str) -> str:
    if element is None or element.get("auto") in _TRUE:
        return default
    rgb, named = element.get("rgb"), element.get("theme") or element.get("indexed")
    if rgb:
        return rgb[-6:].upper()
    return colour(int(named or 0), is_theme="theme" in element.attrib, tint=element.get("tint"))


def colour(number: int, *, is_theme: bool, tint: object) -> str:
    """A colour of a theme, lighter or darker, or of the palette, by its number."""
    if (is_theme and number == 0 and not tint) or (not is_theme and number in _WHITES):
        return WHITE
    return f"theme {number} {tint}" if is_theme else f"palette {number}"


_WHITES = frozenset({1, 9, 65})


def _fill(element: Element) -> str:
    """The colour of a fill; of a pattern, which hides nothing, its name."""
    pattern = element.find("{*}patternFill")
    kind = "gradient" if pattern is None else pattern.get("patternType") or "none"
    if pattern is None or kind != "solid":
        return WHITE if kind == "none" else kind
    return _colour(pattern.find("{*}fgColor"), "automatic")


def _is_in(element: Element, name: str) -> bool:
    parent = element.getparent()
    return parent is not None and _local(parent) == name


# Rows and what says something of them; the rest is there to be emptied.
_READ = ("row", "col", "mergeCell")
_EMPTIED = ("autoFilter", "sheetPr", "cfRule", "dataValidation", "hyperlink",
            "conditionalFormatting", "brk", "ext")  # fmt: skip


class _Reader:
    """Reads the XML of one sheet into a draft."""

    def __init__(self, draft: SheetDraft, strings: Sequence[Cell], styles: CellStyles) -> None:
        self._draft = draft
        self._strings = strings
        self._styles = styles.formats
        self._struck = styles.struck
        self._veiled = styles.veiled
        self._row = 0

    def read(self, package: Package, path: str) -> None:
        for element in package.elements(path, *_READ, *_EMPTIED):
            self._take(element)

    def _take(self, element: Element) -> None:
        name = _local(element)
        if name == "row":
            self._cells(element)
        elif name == "col":
            if element.get("hidden") in _TRUE or float(element.get("width") or 1) == 0:
                hidden = int(element.get("min") or 0), int(element.get("max") or 0)
                self._draft.hidden_columns.append(hidden)
        elif name == "mergeCell":
            (top, left), (bottom, right) = _range(element.get("ref") or "")
            self._draft.merge(Merged(top, left, bottom, right))

    def _cells(self, element: Element) -> None:
        """Read one row.

        Raises:
            TooCostlyError: it has too many cells.
            ValueError: a cell says to be of another row.
        """
        self._row = row = int(element.get("r") or self._row + 1)
        if element.get("hidden") in _TRUE or float(element.get("ht") or 1) == 0:
            self._draft.hidden_rows.add(row)
        column = 0
        filled: dict[int, Cell] = {}
        for cell in element:
            place = cell.get("r")
            if place is None:
                column += 1
            else:
                stated, column = spot(place)
                if stated != row:
                    raise ValueError(f"cell {place} in row {row}")
            value = self._cell(cell, row, column)
            if value is not None and value != "":
                filled[column] = value
                if len(filled) > MOST_WIDE:
                    raise TooCostlyError(str(MOST_WIDE))
        self._draft.fill(row, filled)

    def _cell(self, element: Element, row: int, column: int) -> Cell:
        value: str | None = None
        inline: Cell = None
        formula: Element | None = None
        kind = element.get("t") or "n"
        for child in element:
            name = _bare(child.tag)
            if name == "v":
                value = child.text
            elif name == "is":
                inline = _shared(child)
            elif name == "f":
                formula = child
        if formula is not None:
            self._formula(formula, row, column, is_counted=bool(value) or kind == "str")
        if (self._struck or self._veiled) and (style := element.get("s")):
            if int(style) in self._struck:
                self._draft.struck.add((row, column))
            if int(style) in self._veiled:
                self._draft.veiled.add((row, column))
        if kind == "inlineStr":
            return inline
        return self._value(kind, value, element.get("s"), (row, column)) if value else None

    def _formula(self, formula: Element, row: int, column: int, *, is_counted: bool) -> None:
        self._draft.formulas.add((row, column))
        if is_counted:
            return
        mark = Uncounted(f"={(formula.text or '').removeprefix('=')}")
        self._draft.put(row, column, mark)
        if formula.get("t") == "array":
            (top, left), (bottom, right) = _range(formula.get("ref") or "")
            self._draft.spent.cell(max(0, bottom - top + 1) * max(0, right - left + 1))
            for at in range(top, bottom + 1):
                for beside in range(left, right + 1):
                    self._draft.put(at, beside, mark)

    def _value(self, kind: str, text: str, style: str | None, at: tuple[int, int]) -> Cell:
        if kind == "s":
            return self._strings[int(text)]
        if kind == "str":
            return unescaped(text)
        if kind == "b":
            return text in _TRUE
        if kind == "e":
            return ErrorCell(text)
        if kind == "d":
            return iso_moment(text)
        value = read_text(text)
        form = self._styles[int(style)] if style and self._styles else GENERAL
        if form is GENERAL or isinstance(value, str):
            return value
        return self._draft.typed(at, float(value), form)  # type: ignore[arg-type]


def iso_moment(text: str) -> Cell:
    """A date or a time as ISO 8601 writes it; the text itself when it is none."""
    try:
        if ":" in text and "-" not in text:
            return time.fromisoformat(text.removeprefix("T")).replace(tzinfo=None)
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return text


_SPOT = re.compile(r"\$?([A-Za-z]{1,3})\$?(\d{1,15})", re.ASCII)


def spot(text: str) -> tuple[int, int]:
    """Row and column of a cell's name.

    Raises:
        ValueError: it is none.
    """
    found = _SPOT.fullmatch(text)
    if found is None:
        raise ValueError(f"no cell: {text[:20]}")
    return int(found[2]), _column(found[1])


@lru_cache(maxsize=1024)
def _column(letters: str) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def _range(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    first, _, last = text.partition(":")
    return spot(first), spot(last or first)
