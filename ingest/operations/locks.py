"""Who cannot authenticate, since when and why; and letting them try again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ingest.operations.ports import Service
from storage.records.access import Lock
from storage.records.audit import Facts


def locks(service: Service, now: datetime) -> Sequence[Lock]:
    """Every lock that holds now.

    Raises:
        ConnectionError: the database is away.
    """
    with service.ledger.reading() as store:
        return store.senders.locks(now, service.guard.guesses_per_hour)


def unlock(service: Service, code: str, address: str | None, who: str, now: datetime) -> int:
    """Forget wrong passwords for a user code, which the audit keeps: how many locks that opens.

    Letters that wait for it are tried in the next pass.

    Args:
        service: The wired parts.
        code: The user code, also one that nobody has.
        address: Only from there; `@domain` for the strangers of a domain. None: from everywhere.
        who: The operator.
        now: When.

    Raises:
        ConnectionError: the database is away.
    """
    with service.ledger.transaction() as store:
        opened = store.senders.unlock(code, address, now, service.guard.guesses_per_hour)
        if opened:
            store.letters.wait_no_more()
            after: Facts = {"address": address or "all", "opened": opened}
            store.audit.add(now, who, "unlock", code, before=None, after=after)
        return opened
