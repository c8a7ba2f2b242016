"""Findings to rows and back, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import select

from layouts.findings import Code, Finding, Place, Severity
from storage.prepared import Prepared, among
from storage.session import Part
from storage.tables import FINDING

_KEEP = Prepared(FINDING.insert())
_OF_LETTERS = Prepared(select(FINDING).where(among(FINDING.c.letter_id)).order_by(FINDING.c.id))
_OF_SUBMISSIONS = Prepared(
    select(FINDING).where(among(FINDING.c.submission_id)).order_by(FINDING.c.id)
)


class Findings(Part):
    """The findings of letters and of submissions."""

    def keep(
        self,
        findings: Sequence[Finding],
        *,
        letter_id: int | None = None,
        submission_id: int | None = None,
    ) -> None:
        """Keep findings of a letter, or of a submission, in their order."""
        rows = [(letter_id, submission_id, *_values(item)) for item in findings]
        _KEEP.change_each(self._driver, _COLUMNS, rows)

    def of_letter(self, letter: int) -> list[Finding]:
        """Findings of a letter itself."""
        return [_finding(row) for row in self._each([letter], _OF_LETTERS)]

    def of_submissions(self, numbers: Sequence[int]) -> Iterator[tuple[int, Finding]]:
        """Findings of submissions, each with the receipt number."""
        rows = self._each(numbers, _OF_SUBMISSIONS)
        return ((row.submission_id, _finding(row)) for row in rows)


_COLUMNS = (
    *("letter_id", "submission_id", "code", "severity", "file", "line", "sheet", "cell"),
    *("area", "point", "meter", "channel", "zone", "start", "end", "count", "seen", "detail"),
)


def _values(item: Finding) -> tuple[Any, ...]:
    """Beside `_COLUMNS`, its owner left out."""
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
        start=row.start,
        end=row.end,
        count=row.count,
        seen=row.seen,
        detail=json.loads(row.detail),
    )
