"""What a child process does with the letters it is given, under its own guard."""

from __future__ import annotations

import gc
import hashlib
import math
import os
import resource
import signal
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TypeVar

from ingest.letters.terms import Marked, RawLetter, Read
from ingest.letters.unpack import Limits
from ingest.reading import ReaderFailed
from ingest.reading.documents import mark_bytes, read_bytes
from layouts.findings import Finding
from layouts.layout import Layout, load

_T = TypeVar("_T")

Work = Callable[[RawLetter], Read]

HEADER_BYTES = 256 * 1024
"""What is read again of a letter that was too costly to be read whole."""

WALL = 2
"""Seconds on the wall for each second of CPU: other work slows a child down."""

GRACE_SECONDS = 10.0
"""How much later than its limits a child is given up that never answered."""

OUT_OF_MEMORY = 71
"""The exit code of a child that ran out of memory."""


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


@dataclass(slots=True)
class _Bounds:
    """What this child was told when it started."""

    limits: Limits = field(default_factory=Limits)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    seconds: float = 0.0


_bounds = _Bounds()


def confine(config: SandboxConfig) -> None:
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


def answer() -> None:
    """Do nothing: that this could be called is the answer."""


def read_whole(raw: RawLetter) -> Read:
    """A letter with everything in it; called in a confined child."""
    return guarded(lambda: read_bytes(raw, _bounds.limits, _bounds.layouts))


def read_each(work: Work, letters: Sequence[RawLetter]) -> list[Read | ReaderFailed]:
    """Several letters, one after the other; called in a confined child."""
    return [_read_or_failed(work, raw) for raw in letters]


def _read_or_failed(work: Work, raw: RawLetter) -> Read | ReaderFailed:
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
    read = guarded(lambda: read_bytes(header, _bounds.limits, _bounds.layouts))
    return Read(replace(read.letter, size=raw.size, sha256=sha256))


def mark_documents(
    raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
) -> dict[str, Marked]:
    """The workbooks of a letter marked; called in a confined child."""
    return guarded(lambda: mark_bytes(raw, _bounds.limits, _bounds.layouts, wanted, language))


def guarded(work: Callable[[], _T]) -> _T:
    """The work within its time; what it raises can travel and tells no secret."""
    _allow_seconds(_bounds.seconds)
    # The parent ends a late child itself; this one ends when there is no parent.
    signal.setitimer(signal.ITIMER_REAL, _bounds.seconds * WALL + GRACE_SECONDS)
    try:
        return work()
    except (MemoryError, RecursionError):
        # A heap that was full once is not to be trusted with the next letter.
        os._exit(OUT_OF_MEMORY)
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
