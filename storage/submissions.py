"""Submissions: one document of a letter each, and what became of the values it carries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import starmap
from typing import Any

from sqlalchemy import Row, func, select

from layouts.exact import decimal
from layouts.findings import Finding
from layouts.terms import Kind
from storage.columns import INTEGER_MOST, instant
from storage.findings import Findings
from storage.readings.places import unpacked
from storage.records.letters import CarriedValues, HandedIn, Replacing, SubmissionDetails
from storage.session import Part, Session
from storage.tables.letters import SUBMISSION
from storage.tables.points import ENTITY

_SpanKey = tuple[int, int, int]
"""Submission, series and end."""

_OF_ENTITY = dict.fromkeys(("operator", "reason", "withdraws", "withdraws_point"))
"""What a document that the entity sent itself has not."""


class Submissions(Part):
    """Receipts: their facts, their findings, and what they carried."""

    matter = "submissions"

    def __init__(self, session: Session, findings: Findings) -> None:
        super().__init__(session)
        self._findings = findings

    def add(self, facts: Mapping[str, Any], findings: Sequence[Finding]) -> int:
        """Keep one submission of a letter, behind those that it has; its receipt number.

        Args:
            facts: The columns of `submission`, without `position`.
            findings: What was found in the document, in the order told.
        """
        number = int(self._sql.value("hand_in", **{**_OF_ENTITY, **facts}) or 0)
        self._findings.keep(findings, submission_id=number)
        return number

    def next_number(self) -> int:
        """The receipt number that SQLite gives the next submission."""
        return int(self._sql.value("last") or 0) + 1

    def hold_back_others(self, entity_id: int) -> None:
        """Have other documents of the entity wait until this transaction ends."""
        self._sql.row("hold_back_others", entity=entity_id)

    def counts(self) -> dict[int, int]:
        """How many submissions each entity has, by its id; those without any are left out."""
        of = SUBMISSION.c.entity_id
        counted = self._connection.execute(select(of, func.count()).group_by(of))
        return {row[0]: row[1] for row in counted}

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

    def one(self, receipt: int, entity: str) -> tuple[int, SubmissionDetails] | None:
        """An entity's submission with the number of its letter; None when it is not its own."""
        row = self._connection.execute(
            select(SUBMISSION)
            .join_from(SUBMISSION, ENTITY)
            .where(SUBMISSION.c.id == receipt, ENTITY.c.user_code == entity)
        ).one_or_none()
        if row is None:
            return None
        findings = tuple(item for _, item in self._findings.of_submissions([receipt]))
        carried = tuple(self._carried_by([receipt]).get(receipt, ()))
        return row.letter_id, _details(row, findings, carried)

    def handed_in(self, entity: str, before: int | None, limit: int) -> list[HandedIn]:
        """What an entity handed in, the latest first: documents, and letters without one.

        Args:
            entity: Its user code.
            before: Only letters of a lower number; None: from the latest on.
            limit: So many letters.
        """
        letters = [
            number
            for (number,) in self._sql.tuples(
                "letters_of", entity=entity, before=before or INTEGER_MOST, most=limit
            )
        ]
        return [_handed_in(row) for row in self._listed("handed_in", letters)]

    def refused_in(
        self, entity: str, first: datetime, last: datetime
    ) -> dict[tuple[str, str | None], int]:
        """The last receipt with an error in a month, by point, and by meter where one is named.

        Args:
            entity: Its user code.
            first: When the month begins; a reading of that moment closes the one before.
            last: When it ends.
        """
        rows = self._sql.rows("refused_in", entity=entity, first=first, last=last)
        return {(row.point, row.meter): row.receipt for row in rows}

    def _carried_by(self, submissions: Sequence[int]) -> Mapping[int, list[CarriedValues]]:
        """By submission: a row for each span of a profile and for each register reading."""
        told: dict[int, list[CarriedValues]] = defaultdict(list)
        for submission, row in [*self._spans_by(submissions), *self._readings_by(submissions)]:
            told[submission].append(row)
        return told

    def _spans_by(self, submissions: Sequence[int]) -> list[tuple[int, CarriedValues]]:
        in_force = {_span(r): r.count_ for r in self._listed("in_force", submissions)}
        before = {_span(r): r.count_ for r in self._listed("replaced_others", submissions)}
        since: dict[_SpanKey, dict[int, int]] = defaultdict(dict)
        for row in self._listed("replaced_since", submissions):
            since[_span(row)][row.replaced_by] = row.count_
        rows = self._listed("spans", submissions)
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
                    replaced_since=tuple(starmap(Replacing, sorted(since[_span(row)].items()))),
                ),
            )
            for row in rows
        ]

    def _readings_by(self, submissions: Sequence[int]) -> list[tuple[int, CarriedValues]]:
        rows = self._listed("readings", submissions)
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


def _handed_in(row: Any) -> HandedIn:
    return HandedIn(
        letter=row.letter_id,
        receipt=row.id,
        duplicate_of=row.duplicate_of,
        received_at=instant(row.received_at),
        source=row.mailbox or "",
        sender=row.sender,
        subject=row.subject,
        outcome=row.outcome,
        name=row.name or "",
        layout=row.layout,
        verdict=row.verdict,
        values=row.accepted_values or 0,
        findings=row.findings,
        operator=row.operator,
        withdraws=row.withdraws,
    )


def _reading(row: Any) -> CarriedValues:
    at = instant(row.instant)
    since = () if row.ended_by is None else (Replacing(row.ended_by, 1),)
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
        value=None if value is None else decimal(value),
        value_before=None if row.before is None else decimal(row.before),
        replaced_at=None if row.ended_at is None else instant(row.ended_at),
    )


def _span(row: Any) -> _SpanKey:
    return row.submission_id, row.series_id, row.end
