"""Records of .xlsb by hand: what Excel writes and programs of others need not."""

import struct

import pytest

from layouts.findings import Code
from parsers import workbooks_xlsb
from parsers.grid import EPOCH_1900, EPOCH_1904, ErrorCell, Sheet, StruckCell
from parsers.number_formats import BUILT_IN
from parsers.workbooks import open_workbook
from tests.hostile import corpus
from tests.parsers.pages import _PACKAGE, _TYPES, _long, _record, _relation, _relations, _within


def book(
    sheet: bytes = b"", *, parts=None, related=("worksheet", "sharedStrings", "styles"),
    before: bytes = b"", state: int = 0,
) -> bytes:  # fmt: skip
    """A workbook of one sheet; `parts` are its shared strings and styles."""
    relations = "".join(_relation(kind, kind, f"{kind}.bin") for kind in related)
    listed = _record(156, struct.pack("<II", state, 1) + _long("worksheet") + _long("Лист"))
    files = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">{_TYPES}</Types>'.encode(),
        "_rels/.rels": _relations(_relation("r", "officeDocument", "xl/workbook.bin")).encode(),
        "xl/_rels/workbook.bin.rels": _relations(relations).encode(),
        "xl/workbook.bin": _within(131, before + _within(143, listed, 144), 132),
        "xl/worksheet.bin": _within(129, _within(145, sheet, 146), 130),
    }
    return corpus.zipped(*(files | (parts or {})).items())


def only(content: bytes) -> Sheet:
    opened = open_workbook(content)
    assert isinstance(opened, list), opened
    (sheet,) = opened
    return sheet


def line(number: int, flags: int = 0) -> bytes:
    return _record(0, struct.pack("<IIHBBI", number - 1, 0, 300, 0, flags, 0))


def at(column: int, style: int = 0) -> bytes:
    return struct.pack("<II", column - 1, style)


def whole(column: int, value: int, style: int = 0) -> bytes:
    return _record(2, at(column, style) + struct.pack("<i", value << 2 | 2))


SHARED = {
    "xl/sharedStrings.bin": _record(159, struct.pack("<II", 2, 2))
    + _record(19, b"\0" + _long("раз"))
    + _record(35, b"\0" + _long("не текст"))
    + _record(19, b"\1" + _long("два") + struct.pack("<IHH", 1, 0, 0))
}


def shared(column: int, index: int) -> bytes:
    return _record(7, at(column) + struct.pack("<I", index))


def test_texts_that_cells_share_are_counted_from_nought():
    assert only(book(line(1) + shared(1, 1) + shared(2, 0), parts=SHARED)).rows == {
        1: {1: "два", 2: "раз"}
    }


@pytest.mark.parametrize("cut", [shared(1, 2), _record(7, at(1)), _record(7, at(1) + b"\0\0\0")])
def test_a_text_that_is_not_there_is_a_damage(cut):
    found = open_workbook(book(line(1) + cut, parts=SHARED))
    assert found.code is Code.UNREADABLE_DOCUMENT


@pytest.mark.parametrize("kind", ["sharedStrings", "styles"])
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_shared_texts_and_styles_need_not_be_there(kind, is_named, is_there):
    related = ("worksheet", kind) if is_named else ("worksheet",)
    parts = {f"xl/{kind}.bin": styles() if kind == "styles" else SHARED["xl/sharedStrings.bin"]}
    cell = whole(1, 46327, 1) if kind == "styles" else shared(1, 0)
    opened = open_workbook(book(line(1) + cell, related=related, parts=parts if is_there else {}))
    if is_named and is_there:
        seen = EPOCH_1900.replace(2026, 11, 1) if kind == "styles" else "раз"
        assert opened[0].cell(1, 1) == seen
    elif kind == "styles":
        assert opened[0].cell(1, 1) == 46327
    else:
        assert opened.code is Code.UNREADABLE_DOCUMENT


@pytest.mark.parametrize(
    ("properties", "epoch"),
    [(b"", EPOCH_1900), (_record(153, struct.pack("<III", 0, 0, 0)), EPOCH_1900),
     (_record(153, struct.pack("<III", 1, 0, 0)), EPOCH_1904),
     (_record(153, struct.pack("<III", 0x1_0002, 1, 0)), EPOCH_1900),
     (_record(153, struct.pack("<III", 3, 0, 0)), EPOCH_1904),
     (_record(154, struct.pack("<III", 1, 0, 0)), EPOCH_1900)],
)  # fmt: skip
def test_a_book_says_from_which_day_it_counts(properties, epoch):
    assert only(book(before=properties)).epoch == epoch


@pytest.mark.parametrize(("state", "is_visible"), [(0, True), (1, False), (2, False)])
def test_a_sheet_may_be_hidden_in_two_ways(state, is_visible):
    sheet = only(book(line(1) + whole(1, 7), state=state))
    assert (sheet.name, sheet.is_visible, sheet.rows) == ("Лист", is_visible, {1: {1: 7}})


@pytest.mark.parametrize("kind", [3, 11])
@pytest.mark.parametrize(
    ("number", "text"),
    [(0x00, "#NULL!"), (0x07, "#DIV/0!"), (0x0F, "#VALUE!"), (0x17, "#REF!"), (0x1D, "#NAME?"),
     (0x24, "#NUM!"), (0x2A, "#N/A"), (0x2B, "#GETTING_DATA"), (0x01, "#N/A")],
)  # fmt: skip
def test_each_error_has_its_text(kind, number, text):
    assert only(book(line(1) + _record(kind, at(1) + bytes([number])))).cell(1, 1) == ErrorCell(
        text
    )


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0x81, 0x3FFF, 0x4000, 0x4001, 1 << 20])
def test_what_follows_a_record_of_any_length_is_read(length):
    unknown = _record(999, b"\7" * length)
    assert only(book(line(1) + unknown + whole(1, 7) + unknown + whole(2, 8))).rows == {
        1: {1: 7, 2: 8}
    }


def test_a_record_is_bounded():
    found = open_workbook(book(_record(999, b"\7" * ((1 << 20) + 1))))
    assert found.code is Code.TOO_COSTLY


def test_a_text_ends_within_its_record():
    for length, is_read in ((3, True), (4, False)):
        opened = open_workbook(
            book(line(1) + _record(6, at(1) + struct.pack("<I", length) + b"a\0" * 3))
        )
        assert (isinstance(opened, list) and opened[0].cell(1, 1) == "aaa") is is_read


AUTOMATIC, RGB, INDEXED, THEME = 0, 2 << 1 | 1, 1 << 1, 3 << 1


def tone(kind: int, number: int = 0, tint: int = 0, rgb: bytes = b"\0\0\0") -> bytes:
    return struct.pack("<BBh3sB", kind, number, tint, rgb, 255)


WHITE, GREY = tone(RGB, rgb=b"\xff\xff\xff"), tone(RGB, rgb=b"\x80\x81\x82")
BLACK = tone(AUTOMATIC)


def font(colour: bytes, flags: int = 0) -> bytes:
    return _record(43, struct.pack("<HH8x", 220, flags) + colour + b"\0" + _long("Arial"))


def fill(pattern: int, colour: bytes = BLACK) -> bytes:
    return _record(45, struct.pack("<I", pattern) + colour + BLACK + b"\0" * 48)


def style(form: int = 0, font_: int = 0, fill_: int = 0) -> bytes:
    return _record(47, struct.pack("<HHHHQ", 0, form, font_, fill_, 0))


def styles(fonts: bytes = font(BLACK), fills: bytes = fill(0), cells: bytes = b"") -> bytes:
    forms = _record(44, struct.pack("<H", 164) + _long("0000"))
    # Named styles come before those of cells, differential ones after them.
    named = _within(626, style(9), 627)
    cells = cells or style() + style(14) + style(164)
    return forms + fonts + fills + named + _within(617, cells, 618) + style(9)


def test_a_cell_s_style_makes_of_its_number_what_it_shows():
    # Beside the style's number stand other facts of the cell.
    cells = whole(1, 42) + whole(2, 46327, 1) + whole(3, 42, 0x0100_0000 | 2)
    sheet = only(book(line(1) + cells, parts={"xl/styles.bin": styles()}))
    assert sheet.rows == {1: {1: 42, 2: EPOCH_1900.replace(2026, 11, 1), 3: "0042"}}
    beyond = open_workbook(book(line(1) + whole(1, 42, 3), parts={"xl/styles.bin": styles()}))
    assert beyond.code is Code.UNREADABLE_DOCUMENT


@pytest.mark.parametrize(
    ("colour", "pattern", "is_seen"),
    [
        (BLACK, fill(0), True), (WHITE, fill(0), False), (GREY, fill(0), True),
        (tone(INDEXED, 1), fill(0), False), (tone(INDEXED, 9), fill(0), False),
        (tone(INDEXED, 65), fill(0), False), (tone(INDEXED, 0), fill(0), True),
        (tone(THEME, 0), fill(0), False), (tone(THEME, 1), fill(0), True),
        (tone(THEME, 0, -8000), fill(0), True), (tone(THEME, 0, 1), fill(0), True),
        (tone(THEME, 0, 0x0100), fill(0), True),
        (GREY, fill(1, GREY), False), (WHITE, fill(1, GREY), True), (WHITE, fill(1, WHITE), False),
        (tone(THEME, 2, 5), fill(1, tone(THEME, 2, 5)), False),
        (tone(THEME, 2, 5), fill(1, tone(THEME, 2, 6)), True),
        (tone(THEME, 2), fill(1, tone(INDEXED, 2)), True),
        (tone(INDEXED, 8), fill(1, tone(INDEXED, 8)), False),
        (tone(RGB, rgb=b"\0\0\0"), fill(1, BLACK), True), (BLACK, fill(1, BLACK), True),
        (WHITE, fill(2, WHITE), True), (BLACK, fill(1, tone(RGB)), False),
        (WHITE[:7], fill(0), True),
    ],
    ids=lambda _: "",
)  # fmt: skip
def test_a_font_of_the_colour_of_its_cell_shows_nothing(colour, pattern, is_seen):
    fonts = font(BLACK) + font(colour)
    if len(colour) < len(WHITE):
        fonts = font(BLACK) + _record(43, struct.pack("<HH8x", 220, 0) + colour)
    look = styles(fonts, fill(3) + pattern, style() + style(0, 1, 1))
    cells = line(1) + whole(1, 7) + line(2) + whole(1, 8, 0x0200_0001)
    sheet = only(book(cells, parts={"xl/styles.bin": look}))
    assert (sheet.rows, sheet.unseen) == (
        ({1: {1: 7}, 2: {1: 8}}, {}) if is_seen else ({1: {1: 7}}, {2: {1: 8}})
    )


@pytest.mark.parametrize(("flags", "is_struck"), [(8, True), (0xFFF7, False), (0xFFFF, True)])
def test_a_font_strikes_through(flags, is_struck):
    look = styles(font(BLACK) + font(BLACK, flags), fill(0), style() + style(0, 1))
    cells = line(1) + whole(1, 7) + whole(2, 8, 0x0200_0001)
    sheet = only(book(cells, parts={"xl/styles.bin": look}))
    assert sheet.rows == {1: {1: 7, 2: StruckCell(8) if is_struck else 8}}


@pytest.mark.parametrize(("flags", "is_seen"), [(0x10, False), (0xEF, True), (0xFF, False)])
def test_a_row_s_flags_hide_it(flags, is_seen):
    sheet = only(book(line(1, flags) + whole(1, 7)))
    assert bool(sheet.rows) is is_seen


@pytest.mark.parametrize(
    ("flags", "width", "is_seen"), [(1, 9, False), (0xFFFE, 9, True), (0, 0, False), (0, 1, True)]
)
def test_a_column_s_flags_or_width_hide_it(flags, width, is_seen):
    about = _record(60, struct.pack("<IIIIH", 1, 2, width, 0, flags))
    sheet = only(book(about + line(1) + b"".join(whole(n, n) for n in range(1, 5))))
    assert set(sheet.unseen.get(1, {})) == (set() if is_seen else {2, 3})


def test_formats_and_styles_are_counted(monkeypatch):
    monkeypatch.setattr(workbooks_xlsb, "MOST_FORMATS", len(BUILT_IN) + 1)
    monkeypatch.setattr(workbooks_xlsb, "MOST_STYLES", 3)
    more = _record(44, struct.pack("<H", 165) + _long("0.0"))
    for made, code in ((styles(), None), (styles(cells=style() * 3), None),
                       (styles(cells=style() * 4), Code.TOO_COSTLY),
                       (styles(fonts=more), Code.TOO_COSTLY)):  # fmt: skip
        opened = open_workbook(book(parts={"xl/styles.bin": made}))
        assert (None if isinstance(opened, list) else opened.code) is code
