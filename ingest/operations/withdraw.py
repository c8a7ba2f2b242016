"""A receipt's values taken out of force by an operator, and a preview of what that changes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar

import structlog

from ingest.intake.policy import Policy
from ingest.letters.terms import Outcome
from ingest.operations.hand_in import Way
from ingest.operations.ports import Ledger, WholeLedger
from ingest.operations.refused import Refused
from ingest.operations.told import MERGED, Keys
from ingest.replies.withdrawal import withdrawal
from layouts.months import following, month_at, preceding
from storage.billed.periods import changed_numbers
from storage.records.billing import Number, NumberChange, WithdrawalSubject, Withdrawn
from storage.records.letters import LetterFacts, Location
from storage.records.replies import OwedReply
from storage.store import Store

log = structlog.get_logger()


class CannotWithdraw(Refused):
    """There is nothing to withdraw, or it must not be; its text says why."""


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks to withdraw.

    Attributes:
        point: Code of the one metering point; None: all that the receipt has.
        anyway: Although a later document rests on it.
    """

    receipt: int
    who: str
    reason: str
    point: str | None = None
    anyway: bool = False


@dataclass(frozen=True, slots=True)
class MonthChange:
    """A number of a month that a withdrawal changes."""

    KEYS: ClassVar[Keys] = {
        "period": lambda one: f"{one.month:%Y-%m}",
        MERGED: "change",
    }

    month: date
    change: NumberChange


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What a withdrawal did, or would do.

    Attributes:
        entity: User code of the one whose submission it is.
        done: None when it was not done, because a later document rests on it.
        changes: The months' numbers that it changes.
        resting: Those of them that later documents rest on.
        reply: What the entity is told; None where it has no address.
    """

    KEYS: ClassVar[Keys] = {
        "entity": "entity",
        "withdrawn": lambda told: told.done is not None,
        "receipt": "done.receipt",
        "removed": "done.removed",
        "restored": "done.restored",
        "kept": "done.kept",
        "changes": "changes",
        "resting": "resting",
        "reply": "reply",
    }

    entity: str
    done: Withdrawn | None
    changes: tuple[MonthChange, ...]
    resting: tuple[MonthChange, ...]
    reply: OwedReply | None = None


class _Undone(Exception):  # noqa: N818 - nothing went wrong
    """Raised to roll back where a later document rests on what would go."""

    def __init__(self, told: Withdrawal) -> None:
        super().__init__()
        self.told = told


def withdraw(order: Order, ledger: Ledger, policy: Policy, now: datetime) -> Withdrawal:
    """Take a receipt's values out of force; what they had replaced is in force again.

    A closed month is never changed. Where a later document rests on what goes, nothing is
    done unless it is ordered all the same.

    Args:
        order: Which receipt, who and why.
        ledger: The database.
        policy: How the entity is told.
        now: The moment of it, aware.

    Raises:
        CannotWithdraw: there is no such receipt or point, it was withdrawn already, or a
            closed month would change.
    """
    try:
        with ledger.transaction() as store:
            done = _withdrawn(order, store, policy, now)
    except _Undone as undone:
        return undone.told
    if done.done is not None:
        log.info(
            "receipt.withdrawn",
            receipt=order.receipt,
            withdrawal=done.done.receipt,
            operator=order.who,
            entity=done.entity,
            removed=done.done.removed,
            restored=done.done.restored,
            kept=done.done.kept,
        )
    return done


def subject_of(ledger: Ledger, receipt: int) -> WithdrawalSubject:
    """What a withdrawal of a receipt would be about.

    Raises:
        CannotWithdraw: there is no such receipt of a document.
    """
    with ledger.reading() as store:
        return _subject_in(store, receipt)


def _subject_in(store: Store, receipt: int) -> WithdrawalSubject:
    subject = store.withdrawals.subject(receipt)
    if subject is None or subject.is_withdrawal:
        raise CannotWithdraw(f"{receipt}: there is no such receipt of a document")
    return subject


def consequence(order: Order, ledger: WholeLedger, policy: Policy, now: datetime) -> Withdrawal:
    """What a withdrawal would do, whatever rests on it; nothing is changed.

    Args:
        order: Which receipt, who and why.
        ledger: The database.
        policy: How the entity would be told.
        now: The moment of it, aware.

    Raises:
        CannotWithdraw: as `withdraw` does.
    """
    with ledger.rehearsal() as rehearsed, rehearsed.transaction() as store:
        return _withdrawn(replace(order, anyway=True), store, policy, now)


def _withdrawn(order: Order, store: Store, policy: Policy, now: datetime) -> Withdrawal:
    subject = _subject_in(store, order.receipt)
    point = _point(order, subject)
    months = _months(subject, now)
    points = [number for number, _, _ in subject.points if point in {None, number}]
    before = {month: store.numbers.of(month, points=points) for month in months}
    letter = _arrival(order, store, now)
    done = store.withdrawals.withdraw(letter, order.receipt, point, order.who, order.reason, now)
    if done is None:
        raise CannotWithdraw(f"{order.receipt} was withdrawn already")
    changes = tuple(
        MonthChange(month, change)
        for month in months
        for change in changed_numbers(before[month], store.numbers.of(month, points=points))
    )
    closed = store.periods.closed()
    if hit := sorted({f"{one.month:%Y-%m}" for one in changes if one.month in closed}):
        raise CannotWithdraw(
            f"it would change the consumption of closed months: {', '.join(hit)}"
            " (`ingest period reopen` opens one again)"
        )
    resting = tuple(one for one in changes if _rests(one.change, order.receipt))
    if resting and not order.anyway:
        raise _Undone(Withdrawal(subject.entity, None, changes, resting))
    reply = _tell(order, subject, done, letter, store, policy, now)
    return Withdrawal(subject.entity, done, changes, resting, reply)


def _point(order: Order, subject: WithdrawalSubject) -> int | None:
    """The id of the one point that is meant."""
    if order.point is None:
        return None
    found = [number for number, _, code in subject.points if code == order.point]
    if len(found) != 1:
        known = ", ".join(code for _, _, code in subject.points) or "nothing"
        raise CannotWithdraw(f"receipt {order.receipt} is about {known}, not {order.point}")
    return found[0]


def _months(subject: WithdrawalSubject, now: datetime) -> list[date]:
    """Every month whose numbers may depend on the submission: a reading begins a later step."""
    months: list[date] = []
    if subject.first is not None:
        month, last = preceding(month_at(subject.first)), month_at(now)
        while month <= last:
            months.append(month)
            month = following(month)
    return months


def _rests(change: NumberChange, receipt: int) -> bool:
    """Whether a register's consumption goes that another document's reading ends."""
    before: Number | None = change.before
    after = change.after.energy if change.after else None
    return (
        before is not None
        and before.source == "register"
        and before.receipt != receipt
        and before.energy != after
    )


def _arrival(order: Order, store: Store, now: datetime) -> int:
    """The operator's act in the ledger of arrivals."""
    folder = f"withdraw/{order.receipt}"
    last = store.letters.last_in(Way.OPERATOR, folder)
    place = Location(Way.OPERATOR, folder, 0, last[0] + 1 if last else 1)
    identity = hashlib.sha256(f"{Way.OPERATOR} {place.key}".encode()).hexdigest()
    return store.letters.claim(place, identity, 0, now, now).letter


def _tell(
    order: Order,
    subject: WithdrawalSubject,
    done: Withdrawn,
    letter: int,
    store: Store,
    policy: Policy,
    now: datetime,
) -> OwedReply | None:
    """Settle the act, and owe the entity the mail about it."""
    entity = store.registry.entity(subject.entity)
    facts = LetterFacts(order.who, f"withdrawal of receipt {order.receipt}", "")
    store.letters.settle(letter, Outcome.ACCEPTED, facts, entity, now)
    if entity is None:
        return None
    reply = withdrawal(
        entity,
        subject,
        done,
        order.point,
        order.reason,
        now,
        policy.replies,
        letter_number=letter,
    )
    if not reply.recipient:
        return None
    store.outbox.owe(reply, now)
    return reply
