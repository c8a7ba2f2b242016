"""The daemon: mailboxes polled, woken by IDLE, the outbox drained, until a signal ends it.

On one machine it is all of the service; on several each process is the part of it that
its role names.
"""

from __future__ import annotations

import math
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Self

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from ingest.engine.announce import Announcer
from ingest.engine.collect import Collector, Pass, Passed
from ingest.engine.drop import NO_DROPS, DropCollector, Drops, Folder
from ingest.engine.health import Health, summary
from ingest.engine.jobs import Job, rest_seconds
from ingest.engine.marks import Marker
from ingest.engine.memory import give_back, share_heap
from ingest.engine.ports import WholeLedger
from ingest.engine.seal import EVERY_SECONDS as SEALED_EVERY_SECONDS
from ingest.engine.seal import Sealer
from ingest.engine.send import drain
from ingest.engine.systemd import Notify, Watchdog
from ingest.engine.trips import SWEPT_EVERY_SECONDS, Outdated, Present, Queue, Trips, sweep
from ingest.engine.work import Worker
from ingest.intake.attempt import Intake
from ingest.intake.outcome import Handled
from ingest.letters.terms import RawLetter
from ingest.reading import Reader
from ingest.transports.ports import IDLE_SECONDS, Account, Mailbox, Postman
from storage.records.letters import Claim
from storage.records.running import CONFIGURATION, OUTBOX, mailbox_named

log = structlog.get_logger()

DRAINED_EVERY_SECONDS = 5.0
"""How often deferred replies are looked for; new ones wake the drain themselves."""

GREETED_EVERY_SECONDS = 60.0
"""How often an SMTP server is connected to though nothing is owed."""

DROPS_EVERY_SECONDS = 5.0
"""How often drop folders are looked at."""

LAST_DRAIN_SECONDS = 30.0
LAST_NOTE_SECONDS = 3.0
"""How long the outbox is drained for before the daemon leaves, its last commit included."""

ALIVE_EVERY_SECONDS = 3600.0
"""How often it is checked whether a refresh token was used within a day."""

ALARMS_EVERY_SECONDS = 60.0
"""How often it is checked whether something needs a person."""

FILED_EVERY_SECONDS = 5.0
"""How often it is checked whether workers elsewhere have settled letters of a mailbox."""

SIGNALS_SECONDS = 1.0
"""How late a signal may be noticed."""

FETCH, WORK, SEND = "fetch", "work", "send"
"""Roles of the processes of an installation that has several."""


@dataclass(frozen=True, slots=True)
class Share:
    """The part of one process in an installation that has several.

    Attributes:
        role: fetch, work or send.
        version: Of the program.
        queue: The queue between `fetch` and `work`; None for `send`.
        room_bytes: No more are fetched while so many bytes wait.
        side_by_side: Trips that are worked on at once.
    """

    role: str
    version: str
    queue: Queue | None = None
    room_bytes: int = 0
    side_by_side: int = 1


@dataclass(frozen=True, slots=True)
class Parts:
    """What a configuration makes of the daemon.

    Attributes:
        bells: A second connection to each mailbox, for IDLE; empty: mailboxes are only polled.
        postman: None: replies stay in the outbox.
        accounts: At identity providers, by which mailboxes and SMTP are signed in to.
        recorders: How many letters of a mailbox are recorded side by side.
        drops: Folders that files are put into.
        close: Ends what the parts hold open, once the daemon has stopped.
        alarm: Owes mails about what needs a person; None where nobody is mailed.
        share: What it shares with other processes; None: it is all of the service.
    """

    mailboxes: Sequence[Mailbox]
    bells: Sequence[Mailbox]
    reader: Reader
    ledger: WholeLedger
    intake: Intake
    postman: Postman | None
    accounts: Sequence[Account]
    clock: Callable[[], datetime]
    every_seconds: float
    close: Callable[[], None]
    recorders: int = 1
    alarm: Callable[[], object] | None = None
    drops: Drops = NO_DROPS
    share: Share | None = None


class Daemon:
    """Polls and sends in threads of its own while it is entered."""

    def __init__(self, parts: Parts, notify: Notify | None = None) -> None:
        self._parts = parts
        self._stopping = threading.Event()
        self._health = Health(parts.ledger, parts.clock)
        self._announcers: dict[str, Announcer] = {}
        # A thread for each job: one that waits for its server delays no other.
        workers = len(parts.mailboxes) + len(parts.drops.folders) + 6
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(workers)},
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._outbox = self._sending(parts.postman)
        self._marker = Marker(parts.reader, parts.ledger, parts.clock, self._send_soon)
        self._polls = {mailbox.name: self._polling(mailbox) for mailbox in parts.mailboxes}
        self._drops = [self._dropping(*drop) for drop in parts.drops.folders]
        self._sealer = Sealer(parts.ledger)
        self._seals = self._sealing()
        self._jobs = [*self._polls.values(), *self._drops, self._seals]
        self._alive = self._keeping_alive() if parts.accounts else None
        self._alarms = self._alarming(parts.alarm)
        self._jobs += [job for job in (self._outbox, self._alive, self._alarms) if job]
        self._bells: list[threading.Thread] = []
        self._present = self._being_present(parts.share)
        self._trips = self._working_on_trips(parts.share)
        self._crew = self._serving(parts.share, self._trips)
        self._filed = self._filing(parts.share)
        self._jobs += [job for job in (self._present, self._filed) if job]
        self._watchdog = Watchdog(notify or Notify({}), self._stuck)

    def _stuck(self) -> list[str]:
        """The jobs without progress; all are asked, as that reruns what the scheduler missed."""
        stuck = [job.name for job in self._jobs if job.is_stuck()]
        if self._trips is not None and self._crew is not None:
            is_over = self._stopping.is_set()
            if self._trips.is_stuck() or not (is_over or self._crew.is_alive()):
                stuck.append(self._crew.name)
        return stuck

    def __enter__(self) -> Self:
        for job in self._polls.values():
            job.start(self._parts.every_seconds)
        for job in self._drops:
            job.start(DROPS_EVERY_SECONDS)
        if self._outbox is not None:
            self._outbox.start(DRAINED_EVERY_SECONDS)
        self._seals.start(SEALED_EVERY_SECONDS)
        if self._alive is not None:
            self._alive.start(ALIVE_EVERY_SECONDS)
        if self._alarms is not None:
            self._alarms.start(ALARMS_EVERY_SECONDS)
        if self._present is not None:
            self._present.start(SWEPT_EVERY_SECONDS)
        if self._filed is not None:
            self._filed.start(FILED_EVERY_SECONDS)
        self._scheduler.start()
        self._watchdog.start()
        if self._crew is not None:
            self._crew.start()
        for bell in self._parts.bells:
            thread = threading.Thread(target=self._listen, args=[bell], name=f"idle-{bell.name}")
            thread.daemon = True
            thread.start()
            self._bells.append(thread)
        role = self._parts.share.role if self._parts.share else "run"
        log.info("service.started", mailboxes=sorted(self._polls), role=role)
        return self

    def __exit__(self, *_exc: object) -> None:
        """Finish the letters in hand, then send what is owed, for half a minute at most."""
        log.info("service.stopping")
        self._stopping.set()
        for mailbox in self._parts.bells:
            mailbox.close()
        # The scheduler's own wait would hold a lock that a job may be waiting for.
        self._scheduler.shutdown(wait=False)
        share = self._parts.share
        if self._crew is not None and share is not None and share.queue is not None:
            share.queue.stop()
            self._crew.join()
        for job in self._jobs:
            job.join()
        self._marker.close()
        self._last_drain()
        self._last_seal()
        if share is not None:
            with suppress(ConnectionError):
                Present(self._parts.ledger, share.role, share.version).leave()
        self._close()
        self._watchdog.close()
        log.info("service.stopped")

    def _polling(self, mailbox: Mailbox) -> Job:
        collector = self._pass_over(mailbox)

        def once() -> None:
            started = time.monotonic()
            passed = collector.once(lambda: self._is_over(job))
            _tell(mailbox.name, passed, started)
            if passed.outcomes:
                give_back()

        def well() -> None:
            self._health.works(mailbox_named(mailbox.name), mailbox.certificate_ends())

        told = partial(self._mailbox_failed, mailbox.name)
        job = Job(mailbox_named(mailbox.name), once, self._scheduler, self._stopping, told, well)
        return job

    def _pass_over(self, mailbox: Mailbox) -> Pass:
        parts, share = self._parts, self._parts.share
        if share is not None and share.queue is not None:
            announcer = Announcer(
                mailbox, parts.ledger, share.queue, parts.clock, parts.intake, share.room_bytes
            )
            self._announcers[mailbox.name] = announcer
            return announcer
        worker = Worker(
            parts.reader, parts.ledger, parts.intake, parts.clock, self._settled, parts.recorders
        )
        return Collector(mailbox, worker, parts.ledger, parts.clock)

    def _filing(self, share: Share | None) -> Job | None:
        """Have a mailbox polled as soon as workers elsewhere have settled letters of it."""
        if share is None or not self._announcers:
            return None

        def look() -> None:
            for name, announcer in self._announcers.items():
                if announcer.has_settled():
                    self._polls[name].want()

        return Job("filed", look, self._scheduler, self._stopping, _queue_failed, lambda: None)

    def _being_present(self, share: Share | None) -> Job | None:
        """Send this process's heartbeat; `work` also queues what no job carries."""
        if share is None:
            return None
        ledger, queue, intake = self._parts.ledger, share.queue, self._parts.intake
        present = Present(ledger, share.role, share.version)

        def tell() -> None:
            try:
                present.beat()
            except Outdated as fault:
                _end_outdated(str(fault))
                return
            if share.role == WORK and queue is not None:
                sweep(ledger, queue, intake)

        return Job("present", tell, self._scheduler, self._stopping, _queue_failed, lambda: None)

    def _working_on_trips(self, share: Share | None) -> Trips | None:
        """What works on the queue's trips; None where there is no queue."""
        if share is None or share.queue is None or share.role != WORK:
            return None
        parts = self._parts
        return Trips(
            parts.reader,
            parts.ledger,
            share.queue,
            parts.intake,
            parts.clock,
            self._settled,
            self._stopping.is_set,
        )

    @staticmethod
    def _serving(share: Share | None, trips: Trips | None) -> threading.Thread | None:
        """The thread in which the queue is served."""
        if share is None or share.queue is None or trips is None:
            return None
        serve = partial(share.queue.serve, trips.work, share.side_by_side)
        return threading.Thread(target=serve, name="trips")

    def _dropping(self, folder: Folder, entity: str) -> Job:
        parts = self._parts
        collector = DropCollector(
            folder,
            entity,
            parts.reader,
            parts.ledger,
            parts.intake,
            parts.clock,
            self._settled,
            parts.drops.language,
        )

        def once() -> None:
            collector.once(lambda: self._is_over(job))

        def told(fault: BaseException, seconds: float) -> None:
            error = summary(fault)
            log.warning("drop.failed", drop=folder.name, error=error, retry_seconds=seconds)
            self._health.failed(folder.source, fault)

        well = partial(self._health.works, folder.source)
        job = Job(folder.source, once, self._scheduler, self._stopping, told, well)
        return job

    def _is_over(self, job: Job) -> bool:
        """Whether a job is to end early; the call counts as progress."""
        job.show_progress()
        return self._stopping.is_set()

    def _mailbox_failed(self, mailbox: str, fault: BaseException, seconds: float) -> None:
        told = summary(fault)
        log.warning("mailbox.failed", mailbox=mailbox, error=told, retry_seconds=seconds)
        self._health.failed(mailbox_named(mailbox), fault)

    def _keep_alive(self) -> None:
        """Use every account; the first fault is raised once all were tried."""
        faults = []
        for account in self._parts.accounts:
            try:
                account.keep_alive()
            except ConnectionError as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    def _settled(self, raw: RawLetter, claim: Claim, handled: Handled) -> None:  # noqa: ARG002
        """Wake the drain as soon as a reply is owed, within a batch too."""
        if handled.marking is not None:
            self._marker.add(raw, handled)
        elif handled.reply is not None:
            self._send_soon()

    def _send_soon(self) -> None:
        if self._outbox is not None:
            self._outbox.want()

    def _sending(self, postman: Postman | None) -> Job | None:
        if postman is None:
            return None
        ledger, clock, health = self._parts.ledger, self._parts.clock, self._health

        spoken_at = -math.inf

        def send() -> None:
            nonlocal spoken_at
            if health.is_doubted(OUTBOX) or time.monotonic() - spoken_at > GREETED_EVERY_SECONDS:
                # Also when nothing is owed: a dead server or a wrong password is told.
                postman.greet()
                spoken_at = time.monotonic()
            # A server that takes a few mails a connection gets no growing rest.
            drain(ledger, postman, clock, lambda: self._is_over(job), job.reset_back_off)

        def well() -> None:
            health.works(OUTBOX, postman.certificate_ends())

        job = Job(OUTBOX, send, self._scheduler, self._stopping, self._outbox_failed, well)
        return job

    def _outbox_failed(self, fault: BaseException, seconds: float) -> None:
        log.warning("outbox.failed", error=summary(fault), retry_seconds=seconds)
        self._health.failed(OUTBOX, fault)

    def _keeping_alive(self) -> Job:
        scheduler, stopping = self._scheduler, self._stopping
        return Job("accounts", self._keep_alive, scheduler, stopping, _token_failed, _kept_alive)

    def _alarming(self, alarm: Callable[[], object] | None) -> Job | None:
        if alarm is None:
            return None

        stopping = self._stopping
        return Job("alarms", alarm, self._scheduler, stopping, _alarms_failed, lambda: None)

    def _sealing(self) -> Job:
        seal, stopping = self._sealer.once, self._stopping
        return Job("seals", seal, self._scheduler, stopping, _sealing_failed, lambda: None)

    def _last_drain(self) -> None:
        postman = self._parts.postman
        if postman is not None:
            # In a thread that may be left behind: a silent server holds it longer.
            thread = threading.Thread(target=self._send_the_rest, args=[postman], daemon=True)
            thread.start()
            thread.join(LAST_DRAIN_SECONDS)

    def _last_seal(self) -> None:
        """Seal what was recorded, and release the lease for the next process."""
        try:
            self._sealer.once()
        except ConnectionError as fault:
            log.warning("audit.not_sealed", error=summary(fault), retry_seconds=None)
        self._sealer.close()

    def _send_the_rest(self, postman: Postman) -> None:
        # In time to note what has left.
        end = time.monotonic() + LAST_DRAIN_SECONDS - LAST_NOTE_SECONDS
        try:
            drain(self._parts.ledger, postman, self._parts.clock, lambda: time.monotonic() > end)
        except ConnectionError as fault:
            log.warning("outbox.failed", error=str(fault), retry_seconds=None)

    def _listen(self, bell: Mailbox) -> None:
        """Have the mailbox polled whenever mail comes."""
        failures = 0
        while not self._stopping.is_set():
            try:
                rang = bell.wait(IDLE_SECONDS)
            except ConnectionError:
                # Not logged: the pass tells what is wrong with the mailbox, at once.
                failures += 1
                if not self._stopping.is_set():
                    self._polls[bell.name].want()
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


def _kept_alive() -> None:
    log.debug("token.kept_alive")


def _token_failed(fault: BaseException, seconds: float) -> None:
    log.warning("token.failed", error=summary(fault), retry_seconds=seconds)


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


def _sealing_failed(fault: BaseException, seconds: float) -> None:
    log.warning("audit.not_sealed", error=summary(fault), retry_seconds=seconds)


def _end_outdated(told: str) -> None:
    """End the daemon as SIGTERM does: letters in hand are finished."""
    log.error("service.outdated", error=told)
    os.kill(os.getpid(), signal.SIGTERM)


def _queue_failed(fault: BaseException, seconds: float) -> None:
    log.warning("queue.failed", error=summary(fault), retry_seconds=seconds)


def _alarms_failed(fault: BaseException, seconds: float) -> None:
    log.warning("alarm.failed", error=summary(fault), retry_seconds=seconds)


def run(parts: Parts, renew: Callable[[], Parts]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP goes on with renewed parts.

    A second SIGTERM ends the process at once: what it leaves half done, the next
    start does again.

    Args:
        parts: To begin with.
        renew: Called at SIGHUP: makes parts of the configuration as it is now. When it
            raises `ValueError` or `OSError`, that is told and nothing has changed.
    """
    share_heap()
    signals, notify = _signals(), Notify()
    while True:
        with Daemon(parts, notify):
            notify.ready()
            health = Health(parts.ledger, parts.clock)
            health.works(CONFIGURATION)
            renewed = _next_parts(signals, renew, health)
            if renewed is None:
                notify.stopping()
            else:
                notify.reloading()
        if renewed is None:
            return
        parts = renewed
        log.info("service.reloaded")


def _next_parts(
    signals: queue.SimpleQueue[int], renew: Callable[[], Parts], health: Health
) -> Parts | None:
    """The parts to go on with after SIGHUP; None to end."""
    while _next_signal(signals) == signal.SIGHUP:
        try:
            return renew()
        except (ValueError, OSError) as error:
            log.warning("service.reload_refused", error=str(error))
            health.refused(str(error))
    return None


def _next_signal(signals: queue.SimpleQueue[int]) -> int:
    # A signal may be delivered to another thread, as when a library blocks it in this one. It
    # does not interrupt `get` then: the handler runs once this thread wakes by itself.
    while True:
        with suppress(queue.Empty):
            return signals.get(timeout=SIGNALS_SECONDS)


def _signals() -> queue.SimpleQueue[int]:
    """Signals in the order of their arrival; the second one to end ends the process at once."""
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
