"""The channel of a column whose labels name an energy and a direction apart."""

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from tests.parsers.pages import WRITERS, Page

LAYOUTS = load()
HEAD = {
    (1, 1): "Макет",
    (1, 2): 52006,
    (2, 1): "Код пользователя",
    (2, 2): "200000001234",
    (3, 1): "Дата показаний",
    (3, 2): "01.11.2026",
}
FOUR = {"A+": 10, "A-": 20, "R+": 30, "R-": 40}


def read(upper, lower, container="xlsx"):
    """Four columns under two rows of labels; a group's label is merged over its columns."""
    cells = HEAD | {(6, 1): "№ счётчика", (7, 1): "07510001"}
    cells |= {(6, 2 + at): text for at, text in enumerate(lower)}
    cells |= {(7, 2 + at): value for at, value in enumerate(FOUR.values())}
    width = 4 // len(upper)
    cells |= {(5, 2 + at * width): text for at, text in enumerate(upper)}
    merged = [(5, 2 + at * width, 5, 1 + (at + 1) * width) for at in range(len(upper))]
    page = Page("Лист1", cells, merged=merged if width > 1 else [])
    (parsed,) = parse(Document("a", WRITERS[container]([page])), LAYOUTS)
    return parsed


def values(parsed):
    return {series.channel: int(series.reading) for series in parsed.series}


DIRECTIONS = [
    ("приём", "отдача"),
    ("Прямое", "Обратное"),
    ("Прием, кВт·ч", "Выдача, кВт·ч"),
    ("import", "export"),
]


@pytest.mark.parametrize("container", sorted(WRITERS))
@pytest.mark.parametrize("two", DIRECTIONS, ids="/".join)
def test_an_energy_over_its_directions_is_the_channel_of_both(two, container):
    parsed = read(["Активная энергия", "Реактивная энергия"], [*two, *two], container)
    assert (values(parsed), parsed.findings) == (FOUR, ())


def test_a_direction_over_energies_is_the_channel_of_both():
    parsed = read(["Приём", "Отдача"], ["Активная", "Реактивная"] * 2)
    assert values(parsed) == {"A+": 10, "R+": 20, "A-": 30, "R-": 40}


def test_one_label_may_name_both_in_any_order():
    four = [
        "Отдача, реактивная",
        "Реактивная (приём)",
        "Активная энергия, отдача",
        "Приём активной",
    ]
    parsed = read(["Показания"], four)
    assert values(parsed) == {"R-": 10, "R+": 20, "A-": 30, "A+": 40}


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        (["Показания"], ["приём", "отдача"] * 2),
        (["Активная", "Реактивная"], ["приём", "приём"] * 2),
        (["А+", "R+"], ["приём", "отдача"] * 2),
        (["Активная отдача", "Реактивная отдача"], ["приём", "отдача"] * 2),
    ],
)
def test_directions_without_one_energy_are_refused_not_guessed(upper, lower):
    parsed = read(upper, lower)
    assert values(parsed) == {}
    refused = {Code.AMBIGUOUS_COLUMN, Code.MISSING_FIELD, Code.NOT_READ, Code.UNKNOWN_LAYOUT}
    assert any(found.is_error and found.code in refused for found in parsed.findings)


def test_a_column_of_both_directions_is_told_and_the_others_are_read():
    parsed = read(["Активная", "Реактивная"], ["приём", "приём-отдача"] * 2)
    assert values(parsed) == {"A+": 10, "R+": 30}
    assert [(f.code, f.place.cell) for f in parsed.findings] == [
        (Code.NOT_READ, "C7"),
        (Code.NOT_READ, "E7"),
    ]


@pytest.mark.parametrize(
    ("title", "channel"),
    [
        ("Реактивная энергия, отдача", "R-"),
        ("Активная энергия (приём)", "A+"),
        ("Отдача активной энергии", "A-"),
    ],
)
def test_a_title_with_both_names_the_channel_of_its_table(title, channel):
    cells = HEAD | {(5, 1): title, (6, 1): "№ счётчика", (6, 2): "Показание"}
    cells |= {(7, 1): "07510001", (7, 2): 10}
    (parsed,) = parse(Document("a", WRITERS["xlsx"]([Page("Лист1", cells)])), LAYOUTS)
    assert (values(parsed), parsed.findings) == ({channel: 10}, ())
