"""The service that runs: mailboxes polled, woken by IDLE, the outbox drained."""

from __future__ import annotations

import os
import queue
import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, Self

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from ingest.engine.memory import give_back, share_heap
from ingest.engine.send import Outbox, drain
from ingest.engine.work import Notice, OneLedger, Passed, Poller, PollStore, Receive
from ingest.intake import ports
from ingest.intake.outcome import Handled
from ingest.letters.terms import RawLetter
from ingest.reading import Reader
from ingest.transports.imap import IDLE_SECONDS
from ingest.transports.ports import Mailbox, Postman
from storage.records import Claim

log = structlog.get_logger()

DRAINED_EVERY_SECONDS = 5.0
"""How often deferred replies are looked for; new ones wake the drain themselves."""

LAST_DRAIN_SECONDS = 30.0
LAST_NOTE_SECONDS = 3.0
"""How long the outbox is drained for before the service leaves, its last commit included."""

FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 300.0


_OUTBOX = "\0outbox"
"""The name of the job that sends; no mailbox can have it."""


class ServiceOutbox(ports.Outbox, Outbox, Protocol):
    """Replies, for those who owe them and for those who send them."""


class ServiceStore(PollStore, Protocol):
    """One transaction, for polling and for sending."""

    @property
    def outbox(self) -> ServiceOutbox:
        """Replies that must leave."""


class ServiceLedger(Protocol):
    """The database, for polling and for sending."""

    @property
    def each_lasts(self) -> bool:
        """See `poll.OneLedger`."""

    def transaction(self) -> AbstractContextManager[ServiceStore]:
        """Commits at its end, rolls back on an exception."""

    def together(self) -> AbstractContextManager[OneLedger]:
        """For transactions that may be committed at once; each is undone alone."""

    def reading(self) -> AbstractContextManager[ServiceStore]:
        """For looking only; changes are dropped."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a configuration makes of the service.

    Attributes:
        bells: A second connection to each mailbox, that waits for mail; none,
            and mailboxes are only polled.
        postman: None: replies stay in the outbox.
        close: Ends what the parts hold open, once the service has stopped.
    """

    mailboxes: Sequence[Mailbox]
    bells: Sequence[Mailbox]
    reader: Reader
    ledger: ServiceLedger
    receive: Receive
    notice: Notice
    postman: Postman | None
    clock: Callable[[], datetime]
    every_seconds: float
    close: Callable[[], None]


class Service:
    """Polls and sends in threads of its own while it is entered."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        workers = len(parts.mailboxes) + 1
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._outbox = self._sending(parts.postman)
        self._polls = {mailbox.name: self._poll(mailbox) for mailbox in parts.mailboxes}
        self._jobs = [*self._polls.values(), *([self._outbox] if self._outbox else [])]
        self._bells: list[threading.Thread] = []

    def __enter__(self) -> Self:
        for job in self._polls.values():
            job.start(self._parts.every_seconds)
        if self._outbox is not None:
            self._outbox.start(DRAINED_EVERY_SECONDS)
        self._scheduler.start()
        for bell in self._parts.bells:
            thread = threading.Thread(target=self._listen, args=[bell], name=f"idle-{bell.name}")
            thread.daemon = True
            thread.start()
            self._bells.append(thread)
        log.info("service.started", mailboxes=sorted(self._polls))
        return self

    def __exit__(self, *_exc: object) -> None:
        """Finish the letters in hand, then send what is owed, for half a minute at most."""
        log.info("service.stopping")
        self._stopping.set()
        for mailbox in self._parts.bells:
            mailbox.close()
        # The scheduler's own wait would hold a lock that a job may be waiting for.
        self._scheduler.shutdown(wait=False)
        for job in self._jobs:
            job.join()
        self._last_drain()
        self._close()
        log.info("service.stopped")

    def poll_now(self) -> None:
        """Look into every mailbox without waiting for the next turn."""
        for job in self._polls.values():
            job.want()

    def _poll(self, mailbox: Mailbox) -> _Job:
        poller = Poller(
            mailbox,
            self._parts.reader,
            self._parts.ledger,
            self._parts.receive,
            self._parts.notice,
            self._parts.clock,
            told=self._told,
        )

        def once() -> None:
            started = time.monotonic()
            passed = poller.once(self._stopping.is_set)
            _tell(mailbox.name, passed, started)
            if passed.outcomes:
                give_back()

        return _Job(mailbox.name, once, self._scheduler, self._stopping)

    def _told(self, raw: RawLetter, claim: Claim, handled: Handled) -> None:  # noqa: ARG002
        """A reply that is owed leaves at once, not at the end of its batch."""
        if handled.reply is not None and self._outbox is not None:
            self._outbox.want()

    def _sending(self, postman: Postman | None) -> _Job | None:
        if postman is None:
            return None
        ledger, clock = self._parts.ledger, self._parts.clock

        def send() -> None:
            drain(ledger, postman, clock, self._stopping.is_set)

        return _Job(_OUTBOX, send, self._scheduler, self._stopping)

    def _last_drain(self) -> None:
        postman = self._parts.postman
        if postman is not None:
            # In a thread that may be left behind: a silent server holds it longer.
            thread = threading.Thread(target=self._send_the_rest, args=[postman], daemon=True)
            thread.start()
            thread.join(LAST_DRAIN_SECONDS)

    def _send_the_rest(self, postman: Postman) -> None:
        # In time to note what has left.
        end = time.monotonic() + LAST_DRAIN_SECONDS - LAST_NOTE_SECONDS
        try:
            drain(self._parts.ledger, postman, self._parts.clock, lambda: time.monotonic() > end)
        except ConnectionError as fault:
            log.warning("outbox.failed", error=str(fault), retry_seconds=None)

    def _listen(self, bell: Mailbox) -> None:
        """Ring for the mailbox's job whenever mail comes."""
        failures = 0
        while not self._stopping.is_set():
            try:
                rang = bell.wait(IDLE_SECONDS)
            except ConnectionError:
                # The pass tells what is wrong with the mailbox; here is only silence.
                failures += 1
                self._stopping.wait(rest_seconds(failures))
                continue
            failures = 0
            if rang and not self._stopping.is_set():
                self._polls[bell.name].want()

    def _close(self) -> None:
        for thread in self._bells:
            thread.join(timeout=2)
        for mailbox in self._parts.mailboxes:
            mailbox.close()
        if self._parts.postman is not None:
            self._parts.postman.close()
        self._parts.reader.close()
        self._parts.close()


class _Job:
    """Work that runs at its turns and when wanted, never twice at once.

    What is wanted while it runs makes it run once more. After a fault it rests,
    longer each time, whoever wants it.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], None],
        scheduler: BackgroundScheduler,
        stopping: threading.Event,
    ) -> None:
        self._name = name
        self._stopping = stopping
        self._work = work
        self._scheduler = scheduler
        self._job: Any = None
        self._lock = threading.Condition()
        self._running = False
        self._wanted = False
        self._failures = 0
        self._rests_until = 0.0

    def start(self, every_seconds: float) -> None:
        """Have it run now and then every so many seconds."""
        self._job = self._scheduler.add_job(
            self._turn,
            "interval",
            seconds=every_seconds,
            jitter=every_seconds / 20,
            id=self._name,
            next_run_time=datetime.now(UTC),
        )

    def want(self) -> None:
        """Have it run as soon as it can."""
        with self._lock:
            self._wanted = True
            if self._running:
                return
        self._run_in(max(0.0, self._rests_until - time.monotonic()))

    def join(self) -> None:
        """Wait until it does not run."""
        with self._lock:
            self._lock.wait_for(lambda: not self._running)

    def _turn(self) -> None:
        with self._lock:
            if self._running or time.monotonic() < self._rests_until:
                return
            self._running = self._wanted = True
        try:
            while self._next():
                self._work()
                self._failures = 0
        except ConnectionError as fault:
            self._rest(str(fault))
        except BaseException as fault:
            self._rest(f"a fault of ours, {type(fault).__name__}")
            raise
        finally:
            with self._lock:
                self._running = False
                self._lock.notify_all()

    def _next(self) -> bool:
        with self._lock:
            wanted, self._wanted = self._wanted, False
            self._running = wanted and not self._stopping.is_set()
            return self._running

    def _rest(self, error: str) -> None:
        self._failures += 1
        seconds = rest_seconds(self._failures)
        self._rests_until = time.monotonic() + seconds
        about: dict[str, Any] = {"error": error, "retry_seconds": round(seconds, 1)}
        if self._name == _OUTBOX:
            log.warning("outbox.failed", **about)
        else:
            log.warning("mailbox.failed", mailbox=self._name, **about)
        self._run_in(seconds)

    def _run_in(self, seconds: float) -> None:
        # The scheduler may have been shut down in the meantime.
        with suppress(LookupError, RuntimeError):
            self._job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=seconds))


def rest_seconds(failures: int) -> float:
    """How long to rest after the n-th fault in a row: doubling from 1 s to 5 minutes.

    Half of it is chance, so that services cut off together do not return together.
    """
    longest = min(FIRST_REST_SECONDS * (1 << min(failures - 1, 16)), LONGEST_REST_SECONDS)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing


def _tell(mailbox: str, passed: Passed, started: float) -> None:
    letters = sum(passed.outcomes.values())
    if letters or passed.failed:
        log.info(
            "mailbox.passed",
            mailbox=mailbox,
            letters=letters,
            failed=passed.failed,
            duration_ms=round((time.monotonic() - started) * 1000),
        )


def run(build: Callable[[], Parts]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP builds the parts anew.

    A second SIGTERM ends the process at once: what it leaves half done, the next
    start does again.

    Args:
        build: Reads the configuration. A ValueError at the start is raised; at
            SIGHUP it is logged, and the service goes on as it was.
    """
    share_heap()
    parts = build()
    signals = _signals()
    while True:
        with Service(parts):
            renewed = _next_parts(signals, build)
        if renewed is None:
            return
        parts = renewed
        log.info("service.reloaded")


def _next_parts(signals: queue.SimpleQueue[int], build: Callable[[], Parts]) -> Parts | None:
    """The parts to go on with after SIGHUP; None to end."""
    while signals.get() == signal.SIGHUP:
        try:
            return build()
        except (ValueError, OSError) as error:
            log.warning("service.reload_refused", error=str(error))
    return None


def _signals() -> queue.SimpleQueue[int]:
    """Signals in the order of their coming, the second one to end excepted."""
    arrived: queue.SimpleQueue[int] = queue.SimpleQueue()
    ending = threading.Event()

    def note(number: int, _frame: object) -> None:
        if number != signal.SIGHUP:
            if ending.is_set():
                os._exit(0)
            ending.set()
        arrived.put(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)
    return arrived
