"""Owed replies leave once, in order, and are tried again as long as there is hope."""

import threading
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from html import escape
from itertools import pairwise

import pytest
from structlog.testing import capture_logs

from ingest.engine.send import AT_ONCE, drain, retry_delay
from ingest.replies.message import XLSX, Answered, File, ReplySettings, compose
from ingest.replies.wording import wording
from ingest.transports.ports import Deferred, OutboxUnavailable, RecipientRefused, TooLarge
from storage.ledger import StoreUnavailable
from storage.outbox import Outbox
from tests.fakes import FakeClock, FakePostman, age_leases, owed


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def owing(ledger, clock):
    """Owe as many replies as named."""

    def owe(*subjects):
        with ledger.transaction() as store:
            for number, subject in enumerate(subjects):
                store.outbox.owe(owed(None, subject, message_id=f"<{subject}-{number}@x>"), clock())
            clock.advance(seconds=1)

    return owe


def subjects(postman):
    return [reply.subject for reply in postman.sent]


def drained(ledger, postman, clock):
    """Drain the outbox: how many replies left, were put off and were given up."""
    with capture_logs() as logs:
        drain(ledger, postman, clock)
    events = [line["event"] for line in logs]
    return tuple(events.count(f"reply.{what}") for what in ("sent", "deferred", "undeliverable"))


def test_replies_leave_in_the_order_in_which_they_were_owed(ledger, clock, owing):
    owing("first", "second", "third")
    postman = FakePostman()
    drain(ledger, postman, clock)
    assert subjects(postman) == ["first", "second", "third"]


def test_what_has_left_never_leaves_again(ledger, clock, owing):
    owing("first")
    drain(ledger, FakePostman(), clock)
    clock.advance(days=10)
    postman = FakePostman()
    drain(ledger, postman, clock)
    assert postman.sent == []


def test_a_reply_asked_to_come_later_holds_up_no_other(ledger, clock, owing):
    owing("first", "second")
    postman = FakePostman(Deferred("450 busy"))
    assert drained(ledger, postman, clock) == (1, 1, 0)
    assert subjects(postman) == ["second"]


def test_it_is_tried_again_after_10_seconds_doubling_to_an_hour_for_3_days(ledger, clock, owing):
    owing("first")
    owed_at, waits = clock(), []
    while True:
        postman = FakePostman(Deferred("450 busy"))
        before = clock()
        _, deferred, undeliverable = drained(ledger, postman, clock)
        if undeliverable:
            break
        if deferred:
            waits.append(before)
        seconds = 10 if len(waits) < 10 else 600
        clock.advance(seconds=seconds)
        age_leases(ledger, seconds)
        assert clock() - owed_at < timedelta(days=4)

    gaps = [int((after - before).total_seconds()) for before, after in pairwise(waits)]
    assert gaps[:10] == [10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600]
    assert set(gaps[9:]) == {3600}
    assert timedelta(days=3) <= clock() - owed_at < timedelta(days=3, hours=2)


def test_a_recipient_who_is_refused_is_given_up_and_shown(ledger, clock, owing):
    owing("first", "second")
    postman = FakePostman(RecipientRefused("550 no such user"))
    with capture_logs() as logs:
        drain(ledger, postman, clock)
    assert [line["event"] for line in logs] == ["reply.undeliverable", "reply.sent"]
    assert logs[0]["log_level"] == "error"
    with ledger.reading() as store:
        assert store.installation.status(clock()).undeliverable == 1


def test_a_server_that_is_away_ends_the_drain_and_counts_nothing(ledger, clock, owing):
    owing("first", "second")
    for _ in range(5):
        with pytest.raises(OutboxUnavailable):
            drain(ledger, FakePostman(OutboxUnavailable("away")), clock)
    postman = FakePostman()
    drain(ledger, postman, clock)
    assert subjects(postman) == ["first", "second"]
    assert {reply.attempts for reply in postman.sent} == {1}


def test_what_had_left_before_a_crash_leaves_again_as_the_same_mails(ledger, clock, owing):
    owing(*(f"reply {number}" for number in range(AT_ONCE + 3)))

    class Killed(FakePostman):
        def send(self, reply):
            super().send(reply)
            if len(self.sent) == 3:
                killed.set()
                raise SystemExit

    killed = threading.Event()
    first, second, third = Killed(), FakePostman(), FakePostman()
    with pytest.raises(SystemExit):
        drain(_Gone(ledger, killed), first, clock)
    # Those that nobody had taken in hand need not wait.
    drain(ledger, second, clock)
    assert subjects(second) == [f"reply {AT_ONCE + number}" for number in range(3)]
    age_leases(ledger, 61)
    drain(ledger, third, clock)
    assert subjects(third) == [f"reply {number}" for number in range(AT_ONCE)]
    again = third.sent[: len(first.sent)]
    assert [r.message_id for r in again] == [r.message_id for r in first.sent]
    assert {reply.attempts for reply in again} == {2}


class _Gone:
    """A database that a killed process can do no more with."""

    def __init__(self, ledger, killed):
        self._ledger = ledger
        self._killed = killed

    def transaction(self, **_options):
        if self._killed.is_set():
            raise SystemExit
        return self._ledger.transaction()


def test_what_has_left_is_noted_although_another_reply_cannot_be(ledger, clock, owing):
    owing("first", "second", "third")

    class Failing(FakePostman):
        def send(self, reply):
            if reply.subject == "third":
                raise ValueError
            super().send(reply)

    with pytest.raises(ValueError):  # noqa: PT011 - any fault of ours
        drain(ledger, Failing(), clock)
    age_leases(ledger, 61)
    again = FakePostman()
    drain(ledger, again, clock)
    assert subjects(again) == ["third"]
    assert [reply.attempts for reply in again.sent] == [2]


def test_what_has_left_is_noted_before_what_was_deferred(ledger, clock, owing, monkeypatch):
    owing("first", "second")

    def fail(*_):
        raise StoreUnavailable("the database is away")

    monkeypatch.setattr(Outbox, "deferred", fail)
    with pytest.raises(StoreUnavailable):
        drain(ledger, FakePostman(None, Deferred("450 busy")), clock)
    monkeypatch.undo()
    age_leases(ledger, 61)
    again = FakePostman()
    drain(ledger, again, clock)
    assert subjects(again) == ["second"]


def test_the_attempt_is_committed_before_the_reply_leaves(ledger, clock, owing):
    owing("first")

    class Killed(FakePostman):
        def send(self, reply):
            super().send(reply)
            raise SystemExit

    first = Killed()
    with pytest.raises(SystemExit):
        drain(ledger, first, clock)
    second = FakePostman()
    drain(ledger, second, clock)
    assert second.sent == []
    age_leases(ledger, 61)
    drain(ledger, second, clock)
    assert second.sent[0].attempts == 2
    assert second.sent[0].message_id == first.sent[0].message_id


def test_a_database_that_goes_ends_the_drain(ledger, clock, owing):
    owing("first")

    class Gone:
        def transaction(self, **_options):
            raise StoreUnavailable("gone")

    with pytest.raises(StoreUnavailable):
        drain(Gone(), FakePostman(), clock)


def test_stop_leaves_the_rest_for_later(ledger, clock, owing):
    owing("first", "second")
    postman = FakePostman()
    drain(ledger, postman, clock, stop=lambda: bool(postman.sent))
    assert subjects(postman) == ["first"]


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 10), (1, 10), (2, 20), (9, 2560), (10, 3600), (10_000, 3600)]
)
def test_rests_between_attempts(attempts, seconds):
    assert retry_delay(attempts) == timedelta(seconds=seconds)


def with_book(ledger, clock):
    """Owe a reply like ours: texts, a receipt and a marked workbook."""
    answered = Answered("buh@primer.example", 1, None)
    files = [
        File("receipt.xml", b"<message/>", "application", "xml"),
        File("books.xlsx", b"PK" + b"x" * 5000, *XLSX),
    ]
    settings = ReplySettings(sender="meters@retailer.example", key=b"k" * 32)
    words = wording("ru")
    lines = [
        "Показания не приняты.",
        words.say("attached_marked", name="books (1) <б>.xlsx"),
        words.say("lost", what="рисунки"),
        words.word("lead", "form"),
        words.say("attached_form"),
        "Письмо составлено автоматически.",
    ]
    page = "".join(f'<p style="margin:0;">{escape(line)}</p>\n' for line in lines)
    bodies = ("\n".join([*lines, ""]), f"<html><body>\n{page}</body></html>")
    made = compose(answered, "reply", "Не принято: показания", bodies, files, clock(), settings)
    with ledger.transaction() as store:
        store.outbox.owe(made, clock())
    clock.advance(seconds=1)
    return made


def test_a_reply_that_the_server_finds_too_large_leaves_without_its_workbook(ledger, clock, owing):
    made = with_book(ledger, clock)
    owing("next")
    postman = FakePostman(TooLarge("552 message too big"))

    assert drained(ledger, postman, clock) == (2, 0, 0)
    sent = message_from_bytes(postman.sent[0].content, policy=default)
    was = message_from_bytes(made.content, policy=default)
    assert [part.get_filename() for part in sent.iter_attachments()] == ["receipt.xml"]
    assert sent.items() == was.items()
    for kind in ("plain", "html"):
        text = sent.get_body((kind,)).get_content()
        assert "Показания не приняты." in text
        assert "Книга не приложена" in text
        assert "Письмо составлено автоматически." in text
        # What stood there of an attached workbook is not so any more.
        assert "риложена ваша книга" not in text
        assert "рисунки" not in text
        assert "ля заполнения" not in text


def test_one_that_is_too_large_even_so_is_undeliverable_and_holds_up_no_other(ledger, clock, owing):
    with_book(ledger, clock)
    owing("next")
    postman = FakePostman(TooLarge("552 too big"), TooLarge("552 too big"))
    assert drained(ledger, postman, clock) == (1, 0, 1)
    assert subjects(postman) == ["next"]
