"""Rules about register readings beside the ones before and after them.

A reading is compared with its neighbours in time, recorded ones and those of the
document alike, so that one that comes late must fit both. Enough history is one
neighbour: the first reading of a meter says nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple

from layouts.findings import Code, Finding
from layouts.rules.case import Case, about, epoch, instant
from layouts.rules.registers import decimals, register_key
from layouts.terms import ACTIVE_CHANNELS, Assigned, Meter, MeterKey, RegisterKey

HISTORY_DAYS = 0
"""Days before a document's first reading whose readings are wanted beside its neighbours."""


class Reading(NamedTuple):
    """A value of one register; `item` is None when it was recorded before."""

    at: int
    value: Decimal
    item: Assigned | None


class Step(NamedTuple):
    """Two readings in a row, at least one of them the document's.

    Attributes:
        item: The document's; the later one when both are.
        meter: As the register of points knows it.
    """

    before: Reading
    after: Reading
    item: Assigned
    meter: Meter

    @property
    def difference(self) -> Decimal:
        """How far the register went on between them."""
        return self.after.value - self.before.value

    @property
    def past_rollover(self) -> Decimal | None:
        """How far it went when it passed its last digit; None when that is not known."""
        if self.meter.digits is None:
            return None
        return self.difference + Decimal(10) ** self.meter.digits


def steps(case: Case) -> list[Step]:
    """Each two readings in a row of which the document brings one or both."""
    return case.once(_steps)


def _steps(case: Case) -> list[Step]:
    found: list[Step] = []
    brought: dict[RegisterKey, dict[int, Reading]] = defaultdict(dict)
    for item in case.registers:
        key = register_key(item)
        if key is None or (item.change is not None and item.change.stayed):
            continue
        at = item.key[3] if item.key else epoch(item.series.start)
        brought[key][at] = Reading(at, item.series.reading, item)
    for key, mine in brought.items():
        known = {at: Reading(at, value, None) for at, value in case.known.registers.get(key, ())}
        row = sorted((known | mine).values(), key=_moment)
        for before, after in pairwise(row):
            mine_of_two = after.item or before.item
            if mine_of_two is not None and mine_of_two.meter is not None:
                found.append(Step(before, after, mine_of_two, mine_of_two.meter))
    return found


_moment = attrgetter("at")


def between_readings(case: Case) -> Iterator[Finding]:
    """Registers that went back, rolled over, or went on faster than the point can draw."""
    for step in steps(case):
        limit = _most(step, case)
        if step.difference < 0:
            rolled = _is_rollover(step, limit)
            yield _told(step, Code.REGISTER_ROLLOVER if rolled else Code.READING_WENT_BACK, limit)
        elif limit is not None and step.difference > limit:
            yield _told(step, Code.ABOVE_MAXIMUM_POWER, limit)


def _is_rollover(step: Step, limit: Decimal | None) -> bool:
    """Whether passing its last digit explains a register that shows less than before.

    The permitted power must allow it, and it may be half a turn at most: where the
    power is large against the digits, a reading a little too low would pass for
    nearly a whole turn, and be billed.
    """
    over = step.past_rollover
    if over is None or limit is None:
        return False
    return over <= limit and 2 * over <= over - step.difference


def _most(step: Step, case: Case) -> Decimal | None:
    """How far the register may go on in that time, before the ratio, in kWh."""
    power = step.item.point.max_power_kw if step.item.point else None
    if power is None or step.item.series.channel not in ACTIVE_CHANNELS:
        return None
    seconds = step.after.at - step.before.at
    energy = power * case.parameters.register_power_factor * seconds / 3600
    return energy / step.meter.ratio


def _told(step: Step, code: Code, limit: Decimal | None) -> Finding:
    other = step.before if step.after.item is step.item else step.after
    told: dict[str, object] = {"other": other.value, "other_at": instant(other.at).isoformat()}
    if limit is not None:
        told["limit"] = f"{limit:.2f}"
    return about(step.item, code, seen=str(step.item.series.reading), **told)


def zone_sum(case: Case) -> Iterator[Finding]:
    """Tariff zones whose sum is not the total of the same instant.

    Displays cut off what follows their last digit, so that each zone may hide
    up to one of it. Only a meter whose zones are all in the document is judged.
    """
    for zones in case.once(_by_instant).values():
        total = zones.get("T0")
        parts = [item for zone, item in zones.items() if zone != "T0"]
        if total is None or not _is_complete(zones, total.meter):
            continue
        found = sum((item.series.reading for item in parts), Decimal(0))
        if abs(found - total.series.reading) > len(parts) * last_digit([*parts, total]):
            seen, expected = str(found), total.series.reading
            yield about(total, Code.ZONE_SUM_MISMATCH, seen=seen, expected=expected)


def _by_instant(case: Case) -> dict[tuple[MeterKey, str, datetime], dict[str, Assigned]]:
    """The document's readings by meter, channel and instant, then by zone."""
    found: dict[tuple[MeterKey, str, datetime], dict[str, Assigned]] = defaultdict(dict)
    for item in case.registers:
        if (register := register_key(item)) is not None:
            meter, channel, zone = register
            found[meter, channel, item.series.start][zone] = item
    return found


def _is_complete(zones: dict[str, Assigned], meter: Meter | None) -> bool:
    """Whether every zone of a meter is there; two at least when they are not stated."""
    parts = set(zones) - {"T0"}
    stated = set(meter.zones if meter else ()) - {"T0"}
    return parts >= stated if stated else len(parts) >= 2


def last_digit(items: list[Assigned]) -> Decimal:
    """The unit of a register's last digit; by the values when it is not registered."""
    stated = items[0].meter.decimals if items[0].meter else None
    if stated is None:
        stated = max(decimals(item.series.reading) for item in items)
    return Decimal(1).scaleb(-stated)


def no_consumption(case: Case) -> Iterator[Finding]:
    """A meter whose active energy in total is what it was; zones alone may rest."""
    rested: dict[tuple[MeterKey, datetime], dict[str, bool]] = defaultdict(dict)
    for step in steps(case):
        register = register_key(step.item)
        if register is not None and register[1] == "A+" and step.after.item is step.item:
            meter, _, zone = register
            rested[meter, step.item.series.start][zone] = step.difference == 0
    for (meter, channel, start), zones in case.once(_by_instant).items():
        known = rested.get((meter, start), {})
        if channel == "A+" and _rests(known, zones):
            item = zones.get("T0") or next(iter(zones.values()))
            yield about(item, Code.NO_CONSUMPTION, zone="T0", seen=str(item.series.reading))


def _rests(known: dict[str, bool], zones: dict[str, Assigned]) -> bool:
    """Whether the total is unchanged, or without a total every one of the zones."""
    if "T0" in zones:
        return known.get("T0", False)
    meter = next(iter(zones.values())).meter
    stated = set(meter.zones) if meter else set()
    return set(zones) >= stated and all(known.get(zone, False) for zone in zones)
