"""What `poll` and `receive` rely on, and the faults that only time can mend.

The adapters are `mailbox.py` (IMAP), `outbox.py` (SMTP), `sandbox.py` (reading in
a child process) and `storage.store`; `tests/fakes.py` has the quick ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from ingest.letters.terms import Letter, Marked
from layouts.completeness import MonthState
from layouts.findings import Finding
from layouts.terms import Checked, Context, LegalEntity, Parsed, Receipt, RegisterKey
from storage.records import (
    Claim,
    LetterFacts,
    Location,
    OwedReply,
)


class MailboxUnavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """The IMAP server cannot be used now; the pass ends and the letters stay."""


class OutboxUnavailable(ConnectionError):  # noqa: N818 - the same
    """The SMTP server cannot be used now; replies wait."""


class RecipientRefused(Exception):  # noqa: N818 - the server's verdict
    """The recipient's server refused this reply for good (5xx)."""


class Deferred(Exception):  # noqa: N818 - the server's verdict
    """The server asked to try this one reply again later (4xx)."""


class ReaderFailed(Exception):  # noqa: N818 - a state of the reader
    """Our own code failed on a letter; its text names the kind and place only."""


@dataclass(frozen=True, slots=True)
class RawLetter:
    """One letter as fetched.

    Attributes:
        content: The raw bytes; only the header when `size` is over `letter_mb`.
        size: RFC822.SIZE of the whole letter.
        received_at: INTERNALDATE, UTC.
        missing: The server gave no bytes for it, though it names it.
    """

    location: Location
    content: bytes = field(repr=False)
    size: int
    received_at: datetime
    header_only: bool = False
    missing: bool = False


class Mailbox(Protocol):
    """One IMAP folder that letters arrive in."""

    name: str

    @property
    def folder(self) -> str:
        """Its name, the second part of the ledger's key."""

    def uids(self) -> tuple[int, Sequence[int]]:
        """Open the folder: its UIDVALIDITY and every UID in it, ascending.

        Raises:
            MailboxUnavailable: it cannot be reached, or refused us.
        """

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        """The letters in batches, oldest first; what has gone meanwhile is left out.

        Raises:
            MailboxUnavailable: the connection broke.
        """

    def file(self, uids: Sequence[int], outcome: str) -> None:
        """Move letters into the folder for their outcome; made when it is missing.

        Raises:
            MailboxUnavailable: the connection broke, or the server refused.
        """

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for mail with IDLE; False when the time ran out or IDLE is unknown."""

    def close(self) -> None:
        """Log out, quietly."""


class Postman(Protocol):
    """Sends complete mails over one open connection."""

    def send(self, reply: OwedReply) -> None:
        """Hand one reply to the server.

        Raises:
            OutboxUnavailable: no connection; try all of them later.
            Deferred: this one later.
            RecipientRefused: this one never.
        """

    def close(self) -> None:
        """Quit, quietly."""


@dataclass(frozen=True, slots=True)
class Read:
    """What the reading of one letter's bytes gave; its documents' bytes are gone.

    Every password candidate is already masked in `letter.subject`, in every
    finding's `seen` and in names.
    """

    letter: Letter
    parsed: tuple[Parsed, ...] = ()


class Reader(Protocol):
    """Reads hostile bytes where they can do no harm."""

    def read_together(self, letters: Sequence[RawLetter]) -> Sequence[Future[Read]]:
        """Begin to read letters, one after the other: a future for each, in their order.

        A future never raises for a fault of the sender: bytes that kill or
        exhaust their reader give a `Read` with the finding `too-costly`. Any
        other death of a child is a fault of time: `ConnectionError`.
        """

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """The letter's workbooks with the findings marked in them.

        Args:
            raw: The letter once more.
            wanted: Findings by the SHA-256 of the document they are of.
            language: Of the marks.

        Returns:
            By SHA-256; without those that cannot be marked, or only at too high a cost.
        """

    def close(self) -> None:
        """End every child."""


class Mark(Protocol):
    """Marks the workbooks of the letter in hand: `Reader.mark` with its bytes."""

    def __call__(
        self, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """See `Reader.mark`."""


class Store(Protocol):
    """The database inside one transaction; made by `storage.ledger`.

    Every method may raise `storage.ledger.StoreUnavailable`.
    """

    def entity(self, user_code: str) -> LegalEntity | None:
        """The legal entity with its points and meters, also an inactive one."""

    def entities_by_inn(self, inn: str) -> list[LegalEntity]:
        """Every active entity with this taxpayer number."""

    def context(self, entity: LegalEntity, parsed: Parsed, received_at: datetime) -> Context:
        """What the rules may know about this document."""

    def record(
        self,
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
    ) -> Receipt:
        """Keep a submission, its findings and the values its changes carry."""

    def owe(self, reply: OwedReply, now: datetime) -> None:
        """Keep a reply that must leave."""

    def claim(
        self,
        location: Location | None,
        sha256: str,
        size: int,
        received_at: datetime,
        now: datetime,
    ) -> Claim:
        """The letter's ledger row, made when new; one attempt more is counted."""

    def unclaim(self, letter: int) -> None:
        """Take an attempt back: a fault of time ended the pass."""

    def settle(
        self,
        letter: int,
        outcome: str,
        facts: LetterFacts,
        entity: LegalEntity | None,
        now: datetime,
    ) -> None:
        """The letter has its verdict."""

    def quarantine(self, letter: int, error: str, now: datetime) -> None:
        """A person must look; `error` says what at, without secrets."""

    def entity_without_zeros(self, user_code: str) -> LegalEntity | None:
        """The one entity whose code is this one before it lost its leading zeros."""

    def locked_until(self, user_code: str, address: str, now: datetime) -> datetime | None:
        """Until when an address may not try a user code; None when it may.

        One that has authenticated with the code has a lock of its own only, any
        other its domain's too.
        """

    def authentication_failed(
        self,
        user_code: str,
        address: str,
        now: datetime,
        max_failures: int,
        lockout: timedelta,
    ) -> None:
        """Count a wrong password; from `max_failures` on each one locks for twice as long."""

    def authentication_succeeded(self, user_code: str, address: str, now: datetime) -> None:
        """Forget the failures of an address; it is known with this user code from now on."""

    def has_authenticated(self, address: str) -> bool:
        """Whether an address ever proved itself, with whatever user code."""

    def replies_to(self, address: str, since: datetime) -> int:
        """How many replies were owed to an address since then."""

    def month_state(self, month: date, entities: Sequence[LegalEntity]) -> MonthState:
        """What is in force in a month for the points and meters of these entities."""

    def last_readings(self, entity: LegalEntity) -> dict[RegisterKey, tuple[Decimal, datetime]]:
        """The last reading in force of each register, and its instant."""
