"""What a rule looks at: one document, its series by point, and what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from layouts.document import UNDATED, Parsed, Series
from layouts.findings import NOWHERE, Code, Finding, finding
from layouts.known import Assigned, Known
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.points import LegalEntity, MeteringPoint
from layouts.terms import Kind

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Case:
    """One document before the rules.

    Attributes:
        entity: Its sender. None offline, without a register of points.
        received_at: Moment of receipt. None offline.
        held: The series that no rule has refused so far; another case has others.
        unread: Series that could not be read whole, or dated: judged, but never recorded.
        overrides: Codes that an operator decides against.
    """

    parsed: Parsed
    layout: Layout
    parameters: Parameters
    entity: LegalEntity | None = None
    received_at: datetime | None = None
    known: Known = field(default_factory=Known)
    held: tuple[Assigned, ...] = ()
    unread: tuple[Assigned, ...] = ()
    overrides: frozenset[Code] = frozenset()
    _worked_out: dict[object, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, work: Callable[[Case], _T]) -> _T:
        """What `work` gives for this case, worked out for the first who asks."""
        if work not in self._worked_out:
            self._worked_out[work] = work(self)
        found: _T = self._worked_out[work]
        return found

    def with_held(self, held: tuple[Assigned, ...]) -> Case:
        """The case of these series; itself, with what was worked out, when they are its own."""
        return self if held == self.held else replace(self, held=held)

    @property
    def points(self) -> tuple[MeteringPoint, ...] | None:
        """The sender's points; None offline, without a register of points."""
        return self.entity.points if self.entity else None

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the layout's dates and deadlines."""
        return ZoneInfo(self.layout.zone)

    @property
    def intervals(self) -> tuple[Assigned, ...]:
        """The interval series held: a layout has series of one kind only."""
        return self.held if self.layout.kind is Kind.INTERVAL else ()

    @property
    def registers(self) -> tuple[Assigned, ...]:
        """The register readings held whose values could be read."""
        return self.once(_registers)


def _registers(case: Case) -> tuple[Assigned, ...]:
    if case.layout.kind is not Kind.REGISTER:
        return ()
    return tuple(item for item in case.held if item.series.values)


Rule = Callable[[Case], Iterable[Finding]]
"""A rule tells what it finds in the series that the rules before it left standing."""


def about(item: Assigned, code: Code, key: str = "", /, **detail: object) -> Finding:
    """A finding about a whole series, where its `key` is named, else at its first value."""
    series = item.series
    span = {} if series.start == UNDATED else {"start": series.start, "end": series.end}
    return finding(
        code,
        series.place_of(key) if series.places else NOWHERE,
        **{**span, **names_of(series), **detail},  # type: ignore[arg-type]
    )


def about_value(item: Assigned, code: Code, index: int, **detail: object) -> Finding:
    """A finding about one value of a series."""
    start, end = item.series.span(index)
    return finding(
        code,
        item.series.place(index),
        **{"start": start, "end": end, **names_of(item.series), **detail},  # type: ignore[arg-type]
    )


def about_run(item: Assigned, code: Code, first: int, last: int, **detail: object) -> Finding:
    """A finding about successive values of a series.

    Args:
        item: The series and its point.
        code: What is found.
        first: Index of the first value.
        last: Of the last one; included.
        detail: What the code's sentence names beside them.
    """
    end = item.series.span(last)[1]
    return about_value(item, code, first, end=end, count=last - first + 1, **detail)


def names_of(series: Series) -> dict[str, str | None]:
    """What findings call a series."""
    return {
        "area": series.area,
        "point": series.point,
        "meter": series.meter,
        "channel": series.channel,
        "zone": series.zone,
    }


def present(series: Series) -> Sequence[int]:
    """The values of an interval series without those that the document left empty."""
    if None in series.values:
        return [value for value in series.values if value is not None]  # type: ignore[misc]
    return series.values  # type: ignore[return-value]


def instant(seconds: int) -> datetime:
    """Epoch seconds as an aware instant in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def epoch(moment: datetime) -> int:
    """An aware instant as epoch seconds."""
    return int(moment.timestamp())


def is_beside(series: Series, item: Assigned) -> bool:
    """Whether a series is of the meter, channel and instant of another as its sender wrote it."""
    own = item.original
    there = (series.meter, series.channel, series.start)
    return there == (own.meter, own.channel, own.start) and series.point in (None, own.point)
