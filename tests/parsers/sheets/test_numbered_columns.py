"""A row that numbers the columns is no reading, whatever columns are hidden."""

import pytest

from layouts.document import Document
from layouts.layout import load
from parsers import parse
from tests.parsers.pages import WRITERS, Page

LAYOUTS = load()
CELLS = {
    (1, 1): "Макет",
    (1, 2): 52006,
    (2, 1): "Код пользователя",
    (2, 2): "200000001234",
    (3, 1): "Дата показаний",
    (3, 2): "01.11.2026",
    **{
        (5, n): text
        for n, text in enumerate(("Показание", "№ прибора учёта", "Адрес", "Договор"), 1)
    },
    **{(6, n): n for n in (1, 2, 3, 4)},
    (7, 1): 11.5,
    (7, 2): "07512345",
    (7, 3): "пос. Энергетик",
    (7, 4): 4711,
}


def meters(cells, hidden):
    page = Page("Лист1", dict(cells), hidden_columns=set(hidden))
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), LAYOUTS)
    return [series.meter for series in parsed.series]


@pytest.mark.parametrize("hidden", [[], [3], [4], [3, 4]])
def test_numbers_of_columns_are_passed_over_with_hidden_columns_between(hidden):
    assert meters(CELLS, hidden) == ["07512345"]


def test_a_stray_number_behind_numbered_columns_is_told_and_no_reading():
    page = Page("Лист1", {**CELLS, (5, 5): "Показания", (6, 5): 22.5})
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), LAYOUTS)
    assert "2" not in {series.meter for series in parsed.series}
    told = {found.place.cell for found in parsed.findings}
    assert any(cell and cell.startswith("E6") for cell in told), told


def test_numbers_that_do_not_follow_each_other_are_a_reading():
    assert meters({**CELLS, (6, 1): 7}, [3]) == ["2", "07512345"]
