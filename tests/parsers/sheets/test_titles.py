"""Which of several tables on a sheet a title counts for."""

import pytest

from layouts.findings import Code
from layouts.layout import load
from layouts.terms import Document, Parsed
from parsers import parse
from tests.parsers.pages import WRITERS, Page, Value

LAYOUTS = load()
BLOCK: list[list[Value]] = [
    ["Макет", 52006],
    ["Код пользователя", "200000001234"],
    ["Дата показаний", "01.11.2026"],
    [],
]
TITLE: list[Value] = ["Реактивная энергия"]
LABELS: list[Value] = ["№ прибора учёта", "Показание"]
FIRST: list[Value] = ["07510001", 11.5]
SECOND: list[Value] = ["07510050", 12.5]


def read(*rows: list[Value]) -> Parsed:
    cells = {
        (row, column): value
        for row, values in enumerate([*BLOCK, *rows], 1)
        for column, value in enumerate(values, 1)
    }
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([Page("Лист1", cells)])), LAYOUTS)
    return parsed


def channels(parsed: Parsed) -> list[str]:
    return [series.channel for series in parsed.series]


@pytest.mark.parametrize("between", [[], [[]]], ids=["right above", "a row between"])
@pytest.mark.parametrize("labels", [LABELS, ["Счётчик №", "Показания"]])
def test_a_title_is_not_taken_for_the_table_below_its_own(between, labels):
    parsed = read(TITLE, *between, LABELS, FIRST, [], labels, SECOND)

    told = [found for found in parsed.findings if found.code is Code.NOT_READ]
    assert [found.meter for found in told] == ["07510050"]
    assert told[0].is_error
    assert channels(parsed)[0] == "R+"


@pytest.mark.parametrize("between", [[], [[]]], ids=["right above", "a row between"])
def test_labels_repeated_on_each_printed_page_stay_under_their_title(between):
    third: list[Value] = ["07510060", 13.5]
    parsed = read(TITLE, *between, LABELS, FIRST, LABELS, SECOND, LABELS, third)

    assert channels(parsed) == ["R+", "R+", "R+"]
    assert not any(found.is_error for found in parsed.findings)


def test_each_table_has_the_title_above_it():
    parsed = read(TITLE, LABELS, FIRST, [], ["Активная энергия"], LABELS, SECOND)

    assert channels(parsed) == ["R+", "A+"]
    assert not any(found.is_error for found in parsed.findings)
