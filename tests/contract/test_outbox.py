"""The outbox: each reply leaves once, whoever sends it, however often it is tried."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from storage.records.replies import OwedReply, ReplyState
from tests.contract.documents import NOW, new_letter
from tests.fakes import age_leases

MINUTE = timedelta(minutes=1)


def reply(number=1, recipient="buh@primer.example", letter=None):
    return OwedReply(letter, recipient, "Принято", f"<{number}@meters>", b"whole mail")


def owe(ledger, *replies, now=NOW):
    with ledger.transaction() as store:
        for one in replies:
            store.outbox.owe(one, now)


def lease(ledger, limit=10):
    with ledger.transaction() as store:
        return store.outbox.lease(limit=limit)


def test_an_owed_reply_is_leased_with_its_attempt_counted(ledger):
    owe(ledger, reply())

    leased = lease(ledger)

    assert leased == [replace(reply(), id=leased[0].id, attempts=1, owed_at=NOW)]
    assert leased[0].content == b"whole mail"


def test_a_leased_reply_is_nobody_elses_until_the_lease_runs_out(ledger):
    owe(ledger, reply())
    lease(ledger)

    age_leases(ledger, 55)
    assert lease(ledger) == []
    age_leases(ledger, 5)
    assert [one.attempts for one in lease(ledger)] == [2]


def test_the_oldest_replies_are_leased_first(ledger):
    owe(ledger, reply(1))
    age_leases(ledger, 60)
    owe(ledger, reply(2))

    first = lease(ledger, limit=1)
    second = lease(ledger, limit=1)

    assert [one.message_id for one in first + second] == ["<1@meters>", "<2@meters>"]


def test_owing_the_same_message_id_again_is_nothing_new(ledger):
    owe(ledger, reply(), reply())

    assert len(lease(ledger)) == 1


def test_a_sent_reply_never_leaves_again(ledger):
    owe(ledger, reply())
    with ledger.transaction() as store:
        store.outbox.sent(store.outbox.lease()[0].id, NOW)

    age_leases(ledger, 30 * 86400)
    assert lease(ledger) == []


def test_a_deferred_reply_is_due_again_at_its_time(ledger):
    owe(ledger, reply())
    with ledger.transaction() as store:
        number = store.outbox.lease()[0].id
        store.outbox.deferred(number, 2 * MINUTE, "451 greylisted")

    age_leases(ledger, 115)
    assert lease(ledger) == []
    age_leases(ledger, 5)
    assert [one.attempts for one in lease(ledger)] == [2]


def test_what_was_noted_before_the_clock_was_set_back_is_due_at_once(ledger):
    owe(ledger, reply(1))
    with ledger.transaction() as store:
        store.outbox.owe(reply(2), datetime.now(UTC), held_for=MINUTE / 3)
        first = store.outbox.lease()[0].id
        store.outbox.deferred(first, 60 * MINUTE, "451 greylisted")
    owe(ledger, reply(3))
    lease(ledger)

    age_leases(ledger, -2)
    assert lease(ledger) == []
    age_leases(ledger, -7200)
    taken = [lease(ledger) for _ in range(4)]
    assert sorted(one.message_id for some in taken for one in some) == [
        f"<{number}@meters>" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize("off", [-10 * MINUTE, timedelta(0), 10 * MINUTE])
def test_a_host_whose_clock_is_ten_minutes_off_sends_no_sooner_and_no_later(ledger, off):
    now = datetime.now(UTC) + off
    owe(ledger, reply(1), now=now)
    with ledger.transaction() as store:
        store.outbox.owe(reply(2), now, held_for=MINUTE / 3)
    [first] = lease(ledger)
    with ledger.transaction() as store:
        store.outbox.deferred(first.id, MINUTE / 6, "450 busy")

    assert lease(ledger) == []
    age_leases(ledger, 10)
    assert [one.message_id for one in lease(ledger)] == ["<1@meters>"]
    age_leases(ledger, 10)
    assert [one.message_id for one in lease(ledger)] == ["<2@meters>"]


def test_an_undeliverable_reply_is_shown_and_not_tried_again(ledger):
    with ledger.transaction() as store:
        letter = new_letter(store)
        store.outbox.owe(reply(letter=letter), NOW)
        number = store.outbox.lease()[0].id
        store.outbox.undeliverable(number, "550 no such user", NOW)

    age_leases(ledger, 30 * 86400)
    assert lease(ledger) == []
    with ledger.reading() as store:
        told = store.letters.details(letter).replies[0]
        assert store.letters.find()[0].reply is ReplyState.UNDELIVERABLE
        assert store.installation.status(NOW).undeliverable == 1
    assert (told.state, told.last_error) == (ReplyState.UNDELIVERABLE, "550 no such user")


def test_released_replies_are_due_at_once_and_their_attempt_is_taken_back(ledger):
    owe(ledger, reply(1), reply(2))
    numbers = [one.id for one in lease(ledger)]
    with ledger.transaction() as store:
        store.outbox.release(numbers)
        store.outbox.release(numbers)

    assert [one.attempts for one in lease(ledger)] == [1, 1]


def test_two_senders_at_once_never_lease_the_same_reply(database_url, ledger):
    owe(ledger, reply(1), reply(2))
    if database_url.startswith("sqlite"):
        # One writer at a time: the second begins when the first has ended.
        first, second = lease(ledger, limit=1), lease(ledger, limit=1)
    else:
        with ledger.transaction() as one, ledger.transaction() as other:
            first, second = one.outbox.lease(), other.outbox.lease()

    assert {one.message_id for one in first + second} == {"<1@meters>", "<2@meters>"}
    assert len(first) == len(second) == 1


def test_replies_to_an_address_are_counted_whatever_its_case(ledger):
    owe(ledger, reply(1), now=NOW - timedelta(days=2))
    owe(ledger, reply(2), reply(3, "BUH@Primer.example"), reply(4, "other@primer.example"))

    with ledger.reading() as store:
        assert store.outbox.owed_to("Buh@primer.example", NOW - timedelta(days=1)) == 2
        assert store.outbox.owed_to("buh@primer.example", NOW - timedelta(days=3)) == 3


def test_our_own_message_ids_are_known(ledger):
    owe(ledger, reply(1))

    with ledger.reading() as store:
        assert store.outbox.is_ours("<1@meters>")
        assert not store.outbox.is_ours("<2@meters>")


def test_an_address_of_any_length_can_be_owed_a_reply(ledger):
    long = "я" * 5000 + "@example.ru"
    owe(ledger, reply(1, long))

    with ledger.reading() as store:
        assert store.outbox.owed_to(long, NOW) == 1
