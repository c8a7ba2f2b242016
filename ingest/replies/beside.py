"""The verdict on a file that was put into a folder, as files that lie beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.letters.terms import Letter, Marked
from ingest.replies.receipt_xml import receipt_of, receipt_xml
from ingest.replies.told import Document, as_json
from ingest.replies.wording import wording
from layouts.findings import Finding
from storage.records.letters import LetterDetails

_JSON = ".verdict.json"


@dataclass(frozen=True, slots=True)
class Unread:
    """What is told of a file that was not taken; its fields are the keys of the JSON."""

    source: str
    error: str
    letter: None = None
    outcome: str = "unread"


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What is told of a file that was read; its fields are the keys of the JSON.

    Attributes:
        source: The file's name.
        letter: Its number in the ledger.
        outcome: `duplicate` when its bytes are those of an earlier arrival.
        entity: A user code.
    """

    source: str
    letter: int
    outcome: str | None
    entity: str | None
    findings: tuple[Finding, ...]
    documents: tuple[Document, ...]


def unread(name: str, why: str) -> dict[str, bytes]:
    """What lies beside a file that was not taken."""
    return {_JSON: _json(Unread(name, why), "ru")}


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
    told = FileVerdict(
        source=name,
        letter=summary.id,
        outcome="duplicate" if is_second else summary.outcome,
        entity=summary.entity,
        findings=details.findings,
        documents=tuple(
            Document(
                one.name, one.layout, one.verdict, one.receipt, one.status, one.values, one.findings
            )
            for one in details.submissions
        ),
    )
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
    return files | {_JSON: _json(told, language)}


def _json(told: FileVerdict | Unread, language: str) -> bytes:
    return json.dumps(as_json(told, language), ensure_ascii=False, indent=1).encode() + b"\n"
