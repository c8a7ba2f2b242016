"""Findings that say the same of many values, put together as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from layouts.findings import COMPUTED, UNKNOWN_OBJECTS, Code, Finding, Place, Severity, finding

_OF_ONE = COMPUTED | UNKNOWN_OBJECTS

SHOWN_MOST = 100
"""Findings of one code that a reply shows; the rest is counted."""

_ALL_MOST = 300
_SEEN_MOST = 3
_POINTS_MOST = 30
_WEIGHT = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


@dataclass(frozen=True, slots=True)
class Repeat:
    """One finding, or several that differ only in place, time and text seen.

    Attributes:
        finding: The first of them; `seen` and the time only when all agree.
        places: Every place, in document order.
        spans: Periods concerned, neighbours joined; the end is None for a moment.
        seen: The first texts seen, each once.
        count: How many values they stand for.
        points: Metering points that they concern.
        meters: Meters that they concern, where no point is named.
    """

    finding: Finding
    places: tuple[Place, ...]
    spans: tuple[tuple[datetime, datetime | None], ...]
    seen: tuple[str, ...]
    count: int
    points: tuple[str, ...] = ()
    meters: tuple[str, ...] = ()


def weight(severity: Severity) -> int:
    """Where a severity comes in a list: errors first."""
    return _WEIGHT[severity]


def joined(findings: Iterable[Finding]) -> list[Repeat]:
    """Findings with repeats put together: errors first, then in document order."""
    return [_repeat(items) for items in _alike(findings)]


def _alike(findings: Iterable[Finding]) -> list[list[Finding]]:
    alike: dict[tuple[object, ...], list[Finding]] = {}
    for item in _without_files(_without_points(_without_mirrored(findings))):
        alike.setdefault(_likeness(item), []).append(item)
    together = _of_several_objects(alike.values())
    return sorted(together, key=lambda items: weight(items[0].severity))


def _of_several_objects(alike: Iterable[list[Finding]]) -> list[list[Finding]]:
    """What is said of several points in the same words is one, when their places tell them."""
    together: dict[tuple[object, ...], list[Finding]] = {}
    for number, items in enumerate(alike):
        first = items[0]
        is_placed = all(item.place.cell or item.place.line for item in items)
        # Of an unknown object its name is what is wrong.
        # Readings of a register are of one moment, runs of intervals of many.
        is_moment = first.start is None or first.zone is not None
        can_join = is_placed and is_moment and first.code not in _OF_ONE
        likeness = (*_likeness(first)[:2], *_likeness(first)[3:], first.start)
        key = likeness if can_join else (number,)
        together.setdefault(key, []).extend(items)
    return list(together.values())


def _without_points(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, all points left out told by one that lists them."""
    missing: list[str] = []
    for item in findings:
        if item.code is Code.POINT_MISSING and item.point is not None:
            missing.append(item.point)
        else:
            yield item
    if missing:
        listed = ", ".join(missing[:_POINTS_MOST])
        left = f" (+{len(missing) - _POINTS_MOST})" if len(missing) > _POINTS_MOST else ""
        yield finding(Code.POINT_MISSING, points=listed + left)


def _without_mirrored(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, of two readings that contradict each other only the first."""
    told: set[tuple[object, ...]] = set()
    for item in findings:
        at = str(item.place.cell or item.place.line)
        other = str(item.detail.get("other") or item.detail.get("line"))
        if item.code is Code.DUPLICATE_READING and (_about(item), other, at) in told:
            continue
        told.add((_about(item), at, other))
        yield item


def _without_files(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings, all files that were not read for one reason told by one that lists them.

    That there is no document is told once.
    """
    unread: dict[tuple[str | None, ...], list[Finding]] = {}
    are_none = False
    for one in findings:
        item = one
        if one.code is Code.NO_DOCUMENTS and are_none:
            item = replace(one, code=Code.ATTACHMENT_NOT_READ, severity=Severity.WARNING)
        are_none = are_none or one.code is Code.NO_DOCUMENTS
        if item.code is Code.ATTACHMENT_NOT_READ and item.detail.get("name"):
            about = item.detail.get("reason"), item.detail.get("container")
            unread.setdefault(about, []).append(item)
        else:
            yield item
    for first, *others in unread.values():
        names = dict.fromkeys(one.detail["name"] for one in (first, *others))
        yield replace(first, detail={**first.detail, "name": "\n".join(names)})


def shown(findings: Iterable[Finding], taken: Counter[Code]) -> tuple[list[Repeat], Counter[Code]]:
    """The repeats that a reply may still show, and how many findings of each code it may not.

    Args:
        findings: Of one document.
        taken: How many repeats of each code the reply shows already; counted on.
    """
    kept: list[Repeat] = []
    hidden: Counter[Code] = Counter()
    for items in _alike(findings):
        code = items[0].public_code
        hidden[code] += sum(int(item.detail.get("more", 0)) for item in items)
        if taken[code] >= SHOWN_MOST or taken.total() >= _ALL_MOST:
            hidden[code] += len(items)
            continue
        taken[code] += 1
        kept.append(_repeat(items))
    return kept, +hidden


def _likeness(item: Finding) -> tuple[object, ...]:
    detail = tuple(sorted((k, v) for k, v in item.detail.items() if k != "more"))
    return item.public_code, item.severity, _about(item), detail


def _about(item: Finding) -> tuple[str | None, ...]:
    return item.area, item.point, item.meter, item.channel, item.zone


def _repeat(items: list[Finding]) -> Repeat:
    first = items[0]
    spans = _spans(items)
    seen = tuple(dict.fromkeys(item.seen for item in items if item.seen))
    same_time = len(spans) == 1
    told = replace(
        first,
        detail={k: v for k, v in first.detail.items() if k != "more"},
        seen=seen[0] if len(seen) == 1 else None,
        start=spans[0][0] if same_time else None,
        end=spans[0][1] if same_time else None,
        count=sum(item.count for item in items),
    )
    places = tuple(dict.fromkeys(replace(item.place, file=None) for item in items))
    points = tuple(dict.fromkeys(item.point for item in items if item.point))
    meters = tuple(dict.fromkeys(item.meter for item in items if item.meter and not points))
    if len({_about(item) for item in items}) > 1:
        told = _of_all(told, items)
    return Repeat(told, places, spans, seen[:_SEEN_MOST], told.count, points, meters)


def _of_all(told: Finding, items: list[Finding]) -> Finding:
    """The finding with what all of them have in common: a point, but not its channels."""
    names = ("area", "point", "meter", "channel", "zone")
    differ = {name: None for name in names if len({getattr(item, name) for item in items}) > 1}
    return replace(told, **differ)  # type: ignore[arg-type]


def _spans(items: list[Finding]) -> tuple[tuple[datetime, datetime | None], ...]:
    timed = sorted((i.start, i.end or i.start) for i in items if i.start is not None)
    spans: list[tuple[datetime, datetime]] = []
    for start, end in timed:
        if spans and spans[-1][0] < spans[-1][1] and start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(end, spans[-1][1])
        elif not spans or spans[-1] != (start, end):
            spans.append((start, end))
    return tuple((start, end if end > start else None) for start, end in spans)
