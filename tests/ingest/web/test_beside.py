"""The pages beside the daemon: a process of their own, whatever becomes of it."""

import errno
import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import closing
from types import SimpleNamespace

import pytest
from structlog.testing import capture_logs

from ingest.web import beside as beside_module
from ingest.web.beside import Beside
from tests.end_to_end.servers import free_port

STAND_IN = """
import os, signal, socket, sys
listening = socket.socket(fileno=0)
print("begun", os.getpid(), os.getpriority(os.PRIO_PROCESS, 0), flush=True)
while True:
    client, _ = listening.accept()
    client.sendall(str(os.getpid()).encode())
    client.close()
"""


def pid_at(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        return int(client.recv(100))


@pytest.fixture
def beside():
    told: list[str] = []
    with closing(Beside([sys.executable, "-c", STAND_IN], told.append)) as beside:
        beside.listen(f"127.0.0.1:{free_port()}")
        beside.told = told
        yield beside


def until(condition):
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def ended(pid: int) -> bool:
    """Whether a process ends, within the patience of a loaded machine."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([process], [], [], 30)[0])
    finally:
        os.close(process)


def is_refused(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED


def port_of(beside) -> int:
    return int(beside.address.rpartition(":")[2])


def test_letters_come_before_pages_on_the_cpu(beside):
    pid = pid_at(port_of(beside))

    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)
    # Within one session: the kernel may share the CPU out by sessions first.
    assert os.getsid(pid) == os.getsid(0)


def test_events_of_the_pages_are_counted_by_the_daemon(beside):
    pid_at(port_of(beside))

    until(lambda: beside.told)
    assert beside.told[0].startswith("begun")


def test_pages_that_were_killed_are_served_again_and_who_asks_meanwhile_waits(beside):
    before = pid_at(port_of(beside))
    os.kill(before, signal.SIGKILL)

    assert ended(before)
    assert pid_at(port_of(beside)) != before


def test_a_reload_has_the_pages_begin_anew_at_the_address_of_now(beside):
    before, port = pid_at(port_of(beside)), port_of(beside)
    beside.listen(beside.address)
    assert ended(before)
    assert pid_at(port) != before

    beside.listen(f"127.0.0.1:{free_port()}")
    assert pid_at(port_of(beside)) != before
    until(lambda: is_refused(port))


def test_pages_that_cannot_begin_leave_those_before_them(beside):
    before = pid_at(port_of(beside))
    able, beside._command = beside._command, [sys.executable, "-c", "raise SystemExit(2)"]
    with capture_logs() as logs:
        beside.listen(beside.address)
        until(lambda: logs)
    assert logs[0] == {"event": "pages.ended", "log_level": "warning", "error": "exit 2"}
    assert pid_at(port_of(beside)) == before

    beside._command = able
    beside.listen(beside.address)
    assert ended(before)
    assert pid_at(port_of(beside))


def test_an_address_that_is_taken_leaves_the_pages_where_they_are(beside):
    before = beside.address
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        beside.listen(f"127.0.0.1:{taken.getsockname()[1]}")

    assert beside.address == before
    assert pid_at(port_of(beside))


class Rests:
    """In place of an event: it is set after so many rests, which are noted."""

    def __init__(self, count):
        self.left, self.noted = count, []

    def is_set(self):
        return len(self.noted) >= self.left

    def wait(self, seconds):
        self.noted.append(seconds)


@pytest.mark.parametrize(
    ("lasted", "rests"),
    [
        ([0] * 8, [2, 4, 8, 16, 32, 60, 60, 60]),
        ([0, 0, 60, 0], [2, 4, 1, 2]),
        ([59.9, 60.0, 61.0], [2, 1, 1]),
    ],
)
def test_pages_that_end_again_and_again_are_started_less_and_less_often(lasted, rests, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(beside_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    kept = object.__new__(beside_module._Kept)
    kept._listening, kept._over = socket.socket(), Rests(len(lasted))
    left = iter(lasted)

    def run():
        clock[0] += next(left)
        raise OSError("no such program")

    kept._run = run
    kept._keep()
    assert kept._over.noted == rests
    assert kept._listening.fileno() == -1


def test_what_keeps_the_pages_running_keeps_no_program_from_ending(beside):
    until(lambda: beside.told)
    assert all(one.daemon for one in threading.enumerate() if one.name == "web")
