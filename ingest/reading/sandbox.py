"""Hostile bytes are read in confined child processes; what they answer is checked.

A child that reaches its limits, that answers nonsense or dies, and whose letter does the
same to a fresh child that reads nothing else, met a letter that is `too-costly`: that is
the sender's doing. That no child can be had at all is a fault of time.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import msgspec

from ingest.letters.terms import Letter, Line, Marked, Marks, RawLetter, Read
from ingest.reading import ReaderFailed
from ingest.reading.child import TRIPS, SandboxConfig
from ingest.reading.children import Child, Fate, ReaderUnavailable, Source
from ingest.reading.wire import (
    ANSWER_BYTES,
    MARKED_BYTES,
    Failed,
    Given,
    MarkWorkbooks,
    ReadFile,
    ReadHeader,
    ReadLetters,
    ReadTable,
    Table,
)
from layouts.findings import Code, Finding, finding

MARK_SECONDS = 5.0
"""How long the marking of a letter's workbooks may take, on the wall."""

WALL = 2
"""Seconds on the wall for each second of CPU: other work slows a child down."""


class Sandbox:
    """Reads in children, and judges letters that crash or exhaust them; thread-safe."""

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

    def read(self, letters: Sequence[RawLetter]) -> Generator[Read | ReaderFailed, None, None]:
        """Letters one after the other, by one child as long as none harms it.

        One that ends its child counts as one that takes all the time it may.

        Raises:
            ReaderUnavailable: no child can be had.
        """
        waiting = deque(letters)
        while waiting:
            child = self._taken()
            given = [_given(raw) for raw in waiting]
            spent = child.cpu()
            fate = child.ask(ReadLetters(given), self._wall)
            while waiting and fate is None:
                got = self._checked(child, waiting[0])
                if isinstance(got, Fate):
                    fate = got
                    break
                waiting.popleft()
                if isinstance(got, Read):
                    # By the system's clock of it, as a child that was taken over may lie.
                    before, spent = spent, child.cpu()
                    got = replace(got, cpu_seconds=max(0.0, spent - before))
                try:
                    yield got
                except GeneratorExit:
                    # The rest is not wanted any more, and the child would still read it.
                    self._given_back(child, Fate.COSTLY if waiting else None)
                    raise
            self._given_back(child, fate)
            if fate is not None:
                raw = waiting.popleft()
                judged = self._judged(raw, fate)
                if isinstance(judged, Read):
                    judged = replace(judged, cpu_seconds=self._config.seconds)
                yield judged

    def read_file(self, name: str, content: bytes) -> Read:
        """A file that came without a letter.

        Raises:
            ReaderUnavailable: no child can be had.
            ReaderFailed: our own code failed on it.
        """
        got = self._tried(ReadFile(name, content))
        if isinstance(got, Read):
            return got
        return Read(self._unread(content, len(content)))

    def _tried(self, request: msgspec.Struct) -> Read | Mapping[str, Marked] | Table | Fate:
        """The answer to a request; what harms a child is given to a fresh one.

        Raises:
            ReaderFailed: our own code failed on it.
        """
        got = self._asked(request)
        if isinstance(got, Fate) and got is not Fate.COSTLY:
            got = self._asked(request, fresh=True)
        if isinstance(got, Failed):
            raise ReaderFailed(got.where)
        return got

    def table(self, content: bytes) -> Sequence[Line] | Finding:
        """The first sheet of a workbook; a finding when it cannot be read, or costs too much.

        Raises:
            ReaderUnavailable: no child can be had.
            ReaderFailed: our own code failed on it.
        """
        got = self._tried(ReadTable(content))
        if isinstance(got, Table):
            return got.found or got.lines
        return self._costly()

    def mark(self, raw: RawLetter, wanted: Marks) -> tuple[Mapping[str, Marked], str]:
        """A letter's workbooks marked, else none and why."""
        request = MarkWorkbooks(raw.content, wanted, raw.file_name)
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

    def _checked(self, child: Child, raw: RawLetter) -> Read | ReaderFailed | Fate:
        """The answer to one letter of a trip."""
        got = child.answer(self._config.seconds, self._wall)
        if isinstance(got, Failed):
            return ReaderFailed(got.where)
        if isinstance(got, Read):
            return got if _is_of(got, raw) else Fate.DIED
        return got if isinstance(got, Fate) else Fate.DIED

    def _judged(self, raw: RawLetter, fate: Fate) -> Read | ReaderFailed:
        """A letter that harmed its child, by what it does to a fresh one."""
        given = _given(raw)
        if fate is not Fate.COSTLY:
            # The child may have been near its limits, or crashed by another letter.
            got = self._asked(ReadLetters([given]), fresh=True)
            if isinstance(got, Failed):
                return ReaderFailed(got.where)
            if isinstance(got, Read) and _is_of(got, raw):
                return got
        if not raw.file_name:
            got = self._asked(ReadHeader(given), fresh=True)
            if isinstance(got, Read) and _is_of(got, raw):
                return Read(replace(got.letter, findings=(self._costly(),)))
        return Read(self._unread(raw.content, raw.size))

    def _unread(self, content: bytes, size: int) -> Letter:
        """A letter of which only `too-costly` is known."""
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
    ) -> Read | Mapping[str, Marked] | Failed | Table | Fate:
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
            self._given_back(child, got if isinstance(got, Fate) else None)
            # Not the letter's doing: all children end with the fork server.
            if got is not Fate.DIED or not child.is_orphan():
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
            self._given_back(child, Fate.DIED)
            # It may have ended with the fork server.
            child = self._next(fresh=fresh)
            try:
                child.ready()
            except ReaderUnavailable:
                self._given_back(child, Fate.DIED)
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
            if self._source.keeps_one and all(one.trips for one in self._idle):
                # A fault is raised when the child is needed.
                with suppress(ReaderUnavailable):
                    self._idle.append(self._source.start())
            return child

    def _given_back(self, child: Child, fate: Fate | None = None) -> None:
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


def _is_of(read: Read, raw: RawLetter) -> bool:
    """Whether an answer is about this letter, as a child that was taken over may lie."""
    return read.letter.size == raw.size and read.letter.sha256 == raw.sha256


def _given(raw: RawLetter) -> Given:
    return Given(raw.content, raw.size, raw.header_only, raw.file_name, raw.words_only)
