"""Undelivered replies by address, and settling them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest.operations.ports import Ledger
from storage.records.replies import Undelivered


def undelivered(ledger: Ledger) -> Sequence[Undelivered]:
    """Addresses with undelivered replies that no operator has settled, the most frequent first.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return store.outbox.undelivered()


def settle(ledger: Ledger, address: str, who: str, now: datetime) -> int:
    """Settle an address's undelivered replies, as its owner was told: how many.

    Args:
        ledger: The database.
        address: Where replies did not arrive.
        who: The operator, as the audit names it.
        now: The moment of it, aware.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.transaction() as store:
        settled = store.outbox.seen(address, now)
        if settled:
            after = {"settled": settled}
            store.audit.add(now, who, "bounce", address, before=None, after=after)
        return settled
