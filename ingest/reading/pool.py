"""Hostile bytes are read in a child process with limits of memory, CPU and time.

A child that reaches its limits, or dies again when it reads the letter alone,
is the sender's doing and gives the finding `too-costly`. That no child can be
had at all is a fault of time.
"""

from __future__ import annotations

import gc
import hashlib
import math
import multiprocessing
import os
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from pathlib import Path, PurePath
from typing import TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from ingest.letters.credentials import mask, secrets_of
from ingest.letters.letter import read_header_only, read_letter
from ingest.letters.terms import Letter, Marked, RawLetter, Read
from ingest.letters.unpack import Limits
from ingest.reading import ReaderFailed
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout, load
from parsers import parse

log = structlog.get_logger()

_T = TypeVar("_T")
_In = TypeVar("_In")

_Work = Callable[[RawLetter], Read]

TRIPS_PER_CHILD = 200
"""A child is replaced after so many: libraries leak, and heaps fragment."""

TRIP_SECONDS = 4.0
"""How long several small letters may take together; then each is read by itself."""

HEADER_BYTES = 256 * 1024
"""What is read again of a letter that was too costly to be read whole."""

MARK_SECONDS = 5.0
"""How long the marking of a letter's workbooks may take."""

WALL = 2
"""Seconds on the wall for each second of CPU: other work slows a child down."""

GRACE_SECONDS = 10.0
"""How much later than its limits a child is given up that never answered."""

_OUT_OF_MEMORY = 71


class ReaderUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """No child process can be had now; the pass ends and the letters stay."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How many children read, and what each of them may cost.

    Attributes:
        workers: Children that read at the same time.
        memory_mb: Address space of one child.
        seconds: CPU time for one letter; twice as much may pass on the wall.
        layouts_path: The retailer's own folder of definitions; '' for none.
    """

    workers: int = 2
    memory_mb: int = 384
    seconds: float = 20.0
    limits: Limits = field(default_factory=Limits)
    layouts_path: str = ""


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
        work: _Work | None = None,
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
            return _Fate.EXHAUSTED if death.exitcode == _OUT_OF_MEMORY else _Fate.DIED
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
            initializer=_confine,
            initargs=(self._config,),
            context=context,
        )


_LATE = ["charset_normalizer", "lxml.etree", "openpyxl", "python_calamine", "tnefparse.tnef"]
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
        pool.schedule(_answer, timeout=GRACE_SECONDS).result(timeout=2 * GRACE_SECONDS)
    except (BrokenProcessPool, ProcessExpired, OSError, RuntimeError, MemoryError) as error:
        raise ReaderUnavailable(f"no child process can be started: {error}") from error


def _end(pool: ProcessPool) -> None:
    with suppress(RuntimeError, OSError):
        pool.stop()  # type: ignore[no-untyped-call]
        pool.join(timeout=GRACE_SECONDS)


# What follows runs in the child.


@dataclass(slots=True)
class _Bounds:
    """What this child was told when it started."""

    limits: Limits = field(default_factory=Limits)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    seconds: float = 0.0


_bounds = _Bounds()


def _confine(config: SandboxConfig) -> None:
    """Bound this process for good, before it sees the first letter."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    # The library behind old workbooks dies of a full heap; its stack is no news.
    os.environ["RUST_BACKTRACE"] = "0"
    _bounds.layouts = load(Path(config.layouts_path) if config.layouts_path else None)
    _bounds.limits, _bounds.seconds = config.limits, config.seconds
    # What was there before the first letter stays: looking through it for garbage, again
    # and again, would only make copies of the pages that all children share.
    gc.freeze()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _limit(resource.RLIMIT_AS, config.memory_mb * 1024 * 1024)


def _limit(which: int, most: int) -> None:
    """Lower a limit; never above the hard one that we were given."""
    _, hard = resource.getrlimit(which)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (most, hard))


def _allow_seconds(seconds: float) -> None:
    """CPU time from now on; the kernel ends the process when it is used up."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, math.ceil(used.ru_utime + used.ru_stime + seconds))


def _answer() -> None:
    """Do nothing: that this could be called is the answer."""


def read_whole(raw: RawLetter) -> Read:
    """A letter with everything in it; called in a confined child."""
    return _guarded(lambda: read_bytes(raw, _bounds.limits, _bounds.layouts))


def read_each(work: _Work, letters: Sequence[RawLetter]) -> list[Read | ReaderFailed]:
    """Several letters, one after the other; called in a confined child."""
    return [_read_or_failed(work, raw) for raw in letters]


def _read_or_failed(work: _Work, raw: RawLetter) -> Read | ReaderFailed:
    try:
        return work(raw)
    except ReaderFailed as failed:
        return failed


def read_header(raw: RawLetter) -> Read:
    """A letter by its header alone; called in a confined child."""
    end = raw.content.find(b"\n\r\n")
    end = raw.content.find(b"\n\n") if end < 0 else end
    cut = min(end + 1 if end >= 0 else len(raw.content), HEADER_BYTES)
    header = replace(raw, content=raw.content[:cut])
    sha256 = hashlib.sha256(raw.content).hexdigest()
    read = _guarded(lambda: read_bytes(header, _bounds.limits, _bounds.layouts))
    return Read(replace(read.letter, size=raw.size, sha256=sha256))


def mark_documents(
    raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
) -> dict[str, Marked]:
    """The workbooks of a letter marked; called in a confined child."""
    return _guarded(lambda: mark_bytes(raw, _bounds.limits, _bounds.layouts, wanted, language))


def _guarded(work: Callable[[], _T]) -> _T:
    """The work within its time; what it raises can travel and tells no secret."""
    _allow_seconds(_bounds.seconds)
    # The parent ends a late child itself; this one ends when there is no parent.
    signal.setitimer(signal.ITIMER_REAL, _bounds.seconds * WALL + GRACE_SECONDS)
    try:
        return work()
    except (MemoryError, RecursionError):
        # A heap that was full once is not to be trusted with the next letter.
        os._exit(_OUT_OF_MEMORY)
    except Exception as error:  # noqa: BLE001
        # Our own fault, for `poll` to count; as it is it might not survive the
        # way to the parent, and its text could hold what the letter held.
        raise ReaderFailed(_where(error)) from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    path = "/".join(PurePath(frame.filename).parts[-2:])
    return f"{type(error).__name__} at {path}:{frame.lineno} {frame.name}"


def read_bytes(raw: RawLetter, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """A letter's bytes to what they say; its documents' bytes are dropped.

    Never raises for bad bytes, except for `MemoryError`.
    """
    if raw.header_only:
        letter = read_header_only(raw.content, raw.size, limits)
    else:
        letter = read_letter(raw.content, limits)
    parsed = tuple(item for document in letter.documents for item in parse(document, layouts))
    letter, parsed = mask(letter, parsed)
    emptied = tuple(replace(document, content=b"") for document in letter.documents)
    return Read(replace(letter, documents=emptied), parsed)


def mark_bytes(
    raw: RawLetter,
    limits: Limits,
    layouts: Mapping[str, Layout],
    wanted: Mapping[str, Sequence[Finding]],
    language: str,
) -> dict[str, Marked]:
    """The wanted documents of a letter as marked workbooks, by their SHA-256."""
    # What writes workbooks is needed by few letters.
    from ingest.replies.marked import mark

    letter = read_letter(raw.content, limits)
    parsed = [item for document in letter.documents for item in parse(document, layouts)]
    secrets = secrets_of(letter, parsed)
    marked = {}
    for document in letter.documents:
        sha256 = hashlib.sha256(document.content).hexdigest()
        if sha256 in wanted and sha256 not in marked:
            found = mark(document, wanted[sha256], secrets, language)
            if found is not None:
                marked[sha256] = found
    return marked


class DirectReader:
    """Reads in this very process: for tests, and for verbs on one's own files."""

    def __init__(self, layouts: Mapping[str, Layout], limits: Limits | None = None) -> None:
        self._layouts = layouts
        self._limits = limits or Limits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def read(self, raw: RawLetter) -> Future[Read]:
        """Begin to read a letter; whatever fails is raised by the future."""
        return self._thread.submit(read_bytes, raw, self._limits, self._layouts)

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """The same for several."""
        return [self.read(raw) for raw in letters]

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """The same as `SandboxReader.mark`, in this process."""
        return mark_bytes(raw, self._limits, self._layouts, wanted, language)

    def close(self) -> None:
        """End the thread that reads."""
        self._thread.shutdown(cancel_futures=True)
