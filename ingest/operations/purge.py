"""Drops texts that are kept no longer: of replies, and subject and sender of letters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from ingest.operations.ports import WholeLedger
from storage.records.audit import Facts
from storage.store import Store

_AT_ONCE = 500
"""Rows in one transaction: nobody waits long for SQLite's only writer."""


@dataclass(frozen=True, slots=True)
class Purged:
    """What was dropped, or would be.

    Attributes:
        reply_bytes: Of the replies' texts, together.
        dry_run: Whether it was only counted.
    """

    letters: int
    replies: int
    reply_bytes: int
    dry_run: bool


def purge(
    ledger: WholeLedger, before: datetime, who: str, now: datetime, *, dry_run: bool
) -> Purged:
    """Drop texts of replies and facts of letters from before a moment; the audit keeps that.

    Readings, receipts, findings and the audit stay whole, and so does what a person must
    still look at. When it is interrupted, the next call goes on.

    Args:
        ledger: The database.
        before: Letters received and replies owed earlier.
        who: The operator.
        now: When.
        dry_run: Only count.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        replies, reply_bytes = store.outbox.forgettable(before)
        found = Purged(store.letters.forgettable(before), replies, reply_bytes, dry_run)
    if dry_run or not (found.letters or found.replies):
        return found
    letters = _all(ledger, lambda store, above: store.letters.forget(before, above, _AT_ONCE))
    replies = _all(ledger, lambda store, above: store.outbox.forget(before, above, _AT_ONCE))
    after: Facts = {"before": before.isoformat(), "letters": letters, "replies": replies}
    with ledger.transaction() as store:
        store.audit.add(now, who, "purge", "texts", before=None, after=after)
    return Purged(letters, replies, reply_bytes, dry_run=False)


def _all(ledger: WholeLedger, forget: Callable[[Store, int], tuple[int, int]]) -> int:
    """Forget a few at a time, each in a transaction of its own: how many in all."""
    total, above = 0, 0
    while True:
        with ledger.transaction() as store:
            count, above = forget(store, above)
        total += count
        if count < _AT_ONCE:
            return total
