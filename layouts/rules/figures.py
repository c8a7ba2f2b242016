"""Figures that senders write beside their readings, against what is on record."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from layouts.figures import Figure, FigureKind, agrees, same
from layouts.findings import Code, Finding, finding
from layouts.known import Assigned
from layouts.rules.case import Case, epoch, instant
from layouts.rules.consumption import Reading, recorded, went_on
from layouts.rules.registers import register_key


def figures_that_prove(case: Case) -> Iterator[Finding]:
    """Previous readings, ratios and consumptions that contradict what is on record.

    They catch the wrong row, the wrong month and the wrong meter before the bill does.

    Source: the columns of the statements of readings that Russian retailers publish.
    """
    items = {_names_of(item): item for item in case.registers}
    for figure in case.parsed.figures:
        names = (figure.point, figure.meter, figure.channel, figure.zone, figure.instant)
        item = items.get(names)
        if item is None or item.meter is None:
            continue
        if figure.kind is FigureKind.RATIO:
            ratio = item.meter.at(figure.instant).ratio
            if not same(figure.value, ratio):
                yield _differs(Code.RATIO_DIFFERS, figure, item, expected=_plain(ratio))
        elif (last := _last(figure, item, case)) is not None:
            yield from _beside(last, figure, item)


def _names_of(item: Assigned) -> tuple[object, ...]:
    series = item.original
    return series.point, series.meter, series.channel, series.zone or "T0", series.start


def _last(figure: Figure, item: Assigned, case: Case) -> Reading | None:
    """The reading on record that a figure goes back to."""
    key = register_key(item)
    at = epoch(figure.instant)
    row = [r for r in case.known.registers.get(key, ()) if r[0] < at] if key else []
    if not row:
        return None
    since = epoch(figure.since) if figure.since else None
    if since is not None and since < row[0][0]:
        # Of a time before everything that is on record.
        return None
    return recorded(next((r for r in row if r[0] == since), row[-1]))


def _beside(last: Reading, figure: Figure, item: Assigned) -> Iterator[Finding]:
    if figure.kind is FigureKind.PREVIOUS:
        if not same(figure.value, last.value):
            other_at = instant(last.at).isoformat()
            told = {"expected": _plain(last.value), "other_at": other_at}
            yield _differs(Code.PREVIOUS_DIFFERS, figure, item, **told)
        return
    if item.meter is None:
        return
    meter, reading = item.meter.at(figure.instant), item.series.reading
    difference = went_on(last, Reading(epoch(figure.instant), reading, item), meter)
    if agrees(figure.kind, figure.value, reading, difference, meter.ratio) is False:
        exact = difference if figure.kind is FigureKind.DIFFERENCE else None
        if exact is None and difference is not None:
            exact = difference * meter.ratio
        expected = "" if exact is None else _plain(exact)
        yield _differs(Code.CONSUMPTION_DIFFERS, figure, item, expected=expected)


def _plain(value: Decimal) -> str:
    """A number without an exponent and without zeros behind its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _differs(code: Code, figure: Figure, item: Assigned, **detail: str) -> Finding:
    series = item.series
    names = {"area": series.area, "point": series.point, "meter": series.meter}
    names |= {"channel": series.channel, "zone": series.zone}
    return finding(
        code,
        figure.place,
        seen=figure.seen,
        start=figure.instant,
        end=figure.instant,
        **names,
        **detail,
    )
