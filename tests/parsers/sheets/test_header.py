"""What a sheet states of itself: which cells are facts, which are keys, at the edges of both."""

from datetime import date

import pytest

from parsers.grid_draft import TooCostlyError
from parsers.sheets import header
from parsers.sheets.header import EXACT, Fact, Facts, Rivals
from tests.parsers.sheets.made import forms, sheet

CODE, METER, POINT = "200000001234", "07510001", "200000001234-01"
WHO = "Код пользователя"


def facts_of(rows, layout="52006", **more):
    form = forms()[layout]
    return Facts(sheet(rows, **more), form.definition, form.words)


def facts(rows, layout="52006"):
    return [(fact.field, fact.cell, fact.place.cell) for fact in facts_of(rows, layout).all()]


def keys(rows, layout="52006"):
    found = facts_of(rows, layout)
    return [
        (key.field, key.cell, key.place.cell)
        for row in range(1, len(rows) + 1)
        for key in found.keys_in(row)
    ]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ([WHO, CODE], [("sender_code", CODE, "B1")]),
        ([f"{WHO}: {CODE}"], [("sender_code", CODE, "A1")]),
        ([f"{WHO}= {CODE} "], [("sender_code", CODE, "A1")]),
        ([f"{WHO}:", CODE], [("sender_code", CODE, "B1")]),
        ([f"{WHO} {CODE}"], []),
        (["Адрес: дом 5"], []),
        (["Макет 52006"], [("class", "52006", "A1")]), (["Макет 5"], [("class", "5", "A1")]),
        (["Макет", "52006"], [("class", "52006", "B1")]),
        (["Код 52006"], []), (["Макет А"], []), (["52006"], []),
        # As far as twelve columns to the right.
        ([WHO, *[""] * 11, CODE], [("sender_code", CODE, "M1")]), ([WHO, *[""] * 12, CODE], []),
        ([WHO, "-", CODE], []), ([WHO, "Пароль", CODE], [("password", CODE, "C1")]),
        ([WHO, "№ счётчика"], []), (["Пароль", "№ счётчика"], [("password", "№ счётчика", "B1")]),
        # Among the first hundred cells.
        ([*["x"] * 99, WHO, CODE], [("sender_code", CODE, "CW1")]), ([*["x"] * 100, WHO, CODE], []),
        # Of three hundred signs.
        ([f"{WHO}: {'7' * 282}"], [("sender_code", "7" * 282, "A1")]),
        ([f"{WHO}: {'7' * 283}"], []),
        # Three labels make a row of them, unless a value fits one.
        (["№ счётчика", "Зона", "Показание", "Дата", "x"], []),
        (["Зона", "Дата", "x"], [("instant", "x", "C1")]),
        (["№ счётчика", "Зона", "Показание", "Дата", "01.11.2026"],
         [("instant", "01.11.2026", "E1")]),
        (["№ счётчика", "Зона", "Показание", "Дата", "на 01.11.2026"], []),
    ],
)  # fmt: skip
def test_a_fact_is_a_label_with_what_stands_in_or_beside_it(row, found):
    assert facts([row]) == found


@pytest.mark.parametrize(
    ("rows", "day"),
    [
        ([["Показания на 01.11.2026"]], "01.11.2026"),
        ([["По состоянию на 01.11.2026"]], "01.11.2026"),
        ([["Показания на 01.11.2026", "x"]], None),
        ([["Предыдущие показания на 01.10.2026"]], None),
        ([["Договор на 01.11.2026"]], None), ([["На ночь"]], None), ([[5]], None),
        # Below labels it may go on with them.
        ([["№ счётчика", "x"], ["По состоянию на 01.11.2026"]], None),
        ([["№ счётчика"], ["По состоянию на 01.11.2026"]], "01.11.2026"),
        ([["x", "y"], ["По состоянию на 01.11.2026"]], "01.11.2026"),
        ([["№ счётчика", "x"], [], ["По состоянию на 01.11.2026"]], "01.11.2026"),
        ([["№ счётчика", "x"], ["Показание на 01.11.2026"]], "01.11.2026"),
    ],
)  # fmt: skip
def test_a_title_alone_in_its_row_names_the_day(rows, day):
    named = [cell for field, cell, _ in facts(rows) if field == "instant"]
    assert named == ([day] if day else [])
    assert facts(rows, "52005") == []


def test_a_day_beside_a_label_merged_down_to_it_goes_on_with_the_labels():
    rows = [["Показание", "x"], ["По состоянию на 01.11.2026"]]
    assert [field for field, *_ in facts(rows)] == ["instant"]
    assert list(facts_of(rows, heads={(2, 2): (1, 2)}).all()) == []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (["№ счётчика", METER], [("meter", METER, "B1")]),
        (["№ счётчика", 7510001], [("meter", 7510001, "B1")]),
        ([f"№ счётчика: {METER}"], [("meter", METER, "A1")]),
        ([f"№ счётчика={METER}"], [("meter", METER, "A1")]),
        ([f"№ счётчика {METER}"], [("meter", METER, "A1")]),
        ([f"Точка учёта {POINT}"], [("point", POINT, "A1")]),
        (["Точка учёта", "Насосная 1"], []), (["Точка учёта", POINT], [("point", POINT, "B1")]),
        (["№ счётчика", "СЕ-102"], [("meter", "СЕ-102", "B1")]), (["№ счётчика", "СЕ"], []),
        (["№ счётчика", "01.11.2026"], []), (["№ счётчика", "на 01.11.2026"], []),
        (["№ счётчика", "-"], []), (["№ счётчика"], []), (["№ счётчика", 7.5], []),
        (["Канал", "R+"], [("channel", "R+", "B1")]), (["Канал", "x"], []),
        (["Вид энергии", "реактивная"], [("channel", "реактивная", "B1")]),
        (["Зона", "ночь"], [("zone", "ночь", "B1")]), (["Зона", "x"], []), (["Зона", "Пароль"], []),
        # Only names and facts stand beside a key.
        (["№ счётчика", METER, "ТП-12"], [("meter", METER, "B1")]), (["№ счётчика", METER, 5], []),
        (["№ счётчика", METER, "Показание"], []),
        (["№ счётчика", METER, "Пароль", "x"], [("meter", METER, "B1")]),
        (["№ счётчика", METER, "Зона", "ночь"], [("meter", METER, "B1"), ("zone", "ночь", "D1")]),
        (["№ счётчика", METER, *["x"] * 10], [("meter", METER, "B1")]),
        (["№ счётчика", METER, *["x"] * 11], []),
    ],
)  # fmt: skip
def test_a_key_of_all_rows_is_a_label_with_a_code(row, found):
    assert keys([row]) == found


def test_whoever_is_named_above_hours_is_not_the_enterprise():
    row = ["Точка учёта", "Насосная"]
    assert keys([row], "52005") == [("point", "Насосная", "B1")]
    assert keys([row], "52006") == []


@pytest.mark.parametrize(
    ("row", "filled"),
    [
        ([WHO, CODE], True), (["№ счётчика", METER], True), ([], False), (["x"], False),
        (["Адрес", "ул. Мира, 5"], True), (["Адрес", "Договор"], False), (["Адрес"], False),
        (["Адрес", "Мира, 5", "Договор", "К-7"], True), (["Адрес", "Мира, 5", "x", "К-7"], False),
        (["Адрес", "x"] * 6, True), (["Адрес", "x"] * 7, False), (["Показание", 5], False),
    ],
)  # fmt: skip
def test_a_row_is_filled_by_labels_with_their_values(row, filled):
    assert facts_of([row]).fill(1) is filled


def test_a_sheet_may_state_so_many_facts_and_keys(monkeypatch):
    rows = [[WHO, CODE], ["№ счётчика", METER], ["x"]]
    monkeypatch.setattr(header, "MOST_FACTS", 2)
    assert len(facts(rows)) + len(keys(rows)) == 2
    with pytest.raises(TooCostlyError):
        facts([*rows, ["Зона", "ночь"]])


def test_the_day_above_a_row_is_the_nearest_of_the_most_exact():
    found = facts_of([
        ["Дата показаний", "01.10.2026"], ["Дата", "05.11.2026"], ["Дата показаний", "01.11.2026"],
        ["Дата показаний", "x"],
    ])  # fmt: skip
    days = [found.day_above(row) for row in range(1, 6)]
    assert days == [None, date(2026, 10, 1), date(2026, 10, 1), *[date(2026, 11, 1)] * 2]
    assert facts_of([["Дата", "05.11.2026"]]).day_above(2) == date(2026, 11, 5)
    assert found.key_names_above(9) == set()
    keyed = facts_of([["x"], ["№ счётчика", METER]])
    assert [keyed.key_names_above(row) for row in (1, 2, 3)] == [set(), {"meter"}, {"meter"}]
    assert [keyed.hold(row) for row in (1, 2)] == [False, True]
    assert [keyed.stand_in(row) for row in (1, 2)] == [False, False]


class Spot:
    """A table by its bounds."""

    def __init__(self, top, end, left=1, right=9):
        self.top, self.end, self.left, self.right = top, end, left, right


def stated(rows, mine=None, *tables):
    found = facts_of(rows).of(mine, tables or ([mine] if mine else []))
    return {
        name: f"{fact.first.place.cell}/{fact.second.place.cell}"
        if isinstance(fact, Rivals)
        else fact.place.cell
        for name, fact in found.items()
    }


def test_a_fact_counts_by_its_place_beside_the_tables():
    above, below, named = [WHO, "1"], [WHO, "2"], ["Код", "3"]
    assert stated([above, [], [], below], Spot(2, 4)) == {"sender_code": "B1"}
    assert stated([[], [], [], below], Spot(2, 4)) == {"sender_code": "B4"}
    # Within a table, or below the last one with a word of many meanings, it is none.
    assert stated([[], [], below], Spot(2, 4)) == {}
    assert stated([[], [], below], Spot(1, 3)) == {"sender_code": "B3"}
    assert stated([[], [], [], named], Spot(2, 4)) == {}
    assert stated([named, []], Spot(2, 4)) == {"sender_code": "B1"}
    assert stated([above, below], Spot(3, 4)) == {"sender_code": "B1/B2"}
    assert stated([above, above], Spot(3, 4)) == {"sender_code": "B1"}
    assert stated([named, above], Spot(3, 4)) == {"sender_code": "B2"}
    assert stated([above, below]) == {"sender_code": "B1/B2"}


def test_of_several_tables_a_fact_is_of_the_one_right_below_it():
    rows = [[WHO, "1"], [], [], [WHO, "2"], [], [], [WHO, "3"]]
    first, second = Spot(2, 4), Spot(5, 7)
    assert stated(rows, first, first, second) == {"sender_code": "B1"}
    assert stated(rows, second, first, second) == {"sender_code": "B4"}
    assert stated([rows[0], *rows[1:3]], second, first, second) == {"sender_code": "B1"}
    # Tables beside each other: the label over its own columns counts.
    pair = [[WHO, "1", WHO, "2"]]
    left, right = Spot(2, 4, 1, 2), Spot(2, 4, 3, 4)
    assert stated(pair, left, left, right) == {"sender_code": "B1"}
    assert stated(pair, right, left, right) == {"sender_code": "D1"}
    assert stated(pair, Spot(2, 4, 2, 3), left, right) == {"sender_code": "D1"}


def test_a_title_that_is_taken_for_a_fact_names_it_exactly():
    (fact,) = facts_of([["Показания на 01.11.2026"]]).all()
    assert fact == Fact("instant", "01.11.2026", "Лист1", 1, 1, (1, 1), EXACT)
