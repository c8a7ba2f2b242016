"""Where accounts hand in files: one reader for all of them, made when first needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Lock

from ingest.operations.account.sessions import Visitor
from ingest.operations.hand_in import File, HandedIn, Sender, Way, hand_in
from ingest.operations.ports import Service
from ingest.reading import Reader

KEPT_FOR = timedelta(hours=1)
"""How long a checked file is kept for the button that hands it in."""


class Desk:
    """Takes files; several threads may call it.

    Args:
        current: The service as it is wired now; a reload swaps it, and the reader with it.
    """

    def __init__(self, current: Callable[[], Service]) -> None:
        self._current = current
        self._lock = Lock()
        self._made: tuple[Service, Reader] | None = None

    def take(
        self,
        file: File,
        way: Way,
        of: Visitor,
        now: datetime,
        *,
        dry_run: bool,
        by_mail: bool = False,
    ) -> HandedIn:
        """Check a file, or hand it in, for a visitor's entity.

        Args:
            file: As it was uploaded, or made of what was typed.
            way: How it came.
            of: Who hands in.
            now: The moment of receipt.
            dry_run: Only check.
            by_mail: Mail the reply, too: to the user, else to the entity's first address.

        Raises:
            ConnectionError: database or readers are away.
        """
        mail_to = (of.account.address or None) if by_mail else ""
        sender = Sender(way, of.entity, of.who, mail_to=mail_to)
        return self.take_from(sender, file, now, dry_run=dry_run)

    def take_from(self, sender: Sender, file: File, now: datetime, *, dry_run: bool) -> HandedIn:
        """Check a file, or hand it in, for whoever hands in.

        Args:
            sender: Who hands in, for whom.
            file: As it came.
            now: The moment of it, aware.
            dry_run: Only check, and record nothing.

        Raises:
            NoSuchEntity: the register has no such user code, or it is switched off.
            ConnectionError: database or readers are away.
        """
        service, reader = self._reader()
        return hand_in(file, sender, service.ledger, service.policy, reader, now, dry_run=dry_run)

    def _reader(self) -> tuple[Service, Reader]:
        service = self._current()
        with self._lock:
            if self._made is None or self._made[0] is not service:
                self._end()
                self._made = service, service.reader()
            return self._made

    def close(self) -> None:
        """End the reader."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._made is not None:
            self._made[1].close()
            self._made = None


def keep(service: Service, whose: str, file: File, now: datetime) -> None:
    """Keep a file that was checked until it is handed in.

    One for each of those who check: another one takes its place.

    Args:
        service: The wired parts.
        whose: Who checked it, in which browser.
        file: As it was sent.
        now: The moment of it, aware.
    """
    with service.ledger.transaction() as store:
        store.accounts.keep_upload(whose, file.sha256, file.name, file.content, now, KEPT_FOR)


def kept(service: Service, whose: str, digest: str, now: datetime) -> File | None:
    """The file that somebody had checked; None when it is not kept any more.

    Args:
        service: The wired parts.
        whose: Who checked it, in which browser.
        digest: The file's SHA-256.
        now: The moment of it, aware.
    """
    with service.ledger.reading() as store:
        found = store.accounts.upload(whose, digest, now - KEPT_FOR)
    return File(*found) if found else None
