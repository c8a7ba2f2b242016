"""What is told alike to people and to scripts: moments, findings, receipts and replies."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ingest.replies.cells import lines_told, ranges_told
from ingest.replies.texts import finding_json
from layouts.months import MOSCOW
from layouts.terms import Places, Receipt
from storage.records import OwedReply

__all__ = ["document_json", "finding_json", "local", "minute", "place_told", "reply_json"]


def local(moment: datetime | None) -> str | None:
    """A moment in Moscow time, as ISO 8601."""
    return moment.astimezone(MOSCOW).isoformat(timespec="seconds") if moment else None


def minute(moment: str | None) -> str | None:
    """An ISO moment as lists for people have it: `2026-11-22 12:00`."""
    return moment and moment[:16].replace("T", " ")


def document_json(receipt: Receipt, language: str) -> dict[str, Any]:
    """One document of a letter with its receipt."""
    checked = receipt.checked
    return {
        "name": receipt.parsed.name,
        "layout": receipt.parsed.layout,
        "verdict": checked.verdict.value,
        "receipt": receipt.number,
        "status": int(checked.status),
        "values": checked.values,
        "findings": [finding_json(item, language) for item in checked.findings],
    }


def reply_json(reply: OwedReply | None) -> dict[str, Any] | None:
    """Where a reply goes."""
    if reply is None:
        return None
    return {"to": reply.recipient, "subject": reply.subject, "message_id": reply.message_id}


def place_told(places: Places | None) -> str | None:
    """Where a span's values stood: `lines 3–746`, `sheet 'A', cells C5:Z35`."""
    if places is None or not places.at:
        return None
    if places.sheet is None:
        lines = lines_told(places.at)
        return f"{'lines' if len(set(places.at)) > 1 else 'line'} {', '.join(lines)}"
    cells = ranges_told(str(places.place(n).cell) for n in range(len(places.at)))
    return f"sheet {places.sheet!r}, {'cells' if len(places.at) > 1 else 'cell'} {', '.join(cells)}"
