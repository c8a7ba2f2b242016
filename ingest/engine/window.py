"""How far readers may be ahead of what is recorded, and which letters go together.

A small letter is read in a millisecond or two; asking a child for it and committing it
cost as much again. So a few letters are claimed and recorded together, and the small
ones among them are read together as well.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice, takewhile
from typing import TypeVar

from ingest.letters.terms import RawLetter, Read
from storage.records import Claim

WINDOW_BYTES = 32 * 1024 * 1024
WINDOW_LETTERS = 24
"""How far readers may be ahead: a trip in each of two children, and one that waits."""

TRIP_LETTERS = 8
TRIP_BYTES = 2 * 1024 * 1024
"""Letters that get one attempt more in one commit, by number and size."""

SMALL_BYTES = 64 * 1024
"""A larger letter goes to its reader alone: its own reading outweighs the way."""

GROUP_LETTERS = 16
"""Letters that may be recorded in one commit."""


_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Found:
    """A letter with what it is known by, and whether an attempt was left without a verdict."""

    raw: RawLetter
    sha256: str
    tried: bool = False


@dataclass(slots=True)
class Job:
    """A claimed letter on its way to a verdict."""

    raw: RawLetter
    sha256: str
    claim: Claim
    future: Future[Read]
    started: float
    read: Read | None = None


def one_ahead(items: Iterator[_T]) -> Generator[_T, None, None]:
    """The same items; while the caller has one in hand, a thread asks for the next.

    To be closed: it waits for what is asked for.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as thread:
        coming = thread.submit(lambda: list(islice(items, 1)))
        while got := coming.result():
            coming = thread.submit(lambda: list(islice(items, 1)))
            yield from got


def trips(batch: Sequence[RawLetter], tried: Collection[int]) -> Iterator[list[Found]]:
    """The letters in their order, those together that are claimed together.

    A letter that was tried before goes alone: what ended its reader, or us, must not
    count against others again. The same bytes go once more only when they have their
    verdict.

    Args:
        batch: The letters.
        tried: UIDs of those with an attempt that was left without a verdict.
    """
    trip: list[Found] = []
    for raw in batch:
        found = Found(raw, identity(raw), raw.location.uid in tried)
        if trip and (found.tried or trip[-1].tried or _is_full(trip, found)):
            yield trip
            trip = []
        trip.append(found)
    if trip:
        yield trip


def _is_full(trip: Sequence[Found], more: Found) -> bool:
    """Whether a trip has no place for one more letter."""
    return (
        len(trip) == TRIP_LETTERS
        or sum(len(one.raw.content) for one in (*trip, more)) > TRIP_BYTES
        or any(one.sha256 == more.sha256 for one in trip)
    )


def loads(jobs: Iterable[Job]) -> Iterator[list[Job]]:
    """The letters in their order, those together that go to a reader together."""
    for is_small, group in groupby(jobs, lambda job: len(job.raw.content) <= SMALL_BYTES):
        if is_small:
            yield list(group)
        else:
            yield from ([job] for job in group)


def must_wait(window: Sequence[Job], trip: Sequence[Found]) -> bool:
    """Whether readers are far enough ahead, or have in hand what must be alone there."""
    if window and (trip[0].tried or window[-1].claim.attempts > 1):
        return True
    ahead = sum(len(job.raw.content) for job in window)
    coming = sum(len(found.raw.content) for found in trip)
    return (
        len(window) + len(trip) > WINDOW_LETTERS
        or ahead + coming > WINDOW_BYTES
        or not {job.sha256 for job in window}.isdisjoint(found.sha256 for found in trip)
    )


def ready(window: deque[Job]) -> list[Job]:
    """The letters at the window's head that are read, in their order."""
    head = islice(window, GROUP_LETTERS)
    return list(takewhile(lambda job: _is_read(job.future), head))


def _is_read(future: Future[Read]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def identity(raw: RawLetter) -> str:
    """SHA-256 of the raw bytes: the ledger's second key.

    A letter without its bytes is known by its place, one without its body by
    its header and size.
    """
    if raw.missing:
        return hashlib.sha256(repr(raw.location).encode()).hexdigest()
    digest = hashlib.sha256(raw.content)
    if raw.header_only:
        digest.update(b"%d" % raw.size)
    return digest.hexdigest()
