"""The register of points: entities, metering points, meters, and what was true of them when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from layouts.months import MOSCOW


@dataclass(frozen=True, slots=True)
class MeterRow:
    """What is true of a meter from a date on.

    Attributes:
        valid_from: First day; None: from the beginning.
    """

    valid_from: date | None
    number: str
    ratio: Decimal = Decimal(1)
    digits: int | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A replaceable device at a point.

    Number, digits, decimals and ratio are those of its newest row.

    Attributes:
        digits: Places before the decimal point; the register rolls over at
            10 to this power. None when not known.
        decimals: Places after it. None when not known.
        ratio: Transformer ratio by which a difference is multiplied.
        channels: Empty: not stated, every channel is taken.
        zones: Tariff zones it counts in. Empty: not stated.
        rows: What was true when, the oldest first. Empty: what the other fields say, from
            the beginning.
    """

    number: str
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Decimal(1)
    installed: date | None = None
    removed: date | None = None
    channels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    id: int | None = field(default=None, compare=False)
    rows: tuple[MeterRow, ...] = ()

    def at(self, moment: datetime) -> Meter:
        """The meter as it counts for a step of consumption that ends at a moment.

        On the day that a row begins, the row before it still counts: the day's own
        reading is the boundary, whatever its hour.
        """
        if not self.rows:
            return self
        row = _in_force(self.rows, moment.astimezone(MOSCOW).date() - _DAY)
        return replace(
            self, number=row.number, ratio=row.ratio, digits=row.digits, decimals=row.decimals
        )

    def overlaps(self, other: Meter) -> bool:
        """Whether both were installed on one day; a meter may move within a day."""
        return (self.installed or date.min) < (other.removed or date.max) and (
            other.installed or date.min
        ) < (self.removed or date.max)


@dataclass(frozen=True, slots=True)
class PointRow:
    """What is true of a point from a date on.

    Attributes:
        valid_from: First day; None: from the beginning.
        holder: User code of the entity that answers for it; '' where a file does not say.
        source: What billing counts by: `register`, `profile`, `both`, or '' for
            registers where the point has a meter, else its profile.
    """

    valid_from: date | None
    holder: str = ""
    area: str | None = None
    max_power_kw: Decimal | None = None
    active: bool = True
    source: str = ""


_DAY = timedelta(days=1)

_Row = TypeVar("_Row", bound=MeterRow | PointRow)


def _in_force(rows: Sequence[_Row], day: date) -> _Row:
    """The last row that has begun on a day; before the first one, that one."""
    begun = [row for row in rows if row.valid_from is None or row.valid_from <= day]
    return begun[-1] if begun else rows[0]


@dataclass(frozen=True, slots=True)
class MeteringPoint:
    """A place where energy is measured.

    Area, power, activity and source are those of its newest row.

    Attributes:
        area: None matches any area a document puts it in.
        channels: Of its profile. Empty: not stated, every channel is taken.
        max_power_kw: Permitted power; None when not known.
        load: `constant` or `timed` where equal days are as they should be; else ''.
        rows: What was true when, the oldest first. Empty: what the other fields say, from
            the beginning.
    """

    code: str
    name: str = ""
    area: str | None = None
    max_power_kw: Decimal | None = None
    channels: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()
    id: int | None = field(default=None, compare=False)
    active: bool = True
    source: str = ""
    load: str = ""
    rows: tuple[PointRow, ...] = ()

    def at(self, moment: datetime) -> MeteringPoint:
        """The point as it was when an interval began at a moment."""
        if not self.rows:
            return self
        row = _in_force(self.rows, moment.astimezone(MOSCOW).date())
        return replace(
            self,
            area=row.area,
            max_power_kw=row.max_power_kw,
            active=row.active,
            source=row.source,
        )

    def holder(self, moment: datetime) -> str | None:
        """User code of the entity that held it then; None where it has always been one's."""
        if not self.rows:
            return None
        return _in_force(self.rows, moment.astimezone(MOSCOW).date()).holder


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """The organisation answerable for metering points.

    Attributes:
        addresses: E-mail addresses it mails from, in lower case.
        password_hash: Argon2id, never told; None while no password is set.
        held_at_times: Points that are another's by their newest row and were, or still
            are, this one's; for single entities only, not for lists of all of them.
    """

    user_code: str
    name: str = ""
    inn: str = ""
    addresses: tuple[str, ...] = ()
    active: bool = True
    points: tuple[MeteringPoint, ...] = ()
    password_hash: str | None = field(default=None, repr=False)
    id: int | None = field(default=None, compare=False)
    held_at_times: tuple[MeteringPoint, ...] = ()
