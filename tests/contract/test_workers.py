"""Letters recorded side by side: each once, one sender's in their order."""

import threading
from concurrent.futures import wait

import pytest

from ingest.engine.collect import Collector
from ingest.engine.work import Worker
from ingest.letters.terms import Outcome
from storage.faults import StoreUnavailable
from storage.records.letters import LetterState
from tests.fakes import FakeClock, FakeIntake, FakeMailbox, FakeReader, mail


class PatientWorker(Worker):
    """Has read and proven what it began before it records: who goes with whom is no chance."""

    def _begin(self, trip, window):
        super()._begin(trip, window)
        wait([letter.proven for letter in window])


class Crew:
    """A mailbox and several recorders on one database."""

    def __init__(self, ledger, recorders=4):
        self.ledger = ledger
        self.intake, self.mailbox = FakeIntake(), FakeMailbox()
        clock = FakeClock()
        worker = PatientWorker(FakeReader(), ledger, self.intake, clock, recorders=recorders)
        self.collector = Collector(self.mailbox, worker, ledger, clock)

    def once(self, **options):
        return self.collector.once(**options)

    def rows(self):
        with self.ledger.reading() as store:
            return store.letters.find()


def test_letters_of_several_senders_are_recorded_at_the_same_time(on_postgresql):
    crew = Crew(on_postgresql)
    meeting = threading.Barrier(2, timeout=20)

    def met():
        meeting.wait()
        return Outcome.ACCEPTED

    for number in (1, 2):
        crew.mailbox.put(mail(f"letter {number}", f"meter{number}@example.ru"))
        crew.intake.on[f"letter {number}"] = met
    assert sum(crew.once().outcomes.values()) == 2


def test_every_letter_is_recorded_once_and_those_of_a_sender_in_their_order(ledger):
    crew = Crew(ledger)
    subjects = [f"{sender} {number:02}" for number in range(20) for sender in "abc"]
    crew.mailbox.put(*(mail(subject, f"{subject[0]}@example.ru") for subject in subjects))

    assert crew.once().whole
    received = crew.intake.received
    assert sorted(received) == sorted(subjects)
    for sender in "abc":
        assert [one for one in received if one[0] == sender] == [
            one for one in subjects if one[0] == sender
        ]
    assert {row.state for row in crew.rows()} == {LetterState.DONE}
    assert len(crew.rows()) == len(subjects)


def test_a_fault_of_one_letter_leaves_the_others_of_its_moment_recorded(ledger):
    crew = Crew(ledger)
    crew.mailbox.put(*(mail(f"letter {n}", f"meter{n}@example.ru") for n in range(8)))

    def fail():
        raise ValueError

    crew.intake.on["letter 3"] = fail
    passed = crew.once()
    assert passed.failed == 1
    assert sorted(crew.intake.received) == [f"letter {n}" for n in range(8) if n != 3]


def test_when_the_database_goes_away_what_was_kept_is_filed_and_the_rest_is_not_counted(
    on_postgresql,
):
    crew = Crew(on_postgresql)
    crew.mailbox.put(*(mail(f"letter {n}", f"meter{n}@example.ru") for n in range(8)))

    def away():
        raise StoreUnavailable("the database is away")

    crew.intake.on["letter 5"] = away
    with pytest.raises(StoreUnavailable):
        crew.once()
    crew.intake.on.clear()
    crew.once()
    assert sorted(crew.intake.received) == [f"letter {n}" for n in range(8)]
    assert {row.attempts for row in crew.rows()} == {1}
