"""Closed months, their numbers, and suspicions."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Table
from sqlmodel import Field

from storage.columns import Clean, Instant
from storage.tables.base import Kept, table_of


class PeriodTable(Kept, table=True):
    """A month that was closed, and perhaps opened again."""

    __tablename__ = "period"

    # Such as 2026-11.
    month: str = Field(primary_key=True)
    closed: bool
    by: str
    at: datetime = Field(sa_type=Instant)


class SnapshotTable(Kept, table=True):
    """What a month's numbers were when it was closed, or when billing took them."""

    __tablename__ = "snapshot"
    __table_args__ = (CheckConstraint("kind IN ('closing', 'migrated', 'export')", name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    month: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    by: str = Field(sa_type=Clean)
    sha256: str
    row_count: int


class SnapshotRowTable(Kept, table=True):
    """One number of a snapshot."""

    __tablename__ = "snapshot_row"

    snapshot_id: int = Field(primary_key=True, foreign_key="snapshot.id")
    position: int = Field(primary_key=True)
    entity: str = Field(sa_type=Clean)
    point_id: int
    area: str = Field(sa_type=Clean)
    point: str = Field(sa_type=Clean)
    channel: str
    zone: str
    source: str
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    quality: str
    codes: str
    value_count: int
    missing_count: int
    late: bool
    receipt: int | None = None


class SuspicionTable(Kept, table=True):
    """That a document's values are doubtful: a code, over a span of a series or register."""

    __tablename__ = "suspicion"
    __table_args__ = (CheckConstraint("(series_id IS NULL) <> (meter_id IS NULL)", name="owner"),)

    id: int | None = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", index=True)
    code: str
    series_id: int | None = Field(default=None, foreign_key="interval_series.id", index=True)
    meter_id: int | None = Field(default=None, foreign_key="meter.id", index=True)
    channel: str
    # '' for a profile.
    zone: str
    start: int = Field(sa_type=BigInteger)
    end: int = Field(sa_type=BigInteger)
    raised_at: datetime = Field(sa_type=Instant)


class SuspicionAcceptedTable(Kept, table=True):
    """That an operator takes doubtful values for true, and why."""

    __tablename__ = "suspicion_accepted"

    suspicion_id: int = Field(primary_key=True, foreign_key="suspicion.id")
    at: datetime = Field(sa_type=Instant)
    who: str = Field(sa_type=Clean)
    reason: str = Field(sa_type=Clean)


PERIOD: Table = table_of(PeriodTable)
SNAPSHOT: Table = table_of(SnapshotTable)
SNAPSHOT_ROW: Table = table_of(SnapshotRowTable)
SUSPICION: Table = table_of(SuspicionTable)
SUSPICION_ACCEPTED: Table = table_of(SuspicionAcceptedTable)
