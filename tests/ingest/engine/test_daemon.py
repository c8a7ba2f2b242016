"""The running service: woken at once, resting after faults, leaving in order."""

import queue
import signal
import threading
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from ingest.engine import daemon
from ingest.engine.daemon import FETCH, SEND, WORK, Daemon, Parts, Share
from ingest.engine.health import Health
from ingest.engine.jobs import rest_seconds
from ingest.transports.ports import MailboxUnavailable, OutboxUnavailable
from tests.contract.test_trips import FakeQueue
from tests.fakes import FakeClock, FakeIntake, FakeMailbox, FakePostman, FakeReader, mail


class Postman(FakePostman):
    """Tells when a reply has arrived."""

    def __init__(self, *answers):
        super().__init__(*answers)
        self.arrived = threading.Semaphore(0)

    def send(self, reply):
        super().send(reply)
        self.arrived.release()

    def wait(self):
        assert self.arrived.acquire(timeout=20), "no reply was sent"


class Bell(FakeMailbox):
    """Rings when told to."""

    def __init__(self):
        super().__init__()
        self.mail_came = threading.Event()

    def wait(self, timeout_seconds):
        rang = self.mail_came.wait(timeout_seconds)
        self.mail_came.clear()
        return rang

    def close(self):
        self.mail_came.set()


@pytest.fixture
def mailbox():
    return FakeMailbox()


@pytest.fixture
def bell():
    return Bell()


@pytest.fixture
def service(ledger, mailbox, bell):
    def make(postman, alarm=None, share=None):
        return Daemon(
            Parts(
                mailboxes=[mailbox],
                bells=[bell],
                reader=FakeReader(),
                ledger=ledger,
                intake=FakeIntake(),
                postman=postman,
                accounts=(),
                clock=FakeClock(),
                every_seconds=3600,
                close=ledger.close,
                alarm=alarm,
                share=share,
            )
        )

    return make


def test_what_lies_in_the_mailbox_is_answered_after_the_start(service, mailbox):
    mailbox.put(mail("first"))
    postman = Postman()
    with service(postman):
        postman.wait()
    assert [reply.subject for reply in postman.sent] == ["first"]


def test_a_bell_wakes_the_poll(service, mailbox, bell):
    mailbox.put(mail("first"))
    postman = Postman()
    with service(postman):
        postman.wait()
        mailbox.put(mail("second"))
        bell.mail_came.set()
        postman.wait()
    assert [reply.subject for reply in postman.sent] == ["first", "second"]


def test_a_mailbox_that_was_away_is_looked_into_again(service, mailbox):
    mailbox.put(mail("first"))
    mailbox.faults = ["uids"]
    postman = Postman()
    with capture_logs() as logs, service(postman):
        postman.wait()
    (failed,) = [line for line in logs if line["event"] == "mailbox.failed"]
    assert failed["error"] == "mailbox main: cut during uids"
    assert failed["retry_seconds"] <= 1


def test_replies_wait_while_the_server_is_away(service, mailbox):
    mailbox.put(mail("first"))
    postman = Postman(OutboxUnavailable("SMTP server away"))
    with capture_logs() as logs, service(postman):
        postman.wait()
    assert [line["error"] for line in logs if line["event"] == "outbox.failed"] == [
        "SMTP server away"
    ]
    assert [reply.attempts for reply in postman.sent] == [1]


def test_leaving_sends_what_is_owed(service, mailbox, ledger):
    mailbox.put(mail("first"))
    postman = Postman()
    postman.answers = [OutboxUnavailable("away")]
    with service(postman) as running:
        wait_until(lambda: not postman.answers)
        running._outbox._rests_until = float("inf")
    assert len(postman.sent) == 1


class Served(FakeQueue):
    """Is served until it is stopped."""

    def __init__(self):
        super().__init__()
        self.stopped = threading.Event()
        self.began = self.has_ended = False

    def serve(self, work, side_by_side):
        self.began = True
        assert self.stopped.wait(20)
        self.has_ended = True

    def stop(self):
        self.stopped.set()


@pytest.mark.parametrize("role", [FETCH, WORK, SEND])
def test_only_work_serves_the_queue_and_leaving_waits_for_what_it_has_in_hand(service, role):
    queue = Served()
    with service(None, share=Share(role, "1.0", None if role == SEND else queue)):
        wait_until(lambda: queue.began or role != WORK)
    assert queue.began == queue.stopped.is_set() == queue.has_ended == (role == WORK)


def wait_until(condition):
    tried = threading.Event()
    for _ in range(2000):
        if condition():
            return
        tried.wait(0.01)
    raise AssertionError("it never happened")


def test_rests_double_up_to_five_minutes_with_chance_in_them():
    assert all(0.5 <= rest_seconds(1) <= 1 for _ in range(100))
    assert all(4 <= rest_seconds(4) <= 8 for _ in range(100))
    assert all(150 <= rest_seconds(50) <= 300 for _ in range(100))
    assert len({rest_seconds(4) for _ in range(10)}) > 1


def test_a_configuration_with_a_mistake_is_told_and_the_old_one_kept(ledger):
    signals = queue.SimpleQueue()
    for number in (signal.SIGHUP, signal.SIGTERM):
        signals.put(number)

    def build():
        raise ValueError("ingest.toml, line 3: unknown key pool")

    with capture_logs() as logs:
        assert daemon._next_parts(signals, build, Health(ledger, FakeClock())) is None
    assert [(line["event"], line["error"]) for line in logs] == [
        ("service.reload_refused", "ingest.toml, line 3: unknown key pool")
    ]


def test_a_hang_up_builds_the_parts_anew(ledger):
    signals = queue.SimpleQueue()
    signals.put(signal.SIGHUP)
    parts = object()
    assert daemon._next_parts(signals, lambda: parts, Health(ledger, FakeClock())) is parts


def test_a_signal_that_wakes_nobody_is_noticed_later(monkeypatch):
    monkeypatch.setattr(daemon, "SIGNALS_SECONDS", 0.01)
    asked, signals = [], queue.SimpleQueue()

    class Unwoken:
        def get(self, timeout):
            asked.append(timeout)
            if len(asked) == 2:
                signals.put(signal.SIGHUP)
            return signals.get(timeout=timeout)

    assert daemon._next_signal(Unwoken()) == signal.SIGHUP
    assert asked == [0.01, 0.01]


def test_a_bell_that_breaks_is_hung_up_again(service, mailbox, bell):
    rings = iter([MailboxUnavailable("cut"), True])

    def wait(timeout_seconds):
        ring = next(rings, None)
        if isinstance(ring, Exception):
            raise ring
        if ring:
            mailbox.put(mail("later"))
            return True
        return Bell.wait(bell, timeout_seconds)

    bell.wait = wait
    postman = Postman()
    with service(postman):
        postman.wait()
    assert [reply.subject for reply in postman.sent] == ["later"]


def servers(ledger):
    with ledger.reading() as store:
        return {s.name: s for s in store.installation.status(FakeClock()()).servers}


def test_a_mailbox_that_fails_is_kept_for_other_processes_until_it_works(service, mailbox, ledger):
    mailbox.faults = ["uids"] * 1000
    with service(None):
        wait_until(lambda: "mailbox main" in servers(ledger))
        state = servers(ledger)["mailbox main"]
        assert state.failing_since is not None
        assert state.error == "mailbox main: cut during uids"
        mailbox.faults = []
        wait_until(lambda: servers(ledger)["mailbox main"].failing_since is None)


def test_the_end_of_a_servers_certificate_is_kept_also_when_it_was_renewed(
    service, mailbox, bell, ledger
):
    first, second = FakeClock()(), FakeClock()() + timedelta(days=90)
    mailbox.ends = first
    with service(None):
        wait_until(lambda: "mailbox main" in servers(ledger))
        assert servers(ledger)["mailbox main"].certificate_ends == first
        mailbox.ends = second
        bell.mail_came.set()
        wait_until(lambda: servers(ledger)["mailbox main"].certificate_ends == second)


class Dead(FakePostman):
    """Refuses every connection while it is dead."""

    dead = True

    def greet(self):
        if self.dead:
            raise OutboxUnavailable("SMTP server refused the password", "check the password")
        return "ok"


def test_an_smtp_server_that_fails_is_told_though_nothing_is_owed(service, ledger):
    postman = Dead()
    with service(postman):
        wait_until(lambda: "outbox" in servers(ledger))
        state = servers(ledger)["outbox"]
        assert (state.error, state.advice) == (
            "SMTP server refused the password",
            "check the password",
        )
        postman.dead = False
        wait_until(lambda: servers(ledger)["outbox"].failing_since is None)


def test_an_smtp_server_that_dies_later_is_told_though_nothing_is_owed(
    service, ledger, monkeypatch
):
    monkeypatch.setattr(daemon, "GREETED_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(daemon, "DRAINED_EVERY_SECONDS", 0.05)
    postman = Dead()
    postman.dead = False
    with service(postman):
        wait_until(lambda: "outbox" in servers(ledger))
        assert servers(ledger)["outbox"].failing_since is None
        postman.dead = True
        wait_until(lambda: servers(ledger)["outbox"].failing_since is not None)


def test_an_smtp_server_is_greeted_once_in_a_while_however_many_replies_leave(
    service, mailbox, bell
):
    greeted = []

    class Greeted(Postman):
        def greet(self):
            greeted.append(len(self.sent))
            return "ok"

    postman = Greeted()
    with service(postman):
        for number in range(4):
            mailbox.put(mail(f"letter {number}"))
            bell.mail_came.set()
            postman.wait()
    assert greeted == [0]


def test_a_fault_that_an_earlier_process_left_is_over_once_the_server_works(service, ledger):
    with ledger.transaction() as store:
        store.installation.server_failed("outbox", "away", "", FakeClock()())
    with service(FakePostman()):
        wait_until(lambda: servers(ledger)["outbox"].failing_since is None)


def test_a_bell_that_breaks_has_the_mailbox_tried_at_once(service, mailbox, bell, ledger):
    broken = threading.Event()

    def wait(timeout_seconds):
        broken.wait(20)
        raise MailboxUnavailable("cut")

    bell.wait = wait
    with service(None):
        wait_until(lambda: "mailbox main" in servers(ledger))
        mailbox.faults = ["uids"] * 1000
        broken.set()
        wait_until(lambda: servers(ledger)["mailbox main"].failing_since is not None)


def test_alarms_are_looked_for_again_and_again_and_a_fault_of_one_stops_nothing(
    service, mailbox, monkeypatch
):
    monkeypatch.setattr(daemon, "ALARMS_EVERY_SECONDS", 0.05)
    looked = []

    def alarm():
        looked.append(1)
        if len(looked) == 2:
            raise OutboxUnavailable("the database is away", "")

    postman = Postman()
    mailbox.put(mail("first"))
    with service(postman, alarm):
        postman.wait()
        wait_until(lambda: len(looked) > 3)
