"""Trips on procrastinate's queue, in a PostgreSQL schema of its own beside our tables.

Imported by nothing but the wiring of `fetch`, `work` and `migrate --cluster`; what it
imports is the extra `meter-ingest[cluster]`. The queue holds nothing that is not known
elsewhere: a job that is gone is made again from the arrivals that wait.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.metadata import version
from itertools import groupby
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ProcrastinateException
from procrastinate.schema import SchemaManager
from procrastinate.worker import Worker

from ingest.engine.jobs import rest_seconds
from ingest.engine.trips import Idle, Trip

log = structlog.get_logger()

SCHEMA = "ingest_queue"
"""The PostgreSQL schema of procrastinate's tables."""

BEAT_SECONDS = 5.0
SILENT_SECONDS = 30.0
"""The interval of a worker's heartbeat, and after how long without one its trips are given
to another worker."""

LONGEST_TRIP_SECONDS = 15 * 60
"""A trip that takes longer counts as lost, also of a worker with a heartbeat."""

ASKED_EVERY_SECONDS = 5.0
"""How often workers look for trips; of new ones PostgreSQL tells them at once."""

IDLE_MOST = 2000
"""Arrivals that get a new job in one sweep."""

_TASK = "trip"
_QUEUE = "trips"
# The key of an advisory lock: "queu" in ASCII.
_LOCK = 0x71756575

_STALLED = """
DELETE FROM procrastinate_jobs AS job
WHERE job.status NOT IN ('todo', 'doing')
   OR job.status = 'doing' AND (
      job.worker_id IS NULL
      OR job.id = ANY(%(jobs)s)
      OR EXISTS (SELECT 1 FROM procrastinate_workers AS worker
                 WHERE worker.id = job.worker_id AND worker.last_heartbeat
                   < clock_timestamp() - make_interval(secs => %(silent)s))
      OR EXISTS (SELECT 1 FROM procrastinate_events AS event
                 WHERE event.job_id = job.id AND event.type = 'started'
                   AND event.at < clock_timestamp() - make_interval(secs => %(longest)s)))
"""
_NEWEST = """
DELETE FROM procrastinate_jobs
WHERE id = (SELECT id FROM procrastinate_jobs
            WHERE status = 'todo' AND priority <= %(priority)s
            ORDER BY id DESC LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING args
"""
_IDLE = """
SELECT arrival.id, arrival.source, arrival.held
FROM arrival
WHERE arrival.outcome IS NULL
  AND arrival.due_at <= CAST(extract(epoch FROM clock_timestamp()) AS bigint)
  AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS job
                  WHERE job.id = arrival.job AND job.status IN ('todo', 'doing'))
ORDER BY arrival.source, arrival.id
LIMIT %(most)s
"""


class QueueUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """PostgreSQL cannot be used now."""


class QueueMissing(ValueError):  # noqa: N818 - what is the matter with it
    """The queue's tables are not there, or another version's."""


class SpreadQueue:
    """The queue of one database.

    Args:
        url: Of the database, as libpq takes it; the password in the clear.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._app = _app(procrastinate.SyncPsycopgConnector())
        self._stopping = threading.Event()
        self._worker: Worker | None = None

    def prepare(self) -> bool:
        """Make the queue's tables; False when they are there and of this version.

        Another version's are dropped with their jobs, which are made again from the
        arrivals that wait.

        Raises:
            QueueUnavailable: the database is away.
        """
        with self._connected() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
            if _made_by(connection) == _version():
                return False
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
            connection.execute(f"CREATE SCHEMA {SCHEMA}")
            connection.execute(f"SET LOCAL search_path TO {SCHEMA}")
            connection.execute(SchemaManager.get_schema())
            # Major and minor version only: a patch release changes no table.
            connection.execute(f"COMMENT ON SCHEMA {SCHEMA} IS 'procrastinate {_version()}'")
        return True

    def check(self) -> None:
        """See that the queue is there.

        Raises:
            QueueMissing: it is not, or of another version.
            QueueUnavailable: the database is away.
        """
        with self._connected() as connection:
            found = _made_by(connection)
        if found != _version():
            what = f"is of procrastinate {found}" if found else "does not exist yet"
            raise QueueMissing(f"the queue {what}: run `ingest migrate --cluster`")

    def defer(self, connection: Any, trips: Sequence[Trip]) -> list[int]:
        """See `trips.Queue`; who comes behind others has a lower priority."""
        jobs: list[int] = []
        with _in_schema(connection):
            for rank, group in groupby(trips, lambda trip: trip.rank):
                task = self._app.configure_task(
                    _TASK, queue=_QUEUE, priority=-rank, connection=connection
                )
                given: list[Any] = [
                    {"arrivals": list(trip.numbers), "rank": rank} for trip in group
                ]
                jobs += task.batch_defer(*given)
        return jobs

    def take_newest(self, connection: Any, rank: int) -> list[int]:
        """See `trips.Queue`."""
        with _in_schema(connection):
            taken = connection.execute(_NEWEST, {"priority": -rank}).fetchone()
        return taken[0]["arrivals"] if taken else []

    def drop_stalled(self, connection: Any, jobs: Sequence[int]) -> int:
        """See `trips.Queue`."""
        given = {"jobs": list(jobs), "silent": SILENT_SECONDS, "longest": LONGEST_TRIP_SECONDS}
        with _in_schema(connection):
            dropped: int = connection.execute(_STALLED, given).rowcount
        return dropped

    def idle(self, connection: Any) -> list[Idle]:
        """See `trips.Queue`."""
        with _in_schema(connection):
            rows = connection.execute(_IDLE, {"most": IDLE_MOST}).fetchall()
        return [Idle(*row) for row in rows]

    def serve(self, work: Callable[[Trip], None], side_by_side: int) -> None:
        """See `trips.Queue`.

        While the database is away it is tried again, with pauses that grow.
        """
        failures = 0
        while not self._stopping.is_set():
            try:
                asyncio.run(self._serve(work, side_by_side))
                failures = 0
                # Of itself it ends when the connection that tells of new jobs was cut.
                self._stopping.wait(rest_seconds(1))
            except (ProcrastinateException, psycopg.Error, OSError) as fault:
                failures += 1
                seconds = rest_seconds(failures)
                told = str(fault.__cause__ or fault).strip().splitlines()
                error = told[0] if told else type(fault).__name__
                log.warning("queue.failed", error=error, retry_seconds=round(seconds, 1))
                self._stopping.wait(seconds)

    def stop(self) -> None:
        """See `trips.Queue`."""
        self._stopping.set()
        if self._worker is not None:
            self._worker.stop()

    async def _serve(self, work: Callable[[Trip], None], side_by_side: int) -> None:
        connector = procrastinate.PsycopgConnector(
            conninfo=self._url,
            kwargs={"options": f"-c search_path={SCHEMA}"},
            min_size=1,
            # One connection for notifications of new jobs, one to take them, one to note their end.
            max_size=3,
            timeout=15,
        )
        app = _app(connector, work)
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(side_by_side, thread_name_prefix="trip"))
        async with app.open_async():
            worker: Any = _Worker(
                app,
                queues=[_QUEUE],
                concurrency=side_by_side,
                fetch_job_polling_interval=ASKED_EVERY_SECONDS,
                # Nobody asks for a job to be aborted.
                abort_job_polling_interval=3600.0,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=BEAT_SECONDS,
                stalled_worker_timeout=SILENT_SECONDS,
            )
            self._worker = worker
            running = asyncio.create_task(worker.run())
            if self._stopping.is_set():
                # `stop` may have been called before there was a worker.
                await asyncio.sleep(0)
                worker.stop()
            await running

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            with psycopg.connect(self._url) as connection:
                yield connection
        except psycopg.OperationalError as fault:
            raise _unavailable(fault) from fault


class _Worker(Worker):
    """A worker that ends when a job's end cannot be noted; `serve` starts another one."""

    async def _persist_job_status(self, *given: Any, **named: Any) -> None:
        try:
            await super()._persist_job_status(*given, **named)
        except ProcrastinateException:
            # The job would count as running as long as this worker has a heartbeat.
            self.stop()  # type: ignore[no-untyped-call]


def _app(
    connector: procrastinate.BaseConnector,
    work: Callable[[Trip], None] = lambda _trip: None,
) -> procrastinate.App:
    app = procrastinate.App(connector=connector)

    def trip(context: procrastinate.JobContext, arrivals: list[int], rank: int = 0) -> None:
        work(Trip(arrivals, rank, context.job.id or 0))

    # No `retry`: attempts are the ledger's.
    app.task(name=_TASK, queue=_QUEUE, pass_context=True)(trip)
    return app


@contextmanager
def _in_schema(connection: Any) -> Iterator[None]:
    """The queue's tables and ours are found, in the transaction that is open."""
    try:
        [before] = connection.execute("SELECT current_setting('search_path')").fetchone()
        _look_in(connection, f"{SCHEMA}, {before}")
        yield
        _look_in(connection, before)
    except ProcrastinateException as fault:
        if isinstance(fault.__cause__, psycopg.OperationalError):
            raise _unavailable(fault.__cause__) from fault
        raise
    except psycopg.OperationalError as fault:
        raise _unavailable(fault) from fault


def _look_in(connection: Any, schemas: str) -> None:
    connection.execute("SELECT set_config('search_path', %s, true)", [schemas])


def _made_by(connection: psycopg.Connection[Any]) -> str | None:
    """The version of procrastinate whose tables are there; None when there are none."""
    found = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = %s",
        [SCHEMA],
    ).fetchone()
    return None if found is None else str(found[0] or "").removeprefix("procrastinate ")


def _version() -> str:
    return ".".join(version("procrastinate").split(".")[:2])


def _unavailable(fault: BaseException) -> QueueUnavailable:
    lines = str(fault).strip().splitlines()
    reason = lines[0] if lines else type(fault).__name__
    return QueueUnavailable(f"the queue cannot be used: {reason}")
