"""Elements of .ods by hand: styles, tables in tables, ranges, and what a cell shows."""

from datetime import datetime, time, timedelta

import pytest

from parsers.grid import EPOCH_1900, EPOCH_1904, ErrorCell, Merged, Sheet, StruckCell, Uncounted
from parsers.workbooks import open_workbook
from tests.hostile.corpus import zipped
from tests.parsers.pages import _NAMES
from tests.parsers.test_packages import SHEETS

NAMES = f'{_NAMES} xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"'


def style(name: str, inner: str, about: str = "") -> str:
    return f'<style:style style:name="{name}"{about}>{inner}</style:style>'


def book(*tables: str, styles: str = "", before: str = "") -> list[Sheet]:
    content = (
        f"<office:document-content {NAMES}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:spreadsheet>{before}{''.join(tables)}"
        "</office:spreadsheet></office:body></office:document-content>"
    )
    opened = open_workbook(zipped(("mimetype", SHEETS), ("content.xml", content.encode())))
    assert isinstance(opened, list), opened
    return opened


def table(*rows: str, about: str = ' table:name="Лист"') -> str:
    return f"<table:table{about}>{''.join(rows)}</table:table>"


def row(*cells: str, about: str = "") -> str:
    return f"<table:table-row{about}>{''.join(cells)}</table:table-row>"


def cell(value: object, shown: str | None = None, about: str = "", kind: str = "float") -> str:
    text = f"<text:p>{value if shown is None else shown}</text:p>"
    stated = f' office:value-type="{kind}" office:value="{value}"'
    return f"<table:table-cell{stated}{about}>{text}</table:table-cell>"


def words(text: str, about: str = "") -> str:
    stated = ' office:value-type="string"'
    return f"<table:table-cell{stated}{about}>{text}</table:table-cell>"


def only(*rows: str, styles: str = "") -> Sheet:
    (sheet,) = book(table(*rows), styles=styles)
    return sheet


def day(*parts: int) -> datetime:
    return datetime(*parts)  # noqa: DTZ001 - a workbook knows no zones


@pytest.mark.parametrize(
    ("about", "epoch"),
    [(' table:date-value="1904-01-01"', EPOCH_1904), (' table:date-value="1899-12-30"', EPOCH_1900),
     ("", EPOCH_1900), (' table:date-value="x"', EPOCH_1900), (' table:date-value="09:30"',
      EPOCH_1900)],
)  # fmt: skip
def test_a_book_says_from_which_day_it_counts(about, epoch):
    settings = f"<table:calculation-settings><table:null-date{about}/></table:calculation-settings>"
    for sheet in book(table(row(cell(7))), table(row(cell(8))), before=settings):
        assert sheet.epoch == epoch
    (sheet,) = book(table(row(cell(7))))
    assert sheet.epoch == EPOCH_1900


HIDES = style("off", '<style:table-properties table:display="false"/>')
SHOWS = style("on", '<style:table-properties table:display="true"/>')


def test_sheets_are_tables_with_their_names_and_their_own_rows():
    first = table(row(cell(1)), about=' table:name="А" table:style-name="off"')
    second = table(row(cell(2)), row(cell(3)), about=' table:style-name="on"')
    sheets = book(first, second, table(), styles=HIDES + SHOWS)
    assert [(one.name, one.is_visible, one.rows) for one in sheets] == [
        ("А", False, {1: {1: 1}}), ("", True, {1: {1: 2}, 2: {1: 3}}), ("Лист", True, {})
    ]  # fmt: skip


def test_a_table_in_a_cell_is_neither_a_sheet_nor_a_part_of_one():
    inner = table(row(cell(8)), row(cell(9)), about=' table:name="В ячейке"')
    sheets = book(table(row(cell(1)), row(words(inner + "<text:p>x</text:p>")), row(cell(2))),
                  table(row(cell(3))))  # fmt: skip
    assert [(one.name, one.rows) for one in sheets] == [
        ("Лист", {1: {1: 1}, 2: {1: "x"}, 3: {1: 2}}), ("Лист", {1: {1: 3}})
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("repeated", "columns"),
    [("", [1, 2]), ("2", [1, 2, 3]), ("0", [2]), ("x", [1, 2]), ("٣", [1, 2]), ("-1", [1, 2])],
)
def test_a_number_of_repeats_is_in_plain_digits(repeated, columns):
    more = f' table:number-columns-repeated="{repeated}"' if repeated else ""
    sheet = only(row(cell(7, about=more), cell(8)))
    assert [*sheet.rows[1]] == ([1] if repeated == "0" else columns)
    hides = f'<table:table-column table:visibility="collapse"{more}/><table:table-column/>'
    sheet = only(hides, row(*(cell(n) for n in range(1, 6))))
    count = {"2": 2, "0": 0}.get(repeated, 1)
    assert [*sheet.unseen.get(1, {})] == [*range(1, count + 1)]


def test_more_rows_than_any_sheet_has_end_it():
    empty = row("<table:table-cell/>", about=' table:number-rows-repeated="99999999999"')
    assert only(row(cell(7)), empty).rows == {1: {1: 7}}
    last = row("<table:table-cell/>", about=' table:number-rows-repeated="1048574"')
    assert only(row(cell(7)), last, row(cell(8))).rows == {1: {1: 7}, 1_048_576: {1: 8}}


@pytest.mark.parametrize(
    ("visibility", "is_seen"), [("visible", True), ("collapse", False), ("filter", False)]
)
def test_rows_and_columns_out_of_sight_are_not_seen(visibility, is_seen):
    about = f' table:visibility="{visibility}"'
    rows = row(cell(2), about=about + ' table:number-rows-repeated="2"')
    sheet = only(row(cell(1)), rows, row(cell(3)))
    both = {2: {1: 2}, 3: {1: 2}}
    assert sheet.rows == {1: {1: 1}, 4: {1: 3}} | (both if is_seen else {})
    assert sheet.unseen == ({} if is_seen else both)
    sheet = only("<table:table-column/>", f"<table:table-column{about}/>", row(cell(1), cell(2)))
    assert sheet.unseen == ({} if is_seen else {1: {2: 2}})


LINE = '<style:text-properties style:text-line-through-style="{}"/>'


@pytest.mark.parametrize(("line", "is_struck"), [("solid", True), ("none", False), ("", False)])
def test_a_style_of_a_cell_or_of_a_piece_strikes_it(line, is_struck):
    styles = style("s", LINE.format(line)) + style("other", "<style:text-properties/>")
    styles += style("really", LINE.format("solid"))
    sheet = only(
        row(cell(7, about=' table:style-name="s"'), cell(8, about=' table:style-name="other"')),
        row(words('<text:p>a<text:span text:style-name="s">b</text:span></text:p>'), cell(8)),
        row(words('<text:p>a<text:span text:style-name="other">b</text:span></text:p>'), cell(8)),
        row(words("<text:p><text:span>b</text:span></text:p>"), cell(8)),
        styles=styles,
    )
    first, second = (StruckCell(7), StruckCell("ab")) if is_struck else (7, "ab")
    assert sheet.rows == {1: {1: first, 2: 8}, 2: {1: second, 2: 8}, 3: {1: "ab", 2: 8},
                          4: {1: "b", 2: 8}}  # fmt: skip


def coloured(font: str | None, fill: str | None) -> str:
    inner = "" if font is None else f'<style:text-properties fo:color="{font}"/>'
    if fill is not None:
        inner += f'<style:table-cell-properties fo:background-color="{fill}"/>'
    return style("s", inner)


@pytest.mark.parametrize(
    ("font", "fill", "is_seen"),
    [
        (None, None, True), ("#ffffff", None, False), ("#FFFFFF", None, False),
        ("#000000", None, True), ("#ffffff", "transparent", False), ("#ffffff", "#000000", True),
        ("#ab0000", "#AB0000", False), (None, "#ffffff", True), ("transparent", None, False),
        ("#ab0000", "#ab0001", True), ("#000000", "#ffffff", True),
    ],
)  # fmt: skip
def test_a_font_of_the_colour_of_its_cell_shows_nothing(font, fill, is_seen):
    about = ' table:style-name="s" table:number-columns-repeated="2"'
    sheet = only(row(cell(7), cell(8, about=about)), styles=coloured(font, fill))
    assert sheet.unseen == ({} if is_seen else {1: {2: 8, 3: 8}})


@pytest.mark.parametrize(
    ("made", "is_seen"),
    [
        (cell(7, ""), False), (cell(7, "7"), True), (cell(0, ""), True),
        (cell(7, "<text:span>7</text:span>"), True), (cell("", ""), True),
        ('<table:table-cell office:value-type="float" office:value="7" {}/>', True),
        (words("<text:p/>", ' office:string-value="x"'), False),
        (words("<text:p/>", ' office:string-value="0"'), True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_formatted", [True, False])
def test_a_format_that_shows_nothing_hides_what_is_no_zero(made, is_seen, is_formatted):
    about = ' style:data-style-name="N1"' if is_formatted else ""
    styled = 'table:style-name="s"'
    made = made.format(styled) if "{}" in made else made.replace("-cell ", f"-cell {styled} ", 1)
    sheet = only(row(cell(1), made),
                 styles=style("s", "<style:table-cell-properties/>", about))  # fmt: skip
    assert (sheet.unseen == {}) is (is_seen or not is_formatted)


@pytest.mark.parametrize(
    ("down", "right", "merged"),
    [(1, 1, ()), (2, 1, (Merged(2, 2, 3, 2),)), (1, 2, (Merged(2, 2, 2, 3),)),
     (3, 4, (Merged(2, 2, 4, 5),)), (1_048_575, 16_383, (Merged(2, 2, 1_048_576, 16_384),)),
     (1_048_576, 16_384, (Merged(2, 2, 1_048_576, 16_384),))],
)  # fmt: skip
def test_a_merged_cell_ends_with_the_sheet(down, right, merged):
    about = f' table:number-rows-spanned="{down}" table:number-columns-spanned="{right}"'
    assert only(row(cell(1)), row("<table:table-cell/>", cell(7, about=about))).merged == merged


@pytest.mark.parametrize(
    ("made", "value"),
    [
        ('<table:table-cell table:formula="of:=A1+B1"/>', Uncounted("=A1+B1")),
        ('<table:table-cell table:formula="x"/>', Uncounted("=")),
        (words("<text:p>что угодно</text:p>", ' calcext:value-type="error"'),
         ErrorCell("что угодно")),
        (cell("0", "#DIV/0!", ' table:formula="of:=1/0"'), ErrorCell("#DIV/0!")),
        (cell("0", "#DIV/0!"), 0), (cell(1, "#x", ' table:formula="of:=1"'), 1),
        (cell(7, "07"), "07"), (cell(7, "0"), 7), (cell(0, "0"), 0), (cell(0, "00"), "00"),
        (cell(7.5, "07"), 7.5), (cell(8, "07"), 8), (cell("x", "07"), "x"), (cell(7, "70"), 7),
        (cell(7, "07", kind="currency"), "07"), (cell(7, "07", kind="percentage"), "07"),
        (cell(7, "07", kind="boolean"), False),
        ('<table:table-cell office:value-type="date"><text:p>x</text:p></table:table-cell>', "x"),
        ('<table:table-cell office:value-type="time"><text:p>x</text:p></table:table-cell>', "x"),
        (words("<text:p>a</text:p><office:annotation><text:p>b</text:p></office:annotation>"), "a"),
        (words("<office:annotation><text:p>b</text:p></office:annotation><text:p>a</text:p>"), "a"),
        (words("<text:p>a<draw:frame><text:p>b</text:p></draw:frame>c</text:p>"), "ac"),
        (words("<text:p>a<text:a>b</text:a>c</text:p>"), "abc"),
        (words('<text:p><text:s text:c="0"/>b</text:p>'), "b"),
        (words('<text:p>a<text:s text:c="٣"/>b</text:p>'), "a b"),
        (words('<text:p>a<text:s text:c="12345678"/>b</text:p>'), "a" + 1000 * " " + "b"),
        (words('<text:p>a<text:s text:c="123456789"/>b</text:p>'), "a b"),
        ("<office:annotation/>" + cell(7), 7),
        ("<table:covered-table-cell/>", None), ("<table:table-cell/>", None),
    ],
)  # fmt: skip
def test_a_cell_is_what_it_says_or_shows(made, value):
    found = only(row(made)).cell(1, 1)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("stated", "value"),
    [("PT0S", time(0)), ("PT23H59M59S", time(23, 59, 59)), ("PT23H59M59.4S", time(23, 59, 59)),
     ("PT24H", timedelta(days=1)), ("P1D", timedelta(days=1)), ("PT1440M", timedelta(days=1)),
     ("PT86400S", timedelta(days=1)), ("P2DT1H2M3S", timedelta(days=2, hours=1, minutes=2,
      seconds=3)), ("PT9999999H", "x"), ("PT٣H", "x"), ("", "x")],
)  # fmt: skip
def test_a_length_of_a_day_or_more_is_no_time_of_day(stated, value):
    made = f'<table:table-cell office:value-type="time" office:time-value="{stated}">'
    found = only(row(made + "<text:p>x</text:p></table:table-cell>")).cell(1, 1)
    assert (found, type(found)) == (value, type(value))


def test_percentages_and_formulas_are_known_in_each_place():
    more = ' table:number-columns-repeated="2"'
    sheet = only(row(cell(0.5, about=more, kind="percentage"),
                     cell(1, about=more + ' table:formula="of:=1"'), cell(2)))  # fmt: skip
    assert (sheet.percents, sheet.formulas) == ({(1, 1), (1, 2)}, {(1, 3), (1, 4)})
