"""What an entity handed in, by whatever way: listed, and one receipt whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import ClassVar

from ingest.letters.terms import Letter
from ingest.operations.hand_in import public
from ingest.operations.ports import Ledger
from ingest.operations.told import Keys
from ingest.replies.receipt_xml import receipt_of, receipt_xml
from ingest.replies.view import DocumentView, Group, document_view, letter_groups
from ingest.replies.wording import wording
from layouts.known import Receipt
from storage.billed.withdrawals import WITHDRAWN
from storage.records.letters import CarriedValues, HandedIn, LetterDetails, SubmissionDetails
from storage.records.replies import SentReply


@dataclass(frozen=True, slots=True)
class File:
    """A file that went out with a reply."""

    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mailed:
    """A reply as it was sent.

    Attributes:
        text: Its plain text.
    """

    reply: SentReply
    text: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """A span or reading that a receipt brought, as the API tells it."""

    KEYS: ClassVar[Keys] = {
        **{
            name: f"values.{name}"
            for name in (
                "area", "point", "meter", "channel", "zone", "kind", "start", "end", "value",
                "in_force",
            )
        },
        "replaced_by": lambda one: [number for number, _ in one.values.replaced_since],
    }  # fmt: skip

    values: CarriedValues


@dataclass(frozen=True, slots=True)
class Told:
    """One receipt with all that is known of it.

    Attributes:
        letter: What it came in; without its documents.
        document: As the reply tells it, without its tables; None of a withdrawal, which is
            no document.
        about: What is wrong with the letter itself.
        receipt: For programs: what `xml` is made of; None of a withdrawal.
    """

    KEYS: ClassVar[Keys] = {
        "receipt": "number",
        "first": "submission.receipt",
        "received_at": "letter.summary.received_at",
        "file": "submission.name",
        "sha256": "submission.sha256",
        "layout": "submission.layout",
        "verdict": "submission.verdict",
        "status": "submission.status",
        "values": "submission.values",
        "findings": lambda told: public(told.submission.findings),
        "carried": lambda told: tuple(map(Carried, told.carried)),
    }

    number: int
    letter: LetterDetails
    submission: SubmissionDetails
    document: DocumentView | None
    about: tuple[Group, ...]
    receipt: Receipt | None

    @property
    def carried(self) -> Sequence[CarriedValues]:
        """What it brought, and what became of it."""
        return self.submission.carried

    def xml(self, language: str) -> bytes | None:
        """The 80021; None of a withdrawal."""
        if self.receipt is None:
            return None
        summary = self.letter.summary
        letter = Letter(
            self.letter.sha256, self.letter.size, sender=summary.sender,
            subject=summary.subject, message_id=self.letter.message_id,
        )  # fmt: skip
        return receipt_xml(self.receipt, letter, wording(language))


def receipts(ledger: Ledger, code: str, before: int | None, limit: int) -> Sequence[HandedIn]:
    """What an entity handed in, the latest first; of so many letters before a number.

    Args:
        ledger: The database.
        code: The user code.
        before: Letters below this number; None: the latest ones.
        limit: How many letters.
    """
    with ledger.reading() as store:
        return store.submissions.handed_in(code, before, limit)


def receipt(ledger: Ledger, code: str, number: int, language: str) -> Told | None:
    """A receipt of an entity; None when it has none of this number.

    Args:
        ledger: The database.
        code: The user code.
        number: The receipt's.
        language: Of the texts.
    """
    with ledger.reading() as store:
        found = store.submissions.one(number, code)
        if found is None:
            return None
        letter = store.letters.details(found[0], submissions=False)
    if letter is None:
        return None
    submission = found[1]
    words = wording(language)
    made = None
    if submission.verdict != WITHDRAWN:
        made = receipt_of(submission, number, letter.summary.received_at)
    return Told(
        number=number,
        letter=letter,
        submission=submission,
        document=document_view(made, words, Counter()) if made else None,
        about=letter_groups(letter.findings, words),
        receipt=made,
    )


def mailed(told: Told) -> list[Mailed]:
    """The replies to what a receipt came in, as they were sent."""
    return [mailed_of(reply) for reply in told.letter.replies if reply.content]


def mailed_of(reply: SentReply) -> Mailed:
    """A reply as it was sent, its text and its files."""
    message = message_from_bytes(reply.content, _class=EmailMessage, policy=default)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body is not None else ""
    return Mailed(reply, text, tuple(_file(part) for part in message.iter_attachments()))


def _file(part: EmailMessage) -> File:
    content = part.get_payload(decode=True)
    return File(part.get_filename() or "", content if isinstance(content, bytes) else b"")
