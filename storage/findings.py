"""Findings to rows and back, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from layouts.findings import Code, Finding, Place, Severity
from storage.columns import instant
from storage.session import Part


class Findings(Part):
    """The findings of letters and of submissions."""

    matter = "findings"

    def keep(
        self,
        findings: Sequence[Finding],
        *,
        letter_id: int | None = None,
        submission_id: int | None = None,
    ) -> None:
        """Keep findings of a letter, or of a submission, in their order."""
        rows = [(letter_id, submission_id, *_values(item)) for item in findings]
        self._sql.each("keep", rows)

    def of_letter(self, letter: int) -> list[Finding]:
        """Findings of a letter itself."""
        return [_finding(row) for row in self._sql.rows("of_letter", letter=letter)]

    def of_submissions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Finding]]:
        """Findings of submissions, each with the receipt number."""
        rows = self._listed("of_submissions", numbers)
        return ((row.submission_id, _finding(row)) for row in rows)


def _values(item: Finding) -> tuple[Any, ...]:
    """In the order of the statement's columns, its owner left out."""
    place = item.place
    return (
        *(item.code, item.severity, place.file, place.line, place.sheet, place.cell),
        *(item.area, item.point, item.meter, item.channel, item.zone),
        *(item.start, item.end, item.count, item.seen, json.dumps(dict(item.detail))),
    )


def _finding(row: Any) -> Finding:
    return Finding(
        code=Code(row.code),
        severity=Severity(row.severity),
        place=Place(row.file, row.line, row.sheet, row.cell),
        area=row.area,
        point=row.point,
        meter=row.meter,
        channel=row.channel,
        zone=row.zone,
        start=None if row.start is None else instant(row.start),
        end=None if row.end is None else instant(row.end),
        count=row.count,
        seen=row.seen,
        detail=json.loads(row.detail),
    )
