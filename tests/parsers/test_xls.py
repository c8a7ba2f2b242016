"""Records of .xls: a workbook as xlwt writes it, with some of them put in or changed."""

import io
import struct
from datetime import datetime

import pytest
import xlwt
from xlwt.CompoundDoc import XlsDoc

from layouts.findings import Code
from parsers import workbooks_xls
from parsers.grid import EPOCH_1900, EPOCH_1904, ErrorCell, Merged, Sheet, StruckCell, Uncounted
from parsers.workbooks import open_workbook

END, SHEET = 0x0A, 0x85


def record(kind: int, data: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def packed(stream: bytes) -> bytes:
    held = io.BytesIO()
    XlsDoc().save(held, stream)
    return held.getvalue()


def written(
    fill=lambda sheet: None, first: bytes = b"", within: bytes = b"", *, since_1904: bool = False
) -> bytes:
    """A workbook of one sheet, with records at the beginning of the book and the sheet's end."""
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = since_1904
    fill(book.add_sheet("Лист"))
    stream, at, made, ends = book.get_biff_data(), 0, b"", 0
    while at < len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        data = stream[at + 4 : at + 4 + size]
        if kind == SHEET:
            data = struct.pack("<I", struct.unpack_from("<I", data)[0] + len(first)) + data[4:]
        ends += kind == END
        made += within if kind == END and ends == 2 else b""
        made += record(kind, data) + (first if at == 0 else b"")
        at += 4 + size
    return packed(made)


def only(content: bytes) -> Sheet:
    opened = open_workbook(content)
    assert isinstance(opened, list), opened
    (sheet,) = opened
    return sheet


def formula(kind: int, row: int, column: int, value: bytes) -> bytes:
    where = struct.pack("<HHH", row - 1, column - 1, 0x0F)
    return record(kind, where + value + struct.pack("<HIH", 0, 0, 3) + b"\x1e\1\0")


NUMBER = struct.pack("<d", 7.5)
LIKE_A_TEXT = b"\3" + NUMBER[1:]
"""A number whose first byte is that of an empty text."""
TRUE, ERROR, NO_TEXT = (bytes([kind, 0, value, 0, 0, 0, 0xFF, 0xFF])
                        for kind, value in ((1, 1), (2, 42), (3, 0)))  # fmt: skip
COUNTED = record(0x01C1, struct.pack("<HHI", 0x01C1, 0, 1))


@pytest.mark.parametrize("kind", [0x0006, 0x0206, 0x0406])
@pytest.mark.parametrize("counted", [b"", COUNTED], ids=["", "counted"])
@pytest.mark.parametrize(
    ("value", "cell"),
    [(NUMBER, 7.5), (LIKE_A_TEXT, struct.unpack("<d", LIKE_A_TEXT)[0]), (TRUE, True),
     (ERROR, ErrorCell("#N/A")), (NO_TEXT, None)],
    ids=lambda _: "",
)  # fmt: skip
def test_a_formula_has_the_value_that_was_kept(kind, counted, value, cell):
    # LibreOffice and Excel count when they save; who does not keeps an empty text.
    sheet = only(written(first=counted, within=formula(kind, 3, 2, value)))
    found = sheet.cell(3, 2)
    meant = Uncounted("=") if value is NO_TEXT and not counted else cell
    assert (found, type(found)) == (meant, type(meant))
    assert sheet.formulas == {(3, 2)}


@pytest.mark.parametrize(("kind", "code"), [(0x2F, Code.ENCRYPTED_DOCUMENT), (0x30, None)])
def test_a_workbook_with_a_password_is_encrypted(kind, code):
    opened = open_workbook(written(first=record(kind, b"\0" * 6)))
    assert (None if isinstance(opened, list) else opened.code) is code


@pytest.mark.parametrize(("texts", "code"), [(3, None), (4, Code.TOO_COSTLY)])
def test_shared_texts_are_counted_before_they_are_made(texts, code, monkeypatch):
    monkeypatch.setattr(workbooks_xls, "MOST_CELLS", 3)
    content = written(lambda sheet: [sheet.write(n, 0, f"текст {n}") for n in range(texts)])
    opened = open_workbook(content)
    assert (None if isinstance(opened, list) else opened.code) is code


@pytest.mark.parametrize("kind", [1, 2, 6])
def test_what_is_no_sheet_of_cells_is_passed_over(kind):
    chart = record(SHEET, struct.pack("<IBB", 0, 0, kind) + b"\5\0chart")
    within = formula(6, 1, 1, NUMBER)
    sheet = only(written(lambda sheet: sheet.write(1, 1, 7), chart, within))
    assert (sheet.name, sheet.formulas) == ("Лист", {(1, 1)})
    assert sheet.rows == {1: {1: 7.5}, 2: {2: 7}}


def cut(content: bytes) -> bytes:
    """Its directory says that the short streams lie where the workbook's own stream does."""
    directory = (struct.unpack_from("<I", content, 48)[0] + 1) * 512
    entries = [directory + 128 * n for n in range(4)]
    first = next(
        struct.unpack_from("<I", content, at + 116)[0]
        for at in entries
        if content[at : at + 16] == "Workbook".encode("utf-16-le")
    )
    root = entries[0] + 116
    return content[:root] + struct.pack("<II", first, 512) + content[root + 8 :]


def test_a_directory_that_names_a_sector_twice_does_not_matter():
    assert only(cut(written(lambda sheet: sheet.write(0, 0, 7)))).rows == {1: {1: 7}}


def test_a_text_is_struck_where_a_part_of_it_is():
    struck, plain = (xlwt.Font() for _ in range(2))
    struck.struck_out, plain.bold = True, True

    def fill(sheet):
        sheet.write_rich_text(0, 0, (("7", struck), "8"))
        sheet.write_rich_text(1, 1, (("7", plain), ("8", plain)))
        sheet.write(0, 1, "9")
        sheet.write(2, 0, 7, xlwt.easyxf("font: struck_out on"))
        sheet.write(2, 1, 8)

    assert only(written(fill)).rows == {
        1: {1: StruckCell("78"), 2: "9"}, 2: {2: "78"}, 3: {1: StruckCell(7), 2: 8}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("look", "is_seen"),
    [
        ("", True), ("font: colour white", False), ("font: colour red", True),
        ("font: colour black; pattern: pattern solid, fore_colour black", False),
        ("font: colour red; pattern: pattern solid, fore_colour red", False),
        ("font: colour red; pattern: pattern solid, fore_colour white", True),
        ("font: colour white; pattern: pattern solid, fore_colour red", True),
        ("font: colour white; pattern: pattern solid, fore_colour white", False),
        ("font: colour white; pattern: pattern fine_dots, fore_colour white", True),
        ("pattern: pattern solid", True),
    ],
)  # fmt: skip
def test_a_font_of_the_colour_of_its_cell_shows_nothing(look, is_seen):
    def fill(sheet):
        sheet.write(0, 0, 7)
        sheet.write(1, 0, 8, xlwt.easyxf(look))

    assert only(written(fill)).rows == ({1: {1: 7}, 2: {1: 8}} if is_seen else {1: {1: 7}})


@pytest.mark.parametrize(
    ("change", "row_seen", "column_seen"),
    [
        (lambda row, column: None, True, True),
        (lambda row, column: setattr(row, "hidden", True), False, True),
        (lambda row, column: (setattr(row, "height_mismatch", True), setattr(row, "height", 0)),
         False, True),
        (lambda row, column: (setattr(row, "height_mismatch", True), setattr(row, "height", 1)),
         True, True),
        (lambda row, column: setattr(column, "hidden", True), True, False),
        (lambda row, column: setattr(column, "width", 0), True, False),
        (lambda row, column: setattr(column, "width", 1), True, True),
    ],
)  # fmt: skip
def test_what_is_hidden_or_of_no_size_is_not_seen(change, row_seen, column_seen):
    def fill(sheet):
        for place in ((1, 1), (1, 2), (1, 3), (2, 1), (2, 2), (2, 3), (3, 1), (3, 2), (3, 3)):
            sheet.write(*place, 7)
        change(sheet.row(2), sheet.col(2))

    sheet = only(written(fill))
    seen = {(row, column) for row, cells in sheet.rows.items() for column in cells}
    every = {(row, column) for row in (2, 3, 4) for column in (2, 3, 4)}
    assert seen == {(row, column) for row, column in every
                    if (row != 3 or row_seen) and (column != 3 or column_seen)}  # fmt: skip


def test_ranges_count_from_one_and_serials_from_the_book_s_day():
    def fill(sheet):
        sheet.merge(2, 3, 1, 3)
        sheet.write(0, 0, 44865, xlwt.easyxf(num_format_str="DD.MM.YYYY"))
        sheet.write(0, 1, True)
        sheet.write(0, 2, False)
        sheet.row(1).set_cell_error(0, "#NUM!")

    for since_1904, epoch, day in (
        (False, EPOCH_1900, datetime(2022, 10, 31)),  # noqa: DTZ001
        (True, EPOCH_1904, datetime(2026, 11, 1)),  # noqa: DTZ001
    ):
        sheet = only(written(fill, since_1904=since_1904))
        assert (sheet.merged, sheet.epoch) == ((Merged(3, 2, 4, 4),), epoch)
        assert sheet.rows == {1: {1: day, 2: True, 3: False}, 2: {1: ErrorCell("#NUM!")}}
        assert [type(sheet.cell(1, column)) for column in (2, 3)] == [bool, bool]


def test_a_sheet_without_a_text_is_read_and_one_cut_off_is_damaged():
    whole = written(lambda sheet: sheet.write(0, 0, 7))
    assert only(whole).rows == {1: {1: 7}}
    assert open_workbook(whole[:1024]).code is Code.UNREADABLE_DOCUMENT
