"""Rules about when: readings from the future, closed months, age and deadlines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from layouts.findings import Code, Finding
from layouts.rules.case import Assigned, Case, about, about_run, epoch, runs
from layouts.terms import Kind, Series


def without_padding(case: Case) -> list[Series]:
    """The document's series without the zeros that fill up hours to come.

    A reader that knows when the document was made has left them out already; a
    workbook does not tell, so that the moment of receipt decides.
    """
    limit = _now(case)
    if limit is None or not case.layout.future_zero:
        return list(case.parsed.series)
    return [kept for s in case.parsed.series if (kept := _cut(s, limit)).values]


def _cut(series: Series, limit: datetime) -> Series:
    if series.kind is not Kind.INTERVAL or series.end <= limit:
        return series
    last = epoch(limit)
    keep = [
        index
        for index, end in enumerate(_ends(series))
        if end <= last or series.values[index] not in {0, None}
    ]
    # Zeros before a later value that is none stay: the whole point is wrong anyway.
    if series.spans is None:
        keep = list(range(keep[-1] + 1)) if keep else []
    if len(keep) == len(series.values):
        return series
    return _only(series, keep)


def _only(series: Series, keep: Sequence[int]) -> Series:
    new = {old: index for index, old in enumerate(keep)}
    return replace(
        series,
        values=[series.values[i] for i in keep],  # type: ignore[arg-type]
        spans=None if series.spans is None else tuple(series.spans[i] for i in keep),
        not_commercial=frozenset(new[i] for i in series.not_commercial if i in new),
        places=series.places
        and replace(series.places, at=tuple(series.places.at[i] for i in keep)),
    )


def _ends(series: Series) -> Sequence[int]:
    if series.spans is not None:
        return [end for _, end in series.spans]
    step = series.step_minutes * 60
    first = epoch(series.start) + step
    return range(first, first + step * len(series.values), step)


def reading_in_future(case: Case) -> Iterator[Finding]:
    """Values of a time that had not come when the document was received.

    Offline the moment at which the document was made stands for the receipt. A
    layout that pads its month is judged by `created`, as its reader does, even
    when the sender's clock is ahead of ours.
    """
    limit = _now(case)
    if limit is None:
        return
    for item in case.held:
        if item.series.end <= limit:
            continue
        if item.series.kind is Kind.REGISTER:
            yield about(item, Code.READING_IN_FUTURE, limit=_told(limit, case))
        else:
            yield from _future_intervals(item, limit, case)


def _now(case: Case) -> datetime | None:
    received, created = case.context.received_at, case.parsed.header.created
    if received is None or created is None:
        return received or created
    return max(received, created) if case.layout.future_zero else received


def _future_intervals(item: Assigned, limit: datetime, case: Case) -> Iterator[Finding]:
    last, values = epoch(limit), item.series.values
    ends = enumerate(_ends(item.series))
    ahead = [i for i, end in ends if end > last and values[i] is not None]
    for first, final in runs(ahead):
        yield about_run(item, Code.READING_IN_FUTURE, first, final, limit=_told(limit, case))


def _told(moment: datetime, case: Case) -> str:
    return moment.astimezone(case.zone).isoformat()
