"""Dates that may be of two days: a day and a month that may have changed places."""

from datetime import UTC, date, datetime

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
from parsers.grid import EPOCH_1900, Sheet
from parsers.sheets import claims, dates, units
from parsers.sheets.dates import day_of_month, month_first, swapped
from parsers.sheets.header import fits
from parsers.sheets.hours import numbering
from parsers.sheets.table import Label
from parsers.sheets.vocabulary import Meaning
from tests.parsers.pages import WRITERS, Page, Value

LAYOUTS = load()
WHO: list[Value] = ["Код пользователя", "200000001234"]


def read(*rows: list[Value]) -> Parsed:
    cells = {
        (row, column): value
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
        if value != ""
    }
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([Page("Лист1", cells)])), LAYOUTS)
    return parsed


def registers(instant: Value, title: str = "") -> Parsed:
    stated: list[Value] = ["Дата показаний", instant]
    return read([title], WHO, stated, ["№ счётчика", "Показание"], ["0751", 100])


def told(parsed: Parsed) -> list[tuple[Code, str | None, str | None]]:
    return [(f.code, f.place.cell, f.detail.get("either")) for f in parsed.findings]


BOTH = "11.01.2026, 01.11.2026"


@pytest.mark.parametrize(
    ("instant", "title", "either"),
    [
        # As a rule readings are of the first day of a month.
        ("11/01/2026", "", BOTH),
        ("11-01-2026", "", BOTH),
        ("11/01/26", "", BOTH),
        ("11/01/2026 00:00", "", BOTH),
        # What a title says of the month is held against the date, also in a cell of dates.
        ("10/11/2026", "Показания за октябрь 2026 г.", "10.11.2026, 11.10.2026"),
        (date(2026, 1, 11), "Ведомость за ноябрь 2026", BOTH),
        ("11.01.2026", "Ведомость за ноябрь", BOTH),
    ],
)
def test_a_date_that_may_be_of_another_month_is_told_with_both(instant, title, either):
    parsed = registers(instant, title)
    assert told(parsed) == [(Code.INVALID_DATE, "B3", either)]
    assert parsed.series == ()


@pytest.mark.parametrize(
    ("instant", "title"),
    [
        ("01/11/2026", ""),
        ("1/11/26", ""),
        ("11.01.2026", ""),
        (date(2026, 1, 11), ""),
        ("2026-01-11", ""),
        ("11/11/2026", ""),
        ("25/01/2026", ""),
        ("10/11/2026", ""),
        ("11/01/2026", "Показания за январь 2026"),
        ("01/11/2026", "Показания за октябрь 2026"),
        ("01.11.2026", "Показания за ноябрь 2026"),
    ],
)
def test_a_date_in_the_usual_order_is_read(instant, title):
    parsed = registers(instant, title)
    assert told(parsed) == []
    assert len(parsed.series) == 1


def test_the_label_of_a_column_may_be_of_two_days_as_well():
    parsed = read(WHO, ["№ счётчика", "Показание на 10/01/2026", "Показание на 11/01/2026"],
                  ["0751", 100, 200])  # fmt: skip
    assert told(parsed) == [(Code.INVALID_DATE, "C2", BOTH)]
    assert parsed.series == ()


def matrix(dates: list[Value], month: Value = "", below: Value = "") -> Parsed:
    head: list[list[Value]] = [["Макет", 52005], WHO, ["Единица", "кВт·ч"]]
    head += [["Месяц", month]] if month else []
    labels: list[Value] = ["Дата", *range(24)]
    return read(*head, labels, *([day, *range(24)] for day in dates), [below])


def american(*days_: int) -> list[Value]:
    return [f"11/{day:02d}/2026" for day in days_]


def by_program(*days_: int) -> list[Value]:
    """As a Russian Excel takes them: dates while it can."""
    return [date(2026, day, 11) if day < 13 else f"11/{day}/2026" for day in days_]


@pytest.mark.parametrize(
    ("dates", "month"),
    [
        (american(1, 2, 3), ""),
        (american(2, 13), ""),
        (american(1, 2, 3), "ноябрь 2026"),
        (by_program(1, 2, 13, 14), ""),
        (by_program(1, 2, 3), "ноябрь 2026"),
    ],
)
def test_days_whose_month_stands_first_are_told_with_both(dates, month):
    parsed = matrix(dates, month)
    either = [e for code, _, e in told(parsed) if code is Code.INVALID_DATE]
    assert any("02.11.2026" in str(both) for both in either)
    assert parsed.series == ()


@pytest.mark.parametrize("month", ["", "ноябрь 2026"])
def test_days_in_the_usual_order_are_read(month):
    assert told(matrix(["01/11/2026", "02/11/2026", "03/11/2026"], month)) == []


def test_a_phone_number_below_days_says_nothing_of_their_order():
    days_ = ["01.11.2026", "02.11.2026"]
    assert told(matrix(days_, "ноябрь 2026", "Тел. 8 (4922) 12-34-56")) == []


def test_dates_of_another_month_are_not_called_exchanged():
    parsed = matrix(["11.10.2026", "12.10.2026"], "ноябрь 2026")
    assert {(code, either) for code, _, either in told(parsed)} == {(Code.INVALID_DATE, None)}


def day_(*parts):
    return datetime(*parts)  # noqa: DTZ001 - local, as written


@pytest.mark.parametrize(
    ("day", "other"),
    [
        (date(2026, 11, 12), date(2026, 12, 11)), (date(2026, 11, 13), None),
        (date(2026, 11, 11), None), (date(2026, 1, 2), date(2026, 2, 1)),
    ],
)  # fmt: skip
def test_day_and_month_change_places_up_to_the_twelfth(day, other):
    assert swapped(day) == other


OF = day_(2026, 11, 1), day_(2026, 1, 11)


@pytest.mark.parametrize(
    ("cells", "month", "first"),
    [
        (["12/11/2026"], None, False), (["13/01/2026"], None, False), (["01/13/2026"], None, True),
        (["01/12/2026"], None, False), (["11/01/2026"], None, True), (["11.01.2026"], None, False),
        (["11/02/2026", "11/03/2026"], None, True), (["11/02/2026", "12/03/2026"], None, False),
        (["11/02/2026"], None, False), (["11/02/2026", "01/02/2026"], None, False),
        ([], None, False),
        ([OF[1]], (2026, 11), True), ([OF[0]], (2026, 11), False), ([OF[1]], (0, 11), True),
        ([OF[1]], (2025, 11), False), ([OF[0], OF[1]], (2026, 11), True),
        ([OF[1]], (2026, 1), False),
        # The first day after a month closes it, also at the end of a year.
        ([day_(2026, 12, 1)], (2026, 11), False), ([day_(2027, 1, 1)], (2026, 12), False),
        ([day_(2026, 1, 1)], (2026, 12), False), ([day_(2026, 12, 2)], (2026, 2), True),
        ([day_(2026, 12, 2), day_(2026, 5, 20)], (2026, 2), False),
    ],
)  # fmt: skip
def test_what_stands_beside_a_date_says_whether_its_month_was_first(cells, month, first):
    assert month_first(cells, EPOCH_1900, month) is first


NOVEMBER = date(2026, 11, 1)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (1, 1), (30, 30), (31, None), (0, None), (32, None), (1.5, None), ("7", 7), ("07.11", 7),
        ("7.11.", 7), ("7.12", None), ("7 ноя", 7), ("7-ноября", 7), ("7 дек", None), ("x", None),
    ],
)  # fmt: skip
def test_a_numbered_day_is_of_the_month_above(cell, day):
    found = day_of_month(cell, NOVEMBER)
    assert found == (day and datetime(2026, 11, day, tzinfo=UTC))
    assert day_of_month(cell, None) is None


def column(column_, text="", **meaning):
    return Label(1, column_, text, Meaning(known=True, **meaning))


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        ([{"at": date(2026, 11, 1)}, {"at": date(2026, 10, 1)}], [2, 1]),
        ([{"at": date(2026, 11, 1)}, {"at": date(2026, 11, 1)}], []),
        ([{"at": date(2026, 11, 1)}, {"month": (2026, 10)}], []),
        ([{"month": (2026, 11)}, {"month": (2026, 10)}], [2, 1]),
        ([{"month": (2026, 1)}, {"month": (2025, 12)}], [2, 1]),
        ([{"month": (0, 11)}, {"month": (2026, 10)}], []),
        # Without years only neighbours: January follows December.
        ([{"month": (0, 10)}, {"month": (0, 11)}], [1, 2]),
        ([{"month": (0, 11)}, {"month": (0, 10)}], [2, 1]),
        ([{"month": (0, 12)}, {"month": (0, 1)}], [1, 2]),
        ([{"month": (0, 1)}, {"month": (0, 12)}], [2, 1]),
        ([{"month": (0, 1)}, {"month": (0, 3)}], []),
        ([{"month": (0, 9)}, {"month": (0, 10)}, {"month": (0, 11)}], []),
        ([{"month": (0, 9)}, {}], []),
        ([{"month": (2026, 10)}, {"month": (2026, 10)}], []),
        ([{"month": (2026, 11), "at": date(2026, 11, 1)}, {"month": (2026, 10)}], []),
    ],
)
def test_columns_are_ordered_by_their_days_or_months_or_not_at_all(labels, order):
    made = [column(n, **about) for n, about in enumerate(labels, 1)]
    assert [label.column for label in claims._by_time(made)] == order
    chosen, earlier = claims._current(made)
    assert [label.column for label in chosen] == (order[-1:] or [1, 2, 3][: len(made)])
    assert [label.column for label in earlier] == order[:-1]


@pytest.mark.parametrize(("days", "contradicts"), [((1, 2), False), ((2, 2), True), ((3, 2), True)])
def test_a_last_reading_of_the_same_or_a_later_day_contradicts(days, contradicts):
    earlier, chosen = (column(n, at=date(2026, 11, day)) for n, day in enumerate(days))
    assert claims._contradicts(chosen, [column(9), earlier]) is contradicts
    assert claims._contradicts(column(1), [earlier]) is False


@pytest.mark.parametrize(
    ("labels", "stated", "tenses"),
    [
        # Beside another column, the stated day is this reading's, an earlier one the last one's.
        ([10, 11], 11, ["previous", "current"]), ([11], 11, [None]), ([10, 11], 12, [None, None]),
        ([10, 12], 11, [None, None]), ([10, None], 11, ["previous", None]),
        ([11, 12], 11, ["current", None]),
    ],
)  # fmt: skip
def test_a_day_in_a_label_says_whether_its_reading_is_the_last_one(labels, stated, tenses):
    made = [column(n, at=month and date(2026, month, 1)) for n, month in enumerate(labels, 1)]
    day = date(2026, stated, 1)
    assert [claims._dated(one, day, made).meaning.tense for one in made] == tenses


@pytest.mark.parametrize(
    ("kind", "cell", "is_one"),
    [
        ("instant", "01.11.2026", True), ("instant", "x", False), ("month", "11.2026", True),
        ("month", "x", False), ("unit", "кВт·ч", True), ("unit", "x", False),
        ("code", "00 42", True),
        ("code", "A42", False), ("code", 42, True), ("code", "", False), ("text", "x", False),
    ],
)  # fmt: skip
def test_a_fact_fits_a_field_by_its_kind(kind, cell, is_one):
    assert fits(kind, cell) is is_one


@pytest.mark.parametrize(
    ("day", "months"),
    [
        (date(2026, 11, 2), [(2026, 11), (0, 11)]), (date(2026, 12, 1), [(2026, 12), (2026, 11),
        (0, 11)]),
        (date(2027, 1, 1), [(2027, 1), (2026, 12), (0, 12)]),
    ],
)  # fmt: skip
def test_a_day_is_of_its_month_and_the_first_one_of_the_month_that_it_closes(day, months):
    every = [(year, month) for year in (0, 2026, 2027) for month in range(1, 13)]
    mine = {(year, month) for year, month in every if dates._is_of(day, (year, month))}
    assert mine == {*months, (0, day.month)}


def test_a_text_beside_a_number_is_its_label_and_no_title_of_a_unit():
    sheet = Sheet("1", {1: {1: "a", 2: 7, 3: "b", 4: "c", 5: "8", 6: "d"}})
    assert [(fact.column, fact.cell) for fact in units._titles(sheet, 1)] == [
        (3, "b"), (5, "8"), (6, "d")
    ]  # fmt: skip
    assert units._titles(sheet, 2) == []


@pytest.mark.parametrize(
    ("stated", "other"),
    [
        (["kWh", "kWh"], False),
        (["kWh", "MWh"], True),
        (["kWh", None], False),
        (["kWh", "kvarh"], False),
    ],
)
def test_units_differ_by_their_size(stated, other):
    assert units.differ(stated) is other


@pytest.mark.parametrize(
    ("stated", "label", "other"),
    [
        ("01.10.2026", "Показание на 01.11.2026", "01.10.2026, B2"),
        ("01.11.2026", "Показание на 01.11.2026", None), ("", "Показание на 01.11.2026", None),
    ],
)  # fmt: skip
def test_a_label_of_another_day_than_is_stated_is_told_with_both(stated, label, other):
    about: list[list[Value]] = [["Дата показаний", stated]] if stated else []
    parsed = read(WHO, *about, ["№ счётчика", label], ["0751", 100])
    told_ = [f.detail.get("other") for f in parsed.findings if f.code is Code.AMBIGUOUS_COLUMN]
    assert told_ == ([other] if other else [])
    assert bool(parsed.series) is (other is None)


@pytest.mark.parametrize(
    ("cells", "unseen", "columns"),
    [
        ({1: "1", 2: 2, 3: 3.0}, {}, {1, 2, 3}), ({1: 1, 2: 2}, {}, set()),
        ({1: 1, 2: 2, 3: 4}, {}, set()),
        ({1: 1, 2: 2, 3: 3, 4: 9}, {}, {1, 2, 3}), ({1: 1, 2: 2, 3: 3, 4: 9, 5: 9}, {}, set()),
        ({2: 1, 4: 2, 6: 3}, {}, {2, 4, 6}), ({1: 1, 3: 3, 4: 4}, {2: 2}, {1, 2, 3, 4}),
        ({1: 0, 2: 1, 3: 2}, {}, set()), ({}, {}, set()),
    ],
)  # fmt: skip
def test_a_row_numbers_its_columns_from_one(cells, unseen, columns):
    assert numbering(cells, unseen) == columns
