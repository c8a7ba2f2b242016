"""Trips: a few arrivals that wait in the database, brought to their verdicts by any worker.

A job of the queue carries the numbers of a trip's arrivals and nothing else. Whatever
becomes of the job, an arrival without a verdict gets another one: attempts are counted
by the ledger alone.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol, cast

import structlog

from ingest.engine import jobs
from ingest.engine.fair import Turns, claimed_by
from ingest.engine.lease import LEASE_SECONDS, is_gone, this_process
from ingest.engine.ports import Ledger, Store
from ingest.engine.work import TRIP_BYTES, TRIP_LETTERS, Told, Worker
from ingest.intake import ports
from ingest.intake.attempt import Intake
from ingest.intake.authenticate import Proof, Session
from ingest.intake.foreseen import Foreseen
from ingest.intake.outcome import Handled
from ingest.letters.terms import Arrival, Letter, RawLetter, Read
from ingest.reading import Reader
from ingest.transports.ports import CLAIM_BYTES
from storage.records.replies import OwedReply
from storage.records.running import Process, WaitingArrival

log = structlog.get_logger()

SWEPT_EVERY_SECONDS = 5.0
"""How often each process tells that it is there, and one of them looks for what stands still."""

AGAIN_SECONDS = 5.0
RESTS_SECONDS = 60.0
"""After so long a letter that got no verdict is tried again, and one that waits looked at."""

UNSEEN = 1
"""The rank of a letter that claims a heavy sender, until its own words are read.

Other letters have rank 0; those that are found to be a heavy sender's have higher ones.
"""

_SWEEP = "sweep"


@dataclass(frozen=True, slots=True)
class Idle:
    """An arrival that no job carries.

    Attributes:
        held: Bytes that wait.
        rank: How far behind the others it comes: 0, `UNSEEN`, or more.
    """

    number: int
    source: str
    held: int
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Trip:
    """Arrivals that are worked on together, and how far behind the others they come.

    Attributes:
        job: The number of the job that brings them; 0 before there is one.
    """

    numbers: Sequence[int]
    rank: int = 0
    job: int = 0


class Queue(Protocol):
    """Jobs in the database's own queue; `spread` is the one for PostgreSQL."""

    def defer(self, connection: Any, trips: Sequence[Trip]) -> Sequence[int]:
        """The number of a new job for each trip, kept or dropped with the transaction.

        Raises:
            ConnectionError: the database is away.
        """

    def take_newest(self, connection: Any, rank: int) -> Sequence[int]:
        """Drop the newest job of this rank, or a higher one, that nobody has begun.

        Returns:
            Its arrivals; none when there is no such job.
        """

    def drop_stalled(self, connection: Any, jobs: Sequence[int]) -> int:
        """Drop these jobs, and those whose worker has fallen silent: how many."""

    def idle(self, connection: Any) -> Sequence[Idle]:
        """Arrivals that are due and that no job carries."""

    def serve(self, work: Callable[[Trip], None], side_by_side: int) -> None:
        """Have trips worked on until `stop`; those in hand are finished.

        Args:
            work: Brings the arrivals of a trip to their verdicts.
            side_by_side: How many trips at once.
        """

    def stop(self) -> None:
        """End `serve`; from any thread."""


class Outdated(ValueError):  # noqa: N818 - what this process is
    """A process of a newer version works on the same database."""


def into_trips(waiting: Iterable[Idle]) -> Iterator[Trip]:
    """Arrivals that are worked on together: of one source and rank, a few, and not large."""
    in_order = sorted(waiting, key=lambda one: (one.source, one.rank))
    for (_source, rank), group in groupby(in_order, lambda one: (one.source, one.rank)):
        trip: list[int] = []
        # Of heavy senders' letters the newest comes with each: see `Trips.work`.
        held, most = 0, 1 if rank > UNSEEN else TRIP_LETTERS
        for one in group:
            if trip and (len(trip) == most or held + one.held > TRIP_BYTES):
                yield Trip(trip, rank)
                trip, held = [], 0
            trip.append(one.number)
            held += one.held
        yield Trip(trip, rank)


def unseen(store: Store, waiting: Sequence[Idle], turns: Turns, intake: Intake) -> list[Idle]:
    """The same arrivals, those that claim a heavy sender at rank `UNSEEN`.

    Args:
        store: Has their headers.
        waiting: The arrivals.
        turns: What senders have cost.
        intake: Tells who letters come from.
    """
    headers = store.arrivals.headers([one.number for one in waiting], CLAIM_BYTES)
    senders = {str(number): claimed_by(header, intake) for number, header in headers.items()}
    ranks = turns.ranks(senders, {})
    return [replace(one, rank=min(ranks.get(str(one.number), 0), UNSEEN)) for one in waiting]


def defer(store: Store, queue: Queue, waiting: Sequence[Idle]) -> int:
    """Queue arrivals in trips, in this transaction; how many trips."""
    trips = list(into_trips(waiting))
    if trips:
        for trip, job in zip(trips, queue.defer(store.arrivals.connection, trips), strict=True):
            store.arrivals.carry(trip.numbers, job)
    return len(trips)


class _Settling:
    """An intake that also settles the waiting arrival, in the same transaction."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.foresee = intake.foresee
        self.origin_of = intake.origin_of

    def prove(self, read: Read, *, afresh: bool = False) -> Proof | Session:
        """See `Intake.prove`."""
        return self._intake.prove(read, afresh=afresh)

    def receive(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: ports.Store,
        now: datetime,
        foreseen: Foreseen | None = None,
    ) -> Handled:
        """See `Intake.receive`."""
        handled = self._intake.receive(arrival, read, proof, store, now, foreseen)
        # The transaction is one that this worker opened: its store has this part as well.
        cast("Store", store).arrivals.settle(arrival.source, arrival.key, handled.outcome)
        return handled

    def notice(
        self, arrival: Arrival, letter: Letter | None, store: ports.Store, now: datetime
    ) -> OwedReply | None:
        """See `Intake.notice`."""
        return self._intake.notice(arrival, letter, store, now)


class Trips:
    """Brings the arrivals of a trip to their verdicts; several threads may at once.

    Args:
        queue: Takes those back whose turn has not come.
        told: Called with each letter that has its verdict, after the commit.
        stop: Once it is true the letters in hand are finished and the rest is left.
    """

    def __init__(
        self,
        reader: Reader,
        ledger: Ledger,
        queue: Queue,
        intake: Intake,
        clock: Callable[[], datetime],
        told: Told,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._queue = queue
        self._intake = _Settling(intake)
        self._clock = clock
        self._told = told
        self._stop = stop
        self._holder = this_process()
        # The last progress of each thread that works on a trip, by `time.monotonic()`.
        self._alive_at: dict[int, float] = {}

    def is_stuck(self) -> bool:
        """Whether a thread has shown no progress with its trip for long."""
        now = time.monotonic()
        return any(now - at > jobs.STUCK_SECONDS for at in list(self._alive_at.values()))

    def _is_over(self) -> bool:
        """Whether a trip is to end early; the call counts as progress."""
        self._alive_at[threading.get_ident()] = time.monotonic()
        return self._stop()

    def work(self, trip: Trip) -> None:
        """Bring the arrivals of a trip to their verdicts, as far as they have none.

        With the oldest letter of heavy senders comes the newest: whose address is forged is
        then not behind all that the forger sent before, see `fair`.

        While the database or the readers are away the rest is left to another trip.
        """
        self._alive_at[threading.get_ident()] = time.monotonic()
        try:
            with self._ledger.transaction() as store:
                numbers = list(trip.numbers)
                if trip.rank > UNSEEN:
                    newest = self._queue.take_newest(store.arrivals.connection, trip.rank)
                    store.arrivals.carry(newest, trip.job)
                    numbers += newest
                taken = store.arrivals.take(numbers, self._holder)
            for source, group in groupby(taken, lambda one: one.source):
                self._of_source(source, {one.key: one for one in group}, trip.rank)
        except ConnectionError as fault:
            log.warning("trip.failed", letters=len(trip.numbers), error=str(fault))
        finally:
            del self._alive_at[threading.get_ident()]

    def _of_source(self, source: str, taken: Mapping[str, WaitingArrival], rank: int) -> None:
        worker = Worker(self._reader, self._ledger, self._intake, self._clock, self._told)
        behind: Mapping[str, int] = {}
        with worker:
            if worker.turns.refresh() and rank <= UNSEEN:
                behind = self._behind(worker, taken)
            tired = worker.look_up(source, list(taken))
            ripe = [key for key in taken if key not in worker.resting and key not in behind]
            # Those that failed twice come last, each alone.
            alone = [[key] for key in ripe if key in tired]
            for keys in ([key for key in ripe if key not in tired], *alone):
                # The rest of a sender who has become costly waits for its turn.
                worker.work(
                    [_raw(taken[key]) for key in keys],
                    lambda: self._is_over() or worker.turns.risen,
                )
        with self._ledger.transaction() as store:
            # Most were settled with their verdict; copies and quarantined letters were not.
            for key, outcome in worker.settled.items():
                store.arrivals.settle(source, key, outcome)
            again = [key for key in taken if key not in worker.settled and key not in behind]
            resting = [key for key in again if key in worker.resting]
            ripe = [key for key in again if key not in worker.resting]
            for keys, seconds in ((resting, RESTS_SECONDS), (ripe, AGAIN_SECONDS), ([*behind], 0)):
                store.arrivals.put_off([taken[key].number for key in keys], seconds)
            later = ((taken[key], rank) for key, rank in behind.items())
            waiting = [Idle(one.number, source, len(one.content), rank) for one, rank in later]
            defer(store, self._queue, waiting)

    def _behind(self, worker: Worker, taken: Mapping[str, WaitingArrival]) -> dict[str, int]:
        """The ranks of letters of heavy senders, whose own words prove nobody else."""
        senders = {key: claimed_by(one.content, self._intake) for key, one in taken.items()}
        claimed = worker.turns.ranks(senders, {})
        proven = {
            key: worker.code_proven_by_words(_raw(taken[key]))[0]
            for key in taken
            if claimed[key] and not self._is_over()
        }
        ranks = worker.turns.ranks(senders, proven)
        return {key: UNSEEN + ranks[key] for key in taken if ranks[key]}


def _raw(waiting: WaitingArrival) -> RawLetter:
    arrival = Arrival(waiting.source, waiting.key, waiting.received_at, waiting.size)
    return RawLetter(arrival, waiting.content, waiting.header_only, waiting.missing)


class Present:
    """This process's heartbeat among those of an installation, every few seconds.

    Args:
        role: fetch, work or send.
        version: Of the program, such as 1.4.0.
    """

    def __init__(self, ledger: Ledger, role: str, version: str) -> None:
        self._ledger = ledger
        self._role = role
        self._version = version
        self._holder = this_process()

    def beat(self) -> None:
        """Write the heartbeat.

        Raises:
            Outdated: a newer version works on the same database.
            ConnectionError: the database is away.
        """
        with self._ledger.transaction() as store:
            newer = newer_than(self._version, store.arrivals.processes())
            if newer is None:
                store.arrivals.beat(self._holder, self._role, self._version)
                return
            store.arrivals.left(self._holder)
        raise Outdated(
            f"this is version {self._version}, and {newer.role} {newer.holder} of version"
            f" {newer.version} works on the same database: install that version here as well"
        )

    def leave(self) -> None:
        """Delete the heartbeat."""
        with self._ledger.transaction() as store:
            store.arrivals.left(self._holder)


def newer_than(version: str, processes: Iterable[Process]) -> Process | None:
    """A living process of a newer version; None when there is none."""
    living = (one for one in processes if one.is_alive)
    return next((one for one in living if _numbers(one.version) > _numbers(version)), None)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", version)))


def sweep(ledger: Ledger, queue: Queue, intake: Intake) -> None:
    """Give arrivals that no job carries, or a job of a dead worker, another one.

    One process does so at a time.

    Raises:
        ConnectionError: the database is away.
    """
    turns = Turns(ledger)
    somebody_waits = turns.refresh()
    with ledger.transaction() as store:
        holder = this_process()
        if store.leases.take(_SWEEP, holder, seconds=LEASE_SECONDS, is_gone=is_gone) != holder:
            return
        ended = [one.holder for one in store.arrivals.processes() if is_gone(one.holder)]
        for one in ended:
            store.arrivals.left(one)
        connection = store.arrivals.connection
        stalled = queue.drop_stalled(connection, store.arrivals.in_hands_of(ended))
        idle = queue.idle(connection)
        if somebody_waits:
            idle = unseen(store, idle, turns, intake)
        trips = defer(store, queue, idle)
    if trips:
        log.info("trips.deferred_again", letters=len(idle), trips=trips, stalled=stalled)


def numbered(waiting: Collection[WaitingArrival], numbers: Sequence[int | None]) -> list[Idle]:
    """The announced arrivals that are new, for `into_trips`."""
    pairs = zip(waiting, numbers, strict=True)
    return [Idle(number, one.source, len(one.content)) for one, number in pairs if number]
