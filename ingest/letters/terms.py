"""The words of mail as values: a letter, its credentials, what was attached."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from layouts.document import Document, Parsed
from layouts.findings import Finding


class Source(StrEnum):
    """Where in a letter a credential stood; in the order in which they count."""

    BODY = "body"
    SUBJECT = "subject"


class Outcome(StrEnum):
    """What became of one letter."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    # A letter without a document that asked for a template or the month's state.
    ANSWERED = "answered"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one letter may cost.

    Attributes:
        letter_bytes: Size of the letter itself.
        documents: Documents in it, those in archives included.
        unpacked_bytes: What everything in it may unpack to, together.
    """

    letter_bytes: int = 25 * 1024 * 1024
    documents: int = 50
    unpacked_bytes: int = 100 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Credential:
    """A user code, a password, or both, as one place of the letter names them."""

    source: Source
    user_code: str | None = None
    password: str | None = field(default=None, repr=False)


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


@dataclass(frozen=True, slots=True)
class Bounce:
    """What a letter that came back says.

    Attributes:
        message_ids: Those that it may be about, with angle brackets, the likeliest first.
        is_for_good: False: it is delayed and still on its way.
        code: Such as `5.1.1` or `550`; '' without one.
        told: What the recipient's server said, on one line, bounded.
        recipient: To whom it was; '' when that is not said.
    """

    message_ids: tuple[str, ...]
    is_for_good: bool
    code: str
    told: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail, decoded, untrusted.

    Attributes:
        sha256: Of the raw bytes, hexadecimal; the ledger's second key.
        headers: Lower-case names to their decoded values, in order; all values
            are single-line.
        sender: Address of From, '' when there is none that can be read.
        is_sender_certain: Whether every program would find that address in From, and no other.
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
        bounce: What came back, when it is a mail server's report of that.
    """

    sha256: str
    size: int
    headers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sender: str = ""
    is_sender_certain: bool = True
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
    bounce: Bounce | None = None


@dataclass(frozen=True, slots=True)
class Marked:
    """A sender's workbook with the findings marked in it, as .xlsx.

    Attributes:
        lost: What could not be carried over, as keys of the words' `lost` group.
    """

    content: bytes = field(repr=False)
    lost: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Marks:
    """What is to be marked in a letter's workbooks.

    Attributes:
        findings: By the SHA-256 of the document they are of.
        secrets: Every password candidate of the letter and its documents: none may be seen.
        language: Of the marks.
    """

    findings: Mapping[str, Sequence[Finding]]
    secrets: Set[str] = field(repr=False)
    language: str


Line = tuple[int, list[str]]
"""A row of a sheet: its number, from 1, and its cells as texts."""


class NoLettersError(ValueError):
    """A path that holds no letters, said in one sentence."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """One thing that came in, from whatever source.

    Attributes:
        source: Where it came from: a mailbox's name, or `files`.
        key: What it is known by there: folder, UIDVALIDITY and UID of a letter on an
            IMAP server, path and number of a letter in a file.
        received_at: Moment of receipt, UTC; once it is claimed, that of the first
            arrival of the same bytes.
        size: In bytes, of the whole.
        sender: The address that it claims to be from; '' before it is read.
        account: Whose session handed it in; None for mail and files.
        number: In the ledger; 0 before it is claimed.
        run: How often it was replayed.
    """

    source: str
    key: str
    received_at: datetime
    size: int
    sender: str = ""
    account: str | None = None
    number: int = 0
    run: int = 0


@dataclass(frozen=True)
class RawLetter:
    """One letter as fetched, or a file that came without one.

    Attributes:
        content: The raw bytes; only the header when `size` is over `letter_mb`.
        missing: The server gave no bytes for it, though it names it.
        file_name: Of a file that came without a letter; '' for a letter.
        words_only: Only header and bodies are read: no document in it is opened.
    """

    arrival: Arrival
    content: bytes = field(repr=False)
    header_only: bool = False
    missing: bool = False
    file_name: str = ""
    words_only: bool = False

    @property
    def size(self) -> int:
        """Bytes of the whole letter, as its source tells."""
        return self.arrival.size

    @cached_property
    def sha256(self) -> str:
        """Of the bytes that were fetched."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def received_at(self) -> datetime:
        """Moment of receipt, UTC."""
        return self.arrival.received_at


@dataclass(frozen=True, slots=True)
class Read:
    """What the reading of one letter's bytes gave; its documents' bytes are gone.

    Every password candidate is already masked in `letter.subject`, in every
    finding's `seen` and in names.

    Attributes:
        cpu_seconds: What reading it has cost, as its child's own clock tells the parent.
    """

    letter: Letter
    parsed: tuple[Parsed, ...] = ()
    cpu_seconds: float = 0.0
