"""The words of mail as values: a letter, its credentials, what was attached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from layouts.findings import Finding
from layouts.terms import Document, Parsed
from layouts.travel import travels
from storage.records import (
    Location,
)


class Source(StrEnum):
    """Where in a letter a credential stood; in the order in which they count."""

    DOCUMENT = "document"
    BODY = "body"
    SUBJECT = "subject"


@travels
@dataclass(frozen=True, slots=True)
class Credential:
    """A user code, a password, or both, as one place of the letter names them."""

    source: Source
    user_code: str | None = None
    password: str | None = field(default=None, repr=False)


@travels
@dataclass(frozen=True, slots=True)
class Attachment:
    """What else was attached.

    Attributes:
        why: Why it was not read, one of `unread.Why`; '' when it is harmless.
        container: Name of the archive it came in.
    """

    name: str
    content_type: str
    size: int
    why: str = ""
    container: str | None = None


@travels
@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, decoded, untrusted.

    Attributes:
        sha256: Of the raw bytes, hexadecimal; the ledger's second key.
        headers: Lower-case names to their decoded values, in order; all values
            are single-line.
        sender: Address of From, '' when there is none that can be read.
        reply_to: Address that a reply goes to: Reply-To, else From.
        return_path: '' is the null return path; None when the header is absent.
        subject: Decoded, on one line, bounded, with passwords masked.
        message_id: With its angle brackets, '' when absent or malformed.
        references: Message ids of References and In-Reply-To, in order.
        credentials: From the body, then from the subject.
        documents: Every file that may be a layout, unpacked.
        attachments: Every other file.
        wish: What the letter asks for without a document: `template 52006`
            gives `("template", "52006")`, `status` gives `("status", "")`.
    """

    sha256: str
    size: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sender: str = ""
    reply_to: str = ""
    return_path: str | None = None
    subject: str = ""
    message_id: str = ""
    references: tuple[str, ...] = ()
    credentials: tuple[Credential, ...] = ()
    documents: tuple[Document, ...] = field(default=(), repr=False)
    attachments: tuple[Attachment, ...] = ()
    findings: tuple[Finding, ...] = ()
    wish: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A sender's workbook with the findings marked in it, as .xlsx.

    Attributes:
        lost: What could not be carried over, as keys of the words' `lost` group.
    """

    content: bytes = field(repr=False)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RawLetter:
    """One letter as fetched.

    Attributes:
        content: The raw bytes; only the header when `size` is over `letter_mb`.
        size: RFC822.SIZE of the whole letter.
        received_at: INTERNALDATE, UTC.
        missing: The server gave no bytes for it, though it names it.
    """

    location: Location
    content: bytes = field(repr=False)
    size: int
    received_at: datetime
    header_only: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """What the reading of one letter's bytes gave; its documents' bytes are gone.

    Every password candidate is already masked in `letter.subject`, in every
    finding's `seen` and in names.
    """

    letter: Letter
    parsed: tuple[Parsed, ...] = ()
