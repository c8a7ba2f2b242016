"""What a month asks of an entity: there, missing, refused, and until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from ingest.intake.wishes import month_told
from ingest.operations.ports import Service
from ingest.operations.refused import entity_named
from ingest.operations.told import Keys
from layouts.completeness import (
    Lack,
    Missing,
    MonthState,
    channels_of,
    expected_readings,
    missing,
    reads_meters,
    register_channels,
    register_deadline,
    register_zones,
    sends_profile,
)
from layouts.months import bounds, following, last_midnight, midnight
from layouts.points import LegalEntity, Meter, MeteringPoint


class Stand(StrEnum):
    """How one thing stands that is asked for."""

    THERE = "there"
    PART = "part"
    MISSING = "missing"
    REFUSED = "refused"
    LATER = "later"


@dataclass(frozen=True, slots=True)
class Asked:
    """One thing that a month asks for: a meter's reading, or a profile.

    Attributes:
        kind: Of the lack, as `missing` calls it.
        meter: None for a profile.
        zones: Of the reading; empty for a profile.
        readings: By zone what was read, as (value, moment).
        days: Of a profile: how each day of the month stands.
        spans: What is missing of it.
        receipt: The last document with an error for it; None when it was not refused.
    """

    KEYS: ClassVar[Keys] = {
        "area": "point.area",
        "point": "point.code",
        "meter": "meter.number",
        "channel": "channel",
        "zones": "zones",
        "kind": "kind",
        "state": "stand",
        "days": "days",
        "receipt": "receipt",
    }

    kind: Lack
    stand: Stand
    point: MeteringPoint
    channel: str
    meter: Meter | None = None
    zones: tuple[str, ...] = ()
    readings: Mapping[str, tuple[Decimal, datetime]] | None = None
    days: tuple[Stand, ...] = ()
    spans: tuple[tuple[datetime, datetime], ...] = ()
    total_wh: int = 0
    receipt: int | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a month stands for an entity.

    Attributes:
        month: Its first day.
        deadline: The midnight before which it must be whole.
        is_closed: Whether its numbers are billed already.
        asked: By point, meter and channel.
    """

    KEYS: ClassVar[Keys] = {
        "month": lambda told: f"{told.month:%Y-%m}",
        "deadline": "deadline",
        "closed": "is_closed",
        "asked": "asked",
    }

    entity: LegalEntity
    month: date
    deadline: datetime
    is_closed: bool
    asked: tuple[Asked, ...]

    def count(self, *stands: Stand) -> int:
        """How many things stand so."""
        return sum(one.stand in stands for one in self.asked)

    def days_left(self, now: datetime) -> int:
        """Whole days until the deadline; 0 on its last one, less than 0 behind it."""
        left = self.deadline - timedelta(days=1) - last_midnight(now)
        return round(left / timedelta(days=1))


def standing(service: Service, code: str, month: date | None, now: datetime) -> Standing:
    """How a month stands; None: the month that people speak of now.

    Args:
        service: The wired parts.
        code: The user code.
        month: Its first day, or None.
        now: The moment of it, aware.

    Raises:
        Refused: the register has no such user code.
        ConnectionError: the database is away.
    """
    month = month or month_told(now)
    with service.ledger.reading() as store:
        entity = entity_named(store, code)
        state = store.months.state(month, [entity])
        refused = store.submissions.refused_in(code, *bounds(month))
        is_closed = month in store.periods.closed()
    # What is due only at the month's end is asked for now, too: people plan by it.
    lacks = missing(entity.points, state, max(now, bounds(month)[1]))
    by_thing = {_key(one.point, one.meter, one.channel, one.kind): one for one in lacks}
    asked = tuple(_asked(entity, state, by_thing, refused, now))
    deadline = register_deadline(month, service.parameters.register_deadline_day)
    return Standing(entity, month, deadline, is_closed, asked)


_Key = tuple[object, ...]


def _key(point: MeteringPoint, meter: Meter | None, channel: str, kind: Lack) -> _Key:
    return point.id, meter.id if meter else None, channel, kind


def _asked(
    entity: LegalEntity,
    state: MonthState,
    lacks: Mapping[_Key, Missing],
    refused: Mapping[tuple[str, str | None], int],
    now: datetime,
) -> Iterator[Asked]:
    for point in entity.points:
        if not point.active:
            continue
        if reads_meters(point, state):
            for meter in point.meters:
                yield from _registers(point, meter, state, lacks, refused, now)
        if sends_profile(point, state):
            for channel in channels_of(point, state):
                lack = lacks.get(_key(point, None, channel, Lack.PROFILE))
                yield _profile(point, channel, state, lack, refused, now)


def _registers(
    point: MeteringPoint,
    meter: Meter,
    state: MonthState,
    lacks: Mapping[_Key, Missing],
    refused: Mapping[tuple[str, str | None], int],
    now: datetime,
) -> Iterator[Asked]:
    for kind, span in expected_readings(meter, state.month):
        for channel in register_channels(meter, state):
            lack = lacks.get(_key(point, meter, channel, kind))
            zones = tuple(register_zones(meter, channel, state))
            readings = _read(meter, channel, zones, state, span)
            receipt = refused.get((point.code, meter.number)) or refused.get((point.code, None))
            stand = Stand.THERE
            if lack is not None:
                is_part = len(lack.zones) < len(zones)
                stand = Stand.PART if is_part else Stand.MISSING
                if receipt is not None:
                    stand = Stand.REFUSED
                elif span[1] > now:
                    stand = Stand.LATER
            yield Asked(
                kind, stand, point, channel, meter, zones, readings,
                spans=(span,), receipt=receipt if lack else None,
            )  # fmt: skip


def _read(
    meter: Meter,
    channel: str,
    zones: Sequence[str],
    state: MonthState,
    span: tuple[datetime, datetime],
) -> dict[str, tuple[Decimal, datetime]]:
    """The last reading of each zone within the time in which it is asked for."""
    found = {}
    begin, end = (int(moment.timestamp()) for moment in span)
    for zone in zones:
        register = state.registers.get((meter.id or 0, channel, zone))
        known = [*([register.before] if register and register.before else []),
                 *(register.readings if register else ())]  # fmt: skip
        within = [(at, value) for at, value in known if begin <= at <= end]
        if within:
            at, value = within[-1]
            found[zone] = value, datetime.fromtimestamp(at, UTC)
    return found


def _profile(
    point: MeteringPoint,
    channel: str,
    state: MonthState,
    lack: Missing | None,
    refused: Mapping[tuple[str, str | None], int],
    now: datetime,
) -> Asked:
    there = state.profiles.get((point.id or 0, channel))
    days = tuple(_days(state.month, there.spans if there else (), last_midnight(now)))
    receipt = refused.get((point.code, None))
    if Stand.MISSING not in days and Stand.PART not in days:
        stand = Stand.LATER if lack is not None else Stand.THERE
        receipt = None
    elif receipt is not None:
        stand = Stand.REFUSED
    else:
        stand = Stand.PART if Stand.THERE in days or Stand.PART in days else Stand.MISSING
    total = there.total_wh if there else 0
    return Asked(Lack.PROFILE, stand, point, channel, days=days, total_wh=total, receipt=receipt)


def _days(month: date, spans: Sequence[tuple[int, int]], until: datetime) -> Iterator[Stand]:
    day = month
    while day < following(month):
        start = midnight(day)
        end = midnight(day + timedelta(days=1))
        if end > until:
            yield Stand.LATER
        else:
            first, last = int(start.timestamp()), int(end.timestamp())
            covered = sum(max(0, min(b, last) - max(a, first)) for a, b in spans)
            whole = covered == last - first
            yield Stand.THERE if whole else Stand.PART if covered else Stand.MISSING
        day += timedelta(days=1)
