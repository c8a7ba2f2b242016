"""One attempt to bring an arrival to its verdict, and what its failure leads to.

`attempt` holds the only broad `except`: whatever is neither the sender's fault nor
time's is ours. `faults` says which is which.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

import structlog

from ingest.intake.authenticate import UNPROVEN, Origin, Proof, Prover, Session, claims_of
from ingest.intake.faults import MOST_ATTEMPTS, LetterMissing, NoVerdict, described, is_of_time
from ingest.intake.foreseen import Foreseen
from ingest.intake.outcome import Handled
from ingest.intake.policy import Policy
from ingest.intake.ports import Ledger, Store
from ingest.intake.receive import foresee, quarantine_notice, receive
from ingest.letters.terms import Arrival, Letter, Marked, Outcome, RawLetter, Read
from ingest.reading import Reader
from storage.records.letters import Claim, LetterFacts, Location
from storage.records.replies import OwedReply

log = structlog.get_logger()

_T = TypeVar("_T")


def attempt(work: Callable[[], _T]) -> _T | Exception:
    """Call the work: its result, or the exception that it raised by a fault of ours.

    Raises:
        OSError: a fault of time; the pass ends, and nothing is counted.
    """
    try:
        return work()
    except Exception as error:
        # The only place where an exception of ours is not raised again.
        if is_of_time(error):
            raise
        return error


@dataclass(frozen=True, slots=True)
class Proven:
    """What was read of a letter, and what verifying its passwords gave.

    Attributes:
        cpu_seconds: What verifying has cost.
    """

    read: Read
    proof: Proof | Session
    cpu_seconds: float = 0.0


@dataclass(slots=True)
class Claimed:
    """A claimed letter on its way to its verdict.

    Attributes:
        reading: What the reader gives; cancelled when nobody waits for it any more.
        proven: What the letter says, with the proof of its sender; ready to be recorded.
        started: Of `time.monotonic`.
        read: What the letter says, once its proof was there.
        foreseen: Verdicts and reply, where they were worked out before it is recorded.
        cpu_seconds: What reading, verifying and recording it has cost so far.
    """

    raw: RawLetter
    sha256: str
    claim: Claim
    reading: Future[Read]
    proven: Future[Proven]
    started: float
    read: Read | None = None
    foreseen: Foreseen | None = None
    cpu_seconds: float = 0.0

    @property
    def arrival(self) -> Arrival:
        """The arrival as the ledger knows it."""
        return replace(
            self.raw.arrival,
            number=self.claim.letter,
            run=self.claim.run,
            received_at=self.claim.received_at,
            sender=self.read.letter.sender if self.read else "",
        )

    def cancel(self) -> None:
        """Cancel reading and proving."""
        self.reading.cancel()
        self.proven.cancel()

    def is_hopeless(self) -> bool:
        """Whether nobody needs to read the letter: `proven` tells why."""
        if self.claim.attempts > MOST_ATTEMPTS:
            self.proven.set_exception(NoVerdict("every attempt ended with the whole process"))
        elif self.raw.missing:
            self.proven.set_exception(LetterMissing("the server gives no bytes for it"))
        return self.proven.done()


class Intake(Protocol):
    """What is done with each letter; `PolicyIntake` is the real one."""

    def origin_of(self, letter: Letter) -> Origin:
        """See `Guard.origin_of`; of the letter only its header need be known."""

    def prove(self, read: Read, *, afresh: bool = False) -> Proof | Session:
        """See `Prover.prove`; called with no transaction open."""

    def foresee(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: Store,
        now: datetime,
        ahead: int,
    ) -> Foreseen | None:
        """See `receive.foresee`."""

    def receive(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: Store,
        now: datetime,
        foreseen: Foreseen | None = None,
    ) -> Handled:
        """See `receive.receive`."""

    def notice(
        self, arrival: Arrival, letter: Letter | None, store: Store, now: datetime
    ) -> OwedReply | None:
        """See `receive.quarantine_notice`."""


class PolicyIntake:
    """The real intake: letters handled as a policy says."""

    def __init__(self, policy: Policy, prover: Prover) -> None:
        self._policy = policy
        self._prover = prover

    def origin_of(self, letter: Letter) -> Origin:
        """Where a letter comes from, and whether its From is found to be another's."""
        return self._policy.guard.origin_of(letter)

    def prove(self, read: Read, *, afresh: bool = False) -> Proof | Session:
        """Verify the passwords of a letter that may be recorded at all."""
        gate = self._policy.gate(read.letter, has_document=bool(read.parsed))
        if not gate.record:
            return UNPROVEN
        return self._prover.prove(claims_of(read), self.origin_of(read.letter), afresh=afresh)

    def foresee(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: Store,
        now: datetime,
        ahead: int,
    ) -> Foreseen | None:
        """See `receive.foresee`."""
        return foresee(arrival, read, proof, store, now, self._policy, ahead)

    def receive(
        self,
        arrival: Arrival,
        read: Read,
        proof: Proof | Session,
        store: Store,
        now: datetime,
        foreseen: Foreseen | None = None,
    ) -> Handled:
        """See `receive.receive`."""
        return receive(arrival, read, proof, store, now, self._policy, foreseen)

    def notice(
        self, arrival: Arrival, letter: Letter | None, store: Store, now: datetime
    ) -> OwedReply | None:
        """See `receive.quarantine_notice`."""
        return quarantine_notice(arrival, letter, store, now, self._policy)


def record(letter: Claimed, intake: Intake, ledger: Ledger[Store], now: datetime) -> Handled:
    """Record readings, reply and verdict of one letter in one transaction.

    Args:
        letter: Read, proven and claimed.
        intake: What is done with it.
        ledger: The database.
        now: The moment of it, aware.

    Raises:
        ProofOutdated: it must be proven again.
    """
    proven = letter.proven.result()
    letter.read = proven.read
    began = time.thread_time()
    with ledger.transaction() as store:
        handled = intake.receive(
            letter.arrival, proven.read, proven.proof, store, now, letter.foreseen
        )
        told = proven.read.letter
        facts = LetterFacts(
            told.sender,
            # Nobody has proven to be its sender; a password without a label is not masked.
            told.subject if handled.outcome is not Outcome.REFUSED else "",
            told.message_id,
            handled.findings,
            handled.truth or handled.reason,
            handled.claimed,
        )
        store.letters.settle(letter.claim.letter, handled.outcome, facts, handled.entity, now)
    spent = time.thread_time() - began
    if letter.foreseen is not None:
        spent += letter.foreseen.cpu_seconds
    letter.cpu_seconds = proven.read.cpu_seconds + proven.cpu_seconds + spent
    return handled


def work_out(letter: Claimed, intake: Intake, store: Store, now: datetime, ahead: int) -> None:
    """Work out over a snapshot what recording one letter needs.

    Args:
        letter: Read, proven and claimed.
        intake: What is done with it.
        store: The snapshot.
        now: The moment of it, aware.
        ahead: How many documents will be recorded first.
    """
    proven = letter.proven.result()
    letter.read = proven.read
    began = time.thread_time()
    arrival, proof = letter.arrival, proven.proof
    letter.foreseen = intake.foresee(arrival, proven.read, proof, store, now, ahead)
    if letter.foreseen is not None:
        letter.foreseen.cpu_seconds = time.thread_time() - began


def fail(
    letter: Claimed, error: Exception, intake: Intake, ledger: Ledger[Store], now: datetime
) -> Handled | None:
    """Quarantine a letter that failed once too often; None leaves it for another attempt.

    Args:
        letter: The claimed letter.
        error: What was raised.
        intake: Makes the notice to its sender.
        ledger: The database.
        now: The moment of it, aware.
    """
    about = {
        **place(letter.raw),
        "letter": letter.claim.letter,
        "attempts": letter.claim.attempts,
    }
    if letter.claim.attempts < MOST_ATTEMPTS:
        log.error("letter.failed", **about, **described(error))
        return None
    owed = attempt(lambda: _noticed(letter, intake, ledger, now))
    notice = None if isinstance(owed, Exception) else owed
    # With the notice; when that transaction fails, without it.
    for reply in dict.fromkeys((notice, None)):
        fault = attempt(lambda: _quarantine(letter, error, reply, ledger, now))  # noqa: B023
        if fault is None:
            log.error("letter.quarantined", **about, **described(error))
            return Handled(Outcome.QUARANTINED, reply=reply)
    log.error("letter.failed", **about, **described(error))
    return None


def _noticed(
    letter: Claimed, intake: Intake, ledger: Ledger[Store], now: datetime
) -> OwedReply | None:
    read = letter.read
    with ledger.reading() as store:
        return intake.notice(letter.arrival, read.letter if read else None, store, now)


def _quarantine(
    letter: Claimed, error: Exception, reply: OwedReply | None, ledger: Ledger[Store], now: datetime
) -> None:
    with ledger.transaction() as store:
        told = letter.read.letter if letter.read else None
        about = (told.sender, told.subject) if told else ()
        store.letters.quarantine(letter.claim.letter, described(error)["error"], now, *about)
        if reply is not None:
            store.outbox.owe(reply, now)


def marked_reply(raw: RawLetter, handled: Handled, reader: Reader) -> OwedReply | None:
    """The reply with its marked workbooks; it says which could not be made.

    Waits for a child: no transaction may be open.
    """
    marking = handled.marking
    if marking is None:
        return handled.reply
    marked = marked_workbooks(raw, handled, reader)
    return _or_none(lambda: marking.reply_with(marked)) or handled.reply


def marked_workbooks(raw: RawLetter, handled: Handled, reader: Reader) -> Mapping[str, Marked]:
    """The marked workbooks that the reply waits for; without those that cannot be made.

    Waits for a child: no transaction may be open.
    """
    marking = handled.marking
    if marking is None:
        return {}
    done = _or_none(lambda: reader.mark(raw, marking.wanted))
    return done or {}


def _or_none(work: Callable[[], _T]) -> _T | None:
    """The work's result; None when it fails: the reply's text names the findings as well."""
    try:
        done = attempt(work)
    except OSError as fault:
        done = fault
    if isinstance(done, Exception):
        log.warning("workbook.not_marked", error=described(done)["error"])
        return None
    return done


def complete(
    raw: RawLetter,
    handled: Handled,
    reader: Reader,
    ledger: Ledger[Store],
) -> Handled:
    """Release the reply that is held for its marked workbooks, with them or without.

    Args:
        raw: The letter.
        handled: Its verdict, with what is to be marked.
        reader: Marks in a confined child.
        ledger: The database.

    Raises:
        StoreUnavailable: the database is away; the reply leaves without them, later.
    """
    if handled.marking is None:
        return handled
    return release(handled, marked_reply(raw, handled, reader), ledger)


def release(handled: Handled, reply: OwedReply | None, ledger: Ledger[Store]) -> Handled:
    """Release a reply that is held, as it is now.

    Raises:
        StoreUnavailable: as with `complete`.
    """
    if reply is not None:
        with ledger.transaction() as store:
            store.outbox.complete(reply.message_id, reply.content)
    return replace(handled, reply=reply, marking=None)


def place(raw: RawLetter) -> dict[str, Any]:
    """Where a letter lies, for the log."""
    where = Location.of(raw.arrival.source, raw.arrival.key)
    return {"mailbox": where.mailbox, "uid": where.uid, "size": raw.size}


def tell_returned(handled: Handled) -> None:
    """Log that a reply came back; called after the commit, so that it is logged once."""
    returned = handled.returned
    if returned is None or not returned.is_new:
        return
    about = {
        "letter": returned.letter,
        "reply": returned.reply,
        "message_id": returned.message_id,
        "error": handled.reason,
    }
    if returned.is_for_good:
        log.error("reply.bounced", **about)
    else:
        log.warning("reply.delayed", **about)


def canonical(letter: Claimed, handled: Handled) -> dict[str, Any]:
    """The fields of a letter's canonical log line."""
    receipts = handled.receipts
    return {
        "letter": letter.claim.letter,
        **place(letter.raw),
        "sender": letter.read.letter.sender if letter.read else None,
        "verdict": handled.outcome.value,
        "entity": handled.entity.user_code if handled.entity else None,
        "layouts": sorted({r.parsed.layout for r in receipts if r.parsed.layout}),
        "documents": len(receipts),
        "values": handled.values,
        "findings": len(handled.findings) + sum(len(r.checked.findings) for r in receipts),
        "receipts": [receipt.number for receipt in receipts],
        "reply": handled.reply.message_id if handled.reply else None,
        "reason": handled.reason or None,
        "truth": handled.truth or None,
        "claimed": handled.claimed or None,
        "attempts": letter.claim.attempts,
        "duration_ms": round((time.monotonic() - letter.started) * 1000),
    }
