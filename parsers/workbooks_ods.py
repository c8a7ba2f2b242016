"""Sheets of .ods.

Source: OASIS OpenDocument 1.3 part 3, 9 (tables) and 19 (attributes).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from parsers.grid import EPOCH_1900, Cell, ErrorCell, Merged, Sheet, Uncounted
from parsers.grid_draft import LAST_COLUMN, LAST_ROW, SheetDraft
from parsers.number_formats import read_text, time_of_day
from parsers.trees import Element
from parsers.workbooks_xlsx import iso_moment
from parsers.workbooks_zip import Package

_CONTENT = "content.xml"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_STYLE = "{urn:oasis:names:tc:opendocument:xmlns:style:1.0}"
_CALCEXT = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"
_CELLS = frozenset({f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"})
_OUT_OF_SIGHT = frozenset({"collapse", "filter"})


def read_ods(package: Package) -> list[Sheet]:
    """Every sheet, hidden ones included.

    Raises:
        TooCostlyError: it has more of something than any form has.
        LookupError, ValueError, SyntaxError: it is damaged.
    """
    spent, epoch = package.spent, EPOCH_1900
    styles = _styles(package)
    sheets: list[Sheet] = []
    reader = _Reader(SheetDraft("", spent, epoch), styles)
    names = ("null-date", "table-column", "table-row", "table", "shapes")
    for element in package.elements(_CONTENT, *names):
        if element.tag == f"{_TABLE}null-date":
            stated = iso_moment(element.get(f"{_TABLE}date-value") or "")
            epoch = stated if isinstance(stated, datetime) else epoch
        elif element.tag == f"{_TABLE}table-column":
            reader.column(element)
        elif element.tag == f"{_TABLE}table-row":
            reader.row(element)
        elif element.tag == f"{_TABLE}table" and not _is_inside(element):
            spent.sheet()
            draft = reader.draft
            draft.name, draft.epoch = element.get(f"{_TABLE}name") or "", epoch
            draft.is_visible = element.get(f"{_TABLE}style-name") not in styles.hides
            sheets.append(draft.sheet())
            reader = _Reader(SheetDraft("", spent, epoch), styles)
    return sheets


@dataclass(frozen=True, slots=True)
class _Styles:
    """Names of the styles that matter.

    Attributes:
        hides: Their sheets are hidden.
        struck: They strike text through.
        veiled: Their text is of the colour of its cell.
        formatted: They have a number format, which may show nothing.
    """

    hides: set[str] = field(default_factory=set)
    struck: set[str] = field(default_factory=set)
    veiled: set[str] = field(default_factory=set)
    formatted: set[str] = field(default_factory=set)


def _styles(package: Package) -> _Styles:
    found = _Styles()
    fonts: dict[str, str] = {}
    fills: dict[str, str] = {}
    names = ("table-properties", "text-properties", "table-cell-properties")
    for element in package.elements(_CONTENT, *names):
        style = element.getparent()
        name = "" if style is None else style.get(f"{_STYLE}name") or ""
        if style is not None and style.get(f"{_STYLE}data-style-name"):
            found.formatted.add(name)
        if element.get(f"{_TABLE}display") == "false":
            found.hides.add(name)
        if (element.get(f"{_STYLE}text-line-through-style") or "none") != "none":
            found.struck.add(name)
        for colours, key in ((fonts, "color"), (fills, "background-color")):
            if (colour := element.get(f"{_FO}{key}")) is not None:
                colours[name] = _WHITE if colour == "transparent" else colour.casefold()
    found.veiled.update(name for name, of in fonts.items() if of == fills.get(name, _WHITE))
    return found


_FO = "{urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0}"
_WHITE = "#ffffff"


def _is_inside(element: Element) -> bool:
    """Whether a table stands in another one's cell, or in a chart."""
    return any(str(above.tag) == f"{_TABLE}table-cell" for above in element.iterancestors())


def _repeated(element: Element, what: str) -> int:
    text = element.get(f"{_TABLE}{what}")
    if text is None:
        return 1
    # A longer number than any sheet has rows ends the sheet all the same.
    return min(int(text), LAST_ROW) if text.isascii() and text.isdigit() else 1


class _Reader:
    """Reads the XML of one sheet into a draft."""

    def __init__(self, draft: SheetDraft, styles: _Styles) -> None:
        self.draft = draft
        self._styles = styles
        self._struck = styles.struck
        self._row = 0
        self._column = 0
        self._above: Element | None = None
        self._is_inside = False

    def column(self, element: Element) -> None:
        """Take in one or more equal columns."""
        count = _repeated(element, "number-columns-repeated")
        if element.get(f"{_TABLE}visibility") in _OUT_OF_SIGHT:
            self.draft.hidden_columns.append((self._column + 1, self._column + count))
        self._column += count

    def row(self, element: Element) -> None:
        """Take in one or more equal rows, with their cells."""
        # Rows follow one another in one table; only the first of them is looked up from.
        if (above := element.getparent()) is not self._above:
            self._above, self._is_inside = above, _is_inside(element)
        if self._is_inside:
            return
        first, self._row = self._row + 1, self._row + _repeated(element, "number-rows-repeated")
        column = 1
        filled: list[tuple[Element, Cell, int, int]] = []
        for cell in element:
            if cell.tag not in _CELLS:
                continue
            count = _repeated(cell, "number-columns-repeated")
            if len(cell) or cell.attrib:
                value = self._cell(cell, first, column)
                if value not in {None, ""}:
                    filled.append((cell, value, column, count))
            column += count
        if filled:
            self._fill(element, filled, first)

    def _fill(
        self, element: Element, filled: list[tuple[Element, Cell, int, int]], first: int
    ) -> None:
        visibility = element.get(f"{_TABLE}visibility")
        for row in range(first, self._row + 1):
            if visibility in _OUT_OF_SIGHT:
                self.draft.hidden_rows.add(row)
            for cell, value, start, count in filled:
                is_veiled = self._is_veiled(cell)
                for column in range(start, start + count):
                    self.draft.put(row, column, value)
                    if self._struck and self._is_struck(cell):
                        self.draft.struck.add((row, column))
                    if is_veiled:
                        self.draft.veiled.add((row, column))
                    if cell.get(f"{_TABLE}formula") is not None:
                        self.draft.formulas.add((row, column))
                    if cell.get(f"{_OFFICE}value-type") == "percentage":
                        self.draft.percents.add((row, column))

    def _is_veiled(self, cell: Element) -> bool:
        """Whether a cell shows nothing: by the colour of its text, or by its number format."""
        style = cell.get(f"{_TABLE}style-name")
        if style in self._styles.veiled:
            return True
        shown = cell.find(f"{_TEXT}p") if style in self._styles.formatted else None
        if shown is None or shown.text or len(shown):
            return False
        # Zeros alone are often left out of sight.
        return (cell.get(f"{_OFFICE}value") or cell.get(f"{_OFFICE}string-value") or "0") != "0"

    def _is_struck(self, cell: Element) -> bool:
        """Whether the style of a cell, or of a piece of its text, strikes it through."""
        names = [cell.get(f"{_TABLE}style-name")]
        names += [span.get(f"{_TEXT}style-name") for span in cell.iter(f"{_TEXT}span")]
        return not self._struck.isdisjoint(name for name in names if name)

    def _cell(self, cell: Element, row: int, column: int) -> Cell:
        down = _repeated(cell, "number-rows-spanned")
        right = _repeated(cell, "number-columns-spanned")
        if down > 1 or right > 1:
            bottom, end = min(row + down - 1, LAST_ROW), min(column + right - 1, LAST_COLUMN)
            self.draft.merge(Merged(row, column, bottom, end))
        formula = cell.get(f"{_TABLE}formula")
        kind = cell.get(f"{_OFFICE}value-type")
        if kind is None:
            return None if formula is None else Uncounted(f"={formula.partition('=')[2]}")
        return _value(cell, kind, is_formula=formula is not None)


_NUMBERS = frozenset({"float", "percentage", "currency"})

# As LibreOffice and Excel show them, in English and in Russian.
_ERROR = re.compile(r"#(?:[A-Z]+(?:/[0A])?|[А-Я]+(?:/[0Д])?)[!?]?|(?:Err|Ошибка):\d{3}")


def _value(cell: Element, kind: str, *, is_formula: bool) -> Cell:
    text = _text(cell)
    is_error = cell.get(f"{_CALCEXT}value-type") == "error"
    if is_error or (is_formula and _ERROR.fullmatch(text)):
        return ErrorCell(text)
    if kind in _NUMBERS:
        value = read_text(cell.get(f"{_OFFICE}value") or "")
        # What is shown with leading zeros is a code.
        is_code = text.startswith("0") and text.isdigit() and len(text) > 1
        return text if is_code and isinstance(value, int) and int(text) == value else value
    if kind == "date":
        stated = iso_moment(cell.get(f"{_OFFICE}date-value") or "")
        return stated if isinstance(stated, datetime) else text
    if kind == "time":
        return _time(cell.get(f"{_OFFICE}time-value") or "", text)
    if kind == "boolean":
        return cell.get(f"{_OFFICE}boolean-value") == "true"
    return cell.get(f"{_OFFICE}string-value") or text


_DURATION = re.compile(
    r"P(?:(\d{1,6})D)?T?(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d*)?)S)?", re.ASCII
)


def _time(value: str, text: str) -> Cell:
    """A time of day, or 24 hours and more as such; the text for what is neither."""
    found = _DURATION.fullmatch(value)
    if found is None:
        return text
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=round(seconds))
    if length < timedelta(days=1):
        return time_of_day(length)
    return length


_BLANKS_MOST = 1000


def _text(cell: Element) -> str:
    """The paragraphs of a cell, without its comments and drawings."""
    return "\n".join("".join(_pieces(item)) for item in cell if item.tag == f"{_TEXT}p")


def _pieces(element: Element) -> Iterator[str]:
    if element.text:
        yield element.text
    for child in element:
        if child.tag == f"{_TEXT}s":
            yield " " * min(_repeated_blanks(child), _BLANKS_MOST)
        elif child.tag == f"{_TEXT}tab":
            yield "\t"
        elif child.tag == f"{_TEXT}line-break":
            yield "\n"
        elif str(child.tag).startswith(_TEXT) and child.tag != f"{_TEXT}ruby-text":
            yield from _pieces(child)
        if child.tail:
            yield child.tail


def _repeated_blanks(element: Element) -> int:
    text = element.get(f"{_TEXT}c") or "1"
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
