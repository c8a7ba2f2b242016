"""Findings to rows and back, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select

from layouts.findings import Code, Finding, Place, Severity
from storage.rows import KEYS, Rows
from storage.tables import FINDING

_KEEP = FINDING.insert()
_OF_LETTERS = select(FINDING).where(FINDING.c.letter_id.in_(KEYS)).order_by(FINDING.c.id)
_OF_SUBMISSIONS = select(FINDING).where(FINDING.c.submission_id.in_(KEYS)).order_by(FINDING.c.id)


class FindingRows(Rows):
    """The findings of letters and of submissions."""

    def _keep_findings(
        self,
        findings: Sequence[Finding],
        *,
        letter_id: int | None = None,
        submission_id: int | None = None,
    ) -> None:
        owner = {"letter_id": letter_id, "submission_id": submission_id}
        rows = [{**owner, **_columns(item)} for item in findings]
        if rows:
            self._connection.execute(_KEEP, rows)

    def _findings_of_letter(self, letter: int) -> list[Finding]:
        return [_finding(row) for row in self._each([letter], _OF_LETTERS)]

    def _findings_of_submissions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Finding]]:
        rows = self._each(numbers, _OF_SUBMISSIONS)
        return ((row.submission_id, _finding(row)) for row in rows)


def _columns(item: Finding) -> dict[str, Any]:
    return {
        "code": item.code,
        "severity": item.severity,
        "file": item.place.file,
        "line": item.place.line,
        "sheet": item.place.sheet,
        "cell": item.place.cell,
        "area": item.area,
        "point": item.point,
        "meter": item.meter,
        "channel": item.channel,
        "zone": item.zone,
        "start": item.start,
        "end": item.end,
        "count": item.count,
        "seen": item.seen,
        "detail": json.dumps(dict(item.detail)),
    }


def _finding(row: Row[Any]) -> Finding:
    fields = row._mapping  # `count` and `index` are methods of a row.  # noqa: SLF001
    return Finding(
        code=Code(row.code),
        severity=Severity(row.severity),
        place=Place(row.file, row.line, row.sheet, row.cell),
        area=row.area,
        point=row.point,
        meter=row.meter,
        channel=row.channel,
        zone=row.zone,
        start=row.start,
        end=row.end,
        count=fields["count"],
        seen=row.seen,
        detail=json.loads(row.detail),
    )
