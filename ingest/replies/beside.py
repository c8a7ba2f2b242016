"""The verdict on a file that was put into a folder, as files that lie beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ingest.letters.terms import Letter, Marked
from ingest.replies.receipt_xml import receipt_of, receipt_xml
from ingest.replies.texts import told_finding
from ingest.replies.wording import wording
from storage.records import LetterDetails

_JSON = ".verdict.json"


def unread(name: str, why: str) -> dict[str, bytes]:
    """What lies beside a file that was not taken."""
    return {_JSON: _json({"source": name, "letter": None, "outcome": "unread", "error": why})}


def verdict(
    name: str,
    details: LetterDetails,
    language: str,
    marked: Mapping[str, Marked],
    *,
    is_second: bool,
) -> dict[str, bytes]:
    """What lies beside a file: the verdict, an 80021 for each receipt, the marked workbook.

    Args:
        name: Of the file.
        details: What the ledger knows of it.
        language: Of the findings.
        marked: Workbooks with the findings in their cells, by SHA-256 of the document.
        is_second: Whether it was not read: its bytes are those of an earlier arrival, whose
            verdict this is.

    Returns:
        Contents by what is put behind the file's name.
    """
    summary, words = details.summary, wording(language)
    letter = Letter(
        details.sha256, details.size, sender=summary.sender, subject=summary.subject,
        message_id=details.message_id,
    )  # fmt: skip
    told = {
        "source": name,
        "letter": summary.id,
        "outcome": "duplicate" if is_second else summary.outcome,
        "entity": summary.entity,
        "findings": [asdict(told_finding(item, language)) for item in details.findings],
        "documents": [
            {
                "name": one.name,
                "layout": one.layout,
                "verdict": one.verdict,
                "receipt": one.receipt,
                "status": one.status,
                "values": one.values,
                "findings": [asdict(told_finding(item, language)) for item in one.findings],
            }
            for one in details.submissions
        ],
    }
    files = {
        f".verdict-{one.receipt}.xml": receipt_xml(
            receipt_of(one, one.receipt, summary.received_at), letter, words
        )
        for one in details.submissions
    }
    # An archive may hold several; the first one is numbered by its receipt, too.
    for one in details.submissions:
        if one.sha256 in marked:
            files[f".verdict-{one.receipt}.xlsx"] = marked[one.sha256].content
    # Last: who sees it finds the others there.
    return files | {_JSON: _json(told)}


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"
