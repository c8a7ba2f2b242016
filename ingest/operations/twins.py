"""Devices and points that stand twice in the register of points.

Before the register was true from a date, a corrected number made a second meter and an
area a second point. An import makes none any more; those of old databases stay until a
person says which of both it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations

from ingest.operations.ports import Ledger
from layouts.months import MOSCOW
from layouts.points import LegalEntity, MeteringPoint

_Read = Mapping[int | None, tuple[datetime, datetime]]
"""Moments of the first and the last reading, by the meter's id."""


@dataclass(frozen=True, slots=True)
class Twin:
    """One device, or point, that stands twice.

    Attributes:
        found: What stands twice, and why it is thought to be one.
        advice: What to do.
    """

    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.found}: {self.advice}"


def twins(ledger: Ledger) -> list[Twin]:
    """Every device and point that stands twice with values under both, entity by entity."""
    with ledger.reading() as store:
        held = [(entity, point) for entity in store.registry.entities() for point in entity.points]
        meters = [meter.id for _, point in held for meter in point.meters if meter.id is not None]
        read = store.registry.read_spans(meters)
        alike = [(entity, points) for entity, points in _of_one_code(held) if len(points) > 1]
        profiles = store.registry.with_profile([p.id or 0 for _, points in alike for p in points])
    return [
        *(twin for entity, point in held for twin in _meters(entity, point, read)),
        *(twin for entity, points in alike for twin in _points(entity, points, read, profiles)),
    ]


def _of_one_code(
    held: Iterable[tuple[LegalEntity, MeteringPoint]],
) -> Iterator[tuple[LegalEntity, list[MeteringPoint]]]:
    by_code: dict[tuple[str, str], tuple[LegalEntity, list[MeteringPoint]]] = {}
    for entity, point in held:
        by_code.setdefault((entity.user_code, point.code), (entity, []))[1].append(point)
    yield from by_code.values()


def _meters(entity: LegalEntity, point: MeteringPoint, read: _Read) -> Iterator[Twin]:
    about = f"{entity.user_code}, point {point.code}"
    for pair in combinations([m for m in point.meters if m.id in read], 2):
        older, newer = sorted(pair, key=lambda meter: read[meter.id])
        last, first = read[older.id][1], read[newer.id][0]
        # Two that are read side by side are two, and one that was taken away is gone.
        gone = older.removed is not None and older.removed <= first.astimezone(MOSCOW).date()
        if first < last or gone:
            continue
        day = last.astimezone(MOSCOW).date()
        enter = f"enter its reading of {day} under the other one (`ingest enter`)"
        if older.number == newer.number:
            found = f"{about}: meter {older.number} stands twice"
            days = f"installed {older.installed or '-'} and {newer.installed or '-'}"
            yield Twin(f"{found}, {days}", f"import the earlier one as removed {day}, and {enter}")
        elif older.installed == newer.installed is not None:
            found = f"{about}: meters {older.number} and {newer.number} are one device"
            why = f"both installed {older.installed}, the second is read since the first is not"
            yield Twin(f"{found}: {why}", f"import {older.number} as removed {day}, and {enter}")


def _points(
    entity: LegalEntity, points: Iterable[MeteringPoint], read: _Read, profiles: frozenset[int]
) -> Iterator[Twin]:
    """Points of one code of which one has no area, so that a document can mean either."""
    used = [p for p in points if p.id in profiles or any(m.id in read for m in p.meters)]
    without = [point for point in used if point.area is None]
    for point in (point for point in used if point.area is not None and without):
        yield Twin(
            f"{entity.user_code}: point {point.code} stands twice, without an area and in"
            f" {point.area}",
            "what came for both is billed twice: withdraw one of them"
            f" (`ingest withdraw RECEIPT --point {point.code}`)",
        )
