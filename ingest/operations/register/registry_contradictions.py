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
        yield _read_outside(registry.line(point, meter), meter, moment)
    for point, meter, row, reading in store.registry.too_narrow(plan):
        line = registry.line(point, meter, row.valid_from)
        yield Mistake.of(
            line, "too_narrow", meter=row.number, digits=_face(row.digits),
            decimals=_face(row.decimals), reading=f"{reading.normalize():f}",
        )  # fmt: skip


def _face(places: int | None) -> str:
    return "—" if places is None else str(places)


def _read_outside(line: int, meter: Meter, read: datetime) -> Mistake:
    local = read.astimezone(MOSCOW)
    is_after = meter.removed is not None and local.date() > meter.removed
    what, day = ("read_after", meter.removed) if is_after else ("read_before", meter.installed)
    return Mistake.of(
        line, what, meter=meter.number, day=day, at=local.isoformat(" ", "minutes")[:16]
    )


def _of_days(registry: Registry, plan: Plan, store: Store) -> Iterator[Mistake]:
    closed = store.periods.closed()
    for point, meter, day in plan.dated():
        if day.replace(day=1) in closed:
            line = registry.line(point, meter, day)
            yield Mistake.of(line, "closed", day=day, month=f"{day:%Y-%m}")
    for point, meter in plan.unclear:
        yield _unclear(registry.line(point, meter), point, meter)


def _unclear(line: int, point: MeteringPoint, meter: Meter | None) -> Mistake:
    if meter is not None:
        return Mistake.of(line, "meter_unclear", meter=meter.number)
    return Mistake.of(line, "point_unclear", point=point.code)


def _of_points(registry: Registry, plan: Plan) -> Iterator[Mistake]:
    for point in plan.twins:
        yield Mistake.of(registry.line(point), "twins", point=point.code)
