"""Cells, rows and columns as each format of workbook writes them, by hand; and their bounds."""

import io
import itertools
import struct
import zipfile
from datetime import datetime, time, timedelta

import pytest

from parsers import grid_draft, workbooks_xlsx
from parsers.grid import EPOCH_1900, EPOCH_1904, ErrorCell, Merged, Sheet, StruckCell, Uncounted
from parsers.grid_draft import SheetDraft, Spent, TooCostlyError
from parsers.workbooks import open_workbook
from parsers.workbooks_xlsx import iso_moment, spot, unescaped
from tests.hostile import corpus
from tests.parsers import pages


def day(*parts):
    return datetime(*parts)  # noqa: DTZ001 - a workbook knows no zones


def only(content) -> Sheet:
    opened = open_workbook(content)
    assert isinstance(opened, list), opened
    return opened[0]


def xlsx(rows: str, strings=(), styles="", properties="") -> Sheet:
    content = corpus.book(iter([rows.encode()]), iter(text.encode() for text in strings))
    if styles:
        made, files = corpus.with_part("styles.xml", styles.encode()), {}
        for source in (made, content):
            with zipfile.ZipFile(io.BytesIO(source)) as archive:
                files |= {
                    name: archive.read(name)
                    for name in archive.namelist()
                    if source is made or "sheet1" in name
                }
        book = files["xl/workbook.xml"].replace(b"<sheets>", f"{properties}<sheets>".encode())
        content = corpus.zipped(*(files | {"xl/workbook.xml": book}).items())
    return only(content)


STRINGS = [
    "<si><t>текст</t></si>", "<si><t/></si>", "<si><r><t>a</t></r><r><t>b</t></r></si>",
    "<si><t>кадзи</t><rPh><t>нет</t></rPh></si>", "<si><t>a_x000D_b</t></si>",
    "<si><r><rPr><strike/></rPr><t>a</t></r><r><t>b</t></r></si>",
    '<si><r><rPr><strike val="0"/></rPr><t>a</t></r><r><t>b</t></r></si>',
]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="A1"><v>7</v></c>', 7), ('<c r="A1"><v>7.5</v></c>', 7.5), ("<c><v>7</v></c>", 7),
        ('<c r="A1" t="s"><v>0</v></c>', "текст"), ('<c r="A1" t="s"><v>1</v></c>', None),
        ('<c r="A1" t="s"><v>2</v></c>', "ab"), ('<c r="A1" t="s"><v>3</v></c>', "кадзи"),
        ('<c r="A1" t="s"><v>4</v></c>', "a\rb"),
        ('<c r="A1" t="s"><v>5</v></c>', StruckCell("ab")),
        ('<c r="A1" t="s"><v>6</v></c>', "ab"), ('<c r="A1" t="str"><v>x_x0041_</v></c>', "xA"),
        ('<c r="A1" t="b"><v>1</v></c>', True), ('<c r="A1" t="b"><v>0</v></c>', False),
        ('<c r="A1" t="e"><v>#N/A</v></c>', ErrorCell("#N/A")),
        ('<c r="A1" t="d"><v>2026-11-01</v></c>', day(2026, 11, 1)),
        ('<c r="A1" t="inlineStr"><is><t>x</t></is></c>', "x"), ('<c r="A1"/>', None),
        ('<c r="A1"><f>B1+1</f></c>', Uncounted("=B1+1")), ('<c r="A1"><f>B1</f><v>2</v></c>', 2),
        ('<c r="A1" t="str"><f>B1</f><v></v></c>', None),
        ('<c r="A1"><f>=B1</f></c>', Uncounted("=B1")),
        ('<c r="A1"><v>x</v></c>', "x"), ('<c r="A1"><v>inf</v></c>', "inf"),
    ],
)  # fmt: skip
def test_a_cell_of_xlsx_is_what_it_says(cell, value):
    found = xlsx(f'<row r="1">{cell}</row>', STRINGS).cell(1, 1)
    assert (found, type(found)) == (value, type(value))


def test_rows_and_cells_of_xlsx_without_a_place_follow_one_another():
    sheet = xlsx(
        '<row><c><v>1</v></c><c><v>2</v></c></row><row r="5"><c r="C5"><v>3</v></c><c><v>4</v></c>'
        "</row><row><c><v>5</v></c></row>"
    )
    assert sheet.rows == {1: {1: 1, 2: 2}, 5: {3: 3, 4: 4}, 6: {1: 5}}


def test_a_formula_of_several_cells_is_uncounted_in_each():
    array = '<row r="1"><c r="A1"><f t="array" ref="A1:B2">C1</f></c></row>'
    assert xlsx(array).rows == {n: dict.fromkeys((1, 2), Uncounted("=C1")) for n in (1, 2)}
    counted = array.replace("</f>", "</f><v>1</v>")
    assert xlsx(counted).rows == {1: {1: 1}}
    assert xlsx(counted).formulas == {(1, 1)}


@pytest.mark.parametrize(
    ("about", "rows", "columns"),
    [
        ('<row r="1" hidden="1">', {1}, set()), ('<row r="1" ht="0">', {1}, set()),
        ('<row r="1" ht="1">', set(), set()), ('<row r="1" hidden="0">', set(), set()),
        ('<col min="1" max="2" hidden="1"/>', set(), {1, 2}),
        ('<col min="2" max="2" width="0"/>', set(), {2}),
        ('<col min="2" max="2" width="1"/>', set(), set()),
    ],
)  # fmt: skip
def test_what_is_hidden_or_of_no_size_in_xlsx_is_not_seen(about, rows, columns):
    row = about if about.startswith("<row") else '<row r="1">'
    cells = "".join(f'<c r="{name}1"><v>{n}</v></c>' for n, name in enumerate("ABC", 1))
    after = f"</sheetData><cols>{about}</cols><sheetData>" if row is not about else ""
    sheet = xlsx(f"{row}{cells}</row>{after}")
    gone = {1, 2, 3} if rows else columns
    assert set(sheet.unseen.get(1, {})) == gone
    assert set(sheet.rows.get(1, {})) == {1, 2, 3} - gone


STYLES = (
    f'<styleSheet xmlns="{corpus.SHEET}">'
    '<numFmts><numFmt numFmtId="164" formatCode="0000"/></numFmts>'
    '<fonts><font/><font><strike/></font><font><strike val="0"/></font></fonts>'
    '<cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="9"/><xf numFmtId="164"/>'
    '<xf numFmtId="0" fontId="1"/><xf numFmtId="14" fontId="2"/></cellXfs>'
    "<dxfs><dxf><font><strike/></font></dxf></dxfs></styleSheet>"
)


@pytest.mark.parametrize(
    ("style", "value"),
    [(0, 46327), (1, day(2026, 11, 1)), (2, 46327), (3, "46327"), (4, StruckCell(46327)),
     (5, day(2026, 11, 1))],
)  # fmt: skip
def test_a_style_of_xlsx_makes_of_a_number_what_it_shows(style, value):
    cells = f'<c r="A1" s="{style}"><v>46327</v></c><c r="B1"><v>1</v></c>'
    sheet = xlsx(f'<row r="1">{cells}</row>', styles=STYLES)
    assert sheet.cell(1, 1) == value
    assert sheet.percents == ({(1, 1)} if style == 2 else set())


@pytest.mark.parametrize(
    ("name", "place"),
    [("A1", (1, 1)), ("Z1", (1, 26)), ("AA1", (1, 27)), ("$AB$12", (12, 28)), ("xfd1048576",
     (1_048_576, 16_384)), ("ZZZZ1", None), ("A", None), ("1", None), ("A1 ", None), ("", None)],
)  # fmt: skip
def test_the_name_of_a_cell_is_its_row_and_column(name, place):
    if place:
        assert spot(name) == place
    else:
        with pytest.raises(ValueError, match="no cell"):
            spot(name)


@pytest.mark.parametrize(
    ("text", "moment"),
    [("2026-11-01", day(2026, 11, 1)), ("2026-11-01T09:30:00Z", day(2026, 11, 1, 9, 30)),
     ("T09:30", time(9, 30)), ("09:30:00", time(9, 30)), ("no", "no"), ("25:00", "25:00")],
)  # fmt: skip
def test_an_iso_moment_is_a_date_or_a_time(text, moment):
    assert iso_moment(text) == moment


def test_what_xml_cannot_hold_is_unescaped():
    assert unescaped("a_x0041_b_X0041_") == "aAb_X0041_"


def row(*cells, about="") -> str:
    return f"<table:table-row{about}>{''.join(cells)}</table:table-row>"


def cell(kind, value, text="", more="") -> str:
    where = {"float": "value", "percentage": "value", "date": "date-value", "time": "time-value",
             "boolean": "boolean-value", "string": "string-value"}[kind]  # fmt: skip
    stated = "" if value is None else f' office:{where}="{value}"'
    return (
        f'<table:table-cell office:value-type="{kind}"{stated}{more}>'
        f"<text:p>{text}</text:p></table:table-cell>"
    )


FORMULA = ' table:formula="of:=A1"'


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (cell("float", "7", "7"), 7), (cell("float", "7.5", "7,5"), 7.5),
        (cell("percentage", "0.25", "25%"), 0.25), (cell("float", "42", "0042"), "0042"),
        (cell("float", "0", "0"), 0), (cell("float", "42", "0043"), 42),
        (cell("float", "4.5", "04"), 4.5),
        (cell("float", "42", "0x42"), 42), (cell("date", "2026-11-01"), day(2026, 11, 1)),
        (cell("date", "no", "1 ноября"), "1 ноября"), (cell("date", "09:30", "x"), "x"),
        (cell("time", "PT09H30M00S"), time(9, 30)), (cell("time", "PT24H"), timedelta(days=1)),
        (cell("time", "P1DT1H"), timedelta(hours=25)),
        (cell("time", "PT23H59M59.6S"), timedelta(days=1)),
        (cell("time", "no", "x"), "x"), (cell("boolean", "true"), True),
        (cell("boolean", "false"), False), (cell("string", None, "текст"), "текст"),
        (cell("string", "stated", "shown"), "stated"), (cell("string", None, "#N/A"), "#N/A"),
        (cell("string", None, "#N/A", FORMULA), ErrorCell("#N/A")),
        (cell("string", None, "#Н/Д", FORMULA), ErrorCell("#Н/Д")),
        (cell("float", "0", "Err:502", FORMULA), ErrorCell("Err:502")),
        (cell("float", "0", "#ДЕЛ/0!", FORMULA), ErrorCell("#ДЕЛ/0!")),
        (f"<table:table-cell{FORMULA}/>", Uncounted("=A1")), ("<table:table-cell/>", None),
        (cell("string", None, 'a<text:s/>b<text:s text:c="3"/>c'), "a b   c"),
        (cell("string", None, 'a<text:s text:c="-1"/>b<text:s text:c="999999999"/>c'), "a b c"),
        (cell("string", None, "a<text:tab/>b<text:line-break/>c"), "a\tb\nc"),
        (cell("string", None, "a<text:span>b</text:span>c</text:p><text:p>d"), "abc\nd"),
        (cell("string", None, "<text:ruby>a<text:ruby-text>x</text:ruby-text></text:ruby>b"), "ab"),
    ],
)  # fmt: skip
def test_a_cell_of_ods_is_what_it_says(made, value):
    sheet = only(corpus.ods(row(made)))
    found = sheet.cell(1, 1)
    assert (found, type(found)) == (value, type(value))
    assert sheet.percents == ({(1, 1)} if "percentage" in made else set())
    assert sheet.formulas == ({(1, 1)} if FORMULA in made and value is not None else set())


@pytest.mark.parametrize("blanks", [999, 1000, 1001])
def test_blanks_of_ods_are_bounded(blanks):
    made = cell("string", None, f'a<text:s text:c="{blanks}"/>b')
    assert len(only(corpus.ods(row(made))).cell(1, 1)) == 2 + min(blanks, 1000)


def test_repeated_rows_columns_and_cells_of_ods_stand_in_each_place():
    one, empty = cell("float", "1"), '<table:table-cell table:number-columns-repeated="2"/>'
    twice = cell("float", "2", more=' table:number-columns-repeated="2"')
    sheet = only(
        corpus.ods(
            '<table:table-column table:number-columns-repeated="3"/>'
            '<table:table-column table:visibility="collapse" table:number-columns-repeated="2"/>'
            + row(one, about=' table:number-rows-repeated="2"')
            + row(empty, twice, one)
            + row(about=' table:number-rows-repeated="x"')
            + row(one, about=' table:visibility="filter"')
            + row(one, about=' table:visibility="collapse"')
        )
    )
    assert sheet.rows == {1: {1: 1}, 2: {1: 1}, 3: {3: 2}}
    assert sheet.unseen == {3: {4: 2, 5: 1}, 5: {1: 1}, 6: {1: 1}}


def test_a_merged_cell_of_ods_covers_its_range():
    more = ' table:number-rows-spanned="2" table:number-columns-spanned="3"'
    assert only(corpus.ods(row(cell("float", "1", more=more)))).merged == (Merged(1, 1, 2, 3),)


def xlsb(monkeypatch, *records: bytes) -> Sheet:
    monkeypatch.setattr(pages, "_xlsb_sheet", lambda _: b"".join(records))
    return only(pages.xlsb([pages.Page("Лист")]))


def at(column, style=0):
    return struct.pack("<II", column - 1, style)


def xlsb_row(number, flags=0):
    return pages._record(0, struct.pack("<IIHBBI", number - 1, 0, 300, 0, flags, 0))


RICH = b"\0" + pages._long("text")


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [
        (2, struct.pack("<i", 7 << 2 | 2), 7), (2, struct.pack("<i", 725 << 2 | 3), 7.25),
        (2, struct.pack("<i", -7 << 2 | 2), -7),
        (2, struct.pack("<d", 1.5)[4:], 1.5), (2, bytes([1]) + struct.pack("<d", 150.0)[5:], 1.5),
        (3, b"\x2a", ErrorCell("#N/A")), (3, b"\x07", ErrorCell("#DIV/0!")),
        (3, b"\x99", ErrorCell("#N/A")),
        (4, b"\1", True), (4, b"\0", False), (5, struct.pack("<d", 7.5), 7.5),
        (6, pages._long("текст"), "текст"), (62, RICH, "text"), (8, pages._long("f"), "f"),
        (6, b"\xff\xff\xff\xff", None), (9, struct.pack("<d", 2.0), 2), (10, b"\1", True),
        (11, b"\x17", ErrorCell("#REF!")),
    ],
)  # fmt: skip
def test_a_cell_of_xlsb_is_what_it_says(monkeypatch, kind, data, value):
    sheet = xlsb(monkeypatch, xlsb_row(2), pages._record(kind, at(3) + data))
    found = sheet.cell(2, 3)
    assert (found, type(found)) == (value, type(value))
    assert sheet.formulas == ({(2, 3)} if kind in range(8, 12) else set())


def test_rows_columns_and_ranges_of_xlsb_count_from_one(monkeypatch):
    def one(column):
        return pages._record(2, at(column) + struct.pack("<i", column << 2 | 2))

    sheet = xlsb(
        monkeypatch,
        pages._record(60, struct.pack("<IIIIH", 1, 2, 2048, 0, 1)),
        pages._record(60, struct.pack("<IIIIH", 4, 4, 0, 0, 0)),
        pages._record(60, struct.pack("<IIIIH", 3, 3, 1, 0, 0)),
        xlsb_row(1), *map(one, range(1, 7)), xlsb_row(2, 0x10), one(1), xlsb_row(3, 0x10), one(1),
        pages._record(176, struct.pack("<IIII", 4, 5, 0, 1)),
    )  # fmt: skip
    assert sheet.rows == {1: {1: 1, 4: 4, 6: 6}}
    assert sheet.unseen == {1: {2: 2, 3: 3, 5: 5}, 2: {1: 1}, 3: {1: 1}}
    assert sheet.merged == (Merged(5, 1, 6, 2),)


@pytest.mark.parametrize("length", [0x7F, 0x80, 0x3FFF, 0x4000])
def test_a_record_of_xlsb_is_as_long_as_it_says(monkeypatch, length):
    text = "x" * (length // 2)
    record = pages._record(6, at(1) + pages._long(text))
    assert xlsb(monkeypatch, xlsb_row(1), record).cell(1, 1) == text


COUNTS = {
    "sign": ("MOST_SIGNS", lambda spent, n: spent.sign(n)),
    "element": ("MOST_ELEMENTS", lambda spent, n: repeat(spent.element, n)),
    "sheet": ("MOST_SHEETS", lambda spent, n: repeat(spent.sheet, n)),
    "record": ("MOST_RECORDS", lambda spent, n: repeat(spent.record, n)),
    "cell": ("MOST_CELLS", lambda spent, n: spent.cell(n)),
    "letter": ("MOST_LETTERS", lambda spent, n: spent.letter(n)),
    "row": ("MOST_ROWS", lambda spent, n: repeat(lambda: spent.row(0, 2), n)),
    "lone": ("MOST_LONE", lambda spent, n: repeat(lambda: spent.row(0, 1), n)),
    "text": ("MOST_CELLS", lambda spent, n: repeat(spent.text, n)),
    "merge": ("MOST_MERGED", lambda spent, n: repeat(spent.merge, n)),
    "cover": ("MOST_COVERED", lambda spent, n: spent.cover(n - 1)),
}


def repeat(count, times):
    for _ in range(times):
        count()


@pytest.mark.parametrize("what", COUNTS)
def test_each_thing_is_counted_to_its_bound_and_no_further(what, monkeypatch):
    name, count = COUNTS[what]
    monkeypatch.setattr(grid_draft, name, 7)
    spent = Spent()
    count(spent, 7)
    assert spent.share > 0 or what in {"sheet", "row", "lone"}
    with pytest.raises(TooCostlyError, match="7"):
        count(spent, 1)


def test_what_a_workbook_costs_is_the_sum_of_its_shares():
    names = ["cells", "letters", "texts", "merged", "covered", "records", "signs", "elements"]
    bounds = [
        grid_draft.MOST_CELLS, grid_draft.MOST_LETTERS, grid_draft.MOST_CELLS,
        grid_draft.MOST_MERGED, grid_draft.MOST_COVERED, grid_draft.MOST_RECORDS,
        grid_draft.MOST_SIGNS, grid_draft.MOST_ELEMENTS,
    ]  # fmt: skip
    halves = {name: most // 2 for name, most in zip(names, bounds, strict=True)}
    assert Spent(**halves).share == 4
    for name, most in zip(names, bounds, strict=True):
        assert Spent(**{name: most}).share == 1


PLACES = [((1, 1), True), ((0, 1), False), ((1, 0), False), ((1_048_576, 16_384), True),
          ((1_048_577, 1), False), ((1, 16_385), False)]  # fmt: skip


@pytest.mark.parametrize(("place", "is_one"), PLACES)
def test_a_cell_lies_on_the_largest_sheet(place, is_one):
    (at_row, column), filled = place, {}
    for fill in (
        lambda draft: draft.put(at_row, column, 7),
        lambda draft: draft.fill(at_row, {column: 7}),
    ):
        draft = SheetDraft("1", Spent())
        if is_one:
            fill(draft)
            filled = draft.sheet().rows
            assert filled == {at_row: {column: 7}}
            assert (draft.spent.cells, draft.spent.rows) == (1, 1)
        else:
            with pytest.raises(TooCostlyError):
                fill(draft)


@pytest.mark.parametrize(("wide", "is_read"), [(3, True), (4, False)])
def test_a_row_is_as_wide_as_any_form_is(wide, is_read, monkeypatch):
    for module in (grid_draft, workbooks_xlsx):
        monkeypatch.setattr(module, "MOST_WIDE", 3)
    cells = "".join(f"<c><v>{n}</v></c>" for n in range(wide))
    opened = open_workbook(corpus.book(iter([f"<row>{cells}</row>".encode()])))
    assert isinstance(opened, list) is is_read
    for fill in (
        lambda draft: [draft.put(1, n, n) for n in range(1, wide + 1)],
        lambda draft: draft.fill(1, {n: n for n in range(1, wide + 1)}),
    ):
        draft = SheetDraft("1", Spent())
        if is_read:
            fill(draft)
        else:
            with pytest.raises(TooCostlyError):
                fill(draft)


def test_a_text_costs_its_letters_and_nothing_costs_nothing():
    draft = SheetDraft("1", Spent())
    draft.put(1, 1, "abc")
    draft.fill(1, {2: "de", 3: 7})
    draft.put(1, 4, "")
    draft.put(2, 4, None)
    draft.fill(3, {})
    assert (draft.spent.letters, draft.spent.cells, draft.spent.rows) == (5, 3, 1)


def test_of_struck_cells_a_whole_row_is_not_there():
    draft = SheetDraft("1", Spent())
    for place in itertools.product((1, 2), (1, 2)):
        draft.put(*place, 7)
    draft.struck |= {(1, 1), (2, 1), (2, 2), (9, 9)}
    sheet = draft.sheet()
    assert sheet.rows == {1: {1: StruckCell(7), 2: 7}}
    assert sheet.unseen == {2: {1: 7, 2: 7}}


@pytest.mark.parametrize(
    ("ranges", "within"),
    [([(2, 3)], {2, 3}), ([(2, 3), (3, 5)], {2, 3, 4, 5}), ([(2, 6), (3, 4)], {2, 3, 4, 5, 6}),
     ([(5, 6), (2, 2)], {2, 5, 6}), ([], set())],
)  # fmt: skip
def test_both_ends_of_a_range_belong_to_it(ranges, within):
    assert {n for n in range(1, 9) if n in grid_draft._Ranges(ranges)} == within


@pytest.mark.parametrize(("marked", "epoch"), [("1", EPOCH_1904), ("0", EPOCH_1900)])
def test_serials_count_from_the_first_day_that_the_book_says(marked, epoch):
    first = '<row r="1"><c r="A1" s="1"><v>44865</v></c></row>'
    sheet = xlsx(first, styles=STYLES, properties=f'<workbookPr date1904="{marked}"/>')
    assert (sheet.epoch, sheet.cell(1, 1)) == (epoch, epoch + timedelta(days=44865))
