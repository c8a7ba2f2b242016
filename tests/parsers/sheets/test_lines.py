"""A line of text between a table's rows counts for the rows below it, or is told."""

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.books import workbook
from tests.parsers.pages import WRITERS, Page

LAYOUTS = load()
BLOCK = [
    ["Макет", 52006],
    ["Код пользователя", "200000001234"],
    ["Дата показаний", "01.11.2026"],
    [],
    ["№ ПУ", "Показание"],
]
FIRST, SECOND = ["07510001", 100], ["07510002", 5]
HOURS = [
    ["Макет", 52005],
    ["Код пользователя", "200000001234"],
    ["Месяц", "ноябрь 2026"],
    ["Единица", "кВт·ч"],
    [],
    ["Дата", *range(24)],
    ["01.11.2026", *range(24)],
]


def read(*rows):
    cells = {
        (row, column): value
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
    }
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([Page("Лист1", cells)])), LAYOUTS)
    return parsed


@pytest.mark.parametrize(
    ("line", "channel", "zone"),
    [
        ("Реактивная энергия", "R+", "T0"),
        ("Реактивная энергия, квар·ч", "R+", "T0"),
        ("Ночь", "A+", "T2"),
        ("Канал: R-", "R-", "T0"),
        ("Активная энергия", "A+", "T0"),
        ("ул. Мира, 5", "A+", "T0"),
    ],
)
def test_a_line_counts_for_the_rows_below_it(line, channel, zone):
    parsed = read(*BLOCK, FIRST, [line], SECOND)
    first, second = parsed.series
    assert (first.channel, first.zone) == ("A+", "T0")
    assert (second.channel, second.zone) == (channel, zone)
    assert parsed.findings == ()


def test_a_line_right_below_the_labels_is_none_of_them():
    parsed = read(*BLOCK, ["Реактивная энергия"], FIRST, ["Активная энергия"], SECOND)
    assert [series.channel for series in parsed.series] == ["R+", "A+"]


@pytest.mark.parametrize("first", ["Показание", "Предыдущее", "Расход", "Кол-во", "Примечание"])
@pytest.mark.parametrize(
    ("line", "channel", "zone"),
    [("Реактивная энергия", "R+", "T0"), ("R+", "R+", "T0"), ("Ночь", "A+", "T2")],
)
def test_a_line_below_any_first_label_is_no_label(first, line, channel, zone):
    labels = [first, "№ ПУ", *(["Показание"] if first != "Показание" else [])]
    rows = [[100, "07510001"], [5, "07510002"]]
    if first != "Показание":
        rows = [["", meter, value] for value, meter in rows]
    parsed = read(*BLOCK[:4], labels, [line], rows[0], ["Активная энергия"], rows[1])
    assert [(s.channel, s.zone, s.reading) for s in parsed.series] == [
        (channel, zone, 100),
        ("A+", zone, 5),
    ]
    assert parsed.findings == ()


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        ([["№ ПУ", "Показание R+"]], "Активная энергия"),
        ([["№ ПУ", "Показание"], ["", "R+"]], "Активная энергия"),
        ([["№ ПУ", "Ночь"]], "День"),
    ],
)
def test_a_line_that_denies_a_column_is_told_when_rows_follow(labels, line):
    parsed = read(*BLOCK[:4], *labels, FIRST, [line], SECOND)
    (found,) = parsed.findings
    cell = f"A{6 + len(labels)}"
    assert (found.code, found.place.cell, found.is_error) == (Code.NOT_READ, cell, True)
    assert read(*BLOCK[:4], *labels, FIRST, [line]).findings == ()


def test_a_line_whose_formula_was_never_calculated_keeps_the_rows_below_it_out():
    content = workbook((*BLOCK, FIRST, ['="Реактивная энергия"'], SECOND, ['="Итого"']))
    (parsed,) = parse(Document("a.xlsx", content), LAYOUTS)
    assert [(found.code, found.place.cell, found.is_error) for found in parsed.findings] == [
        (Code.FORMULA_WITHOUT_VALUE, "A7", True),
        (Code.FORMULA_WITHOUT_VALUE, "A9", False),
    ]


def test_a_line_goes_on_behind_labels_repeated_on_the_next_printed_page():
    parsed = read(*BLOCK, FIRST, ["Реактивная энергия"], FIRST, BLOCK[-1], SECOND)
    assert [series.channel for series in parsed.series] == ["A+", "R+", "R+"]


def test_a_line_that_may_mean_another_channel_is_told_when_rows_follow():
    doubtful = ["Цех 1 (реактив)"]
    told = read(*BLOCK, FIRST, doubtful, SECOND).findings
    assert [(found.code, found.place.cell) for found in told] == [(Code.NOT_READ, "A7")]
    assert all(found.is_error for found in told)
    assert read(*BLOCK, FIRST, doubtful).findings == ()


def test_a_point_named_between_days_is_that_of_the_days_below():
    parsed = read(*HOURS, ["Точка учёта", "200000001234-02"], ["02.11.2026", *range(24)])
    assert [series.point for series in parsed.series] == ["200000001234", "200000001234-02"]
    assert parsed.findings == ()


@pytest.mark.parametrize("word", ["Максимум", "Среднее", "Руководитель"])
def test_what_is_no_day_below_hours_is_no_mistake(word):
    values = range(24) if word != "Руководитель" else ["Иванов И. И."]
    parsed = read(*HOURS, [word, *values])
    assert [len(series.values) for series in parsed.series] == [24]
    assert parsed.findings == ()
