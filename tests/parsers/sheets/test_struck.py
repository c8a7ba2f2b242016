"""What is struck through is nobody's value, what is not shown is hidden: both are told."""

import io

import pytest
import xlwt
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.books import workbook
from tests.parsers.pages import WRITERS, Page

LAYOUTS = load()
ROWS = [
    ["Макет", 52006], ["Код пользователя", "200000001234"], ["Дата показаний", "01.11.2026"], [],
    ["№ счётчика", "Показание", "Примечание"], ["0751", 100], ["0752", 200],
]  # fmt: skip
CELLS = {(r, c): v for r, row in enumerate(ROWS, 1) for c, v in enumerate(row, 1)}


def read(content: bytes) -> Parsed:
    (parsed,) = parse(Document("a", content), LAYOUTS)
    return parsed


def outcome(parsed: Parsed) -> tuple[list[str], list[tuple[Code, str | None, str | None]]]:
    told = [(f.code, f.place.cell, f.detail.get("reason")) for f in parsed.findings]
    return [one.meter for one in parsed.series], told


@pytest.mark.parametrize("container", sorted(WRITERS))
@pytest.mark.parametrize(
    ("struck", "outcome_meant"),
    [
        ({(6, 2)}, (["0752"], [(Code.INVALID_NUMBER, "B6", "struck")])),
        ({(6, 1), (6, 2)}, (["0752"], [(Code.HIDDEN_CONTENT, None, None)])),
        ({(5, 3)}, (["0751", "0752"], [])),
    ],
)
def test_a_struck_value_is_told_and_a_struck_row_is_not_there(container, struck, outcome_meant):
    content = WRITERS[container]([Page("Лист1", dict(CELLS), struck=struck)])
    assert outcome(read(content)) == outcome_meant


HIDDEN = (Code.HIDDEN_CONTENT, None, None)


@pytest.mark.parametrize("container", sorted(WRITERS))
@pytest.mark.parametrize("how", ["faint", "blank"])
@pytest.mark.parametrize(
    ("veiled", "outcome_meant"),
    [
        ({(6, 2)}, (["0752"], [HIDDEN])),
        ({(6, 1)}, (["0752"], [HIDDEN, (Code.MISSING_FIELD, "A6", None)])),
        ({(6, 1), (6, 2)}, (["0752"], [HIDDEN])),
        ({(5, 3)}, (["0751", "0752"], [])),
    ],
)
def test_what_is_formatted_to_show_nothing_is_hidden(container, how, veiled, outcome_meant):
    content = WRITERS[container]([Page("Лист1", dict(CELLS), **{how: veiled})])
    assert outcome(read(content)) == outcome_meant


@pytest.mark.parametrize(
    "look",
    [
        "pattern: pattern solid",  # all its colours are the automatic ones
        "font: colour white; pattern: pattern solid, fore_colour blue",
        "font: colour white; pattern: pattern fine_dots",
        "font: colour gray25",
    ],
)
def test_what_may_be_seen_is_read(look):
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Лист1")
    for (row, column), value in CELLS.items():
        sheet.write(row - 1, column - 1, value, xlwt.easyxf(look))
    held = io.BytesIO()
    book.save(held)
    assert outcome(read(held.getvalue())) == (["0751", "0752"], [])


@pytest.mark.parametrize("container", sorted(WRITERS))
def test_a_struck_value_beside_a_zone_makes_no_label_of_its_row(container):
    rows = [*ROWS[:4], ["№ счётчика: 0751"], ["Зона", "Показание"], ["T1", 100], ["T2", 200]]
    cells = {(r, c): v for r, row in enumerate(rows, 1) for c, v in enumerate(row, 1)}
    parsed = read(WRITERS[container]([Page("Лист1", cells, struck={(7, 2)})]))
    assert [one.zone for one in parsed.series] == ["T2"]
    assert outcome(parsed)[1] == [(Code.INVALID_NUMBER, "B7", "struck")]


def _xlsx() -> bytes:
    def strike(book: Workbook) -> None:
        book.active["B6"] = CellRichText(TextBlock(InlineFont(strike=True), "100"), " 120")

    return workbook(ROWS, change=strike)


def _xls() -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Лист1", cell_overwrite_ok=True)
    for (row, column), value in CELLS.items():
        sheet.write(row - 1, column - 1, value)
    struck = xlwt.easyfont("struck_out on")
    sheet.write_rich_text(5, 1, (("100", struck), (" 120", xlwt.easyfont(""))))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


@pytest.mark.parametrize("make", [_xlsx, _xls])
def test_an_old_value_struck_through_before_the_new_one_in_its_cell_is_no_number(make):
    struck = [(Code.INVALID_NUMBER, "B6", "struck")]
    assert outcome(read(make())) == (["0752"], struck)
