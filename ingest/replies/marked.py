"""The sender's own workbook with the findings marked in it; for the sandbox only.

What is read here is hostile, so that `mark` runs in the same bounded child that
reads documents. What costs openpyxl much is counted before it is asked. Passwords are
taken out of every cell, comment and property; nothing that a workbook program would
follow or run is sent on.
"""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import PurePath
from typing import Any

import openpyxl
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell, MergedCell
from openpyxl.cell.rich_text import CellRichText
from openpyxl.comments import Comment
from openpyxl.drawing.spreadsheet_drawing import SpreadsheetDrawing
from openpyxl.formatting.formatting import ConditionalFormattingList
from openpyxl.packaging.core import DocumentProperties
from openpyxl.packaging.custom import CustomPropertyList
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.styles.table import TableStyleList
from openpyxl.utils import get_column_letter, quote_sheetname, range_boundaries
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet._writer import WorksheetWriter
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.scenario import ScenarioList
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from ingest.letters.secrets import Masker, is_telling
from ingest.letters.terms import Marked
from ingest.replies.cells import cell_position
from ingest.replies.message import one_line
from ingest.replies.repeats import SHOWN_MOST, weight
from ingest.replies.texts import advice, sentence, title
from ingest.replies.view import TOLD_ELSEWHERE
from ingest.replies.wording import Wording, wording
from layouts.document import Document
from layouts.findings import Code, Finding, Severity
from layouts.terms import LANGUAGES

_FILLS = {
    Severity.ERROR: PatternFill("solid", fgColor="FFF4A6A0"),
    Severity.WARNING: PatternFill("solid", fgColor="FFFFC58A"),
    Severity.NOTE: PatternFill("solid", fgColor="FFCFE3F5"),
}
_MARK_COLOURS = {
    *(fill.fgColor.rgb for fill in _FILLS.values()),
    # Of the remarks in workbooks that were marked before October 2026.
    "FFFFE58A",
}
_HEAD = PatternFill("solid", fgColor="FFE8E8E8")
_AT_TOP = Alignment(vertical="top")
_WRAPPED = Alignment(wrap_text=True, vertical="top")
_LABEL = re.compile(r"\s*(парол[ья]?|password|passwd|pwd)\b\s*[:=–—-]*\s*", re.IGNORECASE)
_COMMENT_MOST = 2000
_REACH = 12

_CELLS_MOST = 200_000
"""Tags of cells, rows and values: openpyxl makes some 100,000 cells a second."""

_OTHER_TAGS_MOST = 10_000
"""All other tags of a package together: styles, rules, names, links. Each is an object."""

_COVERED_MOST = 50_000
"""Cells under merged ranges and links, each of which openpyxl makes."""

_PIECE = 1 << 20
_OF_CELLS = re.compile(rb"<(?:\w{1,8}:)?(?:c|f|v|row|si|t|is)[ >/]")
_TAG = re.compile(rb"<[A-Za-z]")
_RANGE = re.compile(rb"<(?:\w+:)?(?:mergeCell|hyperlink)\b[^>]*?\bref\s*=\s*[\"']([^\"']{1,40})")

Values = Mapping[str, Mapping[int, Mapping[int, Any]]]
"""What is written in a workbook: by sheet, row and column, both from 1."""

# What the two readers raise on damaged bytes; neither promises anything narrower.
UNREADABLE = (
    InvalidFileException,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)

# What openpyxl does not carry, by the names of a package's parts.
_PARTS = {
    "images": re.compile(r"xl/media/"),
    "macros": re.compile(r"xl/vbaProject\.bin$"),
    "controls": re.compile(r"xl/(ctrlProps|activeX)/"),
    "slicers": re.compile(r"xl/(slicers|timelines)/"),
    "threads": re.compile(r"xl/threadedComments/"),
    "signature": re.compile(r"_xmlsignatures/"),
}
# The same, by what stands in parts of that name.
_SIGNS = {
    "shapes": (re.compile(r"xl/drawings/drawing\d+\.xml$"), (b"<xdr:sp",)),
    "extensions": (re.compile(r"xl/worksheets/sheet\d+\.xml$"), (b"<extLst",)),
    "formulas": (re.compile(r"xl/worksheets/sheet\d+\.xml$"), (b"<f>", b"<f ")),
    "links": (
        re.compile(r"xl/(worksheets/sheet\d+|workbook)\.xml$"),
        (b"<hyperlink", b"<externalRef"),
    ),
    "rules": (re.compile(r"xl/worksheets/sheet\d+\.xml$"), (b"<conditionalFormatting",)),
    "charts": (re.compile(r"xl/drawings/drawing\d+\.xml$"), (b"<c:chart",)),
}


def mark(
    document: Document,
    findings: Sequence[Finding],
    secrets: Collection[str],
    language: str,
    read_values: Callable[[bytes], Values | None],
) -> Marked | None:
    """The workbook as .xlsx, its faulty cells filled and commented.

    An .xlsx or .xlsm keeps its values and formats; of an .xls, .xlsb or .ods the values
    are carried over. Formulas become their values, and sheets that were not read are
    left out. A first sheet lists the findings with links to their cells. None if it is
    no workbook, or one that is too costly to mark.

    Args:
        document: A workbook in one of the formats that are read.
        findings: Of that document.
        secrets: Every password candidate of the letter, right or wrong.
        language: Of the marks.
        read_values: What is written in a workbook that openpyxl cannot open.
    """
    words = wording(language)
    if _is_costly(document.content):
        return None
    opened = _opened(document.content, read_values)
    if opened is None:
        return None
    workbook, lost = opened
    masker = Masker(secrets)
    for worksheet in workbook.worksheets:
        # As findings name it; what is not read has to be found by its name.
        if (name := masker.text(worksheet.title)) != worksheet.title:
            worksheet.title = name
    if _without_other_sheets(workbook, findings):
        lost += ("sheets",)
    if not workbook.worksheets:
        return None
    _without_other_parts(workbook, words.word("marks", "author"))
    for worksheet in workbook.worksheets:
        _without_live_parts(worksheet)
    _without_marks(workbook)
    _without_passwords(workbook, masker)
    shown = list(_shown(findings))
    for (sheet, cell), items in _by_cell(shown).items():
        _mark_cell(workbook, sheet, cell, items, words)
    _list(workbook, shown, document.name, words)
    content = _saved(workbook)
    if _tells(content, secrets):
        return None
    return Marked(content, lost)


def _is_costly(content: bytes) -> bool:
    """Whether openpyxl would need long for a package; counted without unpacking it whole."""
    if content[:2] != b"PK":
        return False
    cells = others = covered = 0
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            for entry in package.infolist():
                if not entry.filename.lower().endswith((".xml", ".rels", ".vml")):
                    continue
                with package.open(entry) as part:
                    while piece := part.read(_PIECE):
                        of_cells = len(_OF_CELLS.findall(piece))
                        cells += of_cells
                        others += len(_TAG.findall(piece)) - of_cells
                        covered += sum(map(_area, _RANGE.findall(piece)))
                        if (
                            cells > _CELLS_MOST
                            or others > _OTHER_TAGS_MOST
                            or covered > _COVERED_MOST
                        ):
                            return True
    except UNREADABLE:
        return False
    return False


def _area(name: bytes) -> int:
    """How many cells a range has; one that is none counts as more than any may have."""
    try:
        bounds: Any = range_boundaries(name.decode("ascii"))  # None where a range is open
        left, top, right, bottom = bounds
        return int((right - left + 1) * (bottom - top + 1))
    except (ValueError, TypeError):
        return _COVERED_MOST + 1


def _without_other_sheets(workbook: Workbook, findings: Sequence[Finding]) -> bool:
    """Take out hidden sheets and those told as not read; whether there are any."""
    unread = {
        item.place.sheet
        for item in findings
        if item.code is Code.NOT_READ and item.place.sheet and item.place.cell is None
    }
    others = [
        sheet
        for sheet in workbook.worksheets
        if sheet.title in unread or sheet.sheet_state != "visible"
    ]
    for sheet in others:
        workbook.remove(sheet)
    for chart in list(workbook.chartsheets):
        workbook.remove(chart)
    return bool(others)


def _without_other_parts(workbook: Any, author: str) -> None:  # openpyxl's stubs know not all
    """Take out what a workbook has beside its sheets and styles, and that it is a template."""
    workbook.defined_names.clear()
    workbook.custom_doc_props = CustomPropertyList()
    workbook.properties = DocumentProperties(creator=author)
    workbook.loaded_theme = None  # It would be written as it came.
    workbook.template, workbook.code_name = False, None
    # Of rules and tables, which are taken out as well.
    workbook._differential_styles.styles = []  # noqa: SLF001
    workbook._table_styles = TableStyleList()  # noqa: SLF001


def _without_live_parts(sheet: Any) -> None:  # openpyxl's stubs know none of these
    """Take out what a workbook program follows or calculates: links, rules, tables, charts."""
    for cell in sheet._cells.values():  # noqa: SLF001 - see `_filled`
        if not isinstance(cell, MergedCell):
            cell.hyperlink = None
            if isinstance(cell.value, str | CellRichText) and cell.data_type != "e":
                # A cell without a formula may still say that its type is one.
                cell.data_type = "s"
    sheet._hyperlinks = []  # noqa: SLF001
    sheet._charts, sheet._images, sheet._pivots = [], [], []  # noqa: SLF001
    sheet.conditional_formatting = ConditionalFormattingList()
    sheet.tables.clear()
    sheet.defined_names.clear()
    sheet.legacy_drawing, sheet.scenarios = None, ScenarioList()
    sheet.sheet_properties.codeName = sheet.sheet_properties.syncRef = None
    sheet.auto_filter.filterColumn, sheet.auto_filter.sortState = [], None
    kept = [rule for rule in sheet.data_validations.dataValidation if _is_literal(rule)]
    sheet.data_validations.dataValidation = kept


def _is_literal(rule: Any) -> bool:
    """Whether a validation compares with what stands in it, and calculates nothing."""
    given = [text for text in (rule.formula1, rule.formula2) if text is not None]
    return all(_LITERAL.fullmatch(str(text)) for text in given)


# What is chosen from a list is entered like typed text: no item may begin a formula.
_FORMULA = r'\s*(?:[=@]|[-+]\s*[^\s",;])'
_LITERAL = re.compile(rf'"(?!{_FORMULA})(?:[^",;]|[,;](?!{_FORMULA}))*"|-?\d+(?:\.\d+)?')


def _opened(
    content: bytes, read_values: Callable[[bytes], Values | None]
) -> tuple[Workbook, tuple[str, ...]] | None:
    """A workbook that can be changed, and what it has lost by being opened."""
    if content[:2] == b"PK":
        try:
            return _loaded(content), _lost(content)
        except UNREADABLE:
            # An .ods or .xlsb, or a package that only our own readers cope with.
            pass
    values = read_values(content)
    return (_copied(values), ("formats",)) if values else None


def _loaded(content: bytes) -> Workbook:
    with warnings.catch_warnings():
        # It warns of every extension it drops; `_lost` tells the sender instead.
        warnings.simplefilter("ignore")
        return openpyxl.load_workbook(
            io.BytesIO(content), rich_text=True, data_only=True, keep_links=False
        )


def _lost(content: bytes) -> tuple[str, ...]:
    lost = []
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = package.namelist()
        for key, pattern in _PARTS.items():
            if any(pattern.match(name) for name in names):
                lost.append(key)
        for key, (pattern, signs) in _SIGNS.items():
            parts = [package.read(name) for name in names if pattern.match(name)]
            if any(sign in part for part in parts for sign in signs):
                lost.append(key)
    return tuple(lost)


def _copied(sheets: Values) -> Workbook:
    """The values of a workbook that openpyxl cannot read."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(_sheet_name(workbook, name))
        for row, values in rows.items():
            for column, value in values.items():
                _put(sheet, row, column, value)
    return workbook


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    cell = sheet.cell(row, column)
    if isinstance(value, str):
        _write(cell, value)
    elif isinstance(value, int | float | datetime | date | time | timedelta):
        sheet.cell(row, column, value)


def _write(cell: Cell | MergedCell, text: str) -> None:
    """Text as text, also one that begins like a formula."""
    if isinstance(cell, MergedCell):
        return
    cell.value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", text)[:32_000]
    cell.data_type = "s"


def _without_marks(workbook: Workbook) -> None:
    """Take out what an earlier reply marked: senders mend the workbook they got back."""
    authors = {wording(language).word("marks", "author") for language in LANGUAGES}
    for sheet in workbook.worksheets:
        for cell in _filled(sheet):
            if cell.comment is not None and cell.comment.author in authors:
                cell.comment = None
                if _rgb(cell) in _MARK_COLOURS:
                    cell.fill = PatternFill()
    lists = {wording(language).word("marks", "title").partition("{")[0] for language in LANGUAGES}
    for sheet in workbook.worksheets[:1]:
        if len(workbook.worksheets) > 1 and str(sheet.cell(1, 1).value).startswith(tuple(lists)):
            workbook.remove(sheet)


def _rgb(cell: Cell | MergedCell) -> object:
    fill = cell.fill
    return fill.fgColor.rgb if fill is not None and fill.fill_type == "solid" else None


def _without_passwords(workbook: Workbook, masker: Masker) -> None:
    for sheet in workbook.worksheets:
        for cell in _filled(sheet):
            _hide(sheet, cell, masker)
        rules = sheet.data_validations.dataValidation
        rules[:] = [r for r in rules if not any(map(masker.holds, (r.formula1, r.formula2)))]
        for rule in rules:
            _mask(rule, ("prompt", "promptTitle", "error", "errorTitle"), masker)
        for place in ("odd", "even", "first"):
            for which in ("Header", "Footer"):
                line = getattr(sheet, f"{place}{which}")
                for part in (line.left, line.center, line.right):
                    _mask(part, ("text",), masker)
                    part.font = None if masker.holds(part.font) else part.font
    _without_names(workbook, masker)


def _without_names(workbook: Any, masker: Masker) -> None:  # openpyxl's stubs know none of these
    """Give what is named by a password a plain name: fonts, styles, formats of numbers."""
    for font in workbook._fonts:  # noqa: SLF001 - as are the other two
        font.name = "Calibri" if masker.holds(font.name) else font.name
    for number, style in enumerate(workbook._named_styles):  # noqa: SLF001
        style.name = f"Style {number}" if masker.holds(style.name) else style.name
    formats = workbook._number_formats  # noqa: SLF001
    formats[:] = ["General" if masker.holds(code) else code for code in formats]


def _mask(holder: Any, names: Sequence[str], masker: Masker) -> None:
    for name in names:
        if isinstance(value := getattr(holder, name), str):
            setattr(holder, name, masker.text(value))


def _filled(sheet: Worksheet) -> list[Cell | MergedCell]:
    # `iter_rows` would make every empty cell up to the last one, which a single
    # formatted cell may put at XFD1048576.
    return list(sheet._cells.values())  # noqa: SLF001


def _hide(sheet: Worksheet, cell: Cell | MergedCell, masker: Masker) -> None:
    if cell.comment is not None:
        text = masker.text(cell.comment.text)
        author = masker.text(cell.comment.author or "")
        if (text, author) != (cell.comment.text, cell.comment.author):
            cell.comment = Comment(text, author)
    if isinstance(cell, MergedCell) or not isinstance(cell.value, str | CellRichText):
        return
    text = str(cell.value)
    label = _LABEL.match(text)
    if label is not None:
        if label.end() < len(text):
            _write(cell, text[: label.end()])
        _empty_beside(sheet, cell, masker)
    elif masker.text(text) != text:
        _write(cell, masker.text(text))


def _empty_beside(sheet: Worksheet, label: Cell, masker: Masker) -> None:
    """Empty the nearest filled cell right of a label, and a password below it."""
    cells = sheet._cells  # noqa: SLF001 - see `_filled`
    right = (cells.get((label.row, label.column + step)) for step in range(1, _REACH + 1))
    beside = next((cell for cell in right if cell is not None and cell.value is not None), None)
    below = cells.get((label.row + 1, label.column))
    if isinstance(beside, Cell):
        beside.value = None
    if isinstance(below, Cell) and str(below.value) in masker.secrets:
        below.value = None


def _shown(findings: Sequence[Finding]) -> Iterator[Finding]:
    taken: Counter[str] = Counter()
    told = (item for item in findings if item.code not in TOLD_ELSEWHERE)
    for item in sorted(told, key=lambda item: weight(item.severity)):
        taken[item.public_code] += 1
        if taken[item.public_code] <= SHOWN_MOST:
            yield item


def _by_cell(findings: Sequence[Finding]) -> dict[tuple[str, str], list[Finding]]:
    cells: dict[tuple[str, str], list[Finding]] = {}
    for item in findings:
        if item.place.sheet is not None and item.place.cell is not None:
            cells.setdefault((item.place.sheet, item.place.cell), []).append(item)
    return cells


def _mark_cell(
    workbook: Workbook, sheet_name: str, name: str, items: Sequence[Finding], words: Wording
) -> None:
    cell = _cell(workbook, sheet_name, name)
    if cell is None:
        return
    cell.fill = _FILLS[min((i.severity for i in items), key=weight)]
    told = [_told(item, words) for item in items]
    if cell.comment is not None:
        told.insert(0, cell.comment.text)
    comment = Comment("\n\n".join(told)[:_COMMENT_MOST], words.word("marks", "author"))
    comment.width, comment.height = 360, 160
    cell.comment = comment


def _cell(workbook: Workbook, sheet_name: str, name: str) -> Cell | None:
    """The cell of that name; the first one of its merged range."""
    position = cell_position(name)
    sheet = _sheet(workbook, sheet_name)
    if position is None or sheet is None:
        return None
    cell = sheet.cell(*position)
    if not isinstance(cell, MergedCell):
        return cell
    for merged in sheet.merged_cells.ranges:
        if name in merged:
            first = sheet.cell(merged.min_row, merged.min_col)
            return first if not isinstance(first, MergedCell) else None
    return None


def _sheet(workbook: Workbook, name: str) -> Worksheet | None:
    return next((sheet for sheet in workbook.worksheets if sheet.title == name), None)


def _told(item: Finding, words: Wording) -> str:
    language = words.language
    mark = words.say(item.severity.value)
    head = f"{mark}: {title(item.public_code, language)}."
    return f"{head} {sentence(item, language, words)} {advice(item.public_code, language)}"


def _list(workbook: Workbook, findings: Sequence[Finding], name: str, words: Wording) -> None:
    """The first sheet: every finding, with a link to its cell."""
    sheet = workbook.create_sheet(_sheet_name(workbook, words.word("marks", "sheet")), 0)
    heading = words.word("marks", "title").format(name=one_line(PurePath(name).name, 100))
    _write(sheet.cell(1, 1), heading)
    sheet.cell(1, 1).font = Font(name=_FONT, bold=True, size=13)
    columns = [
        *(words.word("marks", key) for key in ("number", "kind", "sheet_column", "cell_column")),
        *(words.say(key) for key in ("written", "finding", "advice")),
    ]
    for column, (text, width) in enumerate(zip(columns, _WIDTHS, strict=True), 1):
        cell = sheet.cell(3, column)
        _write(cell, text)
        cell.font, cell.fill = Font(name=_FONT, bold=True), _HEAD
        sheet.column_dimensions[get_column_letter(column)].width = width
    for number, item in enumerate(findings, 1):
        _list_row(workbook, sheet, number, item, words)
    sheet.freeze_panes = "A4"
    sheet.sheet_view.showGridLines = False
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    _select(workbook, sheet)


_WIDTHS = (5, 13, 18, 10, 26, 50, 60)
_FONT = "Calibri"
_LINE_POINTS = 15


def _list_row(
    workbook: Workbook, sheet: Worksheet, number: int, item: Finding, words: Wording
) -> None:
    row = number + 3
    where = item.place
    code, language = item.public_code, words.language
    told = f"{title(code, language)}. {sentence(item, language, words)}"
    texts = (
        words.say(item.severity.value),
        where.sheet or "",
        where.cell or "",
        item.seen or "",
        told,
        advice(code, language),
    )
    sheet.cell(row, 1, number).alignment = _AT_TOP
    for column, text in enumerate(texts, 2):
        cell = sheet.cell(row, column)
        _write(cell, text)
        cell.alignment = _WRAPPED
    sheet.cell(row, 2).fill = _FILLS[item.severity]
    # LibreOffice does not grow a row for text that wraps, and Excel only at times.
    lines = max(
        -(-len(text) // (width - 2)) for text, width in zip(texts, _WIDTHS[1:], strict=True)
    )
    sheet.row_dimensions[row].height = _LINE_POINTS * max(lines, 1)
    if where.sheet and where.cell and _cell(workbook, where.sheet, where.cell) is not None:
        link = sheet.cell(row, 4)
        target = f"{quote_sheetname(where.sheet)}!{where.cell}"
        link.hyperlink = Hyperlink(ref=link.coordinate, location=target)
        link.font = Font(name=_FONT, color="FF0B57D0", underline="single")


def _select(workbook: Workbook, sheet: Worksheet) -> None:
    """Open the workbook at `sheet`, the only selected one."""
    for other in workbook.worksheets:
        other.sheet_view.tabSelected = other is sheet
    workbook.active = sheet


def _sheet_name(workbook: Workbook, wanted: str) -> str:
    name = re.sub(r"[\\*?:/\[\]]", " ", ILLEGAL_CHARACTERS_RE.sub(" ", wanted)).strip(" '")
    name = name[:31] or "Sheet"
    taken = {sheet.casefold() for sheet in workbook.sheetnames}
    number = 1
    free = name
    while free.casefold() in taken:
        number += 1
        free = f"{name[:26]} ({number})"
    return free


class _Writer(ExcelWriter):
    """Writes sheets without a temporary file: a confined child can make none."""

    def write_worksheet(self, ws: Any) -> None:  # its stubs know none of what is used here
        writer: Any
        drawing = SpreadsheetDrawing()
        drawing.charts, drawing.images = ws._charts, ws._images  # noqa: SLF001 - as its base does
        ws._drawing = drawing  # noqa: SLF001
        out = io.BytesIO()
        writer = WorksheetWriter(ws, out)
        writer.write()
        ws._rels = writer._rels  # noqa: SLF001
        self._archive.writestr(  # type: ignore[attr-defined]
            ws.path[1:], out.getvalue()
        )
        self.manifest.append(ws)


def _saved(workbook: Workbook) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _Writer(workbook, archive).write_data()
    return buffer.getvalue()


def _tells(content: bytes, secrets: Collection[str]) -> bool:
    """Whether a password of the letter is still somewhere in the workbook, such as in a name."""
    wanted = [secret.encode() for secret in filter(is_telling, secrets)]
    if not wanted:
        return False
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        texts = [package.read(name) for name in package.namelist()]
    return any(secret in text for secret in wanted for text in texts)
