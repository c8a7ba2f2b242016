"""Which columns a label over several of them is of."""

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.parsers.pages import WRITERS, Page

CELLS = {
    (1, 1): "Макет",
    (1, 2): 52006,
    (2, 1): "Код пользователя",
    (2, 2): "200000001234",
    (3, 1): "Дата показаний",
    (3, 2): "01.11.2026",
    (5, 2): "Показание",
    (6, 1): "№ прибора учёта",
    (6, 2): "T1",
    (6, 3): "T2",
    (6, 4): "Сумма",
    (6, 5): "Данные",
    (7, 1): "07510001",
    (7, 2): 1,
    (7, 3): 2,
    (7, 4): 3,
    (7, 5): 20.5,
}


def test_a_merged_label_is_of_no_column_beyond_it():
    page = Page("Лист1", CELLS, merged=[(5, 2, 5, 4)])
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), load())
    assert {series.zone: int(series.values[0]) for series in parsed.series} == {
        "T1": 1,
        "T2": 2,
        "T0": 3,
    }
    assert [found.place.cell for found in parsed.findings if found.code is Code.NOT_READ] == ["E7"]
