"""Which of several tables on a sheet a title counts for."""

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
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
        if value != ""
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


BESIDE: list[Value] = [*LABELS, "", *LABELS]
TWO: list[Value] = [*FIRST, "", *SECOND]


def at(*cells: str, column: int = 4) -> list[Value]:
    """Titles of the left table and, from a column on, of the one beside it."""
    return [cells[0], *[""] * (column - 2), *cells[1:]]


@pytest.mark.parametrize("between", [[], [[]]], ids=["right above", "a row between"])
def test_tables_beside_each_other_have_each_the_title_over_it(between):
    parsed = read(at("Активная энергия", "Реактивная энергия"), *between, BESIDE, TWO)

    assert [(s.meter, s.channel) for s in parsed.series] == [("07510001", "A+"), ("07510050", "R+")]
    assert not any(found.is_error for found in parsed.findings)


@pytest.mark.parametrize("between", [[], [[]]], ids=["right above", "a row between"])
def test_a_title_over_the_left_of_two_tables_is_doubted_for_the_right_one(between):
    parsed = read(TITLE, *between, BESIDE, TWO)

    told = [found for found in parsed.findings if found.code is Code.NOT_READ]
    assert [(found.meter, found.is_error) for found in told] == [("07510050", True)]
    assert channels(parsed)[0] == "R+"


def test_a_title_of_labels_that_are_no_table_is_doubted_for_the_table_below():
    other: list[Value] = ["№ прибора учёта", "Зона", "Было"]
    parsed = read(TITLE, other, ["07510001", "T1", 3], [], LABELS, SECOND)

    assert channels(parsed) == ["A+"]
    told = [found for found in parsed.findings if found.code is Code.NOT_READ and found.is_error]
    assert [found.place.cell for found in told] == ["A5"]


@pytest.mark.parametrize("last", ["Предыдущее", "Было", "На начало"])
def test_a_bare_word_for_the_last_reading_is_one_beside_a_reading(last):
    labels: list[Value] = ["№ прибора учёта", last, "Показание", "Разность"]
    parsed = read(labels, ["07510001", 3, 11.5, 7])

    assert [float(s.values[0]) for s in parsed.series] == [11.5]
    assert [f.code for f in parsed.findings] == [Code.CONSUMPTION_DIFFERS]


@pytest.mark.parametrize("words", [("начало", "конец"), ("на начало", "на конец")])
def test_beginning_and_end_below_a_month_are_the_last_and_this_reading(words):
    labels: list[list[Value]] = [
        ["Прибор учёта", "Показания"],
        ["Номер", "Октябрь 2026"],
        ["", *words],
    ]
    cells: dict[tuple[int, int], Value] = {
        (row, column): value
        for row, values in enumerate([*BLOCK, *labels, ["07510001", 3, 11.5]], 1)
        for column, value in enumerate(values, 1)
        if value != ""
    }
    page = Page("Лист1", cells, merged=[(5, 2, 5, 3), (6, 2, 6, 3), (6, 1, 7, 1)])
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), LAYOUTS)
    assert [float(s.values[0]) for s in parsed.series] == [11.5]
    assert [figure.value for figure in parsed.figures] == [3]


def test_a_meters_number_of_the_works_and_numbers_before_tariffs_are_known():
    labels: list[Value] = ["Заводской № счётчика", "Показание 1 тариф", "Показание, 2 зона"]
    parsed = read(labels, ["07510001", 3, 11.5])

    assert [(s.meter, s.zone, float(s.values[0])) for s in parsed.series] == [
        ("07510001", "T1", 3),
        ("07510001", "T2", 11.5),
    ]
    assert not parsed.findings


def test_the_last_month_is_no_reading():
    labels: list[Value] = ["№ прибора учёта", "Прошлый месяц", "Показание", "Разность"]
    parsed = read(labels, ["07510001", 3, 11.5, 7])

    assert Code.CONSUMPTION_DIFFERS not in {f.code for f in parsed.findings}
    assert Code.NOT_READ in {f.code for f in parsed.findings}


def test_two_units_of_two_tables_of_hours_are_told_at_both():
    lines = [["Макет", "52005"], ["Код пользователя", "200000001234"]]
    for unit, day in (("кВт·ч", "01.11.2026"), ("МВт·ч", "02.11.2026")):
        lines += [[], [f"Потребление, {unit}"], ["Дата", *map(str, range(24))], [day, *[1] * 24]]
    cells = {(r, c): v for r, line in enumerate(lines, 1) for c, v in enumerate(line, 1)}
    (parsed,) = parse(Document("a", WRITERS["xlsx"]([Page("Часы", cells)])), LAYOUTS)
    (told,) = (found for found in parsed.findings if found.is_error)
    assert (told.code, told.place.cell, told.seen) == (Code.AMBIGUOUS_COLUMN, "A4", "kWh")
    assert told.detail["other"] == "MWh, A8"
