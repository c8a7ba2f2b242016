"""One pass over one mailbox: every letter claimed, read, recorded, filed.

Holds the only broad `except`: whatever is neither the sender's fault nor time's
is ours; it is counted, and the third time a person must look.
"""

from __future__ import annotations

import errno
import time
import traceback
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any, Protocol, TypeVar

import structlog

from ingest.engine.lease import Mailboxes, MailboxLease
from ingest.engine.window import Found, Job, loads, must_wait, one_ahead, ready, trips
from ingest.intake.outcome import Handled
from ingest.intake.ports import Letters, Store
from ingest.letters.outcome import Outcome
from ingest.letters.terms import Letter, RawLetter, Read
from ingest.reading import Mark, Reader, ReaderFailed
from ingest.transports.ports import Mailbox, MailboxUnavailable
from storage.records import Claim, LetterFacts, LetterState, OwedReply

log = structlog.get_logger()

MOST_ATTEMPTS = 3
"""After so many attempts without a verdict a person must look."""

ALONE_AFTER = 2
"""After so many a letter is read alone, last: what kills us must not hit others."""

GROUP_SECONDS = 0.05
"""After so long letters are committed, so that no reply waits for the next ones."""

_T = TypeVar("_T")


class Receive(Protocol):
    """What one letter means: `ingest.intake.receive.receive` with its desk at hand."""

    def __call__(
        self, read: Read, claim: Claim, store: Store, now: datetime, mark: Mark
    ) -> Handled:
        """Record what the letter hands in, and the reply it is owed."""


class Notice(Protocol):
    """The reply to a letter that a person must look at."""

    def __call__(
        self, letter: Letter | None, claim: Claim, store: Store, now: datetime
    ) -> OwedReply | None:
        """None where none may go; `letter` is None when it could not be read."""


class Told(Protocol):
    """Hears of a letter that has its verdict."""

    def __call__(self, raw: RawLetter, claim: Claim, handled: Handled) -> None:
        """Called after the commit."""


def nobody_is_told(raw: RawLetter, claim: Claim, handled: Handled) -> None:
    """Nothing but the log tells of it."""


class PollLetters(Letters, Protocol):
    """The ledger of letters, for a pass."""

    def known(
        self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]
    ) -> Mapping[int, Claim]:
        """The ledger's rows of those UIDs that it has seen."""


class PollMailboxes(Mailboxes, Protocol):
    """Mailboxes, for a pass."""

    def passed(self, mailbox: str, now: datetime) -> None:
        """The mailbox was read through to its end."""


class PollStore(Store, Protocol):
    """What a pass asks of the database beside what `receive` does."""

    @property
    def letters(self) -> PollLetters:
        """The ledger of letters."""

    @property
    def mailboxes(self) -> PollMailboxes:
        """Passes and leases."""


class OneLedger(Protocol):
    """Opens transactions.

    Attributes:
        each_lasts: Whether what one did is kept, whatever becomes of the next one.
    """

    @property
    def each_lasts(self) -> bool:
        """See there."""

    def transaction(self) -> AbstractContextManager[PollStore]:
        """Commits at its end, rolls back on an exception."""


class PollLedger(OneLedger, Protocol):
    """Opens transactions for a pass."""

    def together(self) -> AbstractContextManager[OneLedger]:
        """For transactions that may be committed at once; each is undone alone."""

    def reading(self) -> AbstractContextManager[PollStore]:
        """For looking only; changes are dropped."""


@dataclass(frozen=True, slots=True)
class Passed:
    """What one pass did.

    Attributes:
        outcomes: Letters by their outcome in this pass.
        failed: Letters left for another attempt.
        whole: Whether it came to the mailbox's end.
        held_by: Another process that reads the mailbox, so that this one did not.
    """

    outcomes: Mapping[Outcome, int] = field(default_factory=dict)
    failed: int = 0
    whole: bool = True
    held_by: str | None = None


class LetterMissing(Exception):  # noqa: N818 - a state of the letter
    """The server names the letter and gives no bytes for it."""


class NoVerdict(Exception):  # noqa: N818 - a state of the letter
    """Every attempt ended with the whole process."""


class Poller:
    """Reads one mailbox, pass by pass.

    Args:
        receive: Called inside the transaction that settles the letter.
        clock: Now, aware.
        holder: Names this process in the lease; None: by its number and start.
        told: Hears of every letter that has its verdict, once it is committed.
    """

    def __init__(
        self,
        mailbox: Mailbox,
        reader: Reader,
        ledger: PollLedger,
        receive: Receive,
        notice: Notice,
        clock: Callable[[], datetime],
        holder: str | None = None,
        told: Told = nobody_is_told,
    ) -> None:
        self._holder = holder
        self._told = told
        self._mailbox = mailbox
        self._reader = reader
        self._ledger = ledger
        self._receive = receive
        self._notice = notice
        self._clock = clock
        # What a fault left undone, for the next pass: attempts to take back, and
        # letters that have their verdict but could not be moved.
        self._to_give_back: list[int] = []
        self._unfiled: dict[tuple[int, int], Outcome] = {}
        self._known: Mapping[int, Claim] = {}
        self._outcomes: Counter[Outcome] = Counter()
        self._failed = 0

    def once(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """Go through the mailbox once, the oldest letter first.

        When `stop` turns true the letter in hand is finished and the rest stays.

        Raises:
            ConnectionError: mailbox, database or readers are away; nothing is
                counted against any letter, and the next pass goes on.
        """
        with MailboxLease(self._ledger, self._name, self._clock, self._holder) as lease:
            if lease.is_held:
                return self.through(lambda: stop() or not lease.is_held)
        log.warning("mailbox.held", mailbox=self._name, holder=lease.held_by)
        return Passed(whole=False, held_by=lease.held_by)

    def through(self, stop: Callable[[], bool] = lambda: False) -> Passed:
        """The same without a lease, for a mailbox that nobody else can read."""
        self._outcomes, self._failed = Counter(), 0
        self._give_back([])
        uidvalidity, uids = self._mailbox.uids()
        self._unfiled = {k: v for k, v in self._unfiled.items() if k[0] == uidvalidity}
        fault = self._file()
        waiting = [uid for uid in uids if (uidvalidity, uid) not in self._unfiled]
        done = 0
        with closing(one_ahead(self._batches(uidvalidity, waiting))) as batches:
            for batch in batches:
                if stop():
                    break
                self._handle(batch, stop)
                fault = self._file() or fault
                done += len(batch)
                if done < len(waiting):
                    log.info("mailbox.progress", mailbox=self._name, done=done, of=len(waiting))
        if fault is not None:
            raise fault
        return self._passed(whole=not stop())

    @property
    def _name(self) -> str:
        return self._mailbox.name

    def _passed(self, *, whole: bool) -> Passed:
        if whole:
            with self._ledger.transaction() as store:
                store.mailboxes.passed(self._name, self._clock())
        return Passed(dict(self._outcomes), self._failed, whole)

    def _batches(self, uidvalidity: int, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        """Letters to handle together; those that failed twice come last, each alone.

        A letter that the ledger has a verdict for is fetched like any other: its
        bytes say which letter it is. A server restored from a backup gives the
        same UID to another one.
        """
        with self._ledger.reading() as store:
            self._known = store.letters.known(self._name, self._mailbox.folder, uidvalidity, uids)
        tired = {uid for uid, claim in self._known.items() if _is_tired(claim)}
        calm = self._mailbox.fetch([uid for uid in uids if uid not in tired])
        alone = self._mailbox.fetch([uid for uid in uids if uid in tired])
        return chain(calm, ([raw] for batch in alone for raw in batch))

    # Letters.

    def _handle(self, batch: Sequence[RawLetter], stop: Callable[[], bool]) -> None:
        """Bring letters to their verdicts, in order, readers running ahead."""
        window: deque[Job] = deque()
        finished = 0
        try:
            tried = {uid for uid, claim in self._known.items() if _is_tried(claim)}
            for trip in trips(batch, tried):
                while window and must_wait(window, trip):
                    finished += self._finish(window, stop)
                if stop():
                    break
                self._begin(trip, window)
            while window and not (finished and stop()):
                finished += self._finish(window, stop)
        finally:
            self._give_back(window)

    def _begin(self, trip: Sequence[Found], window: deque[Job]) -> None:
        """Count the attempt of each letter, just before a reader gets them."""
        started = time.monotonic()
        begun: list[Job] = []
        for found, claim in zip(trip, self._claimed(trip), strict=True):
            raw = found.raw
            if isinstance(claim, Exception):
                self._failed += 1
                log.error(
                    "letter.failed", letter=None, **_place(raw), attempts=0, **_described(claim)
                )
            elif claim.state is not LetterState.CLAIMED:
                self._already(raw, claim)
            else:
                begun.append(Job(raw, found.sha256, claim, Future(), started))
        # From here on their attempts are taken back when the pass ends.
        window.extend(begun)
        for load in loads(job for job in begun if not _is_hopeless(job)):
            futures = self._reader.read_together([job.raw for job in load])
            for job, future in zip(load, futures, strict=True):
                job.future = future

    def _claimed(self, trip: Sequence[Found]) -> Sequence[Claim | Exception]:
        """The ledger's rows of a trip's letters: in one commit, or one by one after a fault."""
        if len(trip) > 1:
            # What only stood in the way of another process passes one by one.
            with suppress(ConnectionError):
                claims = self._tried(lambda: self._claim(trip))
                if not isinstance(claims, Exception):
                    return claims
        each = [self._tried(lambda: self._claim([found])) for found in trip]  # noqa: B023
        return [claim if isinstance(claim, Exception) else claim[0] for claim in each]

    def _claim(self, trip: Sequence[Found]) -> list[Claim]:
        with self._ledger.transaction() as store:
            now = self._clock()
            return [
                store.letters.claim(raw.location, found.sha256, raw.size, raw.received_at, now)
                for found in trip
                if (raw := found.raw)
            ]

    def _already(self, raw: RawLetter, claim: Claim) -> None:
        """A letter whose bytes have their verdict is only filed, where the first one is."""
        first = Outcome(claim.outcome or Outcome.QUARANTINED)
        self._unfiled[raw.location.uidvalidity, raw.location.uid] = first
        self._told(raw, claim, Handled(Outcome.DUPLICATE))
        before = self._known.get(raw.location.uid)
        if before is not None and before.letter == claim.letter:
            # Not a copy: the very letter, whose move a crash prevented.
            log.info("letter.filed_late", letter=claim.letter, **_place(raw), verdict=first.value)
            return
        self._outcomes[Outcome.DUPLICATE] += 1
        log.info(
            "letter.duplicate",
            letter=claim.letter,
            **_place(raw),
            verdict=Outcome.DUPLICATE.value,
            first=first.value,
        )

    def _finish(self, window: deque[Job], stop: Callable[[], bool]) -> int:
        """Bring the head of the window to its verdict, as far as it is read: how many."""
        read = self._tried(window[0].future.result)
        if isinstance(read, Exception):
            done: list[tuple[Job, Handled | Exception]] = [(window[0], read)]
        else:
            done = self._recorded(ready(window), stop)
        kept = [(job, handled) for job, handled in done if isinstance(handled, Handled)]
        for job, handled in kept:
            log.info(_EVENTS[handled.outcome], **_canonical(job, handled))
            self._told(job.raw, job.claim, handled)
            self._note(window, job, handled.outcome)
        failed = [(job, error) for job, error in done if isinstance(error, Exception)]
        for job, error in failed:
            self._note(window, job, self._fail(job, error))
        return len(done)

    def _note(self, window: deque[Job], job: Job, outcome: Outcome | None) -> None:
        """The letter has this verdict; None leaves it for another attempt."""
        window.remove(job)
        if outcome is None:
            self._failed += 1
            return
        self._unfiled[job.raw.location.uidvalidity, job.raw.location.uid] = outcome
        self._outcomes[outcome] += 1

    def _recorded(
        self, jobs: Sequence[Job], stop: Callable[[], bool]
    ) -> list[tuple[Job, Handled | Exception]]:
        """What became of letters, the oldest first: of as many as there was time for."""
        if len(jobs) > 1:
            done = self._tried(lambda: self._committed(jobs, stop))
            if not isinstance(done, Exception):
                return done
        # The fault may be of the commit, and is judged by what each does alone.
        alone = self._tried(lambda: self._committed(jobs[:1], stop))
        return [(jobs[0], alone)] if isinstance(alone, Exception) else alone

    def _committed(
        self, jobs: Sequence[Job], stop: Callable[[], bool]
    ) -> list[tuple[Job, Handled | Exception]]:
        """Readings, reply and verdict of each letter in one; several letters at once."""
        done: list[tuple[Job, Handled | Exception]] = []
        until = time.monotonic() + GROUP_SECONDS
        with self._ledger.together() as ledger:
            for job in jobs:
                try:
                    handled = self._tried(lambda: self._handled(job, ledger))  # noqa: B023
                except OSError:
                    # Of time. Those that are kept must be told of; it comes again at the head.
                    if not done or not ledger.each_lasts:
                        raise
                    break
                done.append((job, handled))
                if stop() or time.monotonic() > until:
                    break
        return done

    def _handled(self, job: Job, ledger: OneLedger) -> Handled:
        """Readings, reply and verdict of one letter, undone together when it fails."""
        job.read = job.future.result()
        now = self._clock()
        with ledger.transaction() as store:
            mark = partial(self._reader.mark, job.raw)
            handled = self._receive(job.read, job.claim, store, now, mark)
            letter = job.read.letter
            facts = LetterFacts(letter.sender, letter.subject, letter.message_id, handled.findings)
            store.letters.settle(job.claim.letter, handled.outcome, facts, handled.entity, now)
        return handled

    def _tried(self, work: Callable[[], _T]) -> _T | Exception:
        """What the work gives, or the exception that is our own fault."""
        try:
            return work()
        except Exception as error:
            # The one place where our own faults end.
            if _is_of_time(error):
                raise
            return error

    # Faults.

    def _fail(self, job: Job, error: Exception) -> Outcome | None:
        """Leave the letter for another attempt, or to a person after the third."""
        about = {**_place(job.raw), "letter": job.claim.letter, "attempts": job.claim.attempts}
        if job.claim.attempts < MOST_ATTEMPTS:
            log.error("letter.failed", **about, **_described(error))
            return None
        owed = self._tried(lambda: self._noticed(job))
        notice = None if isinstance(owed, Exception) else owed
        # When even that cannot be kept, the row alone must do.
        for reply in (notice, None):
            fault = self._tried(lambda: self._quarantine(job, error, reply))  # noqa: B023
            if fault is None:
                log.error("letter.quarantined", **about, **_described(error))
                self._told(job.raw, job.claim, Handled(Outcome.QUARANTINED, reply=reply))
                return Outcome.QUARANTINED
        log.error("letter.failed", **about, **_described(error))
        return None

    def _noticed(self, job: Job) -> OwedReply | None:
        letter = job.read.letter if job.read else None
        with self._ledger.reading() as store:
            return self._notice(letter, job.claim, store, self._clock())

    def _quarantine(self, job: Job, error: Exception, reply: OwedReply | None) -> None:
        now = self._clock()
        with self._ledger.transaction() as store:
            store.letters.quarantine(job.claim.letter, _described(error)["error"], now)
            if reply is not None:
                store.outbox.owe(reply, now)

    def _give_back(self, window: Iterable[Job]) -> None:
        """Take back the attempts of letters that got no verdict; later if not now."""
        for job in window:
            job.future.cancel()
            self._to_give_back.append(job.claim.letter)
        if not self._to_give_back:
            return
        try:
            with self._ledger.transaction() as store:
                for letter in self._to_give_back:
                    store.letters.unclaim(letter)
        except ConnectionError:
            return
        self._to_give_back.clear()

    # Filing.

    def _file(self) -> MailboxUnavailable | None:
        """Move letters to the folders for their outcomes: one MOVE for each.

        A server that refuses is told at the end of the pass: the verdicts are
        kept, and other letters need not wait for it.
        """
        by_outcome: dict[Outcome, list[tuple[int, int]]] = defaultdict(list)
        for key, outcome in self._unfiled.items():
            by_outcome[outcome].append(key)
        for outcome, keys in by_outcome.items():
            try:
                self._mailbox.file([uid for _, uid in keys], outcome)
            except MailboxUnavailable as fault:
                log.warning(
                    "letter.not_filed", mailbox=self._name, count=len(keys), error=str(fault)
                )
                return fault
            for key in keys:
                del self._unfiled[key]
        return None


_EVENTS = {outcome: f"letter.{outcome}" for outcome in Outcome}


def _is_hopeless(job: Job) -> bool:
    """Whether nobody needs to read the letter: its future tells why."""
    if job.claim.attempts > MOST_ATTEMPTS:
        job.future.set_exception(NoVerdict("every attempt ended with the whole process"))
    elif job.raw.missing:
        job.future.set_exception(LetterMissing("the server gives no bytes for it"))
    return job.future.done()


def _is_tried(claim: Claim) -> bool:
    return claim.state is LetterState.CLAIMED and claim.attempts > 0


def _is_tired(claim: Claim) -> bool:
    return claim.state is LetterState.CLAIMED and claim.attempts >= ALONE_AFTER


def _is_of_time(error: Exception) -> bool:
    """Whether waiting can mend it: a server away, or this machine out of something."""
    if isinstance(error, ConnectionError):
        return True
    return isinstance(error, OSError) and error.errno in _OUT_OF


_OUT_OF = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}


def _described(error: Exception) -> dict[str, Any]:
    """What an exception may say in log and database: kind and places, never values.

    Its own text could hold what the letter held, a password too.
    """
    frames = traceback.extract_tb(error.__traceback__)
    stack = [f"{'/'.join(PurePath(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in frames]
    told = isinstance(error, ReaderFailed | LetterMissing | NoVerdict)
    text = str(error) if told else type(error).__name__
    where = f" at {stack[-1]}" if stack and not told else ""
    return {"error": text + where, "frames": stack}


def _place(raw: RawLetter) -> dict[str, Any]:
    where = raw.location
    return {"mailbox": where.mailbox, "uid": where.uid, "size": raw.size}


def _canonical(job: Job, handled: Handled) -> dict[str, Any]:
    """The fields of the one line that each letter leaves in the log."""
    receipts = handled.receipts
    return {
        "letter": job.claim.letter,
        **_place(job.raw),
        "verdict": handled.outcome.value,
        "entity": handled.entity.user_code if handled.entity else None,
        "layouts": sorted({r.parsed.layout for r in receipts if r.parsed.layout}),
        "documents": len(receipts),
        "values": handled.values,
        "findings": len(handled.findings) + sum(len(r.checked.findings) for r in receipts),
        "receipts": [receipt.number for receipt in receipts],
        "reply": handled.reply.message_id if handled.reply else None,
        "reason": handled.reason or None,
        "attempts": job.claim.attempts,
        "duration_ms": round((time.monotonic() - job.started) * 1000),
    }
