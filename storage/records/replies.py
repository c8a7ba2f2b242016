"""Replies that are owed, were sent, or came back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class ReplyState(StrEnum):
    """How far an owed reply has come."""

    OWED = "owed"
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"
    # The server took it, and the recipient's sent it back.
    BOUNCED = "bounced"


@dataclass(frozen=True, slots=True)
class OwedReply:
    """A reply that must leave: the complete mail and where it goes.

    Attributes:
        letter: Number of the letter it answers; None for a reminder.
        content: The RFC 5322 message as it goes out.
        id: Row number; 0 before it is stored.
        attempts: How often sending was tried, this time included when leased.
        is_to_stranger: Whether nobody knows its recipient; those are bounded together.
    """

    letter: int | None
    recipient: str
    subject: str
    message_id: str
    content: bytes = field(repr=False)
    id: int = 0
    attempts: int = 0
    owed_at: datetime | None = None
    is_to_stranger: bool = False


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail of ours, and when it was owed."""

    message_id: str
    owed_at: datetime


@dataclass(frozen=True, slots=True)
class SentReply:
    """A reply in the outbox, as `show` tells it."""

    id: int
    letter: int | None
    recipient: str
    subject: str
    message_id: str
    content: bytes = field(repr=False)
    state: ReplyState
    attempts: int
    owed_at: datetime
    settled_at: datetime | None = None
    last_error: str | None = None
    returned_code: str | None = None
    returned_text: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """A reply that came back.

    Attributes:
        is_new: Whether that was not known yet.
        is_for_good: False: it is delayed and still on its way.
    """

    reply: int
    letter: int | None
    message_id: str
    is_new: bool
    is_for_good: bool


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Replies to one address that did not arrive, and that no operator has settled yet.

    Attributes:
        bounced: Those that came back.
        undeliverable: Those that our own server did not take.
        last_at: When the last of them was known.
        last_error: What was said then.
        letters: Whose replies they are, the latest few.
    """

    address: str
    bounced: int
    undeliverable: int
    last_at: datetime
    last_error: str
    letters: tuple[int, ...]

    @property
    def is_marked(self) -> bool:
        """Whether so many came back that the address is likely wrong."""
        return self.bounced >= BOUNCES_MARK


BOUNCES_MARK = 3
"""Replies that came back from an address before it is marked."""
