"""Runs of one finding told as one, with the span that they cover."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from layouts.findings import Code, Finding

_UNREAD = frozenset(
    {
        Code.MISSING_FIELD,
        Code.INVALID_CODE,
        Code.INVALID_DATE,
        Code.INVALID_NUMBER,
        Code.INVALID_TIME,
        Code.FORMULA_WITHOUT_VALUE,
        Code.TOO_MANY_DECIMALS,
        Code.TOO_MANY_DIGITS,
    }
)
"""Mistakes that are mended where they stand: every place of theirs is told."""


def merge_adjoining(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, each run over adjoining intervals as one with its count.

    Only findings that differ in nothing but their place, what was seen, and their
    interval are joined; the joined one keeps the first one's place and text. Values
    that cannot be read are never joined.
    """
    merged: list[Finding] = []
    open_runs: dict[object, int] = {}
    for item in findings:
        about = _subject(item)
        index = None if item.code in _UNREAD else open_runs.get(about)
        if index is not None and _adjoins(merged[index], item):
            run = merged[index]
            merged[index] = replace(run, end=item.end, count=run.count + item.count)
            continue
        open_runs[about] = len(merged)
        merged.append(item)
    return tuple(merged)


def _adjoins(run: Finding, item: Finding) -> bool:
    """Whether an interval begins where a run ends; a single instant never does."""
    return run.end is not None and run.end == item.start and item.start != item.end


def _subject(item: Finding) -> object:
    names = (item.area, item.point, item.meter, item.channel, item.zone)
    return item.code, item.severity, names, tuple(sorted(item.detail.items()))
