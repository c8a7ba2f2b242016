"""A value is suspect while an open suspicion covers it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from layouts.findings import Code, finding
from layouts.rules import check
from storage.records.billing import Quality
from tests.contract.documents import (
    ENTITY,
    LAYOUTS,
    MONTH,
    NOW,
    document,
    hours,
    import_all,
    new_letter,
    reading,
    rows,
)

NOVEMBER = date(2026, 11, 1)
HOUR = timedelta(hours=1)
SPIKE = finding(
    Code.SPIKE,
    point=ENTITY.user_code,
    channel="A+",
    start=MONTH + HOUR,
    end=MONTH + 2 * HOUR,
)


def hand_in(ledger, parsed, *findings, at=NOW):
    """Recorded with these findings beside its own."""
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        checked = check(parsed, LAYOUTS[parsed.layout], entity, at, store.know)
        checked = replace(checked, findings=findings)
        return store.record(new_letter(store, at), parsed, checked, entity, at, at)


def suspects(ledger, **asked):
    with ledger.reading() as store:
        return store.suspicions.find(**asked)


def qualities(ledger):
    return [
        tuple(row)
        for row in rows(ledger, "SELECT quality, codes FROM billing_interval ORDER BY start_epoch")
    ]


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def test_a_suspicion_covers_the_values_of_its_span(ledger):
    receipt = hand_in(ledger, document(hours(1, 90, 1)), SPIKE)

    (one,) = suspects(ledger)
    assert (one.code, one.point, one.receipt) == ("spike", ENTITY.user_code, receipt.number)
    assert (one.start, one.end) == (MONTH + HOUR, MONTH + 2 * HOUR)
    assert qualities(ledger) == [("valid", None), ("suspect", "spike"), ("valid", None)]
    with ledger.reading() as store:
        (number,) = store.numbers.of(NOVEMBER)
    assert (number.quality, number.codes) == (Quality.SUSPECT, ("spike",))


def test_a_remark_of_form_makes_nothing_suspect(ledger):
    hand_in(ledger, document(hours(1, 2)), finding(Code.LATE_SUBMISSION))

    assert suspects(ledger) == []
    with ledger.reading() as store:
        assert store.numbers.of(NOVEMBER)[0].late


def test_what_an_operator_accepts_stays_accepted_while_the_value_is_unchanged(ledger):
    hand_in(ledger, document(hours(1, 90, 1)), SPIKE)
    (one,) = suspects(ledger)
    with ledger.transaction() as store:
        assert store.suspicions.accept([one.id, 404], "petrova", "by phone", NOW) == [one.id]
        assert store.suspicions.accept([one.id], "petrova", "again", NOW) == []
    hand_in(ledger, document(hours(1, 90, 1), created=1), SPIKE)

    assert suspects(ledger) == []
    (told,) = suspects(ledger, open_only=False)
    assert (told.accepted_by, told.reason) == ("petrova", "by phone")
    assert {quality for quality, _ in qualities(ledger)} == {"valid"}
    with ledger.reading() as store:
        assert store.audit.of("suspicion")[0].after == {"accepted": "by phone"}


def test_a_value_that_was_replaced_is_no_longer_covered_and_can_be_suspect_anew(ledger):
    hand_in(ledger, document(hours(1, 90, 1)), SPIKE)
    hand_in(ledger, document(hours(1, 2, 1), created=1))
    assert suspects(ledger) == []
    assert {quality for quality, _ in qualities(ledger)} == {"valid"}

    hand_in(ledger, document(hours(1, 80, 1), created=2), SPIKE)
    assert len(suspects(ledger)) == 1


def test_a_suspect_reading_is_the_one_that_ends_the_step(ledger):
    first, second = (reading(v, at=MONTH + d * 24 * HOUR) for v, d in (("10", 0), ("20", 10)))
    hand_in(ledger, document(first, layout="52006"))
    told = finding(
        Code.REGISTER_HIGH_LOW,
        point="200000001234-01",
        meter="07512345",
        channel="A+",
        zone="T1",
        start=MONTH,
        end=MONTH + 240 * HOUR,
    )
    hand_in(ledger, document(second, layout="52006", created=1), told)

    found = rows(ledger, "SELECT quality, codes FROM billing_register ORDER BY end_epoch")
    assert [tuple(row) for row in found] == [("valid", None), ("suspect", "register-high-low")]
    assert [one.meter for one in suspects(ledger, month=NOVEMBER)] == ["07512345"]
    assert suspects(ledger, month=date(2026, 9, 1)) == []
    assert suspects(ledger, entity="404") == []


def test_the_values_of_a_suspicion_are_told_with_their_neighbours_and_what_they_replaced(ledger):
    hand_in(ledger, document(hours(1, 2, 3, 4)))
    second = hand_in(ledger, document(hours(1, 90, 3, 4), created=1), SPIKE)
    for value, at in (("5", MONTH), ("6", MONTH + HOUR), ("7", MONTH + 2 * HOUR)):
        hand_in(ledger, document(reading(value, at=at), layout="52006"))
    about = {"meter": "07512345", "channel": "A+", "zone": "T1"}
    zeroed = finding(Code.VALUES_ZEROED, start=MONTH + HOUR, end=MONTH + HOUR, **about)
    third = hand_in(
        ledger, document(reading("5", at=MONTH + HOUR), layout="52006", created=1), zeroed
    )

    spike, zero = suspects(ledger)
    with ledger.reading() as store:
        around = [
            [(one.at, one.value, one.replaced_by) for one in store.suspicions.around(each.id)]
            for each in (spike, zero)
        ]
    assert around == [
        [
            (MONTH, 1, None),
            (MONTH + HOUR, 2, second.number),
            (MONTH + HOUR, 90, None),
            (MONTH + 2 * HOUR, 3, None),
        ],
        [
            (MONTH, 5, None),
            (MONTH + HOUR, 6, third.number),
            (MONTH + HOUR, 5, None),
            (MONTH + 2 * HOUR, 7, None),
        ],
    ]
