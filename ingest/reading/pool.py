"""Hostile bytes are read in confined child processes; what they answer is checked.

A child that reaches its limits, that answers nonsense or dies, and whose letter does the
same to a fresh child that reads nothing else, met a letter that is `too-costly`: that is
the sender's doing. That no child can be had at all is a fault of time.
"""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import Protocol

import msgspec
import structlog

from ingest.letters.terms import Letter, Marked, RawLetter, Read
from ingest.reading import ReaderFailed
from ingest.reading.child import TRIPS, Bounds, SandboxConfig, be_child
from ingest.reading.confine import keep_memory_private
from ingest.reading.wire import (
    ANSWER_BYTES,
    HEAD_BYTES,
    MARKED_BYTES,
    Exhausted,
    Failed,
    Given,
    MarkWorkbooks,
    NonsenseError,
    ReadFile,
    ReadHeader,
    ReadLetters,
    Ready,
    answer_of,
    encoded,
    ready_of,
)
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout

log = structlog.get_logger()

MARK_SECONDS = 5.0
"""How long the marking of a letter's workbooks may take, on the wall."""

WALL = 2
"""Seconds on the wall for each second of CPU: other work slows a child down."""

START_SECONDS = 30.0
"""How long a child may take to be ready."""

LOOK_SECONDS = 0.1
"""How often the CPU time of a child that has not answered yet is looked at."""

_PIECE = 2**18


class ReaderUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """No child process can be had now; the pass ends and the letters stay."""


class _Fate(Enum):
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
                self._ready = ready_of(b"" if isinstance(got, _Fate) else got)
                # By number it could be another process that is ended, later.
                self._process = os.pidfd_open(self._ready.pid)
            except (NonsenseError, OSError) as error:
                self.end()
                raise ReaderUnavailable(f"no child process can be started: {error}") from None
            # The clock of another process's CPU time, see clock_getcpuclockid(3).
            self._clock = (~self._ready.pid << 3) | 2
        return self._ready

    def ask(self, request: msgspec.Struct, wall: float) -> _Fate | None:
        """Send a request; how the child ended, when it did not take it."""
        self.trips += 1
        try:
            self._pipe.settimeout(wall)
            self._pipe.sendall(encoded(request))
        except TimeoutError:
            return _Fate.COSTLY
        except OSError:
            return _Fate.DIED
        return None

    def answer(
        self, seconds: float, wall: float, most: int = ANSWER_BYTES
    ) -> Read | Mapping[str, Marked] | Failed | _Fate:
        """The next answer, checked; or how the child ended instead.

        Args:
            seconds: Of CPU time that it may take.
            wall: The same on the wall.
            most: Bytes of the longest answer that is taken.
        """
        got = self._received(wall, most, seconds)
        if isinstance(got, _Fate):
            return got
        try:
            answer = answer_of(got)
        except NonsenseError:
            return _Fate.DIED
        return _Fate.EXHAUSTED if isinstance(answer, Exhausted) else answer

    def is_orphan(self) -> bool:
        """Whether the process it came from has ended, and took it along."""
        if self._home is not None:
            with suppress(subprocess.TimeoutExpired):
                self._home.wait(LOOK_SECONDS)
                return True
        return False

    def end(self) -> None:
        """End the process, whatever it does; the pipe is closed by whoever reads it."""
        if self._process is not None:
            with suppress(OSError):
                signal.pidfd_send_signal(self._process, signal.SIGKILL)
        with suppress(OSError):
            self._pipe.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End it, and give back what was open for it."""
        self.end()
        self._pipe.close()
        process, self._process = self._process, None
        if process is not None:
            os.close(process)

    def _received(self, wall: float, most: int, seconds: float) -> bytearray | _Fate:
        """One frame of at most so many bytes."""
        until, used_up = time.monotonic() + wall, self._cpu() + seconds
        got, length = bytearray(), HEAD_BYTES
        while len(got) < length:
            self._pipe.settimeout(LOOK_SECONDS)
            try:
                piece = self._pipe.recv(min(length - len(got), _PIECE))
            except TimeoutError:
                piece = None
            except OSError:
                return _Fate.DIED
            if piece == b"":
                return _Fate.DIED
            got += piece or b""
            if length == HEAD_BYTES and len(got) == HEAD_BYTES:
                length += int.from_bytes(got, "little")
                if length > most:
                    return _Fate.EXHAUSTED
            if len(got) < length and (time.monotonic() > until or self._cpu() > used_up):
                return _Fate.COSTLY
        del got[:HEAD_BYTES]
        return got

    def _cpu(self) -> float:
        """Seconds of CPU time that it has used; 0 when it is not there."""
        try:
            return time.clock_gettime(self._clock) if self._clock else 0.0
        except OSError:
            return 0.0


class Source(Protocol):
    """Where children come from."""

    def start(self) -> Child:
        """A new child, not yet ready."""

    def close(self) -> None:
        """No more of them."""


class Nursery:
    """Children of a process that has loaded everything; see `reading.nursery`."""

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
        from ingest.reading.nursery import command

        if self._running is not None and self._running[0].poll() is None:
            return self._running
        self.close()
        # What traces this process, as the same user may, would find the passwords.
        keep_memory_private()
        ours, theirs = socket.socketpair()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and code
                command(self._config),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={},
                start_new_session=True,
            )
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
    """Children of this very process, which has read nothing yet and has one thread."""

    def __init__(self, config: SandboxConfig, layouts: Mapping[str, Layout]) -> None:
        self._bounds = Bounds(config, layouts)

    def start(self) -> Child:
        """A new child.

        Raises:
            ReaderUnavailable: the system has no room for another process.
        """
        ours, theirs = socket.socketpair()
        parent = os.getpid()
        with theirs:
            try:
                if os.fork() == 0:
                    be_child(theirs.fileno(), parent, self._bounds)
            except OSError as error:
                ours.close()
                raise ReaderUnavailable(f"no child process can be started: {error}") from None
        return Child(ours)

    def close(self) -> None:
        """Nothing is kept."""


class Sandbox:
    """Reads in children, and judges what harms them; for any number of threads."""

    def __init__(self, config: SandboxConfig, source: Source) -> None:
        """Nothing starts before the first letter."""
        self._config = config
        self._source = source
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()
        self._closed = False

    def missing(self) -> Sequence[str]:
        """The parts of the confinement that this machine lacks: `landlock`, `seccomp`.

        Raises:
            ReaderUnavailable: no child can be had.
        """
        child = self._ready_child()
        self._given_back(child)
        return child.ready().missing

    def read(self, letters: Sequence[RawLetter]) -> Iterator[Read | ReaderFailed]:
        """Letters one after the other, by one child as long as none harms it.

        Raises:
            ReaderUnavailable: no child can be had.
        """
        waiting = deque(letters)
        while waiting:
            child = self._taken()
            given = [Given(raw.content, raw.size, raw.header_only) for raw in waiting]
            fate = child.ask(ReadLetters(given), self._wall)
            while waiting and fate is None:
                got = self._checked(child, waiting[0])
                if isinstance(got, _Fate):
                    fate = got
                else:
                    waiting.popleft()
                    yield got
            self._given_back(child, fate)
            if fate is not None:
                raw = waiting.popleft()
                yield self._judged(raw, fate)

    def read_file(self, name: str, content: bytes) -> Read:
        """A file that came without a letter.

        Raises:
            ReaderUnavailable: no child can be had.
            ReaderFailed: our own code failed on it.
        """
        request = ReadFile(name, content)
        got = self._asked(request)
        if isinstance(got, _Fate) and got is not _Fate.COSTLY:
            got = self._asked(request, fresh=True)
        if isinstance(got, Failed):
            raise ReaderFailed(got.where)
        if isinstance(got, Read):
            return got
        return Read(self._unread(content, len(content)))

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> tuple[Mapping[str, Marked], str]:
        """A letter's workbooks marked, else none and why."""
        request = MarkWorkbooks(raw.content, {k: list(v) for k, v in wanted.items()}, language)
        got = self._asked(request, wall=MARK_SECONDS, most=MARKED_BYTES)
        if isinstance(got, Mapping):
            return got, ""
        return {}, got.where if isinstance(got, Failed) else str(getattr(got, "value", "nonsense"))

    def close(self) -> None:
        """End every child, and with it every letter that is being read."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for child in self._busy:
                child.end()
            self._source.close()
        for child in idle:
            child.close()

    @property
    def _wall(self) -> float:
        return self._config.seconds * WALL

    def _checked(self, child: Child, raw: RawLetter) -> Read | ReaderFailed | _Fate:
        """The answer to one letter of a trip."""
        got = child.answer(self._config.seconds, self._wall)
        if isinstance(got, Failed):
            return ReaderFailed(got.where)
        if isinstance(got, Read):
            return got if got.letter.size == raw.size else _Fate.DIED
        return got if isinstance(got, _Fate) else _Fate.DIED

    def _judged(self, raw: RawLetter, fate: _Fate) -> Read | ReaderFailed:
        """A letter that harmed its child, by what it does to a fresh one."""
        given = Given(raw.content, raw.size, raw.header_only)
        if fate is not _Fate.COSTLY:
            # Perhaps the child was spent, or fell with another letter.
            got = self._asked(ReadLetters([given]), fresh=True)
            if isinstance(got, Failed):
                return ReaderFailed(got.where)
            if isinstance(got, Read):
                return got
        got = self._asked(ReadHeader(given), fresh=True)
        if isinstance(got, Read):
            return Read(replace(got.letter, findings=(self._costly(),)))
        return Read(self._unread(raw.content, raw.size))

    def _unread(self, content: bytes, size: int) -> Letter:
        """What nothing can be said of but that it was too costly."""
        sha256 = hashlib.sha256(content).hexdigest()
        return Letter(sha256=sha256, size=size, findings=(self._costly(),))

    def _costly(self) -> Finding:
        return finding(Code.TOO_COSTLY, limit=f"{self._config.seconds:g}")

    def _asked(
        self,
        request: msgspec.Struct,
        *,
        fresh: bool = False,
        wall: float = 0.0,
        most: int = ANSWER_BYTES,
    ) -> Read | Mapping[str, Marked] | Failed | _Fate:
        """The one answer to a request.

        Args:
            request: What is asked.
            fresh: Ask a child that has read nothing yet.
            wall: Seconds that it may take; 0 for those of a letter.
            most: Bytes of the longest answer that is taken.
        """
        wall = wall or self._wall
        for _ in range(2):
            child = self._taken(fresh=fresh)
            got = child.ask(request, wall) or child.answer(self._config.seconds, wall, most)
            self._given_back(child, got if isinstance(got, _Fate) else None)
            # Nobody's doing: they all fell with the process that they come from.
            if got is not _Fate.DIED or not child.is_orphan():
                break
        return got

    # Children.

    def _taken(self, *, fresh: bool = False) -> Child:
        """A child that is ready, and as confined as is required; the next one is starting.

        Raises:
            ReaderUnavailable: none can be had.
        """
        child = self._ready_child(fresh=fresh)
        missing = child.ready().missing
        if missing and self._config.require_confinement:
            self._given_back(child)
            raise ReaderUnavailable(f"the confinement lacks {', '.join(missing)}")
        return child

    def _ready_child(self, *, fresh: bool = False) -> Child:
        child = self._next(fresh=fresh)
        try:
            child.ready()
        except ReaderUnavailable:
            self._given_back(child, _Fate.DIED)
            # It may have fallen with the process that children come from.
            child = self._next(fresh=fresh)
            try:
                child.ready()
            except ReaderUnavailable:
                self._given_back(child, _Fate.DIED)
                raise
        return child

    def _next(self, *, fresh: bool) -> Child:
        with self._lock:
            self._not_closed()
            able = [child for child in self._idle if not (fresh and child.trips)]
            if able:
                # Used ones first: a fresh one is kept for a letter that must be judged.
                child = max(able, key=lambda one: one.trips)
                self._idle.remove(child)
            else:
                child = self._source.start()
            self._busy.add(child)
            if not any(not one.trips for one in self._idle):
                # What stands in its way is told when it is needed.
                with suppress(ReaderUnavailable):
                    self._idle.append(self._source.start())
            return child

    def _given_back(self, child: Child, fate: _Fate | None = None) -> None:
        with self._lock:
            self._busy.discard(child)
            enough = len(self._idle) > self._config.workers
            if fate is None and child.trips < TRIPS and not enough and not self._closed:
                self._idle.append(child)
                return
        child.close()
        with self._lock:
            self._not_closed()

    def _not_closed(self) -> None:
        if self._closed:
            raise ReaderUnavailable("the readers were ended")


class SandboxReader:
    """Reads in a `Sandbox`, several letters at a time."""

    def __init__(self, config: SandboxConfig | None = None) -> None:
        """Nothing starts before the first letter, or `start`."""
        config = config or SandboxConfig()
        self._config = config
        self.sandbox = Sandbox(config, Nursery(config))
        # One thread waits for each child.
        self._threads = ThreadPoolExecutor(config.workers, thread_name_prefix="reader")

    def start(self) -> None:
        """Have a child ready, and say in the log what its confinement lacks.

        Raises:
            ReaderUnavailable: no child can be had, or not one as confined as is required.
        """
        missing = self.sandbox.missing()
        if missing:
            log.warning("reader.not_confined", missing=list(missing))
        else:
            log.info("reader.confined")
        if missing and self._config.require_confinement:
            raise ReaderUnavailable(f"the confinement lacks {', '.join(missing)}")

    def read(self, raw: RawLetter) -> Future[Read]:
        """Begin to read one letter; see `read_together`."""
        return self.read_together([raw])[0]

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """Begin to read letters in one child; see `reading.Reader`.

        A future raises `ReaderUnavailable` when no child can be had, and `ReaderFailed`
        when our own code failed in it. A letter that harms its child harms none of the
        others: they go on in another one.
        """
        futures: list[Future[Read]] = [Future() for _ in letters]
        work = self._threads.submit(self._read_in_turn, letters, futures)
        work.add_done_callback(partial(_without_answer, futures=futures))
        return futures

    def read_file(self, name: str, content: bytes) -> Future[Read]:
        """Begin to read a file that came without a letter."""
        return self._threads.submit(self.sandbox.read_file, name, content)

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """The letter's workbooks with the findings marked in them; see `reading.Reader`.

        Never waits long, and never raises for want of a child: the findings stand in the
        reply's text as well.
        """
        try:
            marked, why = self.sandbox.mark(raw, wanted, language)
        except ReaderUnavailable as error:
            marked, why = {}, str(error)
        if why:
            log.warning("workbook.not_marked", error=why)
        return marked

    def close(self) -> None:
        """End every child, and with it every letter that is being read."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.sandbox.close()

    def _read_in_turn(self, letters: Sequence[RawLetter], futures: Sequence[Future[Read]]) -> None:
        results = self.sandbox.read(letters)
        for got, future in zip(results, futures, strict=True):
            if not future.set_running_or_notify_cancel():
                continue
            if isinstance(got, ReaderFailed):
                future.set_exception(got)
            else:
                future.set_result(got)


def _without_answer(work: Future[None], futures: Sequence[Future[Read]]) -> None:
    """Tell those who wait for letters that no thread will read any more."""
    fault = ReaderUnavailable("the readers were ended") if work.cancelled() else work.exception()
    for future in futures:
        if not future.done() and future.set_running_or_notify_cancel():
            future.set_exception(fault or RuntimeError("a letter was left out"))
