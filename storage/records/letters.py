"""What the ledger tells of letters and their documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from layouts.document import Places
from layouts.findings import Finding
from layouts.terms import Kind
from storage.records.replies import ReplyState, SentReply

_IN_FILE = re.compile(r"(.*)#(\d+)", re.DOTALL)


class LetterState(StrEnum):
    """How far a letter has come."""

    CLAIMED = "claimed"
    DONE = "done"
    QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class Location:
    """The columns of an arrival's key: where a letter lies on an IMAP server, or in files.

    Attributes:
        mailbox: The arrival's source.
        folder: The path of a letter in files.
        uidvalidity: 0 for letters in files.
        uid: Its number there.
    """

    mailbox: str
    folder: str
    uidvalidity: int
    uid: int

    @classmethod
    def of(cls, source: str, key: str) -> Location:
        """The columns of an arrival's key; see `key`."""
        if in_file := _IN_FILE.fullmatch(key):
            return cls(source, in_file[1], 0, int(in_file[2]))
        folder, uidvalidity, uid = key.rsplit("/", 2)
        return cls(source, folder, int(uidvalidity), int(uid))

    @property
    def key(self) -> str:
        """`folder/UIDVALIDITY/UID` on a server, `path#number` in files."""
        if self.uidvalidity:
            return f"{self.folder}/{self.uidvalidity}/{self.uid}"
        return f"{self.folder}#{self.uid}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A letter's ledger row as `claim` leaves it.

    Attributes:
        letter: Its number.
        state: `DONE` or `QUARANTINED` when a verdict exists already; the letter
            must then only be filed.
        outcome: That verdict, None before there is one.
        attempts: This one included.
        received_at: Of its first arrival.
        run: How often it was replayed.
        waits: It is not to be tried yet, by the database's clock.
    """

    letter: int
    state: LetterState
    outcome: str | None
    attempts: int
    received_at: datetime
    run: int = 0
    waits: bool = False


@dataclass(frozen=True, slots=True)
class LetterFacts:
    """What the ledger keeps of a letter once it has been read; no secrets.

    Attributes:
        sender: Address it was written from, '' when none can be read.
        subject: With passwords masked.
        findings: Of the letter itself, not of its documents.
        reason: Why it was ignored, refused or not answered, for operators.
        claimed: The user code that it names, right or not.
    """

    sender: str
    subject: str
    message_id: str
    findings: tuple[Any, ...] = ()
    reason: str = ""
    claimed: str = ""


@dataclass(frozen=True, slots=True)
class LetterSummary:
    """One line of `letters`, and the head of `show`."""

    id: int
    received_at: datetime
    state: LetterState
    outcome: str | None
    entity: str | None
    sender: str
    subject: str
    documents: int
    values: int
    reply: ReplyState | None
    attempts: int
    error: str | None = None
    reason: str | None = None
    claimed: str | None = None

    @property
    def entity_or_claimed(self) -> str | None:
        """The user code; of a refused letter, in brackets, the one that it claims."""
        return self.entity or (f"({self.claimed})" if self.claimed else None)

    @property
    def why(self) -> str | None:
        """What went wrong, or why it was ignored, refused or not answered."""
        return self.error or self.reason


@dataclass(frozen=True, slots=True)
class Sought:
    """Which letters a page is of; None, or an empty text, leaves a question out.

    Attributes:
        state: Only those as far as that; see `LetterState`.
        outcome: Only those with that verdict.
        entity: Only those of the legal entity with this user code.
        claimed: Only those that name this user code, right or not.
        sender: Only those whose address holds this text, in any case.
        subject: Only those whose subject holds this text, in any case of its letters.
        receipt: Only the one with this receipt.
        since: Only those received at this moment or later.
        until: Only those received before this moment.
    """

    state: str | None = None
    outcome: str | None = None
    entity: str | None = None
    claimed: str | None = None
    sender: str = ""
    subject: str = ""
    receipt: int | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERY_LETTER = Sought()


@dataclass(frozen=True, slots=True)
class LetterPage:
    """Letters found, the latest first.

    Attributes:
        before: Number of the last letter that was looked at: the next page begins before it;
            None when there are no earlier ones.
    """

    letters: tuple[LetterSummary, ...]
    before: int | None


class Replacing(NamedTuple):
    """A receipt, and how many values of an earlier one it replaced."""

    receipt: int
    values: int


@dataclass(frozen=True, slots=True)
class CarriedValues:
    """A span of a profile, or one register reading, that a submission carries.

    Attributes:
        end: Of the span; the instant itself of a reading.
        places: Where its values stood, in the order of time; None when not known.
        in_force: How many of its values are in force by this submission.
        replaced: How many values of earlier receipts it replaced.
        replaced_since: Receipts that replaced values of this one, ascending.
        value: Of a reading, as the submission has it.
        value_before: What the reading replaced.
        replaced_at: When a reading was replaced.
    """

    kind: Kind
    area: str | None
    point: str
    meter: str | None
    channel: str
    zone: str | None
    start: datetime
    end: datetime
    places: Places | None
    in_force: int
    replaced: int
    replaced_since: tuple[Replacing, ...] = ()
    value: Decimal | None = None
    value_before: Decimal | None = None
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SubmissionDetails:
    """One document of a letter, as `show` tells it.

    Attributes:
        receipt: Its receipt number; of a duplicate, that of the first one.
        findings: In the order they were told.
        carried: What it brought, and what became of it.
    """

    receipt: int
    name: str
    container: str | None
    part: str | None
    sha256: str
    size: int
    layout: str | None
    created_at: datetime | None
    verdict: str
    status: int
    values: int
    findings: tuple[Finding, ...] = ()
    carried: tuple[CarriedValues, ...] = ()


@dataclass(frozen=True, slots=True)
class LetterDetails:
    """All that is known of one letter.

    Attributes:
        claimed_at: When its last attempt began.
        settled_at: When it got its verdict; None before.
        locations: Every place it was seen in.
        findings: Of the letter itself.
    """

    summary: LetterSummary
    sha256: str
    size: int
    message_id: str
    claimed_at: datetime
    settled_at: datetime | None
    locations: tuple[Location, ...]
    findings: tuple[Finding, ...]
    submissions: tuple[SubmissionDetails, ...]
    replies: tuple[SentReply, ...]


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One document of an entity's, or a letter of its that held none.

    Attributes:
        receipt: None for a letter without a document.
        duplicate_of: The receipt of the first one.
        source: A mailbox's name, `upload`, `page`, `api` or `operator`; '' when not known.
        outcome: Of the letter; None before there is one.
        findings: How many there are that are no mere notes.
        withdraws: The receipt that it takes out of force.
    """

    letter: int
    receipt: int | None
    duplicate_of: int | None
    received_at: datetime
    source: str
    sender: str
    subject: str
    outcome: str | None
    name: str
    layout: str | None
    verdict: str | None
    values: int
    findings: int
    operator: str | None
    withdraws: int | None
