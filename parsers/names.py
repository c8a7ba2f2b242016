"""Compares a file's name with its content."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime

from layouts.document import Header
from layouts.findings import NOWHERE, Code, Finding, Severity, finding
from layouts.layout import Layout
from parsers.clock import clock

# Browsers and mail programs add these to a name that exists already.
_COPY = re.compile(r"(?:\s*\(\d+\)|\s*-\s*копия|\s+copy)+$", re.IGNORECASE)
_ENDING = re.compile(r"\.[0-9A-Za-zА-я]{1,5}$")


def name_findings(
    name: str, layout: Layout, number: str, header: Header, areas: Collection[str]
) -> list[Finding]:
    """A finding for each part of a file's name that contradicts the content.

    Args:
        name: The file's name; one of another form says nothing.
        layout: Whose form of names counts.
        number: The class that the document states.
        header: What else it states.
        areas: Codes and names of its areas.
    """
    stem = _COPY.sub("", _ENDING.sub("", re.split(r"[/\\]", name)[-1].strip()))
    if layout.file_name is None:
        return []
    match = layout.file_name.pattern.fullmatch(stem)
    if match is None:
        return []
    stated = {"class": number, **_stated(header, layout)}
    found = []
    for part, seen in match.groupdict().items():
        if seen is None or _agrees(part, seen, stated, areas):
            continue
        severity = Severity.ERROR if part in layout.file_name.errors else Severity.WARNING
        expected = stated.get(part) or ", ".join(sorted(areas)[:3])
        about: dict[str, object] = {"severity": severity, "field": part, "expected": expected}
        found.append(finding(Code.NAME_MISMATCH, NOWHERE, seen=seen, **about))
    return found


def _stated(header: Header, layout: Layout) -> dict[str, str]:
    zone = clock(layout.zone).zone

    def local(instant: datetime | None, form: str) -> str:
        return instant.astimezone(zone).strftime(form) if instant else ""

    return {
        "sender_code": header.sender_code or "",
        "sender_inn": header.sender_inn or "",
        "created": local(header.created, "%Y%m%d%H%M%S"),
        "day": local(header.period_start, "%Y%m%d"),
        "number": "" if header.number is None else str(header.number),
    }


def _agrees(part: str, seen: str, stated: dict[str, str], areas: Collection[str]) -> bool:
    if part == "area":
        return not areas or seen.casefold() in {area.casefold() for area in areas}
    # What the content does not say, or says wrongly, has a finding of its own.
    if not stated[part]:
        return True
    if part == "number":
        return seen.lstrip("0") == stated[part].lstrip("0")
    return seen == stated[part]
