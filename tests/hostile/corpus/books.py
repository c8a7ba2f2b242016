"""Workbooks that hurt their reader."""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
from collections.abc import Iterator

from layouts.findings import Code
from tests.hostile.corpus.making import (
    CODE,
    MB,
    archive,
    carrying,
    deflated,
    hostile,
    repeated,
    zipped,
)

SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def _types(*overrides: tuple[str, str]) -> bytes:
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    lines = "".join(
        f'<Override PartName="{name}" ContentType="{kinds}{kind}+xml"/>' for name, kind in overrides
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{lines}</Types>'
    ).encode()


def _relations(*targets: tuple[str, str], outside: str = "") -> bytes:
    lines = "".join(
        f'<Relationship Id="r{n}" Type="{_RELATED}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(targets, 1)
    )
    return (
        f'<Relationships xmlns="{_PACKAGE}/relationships">{lines}{outside}</Relationships>'.encode()
    )


def book(rows: Iterator[bytes], strings: Iterator[bytes] | None = None, outside: str = "") -> bytes:
    """An .xlsx of one sheet from pieces of its XML, packed as they come."""
    sheet = itertools.chain(
        [f'<worksheet xmlns="{SHEET}"><sheetData>'.encode()], rows, [b"</sheetData></worksheet>"]
    )
    parts = {
        "[Content_Types].xml": iter([
            _types(
                ("/xl/workbook.xml", "sheet.main"),
                ("/xl/worksheets/sheet1.xml", "worksheet"),
                ("/xl/sharedStrings.xml", "sharedStrings"),
            )
        ]),
        "_rels/.rels": iter([_relations(("officeDocument", "xl/workbook.xml"))]),
        "xl/workbook.xml": iter([
            f'<workbook xmlns="{SHEET}" xmlns:r="{_RELATED}"><sheets>'
            '<sheet name="1" sheetId="1" r:id="r1"/></sheets></workbook>'.encode()
        ]),
        "xl/_rels/workbook.xml.rels": iter([
            _relations(
                ("worksheet", "worksheets/sheet1.xml"),
                ("sharedStrings", "sharedStrings.xml"),
                outside=outside,
            )
        ]),
        "xl/worksheets/sheet1.xml": sheet,
        "xl/sharedStrings.xml": itertools.chain(
            [f'<sst xmlns="{SHEET}">'.encode()], strings or (), [b"</sst>"]
        ),
    }  # fmt: skip
    return archive(*((name, *deflated(pieces)) for name, pieces in parts.items()))


def cell(place: str, inside: str, kind: str = "") -> str:
    row = place.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return f'<row r="{row}"><c r="{place}"{kind}>{inside}</c></row>'


@hostile()
def workbook_of_the_largest_extent() -> bytes:
    rows = cell("A1", "<v>1</v>") + cell("XFD1048576", "<v>1</v>")
    return carrying("a.xlsx", book(iter([rows.encode()])))


# Far cells cost no more than near ones, so that these are read and are no form.
@hostile(Code.UNKNOWN_LAYOUT)
def workbook_of_the_widest_rows() -> bytes:
    rows = (cell(f"XFD{n}", "<v>1</v>").encode() for n in range(1, 5001))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def workbook_beyond_the_last_row() -> bytes:
    rows = cell("A99999999999", "<v>1</v>") + cell("ZZZZZZ1", "<v>1</v>") + cell("A0", "<v>1</v>")
    return carrying("a.xlsx", book(iter([rows.encode()])))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_cells() -> bytes:
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 1000)))


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def workbook_of_four_gigabytes_of_strings() -> bytes:
    piece = b"<si><t>" + b"a" * (MB - 20) + b"</t></si>"
    # A zip states sizes in 32 bits: this one seems small.
    packed = repeated(piece, 4100)
    content = book(iter([cell("A1", "<v>0</v>", ' t="s"').encode()]))
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        others = [
            (info.filename, *deflated(iter([old.read(info)])))
            for info in old.infolist()
            if info.filename != "xl/sharedStrings.xml"
        ]
    return carrying("a.xlsx", archive(*others, ("xl/sharedStrings.xml", *packed)))


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def workbook_of_sixty_megabytes_of_strings() -> bytes:
    strings = (b"<si><t>%d</t></si>" % n * 20 for n in range(120_000))
    return carrying("a.xlsx", book(iter([cell("A1", "<v>0</v>", ' t="s"').encode()]), strings))


@hostile()
def workbook_with_external_links() -> bytes:
    outside = (
        f'<Relationship Id="r8" Type="{_RELATED}/externalLink" '
        'Target="http://127.0.0.1:1/a.xlsx" TargetMode="External"/>'
        f'<Relationship Id="r9" Type="{_RELATED}/worksheet" '
        'Target="file:///etc/passwd" TargetMode="External"/>'
    )
    rows = cell("A1", "<f>[1]Sheet1!A1</f><v>1</v>") + cell("A2", "<f>WEBSERVICE(B1)</f>")
    return carrying("a.xlsx", book(iter([rows.encode()]), outside=outside))


@hostile(Code.FORBIDDEN_CONTENT)
def workbook_with_billion_laughs() -> bytes:
    entities = b'<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    return carrying("a.xlsx", book(iter([]), iter([entities, b"<si><t>&b;</t></si>"])))


@hostile()
def workbook_of_formulas() -> bytes:
    formula = "=".join(["SUM(A1:XFD1048576)"] * 500)
    rows = (cell(f"A{n}", f"<f>{formula}</f>").encode() for n in range(1, 2000))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def workbook_of_merged_cells() -> bytes:
    merged = b"".join(b'<mergeCell ref="A%d:XFD1048576"/>' % n for n in range(1, 20_000))
    rows = cell("A1", "<v>1</v>").encode() + b"</sheetData><mergeCells>" + merged
    return carrying("a.xlsx", book(iter([rows + b"</mergeCells><sheetData>"])))


@hostile(Code.TOO_COSTLY)
def workbook_of_numbers_without_end() -> bytes:
    values = ("1e999999999", "9" * 100_000, "-1e308", "NaN", "1e308")
    rows = "".join(cell(f"A{n}", f"<v>{value}</v>") for n, value in enumerate(values, 1))
    return carrying("a.xlsx", book(iter([rows.encode()])))


@hostile(Code.INVALID_NUMBER, Code.INVALID_CODE)
def workbook_of_controls() -> bytes:
    """Signs that clear a terminal, turn a line, and end a text where they stand."""
    import xlwt

    signs = "\x1b[2J\u202e\x07\0\ufffe"
    rows = (
        ("Макет", "52006"),
        ("Код пользователя", CODE),
        ("Дата показаний", "20.11.2026"),
        ("Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"),
        (f"{CODE}-01", "07512345", "A+", "T1", f"12{signs}"),
        (f"{CODE}-01{signs}", f"07512345{signs}", "A+", "T2", 5),
    )
    made = xlwt.Workbook()
    sheet = made.add_sheet("1\u202e")
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value)
    packed = io.BytesIO()
    made.save(packed)
    return carrying("a.xls", packed.getvalue())


@hostile(Code.TOO_COSTLY)
def workbook_of_a_thousand_sheets() -> bytes:
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="r1"/>' for n in range(1, 1001))
    content = book(iter([cell("A1", "<v>1</v>").encode()]))
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    files["xl/workbook.xml"] = (
        f'<workbook xmlns="{SHEET}" xmlns:r="{_RELATED}"><sheets>{sheets}</sheets></workbook>'
    ).encode()
    return carrying("a.xlsx", zipped(*files.items()))


def ods(rows: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{names}:office:1.0" '
        f'xmlns:table="{names}:table:1.0" xmlns:text="{names}:text:1.0">'
        '<office:body><office:spreadsheet><table:table table:name="1">'
        f"{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        made.writestr("content.xml", content, zipfile.ZIP_DEFLATED)
        made.writestr("META-INF/manifest.xml", f'<m xmlns="{names}:manifest:1.0"/>')
    return packed.getvalue()


_ODS_CELL = '<table:table-cell office:value-type="float" office:value="1"{}/>'


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def ods_of_the_largest_extent() -> bytes:
    empty = '<table:table-cell table:number-columns-repeated="16383"/>'
    one = _ODS_CELL.format("")
    return carrying(
        "a.ods",
        ods(
            f"<table:table-row>{one}</table:table-row>"
            '<table:table-row table:number-rows-repeated="1048574"><table:table-cell/>'
            f"</table:table-row><table:table-row>{empty}{one}</table:table-row>"
        ),
    )


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT)
def ods_of_a_cell_repeated_for_ever() -> bytes:
    one = _ODS_CELL.format(' table:number-columns-repeated="999999999"')
    return carrying(
        "a.ods",
        ods(f'<table:table-row table:number-rows-repeated="999999999">{one}</table:table-row>'),
    )


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xls_of_the_largest_extent() -> bytes:
    import xlwt

    made = xlwt.Workbook()
    sheet = made.add_sheet("1")
    for row, column in ((0, 0), (65_535, 255)):
        sheet.write(row, column, 1)
    packed = io.BytesIO()
    made.save(packed)
    return carrying("a.xls", packed.getvalue())


def _record(kind: int, content: bytes) -> bytes:
    """One record of a binary workbook (MS-XLSB 2.1.4)."""
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(content)
    return (
        head + (bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])) + content
    )


def _wide(text: str) -> bytes:
    return struct.pack("<L", len(text)) + text.encode("utf-16-le")


def _xlsb() -> bytes:
    def row(number: int) -> bytes:
        return _record(0, struct.pack("<2LHBBBL", number, 0, 300, 0, 0, 0, 0))

    def number(column: int) -> bytes:
        return _record(5, struct.pack("<2Ld", column, 0, 1.0))

    extent = _record(148, struct.pack("<4L", 0, 1_048_575, 0, 16_383))
    rows = row(0) + number(0) + row(1_048_575) + number(16_383)
    sheet = _record(129, b"") + extent + _record(145, b"") + rows + _record(146, b"")
    listed = _record(156, struct.pack("<2L", 0, 1) + _wide("r1") + _wide("1"))
    files = {
        "[Content_Types].xml": _types(),
        "_rels/.rels": _relations(("officeDocument", "xl/workbook.bin")),
        "xl/workbook.bin": _record(131, b"") + _record(143, b"") + listed + _record(144, b"")
        + _record(132, b""),
        "xl/_rels/workbook.bin.rels": _relations(("worksheet", "worksheets/sheet1.bin")),
        "xl/worksheets/sheet1.bin": sheet + _record(130, b""),
    }  # fmt: skip
    return zipped(*files.items())


@hostile(Code.TOO_COSTLY, Code.UNREADABLE_DOCUMENT, Code.UNKNOWN_LAYOUT)
def xlsb_of_the_largest_extent() -> bytes:
    return carrying("a.xlsb", _xlsb())


def with_part(part: str, content: bytes) -> bytes:
    """A workbook of one cell with one more part, which its sheet or its book refers to."""
    kind = part.rpartition("/")[2].removesuffix(".xml")
    whole = book(iter([cell("A1", "<v>1</v>").encode()]))
    with zipfile.ZipFile(io.BytesIO(whole)) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    about = files["xl/_rels/workbook.xml.rels"].decode()
    line = f'<Relationship Id="r7" Type="{_RELATED}/{kind}" Target="{part}"/>'
    files["xl/_rels/workbook.xml.rels"] = about.replace("</R", line + "</R").encode()
    files[f"xl/{part}"] = content
    return zipped(*files.items())


def sheet_with(element: str, count: int, around: str) -> bytes:
    """A workbook whose sheet has so many elements in another one, behind its cells."""
    inside = f"</sheetData><{around}>".encode()
    many = itertools.repeat((element * 1000).encode(), count // 1000)
    end = f"</{around}><sheetData>".encode()
    return book(itertools.chain([cell("A1", "<v>1</v>").encode(), inside], many, [end]))


@hostile(Code.TOO_COSTLY)
def workbook_of_two_hundred_thousand_styles() -> bytes:
    styles = f'<styleSheet xmlns="{SHEET}"><cellXfs>{"<xf/>" * 200_000}</cellXfs></styleSheet>'
    return carrying("a.xlsx", with_part("styles.xml", styles.encode()))


@hostile(Code.TOO_COSTLY)
def workbook_of_number_formats() -> bytes:
    one = '<numFmt numFmtId="{}" formatCode="{}"/>'
    formats = "".join(one.format(n, "[Red]0.0;" * 30) for n in range(100_000))
    styles = f'<styleSheet xmlns="{SHEET}"><numFmts>{formats}</numFmts></styleSheet>'
    return carrying("a.xlsx", with_part("styles.xml", styles.encode()))


@hostile(Code.TOO_COSTLY)
def workbook_of_shared_texts() -> bytes:
    return carrying("a.xlsx", book(iter([]), itertools.repeat(b"<si><t>a</t></si>" * 1000, 300)))


@hostile(Code.TOO_COSTLY)
def workbook_of_conditional_formats() -> bytes:
    rule = '<cfRule type="expression" priority="1"><formula>A1</formula></cfRule>'
    return carrying("a.xlsx", sheet_with(rule, 200_000, "conditionalFormatting"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hyperlinks() -> bytes:
    link = '<hyperlink ref="A1" location="A1"/>'
    return carrying("a.xlsx", sheet_with(link, 200_000, "hyperlinks"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hidden_columns() -> bytes:
    column = '<col min="1" max="16384" hidden="1"/>'
    return carrying("a.xlsx", sheet_with(column, 300_000, "cols"))


@hostile(Code.TOO_COSTLY)
def workbook_of_hidden_columns_over_many_cells() -> bytes:
    columns = b"".join(b'<col min="%d" max="%d" hidden="1"/>' % (n, n) for n in range(20_000))
    row = b"<row>" + b"<c><v>1</v></c>" * 16_000 + b"</row>"
    inside = (row * 2, b"</sheetData><cols>", columns, b"</cols><sheetData>")
    return carrying("a.xlsx", book(iter(inside)))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_empty_cells() -> bytes:
    row = b"<row>" + b"<c/>" * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 1000)))


@hostile(Code.TOO_COSTLY)
def workbook_of_a_million_empty_rows() -> bytes:
    return carrying("a.xlsx", book(itertools.repeat(b"<row/>" * 1000, 1000)))


@hostile()
def workbook_of_words() -> bytes:
    row = b"<row>" + b'<c t="inlineStr"><is><t>abc</t></is></c>' * 1000 + b"</row>"
    return carrying("a.xlsx", book(itertools.repeat(row, 39)))


@hostile(Code.TOO_COSTLY)
def workbook_of_labels() -> bytes:
    """Every cell is the label of a column."""
    label = '<c t="inlineStr"><is><t>Показание</t></is></c>'
    meter = '<c t="inlineStr"><is><t>№ прибора учёта</t></is></c>'
    row = f"<row>{(label + meter) * 250}</row>".encode()
    return carrying("a.xlsx", book(itertools.repeat(row, 78)))


@hostile(Code.TOO_COSTLY)
def workbook_of_facts() -> bytes:
    """Every row states another day of the readings."""
    fact = (
        '<row><c t="inlineStr"><is><t>Дата показаний</t></is></c>'
        '<c t="inlineStr"><is><t>20.11.2026</t></is></c></row>'
    )
    return carrying("a.xlsx", book(itertools.repeat((fact * 100).encode(), 250)))


@hostile(Code.TOO_COSTLY)
def workbook_of_array_formulas() -> bytes:
    rows = (cell(f"A{n}", f'<f t="array" ref="A{n}:XFD1048576">1</f>').encode() for n in (1, 2, 3))
    return carrying("a.xlsx", book(rows))


@hostile(Code.TOO_COSTLY)
def zip_of_fifty_costly_workbooks() -> bytes:
    one = book(itertools.repeat(b"<row/>" * 1000, 49))
    return carrying("a.zip", zipped(*((f"{n}.xlsx", one + bytes(n)) for n in range(50))))


@hostile(Code.TOO_COSTLY)
def ods_of_many_rows() -> bytes:
    return carrying("a.ods", ods("<table:table-row/>" * 300_000))


@hostile(Code.TOO_COSTLY)
def ods_of_filtered_rows() -> bytes:
    row = f'<table:table-row table:visibility="filter">{_ODS_CELL.format("")}</table:table-row>'
    return carrying("a.ods", ods(row * 20_000))


@hostile(Code.TOO_COSTLY)
def ods_of_spans() -> bytes:
    spans = ' table:number-rows-spanned="1000000" table:number-columns-spanned="16000"'
    row = f"<table:table-row>{_ODS_CELL.format(spans) * 100}</table:table-row>"
    return carrying("a.ods", ods(row * 300))


@hostile(Code.TOO_COSTLY)
def xlsb_of_a_million_records() -> bytes:
    with zipfile.ZipFile(io.BytesIO(_xlsb())) as old:
        files = {info.filename: old.read(info) for info in old.infolist()}
    files["xl/worksheets/sheet1.bin"] = _record(129, b"") + _record(1, b"") * 1_000_000
    return carrying("a.xlsb", zipped(*files.items()))


@hostile(Code.UNREADABLE_DOCUMENT)
def xls_whose_sectors_run_in_a_circle() -> bytes:
    import xlwt

    made = xlwt.Workbook()
    sheet = made.add_sheet("1")
    for row in range(2000):
        sheet.write(row, 0, "x" * 100 + str(row))
    packed = io.BytesIO()
    made.save(packed)
    content = bytearray(packed.getvalue())
    (table,) = struct.unpack_from("<L", content, 76)
    for at in range(512 * (table + 1), 512 * (table + 2), 4):
        struct.pack_into("<L", content, at, 1)
    return carrying("a.xls", bytes(content))


# Workbooks whose cells are few, and cost much.


def of_rows(rows: Iterator[bytes]) -> bytes:
    """A workbook of 52006 with more rows below its readings."""
    labels = ("Номер счётчика", "Канал", "Зона", "Дата", "Показание")
    title = b"<row>%s</row>" % b"".join(map(_text, labels))
    return carrying("a.xlsx", book(iter([title, *rows])))


def _text(text: str) -> bytes:
    return b'<c t="inlineStr"><is><t>%s</t></is></c>' % text.encode()


def _numbers(number: int) -> bytes:
    keys = b"".join(map(_text, ("07512345", "A+", "T1", "01.11.2026")))
    return b"<row>%s<c><v>%d</v></c></row>" % (keys, number)


@hostile()
def workbook_of_totals() -> bytes:
    total = b"<row>%s<c/><c/><c/><c><v>1</v></c></row>" % _text("Итого")
    return of_rows(row for number in range(1_000) for row in (_numbers(number), total))


@hostile(Code.TOO_COSTLY)
def workbook_of_long_texts() -> bytes:
    return of_rows(b"<row>%s</row>" % (_text("a: " + " " * 250 + "1") * 11) for _ in range(3_000))


@hostile()
def workbook_of_names_that_end_in_no_number() -> bytes:
    return of_rows(b"<row>%s</row>" % _text("№" * 90 + "y" * 90 + f"{n}x") for n in range(300))
