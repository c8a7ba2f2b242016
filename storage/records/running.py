"""What waits for workers, which processes run, and how the mail servers fare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WaitingArrival:
    """An arrival whose raw bytes wait in the database.

    Attributes:
        source: See `Arrival`.
        key: See `Arrival`.
        received_at: Moment of receipt, UTC.
        size: In bytes, of the whole.
        content: The bytes that were fetched; b'' when the server gave none.
        header_only: The body is larger than is read.
        missing: The server gave no bytes for it.
        number: Among those that wait; 0 before it is kept.
    """

    source: str
    key: str
    received_at: datetime
    size: int
    content: bytes = field(repr=False)
    header_only: bool = False
    missing: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for workers.

    Attributes:
        letters: How many.
        held: Bytes of them.
        oldest: Since when the oldest waits; None when nothing does.
        stalled: Trips of processes without a heartbeat.
    """

    letters: int
    held: int
    oldest: datetime | None
    stalled: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process of an installation that has several.

    Attributes:
        holder: `host:pid:start`.
        role: fetch, work or send.
        version: Of the program.
        began_at: Of its first heartbeat, by the database's clock.
        beat_at: Of its last one.
        is_alive: Whether that was within `SILENT_SECONDS` of `storage.arrivals`.
    """

    holder: str
    role: str
    version: str
    began_at: datetime
    beat_at: datetime
    is_alive: bool


OUTBOX = "outbox"
"""The SMTP server's name in `server`."""

CONFIGURATION = "configuration"
"""The name in `server` under which a refused configuration is kept."""


def mailbox_named(name: str) -> str:
    """A mailbox's name in `server`."""
    return f"mailbox {name}"


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a mail server fares.

    Attributes:
        name: `mailbox NAME` or `outbox`.
        failing_since: None: it works, as far as is known.
        failed_at: Of the last fault, which is told when it is over, too; None: never.
        advice: What an operator can do about it; '' where nothing is known.
        worked_at: When something last succeeded there, not noted each time.
        certificate_ends: When its certificate does; None without TLS.
    """

    name: str
    failing_since: datetime | None
    failed_at: datetime | None
    error: str
    advice: str
    worked_at: datetime | None
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What `status` tells of the database.

    Attributes:
        undeliverable: Replies that our server did not take, and no operator has settled.
        oldest_unanswered: Receipt of the oldest letter that has no verdict, or whose
            reply has not left.
        passes: When each mailbox was last read through.
        waiting: Letters that are not tried yet, as their user code was guessed at too often.
        bounced: Replies that came back, and no operator has settled.
        marked: Addresses that replies keep coming back from.
        asking: People who asked for access and got no answer yet.
    """

    verdicts_today: Mapping[str, int]
    queue: int
    quarantined: int
    owed: int
    undeliverable: int
    oldest_unanswered: datetime | None
    passes: Mapping[str, datetime]
    waiting: int = 0
    bounced: int = 0
    marked: int = 0
    asking: int = 0
    servers: tuple[ServerState, ...] = ()
