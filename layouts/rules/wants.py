"""What the rules want to know of what is on record: the only place that says it.

A window of history is the own number of the rule that looks at it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from layouts.document import Parsed
from layouts.known import (
    Assigned,
    MeterKey,
    RegisterWindow,
    SeriesKey,
    SumsWanted,
    Wants,
    meter_key,
)
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.points import LegalEntity
from layouts.rules import assign, consumption, past, period, profile, together
from layouts.rules.case import Case, epoch
from layouts.rules.registers import register_key
from layouts.rules.versions import version_of
from layouts.terms import Kind

_DAY = 86400
_HISTORY_DAYS = max(past.USUAL_DAYS, profile.REPEAT_DAYS, profile.FLAT_DAYS)


def wants(
    parsed: Parsed,
    layout: Layout,
    entity: LegalEntity | None,
    received_at: datetime | None,
    parameters: Parameters,
) -> Wants:
    """What the rules want to know of one document, and its series with points and meters.

    Args:
        parsed: As read.
        layout: The one that claims it.
        entity: Its sender, None offline.
        received_at: None offline.
        parameters: Of the rules.
    """
    case = Case(parsed, layout, parameters, entity, received_at)
    items = assign.assign(period.without_padding(case), entity, case.zone)
    spoilt = [series for series in parsed.spoilt if series.is_unread]
    unread = assign.assign(spoilt, entity, case.zone)
    held = [item for item in items if item.point is not None]
    version = None if received_at is None else version_of(parsed, layout, received_at, 0)
    return Wants(
        entity=entity,
        received_at=received_at,
        sha256=parsed.sha256,
        part=parsed.part,
        layout=layout.number,
        zone=layout.zone,
        version=version,
        assigned=items,
        unread=unread,
        unknown=assign.unassigned((*items, *unread)),
        history_days=_HISTORY_DAYS,
        registers=_registers(held),
        sums=_sums(held),
        high_enough=_high_enough(parsed, layout, parameters),
    )


def _high_enough(parsed: Parsed, layout: Layout, parameters: Parameters) -> int | None:
    """A number that has been reached, so that this one is no surprise."""
    if layout.order[:1] != ("number",) or parsed.header.number is None:
        return None
    return parsed.header.number - parameters.number_ahead


def _registers(held: Iterable[Assigned]) -> RegisterWindow | None:
    """The meters whose readings concern a document, around its first and last instant."""
    meters: dict[int, MeterKey] = {}
    instants: list[int] = []
    for item in held:
        meters |= dict(_meters(item))
        instants += epoch(item.series.start), epoch(item.series.end)
    if not meters:
        return None
    back = consumption.HISTORY_DAYS * _DAY if _is_register(held) else 0
    return RegisterWindow(meters, min(instants) - back, max(instants))


def _is_register(held: Iterable[Assigned]) -> bool:
    return any(item.series.kind is Kind.REGISTER for item in held)


def _meters(item: Assigned) -> Iterator[tuple[int, MeterKey]]:
    if item.point is None:
        return
    day = item.series.start.date() - timedelta(days=consumption.EXCHANGE_DAYS)
    for meter in item.point.meters:
        exchanged = (meter.removed or date.min) >= day or (meter.installed or date.min) >= day
        wanted = item.series.kind is Kind.INTERVAL or meter is item.meter or exchanged
        if meter.id is not None and wanted:
            yield meter.id, meter_key(item.point, meter)


def _sums(held: Iterable[Assigned]) -> dict[SeriesKey, SumsWanted]:
    """The profile's sums between the readings that a document brings or lies between."""
    by_owner: dict[SeriesKey, list[Assigned]] = defaultdict(list)
    for item in held:
        if item.point is not None and item.point.meters:
            by_owner[item.owner].append(item)
    wanted: dict[SeriesKey, SumsWanted] = {}
    for owner, items in by_owner.items():
        starts = [epoch(item.series.start) for item in items]
        ends = [epoch(item.series.end) for item in items]
        point = items[0].point
        if point is None or point.id is None:
            continue
        wanted[owner] = SumsWanted(
            point.id,
            frozenset(meter_key(point, meter) for meter in point.meters),
            frozenset(epoch(item.series.start) for item in items if register_key(item)),
            min(starts),
            max(ends),
            together.LONGEST_SECONDS,
        )
    return wanted
