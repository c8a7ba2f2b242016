"""A workbook costs what its cells are worth, whatever it says of itself."""

import io
import itertools
import zipfile

import openpyxl

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.hostile.corpus import book

LAYOUTS = load()


def changed(part: str, old: str, new: str) -> bytes:
    """A small workbook with one part of it changed."""
    book = openpyxl.Workbook()
    book.active["A1"] = "Макет"
    content = io.BytesIO()
    book.save(content)
    packed = io.BytesIO()
    with zipfile.ZipFile(content) as whole, zipfile.ZipFile(packed, "w", 8) as archive:
        for name in whole.namelist():
            text = whole.read(name).decode()
            if name.endswith(part):
                assert old in text
                text = text.replace(old, new)
            archive.writestr(name, text)
    return packed.getvalue()


ROW = '<row r="{0}"><c r="{1}{0}"><v>1</v></c></row>'
END = "</sheetData>"


def test_a_row_beyond_the_last_is_too_costly():
    content = changed("sheet1.xml", END, ROW.format(99_999_999_999, "A") + END)
    (parsed,) = parse(Document("a.xlsx", content), LAYOUTS)
    assert [found.code for found in parsed.findings] == [Code.TOO_COSTLY]


def test_cells_far_to_the_right_cost_what_one_cell_costs():
    rows = "".join(ROW.format(n, "XFD") for n in range(2, 4000))
    (parsed,) = parse(Document("a.xlsx", changed("sheet1.xml", END, rows + END)), LAYOUTS)
    assert [found.code for found in parsed.findings] == [Code.UNKNOWN_LAYOUT]


def test_more_texts_than_cells_are_too_costly():
    content = book(iter([]), itertools.repeat(b"<si><t>a</t></si>" * 1000, 520))
    (parsed,) = parse(Document("a.xlsx", content), LAYOUTS)
    assert [found.code for found in parsed.findings] == [Code.TOO_COSTLY]


def test_the_sheets_of_a_workbook_are_counted_together(monkeypatch):
    monkeypatch.setattr("parsers.grid_draft.MOST_CELLS", 400)
    rows = "".join(ROW.format(n, "XFD") for n in range(2, 160))
    whole = zipfile.ZipFile(io.BytesIO(changed("sheet1.xml", END, rows + END)))
    one, packed = "<sheet xmlns:", io.BytesIO()
    with zipfile.ZipFile(packed, "w", 8) as archive:
        for name in whole.namelist():
            text = whole.read(name).decode()
            if name.endswith("workbook.xml"):
                start = text.index(one)
                end = text.index("/>", start) + 2
                again = text[start:end].replace('name="Sheet"', 'name="Again"')
                text = text[:end] + again + again.replace("Again", "More") + text[end:]
            archive.writestr(name, text)
    (parsed,) = parse(Document("a.xlsx", packed.getvalue()), LAYOUTS)
    assert [found.code for found in parsed.findings] == [Code.TOO_COSTLY]


def test_cells_in_the_first_and_the_last_place_are_two_cells():
    content = changed("sheet1.xml", END, ROW.format(1_048_576, "XFD") + END)
    (parsed,) = parse(Document("a.xlsx", content), LAYOUTS)
    assert [found.code for found in parsed.findings] == [Code.UNKNOWN_LAYOUT]
