"""Hostile bytes are read in a child process with limits of memory, CPU and time.

A child that reaches its limits, or dies again when it reads the letter alone,
is the sender's doing and gives the finding `too-costly`. That no child can be
had at all is a fault of time.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from functools import partial
from typing import TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from ingest.letters.terms import Letter, Marked, RawLetter, Read
from ingest.reading import ReaderFailed
from ingest.reading.child import (
    GRACE_SECONDS,
    OUT_OF_MEMORY,
    WALL,
    SandboxConfig,
    Work,
    answer,
    confine,
    mark_documents,
    read_each,
    read_header,
    read_whole,
)
from layouts.findings import Code, Finding, finding

log = structlog.get_logger()

_T = TypeVar("_T")
_In = TypeVar("_In")

TRIPS_PER_CHILD = 200
"""A child is replaced after so many: libraries leak, and heaps fragment."""

TRIP_SECONDS = 4.0
"""How long several small letters may take together; then each is read by itself."""

MARK_SECONDS = 5.0
"""How long the marking of a letter's workbooks may take."""


class ReaderUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """No child process can be had now; the pass ends and the letters stay."""


_UNMARKED = (ReaderFailed, TimeoutError, ProcessExpired, BrokenProcessPool, CancelledError)


class _Fate(Enum):
    """How a child ended that gave no result."""

    COSTLY = "it ran over its time"
    EXHAUSTED = "it ran out of memory"
    DIED = "it died"


class SandboxReader:
    """Reads letters in bounded child processes, several at a time."""

    def __init__(
        self,
        config: SandboxConfig | None = None,
        work: Work | None = None,
        then: Callable[[Read], None] | None = None,
    ) -> None:
        """Nothing starts before the first letter.

        Args:
            config: How many children, and their limits.
            work: What a child does with a letter; None: reads it whole.
            then: Slow work on what was read that need not wait for the letter's turn;
                several letters at a time. What it raises is raised by the future.
        """
        self._config = config or SandboxConfig()
        self._work = work or read_whole
        self._then = then
        # One thread waits for each child, so that what is given to the pool
        # starts at once and its time is its own.
        self._threads = ThreadPoolExecutor(self._config.workers, thread_name_prefix="reader")
        self._pool: ProcessPool | None = None
        self._closed = False
        self._making = threading.Lock()
        self._alone = threading.Lock()

    def read(self, raw: RawLetter) -> Future[Read]:
        """Begin to read one letter; see `read_together`."""
        return self.read_together([raw])[0]

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """Begin to read letters in one child; see `ports.Reader`.

        A future raises `ReaderUnavailable` when no child can be had, and
        `ReaderFailed` when our own code failed in it. A letter that harms its child
        harms none of the others: they are read again, each by itself.
        """
        futures: list[Future[Read]] = [Future() for _ in letters]
        work = self._threads.submit(self._read_in_turn, letters, futures)
        work.add_done_callback(partial(_without_answer, futures=futures))
        return futures

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """The letter's workbooks with the findings marked in them; see `ports.Reader`.

        Never waits long: the caller has a transaction open, and the findings stand in
        the reply's text as well.
        """
        work = partial(mark_documents, wanted=wanted, language=language)
        future = self._running().schedule(work, args=(raw,), timeout=MARK_SECONDS)
        try:
            marked: dict[str, Marked] = future.result(timeout=2 * MARK_SECONDS)
            return marked
        except (*_UNMARKED, OSError, RuntimeError, MemoryError) as error:
            future.cancel()  # type: ignore[no-untyped-call]
            told = str(error) if isinstance(error, ReaderFailed) else type(error).__name__
            log.warning("workbook.not_marked", error=told)
            return {}

    def close(self) -> None:
        """End every child, and with it every letter that is being read."""
        self._closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        with self._making:
            pool, self._pool = self._pool, None
        if pool is not None:
            _end(pool)

    def _read_in_turn(self, letters: Sequence[RawLetter], futures: Sequence[Future[Read]]) -> None:
        got: Sequence[Read | ReaderFailed | None] = self._in_one_trip(letters)
        for raw, before, future in zip(letters, got, futures, strict=True):
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(self._read_and_then(raw, before))
            except BaseException as fault:  # noqa: BLE001 - raised by the future, as an executor does
                future.set_exception(fault)

    def _in_one_trip(self, letters: Sequence[RawLetter]) -> Sequence[Read | ReaderFailed | None]:
        """What one child makes of several letters; None for each that must go alone."""
        alone = [None] * len(letters)
        if len(letters) == 1:
            return alone
        work, seconds = partial(read_each, self._work), TRIP_SECONDS
        try:
            got = self._shared(work, letters, seconds)
        except (ReaderFailed, OSError, RuntimeError, MemoryError):
            # What it was, each letter is told by its own reading.
            return alone
        return alone if isinstance(got, _Fate) else got

    def _read_and_then(self, raw: RawLetter, before: Read | ReaderFailed | None) -> Read:
        if isinstance(before, ReaderFailed):
            raise before
        read = self._read(raw) if before is None else before
        if self._then is not None:
            self._then(read)
        return read

    def _read(self, raw: RawLetter) -> Read:
        got = self._shared(self._work, raw)
        if got is _Fate.DIED or got is _Fate.EXHAUSTED:
            # Perhaps the child was spent, or fell with another; the letter is
            # judged by what it does to a fresh one, with nobody beside it.
            got = self._by_itself(self._work, raw)
        if got is _Fate.DIED:
            got = self._by_itself(self._work, raw)
        return got if isinstance(got, Read) else self._too_costly(raw)

    def _too_costly(self, raw: RawLetter) -> Read:
        """A letter known by its header, or by nothing, so that it can be answered."""
        found = finding(Code.TOO_COSTLY, limit=f"{self._config.seconds:g}")
        got = self._by_itself(read_header, raw)
        if isinstance(got, Read):
            return Read(replace(got.letter, findings=(found,)))
        sha256 = hashlib.sha256(raw.content).hexdigest()
        return Read(Letter(sha256=sha256, size=raw.size, findings=(found,)))

    # Children.

    def _shared(
        self, work: Callable[[_In], _T], given: _In, seconds: float | None = None
    ) -> _T | _Fate:
        pool = self._running()
        try:
            return self._ask(pool, work, given, seconds)
        except ReaderUnavailable:
            raise
        except (BrokenProcessPool, RuntimeError, OSError):
            # It may be broken by this very letter: only a fresh child can tell.
            self._discard(pool)
            return _Fate.DIED

    def _by_itself(self, work: Callable[[RawLetter], _T], raw: RawLetter) -> _T | _Fate:
        """What a fresh child gives that reads nothing else, and has proved to work."""
        with self._alone:
            pool = self._new_pool(workers=1)
            try:
                _prove(pool)
                return self._ask(pool, work, raw)
            except (BrokenProcessPool, RuntimeError):
                return _Fate.DIED
            finally:
                _end(pool)

    def _ask(
        self,
        pool: ProcessPool,
        work: Callable[[_In], _T],
        given: _In,
        seconds: float | None = None,
    ) -> _T | _Fate:
        seconds = seconds or self._config.seconds * WALL
        future = pool.schedule(work, args=(given,), timeout=seconds)
        try:
            result: _T = future.result(timeout=seconds + GRACE_SECONDS)
            return result
        except TimeoutError:
            if future.done():
                return _Fate.COSTLY
            self._discard(pool)
            return _Fate.DIED
        except ProcessExpired as death:
            if death.exitcode in {-signal.SIGXCPU, -signal.SIGALRM}:
                return _Fate.COSTLY
            return _Fate.EXHAUSTED if death.exitcode == OUT_OF_MEMORY else _Fate.DIED
        except MemoryError:
            return _Fate.EXHAUSTED
        except CancelledError as error:
            raise ReaderUnavailable("the readers were ended") from error

    def _running(self) -> ProcessPool:
        with self._making:
            if self._pool is None or not self._pool.active:
                self._pool = self._new_pool(self._config.workers)
            return self._pool

    def _discard(self, pool: ProcessPool) -> None:
        with self._making:
            if self._pool is pool:
                self._pool = None
        _end(pool)

    def _new_pool(self, workers: int) -> ProcessPool:
        if self._closed:
            raise ReaderUnavailable("the readers were ended")
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        return ProcessPool(
            max_workers=workers,
            max_tasks=TRIPS_PER_CHILD,
            initializer=confine,
            initargs=(self._config,),
            context=context,
        )


_LATE = [
    *("charset_normalizer", "lxml.etree", "openpyxl", "python_calamine", "striprtf.striprtf"),
    "tnefparse.tnef",
]
_PRELOADED = ["__main__", __name__, *_LATE]
"""Loaded once, in the process that children are forked from, so that they start warm."""


def _without_answer(work: Future[None], futures: Sequence[Future[Read]]) -> None:
    """Tell those who wait for letters that no thread will read any more."""
    fault = ReaderUnavailable("the readers were ended") if work.cancelled() else work.exception()
    for future in futures:
        if not future.done() and future.set_running_or_notify_cancel():
            future.set_exception(fault or RuntimeError("a letter was left out"))


def _prove(pool: ProcessPool) -> None:
    """Raise `ReaderUnavailable` unless a child of the pool answers."""
    try:
        pool.schedule(answer, timeout=GRACE_SECONDS).result(timeout=2 * GRACE_SECONDS)
    except (BrokenProcessPool, ProcessExpired, OSError, RuntimeError, MemoryError) as error:
        raise ReaderUnavailable(f"no child process can be started: {error}") from error


def _end(pool: ProcessPool) -> None:
    with suppress(RuntimeError, OSError):
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join(timeout=GRACE_SECONDS)
