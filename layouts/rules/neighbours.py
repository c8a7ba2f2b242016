"""Documents of one letter held against each other: which of them counts is never guessed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

from layouts.document import Parsed, Series
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from layouts.rules.case import epoch, names_of
from layouts.rules.versions import starts_of
from layouts.terms import Kind

MOST_TOLD = 1_000
"""Of a document with more contradictions nothing is accepted."""

_Version = tuple[object, ...] | None


@dataclass(frozen=True, slots=True)
class _Claim:
    """One series of one of the documents.

    Attributes:
        document: Its number in the letter.
        version: What the document itself states of its age; None when it states nothing.
    """

    document: int
    version: _Version
    parsed: Parsed
    series: Series

    def differs(self, other: _Claim) -> list[int]:
        """Indexes of the values that the other one gives differently."""
        if self.series.kind is Kind.REGISTER:
            return [0] if self.series.reading != other.series.reading else []
        theirs = dict(zip(starts_of(other.series), other.series.values, strict=True))
        mine = zip(starts_of(self.series), self.series.values, strict=True)
        return [i for i, (at, value) in enumerate(mine) if at in theirs and theirs[at] != value]

    def is_of(self, other: _Claim) -> bool:
        """Whether the other one claims the same place, and no version decides."""
        points = {self.series.point, other.series.point} - {None}
        decided = None not in (self.version, other.version) and self.version != other.version
        return self.document != other.document and len(points) < 2 and not decided


def against_each_other(
    documents: Sequence[Parsed], layouts: Mapping[str, Layout]
) -> tuple[Parsed, ...]:
    """The documents of a letter, with an error at each value that another one contradicts.

    Versions decide between documents that state one each; a workbook states none.

    Source: decided here.
    """
    claims: defaultdict[tuple[object, ...], list[_Claim]] = defaultdict(list)
    for number, parsed in enumerate(documents):
        layout = layouts.get(parsed.layout or "")
        if layout is None or len(documents) == 1:
            continue
        version = _version(parsed, layout)
        for series in parsed.series:
            of = claims[layout.number, *_key(series)]
            if not of or of[-1].document != number:
                of.append(_Claim(number, version, parsed, series))
    told: defaultdict[int, list[Finding]] = defaultdict(list)
    for rivals in claims.values():
        for claim in rivals if _may_differ(rivals) else ():
            mine = told[claim.document]
            if len(mine) > MOST_TOLD or (found := _contradiction(claim, rivals)) is None:
                continue
            # One of no point refuses all of the document.
            mine.append(found if len(mine) < MOST_TOLD else finding(found.code))
    return tuple(
        replace(parsed, findings=(*parsed.findings, *told[number])) if told[number] else parsed
        for number, parsed in enumerate(documents)
    )


def _version(parsed: Parsed, layout: Layout) -> _Version:
    stated = tuple(getattr(parsed.header, name) for name in layout.order)
    return None if not stated or None in stated else stated


def _key(series: Series) -> tuple[object, ...]:
    if series.kind is Kind.INTERVAL:
        return series.area, series.point, series.channel
    zone = series.zone or "T0"
    return (series.meter or "").lstrip("0"), series.channel, zone, epoch(series.start)


def _may_differ(rivals: Sequence[_Claim]) -> bool:
    """Whether any two of them are of one time: the days of a month in a letter are not."""
    if rivals[0].series.kind is Kind.REGISTER:
        return any(claim.series.reading != rivals[0].series.reading for claim in rivals)
    spans = sorted((claim.series.start, claim.series.end) for claim in rivals)
    return any(following[0] < before[1] for before, following in pairwise(spans))


def _contradiction(claim: _Claim, rivals: Sequence[_Claim]) -> Finding | None:
    """What a series gives differently than the first one that contradicts it."""
    series = claim.series
    for other in rivals:
        different = claim.differs(other) if claim.is_of(other) else []
        if not different:
            continue
        where = partial(_where, other, claim.parsed)
        place, about = series.place(different[0]), names_of(series)
        if series.kind is Kind.REGISTER:
            return finding(
                Code.DUPLICATE_READING,
                place,
                seen=str(series.reading),
                expected=other.series.reading,
                start=series.start,
                **about,
                **where(0),
            )
        start, end = series.span(different[0])[0], series.span(different[-1])[1]
        at = list(starts_of(other.series)).index(starts_of(series)[different[0]])
        count = len(different)
        return finding(
            Code.DUPLICATE_INTERVAL,
            place,
            start=start,
            end=end,
            count=count,
            **about,
            **where(at),
        )
    return None


def _where(claim: _Claim, seen_from: Parsed, index: int) -> dict[str, Any]:
    """Where a value stands in another document, as its sender finds it: `b.xlsx, Лист2!F8`."""
    parsed, place = claim.parsed, claim.series.place(index)
    file = parsed.name if parsed.name != seen_from.name or place.sheet is None else ""
    cell = f"{place.sheet}!{place.cell}" if place.sheet and place.cell else place.sheet
    found = {"other": ", ".join(part for part in (file, cell) if part), "line": place.line}
    return {name: at for name, at in found.items() if at}
