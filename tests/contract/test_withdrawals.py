"""What a withdrawn submission had replaced is in force again."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from layouts.rules import check
from storage.records.billing import Entry
from tests.contract.documents import (
    ENTITY,
    LAYOUTS,
    MONTH,
    NOW,
    document,
    hand_in,
    hours,
    import_all,
    known_of,
    month_in_force,
    new_letter,
    reading,
    rows,
)
from tests.contract.test_days import kept, summed_up

DAY = timedelta(days=1)
METER = "200000001234-01"
SERIES = None, ENTITY.user_code, "A+"


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def withdraw(ledger, receipt, point=None, at=NOW + DAY):
    with ledger.transaction() as store:
        letter = new_letter(store, at)
        return store.withdrawals.withdraw(letter, receipt, point, "petrova", "act 17", at)


def in_force(ledger):
    with ledger.reading() as store:
        assert kept(store) == summed_up(store)
        return month_in_force(store)


def test_values_without_any_before_them_are_gone(ledger):
    receipt = hand_in(ledger, document(hours(1, 2, 3)))
    done = withdraw(ledger, receipt.number)

    assert (done.restored, done.removed, done.kept) == (0, 3, 0)
    assert in_force(ledger) == {}
    assert rows(ledger, "SELECT count(*) FROM billing_history WHERE state = 'withdrawn'") == [(3,)]


def test_what_it_replaced_is_in_force_again(ledger):
    hand_in(ledger, document(hours(1, 2, 3)))
    second = hand_in(ledger, document(hours(7, 2, 9, 5), created=1))
    done = withdraw(ledger, second.number)

    assert (done.restored, done.removed) == (2, 1)
    assert in_force(ledger) == {0: 1, 1: 2, 2: 3}


def test_a_day_that_came_in_another_step_comes_back_as_it_was(ledger):
    of = {"point": "332070000107101", "area": "3300000001"}
    hand_in(ledger, document(hours(*[10] * 24, **of), layout="80020", number=1))
    halves = document(hours(*[6] * 48, step=30, **of), layout="80020", number=2)
    halves = hand_in(ledger, halves)
    count = "SELECT count(*), sum(energy_wh) FROM interval_value"
    assert [tuple(map(int, row)) for row in rows(ledger, count)] == [(48, 288)]
    done = withdraw(ledger, halves.number)

    assert (done.removed, done.restored) == (48, 24)
    assert [tuple(map(int, row)) for row in rows(ledger, count)] == [(24, 240)]
    with ledger.reading() as store:
        assert kept(store) == summed_up(store)


def test_through_a_chain_what_was_withdrawn_itself_is_passed_over(ledger):
    hand_in(ledger, document(hours(1)))
    second = hand_in(ledger, document(hours(2), created=1))
    third = hand_in(ledger, document(hours(3), created=2))

    withdraw(ledger, second.number)
    assert in_force(ledger) == {0: 3}
    withdraw(ledger, third.number)
    assert in_force(ledger) == {0: 1}


def test_what_a_newer_document_carries_too_stays(ledger):
    first = hand_in(ledger, document(hours(1, 2)))
    newer = hand_in(ledger, document(hours(1), created=1))
    done = withdraw(ledger, first.number)

    assert (done.kept, done.removed) == (1, 1)
    assert in_force(ledger) == {0: 1}
    came = rows(ledger, "SELECT submission_id FROM interval_value")
    assert came == [(newer.number,)]


def test_a_reading_gives_way_to_the_one_before(ledger):
    hand_in(ledger, document(reading("10"), layout="52006"))
    second = hand_in(ledger, document(reading("12"), layout="52006", created=1))
    assert withdraw(ledger, second.number).restored == 1

    assert rows(ledger, "SELECT value FROM register_reading") == [(10_000_000,)]


def test_one_point_of_several_may_be_withdrawn(ledger):
    both = document(hours(1), reading("10"), layout="52006")
    receipt = hand_in(ledger, both)
    with ledger.reading() as store:
        points = {p.code: p.id for p in store.registry.entity(ENTITY.user_code).points}
    done = withdraw(ledger, receipt.number, points[METER])

    assert done.points == (points[METER],)
    assert rows(ledger, "SELECT count(*) FROM register_reading") == [(0,)]
    assert in_force(ledger) == {0: 1}
    assert withdraw(ledger, receipt.number, points[METER]) is None


def test_it_is_done_once_has_a_receipt_and_is_audited(ledger):
    receipt = hand_in(ledger, document(hours(1)))
    done = withdraw(ledger, receipt.number)

    assert done.receipt > receipt.number
    assert withdraw(ledger, receipt.number) is None
    assert withdraw(ledger, done.receipt) is None
    assert withdraw(ledger, 404) is None
    with ledger.reading() as store:
        (entry,) = store.audit.of("withdrawal")
    assert (entry.who, entry.key, entry.after["reason"]) == (
        "petrova", str(receipt.number), "act 17",
    )  # fmt: skip


def test_as_of_before_the_withdrawal_the_values_are_told(ledger):
    receipt = hand_in(ledger, document(hours(1, 2)))
    withdraw(ledger, receipt.number)

    with ledger.reading() as store:
        month = date(2026, 11, 1)
        assert store.numbers.of(month) == []
        assert [n.energy for n in store.numbers.of(month, as_of=NOW)] == [3]


def test_suspicions_of_a_withdrawn_document_are_closed(ledger):
    receipt = hand_in(ledger, document(hours(1, 2)))
    with ledger.transaction() as store:
        store.session.connection.exec_driver_sql(
            "INSERT INTO suspicion (id, submission_id, code, series_id, channel, zone, start,"
            f" \"end\", raised_at) VALUES (1, {receipt.number}, 'spike', 1, 'A+', '',"
            f" {int(MONTH.timestamp())}, {int(MONTH.timestamp()) + 3600}, 1)"
        )
        assert len(store.suspicions.find()) == 1
    withdraw(ledger, receipt.number)
    with ledger.reading() as store:
        assert store.suspicions.find() == []


def test_withdrawn_documents_count_no_more_and_what_was_withdrawn_holds(ledger):
    parsed = document(hours(1, 2), created=5)
    receipt = hand_in(ledger, parsed)
    assert known_of(ledger, parsed).duplicate_of is not None
    older = document(hours(3, 4), created=1)
    assert known_of(ledger, older).intervals[SERIES].newer
    withdraw(ledger, receipt.number)

    assert known_of(ledger, parsed).duplicate_of is None
    recorded = known_of(ledger, older).intervals[SERIES]
    start = int(MONTH.timestamp())
    assert (recorded.newer, recorded.elsewhere) == ([], [])
    assert recorded.held == [(start, start + 7200)]


def test_a_withdrawn_reading_holds_without_a_value(ledger):
    parsed = document(reading("10"), layout="52006")
    receipt = hand_in(ledger, parsed)
    withdraw(ledger, receipt.number)

    (known,) = known_of(ledger, document(reading("12"), layout="52006")).readings.values()
    assert (known.value, known.held, known.newer) == (None, True, False)
    hand_in(ledger, document(reading("12"), layout="52006", created=3))
    assert rows(ledger, "SELECT count(*) FROM register_reading") == [(0,)]


def test_what_an_operator_entered_holds_until_it_is_withdrawn(ledger):
    hand_in(ledger, document(reading("10"), layout="52006"))
    entered = enter(ledger, document(reading("11"), layout="52006", created=1))
    asked = document(reading("12"), layout="52006", created=2)

    (known,) = known_of(ledger, asked).readings.values()
    assert (known.value, known.held) == (11, True)
    withdraw(ledger, entered.number)
    (known,) = known_of(ledger, asked).readings.values()
    assert (known.value, known.held) == (10, False)


def enter(ledger, parsed):
    """Recorded as an operator's."""
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        checked = check(parsed, LAYOUTS[parsed.layout], entity, NOW, store.know)
        entry = Entry("petrova", "by phone")
        return store.record(new_letter(store), parsed, checked, entity, NOW, NOW, entry)


def test_an_entry_keeps_who_handed_it_in_and_why(ledger):
    enter(ledger, document(hours(1)))

    assert rows(ledger, "SELECT operator, reason FROM submission") == [("petrova", "by phone")]
