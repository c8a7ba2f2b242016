"""Energy and readings in force, what they were before, and which documents carry them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, Table, UniqueConstraint
from sqlmodel import Field

from storage.columns import Clean, Instant, Micro
from storage.tables.base import BY_KEY, Kept, table_of


class IntervalSeriesTable(Kept, table=True):
    """A point's channel at one step; a point whose step changes has two."""

    __tablename__ = "interval_series"
    __table_args__ = (UniqueConstraint("point_id", "channel", "step_minutes"),)

    id: int | None = Field(default=None, primary_key=True)
    point_id: int = Field(foreign_key="metering_point.id")
    channel: str
    step_minutes: int


class IntervalValueTable(Kept, table=True):
    """The energy in force for one interval, and the submission it came by.

    The keys of `SubmissionSpanTable` vouch for its series and submission, and for those of
    `IntervalHistoryTable`: a key here would be checked for every single value.
    """

    __tablename__ = "interval_value"
    __table_args__ = BY_KEY

    series_id: int = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    # NULL: the document has the interval, without a value.
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    not_commercial: bool = False
    submission_id: int


class IntervalHistoryTable(Kept, table=True):
    """What an interval's value was before a submission replaced it."""

    __tablename__ = "interval_history"
    __table_args__ = BY_KEY

    series_id: int = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    replaced_by: int = Field(primary_key=True)
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    not_commercial: bool = False
    submission_id: int
    replaced_at: datetime = Field(sa_type=Instant)


class IntervalDayTable(Kept, table=True):
    """What the commercial values in force of one day sum up to, hour by hour; see days.py."""

    __tablename__ = "interval_day"
    __table_args__ = BY_KEY

    series_id: int = Field(primary_key=True, foreign_key="interval_series.id")
    # Since the epoch, in UTC+3.
    day: int = Field(primary_key=True)
    energy_wh: bytes
    highest_wh: bytes
    counts: bytes


class SubmissionSpanTable(Kept, table=True):
    """A span [start, end) of a series that a submission carries, changed or not.

    The key begins with the end: a document mostly meets the latest spans.
    """

    __tablename__ = "submission_span"
    __table_args__ = (
        CheckConstraint('"end" > start', name="order"),
        BY_KEY,
    )

    series_id: int = Field(primary_key=True, foreign_key="interval_series.id")
    end: int = Field(primary_key=True, sa_type=BigInteger)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    submission_id: int = Field(primary_key=True, foreign_key="submission.id", index=True)
    # See places.py; NULL where the reader did not tell.
    places: str | None = Field(default=None, sa_type=Clean)


class RegisterReadingTable(Kept, table=True):
    """The reading in force of one register at one instant."""

    __tablename__ = "register_reading"
    __table_args__ = BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    value: Decimal = Field(sa_type=Micro)
    submission_id: int = Field(foreign_key="submission.id")


class RegisterHistoryTable(Kept, table=True):
    """What a reading was before a submission replaced it."""

    __tablename__ = "register_history"
    __table_args__ = BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    replaced_by: int = Field(primary_key=True, foreign_key="submission.id")
    value: Decimal = Field(sa_type=Micro)
    submission_id: int = Field(foreign_key="submission.id")
    replaced_at: datetime = Field(sa_type=Instant)


class SubmissionReadingTable(Kept, table=True):
    """A register reading that a submission carries, changed or not."""

    __tablename__ = "submission_reading"
    __table_args__ = BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    submission_id: int = Field(primary_key=True, foreign_key="submission.id", index=True)
    # See places.py; NULL where the reader did not tell.
    places: str | None = Field(default=None, sa_type=Clean)


SERIES: Table = table_of(IntervalSeriesTable)
VALUE: Table = table_of(IntervalValueTable)
VALUE_HISTORY: Table = table_of(IntervalHistoryTable)
DAY: Table = table_of(IntervalDayTable)
SPAN: Table = table_of(SubmissionSpanTable)
READING: Table = table_of(RegisterReadingTable)
READING_HISTORY: Table = table_of(RegisterHistoryTable)
CARRIED: Table = table_of(SubmissionReadingTable)
