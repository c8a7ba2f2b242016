"""Marked workbooks come after the commit: nobody waits for a child with the database in hand."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from ingest.engine import marks
from ingest.engine.files import rehearse
from ingest.engine.marks import Marker
from ingest.intake.attempt import complete
from ingest.intake.outcome import Handled, Marking
from ingest.intake.receive import MARKED_WITHIN
from ingest.letters.terms import Marked, Marks, Outcome
from tests.fakes import FakeClock, FakeIntake, FakeReader, age_leases, mail, owed, raw_letter

RAW = raw_letter(b"a letter with a workbook")
PLAIN, WHOLE = b"verdict", b"verdict and workbook"


def mail_of(message_id, content):
    return replace(owed(None, message_id=message_id), content=content)


class SlowReader:
    """Marks when it is let; raises what it is told to."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.begun, self.let = threading.Event(), threading.Event()
        self.fault = fault

    def mark(self, raw, wanted):
        self.begun.set()
        assert self.let.wait(20)
        if self.fault is not None:
            raise self.fault
        return {sha256: Marked(b"book") for sha256 in wanted.findings}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def handled(ledger, clock):
    """A verdict whose reply is owed, and held for its marked workbook."""
    plain = mail_of("<1@x>", PLAIN)
    whole = mail_of("<1@x>", WHOLE)
    with ledger.transaction() as store:
        store.outbox.owe(plain, clock(), held_for=MARKED_WITHIN)
    marking = Marking(Marks({"sha": []}, set(), "ru"), lambda marked: whole if marked else plain)
    return Handled(Outcome.REJECTED, reply=plain, marking=marking)


def due(ledger):
    with ledger.transaction() as store:
        return [reply.content for reply in store.outbox.lease(limit=9)]


def test_while_a_child_marks_another_writer_gets_the_database_at_once(ledger, clock, handled):
    reader = SlowReader()
    marker = Marker(reader, ledger, clock)
    marker.add(RAW, handled)
    assert reader.begun.wait(5)

    with ledger.transaction() as store:
        store.registry.set_password("nobody", "hash", "operator", clock())

    reader.let.set()
    with capture_logs() as told:
        marker.close(finish=True)
    assert (due(ledger), told) == ([WHOLE], [])


def test_a_reply_leaves_without_its_workbook_when_marking_takes_too_long(ledger, clock, handled):
    reader = SlowReader()
    marker = Marker(reader, ledger, clock)
    marker.add(RAW, handled)
    assert reader.begun.wait(5)
    assert due(ledger) == []

    age_leases(ledger, MARKED_WITHIN.total_seconds() + 1)

    assert due(ledger) == [PLAIN]
    reader.let.set()
    marker.close(finish=True)
    # What has been taken to be sent is not changed any more, nor sent again.
    assert due(ledger) == []


@pytest.mark.parametrize(
    "fault", [RuntimeError("ours"), ConnectionError("no child"), MemoryError()]
)
def test_a_reply_leaves_without_its_workbook_when_marking_fails(ledger, clock, handled, fault):
    reader = SlowReader(fault)
    reader.let.set()
    marker = Marker(reader, ledger, clock)
    marker.add(RAW, handled)
    marker.close(finish=True)
    assert due(ledger) == [PLAIN]


def test_a_reply_leaves_without_its_workbook_when_too_many_letters_wait(
    ledger, clock, handled, monkeypatch
):
    monkeypatch.setattr(marks, "WAITING_BYTES", len(RAW.content) - 1)
    marker = Marker(SlowReader(), ledger, clock)
    marker.add(RAW, handled)
    marker.close(finish=True)
    assert due(ledger) == [PLAIN]


def test_a_letter_too_large_to_wait_keeps_no_smaller_one_from_waiting(ledger, clock, monkeypatch):
    monkeypatch.setattr(marks, "WAITING_BYTES", 2 * len(RAW.content))
    reader = SlowReader()
    marker = Marker(reader, ledger, clock)
    letters = (("<1@x>", 1), ("<2@x>", 2), ("<3@x>", 1), ("<4@x>", 1))
    for message_id, times in letters:
        plain, whole = mail_of(message_id, PLAIN), mail_of(message_id, WHOLE)
        with ledger.transaction() as store:
            store.outbox.owe(plain, clock(), held_for=MARKED_WITHIN)
        marking = Marking(Marks({"sha": []}, set(), "ru"), lambda _marked, whole=whole: whole)
        raw = replace(RAW, content=RAW.content * times)
        marker.add(raw, Handled(Outcome.REJECTED, reply=plain, marking=marking))
    reader.let.set()
    marker.close(finish=True)
    # The second is too large beside the first, and the fourth is one too many.
    with ledger.transaction() as store:
        told = {one.message_id: one.content for one in store.outbox.lease(limit=9)}
    assert told == {"<1@x>": WHOLE, "<2@x>": PLAIN, "<3@x>": WHOLE, "<4@x>": PLAIN}


def test_after_a_crash_between_commit_and_marking_the_verdict_leaves_all_the_same(
    ledger, clock, handled
):
    # Nobody is left who marks.
    assert due(ledger) == []
    age_leases(ledger, MARKED_WITHIN.total_seconds())
    assert due(ledger) == [PLAIN]


def test_a_reply_that_is_completed_twice_is_one_reply(ledger, clock, handled):
    reader = SlowReader()
    reader.let.set()
    for _ in range(2):
        assert complete(RAW, handled, reader, ledger).reply.content == WHOLE
    assert due(ledger) == [WHOLE]
    complete(RAW, handled, reader, ledger)
    assert due(ledger) == []


def test_what_still_waits_at_the_end_leaves_as_it_is(ledger, clock, handled):
    reader = SlowReader()
    marker = Marker(reader, ledger, clock)
    marker.add(RAW, handled)
    assert reader.begun.wait(5)
    other = mail_of("<2@x>", PLAIN)
    with ledger.transaction() as store:
        store.outbox.owe(other, clock(), held_for=MARKED_WITHIN)
    marker.add(RAW, Handled(Outcome.REJECTED, reply=other, marking=handled.marking))
    threading.Timer(0.2, reader.let.set).start()
    marker.close()
    assert sorted(due(ledger)) == [PLAIN, WHOLE]


def test_a_dry_run_tells_the_reply_with_its_workbook_and_keeps_nothing(ledger, clock, handled):
    raw = raw_letter(mail("first"))
    told = []

    class Source:
        source, all_keys = raw.arrival.source, (raw.arrival.key,)

        def fetch(self, keys):
            return iter([[raw] for _ in keys])

    class ToBeMarked(FakeIntake):
        def receive(self, arrival, *given):
            super().receive(arrival, *given)
            return handled

    rehearse(
        [Source()], FakeReader(), ledger, ToBeMarked(), clock, lambda *given: told.append(given[2])
    )
    assert [(one.reply.content, one.marking) for one in told] == [(WHOLE, None)]
    with ledger.reading() as store:
        assert store.letters.find() == []
