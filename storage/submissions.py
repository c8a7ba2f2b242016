"""Submissions: one document of a letter each, and what became of the values it carries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, select

from layouts.findings import Finding
from layouts.terms import Kind
from storage.columns import epoch, instant
from storage.findings import Findings
from storage.places import unpacked
from storage.prepared import Prepared, among
from storage.records import CarriedValues, SubmissionDetails
from storage.session import Part, Session
from storage.tables import (
    CARRIED,
    METER,
    POINT,
    READING,
    READING_HISTORY,
    SERIES,
    SPAN,
    SUBMISSION,
    VALUE,
    VALUE_HISTORY,
)

_SpanKey = tuple[int, int, int]
"""Submission, series and end."""

_BEFORE_IT = select(func.count()).where(SUBMISSION.c.letter_id == bindparam("letter_id"))
_HAND_IN = Prepared(
    SUBMISSION.insert()
    .values(position=_BEFORE_IT.scalar_subquery(), letter_id=bindparam("letter_id"))
    .returning(SUBMISSION.c.id)
)


class Submissions(Part):
    """Receipts: their facts, their findings, and what they carried."""

    def __init__(self, session: Session, findings: Findings) -> None:
        super().__init__(session)
        self._findings = findings

    def add(self, facts: Mapping[str, Any], findings: Sequence[Finding]) -> int:
        """Keep one submission of a letter, behind those that it has; its receipt number.

        Args:
            facts: The columns of `submission`, without `position`.
            findings: What was found in the document, in the order told.
        """
        number = int(_HAND_IN.scalar(self._driver, facts) or 0)
        self._findings.keep(findings, submission_id=number)
        return number

    def of_letter(self, letter: int) -> list[SubmissionDetails]:
        """Every submission of a letter, in the letter's order."""
        rows = self._connection.execute(
            select(SUBMISSION)
            .where(SUBMISSION.c.letter_id == letter)
            .order_by(SUBMISSION.c.position)
        ).all()
        findings: Mapping[int, list[Finding]] = defaultdict(list)
        for owner, item in self._findings.of_submissions([row.id for row in rows]):
            findings[owner].append(item)
        carried = self._carried_by([row.id for row in rows])
        return [
            _details(row, tuple(findings[row.id]), tuple(carried.get(row.id, ()))) for row in rows
        ]

    def _carried_by(self, submissions: Sequence[int]) -> Mapping[int, list[CarriedValues]]:
        """By submission: a row for each span of a profile and for each register reading."""
        told: dict[int, list[CarriedValues]] = defaultdict(list)
        for submission, row in [*self._spans_by(submissions), *self._readings_by(submissions)]:
            told[submission].append(row)
        return told

    def _spans_by(self, submissions: Sequence[int]) -> list[tuple[int, CarriedValues]]:
        in_force = {_span(r): r.count_ for r in self._each(submissions, _IN_FORCE)}
        before = {_span(r): r.count_ for r in self._each(submissions, _BEFORE)}
        since: dict[_SpanKey, dict[int, int]] = defaultdict(dict)
        for row in self._each(submissions, _SINCE):
            since[_span(row)][row.replaced_by] = row.count_
        rows = sorted(
            self._each(submissions, _SPANS), key=lambda r: (r.code, r.area, r.channel, r.start)
        )
        return [
            (
                row.submission_id,
                CarriedValues(
                    kind=Kind.INTERVAL,
                    area=row.area or None,
                    point=row.code,
                    meter=None,
                    channel=row.channel,
                    zone=None,
                    start=instant(row.start),
                    end=instant(row.end),
                    places=unpacked(row.places),
                    in_force=in_force.get(_span(row), 0),
                    replaced=before.get(_span(row), 0),
                    replaced_since=tuple(sorted(since[_span(row)].items())),
                ),
            )
            for row in rows
        ]

    def _readings_by(self, submissions: Sequence[int]) -> list[tuple[int, CarriedValues]]:
        rows = sorted(
            self._each(submissions, _READINGS),
            key=lambda r: (r.code, r.area, r.number, r.instant, r.channel, r.zone),
        )
        return [(row.submission_id, _reading(row)) for row in rows]


def _details(
    row: Row[Any], findings: tuple[Finding, ...], carried: tuple[CarriedValues, ...]
) -> SubmissionDetails:
    return SubmissionDetails(
        receipt=row.duplicate_of or row.id,
        name=row.name,
        container=row.container,
        part=row.part,
        sha256=row.sha256,
        size=row.size,
        layout=row.layout,
        created_at=row.created_at,
        verdict=row.verdict,
        status=row.status,
        values=row.accepted_values,
        findings=findings,
        carried=carried,
    )


def _reading(row: Any) -> CarriedValues:
    at = instant(row.instant)
    since = () if row.ended_by is None else ((row.ended_by, 1),)
    # A reading equal to the one in force was not written again.
    value = row.value if row.was is None else row.was
    return CarriedValues(
        kind=Kind.REGISTER,
        area=row.area or None,
        point=row.code,
        meter=row.number,
        channel=row.channel,
        zone=row.zone,
        start=at,
        end=at,
        places=unpacked(row.places),
        in_force=int(row.in_force_by == row.submission_id),
        replaced=int(row.before is not None),
        replaced_since=since,
        value=value,
        value_before=row.before,
        replaced_at=None if row.ended_at is None else instant(epoch(row.ended_at)),
    )


def _span(row: Any) -> _SpanKey:
    return row.submission_id, row.series_id, row.end


def _inside(table: Any) -> Any:
    return (
        (table.c.series_id == SPAN.c.series_id)
        & (table.c.start >= SPAN.c.start)
        & (table.c.start < SPAN.c.end)
    )


def _counted(table: Any, by: Any, *more: Any) -> Prepared:
    """Values of each span that came, or were ended, by the span's own submission."""
    key = (SPAN.c.submission_id, SPAN.c.series_id, SPAN.c.end)
    return Prepared(
        select(*key, *more, func.count().label("count_"))
        .join_from(SPAN, table, _inside(table))
        .where(among(SPAN.c.submission_id), by == SPAN.c.submission_id)
        .group_by(*key, *more)
    )


_IN_FORCE = _counted(VALUE, VALUE.c.submission_id)
_BEFORE = _counted(VALUE_HISTORY, VALUE_HISTORY.c.replaced_by)
_SINCE = _counted(VALUE_HISTORY, VALUE_HISTORY.c.submission_id, VALUE_HISTORY.c.replaced_by)
_SPANS = Prepared(
    select(SPAN, SERIES.c.channel, POINT.c.code, POINT.c.area)
    .join_from(SPAN, SERIES)
    .join(POINT, POINT.c.id == SERIES.c.point_id)
    .where(among(SPAN.c.submission_id))
)


def _same_reading(table: Any) -> Any:
    names = ("meter_id", "channel", "zone", "instant")
    first, *rest = (table.c[name] == CARRIED.c[name] for name in names)
    for condition in rest:
        first &= condition
    return first


def _readings_and_what_became() -> Select[Any]:
    ended, began = READING_HISTORY.alias("ended"), READING_HISTORY.alias("began")
    return (
        select(
            CARRIED, METER.c.number, POINT.c.code, POINT.c.area,
            READING.c.value, READING.c.submission_id.label("in_force_by"),
            ended.c.value.label("was"), ended.c.replaced_by.label("ended_by"),
            ended.c.replaced_at.label("ended_at"), began.c.value.label("before"),
        )
        .join_from(CARRIED, METER)
        .join(POINT, POINT.c.id == METER.c.point_id)
        .join(READING, _same_reading(READING), isouter=True)
        .join(ended, _same_reading(ended) & (ended.c.submission_id == CARRIED.c.submission_id),
              isouter=True)
        .join(began, _same_reading(began) & (began.c.replaced_by == CARRIED.c.submission_id),
              isouter=True)
        .where(among(CARRIED.c.submission_id))
    )  # fmt: skip


_READINGS = Prepared(_readings_and_what_became())
