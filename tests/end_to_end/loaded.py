"""A process that has the service's modules in it and starts the service by forking itself.

To load them takes longer than what the service does in most tests, and some tests start it
a dozen times. What is started is the same program, in a process of its own that can be killed.
Run as `python -m tests.end_to_end.loaded SOCKET`.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = (
    "ingest.verbs.main",
    "ingest.wiring.service",
    "ingest.wiring.daemon",
    "ingest.wiring.transports",
    "ingest.engine.daemon",
    "ingest.engine.spread",
    "ingest.engine.drop",
    "ingest.intake.policy",
    "ingest.reading.sandbox",
    "ingest.reading.pool",
    "ingest.replies.answers",
    "ingest.transports.imap.mailbox",
    "ingest.transports.smtp",
    "config.log",
    "layouts.calendar",
    "layouts.deadlines",
    "storage.ledger",
    "tests.end_to_end.killable",
    "argon2",
    "jinja2",
    "psycopg",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql",
)
"""What the service imports before it polls, in the daemon and in each role."""


class Started:
    """A process that was started, as `subprocess.Popen` tells of one."""

    def __init__(self, pid: int, attendant: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._attendant = attendant

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._attendant], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._attendant.recv(16))
            self._attendant.close()
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Loaded:
    """Starts modules as programs, from a process that has them loaded."""

    def __init__(self, address: str) -> None:
        self._address = address

    def start(self, module: str, *words: str, told: Path) -> Started:
        """`python -m module words` in the project's folder, with its output in a file."""
        attendant = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        attendant.connect(self._address)
        wanted = {"module": module, "words": words, "told": str(told), "env": dict(os.environ)}
        attendant.sendall(json.dumps(wanted).encode())
        return Started(int(attendant.recv(16)), attendant)


@contextlib.contextmanager
def loaded() -> Iterator[Loaded]:
    """Such a process, until the tests that want it are done."""
    with tempfile.TemporaryDirectory(prefix="loaded-") as folder:
        address = f"{folder}/socket"
        command = [sys.executable, "-m", __name__, address]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.read() == b"ready"
            yield Loaded(address)
            process.kill()


def serve(address: str) -> None:
    """Start what is asked for, until killed."""
    for name in MODULES:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
        door.bind(address)
        door.listen(64)
        os.write(1, b"ready")
        with Path(os.devnull).open("wb") as nothing:
            os.dup2(nothing.fileno(), 1)
        # Attendants are waited for by nobody.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while True:
            asked, _ = door.accept()
            if os.fork() == 0:
                door.close()
                attend(asked)
            asked.close()


def attend(asked: socket.socket) -> None:
    """Start one process and tell how it ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted = json.loads(asked.recv(2**20))
    process = os.fork()
    if process == 0:
        asked.close()
        become(**wanted)
    asked.sendall(str(process).encode())
    _, status = os.waitpid(process, 0)
    with contextlib.suppress(OSError):
        asked.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(module: str, words: list[str], told: str, env: dict[str, str]) -> None:
    """Be the program."""
    output = os.open(told, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for descriptor in (1, 2):
        os.dup2(output, descriptor)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


if __name__ == "__main__":
    serve(sys.argv[1])
