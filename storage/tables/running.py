"""What the service keeps of its own running: servers, passes, leases, costs, arrivals."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Table, UniqueConstraint
from sqlmodel import Field

from storage.columns import Clean, Instant
from storage.tables.base import Kept, table_of


class InstanceTable(Kept, table=True):
    """What makes this installation itself; one row."""

    __tablename__ = "instance"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(primary_key=True)
    # The secret behind our Message-IDs: the same letter always gives the same one.
    message_id_key: bytes


class MailboxPassTable(Kept, table=True):
    """When a mailbox was last read through to its end."""

    __tablename__ = "mailbox_pass"

    mailbox: str = Field(primary_key=True)
    passed_at: datetime = Field(sa_type=Instant)


class ServerTable(Kept, table=True):
    """How a mail server fares, as the process that speaks to it last found."""

    __tablename__ = "server"

    # Such as `mailbox main`, or `outbox`.
    name: str = Field(primary_key=True)
    # NULL: it works, as far as is known.
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    # The last fault; it stays when the server works again.
    failed_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str = Field(default="", sa_type=Clean)
    advice: str = Field(default="", sa_type=Clean)
    worked_at: datetime | None = Field(default=None, sa_type=Instant)
    certificate_ends: datetime | None = Field(default=None, sa_type=Instant)


class LeaseTable(Kept, table=True):
    """Which process does what only one may do, and until when; by the database's clock."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)


class CostTable(Kept, table=True):
    """CPU time that a payer caused in one minute, numbered since 1970 by the database's clock."""

    __tablename__ = "cost"

    minute: int = Field(primary_key=True, sa_type=BigInteger)
    payer: str = Field(primary_key=True)
    cpu_ms: int = Field(sa_type=BigInteger)


class ArrivalTable(Kept, table=True):
    """A letter that waits for a worker with its raw bytes, until it is put away."""

    __tablename__ = "arrival"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
    key: str
    received_at: datetime = Field(sa_type=Instant)
    size: int = Field(sa_type=BigInteger)
    # Raw bytes; NULL once it has its verdict.
    content: bytes | None = None
    held: int = Field(sa_type=BigInteger)
    header_only: bool
    missing: bool
    announced_at: datetime = Field(sa_type=Instant)
    # Not tried before then.
    due_at: datetime = Field(sa_type=Instant)
    # Number of the queue's job that carries it; NULL before there is one.
    job: int | None = Field(default=None, sa_type=BigInteger)
    # The process that works on it.
    holder: str | None = None
    outcome: str | None = None


class ProcessTable(Kept, table=True):
    """A process of an installation that has several, until it has no heartbeat for a day."""

    __tablename__ = "process"

    holder: str = Field(primary_key=True)
    role: str
    version: str
    began_at: datetime = Field(sa_type=Instant)
    beat_at: datetime = Field(sa_type=Instant)


INSTANCE: Table = table_of(InstanceTable)
PASS: Table = table_of(MailboxPassTable)
SERVER: Table = table_of(ServerTable)
