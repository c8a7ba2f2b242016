"""Where in its document each carried value stood, in a few numbers a span.

Values mostly stand one line, or one cell, after the other: the places of a span are
kept as runs of (first, step, count), a month of XML in one of them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from layouts.document import Places, Series
from layouts.findings import Place
from storage.columns import clean, epoch

Carried = tuple[int, int, str | None]
"""Start and end in epoch seconds, and the places, packed."""


def carried(series: Series) -> list[Carried]:
    """What an interval series covers: one span, or more where it has gaps."""
    if series.spans is None:
        if not series.values:
            return []
        return [(epoch(series.start), epoch(series.end), packed(series.places))]
    order = sorted(range(len(series.spans)), key=series.spans.__getitem__)
    joined: list[tuple[int, int, list[int]]] = []
    for index in order:
        start, end = series.spans[index]
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end, joined[-1][2]
        else:
            joined.append((start, end, []))
        joined[-1][2].append(index)
    return [(start, end, packed(series.places, indexes)) for start, end, indexes in joined]


def packed(places: Places | None, indexes: Sequence[int] | None = None) -> str | None:
    """The sheet and the runs as JSON; None when the places are not known.

    Args:
        places: Of a whole series.
        indexes: Which of them, in the order of time; None: all, as they are.
    """
    if places is None:
        return None
    at = places.at if indexes is None else [places.at[index] for index in indexes]
    if len(at) == 1 and places.sheet is None:
        return f"[null,[{at[0]},0,1]]"
    sheet = None if places.sheet is None else clean(places.sheet)
    return _JSON.encode([sheet, *_progressions(at)])


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def unpacked(text: str | None) -> Places | None:
    """The places of a span, one for each value in the order of time."""
    if text is None:
        return None
    sheet, *runs = json.loads(text)
    at = [first + step * n for first, step, count in runs for n in range(count)]
    return Places(sheet, at)


def place_at(text: str | None, index: int) -> Place:
    """Where the value at `index` of a span stood, without unpacking the others."""
    if text is None:
        return Place()
    sheet, *runs = json.loads(text)
    for first, step, count in runs:
        if index < count:
            return Places(sheet, [first + step * index]).place(0)
        index -= count
    return Place()


def _progressions(at: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """First, step and count of each stretch of evenly spaced numbers."""
    if len(at) > 1:
        step, count = at[1] - at[0], len(at)
        # Mostly it is one run: compared at once, not value by value.
        if step and list(at) == list(range(at[0], at[0] + step * count, step)):
            yield at[0], step, count
            return
    start = 0
    while start < len(at):
        step = at[start + 1] - at[start] if start + 1 < len(at) else 0
        end = start + 1
        while end < len(at) and at[end] - at[end - 1] == step:
            end += 1
        yield at[start], step, end - start
        start = end
