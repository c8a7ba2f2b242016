"""What is told alike to people and to scripts: moments and findings."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest.replies.texts import sentence
from layouts.findings import Finding
from layouts.months import MOSCOW


def local(moment: datetime | None) -> str | None:
    """A moment in Moscow time, as ISO 8601."""
    return moment.astimezone(MOSCOW).isoformat(timespec="seconds") if moment else None


def finding_json(item: Finding, language: str) -> dict[str, Any]:
    """One finding, as operators may see it: a foreign point is called so."""
    return {
        "code": item.code.value,
        "severity": item.severity.value,
        "place": str(item.place),
        "point": item.point,
        "channel": item.channel,
        "seen": item.seen,
        "message": sentence(item, language),
    }


def minute(moment: str | None) -> str | None:
    """An ISO moment as lists for people have it: `2026-11-22 12:00`."""
    return moment and moment[:16].replace("T", " ")
