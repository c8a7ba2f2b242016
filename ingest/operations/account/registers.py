"""The registers that an entity reads, each with its last reading."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ingest.operations.ports import Ledger
from ingest.operations.refused import entity_named
from layouts.completeness import MonthState, register_channels, register_zones
from layouts.known import RegisterKey, meter_key
from layouts.months import MOSCOW, month_at
from layouts.points import LegalEntity, Meter, MeteringPoint


@dataclass(frozen=True, slots=True)
class Register:
    """One register of a meter at a point.

    Attributes:
        last: The last reading in force, as on the meter's face; None when there is none.
        last_at: Its moment.
        ratio: Of the transformers, at the moment asked for.
    """

    meter_id: int
    meter: str
    point: str
    point_name: str
    channel: str
    zone: str
    ratio: Decimal
    last: Decimal | None = None
    last_at: datetime | None = None

    @property
    def key(self) -> str:
        """What tells it from every other one in a form."""
        return f"{self.meter_id}.{self.channel}.{self.zone}"


def registers(ledger: Ledger, code: str, at: datetime) -> list[Register]:
    """Every register of an entity's meters that are there at a moment.

    Raises:
        Refused: the register has no such user code.
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        entity = entity_named(store, code)
        last = store.months.last_readings(entity)
        state = store.months.ever(month_at(at), [entity])
    return list(_registers(entity, last, state, at))


def _registers(
    entity: LegalEntity,
    last: dict[RegisterKey, tuple[Decimal, datetime]],
    state: MonthState,
    at: datetime,
) -> Iterator[Register]:
    for point in entity.points:
        for meter in point.meters if point.active else ():
            if not _is_there(meter, at):
                continue
            for channel in register_channels(meter, state):
                for zone in register_zones(meter, channel, state):
                    yield _register(point, meter, channel, zone, last, at)


def _is_there(meter: Meter, at: datetime) -> bool:
    day = at.astimezone(MOSCOW).date()
    return (meter.installed is None or meter.installed <= day) and (
        meter.removed is None or meter.removed >= day
    )


def _register(
    point: MeteringPoint,
    meter: Meter,
    channel: str,
    zone: str,
    last: dict[RegisterKey, tuple[Decimal, datetime]],
    at: datetime,
) -> Register:
    reading, moment = last.get((meter_key(point, meter), channel, zone), (None, None))
    then = meter.at(at)
    return Register(
        meter.id or 0, then.number, point.code, point.name, channel, zone,
        then.ratio, reading, moment,
    )  # fmt: skip
