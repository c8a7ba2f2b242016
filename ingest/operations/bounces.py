"""Replies that did not reach their address: operators decide what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest.operations.ports import Ledger
from storage.records import Undelivered


def undelivered(ledger: Ledger) -> Sequence[Undelivered]:
    """What no operator has settled, by address; those that came back most often first.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return store.outbox.undelivered()


def settle(ledger: Ledger, address: str, who: str, now: datetime) -> int:
    """An operator has corrected the address, or told its owner: how many replies that ends.

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
