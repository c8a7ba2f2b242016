"""One pass over a mailbox: nothing lost, nothing twice, one bad letter hurts no other."""

import errno
import time
from concurrent.futures import wait
from contextlib import contextmanager
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ingest.engine.collect import Collector
from ingest.engine.work import Worker
from ingest.intake.authenticate import MustWait
from ingest.letters.terms import Outcome
from ingest.transports.ports import MailboxUnavailable
from storage.ledger import StoreUnavailable
from storage.letters import Letters
from storage.records.letters import LetterFacts, LetterState, Location
from tests.fakes import START, FakeClock, FakeIntake, FakeMailbox, FakeReader, age_leases, mail


class PatientWorker(Worker):
    """Has read and proven what it began before it records: who goes with whom is no chance."""

    def _begin(self, trip, window):
        super()._begin(trip, window)
        wait([letter.proven for letter in window])


class House:
    """A collector with everything around it, as after a start of the process."""

    def __init__(self, ledger):
        self.ledger = ledger
        self.mailbox = FakeMailbox()
        self.reader = FakeReader()
        self.intake = FakeIntake()
        self.clock = FakeClock()
        self.restart()

    def restart(self):
        self.worker = PatientWorker(self.reader, self.ledger, self.intake, self.clock)
        self.collector = Collector(self.mailbox, self.worker, self.ledger, self.clock)

    def use(self, ledger):
        """Put another ledger in the place of the real one."""
        self.worker._ledger = self.collector._ledger = self.worker.turns._ledger = ledger

    def once(self, **options):
        return self.collector.once(**options)

    def letters(self):
        with self.ledger.reading() as store:
            return store.letters.find()

    def replies(self):
        with self.ledger.transaction() as store:
            return [reply.subject for reply in store.outbox.lease(limit=1000)]

    def attempts(self):
        return [row.attempts for row in self.letters()]


@pytest.fixture
def house(ledger):
    return House(ledger)


def test_letters_are_recorded_oldest_first_and_filed_by_their_outcome(house):
    house.intake.on["robot"] = lambda: Outcome.IGNORED
    house.mailbox.put(mail("first"), mail("robot"), mail("third"))

    passed = house.once()

    assert house.intake.received == ["first", "robot", "third"]
    assert house.mailbox.filed == [("accepted", 1), ("accepted", 3), ("ignored", 2)]
    assert passed.outcomes == {Outcome.ACCEPTED: 2, Outcome.IGNORED: 1}
    assert passed.whole
    with house.ledger.reading() as store:
        assert store.installation.status(START).passes == {"main": START}


def test_the_next_letters_are_fetched_while_these_are_read(house):
    house.mailbox.batch = 1
    house.mailbox.put(mail("first"), mail("second"), mail("third"))
    fetched = []

    def look():
        wait_until(lambda: 2 in house.mailbox.fetched)
        fetched.append(list(house.mailbox.fetched))
        return Outcome.ACCEPTED

    house.intake.on["first"] = look
    house.once()
    assert fetched == [[1, 2]]
    assert house.intake.received == ["first", "second", "third"]


def wait_until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_batch_is_filed_by_one_move_per_outcome(house):
    house.mailbox.put(*(mail(f"letter {n}") for n in range(20)))
    house.once()
    assert house.mailbox.moves == 1


def test_the_moment_of_receipt_is_the_servers(house):
    house.mailbox.put(mail("first"))
    house.clock.advance(days=5)
    house.once()
    assert house.letters()[0].received_at == START


def test_a_letter_committed_but_not_filed_is_only_filed(house):
    house.mailbox.put(mail("first"))
    house.mailbox.faults = ["file"]
    with pytest.raises(MailboxUnavailable):
        house.once()
    house.restart()

    with capture_logs() as logs:
        house.once()

    assert house.intake.received == ["first"]
    assert house.mailbox.filed == [("accepted", 1)]
    assert house.replies() == ["first"]
    assert [line["event"] for line in logs] == ["letter.filed_late"]


def test_without_a_restart_it_is_filed_without_being_fetched_again(house):
    house.mailbox.put(mail("first"))
    house.mailbox.faults = ["file"]
    with pytest.raises(MailboxUnavailable):
        house.once()
    house.once()
    assert house.mailbox.fetched == [1]
    assert house.mailbox.filed == [("accepted", 1)]


def test_a_server_that_refuses_to_move_letters_does_not_keep_others_unread(house):
    house.mailbox.put(mail("first"))
    house.mailbox.refuses_filing = True
    with pytest.raises(MailboxUnavailable, match="refused the folder"):
        house.once()
    house.mailbox.put(mail("second"))
    with pytest.raises(MailboxUnavailable, match="refused the folder"):
        house.once()

    assert house.intake.received == ["first", "second"]
    assert house.mailbox.fetched == [1, 2]
    house.mailbox.refuses_filing = False
    house.once()
    assert sorted(house.mailbox.filed) == [("accepted", 1), ("accepted", 2)]


def test_the_same_bytes_again_are_only_filed_and_never_answered(house):
    house.mailbox.put(mail("first"))
    house.once()
    house.mailbox.put(mail("first"))

    passed = house.once()

    assert passed.outcomes == {Outcome.DUPLICATE: 1}
    assert house.intake.received == ["first"]
    assert house.replies() == ["first"]
    assert not house.mailbox.letters


def test_copies_in_one_batch_are_recorded_once(house):
    house.mailbox.put(mail("first"), mail("first"), mail("second"), mail("first"))
    passed = house.once()
    assert house.intake.received == ["first", "second"]
    assert passed.outcomes == {Outcome.ACCEPTED: 2, Outcome.DUPLICATE: 2}
    assert house.attempts() == [1, 1]


def test_a_new_uidvalidity_records_nothing_again(house):
    house.mailbox.put(mail("first"))
    house.mailbox.faults = ["file"]
    with pytest.raises(MailboxUnavailable):
        house.once()
    house.mailbox.uidvalidity = 2
    house.mailbox.letters = {7: mail("first")}
    house.once()
    assert house.intake.received == ["first"]
    assert house.mailbox.filed == [("accepted", 7)]


def test_a_uid_that_names_another_letter_after_a_restore_is_read(house):
    house.mailbox.put(mail("first"))
    house.once()
    house.mailbox.letters = {1: mail("second")}
    house.once()
    assert house.intake.received == ["first", "second"]


def test_a_quarantined_letter_put_back_goes_to_quarantine_again(house):
    house.reader.faults[mail("bad")] = KeyError("secret")
    house.mailbox.put(mail("bad"))
    for _ in range(3):
        house.once()
    house.mailbox.put(mail("bad"))
    house.once()
    assert house.mailbox.filed == [("quarantined", 1), ("quarantined", 2)]


def test_the_third_failure_of_ours_quarantines_and_tells_the_sender(house):
    house.intake.on["bad"] = lambda: {}["no such key: password 12345"]
    house.mailbox.put(mail("bad"))

    with capture_logs() as logs:
        assert house.once().failed == 1
        assert house.once().failed == 1
        assert house.once().outcomes == {Outcome.QUARANTINED: 1}

    assert [line["event"] for line in logs] == ["letter.failed"] * 2 + ["letter.quarantined"]
    assert logs[-1]["log_level"] == "error"
    assert "KeyError at engine/test_work.py" in logs[-1]["error"]
    assert "12345" not in repr(logs)
    row = house.letters()[0]
    assert (row.state, row.outcome) == (LetterState.QUARANTINED, "quarantined")
    assert house.mailbox.filed == [("quarantined", 1)]
    assert house.replies() == ["Письмо смотрит человек"]


def test_what_a_failing_letter_had_owed_is_rolled_back(house):
    house.intake.on["bad"] = lambda: {}["x"]
    house.mailbox.put(mail("bad"))
    house.once()
    assert house.replies() == []
    assert house.letters()[0].state == LetterState.CLAIMED


def test_a_notice_that_fails_does_not_save_a_letter_from_quarantine(house):
    house.reader.faults[mail("bad")] = ValueError()
    house.intake.notice = lambda *_: 1 / 0
    house.mailbox.put(mail("bad"))
    for _ in range(3):
        house.once()
    assert house.mailbox.filed == [("quarantined", 1)]


def test_a_bad_letter_delays_no_other(house):
    house.reader.faults[mail("bad")] = ValueError()
    house.mailbox.put(mail("bad"), mail("good"))
    house.once()
    assert house.intake.received == ["good"]


@pytest.mark.parametrize(
    ("attempts", "order"), [(1, ["bad", "second", "third"]), (2, ["second", "third", "bad"])]
)
def test_after_two_attempts_a_letter_is_read_last_and_alone(house, attempts, order):
    house.reader.faults[mail("bad")] = ValueError()
    house.mailbox.put(mail("bad"))
    for _ in range(attempts):
        house.once()
    house.mailbox.put(mail("second"), mail("third"))
    house.reader.read_letters.clear()
    house.once()
    assert house.reader.read_letters == [mail(subject) for subject in order]
    assert (house.letters()[0].state == LetterState.QUARANTINED) == (attempts == 2)


def test_a_letter_whose_code_is_guessed_at_waits_and_tells_who_it_says_it_is_from(house):
    def guessed():
        raise MustWait("200000003079", START + timedelta(hours=1))

    house.intake.on["guess"] = guessed
    house.mailbox.put(mail("guess", "buh@primer.example"), mail("good"))

    with capture_logs() as logs:
        passed = house.once()

    assert (passed.outcomes, passed.failed, passed.whole) == ({Outcome.ACCEPTED: 1}, 0, True)
    row = house.letters()[0]
    assert (row.state, row.attempts) == (LetterState.CLAIMED, 0)
    assert (row.sender, row.claimed) == ("buh@primer.example", "200000003079")
    (waits,) = [line for line in logs if line["event"] == "letter.waits"]
    assert waits["until"] == (START + timedelta(hours=1)).isoformat()
    # It is not even fetched until there is room for another guess.
    house.intake.on.clear()
    house.once()
    assert house.mailbox.fetched == [1, 2]
    with house.ledger.transaction() as store:
        store.letters.wait_no_more()
    house.once()
    assert house.intake.received == ["good", "guess"]


def test_letters_tried_before_are_in_hand_one_at_a_time(house):
    house.mailbox.put(mail("first"), mail("second"), mail("third"))
    with house.ledger.transaction() as store:
        for uid, content in house.mailbox.letters.items():
            place = Location("main", "INBOX", 1, uid)
            store.letters.claim(place, _sha(content), len(content), START, START)
    attempts = []

    def look():
        attempts.append(house.attempts())
        return Outcome.ACCEPTED

    house.intake.on = dict.fromkeys(["first", "second", "third"], look)
    house.once()
    # Had the process ended there, it would have counted against one of them.
    assert attempts == [[2, 1, 1], [2, 2, 1], [2, 2, 2]]


def test_a_letter_that_ends_the_process_each_time_is_quarantined_unread(house):
    house.mailbox.put(mail("deadly"))

    def die():
        raise SystemExit

    house.intake.on["deadly"] = die
    for _ in range(3):
        with pytest.raises(SystemExit):
            house.once()
        _count_as_killed(house)
        house.restart()
    assert house.attempts() == [3]
    house.once()
    assert house.mailbox.filed == [("quarantined", 1)]
    assert house.reader.read_letters == [mail("deadly")] * 3


def _count_as_killed(house):
    """A killed process takes no attempt back, as the end of a test's pass does."""
    with house.ledger.transaction() as store:
        store.letters.claim(None, _sha(mail("deadly")), 1, START, START)


def _sha(content):
    from hashlib import sha256

    return sha256(content).hexdigest()


def test_a_letter_that_fails_among_others_undoes_none_of_them(house):
    house.intake.on["bad"] = lambda: {}["x"]
    house.mailbox.put(mail("first"), mail("bad"), mail("third"))
    counting = _Counting(house.ledger)
    house.use(counting)

    passed = house.once()

    assert counting.together_count == 1
    assert house.intake.received == ["first", "third"]
    assert house.replies() == ["first", "third"]
    assert [row.state for row in house.letters()] == [
        LetterState.DONE,
        LetterState.CLAIMED,
        LetterState.DONE,
    ]
    assert (passed.outcomes, passed.failed) == ({Outcome.ACCEPTED: 2}, 1)


def test_letters_whose_common_commit_fails_are_recorded_one_by_one(house):
    house.mailbox.put(mail("first"), mail("second"), mail("third"))
    counting = _Counting(house.ledger, failing=1)
    house.use(counting)

    passed = house.once()

    # What was undone is done again, and nothing is kept twice.
    assert house.intake.received[:4] == ["first", "second", "third", "first"]
    assert house.replies() == ["first", "second", "third"]
    assert passed.outcomes == {Outcome.ACCEPTED: 3}
    assert house.attempts() == [1, 1, 1]


class _Counting:
    """A ledger whose first common commits fail by a fault of ours."""

    def __init__(self, ledger, failing=0):
        self._ledger = ledger
        self._failing = failing
        self.together_count, self.many_write = 0, ledger.many_write
        self.reading, self.transaction = ledger.reading, ledger.transaction

    @contextmanager
    def together(self):
        self.together_count += 1
        with self._ledger.together() as ledger:
            yield ledger
            if self.together_count <= self._failing:
                raise ValueError


def test_a_fault_of_time_among_letters_undoes_them_all_and_counts_nothing(house):
    house.intake.on["third"] = _fail_of_time
    house.mailbox.put(mail("first"), mail("second"), mail("third"), mail("fourth"))

    with capture_logs() as logs, pytest.raises(ConnectionError):
        house.once()

    assert logs == []
    assert house.attempts() == [0, 0, 0, 0]
    del house.intake.on["third"]
    house.once()
    assert house.replies() == ["first", "second", "third", "fourth"]


def test_a_database_that_undid_everything_by_itself_is_believed(house):
    house.mailbox.put(mail("first"), mail("second"))
    receive = house.intake.receive

    def fail(arrival, read, proof, store, now, foreseen):
        if read.letter.subject == "second":
            # As SQLite does when it runs out of room, before it tells so.
            store.session.connection.exec_driver_sql("ROLLBACK")
            raise ValueError
        return receive(arrival, read, proof, store, now, foreseen)

    house.intake.receive = fail
    with capture_logs() as logs, pytest.raises(StoreUnavailable):
        house.once()
    assert logs == []
    assert house.mailbox.filed == []
    assert [row.state for row in house.letters()] == [LetterState.CLAIMED] * 2


def test_where_each_letter_has_its_own_commit_those_before_a_fault_of_time_are_told(house):
    house.intake.on["third"] = _fail_of_time
    house.mailbox.put(mail("first"), mail("second"), mail("third"), mail("fourth"))
    house.use(_EachAlone(house.ledger))

    with capture_logs() as logs, pytest.raises(ConnectionError):
        house.once()

    assert [line["event"] for line in logs] == ["letter.accepted"] * 2
    assert house.replies() == ["first", "second"]
    assert house.attempts() == [1, 1, 0, 0]


def test_others_write_while_a_letter_is_worked_out(house):
    house.mailbox.put(mail("first"), mail("second"))
    free = []

    def write(*_):
        with house.ledger.transaction() as store:
            free.append(store.next_receipt())

    house.intake.foresee = write
    house.once()
    # Both are of one sender: the second one waits for what the first one changes.
    assert len(free) == 1
    assert house.replies() == ["first", "second"]


class _EachAlone:
    """Commits each letter by itself, as on PostgreSQL."""

    each_lasts = True
    many_write = True

    def __init__(self, ledger):
        self.reading, self.transaction = ledger.reading, ledger.transaction

    @contextmanager
    def together(self):
        yield self


def test_claims_that_stood_in_the_way_of_another_process_are_made_one_by_one(house, monkeypatch):
    house.mailbox.put(mail("first"), mail("second"))
    claim, calls = Letters.claim, []

    def fail_once(store, location, *rest):
        calls.append(location.uid)
        if calls == [1, 2]:
            raise StoreUnavailable("deadlock detected")
        return claim(store, location, *rest)

    monkeypatch.setattr(Letters, "claim", fail_once)
    house.once()
    assert calls == [1, 2, 1, 2]
    assert house.attempts() == [1, 1]


def test_a_claim_that_fails_costs_the_others_nothing(house, monkeypatch):
    house.mailbox.put(mail("first"), mail("bad"), mail("third"))
    claim = Letters.claim

    def fail(store, location, *rest):
        if location.uid == 2:
            raise ValueError
        return claim(store, location, *rest)

    monkeypatch.setattr(Letters, "claim", fail)
    assert house.once().failed == 1
    assert house.intake.received == ["first", "third"]
    assert house.attempts() == [1, 1]


def test_a_letter_without_bytes_is_counted_and_quarantined_not_asked_for_ever(house):
    house.mailbox.put(mail("first"), mail("second"))
    house.mailbox.without_body = {1}
    for _ in range(3):
        house.once()
    assert sorted(house.mailbox.filed) == [("accepted", 2), ("quarantined", 1)]
    assert house.letters()[0].error == "the server gives no bytes for it"


@pytest.mark.parametrize(
    "fault", [ConnectionError("reader gone"), OSError(errno.ENOSPC, "disk full")]
)
def test_a_fault_of_time_takes_the_attempt_back_and_ends_the_pass(house, fault):
    house.reader.faults[mail("second")] = fault
    house.mailbox.put(mail("first"), mail("second"), mail("third"))

    for _ in range(5):
        with pytest.raises(OSError, match=r"reader gone|disk full"):
            house.once()

    assert house.intake.received == ["first"]
    assert house.attempts() == [1, 0, 0]
    house.reader.faults.clear()
    house.once()
    assert house.intake.received == ["first", "second", "third"]
    assert house.attempts() == [1, 1, 1]


def test_a_database_that_is_away_counts_nothing_even_when_it_cannot_be_told(house):
    house.mailbox.put(mail("first"))
    away = _Away(house.ledger, at=2)
    house.use(away)
    with pytest.raises(StoreUnavailable):
        house.once()
    assert house.attempts() == [1]
    house.use(house.ledger)
    house.intake.on["first"] = _fail_of_time
    with pytest.raises(ConnectionError):
        house.once()
    assert house.attempts() == [0]


def _fail_of_time():
    raise ConnectionError


class _Away:
    """A database that is gone from its n-th transaction on."""

    each_lasts = True
    many_write = True

    def __init__(self, ledger, at):
        self.left = at
        self._ledger = ledger
        self.reading = ledger.reading

    def transaction(self, **_options):
        self.left -= 1
        if self.left < 0:
            raise StoreUnavailable("the database is away")
        return self._ledger.transaction()

    @contextmanager
    def together(self):
        yield self


def test_a_cut_in_the_middle_of_fetching_loses_nothing(house):
    house.mailbox.batch = 2
    house.mailbox.put(*(mail(f"letter {n}") for n in range(6)))
    house.mailbox.faults = ["fetch"]
    with pytest.raises(MailboxUnavailable):
        house.once()
    house.once()
    assert house.intake.received == [f"letter {n}" for n in range(6)]
    assert house.attempts() == [1] * 6


def test_stop_finishes_the_letter_in_hand_and_leaves_the_rest(house):
    house.mailbox.put(*(mail(f"letter {n}") for n in range(6)))
    passed = house.once(stop=lambda: bool(house.intake.received))
    assert house.intake.received == ["letter 0"]
    assert not passed.whole
    assert house.mailbox.filed == [("accepted", 1)]
    assert house.attempts() == [1, 0, 0, 0, 0, 0]


def test_a_mailbox_that_another_process_reads_is_left_alone(house):
    house.mailbox.put(mail("first"))
    with house.ledger.transaction() as store:
        store.leases.take("mailbox main", "elsewhere:1:1")

    assert house.once().held_by == "elsewhere:1:1"
    assert house.intake.received == []

    # A clock that is ahead of the database's takes nothing from anybody.
    house.clock.advance(minutes=10)
    assert house.once().held_by == "elsewhere:1:1"

    age_leases(house.ledger, 16)
    house.once()
    assert house.intake.received == ["first"]


def test_a_process_that_was_taken_for_dead_records_nothing_twice(house):
    house.mailbox.put(mail("first"))

    receive = house.intake.receive

    def late(arrival, read, proof, store, now, foreseen):
        # The other process had the letter to its end while this one stood still.
        facts = LetterFacts("", "first", "")
        store.letters.settle(arrival.number, "accepted", facts, None, now)
        return receive(arrival, read, proof, store, now, foreseen)

    house.intake.receive = late
    with pytest.raises(StoreUnavailable, match="meanwhile"):
        house.once()
    assert house.replies() == []


def test_each_letter_leaves_one_canonical_line(house):
    house.mailbox.put(mail("first"))
    with capture_logs() as logs:
        house.once()
    (line,) = logs
    assert line["event"] == "letter.accepted"
    assert {
        "letter",
        "mailbox",
        "uid",
        "entity",
        "layouts",
        "verdict",
        "documents",
        "values",
        "findings",
        "receipts",
        "reply",
        "duration_ms",
        "size",
        "attempts",
    } <= line.keys()
    assert line["reply"] == f"<reply-{line['letter']}@retailer.example>"
    assert line["size"] == len(mail("first"))


def test_progress_through_a_large_mailbox_is_told(house):
    house.mailbox.batch = 2
    house.mailbox.put(*(mail(f"letter {n}") for n in range(5)))
    with capture_logs() as logs:
        house.once()
    told = [(line["done"], line["of"]) for line in logs if line["event"] == "mailbox.progress"]
    assert told == [(2, 5), (4, 5)]
