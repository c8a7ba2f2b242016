"""Parts of .xlsx by hand: sheets, styles, and what is counted before it is read."""

from datetime import datetime

import pytest

from layouts.findings import Code
from parsers import workbooks_xlsx
from parsers.grid import EPOCH_1900, EPOCH_1904, Sheet, StruckCell, Uncounted
from parsers.grid_draft import Spent
from parsers.number_formats import BUILT_IN
from parsers.workbooks import open_workbook
from tests.hostile import corpus
from tests.parsers.pages import _relation, _relations
from tests.parsers.test_packages import TYPES, XLSX

KINDS = ("worksheet", "sharedStrings", "styles")


def part(name: str, body: str) -> bytes:
    return f'<{name} xmlns="{corpus.SHEET}" xmlns:r="u">{body}</{name}>'.encode()


def sheet_of(rows: str, before: str = "", after: str = "") -> bytes:
    return part("worksheet", f"{before}<sheetData>{rows}</sheetData>{after}")


def book(
    *sheets: bytes, listed: str = "", parts=None, kinds=KINDS, before: str = "", spent=None
) -> list[Sheet]:
    names = [f"{kinds[0]}{n}" for n in range(len(sheets))]
    items = [(name, kinds[0]) for name in names] + [(kind, kind) for kind in kinds[1:]]
    relations = "".join(_relation(name, kind, f"{name}.xml") for name, kind in items)
    every = listed or "".join(f'<sheet name="{name}" r:id="{name}"/>' for name in names)
    files = {
        TYPES: XLSX,
        "xl/workbook.xml": part("workbook", f"{before}<sheets>{every}</sheets>"),
        "xl/_rels/workbook.xml.rels": _relations(relations).encode(),
        **{f"xl/{name}.xml": one for name, one in zip(names, sheets, strict=True)},
    }
    return open_workbook(corpus.zipped(*(files | (parts or {})).items()), spent)


def row(*cells: str, about: str = "") -> str:
    return f"<row{about}>{''.join(cells)}</row>"


def value(text: object, about: str = "") -> str:
    return f"<c{about}><v>{text}</v></c>"


ONE = sheet_of(row(value(7)))


@pytest.mark.parametrize(
    ("about", "name", "is_visible"),
    [('name="Лист"', "Лист", True), ("", "", True), ('name="a" state="visible"', "a", True),
     ('name="a" state="hidden"', "a", False), ('name="a" state="veryHidden"', "a", False),
     ('name="a" state=""', "a", True)],
)  # fmt: skip
def test_a_sheet_is_listed_with_its_name_and_state(about, name, is_visible):
    (sheet,) = book(ONE, listed=f'<sheet {about} r:id="worksheet0"/>')
    assert (sheet.name, sheet.is_visible, sheet.rows) == (name, is_visible, {1: {1: 7}})


def test_only_sheets_of_cells_are_read():
    assert book(ONE, kinds=("chartsheet",)) == []
    assert book(ONE, listed='<sheet name="a" r:id="gone"/>').code is Code.UNREADABLE_DOCUMENT


@pytest.mark.parametrize(
    ("properties", "epoch"),
    [("<workbookPr/>", EPOCH_1900), ('<workbookPr date1904="1"/>', EPOCH_1904),
     ('<workbookPr date1904="true"/>', EPOCH_1904), ('<workbookPr date1904="on"/>', EPOCH_1904),
     ('<workbookPr date1904="0"/>', EPOCH_1900), ('<workbookPr date1904="false"/>', EPOCH_1900)],
)  # fmt: skip
def test_a_book_says_from_which_day_it_counts(properties, epoch):
    (sheet,) = book(ONE, before=properties)
    assert sheet.epoch == epoch


SHARED = {"xl/sharedStrings.xml": part("sst", "<si><t>раз</t></si>")}
STYLED = {"xl/styles.xml": part("styleSheet", '<cellXfs><xf numFmtId="14"/></cellXfs>')}


@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_shared_texts_and_styles_need_not_be_there(is_named, is_there):
    kinds = KINDS if is_named else KINDS[:1]
    made = sheet_of(row(value(46327, ' s="0"')))
    (sheet,) = book(made, kinds=kinds, parts=STYLED if is_there else {})
    assert sheet.cell(1, 1) == (
        datetime(2026, 11, 1) if is_named and is_there else 46327  # noqa: DTZ001
    )
    opened = book(sheet_of(row(value(0, ' t="s"'))), kinds=kinds, parts=SHARED if is_there else {})
    if is_named and is_there:
        assert opened[0].cell(1, 1) == "раз"
    else:
        assert opened.code is Code.UNREADABLE_DOCUMENT


STRUCK = "<rPr><strike/></rPr>"


@pytest.mark.parametrize(
    ("item", "cell"),
    [
        ("<t>a</t>", "a"), ("", None), ("<t>a</t><t>b</t>", "ab"), ("<r><t>a</t></r>", "a"),
        ("<r><t/></r>", None), (f"<r>{STRUCK}<t>a</t></r>", StruckCell("a")),
        (f"<r><t>a</t></r><r>{STRUCK}<t>b</t></r>", StruckCell("ab")),
        ("<r><rPr><strike val='0'/></rPr><t>a</t></r>", "a"),
        ("<r><rPr><strike val='false'/></rPr><t>a</t></r><r><t>b</t></r>", "ab"),
        ("<r><rPr><strike val='true'/></rPr><t>a</t></r>", StruckCell("a")),
        ("<rPh><t>a</t></rPh>", None), ("<t>a</t><rPh><t>b</t></rPh>", "a"),
        ("<r><t>a_x0041_</t></r><r><t>_x0042_</t></r>", "aAB"),
    ],
)  # fmt: skip
def test_a_text_is_its_runs_and_struck_where_one_is(item, cell):
    shared = {"xl/sharedStrings.xml": part("sst", f"<si>{item}</si>")}
    (sheet,) = book(sheet_of(row(value(0, ' t="s"'))), parts=shared)
    assert sheet.cell(1, 1) == cell
    (sheet,) = book(sheet_of(row(f'<c t="inlineStr"><is>{item}</is></c>', value(1))))
    assert sheet.cell(1, 1) == cell


FONTS = {
    "none": "<font/>", "struck": "<font><strike/></font>", "auto": '<font><color auto="1"/></font>',
    "white": '<font><color rgb="FFFFFFFF"/></font>', "grey": '<font><color rgb="ff8081aa"/></font>',
    "black": '<font><color rgb="FF000000"/></font>', "nothing": "<font><color/></font>",
    **{f"theme {n}": f'<font><color theme="{n}"/></font>' for n in (0, 1)},
    **{f"indexed {n}": f'<font><color indexed="{n}"/></font>' for n in (0, 1, 9, 10, 65)},
    "tinted": '<font><color theme="0" tint="-0.5"/></font>',
    "theme 2": '<font><color theme="2" tint="0.1"/></font>',
}  # fmt: skip


def solid(colour: str) -> str:
    return f'<fill><patternFill patternType="solid"><fgColor {colour}/></patternFill></fill>'


FILLS = {
    "none": "<fill><patternFill patternType='none'/></fill>", "bare": "<fill><patternFill/></fill>",
    "gradient": "<fill><gradientFill/></fill>",
    "grey125": "<fill><patternFill patternType='gray125'/></fill>",
    "white": solid('rgb="FFFFFFFF"'), "grey": solid('rgb="FF8081AA"'), "auto": solid('auto="1"'),
    "black": solid('rgb="00000000"'), "theme 2": solid('theme="2" tint="0.1"'),
    "theme 2b": solid('theme="2"'), "indexed 10": solid('indexed="10"'),
    "indexed 2": solid('indexed="2"'),
    "colourless": "<fill><patternFill patternType='solid'/></fill>",
}  # fmt: skip


@pytest.mark.parametrize(
    ("font", "fill", "is_seen"),
    [
        ("none", "none", True), ("auto", "none", True), ("nothing", "none", True),
        ("black", "none", True), ("grey", "none", True), ("white", "none", False),
        ("theme 0", "none", False), ("theme 1", "none", True), ("tinted", "none", True),
        ("indexed 0", "none", True), ("indexed 1", "none", False), ("indexed 9", "none", False),
        ("indexed 10", "none", True), ("indexed 65", "none", False), ("white", "bare", False),
        ("white", "gradient", True), ("white", "grey125", True), ("white", "white", False),
        ("white", "grey", True), ("grey", "grey", False), ("none", "black", False),
        ("none", "auto", True), ("auto", "black", False), ("auto", "auto", True),
        ("theme 2", "theme 2", False), ("theme 2", "theme 2b", True),
        ("indexed 10", "indexed 10", False), ("theme 2", "indexed 2", True),
        ("none", "colourless", True), ("white", "colourless", True),
    ],
)  # fmt: skip
def test_a_font_of_the_colour_of_its_cell_shows_nothing(font, fill, is_seen):
    made = part(
        "styleSheet",
        f"<fonts><font/>{FONTS[font]}</fonts><fills><fill/>{FILLS[fill]}</fills>"
        "<cellStyleXfs><xf fontId='1' fillId='1'/></cellStyleXfs>"
        "<cellXfs><xf fillId='9'/><xf fontId='1' fillId='1'/></cellXfs>"
        "<dxfs><dxf><font><color rgb='FFFFFFFF'/></font><fill/></dxf></dxfs>",
    )
    cells = row(value(7), value(8, ' s="0"')) + row(value(9, ' s="1"'))
    (sheet,) = book(sheet_of(cells), parts={"xl/styles.xml": made})
    assert sheet.rows == {1: {1: 7, 2: 8}} | ({2: {1: 9}} if is_seen else {})
    assert sheet.unseen == ({} if is_seen else {2: {1: 9}})


def test_a_style_without_a_font_or_a_fill_has_the_first_ones():
    made = part(
        "styleSheet",
        f"<fonts>{FONTS['white']}<font/></fonts><fills>{FILLS['grey']}{FILLS['white']}</fills>"
        "<cellXfs><xf fillId='1'/><xf fontId='1'/><xf/></cellXfs>",
    )
    cells = row(*(value(n, f' s="{n}"') for n in range(3)))
    (sheet,) = book(sheet_of(cells), parts={"xl/styles.xml": made})
    assert (sheet.rows, sheet.unseen) == ({1: {2: 1, 3: 2}}, {1: {1: 0}})


@pytest.mark.parametrize(("look", "seen"), [("struck", StruckCell(8)), ("white", None)])
def test_a_style_may_strike_or_veil_alone(look, seen):
    made = part(
        "styleSheet", f"<fonts><font/>{FONTS[look]}</fonts><cellXfs><xf/><xf fontId='1'/></cellXfs>"
    )
    cells = row(value(7), value(8, ' s="1"'))
    (sheet,) = book(sheet_of(cells), parts={"xl/styles.xml": made})
    assert (sheet.cell(1, 1), sheet.cell(1, 2)) == (7, seen)


def test_formats_and_styles_are_counted(monkeypatch):
    monkeypatch.setattr(workbooks_xlsx, "MOST_FORMATS", len(BUILT_IN) + 1)
    monkeypatch.setattr(workbooks_xlsx, "MOST_STYLES", 3)
    for forms, cells, code in ((2, 3, None), (3, 3, Code.TOO_COSTLY), (2, 4, Code.TOO_COSTLY)):
        own = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="0"/>' for n in range(forms))
        made = part("styleSheet", f"<numFmts>{own}</numFmts><cellXfs>{'<xf/>' * cells}</cellXfs>")
        opened = book(ONE, parts={"xl/styles.xml": made})
        assert (None if isinstance(opened, list) else opened.code) is code


def test_a_format_without_its_number_or_code_is_the_general_one():
    forms = '<numFmt formatCode="0000"/><numFmt numFmtId="164"/>'
    made = part(
        "styleSheet", f"{forms}<cellXfs><xf/><xf numFmtId='164'/><xf numFmtId='165'/></cellXfs>"
    )
    cells = row(*(value(42, f' s="{n}"') for n in range(3)), value(42))
    (sheet,) = book(sheet_of(cells), parts={"xl/styles.xml": made})
    assert sheet.rows == {1: {1: "0042", 2: 42, 3: 42, 4: 42}}


def test_a_text_stays_one_whatever_its_format(monkeypatch):
    cells = row(*(f'<c s="0"{about}><v>x</v></c>' for about in ("", ' t="str"', ' t="n"')))
    (sheet,) = book(sheet_of(cells), parts=STYLED)
    assert sheet.rows == {1: {1: "x", 2: "x", 3: "x"}}


CELLS = {"<c><v>1</v></c>": 1, '<c t="inlineStr"><is><t>a</t></is></c>': 1,
         "<c><v></v></c>": 0, "<c/>": 0}  # fmt: skip


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("count", "code"), [(3, None), (4, Code.TOO_COSTLY)])
def test_filled_cells_of_all_sheets_are_counted_together(cell, count, code, monkeypatch):
    monkeypatch.setattr(workbooks_xlsx, "MOST_CELLS", 3)
    opened = book(sheet_of(row(cell)), sheet_of(row(cell * (count - 1))))
    meant = code if CELLS[cell] else None
    assert (None if isinstance(opened, list) else opened.code) is meant


@pytest.mark.parametrize(
    ("about", "hidden"),
    [("<col/>", set()), ('<col hidden="1"/>', set()), ('<col min="2" max="3" hidden="1"/>', {2, 3}),
     ('<col min="2" max="3" hidden="0"/>', set()), ('<col min="1" max="1" width="0"/>', {1}),
     ('<col min="1" max="1" width="0.5"/>', set())],
)  # fmt: skip
def test_columns_are_hidden_by_their_own_numbers(about, hidden):
    cells = row(*(value(n) for n in range(1, 5)))
    (sheet,) = book(sheet_of(cells, f"<cols>{about}</cols>"))
    assert set(sheet.unseen.get(1, {})) == hidden


def test_a_cell_of_another_row_is_a_damage():
    opened = book(sheet_of('<row r="1"><c r="A2"><v>1</v></c></row>'))
    assert opened.code is Code.UNREADABLE_DOCUMENT


@pytest.mark.parametrize(
    ("ref", "filled"),
    [("A1", {(1, 1)}), ("A1:B2", {(1, 1), (1, 2), (2, 1), (2, 2)}), ("B1:A1", {(1, 1)}),
     ("A2:A1", {(1, 1)}), ("A1:A3", {(1, 1), (2, 1), (3, 1)}), ("B2:A1", {(1, 1)})],
)  # fmt: skip
def test_a_formula_of_several_cells_costs_each_of_them(ref, filled):
    spent = Spent()
    (sheet,) = book(sheet_of(f'<row r="1"><c r="A1"><f t="array" ref="{ref}">B9</f></c></row>'),
                    spent=spent)  # fmt: skip
    seen = {(at, column) for at, cells in sheet.rows.items() for column in cells}
    assert seen == filled
    assert set().union(*(cells.values() for cells in sheet.rows.values())) == {Uncounted("=B9")}
    several = len(filled) if ref[0] == "A" and ref != "A2:A1" else 0
    # Each is put once more than it is counted.
    assert spent.cells == 1 + several + len(filled) * (several > 0)
