"""A title right above the labels is no label of the column below it."""

import pytest

from layouts.document import Document
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from parsers.grid import EPOCH_1900, Merged
from parsers.sheets.table import Table
from parsers.sheets.titles import Titles
from tests.parsers.pages import WRITERS, Page
from tests.parsers.sheets.made import forms, sheet

LAYOUTS = load()
FACTS = [["Код пользователя", "200000001234"], ["Дата показаний", "01.11.2026"]]
HOURS = [["Код пользователя", "200000001234"], ["Единица", "кВт·ч"]]
TITLES = {
    "Показания приборов учёта реактивной энергии, квар·ч": "R+",
    "Реактивная энергия, приём": "R+",
    "A-": "A-",
    "Активная энергия": "A+",
    "Показания": "A+",
    "Точки учёта": "A+",
    "Тарифы": "A+",
    "Коэффициент": "A+",
    "Предыдущие показания": "A+",
}


def read(rows, merged=()):
    cells = {
        (row, column): value
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
        if value not in ("", None)
    }
    page = Page("Лист1", cells, merged=list(merged))
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), LAYOUTS)
    return parsed


def told(parsed):
    return {(found.code, found.place.cell) for found in parsed.findings if found.is_error}


@pytest.mark.parametrize(("first", "over"), [("№", 1), ("№", 2), ("Номер", 1), ("№№", 4), ("", 1)])
@pytest.mark.parametrize(("title", "channel"), TITLES.items())
def test_a_title_makes_no_reading_and_no_key_of_the_numbers_of_rows(title, channel, first, over):
    labels = [first, "Тарифная зона", "Показание", "№ счётчика"]
    rows = [[1, "Т1", 295.425, "07510001"], [2, "Т2", "", "07510001"]]
    merged = [(3, 1, 3, over)] if over > 1 else []
    parsed = read([*FACTS, [title], labels, *rows], merged)
    assert [(s.meter, s.channel, s.zone, str(s.values[0])) for s in parsed.series] == [
        ("07510001", channel, "T1", "295.425")
    ]
    # It is told when it denies that they are this month's, and makes no column of another.
    is_earlier = title == "Предыдущие показания"
    assert told(parsed) == ({(Code.AMBIGUOUS_COLUMN, "A3")} if is_earlier else set())


@pytest.mark.parametrize(
    "title", ["Активная энергия", "Точки учёта", "Каналы", "Дата", "Показания"]
)
@pytest.mark.parametrize("first", ["№", "", "Номер"])
def test_a_title_makes_no_key_of_hours_of_the_numbers_of_rows(title, first):
    labels = [first, "Дата", "Точка учёта", *(f"{h}-{h + 1}" for h in range(24))]
    days = [[n, f"0{n}.11.2026", "200000001234-01", *range(24)] for n in (1, 2)]
    parsed = read([*HOURS, [title], labels, *days])
    (series,) = parsed.series
    assert (series.point, series.channel, len(series.values)) == ("200000001234-01", "A+", 48)
    assert told(parsed) == set()


def test_a_label_over_the_number_of_meters_is_theirs():
    parsed = read([*FACTS, ["Прибор учёта"], ["№", "Тип", "Показание"], ["07510001", "СЕ-102", 5]])
    assert [(s.meter, int(s.values[0])) for s in parsed.series] == [("07510001", 5)]


@pytest.mark.parametrize(
    ("label", "key", "cell", "field"),
    [
        ("Показание R+", "Канал", "A+", "channel"),
        ("Показание A+", "Вид энергии", "реактивная", "channel"),
        ("Показание Т2", "Тарифная зона", "Т1", "zone"),
        ("Показание, ночь", "Тарифная зона", "день", "zone"),
    ],
)
def test_a_row_that_says_another_channel_or_zone_than_its_column_is_told(label, key, cell, field):
    parsed = read([*FACTS, ["№ счётчика", key, label], ["07510001", cell, 5]])
    assert (Code.AMBIGUOUS_COLUMN, "B4") in told(parsed)
    assert {found.detail["field"] for found in parsed.findings if found.is_error} == {field}


@pytest.mark.parametrize(
    ("label", "key", "cell"),
    [
        ("Показание R+", "Канал", "R+"),
        ("Показание А+", "Вид энергии", "активная"),
        ("Показание R+", "Канал", ""),
        ("Показание Т2", "Тарифная зона", "2"),
        ("Показание Т2", "Тарифная зона", ""),
    ],
)
def test_a_row_that_says_the_same_as_its_column_or_nothing_is_read(label, key, cell):
    parsed = read([*FACTS, ["№ счётчика", key, label], ["07510001", cell, 5]])
    assert [int(s.values[0]) for s in parsed.series] == [5]
    assert told(parsed) == set()


def test_a_label_over_columns_of_channels_and_readings_leaves_the_channels_their_cells():
    labels = ["№ счётчика", "Канал", "Показание"]
    rows = [["07510001", "R+", 5], ["07510002", "A+", 6]]
    parsed = read([*FACTS, ["", "Реактивная энергия R+"], labels, *rows], [(3, 2, 3, 3)])
    assert [(s.meter, s.channel) for s in parsed.series][:1] == [("07510001", "R+")]
    assert told(parsed) == {(Code.AMBIGUOUS_COLUMN, "B6")}


@pytest.mark.parametrize(
    ("title", "label", "channel"),
    [
        ("Активная энергия", "Показание R+", None),
        ("Показания приборов учёта активной энергии", "Показание, квар·ч", None),
        ("Реактивная, квар·ч", "Показание (активная)", None),
        ("Активная энергия, приём", "Показание R-", None),
        ("Тариф Т2", "Показание Т1", None),
        ("Ночная зона", "Показание Т1", None),
        # A title of both, of no direction, or with the name of a firm contradicts nothing.
        ("Активная и реактивная энергия", "Показание R+", "R+"),
        ("Активная энергия", "Показание A-", "A-"),
        ("ООО Актив", "Показание R+", "R+"),
        ("Реактивная энергия", "Показание R+", "R+"),
    ],
)
def test_a_title_that_the_labels_below_it_contradict_is_told(title, label, channel):
    parsed = read([*FACTS, [title], ["№ ПУ", label], ["07510001", 5]])
    assert told(parsed) == (set() if channel else {(Code.AMBIGUOUS_COLUMN, "A3")})
    assert not channel or [s.channel for s in parsed.series] == [channel]


FORM = forms()["52006"]


def titles(rows, *spots, mine=0, facts=(), merged=(), columns=None):
    """The titles above one of the tables: text, cell, and whether it is its own."""
    tables = [
        Table(top, bottom, end, left, right, {}, columns=columns or {})
        for top, bottom, end, left, right in spots
    ]
    made = sheet(rows, merged=tuple(Merged(*one) for one in merged))
    found = Titles(made, tables, FORM.words, facts.__contains__).above(tables[mine])
    *told_, last = [(title.text, title.place.cell, title.is_own) for title in found]
    assert last == ("Лист1", None, True)
    return told_


LABELS = ["№ счётчика", "Показание"]


@pytest.mark.parametrize(
    ("rows", "spots", "mine", "found"),
    [
        ([["a"], ["b", "", "c"], LABELS, [7, 5]], [(3, 3, 5, 1, 9)], 0,
         [("b", "A2", True), ("c", "C2", True), ("a", "A1", True)]),
        # A row with a number is no title, nor is a cell of another kind.
        ([["a", 5], ["b", "5"], ["c", EPOCH_1900], LABELS], [(4, 4, 5, 1, 9)], 0,
         [("c", "A3", True)]),
        # In the rows of the labels one text alone is a title.
        ([["a"], ["b"], LABELS], [(2, 3, 4, 1, 9)], 0, [("b", "A2", True), ("a", "A1", True)]),
        ([["a"], ["b", "c"], LABELS], [(2, 3, 4, 1, 9)], 0, [("a", "A1", True)]),
        # Below a row of labels that could not be read nothing above is certain.
        ([["a"], ["№ счётчика", "Зона"], ["b"], LABELS], [(4, 4, 5, 1, 9)], 0,
         [("b", "A3", True), ("№ счётчика", "A2", False), ("Зона", "B2", False),
          ("a", "A1", False)]),
        ([["a"], ["№ счётчика", "x"], ["b"], LABELS], [(4, 4, 5, 1, 9)], 0,
         [("b", "A3", True), ("№ счётчика", "A2", True), ("x", "B2", True), ("a", "A1", True)]),
        # The title of an earlier table is not the later one's for certain.
        ([["a"], LABELS, [7, 5], ["b"], ["x", "y"], [8, 6]], [(2, 2, 5, 1, 9), (5, 5, 7, 1, 9)], 1,
         [("b", "A4", False), ("a", "A1", False)]),
        ([["a"], LABELS, [7, 5], ["b"], LABELS, [8, 6]], [(2, 2, 5, 1, 9), (5, 5, 7, 1, 9)], 1,
         [("b", "A4", True), ("a", "A1", True)]),
        ([["a"], LABELS, [7, 5], ["b"], LABELS, [8, 6]], [(2, 2, 4, 1, 9), (5, 5, 7, 1, 9)], 1,
         [("b", "A4", True), ("a", "A1", False)]),
        ([["a"], LABELS, [7, 5], ["b"], LABELS, [8, 6]], [(2, 2, 4, 1, 9), (5, 5, 7, 1, 9)], 0,
         [("a", "A1", True)]),
        # Of the first printed page, whose labels are repeated.
        ([["a"], LABELS, [7, 5], LABELS, [8, 6]], [(2, 2, 4, 1, 9), (4, 4, 6, 1, 9)], 1,
         [("a", "A1", True)]),
        ([["a"], LABELS, [7, 5], ["x", "y"], [8, 6]], [(2, 2, 4, 1, 9), (4, 4, 6, 1, 9)], 1,
         [("a", "A1", False)]),
        ([["a"], LABELS, [7, 5], [], LABELS, [8, 6]], [(2, 2, 5, 1, 9), (5, 5, 7, 1, 9)], 1,
         [("a", "A1", False)]),
        # Beside another table: what stands over its own columns.
        ([["a", "", "", "b"], ["№", "x", "", "№", "x"]], [(2, 2, 3, 1, 2), (2, 2, 3, 4, 5)], 0,
         [("a", "A1", True)]),
        ([["a", "", "", "b"], ["№", "x", "", "№", "x"]], [(2, 2, 3, 1, 2), (2, 2, 3, 4, 5)], 1,
         [("b", "D1", True)]),
        ([["a", "", "c"], ["№", "x", "", "№", "x"]], [(2, 2, 3, 1, 2), (2, 2, 3, 4, 5)], 1,
         [("a", "A1", False), ("c", "C1", False)]),
        ([["", "c"], ["№", "x", "", "№", "x"]], [(2, 2, 3, 1, 2), (2, 2, 3, 4, 5)], 0,
         [("c", "B1", True)]),
        ([["", "", "", "", "c"], ["№", "x", "", "№", "x"]], [(2, 2, 3, 1, 2), (2, 2, 3, 4, 5)], 1,
         [("c", "E1", True)]),
        ([["", "", "c"], ["№", "x"], ["№", "x"]], [(2, 2, 3, 1, 2), (3, 3, 4, 1, 2)], 0,
         [("c", "C1", True)]),
    ],
)  # fmt: skip
def test_a_title_is_told_with_whether_it_is_of_this_table_for_certain(rows, spots, mine, found):
    assert titles(rows, *spots, mine=mine) == found


def test_a_merged_title_stands_over_all_its_columns():
    rows, spots = [["a"], ["", "№", "x", "", "№", "x"]], [(2, 2, 3, 2, 3), (2, 2, 3, 5, 6)]
    owners = {1: [False, False], 2: [True, False], 4: [True, False], 5: [True, True]}
    for right, owns in owners.items():
        merged = [(1, 1, 1, right)] if right > 1 else []
        found = [titles(rows, *spots, mine=mine, merged=merged) for mine in (0, 1)]
        assert found == [[("a", "A1", own)] for own in owns]


def test_facts_and_what_goes_on_from_a_table_further_up_are_no_titles():
    rows = [["a"], ["b"], LABELS]
    assert titles(rows, (3, 3, 4, 1, 9), facts={2}) == [("a", "A1", True)]
    upper, lower = (1, 1, 5, 1, 9), (5, 5, 7, 1, 9)
    rows = [["Зона", "x"], ["T1", 5], ["T2"], ["b"], LABELS, [7, 5]]
    above = titles(rows, upper, lower, mine=1, columns={"zone": 1})
    assert above == []
    above = titles(rows, upper, lower, mine=1, columns={"point": 1})
    assert [text for text, *_ in above] == ["b", "T2"]
    rows = [["Зона", "x"], ["T1", 5], [], ["b"], LABELS, [7, 5]]
    above = titles(rows, upper, lower, mine=1, columns={"zone": 1})
    assert [text for text, *_ in above] == ["b"]
