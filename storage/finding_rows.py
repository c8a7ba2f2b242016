"""Findings to rows and back, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from layouts.findings import Code, Finding, Place, Severity
from storage.prepared import Prepared, among
from storage.rows import Rows
from storage.tables import FINDING

_KEEP = Prepared(FINDING.insert())
_OF_LETTERS = Prepared(select(FINDING).where(among(FINDING.c.letter_id)).order_by(FINDING.c.id))
_OF_SUBMISSIONS = Prepared(
    select(FINDING).where(among(FINDING.c.submission_id)).order_by(FINDING.c.id)
)


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
        _KEEP.change_each(self._driver, rows)

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
        start=row.start,
        end=row.end,
        count=row.count,
        seen=row.seen,
        detail=json.loads(row.detail),
    )
