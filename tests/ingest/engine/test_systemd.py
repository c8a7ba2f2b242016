"""What systemd is told, on a socket of the test's own."""

import socket
import threading
import time
from contextlib import contextmanager, suppress

import pytest
from structlog.testing import capture_logs

from ingest.engine import jobs, systemd
from ingest.engine.daemon import Daemon, Parts
from ingest.engine.systemd import Notify
from tests.fakes import FakeClock, FakeIntake, FakeMailbox, FakePostman, FakeReader, mail


@pytest.fixture
def told(tmp_path, monkeypatch):
    """Receives what is told; its address stands in a short path."""
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("notify")
        server.settimeout(10)
        yield server


def notify(**more):
    return Notify({"NOTIFY_SOCKET": "notify", **more})


class Hanging(FakeMailbox):
    """Hangs in a pass until it is let go."""

    def __init__(self, let_go):
        super().__init__()
        self.let_go = let_go

    def uids(self):
        self.let_go.wait(20)
        return super().uids()


class HangingReader(FakeReader):
    """Hangs with the first letter until it is let go."""

    def __init__(self, let_go):
        super().__init__()
        self.let_go = let_go

    def read(self, letters):
        self.let_go.wait(20)
        return super().read(letters)


class HangingPostman(FakePostman):
    """Hangs in the first word until it is let go."""

    def __init__(self, let_go):
        super().__init__()
        self.let_go = let_go

    def greet(self):
        self.let_go.wait(20)
        return super().greet()


@contextmanager
def running(ledger, mailbox, told_to, reader=None, postman=None):
    parts = Parts(
        mailboxes=[mailbox],
        bells=[],
        reader=reader or FakeReader(),
        ledger=ledger,
        intake=FakeIntake(),
        postman=postman,
        accounts=[],
        clock=FakeClock(),
        every_seconds=3600,
        close=ledger.close,
    )
    with Daemon(parts, told_to) as daemon:
        yield daemon


def test_ready_reloading_and_stopping_are_told(told):
    notify().ready()
    assert told.recv(1000).splitlines()[0] == b"READY=1"
    notify().reloading()
    lines = told.recv(1000).splitlines()
    assert lines[0] == b"RELOADING=1"
    assert abs(int(lines[1].removeprefix(b"MONOTONIC_USEC=")) / 1e6 - time.monotonic()) < 60
    notify().stopping()
    assert told.recv(1000).splitlines()[0] == b"STOPPING=1"


def test_without_a_socket_or_with_a_dead_one_nothing_happens(tmp_path):
    Notify({}).ready()
    Notify({"NOTIFY_SOCKET": str(tmp_path / "absent")}).ready()
    assert list(tmp_path.iterdir()) == []


def test_an_abstract_socket_is_reached():
    name = f"ingest-test-{threading.get_native_id()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind("\0" + name)
        server.settimeout(10)
        Notify({"NOTIFY_SOCKET": "@" + name}).ready()
        assert server.recv(1000).startswith(b"READY=1")


def test_a_watchdog_of_another_process_is_not_fed():
    assert notify(WATCHDOG_USEC="3000000", WATCHDOG_PID="1").watchdog_seconds == 0
    assert notify(WATCHDOG_USEC="3000000").watchdog_seconds == 3


def test_the_watchdog_is_fed_while_the_jobs_get_on(told, ledger):
    with running(ledger, FakeMailbox(), notify(WATCHDOG_USEC="150000")):
        assert told.recv(1000) == b"WATCHDOG=1"
        assert told.recv(1000) == b"WATCHDOG=1"


@pytest.mark.parametrize("hangs", ["mailbox main", "a letter", "outbox"])
def test_the_watchdog_starves_while_a_job_hangs_and_is_fed_when_it_gets_on(
    told, ledger, monkeypatch, hangs
):
    monkeypatch.setattr(jobs, "STUCK_SECONDS", 0.3)
    monkeypatch.setattr(systemd, "LOOKED_EVERY_SECONDS", 0.05)
    let_go = threading.Event()
    mailbox = Hanging(let_go) if hangs == "mailbox main" else FakeMailbox()
    reader = HangingReader(let_go) if hangs == "a letter" else None
    postman = HangingPostman(let_go) if hangs == "outbox" else None
    mailbox.put(mail("first"))
    fed = notify(WATCHDOG_USEC="150000")
    with capture_logs() as logs, running(ledger, mailbox, fed, reader, postman):
        stuck = threading.Event()
        while not any(line["event"] == "service.stuck" for line in logs):
            stuck.wait(0.02)
        told.settimeout(0)
        with suppress(BlockingIOError):
            while told.recv(1000):
                pass
        stuck.wait(0.3)
        with pytest.raises(BlockingIOError):
            told.recv(1000)
        let_go.set()
        told.settimeout(10)
        assert told.recv(1000) == b"WATCHDOG=1"
    line = next(line for line in logs if line["event"] == "service.stuck")
    assert line["jobs"] == ["outbox" if hangs == "outbox" else "mailbox main"]


def test_a_job_that_the_scheduler_missed_as_the_clock_went_back_runs(ledger, monkeypatch):
    monkeypatch.setattr(jobs, "OVERDUE_SECONDS", 0.05)
    monkeypatch.setattr(systemd, "LOOKED_EVERY_SECONDS", 0.05)
    passes = threading.Semaphore(0)

    class Counting(FakeMailbox):
        def uids(self):
            passes.release()
            return super().uids()

    with running(ledger, Counting(), Notify({})) as daemon:
        assert passes.acquire(timeout=20)
        job = daemon._polls["main"]
        job.join()
        # The scheduler would run it in an hour; by the steady clock it is due now.
        job._expected_at = time.monotonic()
        assert passes.acquire(timeout=20)
