"""The audit and the seals over it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Table
from sqlmodel import Field

from storage.columns import Clean, Instant
from storage.tables.base import Kept, table_of


class AuditTable(Kept, table=True):
    """Who changed what, when, from what to what; rows are only ever added."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_what_key", "what", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    who: str = Field(sa_type=Clean)
    what: str
    key: str
    # JSON; NULL before the first and after the last.
    before: str | None = None
    after: str | None = None


class SealTable(Kept, table=True):
    """A link of the chain over rows that are never changed; see seals.py."""

    __tablename__ = "seal"

    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    # JSON: by kind the last id, and each row's id with the first signs of its hash.
    upto: str
    rows: str
    sha256: str


class SealHeadTable(Kept, table=True):
    """The last seal once more: a chain that ends too early is found. One row."""

    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(primary_key=True)
    number: int
    sha256: str


AUDIT: Table = table_of(AuditTable)
