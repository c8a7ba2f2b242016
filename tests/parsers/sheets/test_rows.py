"""Rows of a table: which are totals, what sums they may stand for, which zone a cell names."""

from decimal import Decimal
from itertools import combinations

import pytest

from layouts.figures import FigureKind
from layouts.findings import Code, Findings
from parsers.sheets.keys import Keys
from parsers.sheets.rows import (
    Sums,
    across,
    adopt_totals,
    is_signed,
    is_total,
    zone_in_words,
)
from parsers.sheets.table import Label, Slot, Table
from parsers.sheets.vocabulary import NOTHING
from tests.parsers.sheets.made import forms, sheet

FORM = forms()["52006"]
PLAIN = Slot(None, None)
COLUMNS = {"point": 1, "meter": 2, "zone": 3}


def table(**more):
    return Table(1, 1, 99, 1, 9, more.pop("labels", {}), **more)


@pytest.mark.parametrize(
    ("row", "defaults", "total"),
    [
        (["Итого", "", "", 5], {}, True), (["Итого по цеху", "", "", 5], {}, True),
        (["", "Всего:", "", 5], {}, True), (["Итоговый", "", "", 5], {}, False),
        (["", "", "Итого", 5], {}, True), (["", "", "Итого", 5], {"meter": "7"}, False),
        (["-", "Total", "", 5], {}, True), (["Итого", "7", "", 5], {}, False),
        (["1", "Итого", "", 5], {}, False), (["Итого", "", "T1", 5], {"meter": "7"}, True),
        (["Итого", "Итого", "", 5], {}, False), (["", "", "", ""], {}, False),
        ([5, "Итого"], {}, False),
    ],
)  # fmt: skip
def test_a_row_of_totals_says_so_first_and_names_no_meter(row, defaults, total):
    made = sheet([row])
    at = table(columns=dict(COLUMNS), defaults=defaults)
    assert is_total(made, at, 1, made.rows.get(1, {}), FORM.words) is total


@pytest.mark.parametrize(
    ("row", "signed"),
    [
        (["T1", ""], True), (["", "A+"], True), (["T1", "A+"], True), (["", ""], False),
        (["x", "x"], False), (["x", "R-"], True), (["ночь", "x"], True), (["", "01"], True),
    ],
)  # fmt: skip
def test_a_row_is_signed_by_its_zone_or_its_channel(row, signed):
    both = table(columns={"zone": 1, "channel": 2})
    keys = Keys(sheet([row]))
    keys.go_to(1, both.columns)
    assert is_signed(both, keys, FORM.layout) is signed
    assert is_signed(table(), keys, FORM.layout) is False


ROWS = [("A+", "T1", 1), ("A+", "T2", 2), ("R+", "T0", 4), ("A+", "T0", 8)]
"""Powers of two: each sum is that of one set of rows alone."""
SUMS = {
    1: {1}, 2: {3}, 3: {7, 3, 4}, 4: {15, 11, 4, 3, 8},
}  # fmt: skip
"""Of all rows, of one channel, and of one channel's zones or its sums of zones."""


def summed(count, cells=()):
    rows = [[], *([value] for *_, value in ROWS[:count]), *cells]
    sums = Sums(sheet(rows), table(values={1: PLAIN}))
    for number, (channel, zone, _) in enumerate(ROWS[:count], 2):
        sums.add(number, channel, zone)
    return sums


@pytest.mark.parametrize("count", SUMS)
def test_a_total_is_of_all_rows_or_of_one_kind(count):
    every = {sum(chosen) for n in range(5) for chosen in combinations((1, 2, 4, 8), n)}
    fits = {total for total in every if summed(count).is_of({1: total})}
    # One row has no sum.
    assert fits == (SUMS[count] if count > 1 else set())
    for total in every:
        findings = Findings()
        summed(count, [[total]]).compare(count + 2, {1: total}, findings)
        told = [(found.code, found.place.cell, found.detail["expected"]) for found in findings]
        wrong = [(Code.TOTAL_DIFFERS, f"A{count + 2}", str(2**count - 1))]
        assert told == ([] if total in SUMS[count] else wrong)


def test_a_row_without_numbers_or_without_rows_above_it_is_no_sum():
    assert not summed(2).is_of({})
    assert not summed(2).is_of({1: "x"})
    assert not summed(2).is_of({2: 3})
    assert not summed(0).is_of({1: 0})


def compared(values, *totals):
    """What is told of rows of totals, each below some rows of values."""
    grid = [[], *([value] for value in values)]
    sums, findings = Sums(sheet(grid), table(values={1: PLAIN})), Findings()
    for number, value in enumerate(values, 2):
        if str(value).startswith("="):
            cell = Decimal(str(value)[1:])
            sums.compare(number, {1: int(cell)}, findings)
        else:
            sums.add(number, "A+", "T0")
    return [(found.place.cell, found.detail["expected"]) for found in findings]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1, 2, "=3"], []), ([1, 2, "=4"], [("A4", "3")]),
        # Of the rows since the last total, of all, or of the totals.
        ([1, 2, "=3", 4, "=4"], []), ([1, 2, "=3", 4, "=7"], []),
        ([1, 2, "=3", 4, "=5"], [("A6", "4")]), ([1, 2, "=3", "=3"], []),
        ([1, 2, "=3", 4, "=4", "=7"], []), ([1, 2, "=3", 4, "=4", "=8"], [("A7", "7")]),
        # Wrong totals that a total of them adds up rightly.
        ([1, 2, "=4", 4, "=6", "=10"], [("A4", "3"), ("A6", "4")]),
        ([1, 2, "=4", "=4"], [("A4", "3"), ("A5", "3")]),
        ([1, "x", "=9"], []), (["=5"], []), (["", "=5"], []), ([1, "-", "=1"], []),
    ],
)  # fmt: skip
def test_each_total_is_held_against_what_stands_above_it(values, told):
    assert compared(values) == told


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({1: 1, 2: 2, 3: 3}, None), ({1: 1, 2: 2, 3: 4}, "3"), ({1: 1, 3: 1}, None),
        ({1: 1, 2: "-", 3: 2}, "1"), ({1: 1, 2: "x", 3: 9}, None), ({1: 1, 2: 2}, None),
        ({1: 1, 2: 2, 3: "x"}, None), ({3: 0}, None), ({3: 1}, "0"), ({1: "1,5", 3: 3}, "1.5"),
    ],
)  # fmt: skip
def test_the_total_of_a_row_is_the_sum_of_its_hours(cells, expected):
    made = sheet([[cells.get(column, "") for column in (1, 2, 3)]])
    found = list(across(made, table(hours={1: 0, 2: 1}, totals={3}), 1, cells))
    assert [(one.place.cell, one.detail["expected"]) for one in found] == (
        [("C1", expected)] if expected else []
    )


@pytest.mark.parametrize(
    ("rows", "adopted"),
    [
        ([[1, 2, 3]], True), ([[1, 2, 3], [1, 2, 4]], False),
        ([[1, 2, 3], [1, 2, 3], [1, 2, 4]], True),
        ([[1, 2, 4]], False), ([[1, 2, "x"]], False), ([], False), ([["x", 2, 2]], True),
    ],
)  # fmt: skip
def test_a_column_behind_the_hours_is_their_total_where_most_rows_say_so(rows, adopted):
    numbers = range(1, len(rows) + 1)
    hours = {1: 0, 2: 1}
    plain, labelled = table(hours=hours), table(hours=hours, labels={3: Label(1, 3, "x", NOTHING)})
    adopt_totals(sheet(rows), plain, numbers)
    adopt_totals(sheet(rows), labelled, numbers)
    assert (plain.totals, labelled.totals) == ({3} if adopted else set(), set())


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("день", "T1"), ("ночь", "T2"), ("1 (день)", "T1"), ("2 - ночь", "T2"), ("1 (ночь)", None),
        ("2(ночь", "T2"), ("5 (ночь)", None), ("0 (ночь)", None), ("1 (2)", None), ("цех", None),
        ("", None), ("счётчик", None), ("Тариф 2", "T2"), ("показание, ночь", None),
    ],
)  # fmt: skip
def test_a_zone_in_words_agrees_with_its_number(text, zone):
    assert zone_in_words(text, FORM.words) == zone


def test_a_ratio_is_added_up_by_nobody():
    kinds = {column: (kind, PLAIN) for column, kind in enumerate(FigureKind, 5)}
    numbers = [*table(values={1: PLAIN}, hours={2: 0}, totals={3}, figures=kinds).numbers()]
    ratio = next(column for column, (kind, _) in kinds.items() if kind is FigureKind.RATIO)
    assert numbers == [1, 2, 3, *(column for column in kinds if column != ratio)]
