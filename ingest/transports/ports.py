"""Mail servers and folders as the service uses them, and their faults of time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ingest.letters.terms import RawLetter
from storage.records.replies import OwedReply


class _Unavailable(ConnectionError):  # noqa: N818 - a state, as its builtin kin name
    """A mail server cannot be used now.

    Attributes:
        advice: What an operator can do about it; '' where nothing is known.
    """

    def __init__(self, told: str, advice: str = "") -> None:
        super().__init__(told)
        self.advice = advice


IDLE_SECONDS = 9 * 60.0
"""Longest wait for mail: shorter than the ten minutes after which routers forget a link."""


CLAIM_BYTES = 16 * 1024
"""Of a letter, by which it is known who claims to have sent it: hundreds are asked for at once."""


class MailboxUnavailable(_Unavailable):
    """The IMAP server cannot be used now; the pass ends and the letters stay."""


class OutboxUnavailable(_Unavailable):
    """The SMTP server cannot be used now; replies wait."""


class DropUnavailable(_Unavailable):
    """A drop folder cannot be used now; its files stay."""


class TokenUnavailable(_Unavailable):
    """An identity provider gives no access token now; the mail server cannot be signed in to."""


class RecipientRefused(Exception):  # noqa: N818 - the server's verdict
    """The recipient's server refused this reply for good (5xx)."""


class TooLarge(RecipientRefused):
    """The server takes no mail of this size (552); a smaller one may be tried."""


class Deferred(Exception):  # noqa: N818 - the server's verdict
    """The server asked to try this one reply again later (4xx)."""


class UnreadableFile(Exception):  # noqa: N818 - what the file is
    """A dropped file that is not taken; its text says why, for people."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A file in a drop folder that is whole.

    Attributes:
        key: Unique to this file: another one of the same name has another key.
        size: In bytes.
    """

    name: str
    key: str
    size: int


class Account(Protocol):
    """An account at an identity provider, by which mail servers are signed in to."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    def keep_alive(self) -> None:
        """Use a refresh token that was not used for a day: providers drop unused ones.

        Raises:
            TokenUnavailable: the provider is away, or refuses us.
        """


class Mailbox(Protocol):
    """One IMAP folder that letters arrive in."""

    name: str

    @property
    def folder(self) -> str:
        """Its name, the second part of the ledger's key."""

    def uids(self) -> tuple[int, Sequence[int]]:
        """Open the folder: its UIDVALIDITY and the UIDs in it, ascending.

        Of very many only the oldest.

        Raises:
            MailboxUnavailable: it cannot be reached, or refused us.
        """

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        """The letters in batches, oldest first; what has gone meanwhile is left out.

        Raises:
            MailboxUnavailable: the connection broke.
        """

    def headers(self, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """UID and header of each letter, or `CLAIM_BYTES` of it.

        Raises:
            MailboxUnavailable: the connection broke.
        """

    def file(self, uids: Sequence[int], outcome: str) -> None:
        """Move letters into the folder for their outcome; made when it is missing.

        Raises:
            MailboxUnavailable: the connection broke, or the server refused.
        """

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does, as it was at the last connect; None without TLS."""

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

    def greet(self) -> str:
        """Connect and log in, and send nothing: what the server was found to be.

        Raises:
            OutboxUnavailable: it cannot be reached, or refused us.
        """

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does, as it was at the last connect; None without TLS."""

    def close(self) -> None:
        """Quit, quietly."""
