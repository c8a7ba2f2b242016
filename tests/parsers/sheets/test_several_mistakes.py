"""Several mistakes of one row are told together, each at its cell, in every format."""

from itertools import combinations

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.parsers.pages import WRITERS, Page, Wrong

LAYOUTS = load()
POINT, METER = "200000001234-01", "07512345"
HEAD = [["Макет", 52006], ["Код пользователя", "200000001234"], []]
LABELS = ["Точка учёта", "№ счётчика", "Канал", "Зона", "Дата показаний", "Показание"]
GOOD = [POINT, METER, "A+", "T1", "01.11.2026", 100]
MISTAKES = {
    "meter": (1, "", Code.MISSING_FIELD),
    "zone": (3, "T9", Code.INVALID_CODE),
    "date": (4, "33.11.2026", Code.INVALID_DATE),
    "value": (5, "нет данных", Code.INVALID_NUMBER),
    "error": (5, Wrong("#N/A"), Code.INVALID_NUMBER),
}
KINDS = [set(names) for n in (1, 2, 3, 4) for names in combinations(MISTAKES, n)]


def told(planted: set[str], container: str) -> set[tuple[Code, str | None]]:
    row = list(GOOD)
    for name in sorted(planted):
        at, value, _ = MISTAKES[name]
        row[at] = value
    rows = [*HEAD, LABELS, row, [POINT, "11223355", "A+", "T1", "01.11.2026", 5]]
    cells = {
        (r, c): v for r, values in enumerate(rows, 1) for c, v in enumerate(values, 1) if v != ""
    }
    (parsed,) = parse(Document("a", WRITERS[container]([Page("Лист1", cells)])), LAYOUTS)
    return {(found.code, found.place.cell) for found in parsed.findings if found.is_error}


@pytest.mark.parametrize("container", sorted(WRITERS))
def test_all_mistakes_of_a_row_are_told_in_one_round(container):
    for planted in KINDS:
        if {"value", "error"} <= planted:
            continue
        meant = {(MISTAKES[n][2], f"{'ABCDEF'[MISTAKES[n][0]]}5") for n in planted}
        assert told(planted, container) == meant, planted
    assert told(set(), container) == set()


def test_a_row_of_a_zone_without_its_point_and_meter_is_no_remark():
    rows = [*HEAD, LABELS, ["", "", "A+", "T1", "01.11.2026", "нет данных"]]
    cells = {(r, c): v for r, one in enumerate(rows, 1) for c, v in enumerate(one, 1) if v != ""}
    (parsed,) = parse(Document("a", WRITERS["xlsx"]([Page("Лист1", cells)])), LAYOUTS)
    assert {(f.code, f.place.cell) for f in parsed.findings} == {
        (Code.MISSING_FIELD, "B5"),
        (Code.INVALID_NUMBER, "F5"),
    }
