"""A withdrawal at its edges: which months it may change, which point it means, what rests on it."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from ingest.operations import withdraw
from ingest.operations.withdraw import CannotWithdraw, Order
from storage.records.billing import Number, NumberChange, Quality, WithdrawalSubject

NOW = datetime(2026, 12, 5, tzinfo=UTC)
RECEIPT = 3
SUBJECT = WithdrawalSubject(RECEIPT, "7", "a.xml", False, ((1, None, "p"), (2, None, "q")), None)
NUMBER = Number(
    "7", None, "p", 1, "A+", "T0", "register", 5, Quality.VALID, (), 1, 0, False, RECEIPT + 1
)


@pytest.mark.parametrize(
    ("before", "after", "rests"),
    [
        ({}, {"energy": 6}, True), ({}, {"energy": None}, True), ({}, None, True),
        ({}, {"energy": 5, "receipt": 9}, False), (None, {}, False),
        ({"receipt": RECEIPT}, {"energy": 6}, False), ({"source": "profile"}, {"energy": 6}, False),
        ({"energy": None}, None, False),
    ],
)  # fmt: skip
def test_a_register_s_consumption_that_another_receipt_ends_rests_on_it(before, after, rests):
    sides = [None if one is None else replace(NUMBER, **one) for one in (before, after)]
    assert withdraw._rests(NumberChange(*sides), RECEIPT) is rests


@pytest.mark.parametrize(
    ("first", "months"),
    [
        (None, []), (datetime(2026, 12, 31, tzinfo=UTC), [11, 12]),
        (datetime(2026, 12, 1, tzinfo=UTC), [11, 12]),
        # Midnight is Moscow's.
        (datetime(2026, 11, 30, 20, 59, tzinfo=UTC), [10, 11, 12]),
        (datetime(2026, 11, 30, 21, tzinfo=UTC), [11, 12]),
        (datetime(2027, 1, 31, 21, tzinfo=UTC), []), (datetime(2027, 1, 31, tzinfo=UTC), [12]),
    ],
)  # fmt: skip
def test_months_from_the_one_before_the_first_value_up_to_this_one_may_change(first, months):
    found = withdraw._months(replace(SUBJECT, first=first), NOW)
    assert found == [date(2026, month, 1) for month in months]


@pytest.mark.parametrize(("code", "point"), [(None, None), ("p", 1), ("q", 2)])
def test_one_point_of_a_receipt_is_meant_by_its_code(code, point):
    assert withdraw._point(Order(RECEIPT, "anna", "x", code), SUBJECT) == point


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (SUBJECT.points, "receipt 3 is about p, q, not x"),
        ((), "receipt 3 is about nothing, not x"),
        # In two areas: which of them?
        (((1, "a", "x"), (2, "b", "x")), "receipt 3 is about x, x, not x"),
    ],
)  # fmt: skip
def test_a_point_that_is_none_or_two_is_not_withdrawn(points, told):
    with pytest.raises(CannotWithdraw, match=told):
        withdraw._point(Order(RECEIPT, "anna", "x", "x"), replace(SUBJECT, points=points))
