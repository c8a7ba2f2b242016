"""Who reads a mailbox or a drop folder: one process at a time, by a lease in the database."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

from ingest.engine.ports import Ledger

LEASE_SECONDS = 15
RENEWED_SECONDS = 4.0
"""For how long a lease lasts, and how often it is renewed."""


class ProcessLease:
    """The right to read one mailbox or drop folder, renewed in a thread while entered.

    Attributes:
        held_by: Who holds it; another process than this one when it was not free.
    """

    def __init__(self, ledger: Ledger, name: str, holder: str | None = None) -> None:
        self._ledger = ledger
        self._name = name
        self._holder = holder or this_process()
        self._left = threading.Event()
        self._renewing: threading.Thread | None = None
        self.held_by = ""

    @property
    def is_held(self) -> bool:
        """Whether this process may read it."""
        return self.held_by == self._holder

    def __enter__(self) -> Self:
        """Try to take it.

        Raises:
            StoreUnavailable: the database is away.
        """
        self._take()
        if self.is_held:
            self._left.clear()
            self._renewing = threading.Thread(target=self._renew, name="lease", daemon=True)
            self._renewing.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._left.set()
        if self._renewing is not None:
            self._renewing.join()
        if self.is_held:
            # When the database is away the lease runs out by itself.
            with suppress(ConnectionError), self._ledger.transaction(synced=False) as store:
                store.leases.release(self._name, self._holder)

    def _take(self) -> None:
        # A power cut ends its holder as well.
        with self._ledger.transaction(synced=False) as store:
            self.held_by = store.leases.take(
                self._name, self._holder, seconds=LEASE_SECONDS, is_gone=is_gone
            )

    def _renew(self) -> None:
        while self.is_held and not self._left.wait(RENEWED_SECONDS):
            with suppress(ConnectionError):
                self._take()


def this_process() -> str:
    """A name for this process that no other one has, now or later: `host:pid:start`."""
    pid = os.getpid()
    return f"{_host()}:{pid}:{_started(pid) or ''}"


def is_gone(holder: str) -> bool:
    """Whether a process is known to have ended: it ran on this machine, and does not now."""
    host, _, rest = holder.rpartition(":")[0].rpartition(":")
    started = holder.rpartition(":")[2]
    if host != _host() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    now = _started(int(rest))
    return now is not None and now != started


def _host() -> str:
    """This machine, and the container on it: process numbers mean nothing beyond."""
    host = socket.gethostname()
    # Machines may have one name, and every machine's first container has one number.
    with suppress(OSError):
        host += f"/{Path('/etc/machine-id').read_text(encoding='ascii')[:8]}"
    with suppress(OSError):
        host += f"/{Path('/proc/self/ns/pid').stat().st_ino}"
    return host


def _started(pid: int) -> str | None:
    """When a process started, in ticks since boot; '' for a zombie.

    None where the system does not tell.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in {"Z", "X"} else fields[19]
