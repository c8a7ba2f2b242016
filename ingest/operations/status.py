"""How the service stands, and what of it needs a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.operations.ports import Ledger
from layouts.months import MOSCOW
from storage.records import StoreStatus

STALE = timedelta(minutes=15)
"""A mailbox whose last whole pass is older needs a person."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `status`, `/metrics` and `/healthz` tell.

    Attributes:
        stale: Mailboxes that were not read through lately.
        mailboxes: When each was last read through; None: never.
        oldest_unanswered: Receipt of the oldest letter that has no verdict, or whose
            reply has not left.
        waiting: Letters that are not tried yet, as their user code was guessed at too often.
        needs_a_person: Why somebody has to look, one sentence each; empty when all is well.
    """

    stale: tuple[str, ...]
    mailboxes: Mapping[str, datetime | None]
    verdicts_today: Mapping[str, int]
    queue: int
    quarantined: int
    owed: int
    undeliverable: int
    waiting: int
    oldest_unanswered: datetime | None
    needs_a_person: tuple[str, ...]


def status(ledger: Ledger, mailboxes: Sequence[str], now: datetime) -> Status:
    """How the service stands; `mailboxes` are the names of those that it should read.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        known = store.installation.status(now.astimezone(MOSCOW))
    return judged(known, mailboxes, now)


def judged(known: StoreStatus, mailboxes: Sequence[str], now: datetime) -> Status:
    """What the database holds, with what of it needs a person."""
    never = datetime.min.replace(tzinfo=UTC)
    stale = [name for name in mailboxes if now - known.passes.get(name, never) > STALE]
    reasons = [f"mailbox {name} was not read through for 15 minutes" for name in stale]
    if known.quarantined:
        reasons.append(f"letters in quarantine: {known.quarantined}")
    if known.undeliverable:
        reasons.append(f"undeliverable replies: {known.undeliverable}")
    if known.waiting:
        reasons.append(f"letters waiting, as somebody guesses passwords: {known.waiting}")
    return Status(
        stale=tuple(stale),
        mailboxes={name: known.passes.get(name) for name in mailboxes},
        verdicts_today=known.verdicts_today,
        queue=known.queue,
        quarantined=known.quarantined,
        owed=known.owed,
        undeliverable=known.undeliverable,
        waiting=known.waiting,
        oldest_unanswered=known.oldest_unanswered,
        needs_a_person=tuple(reasons),
    )
