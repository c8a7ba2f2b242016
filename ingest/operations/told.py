"""Results as JSON and for listings; `replies.told` makes the JSON."""

from __future__ import annotations

from datetime import datetime

from ingest.replies.texts import ToldFinding, title, told_finding
from ingest.replies.told import (
    MERGED,
    Document,
    Keys,
    as_json,
    attribute,
    fact_told,
    local,
    place_told,
    reply_text,
)
from layouts.known import Receipt
from layouts.months import MOSCOW

__all__ = [
    "MERGED", "Document", "Keys", "ToldFinding", "as_json", "attribute", "document_of",
    "fact_told", "local", "minute", "place_told", "reply_text", "title", "told_finding",
]  # fmt: skip


def document_of(receipt: Receipt, *, is_kept: bool = True) -> Document:
    """A document as it is told; one that was only checked has no number."""
    parsed, checked = receipt.parsed, receipt.checked
    return Document(
        name=parsed.name,
        layout=parsed.layout,
        verdict=checked.verdict.value,
        receipt=receipt.number if is_kept else None,
        status=int(checked.status),
        values=checked.values,
        findings=tuple(checked.findings),
    )


def minute(moment: datetime) -> str:
    """A moment as lists for people have it: `2026-11-22 12:00`, in Moscow time."""
    return f"{moment.astimezone(MOSCOW):%Y-%m-%d %H:%M}"
