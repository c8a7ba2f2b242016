"""Where a registry file contradicts what is recorded: each with its line and a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ingest.operations.register.registry_file import Registry
from ingest.operations.register.registry_rows import Mistake
from layouts.months import MOSCOW
from layouts.points import Meter, MeteringPoint
from storage.points.import_plan import Plan
from storage.store import Store


def contradictions(registry: Registry, plan: Plan, store: Store) -> list[Mistake]:
    """Why a file cannot be taken over by this plan; empty where it can."""
    return [
        *_of_readings(registry, plan, store),
        *_of_days(registry, plan, store),
        *_of_points(registry, plan),
    ]


def _of_readings(registry: Registry, plan: Plan, store: Store) -> Iterator[Mistake]:
    for point, meter, moment in store.registry.read_outside(plan):
        yield Mistake(registry.line(point, meter), _read_outside(meter, moment))
    for point, meter, row, reading in store.registry.too_narrow(plan):
        text = (
            f"meter {row.number} with {_face(row.digits)} digits and {_face(row.decimals)} decimals"
            f" cannot show its recorded reading {reading.normalize():f}"
        )
        yield Mistake(registry.line(point, meter, row.valid_from), text)


def _face(places: int | None) -> str:
    return "any" if places is None else str(places)


def _read_outside(meter: Meter, read: datetime) -> str:
    local = read.astimezone(MOSCOW)
    at = f"{local:%Y-%m-%d %H:%M}"
    if meter.removed is not None and local.date() > meter.removed:
        return (
            f"meter {meter.number} is removed on {meter.removed}, but its last recorded"
            f" reading is of {at}"
        )
    return (
        f"meter {meter.number} is installed on {meter.installed}, but its first recorded"
        f" reading is of {at}"
    )


def _of_days(registry: Registry, plan: Plan, store: Store) -> Iterator[Mistake]:
    closed = store.periods.closed()
    for point, meter, day in plan.dated():
        if day.replace(day=1) in closed:
            text = f"valid_from {day} is in {day:%Y-%m}, which is closed"
            yield Mistake(registry.line(point, meter, day), text)
    for point, meter in plan.unclear:
        yield Mistake(registry.line(point, meter), _unclear(point, meter))


def _unclear(point: MeteringPoint, meter: Meter | None) -> str:
    what = f"meter {meter.number}" if meter else f"point {point.code}"
    return (
        f"{what} was otherwise from its beginning: give a valid_from to what changed,"
        " or correct a mistake with --correct REASON"
    )


def _of_points(registry: Registry, plan: Plan) -> Iterator[Mistake]:
    for point in plan.twins:
        text = f"point {point.code} can be more than one point on record: its area tells which"
        yield Mistake(registry.line(point), text)
