"""The service's own state: passes, locks, months, its status."""

from datetime import date, timedelta

from storage.records.letters import LetterFacts
from storage.records.replies import OwedReply
from tests.contract.documents import ENTITY, NOW, import_all, new_letter, rows

SECOND = timedelta(seconds=1)
LOCKOUT = timedelta(minutes=15)
CODE, ADDRESS = "200000001234", "buh@primer.example"


def fail(ledger, times, code=CODE, address=ADDRESS, now=NOW):
    with ledger.transaction() as store:
        for _ in range(times):
            store.senders.failed(code, address, now, 3, LOCKOUT)


def succeed(ledger, code=CODE, address=ADDRESS, now=NOW):
    with ledger.transaction() as store:
        store.senders.succeeded(code, address, now)


def locked_until(ledger, code=CODE, address=ADDRESS, now=NOW):
    with ledger.reading() as store:
        return store.senders.locked_until(code, address, now)


def test_an_address_is_locked_after_so_many_failures_for_twice_as_long_each_time(ledger):
    fail(ledger, 2)
    assert locked_until(ledger) is None

    fail(ledger, 1)
    assert locked_until(ledger) == NOW + LOCKOUT
    fail(ledger, 1)
    assert locked_until(ledger) == NOW + 2 * LOCKOUT
    fail(ledger, 60)
    assert locked_until(ledger) == NOW + timedelta(days=1)


def test_a_lock_is_of_one_address_with_one_code_and_ends(ledger):
    fail(ledger, 3)

    assert locked_until(ledger, address="BUH@primer.example") == NOW + LOCKOUT
    assert locked_until(ledger, address="buh@other.example") is None
    assert locked_until(ledger, code="1") is None
    assert locked_until(ledger, now=NOW + LOCKOUT) is None


def test_strangers_of_a_domain_are_counted_together(ledger):
    for name in "abc":
        fail(ledger, 1, address=f"{name}@mail.example")

    assert locked_until(ledger, address="d@mail.example") == NOW + LOCKOUT
    assert locked_until(ledger, address="D@MAIL.example") == NOW + LOCKOUT
    assert locked_until(ledger, address="d@post.mail.example") is None
    assert locked_until(ledger, address="d@mail.example", code="1") is None
    assert locked_until(ledger, address="d@mail.example", now=NOW + LOCKOUT) is None


def test_an_address_that_has_authenticated_is_locked_by_its_own_failures_only(ledger):
    succeed(ledger)
    fail(ledger, 5, address="stranger@primer.example")

    assert locked_until(ledger) is None
    fail(ledger, 2)
    assert locked_until(ledger) is None
    fail(ledger, 1)
    assert locked_until(ledger) == NOW + LOCKOUT


def test_failures_of_an_address_that_has_authenticated_lock_nobody_else(ledger):
    succeed(ledger)
    fail(ledger, 5)

    assert locked_until(ledger, address="new@primer.example") is None


def test_having_authenticated_for_one_code_says_nothing_of_another(ledger):
    succeed(ledger, code="1")
    fail(ledger, 3, address="stranger@primer.example")

    assert locked_until(ledger, address=ADDRESS) == NOW + LOCKOUT


def test_of_two_locks_the_longer_one_counts(ledger):
    fail(ledger, 3)
    fail(ledger, 1, address="other@primer.example")

    assert locked_until(ledger, address="other@primer.example") == NOW + 2 * LOCKOUT
    assert locked_until(ledger) == NOW + 2 * LOCKOUT
    fail(ledger, 2, address="b@mail.example")
    fail(ledger, 1, address="b@mail.example", now=NOW + LOCKOUT)
    assert locked_until(ledger, address="b@mail.example") == NOW + 2 * LOCKOUT


def test_an_address_is_known_once_it_has_authenticated_with_any_code(ledger):
    fail(ledger, 1)
    succeed(ledger, code="1", address="Other@primer.example")

    with ledger.reading() as store:
        assert store.senders.has_authenticated("other@Primer.example")
        assert not store.senders.has_authenticated(ADDRESS)
        assert not store.senders.has_authenticated("")


def test_failures_that_led_to_nothing_are_forgotten_after_a_month(ledger):
    month = timedelta(days=30)
    succeed(ledger, address="known@primer.example")
    fail(ledger, 3, address="known@primer.example")
    fail(ledger, 2, address="a@mail.example")
    fail(ledger, 1, address="b@mail.example", now=NOW + SECOND)

    fail(ledger, 1, code="1", now=NOW + month + SECOND)
    counted = "SELECT address, failures FROM sender_failure WHERE user_code = '{}' ORDER BY 1"
    assert rows(ledger, counted.format(CODE)) == [
        ("@mail.example", 3),
        ("b@mail.example", 1),
        ("known@primer.example", 3),
    ]
    fail(ledger, 1, code="1", now=NOW + month + 2 * SECOND)
    assert rows(ledger, counted.format(CODE)) == [("known@primer.example", 3)]


def test_success_forgets_the_failures(ledger):
    fail(ledger, 3)
    succeed(ledger)

    assert locked_until(ledger) is None
    fail(ledger, 2)
    assert locked_until(ledger) is None


def test_codes_and_addresses_of_any_length_and_kind_are_counted(ledger):
    hostile = "\0\ud800" + "9" * 100_000
    fail(ledger, 3, hostile, hostile)

    assert locked_until(ledger, hostile, hostile) == NOW + LOCKOUT


def test_a_month_is_closed_and_opened_with_who_and_when(ledger):
    october = date(2026, 10, 1)
    with ledger.transaction() as store:
        assert store.periods.close(october, "petrova", NOW)
        assert not store.periods.close(october, "petrova", NOW)
        assert store.periods.closed() == {october}
        assert store.periods.reopen(october, "ivanov", NOW + SECOND)
        assert not store.periods.reopen(october, "ivanov", NOW)
        assert store.periods.closed() == frozenset()

    with ledger.reading() as store:
        changes = store.audit.of("period", "2026-10")
    assert [(change.who, change.after["closed"]) for change in changes] == [
        ("petrova", True),
        ("ivanov", False),
    ]


def test_the_installation_keeps_its_secret(ledger):
    with ledger.transaction() as store:
        key = store.installation.key()

    with ledger.transaction() as store:
        assert store.installation.key() == key
    assert len(key) == 32


def test_the_status_of_an_empty_database_is_empty(ledger):
    with ledger.reading() as store:
        status = store.installation.status(NOW)

    assert (status.queue, status.quarantined, status.owed, status.undeliverable) == (0, 0, 0, 0)
    assert status.oldest_unanswered is None
    assert status.verdicts_today == {}
    assert status.passes == {}


def test_the_status_counts_what_waits_and_what_was_decided_today(ledger):
    import_all(ledger)
    facts = LetterFacts("", "", "")
    with ledger.transaction() as store:
        entity = store.registry.entity(ENTITY.user_code)
        yesterday = new_letter(store, NOW - timedelta(days=2))
        store.letters.settle(yesterday, "accepted", facts, entity, NOW - timedelta(days=1))
        answered = new_letter(store, NOW - timedelta(hours=1))
        store.letters.settle(answered, "accepted", facts, entity, NOW)
        store.outbox.owe(OwedReply(answered, ADDRESS, "", "<1@x>", b""), NOW)
        store.letters.quarantine(new_letter(store), "KeyError", NOW)
        new_letter(store)
        store.mailboxes.passed("main", NOW - SECOND)
        store.mailboxes.passed("main", NOW)

    with ledger.reading() as store:
        status = store.installation.status(NOW)
    assert status.verdicts_today == {"accepted": 1, "quarantined": 1}
    assert (status.queue, status.quarantined, status.owed) == (1, 1, 1)
    assert status.oldest_unanswered == NOW - timedelta(hours=1)
    assert status.passes == {"main": NOW}


def servers(ledger):
    with ledger.reading() as store:
        return {state.name: state for state in store.installation.status(NOW).servers}


def test_a_server_fails_since_its_first_fault_and_its_last_one_stays_told(ledger):
    for minutes, error in ((0, "refused"), (5, "does not answer")):
        with ledger.transaction() as store:
            at = NOW + timedelta(minutes=minutes)
            store.installation.server_failed("mailbox main", error, "check the host", at)
    state = servers(ledger)["mailbox main"]
    assert (state.failing_since, state.failed_at) == (NOW, NOW + timedelta(minutes=5))
    assert (state.error, state.advice) == ("does not answer", "check the host")

    later = NOW + timedelta(minutes=9)
    with ledger.transaction() as store:
        store.installation.server_works("mailbox main", later)
        store.installation.server_works("outbox", later)
    state = servers(ledger)["mailbox main"]
    assert (state.failing_since, state.error, state.worked_at) == (None, "does not answer", later)
    assert servers(ledger)["outbox"].failed_at is None

    with ledger.transaction() as store:
        store.installation.server_failed("mailbox main", "x" * 9000, "", later)
    state = servers(ledger)["mailbox main"]
    assert (state.failing_since, len(state.error)) == (later, 500)


def locks(ledger, now=NOW):
    with ledger.reading() as store:
        return [(lock.address, lock.why) for lock in store.senders.locks(now, 20)]


def unlock(ledger, address=None):
    with ledger.transaction() as store:
        return store.senders.unlock(CODE, address, NOW, 20)


def test_locks_are_listed_and_opened_for_an_address_or_for_all(ledger):
    fail(ledger, 3)
    wrong = "wrong passwords"
    assert locks(ledger) == [("@primer.example", wrong), (ADDRESS, wrong)]
    assert locks(ledger, NOW + LOCKOUT) == []

    assert unlock(ledger, ADDRESS.upper()) == 1
    assert locks(ledger) == [("@primer.example", wrong)]
    assert unlock(ledger) == 1
    assert locks(ledger) == []
    assert unlock(ledger) == 0
    with ledger.reading() as store:
        assert store.senders.locked_until(CODE, ADDRESS, NOW) is None


def test_a_bucket_of_guesses_that_is_full_is_a_lock_until_its_first_one_is_an_hour_old(ledger):
    for second in range(20):
        with ledger.transaction() as store:
            store.senders.failed(CODE, f"a{second}@x.example", NOW + second * SECOND, 99, LOCKOUT)
    with ledger.reading() as store:
        (lock,) = store.senders.locks(NOW + 30 * SECOND, 20)
        assert store.senders.locks(NOW + 30 * SECOND, 21) == []
    assert (lock.address, lock.failures, lock.why) == ("", 20, "too many guesses this hour")
    assert lock.until == NOW + timedelta(hours=1)
    assert unlock(ledger) > 0
    assert locks(ledger, NOW + 30 * SECOND) == []
