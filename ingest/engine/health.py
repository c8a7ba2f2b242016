"""The last fault of each mail server, and of a new configuration, kept for `status`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from ingest.engine.ports import Ledger
from ingest.reading.pool import ReaderUnavailable
from ingest.transports.ports import MailboxUnavailable, OutboxUnavailable
from storage.records.running import CONFIGURATION


class Health:
    """Keeps since when which server fails, and with what; a no-op while the database is away."""

    def __init__(self, ledger: Ledger, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._clock = clock
        self._lock = threading.Lock()
        # Known to work by this process, with the end of their certificates; a process before
        # it may have left a fault behind.
        self._working: dict[str, datetime | None] = {}

    def is_doubted(self, server: str) -> bool:
        """Whether it has failed since it last worked, or was never spoken to."""
        with self._lock:
            return server not in self._working

    def failed(self, server: str, fault: BaseException) -> None:
        """Keep a fault of a server, or of ours while it was spoken to."""
        with self._lock:
            self._working.pop(server, None)
        of_server = MailboxUnavailable | OutboxUnavailable | ReaderUnavailable
        if isinstance(fault, ConnectionError) and not isinstance(fault, of_server):
            # The database's: no fault of that server, and there is nowhere to keep it.
            return
        self._keep(server, summary(fault), getattr(fault, "advice", ""))

    def refused(self, told: str) -> None:
        """Keep that a new configuration was refused, and the one before stays in force."""
        self._keep(CONFIGURATION, told, "mend it and reload; the one before is in force")

    def _keep(self, name: str, told: str, advice: str) -> None:
        with suppress(ConnectionError), self._ledger.transaction() as store:
            store.installation.server_failed(name, told, advice, self._clock())

    def works(self, server: str, certificate_ends: datetime | None = None) -> None:
        """Clear a server's fault; written once, until it fails or has another certificate."""
        with self._lock:
            if server in self._working and self._working[server] == certificate_ends:
                return
        with suppress(ConnectionError):
            with self._ledger.transaction() as store:
                store.installation.server_works(server, self._clock())
                store.installation.certificate_seen(server, certificate_ends)
            with self._lock:
                self._working[server] = certificate_ends


def summary(fault: BaseException) -> str:
    """A fault in words that may be logged: of our own only its kind, as its text may be secret."""
    if isinstance(fault, ConnectionError):
        return str(fault)
    return f"a fault of ours, {type(fault).__name__}"
