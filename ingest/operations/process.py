"""Letters from files through the real pipeline and database, without IMAP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest.intake.outcome import Handled
from ingest.operations.told import finding_json
from layouts.terms import Receipt
from storage.records import OwedReply


@dataclass(frozen=True, slots=True)
class Processed:
    """One letter with its verdict."""

    source: str
    letter: int
    handled: Handled

    def as_json(self, language: str) -> dict[str, Any]:
        """The object of `process --json`."""
        handled = self.handled
        return {
            "source": self.source,
            "letter": self.letter,
            "outcome": handled.outcome.value,
            "entity": handled.entity.user_code if handled.entity else None,
            "findings": [finding_json(item, language) for item in handled.findings],
            "documents": [document_json(item, language) for item in handled.receipts],
            "reply": reply_json(handled.reply),
        }


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
