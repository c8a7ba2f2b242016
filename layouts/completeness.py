"""What of a month has not been handed in, as the register of points would have it.

Decided here, because no text says it:

* A point reports a profile when it has no meter, or when it has ever sent one. A
  meter is read when one of its point's meters has ever been read, or when the point
  has never sent a profile: so each point reports in one way at least.
* A profile is expected on the channels that the point is registered with, else on
  those that it has ever sent, else on A+; registers likewise, by the meter's own
  channels and zones, else the total T0.
* Whole days are asked for, up to the last midnight. An interval that was sent
  without a value, or one that is not fit for billing, is not reported: nothing can be
  billed from it.
* A meter's reading for the month is any in `(start, end]`, and is asked for when
  the month has ended. A meter removed in the month must be read on that day, one
  installed in it must have its first reading and a later one. One whose transformers
  were exchanged must be read on that day: its consumption has another ratio from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from layouts.months import bounds, following, last_midnight, midnight
from layouts.points import Meter, MeteringPoint
from layouts.terms import CHANNELS, ZONES

_DAY = timedelta(days=1)


class Lack(StrEnum):
    """What kind of thing is missing."""

    PROFILE = "profile"
    READING = "reading"
    FIRST_READING = "first-reading"
    LAST_READING = "last-reading"
    EXCHANGE_READING = "exchange-reading"


@dataclass(frozen=True, slots=True)
class ProfileMonth:
    """What is in force of one point's channel in a month.

    Attributes:
        spans: What intervals with a value that is fit for billing cover, [start, end)
            in epoch seconds, ascending.
        values: How many intervals have a value.
        not_commercial: How many of these are not fit for billing.
        total_wh: Sum of all values.
        billed_wh: Sum of the commercial ones.
    """

    spans: tuple[tuple[int, int], ...] = ()
    values: int = 0
    not_commercial: int = 0
    total_wh: int = 0
    billed_wh: int = 0


@dataclass(frozen=True, slots=True)
class RegisterMonth:
    """What is in force of one register in a month.

    Attributes:
        readings: In `(start, end]` as (instant in epoch seconds, value), ascending.
        before: The last one until the start, None when there is none.
    """

    readings: tuple[tuple[int, Decimal], ...] = ()
    before: tuple[int, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class MonthState:
    """What is in force in a month for some entities.

    Attributes:
        month: Its first day.
        profiles: By point id and channel.
        registers: By meter id, channel and zone; also of registers that have
            only readings of earlier months.
        ever: Point id and channel of every profile ever sent.
        read: Ids of the meters that were ever read.
    """

    month: date
    profiles: Mapping[tuple[int, str], ProfileMonth] = field(default_factory=dict)
    registers: Mapping[tuple[int, str, str], RegisterMonth] = field(default_factory=dict)
    ever: frozenset[tuple[int, str]] = frozenset()
    read: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that has not been handed in.

    Attributes:
        meter: None for a profile.
        zones: Of the readings that are missing; empty for a profile.
        spans: What of a profile is missing, ascending; for readings one span: the
            time in which the meter should have been read.
        whole: Nothing of it was handed in for the month.
    """

    kind: Lack
    point: MeteringPoint
    channel: str
    meter: Meter | None
    zones: tuple[str, ...]
    spans: tuple[tuple[datetime, datetime], ...]
    whole: bool


def missing(
    points: Iterable[MeteringPoint], state: MonthState, now: datetime
) -> tuple[Missing, ...]:
    """What of a month's values should be here by now and is not.

    Args:
        points: Of one entity, as stored: with their ids and those of their meters.
        state: What is in force for them.
        now: At any moment, also within the month.
    """
    found: list[Missing] = []
    for point in points:
        found += _profiles(point, state, now)
        if reads_meters(point, state):
            found += _readings(point, state, now)
    return tuple(found)


def sends_profile(point: MeteringPoint, state: MonthState) -> bool:
    """Whether a point is expected to report intervals."""
    return not point.meters or bool(_ever(point, state))


def reads_meters(point: MeteringPoint, state: MonthState) -> bool:
    """Whether a point's meters are expected to be read."""
    if not point.meters:
        return False
    return not _ever(point, state) or any(meter.id in state.read for meter in point.meters)


def channels_of(point: MeteringPoint, state: MonthState) -> tuple[str, ...]:
    """The channels on which a point's profile is expected."""
    return point.channels or _ever(point, state) or CHANNELS[:1]


def _ever(point: MeteringPoint, state: MonthState) -> tuple[str, ...]:
    return tuple(channel for channel in CHANNELS if (point.id or 0, channel) in state.ever)


def _profiles(point: MeteringPoint, state: MonthState, now: datetime) -> Iterator[Missing]:
    if not sends_profile(point, state):
        return
    start, end = bounds(state.month)
    wanted = int(start.timestamp()), int(min(end, last_midnight(now)).timestamp())
    for channel in channels_of(point, state):
        there = state.profiles.get((point.id or 0, channel), ProfileMonth())
        gaps = tuple(_gaps(wanted, there.spans))
        if gaps:
            whole = not there.spans
            yield Missing(Lack.PROFILE, point, channel, None, (), gaps, whole)


def _gaps(
    wanted: tuple[int, int], spans: Sequence[tuple[int, int]]
) -> Iterator[tuple[datetime, datetime]]:
    """What of [start, end) no span covers; spans are ascending and may touch."""
    at, end = wanted
    for first, last in spans:
        if first >= end:
            break
        if first > at:
            yield _instant(at), _instant(first)
        at = max(at, last)
    if at < end:
        yield _instant(at), _instant(end)


def _readings(point: MeteringPoint, state: MonthState, now: datetime) -> Iterator[Missing]:
    for meter in point.meters:
        for kind, span in expected_readings(meter, state.month):
            if span[1] > now:
                continue
            for channel in register_channels(meter, state):
                there = {zone: _between(meter, channel, zone, span, state) for zone in ZONES}
                zones = tuple(z for z in register_zones(meter, channel, state) if not there[z])
                if zones:
                    whole = not any(there.values())
                    yield Missing(kind, point, channel, meter, zones, (span,), whole)


def expected_readings(
    meter: Meter, month: date
) -> Iterator[tuple[Lack, tuple[datetime, datetime]]]:
    """The readings that a meter needs for a month, each with its time, both ends included."""
    start, end = bounds(month)
    installed = midnight(meter.installed) if meter.installed else None
    removed = midnight(meter.removed) if meter.removed else None
    if (removed is not None and removed < start) or (installed is not None and installed >= end):
        return
    earliest = start + timedelta(seconds=1)
    for before, row in pairwise(meter.rows):
        if row.valid_from is not None and before.ratio != row.ratio:
            day = midnight(row.valid_from)
            if start <= day < end and (removed is None or day < removed):
                yield Lack.EXCHANGE_READING, (day, day + _DAY)
    if installed is not None and installed >= start:
        yield Lack.FIRST_READING, (installed, installed + _DAY)
        earliest = min(installed + _DAY, end - _DAY) + timedelta(seconds=1)
    if removed is not None and removed < end:
        yield Lack.LAST_READING, (removed, removed + _DAY)
    else:
        yield Lack.READING, (earliest, end)


def register_channels(meter: Meter, state: MonthState) -> Sequence[str]:
    """The channels on which a meter is expected to be read."""
    if meter.channels:
        return meter.channels
    read = [c for c in CHANNELS if any((meter.id or 0, c, z) in state.registers for z in ZONES)]
    return read or CHANNELS[:1]


def register_zones(meter: Meter, channel: str, state: MonthState) -> Sequence[str]:
    """The zones in which a meter's channel is expected to be read."""
    if meter.zones:
        return meter.zones
    return [z for z in ZONES if (meter.id or 0, channel, z) in state.registers] or ZONES[:1]


def _between(
    meter: Meter, channel: str, zone: str, span: tuple[datetime, datetime], state: MonthState
) -> bool:
    """Whether a register was read in that time."""
    register = state.registers.get((meter.id or 0, channel, zone))
    if register is None:
        return False
    first, last = (int(moment.timestamp()) for moment in span)
    known = [*register.readings, *([register.before] if register.before else [])]
    return any(first <= at <= last for at, _ in known)


def register_deadline(month: date, day: int = 2) -> datetime:
    """The midnight before which a month's readings are due: the end of a day of the next."""
    return midnight(following(month).replace(day=day)) + _DAY


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
