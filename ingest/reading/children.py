"""Child processes: where they come from, and how one is asked and watched."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import warnings
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from typing import Protocol

import msgspec

from ingest.letters.terms import Marked, Read
from ingest.reading.child import Loaded, SandboxConfig, be_child
from ingest.reading.confine import keep_memory_private
from ingest.reading.wire import (
    ANSWER_BYTES,
    HEAD_BYTES,
    Exhausted,
    Failed,
    NonsenseError,
    Ready,
    Table,
    answer_of,
    encoded,
    ready_of,
)
from layouts.layout import Layout

START_SECONDS = 30.0
"""How long a child may take to be ready."""

LOOK_SECONDS = 0.1
"""How often the CPU time of a child that has not answered yet is looked at."""

_PIECE = 2**18


class ReaderUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """No child process can be had now; the pass ends and the letters stay."""


class Fate(Enum):
    """How a child ended that gave no result."""

    COSTLY = "it ran over its time"
    EXHAUSTED = "it ran out of memory"
    DIED = "it died"


class Child:
    """One child process, asked through a pipe; only one thread at a time has it."""

    def __init__(self, pipe: socket.socket, home: subprocess.Popen[bytes] | None = None) -> None:
        """Not ready yet; it ends with the process `home`."""
        self._pipe = pipe
        self._home = home
        self._process: int | None = None
        self._clock = 0
        self._ready: Ready | None = None
        self.trips = 0

    def ready(self) -> Ready:
        """What the child says of itself, once it is confined.

        Raises:
            ReaderUnavailable: it ended, or said nothing for a long time.
        """
        if self._ready is None:
            got = self._received(START_SECONDS, ANSWER_BYTES, seconds=START_SECONDS)
            try:
                self._ready = ready_of(b"" if isinstance(got, Fate) else got)
                # A process number may be reused; a descriptor of the process is not.
                self._process = os.pidfd_open(self._ready.pid)
            except (NonsenseError, OSError) as error:
                self.end()
                raise ReaderUnavailable(f"no child process can be started: {error}") from None
            # The clock of another process's CPU time, see clock_getcpuclockid(3).
            self._clock = (~self._ready.pid << 3) | 2
        return self._ready

    def ask(self, request: msgspec.Struct, wall: float) -> Fate | None:
        """Send a request; how the child ended, when it did not take it."""
        self.trips += 1
        try:
            self._pipe.settimeout(wall)
            self._pipe.sendall(encoded(request))
        except TimeoutError:
            return Fate.COSTLY
        except OSError:
            return Fate.DIED
        return None

    def answer(
        self, seconds: float, wall: float, most: int = ANSWER_BYTES
    ) -> Read | Mapping[str, Marked] | Failed | Table | Fate:
        """The next answer, checked; or how the child ended instead.

        Args:
            seconds: Of CPU time that it may take.
            wall: The same on the wall.
            most: Bytes of the longest answer that is taken.
        """
        got = self._received(wall, most, seconds)
        if isinstance(got, Fate):
            return got
        try:
            answer = answer_of(got)
        except NonsenseError:
            return Fate.DIED
        return Fate.EXHAUSTED if isinstance(answer, Exhausted) else answer

    def is_orphan(self) -> bool:
        """Whether it ended because the fork server did."""
        if self._home is not None:
            with suppress(subprocess.TimeoutExpired):
                self._home.wait(LOOK_SECONDS)
                return True
        return False

    def end(self) -> None:
        """Kill the process; the pipe is closed by whoever reads it."""
        if self._process is not None:
            with suppress(OSError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        with suppress(OSError):
            self._pipe.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Kill it and close its descriptors."""
        self.end()
        self._pipe.close()
        process, self._process = self._process, None
        if process is not None:
            os.close(process)

    def _received(self, wall: float, most: int, seconds: float) -> bytearray | Fate:
        """One frame of at most so many bytes."""
        until, used_up = time.monotonic() + wall, self.cpu() + seconds
        got, length = bytearray(), HEAD_BYTES
        while len(got) < length:
            self._pipe.settimeout(LOOK_SECONDS)
            try:
                piece = self._pipe.recv(min(length - len(got), _PIECE))
            except TimeoutError:
                piece = None
            except OSError:
                return Fate.DIED
            if piece == b"":
                return Fate.DIED
            got += piece or b""
            if length == HEAD_BYTES and len(got) == HEAD_BYTES:
                length += int.from_bytes(got, "little")
                if length > most:
                    return Fate.EXHAUSTED
            if len(got) < length and (time.monotonic() > until or self.cpu() > used_up):
                return Fate.COSTLY
        del got[:HEAD_BYTES]
        return got

    def cpu(self) -> float:
        """Seconds of CPU time that it has used; 0 when it is not there."""
        try:
            return time.clock_gettime(self._clock) if self._clock else 0.0
        except OSError:
            return 0.0


class Source(Protocol):
    """Makes child processes.

    Attributes:
        keeps_one: Whether one that has read nothing is kept waiting.
    """

    keeps_one: bool

    def start(self) -> Child:
        """A new child, not yet ready."""

    def close(self) -> None:
        """Stop making children."""


class ForkServer:
    """Children of a process that has loaded everything; see `reading.fork_server`."""

    keeps_one = True

    def __init__(self, config: SandboxConfig) -> None:
        self._config = config
        self._running: tuple[subprocess.Popen[bytes], socket.socket] | None = None

    def start(self) -> Child:
        """A new child; the process is started first, or again when it has ended.

        Raises:
            ReaderUnavailable: it cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process, control = self._started()
                socket.send_fds(control, [b"1"], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise ReaderUnavailable(f"no child process can be started: {error}") from None
        return Child(ours, process)

    def _started(self) -> tuple[subprocess.Popen[bytes], socket.socket]:
        """The process, which runs, and what pipes are sent to it through."""
        from ingest.reading.fork_server import command

        if self._running is not None and self._running[0].poll() is None:
            return self._running
        self.close()
        # Else a process of the same user could trace this one and read passwords.
        keep_memory_private()
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                    command(self._config),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={},
                    start_new_session=True,
                )
            except OSError:
                ours.close()
                raise
        self._running = process, ours
        return self._running

    def close(self) -> None:
        """End the process, and with it every child."""
        running, self._running = self._running, None
        if running is not None:
            process, control = running
            control.close()
            process.kill()
            process.wait()


class Forks:
    """Children of this very process, which has read nothing yet and has one thread.

    It lives for a few files: one that waits would mostly be made for nothing.
    """

    keeps_one = False

    def __init__(self, config: SandboxConfig, layouts: Mapping[str, Layout]) -> None:
        self._loaded = Loaded(config, layouts)

    def start(self) -> Child:
        """A new child.

        Raises:
            ReaderUnavailable: the system has no room for another process.
        """
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        with theirs:
            try:
                if _forked() == 0:
                    be_child(theirs.fileno(), parent, self._loaded)
            except OSError as error:
                ours.close()
                raise ReaderUnavailable(f"no child process can be started: {error}") from None
        return Child(ours)

    def close(self) -> None:
        """No-op."""


def _forked() -> int:
    with warnings.catch_warnings():
        # Python warns of other threads, whose locks a child would keep; there are none.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
