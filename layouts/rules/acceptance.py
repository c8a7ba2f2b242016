"""What is accepted when some of a document is wrong, and how the receipt tells it.

A mistake without a point rejects the document. A mistake in a point's data
rejects that point with all of its channels, an unknown channel that channel
alone; the rest is recorded. Warnings never reject.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layouts.findings import UNKNOWN_OBJECTS, UNREADABLE, Code, Finding, Severity, Status
from layouts.known import Assigned
from layouts.rules.case import Case
from layouts.terms import Verdict


def status_of(findings: Iterable[Finding]) -> Status:
    """The receipt's status for all that was found in one document."""
    status = Status.ACCEPTED
    for item in findings:
        status = max(status, _weight(item))
    return status


def _weight(item: Finding) -> Status:
    if item.is_error:
        if item.code in UNREADABLE:
            return Status.UNREADABLE
        return Status.UNKNOWN_OBJECTS if item.code in UNKNOWN_OBJECTS else Status.DATA_ERRORS
    return Status.REMARKS if item.severity is Severity.WARNING else Status.ACCEPTED


def verdict_of(findings: Iterable[Finding], recorded: Sequence[object]) -> Verdict:
    """The verdict, when `recorded` is what of the document will be recorded."""
    if not any(item.is_error for item in findings):
        return Verdict.ACCEPTED
    return Verdict.PARTLY_ACCEPTED if recorded else Verdict.REJECTED


def standing(case: Case, findings: Iterable[Finding]) -> tuple[Assigned, ...]:
    """The series held that none of these findings rejects."""
    errors = [item for item in findings if item.is_error]
    if not errors:
        return case.held
    if any(item.point is None and item.meter is None for item in errors):
        return ()
    rejected = _Rejected(errors, case)
    fallen = {_identity(item) for item in case.held if rejected.has_point_of(item)}
    return tuple(
        item
        for item in case.held
        if _identity(item) not in fallen and not rejected.has_channel_of(item)
    )


def _identity(item: Assigned) -> tuple[str | None, ...]:
    """The point a series belongs to: as registered, else by the document's names."""
    if item.point is not None:
        return item.point.area, item.point.code
    return item.series.area, item.series.point, item.series.meter


class _Rejected:
    """The points, meters and channels that errors keep out."""

    def __init__(self, errors: Iterable[Finding], case: Case) -> None:
        self.channels: set[tuple[str | None, ...]] = set()
        self.points: set[tuple[str | None, str | None]] = set()
        self.meters: set[str | None] = set()
        for item in errors:
            if item.code is Code.UNKNOWN_CHANNEL:
                self.channels.add((item.area, item.point, item.meter, item.channel, item.zone))
            elif item.point is not None:
                self.points.add((item.area, item.point))
            else:
                self.meters.add(item.meter)
                self.points |= _points_with(item.meter, case)

    def has_point_of(self, item: Assigned) -> bool:
        """Whether the series' point is among them, under any of its names."""
        for series in (item.series, item.original):
            if {(series.area, series.point), (None, series.point)} & self.points:
                return True
            if series.point is None and series.meter in self.meters:
                return True
        return False

    def has_channel_of(self, item: Assigned) -> bool:
        """Whether the series' channel, or its tariff zone, is among them."""
        series = item.series
        channel = (series.area, series.point, series.meter, series.channel)
        return bool({(*channel, series.zone), (*channel, None)} & self.channels)


def _points_with(meter: str | None, case: Case) -> set[tuple[str | None, str | None]]:
    """The point that a meter named without one belongs to."""
    held = {
        (None, item.series.point)
        for item in case.held
        if item.series.point is not None and meter in {item.series.meter, item.original.meter}
    }
    known = [
        (None, point.code)
        for point in case.points or ()
        if any(candidate.number == meter for candidate in point.meters)
    ]
    return held | set(known if len(known) == 1 else ())
