"""What became of the values a letter brought, for those who ask about one of them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.document import Places
from layouts.findings import Place
from layouts.terms import Kind
from storage.billed.billing import Grain
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    document,
    hand_in,
    hours,
    import_all,
    reading,
)
from tests.contract.test_months import NOVEMBER


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def placed(series, *at, sheet=None):
    """The series with the lines, or packed cells, its values stood in."""
    object.__setattr__(series, "places", Places(sheet, at))
    return series


def carried(ledger, letter):
    with ledger.reading() as store:
        (submission,) = store.letters.details(letter).submissions
    return submission.carried


def test_a_profile_tells_its_span_its_lines_and_what_became_of_it(ledger):
    hand_in(ledger, document(placed(hours(1, 2, 3), 3, 4, 5), created=0))
    hand_in(ledger, document(placed(hours(1, 5, 3, 4), 7, 7, 7, 7), created=1))

    (first,) = carried(ledger, 1)
    (second,) = carried(ledger, 2)

    assert (first.kind, first.point, first.channel) == (Kind.INTERVAL, ENTITY.user_code, "A+")
    assert (first.start, first.end) == (MONTH, MONTH + timedelta(hours=3))
    assert list(first.places.at) == [3, 4, 5]
    assert (first.in_force, first.replaced, first.replaced_since) == (2, 0, ((2, 1),))
    assert (second.in_force, second.replaced, second.replaced_since) == (2, 1, ())
    assert list(second.places.at) == [7, 7, 7, 7]


def test_a_reading_tells_its_cell_what_it_replaced_and_what_replaced_it(ledger):
    later = NOW + timedelta(hours=1)
    cell = Places.cell_at(9, 6)
    hand_in(ledger, document(placed(reading("10"), cell, sheet="Лист1"), layout="52006"))
    hand_in(ledger, document(reading("11"), layout="52006", created=1), at=later)

    (first,) = carried(ledger, 1)
    (second,) = carried(ledger, 2)

    assert first.places.place(0) == Place(sheet="Лист1", cell="F9")
    assert (first.value, first.in_force, first.replaced_since) == (Decimal(10), 0, ((2, 1),))
    assert first.replaced_at == later
    assert (second.value, second.value_before, second.in_force) == (Decimal(11), Decimal(10), 1)
    assert second.places is None


def test_a_reading_equal_to_the_one_in_force_says_that_it_is_not_the_one(ledger):
    hand_in(ledger, document(reading("10"), layout="52006"))
    hand_in(ledger, document(reading("10"), layout="52006", created=1))

    (again,) = carried(ledger, 2)

    assert (again.value, again.in_force, again.replaced) == (Decimal(10), 0, 0)


def test_history_gives_each_value_the_line_of_the_document_that_brought_it(ledger):
    hand_in(ledger, document(placed(hours(1, 2, 3), 3, 4, 5), created=0))
    hand_in(ledger, document(placed(hours(1, 5, 3, 4), 17, 18, 19, 20), created=1))
    hand_in(ledger, document(placed(reading("10", at=NOW), 44), layout="52006"))

    with ledger.reading() as store:
        rows = list(store.billing.values(NOVEMBER, Grain.INTERVAL, history=True))

    assert [(row.energy, row.state, row.place) for row in rows] == [
        (1, "in-force", "line 3"),
        (2, "replaced", "line 4"),
        (5, "in-force", "line 18"),
        (3, "in-force", "line 5"),
        (4, "in-force", "line 20"),
        (None, "in-force", "line 44"),
    ]


def test_history_over_a_month_s_edge_tells_the_lines_of_the_month_s_own_values(ledger):
    hand_in(ledger, document(placed(hours(1, 2, 3, 4, hour=-2), 3, 4, 5, 6), created=0))
    hand_in(ledger, document(placed(hours(7, 8, hour=-1), 17, 18), created=1))

    with ledger.reading() as store:
        rows = list(store.billing.values(NOVEMBER, Grain.INTERVAL, history=True))

    assert [(row.energy, row.state, row.place) for row in rows] == [
        (3, "replaced", "line 5"),
        (8, "in-force", "line 18"),
        (4, "in-force", "line 6"),
    ]
