"""Numbers that are billed, suspicions, and what operators enter or withdraw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class Quality(StrEnum):
    """How far a value can be trusted."""

    VALID = "valid"
    SUSPECT = "suspect"
    NOT_COMMERCIAL = "not-commercial"


@dataclass(frozen=True, slots=True)
class Number:
    """What is billed: consumption of a point's channel and tariff zone in one month.

    Attributes:
        entity: User code of the one who held the point.
        source: `register` or `profile`.
        energy: In Wh or varh; None where nothing can be billed.
        codes: Of open suspicions.
        values: How many values or steps of consumption it is made of.
        missing: How many intervals, or registers, are missing or not commercial.
        late: Whether any of it came after its deadline.
        receipt: The last one that it rests on.
    """

    entity: str
    area: str | None
    point: str
    point_id: int
    channel: str
    zone: str
    source: str
    energy: int | None
    quality: Quality
    codes: tuple[str, ...]
    values: int
    missing: int
    late: bool
    receipt: int | None

    @property
    def key(self) -> tuple[str, str, str, int, str, str]:
        """What it is the number of; sorts."""
        return (
            self.entity, self.point, self.area or "", self.point_id, self.channel, self.zone,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A number that differs; None where there is none on that side."""

    before: Number | None
    after: Number | None

    @property
    def named(self) -> Number | None:
        """The side that there is: both have the same entity, point, channel and zone."""
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A month's numbers as they were kept once.

    Attributes:
        id: Its number; an export's number is this one.
        kind: `closing`, `migrated` (closed before snapshots were taken) or `export`.
        sha256: Over its rows as text.
    """

    id: int
    kind: str
    month: date
    at: datetime
    by: str
    sha256: str
    row_count: int


@dataclass(frozen=True, slots=True)
class SeenValue:
    """A value beside or under a suspicion.

    Attributes:
        at: Start of the interval, or the reading's instant.
        value: Wh or varh of the interval, or the reading; None where there is none.
        receipt: Who brought it.
        replaced_by: The receipt that took it out of force; None: it is in force.
    """

    at: datetime
    value: int | Decimal | None
    receipt: int
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A suspicion: values that were taken and are doubtful.

    Attributes:
        start: Of the span, in UTC; a reading's step begins there.
        accepted_by: Who took the values for true, and why; None while it is open.
    """

    id: int
    code: str
    entity: str
    area: str | None
    point: str
    meter: str | None
    channel: str
    zone: str | None
    start: datetime
    end: datetime
    receipt: int
    raised_at: datetime
    accepted_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """That an operator hands in on an entity's behalf."""

    operator: str
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawalSubject:
    """What a withdrawal would be of.

    Attributes:
        receipt: Its number.
        entity: User code of the one who handed it in.
        name: The document's.
        is_withdrawal: Whether the receipt is a withdrawal's own.
        points: Id, area and code of each metering point that it brought values of.
        first: The earliest moment that it brought a value of.
    """

    receipt: int
    entity: str
    name: str
    is_withdrawal: bool
    points: tuple[tuple[int, str | None, str], ...]
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did.

    Attributes:
        receipt: Its own number.
        restored: How many values that were replaced before are in force again.
        removed: How many values have none in their place.
        kept: How many stay, because a newer document carries them, too.
        points: The points concerned.
    """

    receipt: int
    restored: int
    removed: int
    kept: int
    points: tuple[int, ...]
