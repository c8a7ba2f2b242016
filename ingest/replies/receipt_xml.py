"""The receipt for programs: one 80021 for each document."""

from __future__ import annotations

import re
from datetime import datetime

from lxml import etree

from ingest.letters.terms import Letter
from ingest.replies.repeats import SHOWN_MOST
from ingest.replies.texts import place, sentence
from ingest.replies.wording import Wording
from layouts.document import Parsed
from layouts.findings import Code, Finding, Status
from layouts.known import Checked, Receipt
from layouts.terms import Verdict
from storage.records.letters import SubmissionDetails

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ATTRIBUTES = ("area", "point", "meter", "channel", "zone")


def receipt_xml(receipt: Receipt, letter: Letter, words: Wording, most: int = SHOWN_MOST) -> bytes:
    """The receipt as XML in UTF-8.

    Moments are local to the reply's zone, as every other form of the family
    writes them. At most `most` findings of one code; its element `more` counts the rest.

    Args:
        receipt: The verdict with its number.
        letter: That the document came in.
        words: Of the reply's language.
        most: Findings of one code that are told.

    Source: form 80021 of the field; `finding` is ours (`layouts/80021.xsd`).
    """
    root = etree.Element("message")
    root.set("class", "80021")
    root.set("version", "1")
    root.set("id", str(receipt.number))
    _email(root, receipt.received_at, letter, words)
    _file(root, receipt, words)
    _verdict(root, receipt, words, most)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def receipt_of(submission: SubmissionDetails, number: int, received_at: datetime) -> Receipt:
    """A receipt as the ledger keeps it, for `receipt_xml`."""
    parsed = Parsed(
        name=submission.name,
        sha256=submission.sha256,
        size=submission.size,
        container=submission.container,
        part=submission.part,
        layout=submission.layout,
    )
    is_second = submission.verdict == Verdict.DUPLICATE
    checked = Checked(
        Verdict(submission.verdict),
        Status(submission.status),
        submission.findings,
        duplicate_of=(submission.receipt, received_at) if is_second else None,
    )
    return Receipt(number, received_at, parsed, checked)


def _email(root: etree._Element, received: datetime, letter: Letter, words: Wording) -> None:
    email = etree.SubElement(root, "email")
    _text(email, "id", letter.message_id)
    _text(email, "received", f"{received.astimezone(words.zone):%Y%m%d%H%M%S}")
    _text(email, "from", letter.sender)
    _text(email, "subject", letter.subject)


def _file(root: etree._Element, receipt: Receipt, words: Wording) -> None:
    parsed = receipt.parsed
    file = etree.SubElement(root, "file")
    file.set("zip", "1" if parsed.container else "0")
    _text(file, "name", parsed.name)
    _text(file, "date", f"{receipt.received_at.astimezone(words.zone):%Y%m%d}")
    _text(file, "sha256", parsed.sha256)


def _verdict(root: etree._Element, receipt: Receipt, words: Wording, most: int) -> None:
    reply = etree.SubElement(root, "reply")
    reply.set("status", str(int(receipt.checked.status)))
    told: dict[Code, int] = {}
    for item in receipt.checked.findings:
        number = told[item.public_code] = told.get(item.public_code, 0) + 1
        if number <= most:
            _finding(reply, item, words)
    for code, number in told.items():
        if number > most:
            more = etree.SubElement(reply, "more")
            more.set("code", code.value)
            more.set("count", str(number - most))


def _finding(reply: etree._Element, item: Finding, words: Wording) -> None:
    element = etree.SubElement(reply, "finding")
    element.set("code", item.public_code.value)
    element.set("severity", item.severity.value)
    element.set("place", _clean(place(item.place, words.language)))
    for name in _ATTRIBUTES:
        value = getattr(item, name)
        if value is not None:
            element.set(name, _clean(value))
    if item.seen is not None:
        element.set("seen", _clean(item.seen))
    element.text = _clean(sentence(item, words.language, words))


def _text(parent: etree._Element, name: str, text: str) -> None:
    etree.SubElement(parent, name).text = _clean(text)


def _clean(text: str) -> str:
    # XML 1.0 has no form at all for these characters.
    return _FORBIDDEN.sub("\ufffd", text)
