"""Versions: which of a document's values come into force, in whatever order it arrives.

For every interval and every register reading the value in force is that of the
newest accepted document of the layout that carries it. Here a document meets
what is in force; the store tells which spans newer documents carry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from layouts.document import Parsed, Series
from layouts.findings import Code, Finding, finding
from layouts.known import Assigned, Change, Known, RecordedIntervals, RecordedReading, Version
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.rules.case import Case, about, about_run, epoch
from layouts.rules.intervals import recorded
from layouts.rules.registers import recorded_reading
from layouts.sequences import runs
from layouts.terms import Kind


def version_of(parsed: Parsed, layout: Layout, received_at: datetime, submission: int) -> Version:
    """What orders this document among those of its layout.

    A header field that is missing, and a layout that names none, as for a
    workbook, leaves the moment of receipt to decide.

    Args:
        parsed: The document.
        layout: Its layout, which names the header fields that decide.
        received_at: When it came; aware.
        submission: Its number in the ledger, which decides when all else is equal.
    """
    received = epoch(received_at)
    keys = [_order_key(parsed, name, received) for name in layout.order] or [received]
    return Version(keys[0], keys[1] if len(keys) > 1 else 0, received, submission)


def _order_key(parsed: Parsed, name: str, received: int) -> int:
    value = getattr(parsed.header, name)
    if isinstance(value, datetime):
        return epoch(value)
    return received if value is None else int(value)


def resolve(held: Sequence[Assigned], case: Case) -> tuple[Assigned, ...]:
    """These series, each with the change that recording it would make."""
    resolved = []
    for item in held:
        if item.series.kind is Kind.INTERVAL:
            change = change_of_intervals(item, recorded(item, case))
        else:
            change = change_of_reading(item, _held_too(item, recorded_reading(item, case), case))
        resolved.append(
            Assigned(
                item.series, item.original, item.point, item.meter, item.faults, item.key, change
            )
        )
    return tuple(resolved)


def starts_of(series: Series) -> Sequence[int]:
    """Start of each interval in epoch seconds, in document order."""
    if series.spans is not None:
        return [start for start, _ in series.spans]
    first, step = epoch(series.start), series.step_minutes * 60
    return range(first, first + step * len(series.values), step)


def _held_too(item: Assigned, known: RecordedReading | None, case: Case) -> RecordedReading | None:
    """What is in force, held as well where it is the boundary and the other holder's.

    On the day on which a point changes hands one reading ends what the former holder is
    billed for and begins what the new one is, whatever its hour: neither replaces the
    other's, nor puts another one behind it.
    """
    point, own = item.point, case.entity.user_code if case.entity else ""
    if known is None or point is None:
        return known
    start = item.series.start
    holders = {point.holder(start), point.holder(start - timedelta(days=1))} - {own, "", None}
    if holders & known.holders and not (known.elsewhen and known.value == item.series.reading):
        return replace(known, held=True)
    return None if known.elsewhen else known


def change_of_reading(item: Assigned, known: RecordedReading | None) -> Change:
    """What a register reading does to the one in force."""
    series, point, meter = item.series, item.point, item.meter
    if known is None:
        return Change(series, point, meter, added=(0,))
    is_same = known.value == series.reading
    if known.newer or known.value is None or (known.held and not is_same):
        return Change(series, point, meter, stayed=1)
    if is_same:
        return Change(series, point, meter, kept=1)
    before, after = known.value, series.reading
    return Change(series, point, meter, replaced=(0,), before=before, after=after)


def change_of_intervals(item: Assigned, known: RecordedIntervals | None) -> Change:
    """What an interval series does to the values in force."""
    count = len(item.series.values)
    if known is None or not (known.starts or known.newer or known.held or known.other):
        return Change(item.series, item.point, added=range(count))
    same = _leading(item.series, known)
    if same is not None:
        return Change(item.series, item.point, added=range(same, count), kept=same)
    change = _one_by_one(item, known)
    if not known.other or known.newer:
        return change
    before = sum(value or 0 for _, _, value in known.other)
    return replace(change, before=change.before + before, displaced=tuple(known.other))


def _leading(series: Series, known: RecordedIntervals) -> int | None:
    """How many values are in force already, when these are just the first ones.

    This is the daily case of a cumulative month: one comparison of columns.
    """
    count = len(known.starts)
    if known.newer or known.held or known.other:
        return None
    if count > len(series.values) or series.spans is not None:
        return None
    starts = starts_of(series)
    if list(known.starts) != list(starts[:count]):
        return None
    if list(known.values) != list(series.values[:count]):
        return None
    flagged = {starts[i] for i in series.not_commercial if i < count}
    return count if flagged == set(known.not_commercial) else None


def _one_by_one(item: Assigned, known: RecordedIntervals) -> Change:
    series = item.series
    starts = starts_of(series)
    in_force = dict(zip(known.starts, known.values, strict=True))
    added: list[int] = []
    replaced: list[int] = []
    kept = stayed = before = after = 0
    newer, held = _newer(starts, known.newer), _newer(starts, known.held)
    for index, start in enumerate(starts):
        value = series.values[index]
        if newer[index] or (held[index] and value != in_force.get(start)):
            stayed += 1
        elif start not in in_force:
            added.append(index)
        elif _is_same(value, index, start, in_force, series, known):
            kept += 1
        else:
            replaced.append(index)
            before += in_force[start] or 0
            after += int(value or 0)
    return Change(
        series, item.point, None, tuple(added), tuple(replaced), kept, stayed, before, after
    )


def _is_same(
    value: int | Decimal | None,
    index: int,
    start: int,
    in_force: dict[int, int | None],
    series: Series,
    known: RecordedIntervals,
) -> bool:
    flags_agree = (index in series.not_commercial) == (start in known.not_commercial)
    return flags_agree and value == in_force[start]


def _newer(starts: Sequence[int], stay: Sequence[tuple[int, int]]) -> list[bool]:
    """For each start, whether what a newer document or an operator says of it stays."""
    marks = [False] * len(starts)
    if not stay:
        return marks
    spans = iter(sorted(stay))
    first, last = next(spans)
    for index in sorted(range(len(starts)), key=starts.__getitem__):
        start = starts[index]
        while start >= last:
            following = next(spans, None)
            if following is None:
                return marks
            first, last = following[0], max(last, following[1])
        marks[index] = first <= start
    return marks


def counted(version: Version, parsed: Parsed, known: Known, parameters: Parameters) -> Version:
    """The version that a document counts as: one with a suspicious number as the next one.

    So the corrections that follow are newer than it.

    Args:
        version: As its header says.
        parsed: The document.
        known: Holds the highest number that its sender has reached.
        parameters: Say how far ahead is suspicious.
    """
    if not _is_far_ahead(parsed, known, parameters):
        return version
    return version._replace(first=(known.highest or 0) + 1)


def _is_far_ahead(parsed: Parsed, known: Known, parameters: Parameters) -> bool:
    number, highest = parsed.header.number, known.highest
    if number is None or highest is None:
        return False
    return number > highest + parameters.number_ahead


def suspicious_version(case: Case) -> Iterator[Finding]:
    """A document's number out of all proportion to the ones before it.

    Source: decided here; a form whose resends are told by a running number.
    """
    if _is_far_ahead(case.parsed, case.known, case.parameters):
        highest = case.known.highest or 0
        seen = str(case.parsed.header.number)
        yield finding(Code.SUSPICIOUS_VERSION, seen=seen, other=highest, expected=highest + 1)


def older_version(case: Case) -> Iterator[Finding]:
    """Newer documents carry all that this one carries.

    What only an operator's entry keeps out waits for the operator's decision.

    Source: the forms' own order of resends (`created`, or the running number of 80020).
    """
    changes = [item.change for item in case.held if item.change is not None]
    stayed = sum(change.stayed for change in changes)
    adds = any(c.added or c.replaced or c.kept for c in changes)
    if stayed and not adds and any(_has_newer(item, case) for item in case.held):
        yield finding(Code.OLDER_VERSION, count=stayed)


def _has_newer(item: Assigned, case: Case) -> bool:
    """Whether a newer document carries a series, or some of it."""
    register = item.series.kind is Kind.REGISTER
    known = recorded_reading(item, case) if register else recorded(item, case)
    return known is not None and bool(known.newer)


def values_zeroed(case: Case) -> Iterator[Finding]:
    """Values other than zero that this document replaces by zeros.

    Source: decided here; a system that has lost its values sends zeros for them.
    """
    for item in case.held:
        change = item.change
        if change is None or not change.replaced:
            continue
        if change.series.kind is Kind.REGISTER:
            if not change.after:
                yield about(item, Code.VALUES_ZEROED)
            continue
        zeros = [i for i in change.replaced if change.series.values[i] == 0]
        if not zeros:
            continue
        known = recorded(item, case) or RecordedIntervals()
        in_force = dict(zip(known.starts, known.values, strict=True))
        starts = starts_of(change.series)
        for first, last in runs(i for i in zeros if in_force.get(starts[i])):
            yield about_run(item, Code.VALUES_ZEROED, first, last)


def held_by_operator(case: Case) -> Iterator[Finding]:
    """Values that differ from what holds: an operator's, or the point's other holder's.

    Source: decided here; a 52005 is sent anew every day and would undo what an act says.
    """
    for item in case.held:
        if item.series.kind is Kind.REGISTER:
            yield from _held_reading(item, case)
            continue
        known = recorded(item, case)
        if known is None or not known.held:
            continue
        in_force = dict(zip(known.starts, known.values, strict=True))
        starts = starts_of(item.series)
        held = _newer(starts, known.held)
        values = item.series.values
        differ = [i for i, at in enumerate(starts) if held[i] and in_force.get(at) != values[i]]
        for first, last in runs(differ):
            told = {"seen": str(values[first]), "expected": in_force.get(starts[first], "")}
            yield about_run(item, Code.HELD_BY_OPERATOR, first, last, **told)


def _held_reading(item: Assigned, case: Case) -> Iterator[Finding]:
    known = recorded_reading(item, case)
    reading = _held_too(item, known, case)
    if reading is None or not reading.held or reading.value == item.series.reading:
        return
    seen = str(item.series.reading)
    if known is not None and known.held:
        expected = "" if known.value is None else known.value
        yield about(item, Code.HELD_BY_OPERATOR, seen=seen, expected=expected)
    else:
        # What another entity handed in is not told to this one.
        yield about(item, Code.HELD_BY_HOLDER, seen=seen)


def value_changed(case: Case) -> Iterator[Finding]:
    """What this document replaces: how many values, their sum before and after.

    Source: decided here; who bills must hear that a value is another one.
    """
    for item in case.held:
        change = item.change
        if change is None or not (change.replaced or change.displaced):
            continue
        # What comes in another step replaces what was there in sum.
        anew = sum(int(change.series.values[i] or 0) for i in change.added if change.displaced)
        yield about(
            item,
            Code.VALUE_CHANGED,
            count=len(change.replaced) + len(change.displaced),
            before=change.before,
            after=change.after + anew,
            unit=change.series.unit,
        )
