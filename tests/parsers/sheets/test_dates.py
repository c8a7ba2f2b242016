"""Dates that may be of two days: a day and a month that may have changed places."""

from datetime import date

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from parsers import parse
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


def matrix(dates: list[Value], month: Value = "") -> Parsed:
    head: list[list[Value]] = [["Макет", 52005], WHO, ["Единица", "кВт·ч"]]
    head += [["Месяц", month]] if month else []
    labels: list[Value] = ["Дата", *range(24)]
    return read(*head, labels, *([day, *range(24)] for day in dates))


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


def test_dates_of_another_month_are_not_called_exchanged():
    parsed = matrix(["11.10.2026", "12.10.2026"], "ноябрь 2026")
    assert {(code, either) for code, _, either in told(parsed)} == {(Code.INVALID_DATE, None)}
