"""What must not be changed is sealed every few seconds; the last seal goes to the log."""

from __future__ import annotations

import time
from contextlib import suppress

import structlog

from ingest.engine.lease import is_gone, this_process
from ingest.engine.ports import WholeLedger
from storage.records.audit import Fence, Head

log = structlog.get_logger()

EVERY_SECONDS = 20.0
MOST_SECONDS = 5.0
"""A larger backlog, as after an upgrade, is left for the next time: the service has to end, too."""

TOLD_EVERY_SECONDS = 3600.0
"""How often the last seal is told; somebody who makes the chain anew does not reach the log."""

_LEASE = "seal"
_LEASE_SECONDS = 60


class Sealer:
    """Seals what is new while this process holds the lease for it."""

    def __init__(self, ledger: WholeLedger, holder: str | None = None) -> None:
        self._ledger = ledger
        self._holder = holder or this_process()
        self._fence: Fence | None = None
        self._seen: Head | None = None
        self._told_at: float | None = None

    def once(self) -> None:
        """Seal what can be sealed, and tell the last seal when that is due.

        Rows of transactions that are open wait for the next time; nobody waits for us.

        Raises:
            ConnectionError: the database is away.
        """
        with self._ledger.reading() as store:
            head, unsealed = store.seals.head(), store.seals.unsealed()
            is_lost = self._seen is not None and not store.seals.has(self._seen)
        if is_lost and self._seen is not None:
            # Told once: the chain goes on from what is there now.
            log.error("audit.broken", number=self._seen.number, sha256=self._seen.sha256)
        self._seen = head
        if unsealed and self._is_ours():
            self._fence = self._fence or self._ledger.fence()
            if self._ledger.seal(self._fence, MOST_SECONDS):
                self._fence = None
            with self._ledger.reading() as store:
                self._seen, unsealed = store.seals.head(), store.seals.unsealed()
        self._tell(sum(unsealed.values()))

    def close(self) -> None:
        """Release the lease; when the database is away it runs out."""
        with suppress(ConnectionError), self._ledger.transaction() as store:
            store.leases.release(_LEASE, self._holder)

    def _is_ours(self) -> bool:
        with self._ledger.transaction() as store:
            held_by = store.leases.take(
                _LEASE, self._holder, seconds=_LEASE_SECONDS, is_gone=is_gone
            )
        return held_by == self._holder

    def _tell(self, unsealed: int) -> None:
        now = time.monotonic()
        if self._seen is None or (
            self._told_at is not None and now - self._told_at < TOLD_EVERY_SECONDS
        ):
            return
        self._told_at = now
        log.info(
            "audit.head", number=self._seen.number, sha256=self._seen.sha256, unsealed=unsealed
        )
