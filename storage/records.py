"""What passes between the store and its callers, beside the terms of the field."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple, TypeAlias

from layouts.findings import Finding
from layouts.terms import Kind, Places

_IN_FILE = re.compile(r"(.*)#(\d+)", re.DOTALL)


class LetterState(StrEnum):
    """How far a letter has come."""

    CLAIMED = "claimed"
    DONE = "done"
    QUARANTINED = "quarantined"


class ReplyState(StrEnum):
    """How far an owed reply has come."""

    OWED = "owed"
    SENT = "sent"
    UNDELIVERABLE = "undeliverable"
    # The server took it, and the recipient's sent it back.
    BOUNCED = "bounced"


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
class WaitingArrival:
    """An arrival whose raw bytes wait in the database.

    Attributes:
        source: See `Arrival`.
        key: See `Arrival`.
        received_at: Moment of receipt, UTC.
        size: In bytes, of the whole.
        content: The bytes that were fetched; b'' when the server gave none.
        header_only: The body is larger than is read.
        missing: The server gave no bytes for it.
        number: Among those that wait; 0 before it is kept.
    """

    source: str
    key: str
    received_at: datetime
    size: int
    content: bytes = field(repr=False)
    header_only: bool = False
    missing: bool = False
    number: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits for workers.

    Attributes:
        letters: How many.
        held: Bytes of them.
        oldest: Since when the oldest waits; None when nothing does.
        stalled: Trips in the hands of a process that has fallen silent.
    """

    letters: int
    held: int
    oldest: datetime | None
    stalled: int


@dataclass(frozen=True, slots=True)
class Process:
    """A process of an installation that has several.

    Attributes:
        holder: `host:pid:start`.
        role: fetch, work or send.
        version: Of the program.
        began_at: First heard of, by the database's clock.
        beat_at: Last heard of.
        is_alive: Whether that was lately.
    """

    holder: str
    role: str
    version: str
    began_at: datetime
    beat_at: datetime
    is_alive: bool


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
class OwedReply:
    """A reply that must leave: the complete mail and where it goes.

    Attributes:
        letter: Number of the letter it answers; None for a reminder.
        content: The RFC 5322 message as it goes out.
        id: Row number; 0 before it is stored.
        attempts: How often sending was tried, this time included when leased.
        is_to_stranger: Whether nobody knows its recipient; those are bounded together.
    """

    letter: int | None
    recipient: str
    subject: str
    message_id: str
    content: bytes = field(repr=False)
    id: int = 0
    attempts: int = 0
    owed_at: datetime | None = None
    is_to_stranger: bool = False


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
class LetterPage:
    """Letters found, the latest first.

    Attributes:
        before: Number of the last letter that was looked at: the next page begins before it;
            None when there are no earlier ones.
    """

    letters: tuple[LetterSummary, ...]
    before: int | None


@dataclass(frozen=True, slots=True)
class RowDifference:
    """What an import says otherwise of a point, or of a meter at it.

    Attributes:
        meter: Its number; None for the point itself.
        valid_from: From when it is so; None: from the beginning.
        facts: Name, what was so and what is so, of each that differs.
        is_correction: Whether the row that begins then was wrong; else it is a change.
    """

    point: str
    meter: str | None
    valid_from: date | None
    facts: tuple[tuple[str, Any, Any], ...]
    is_correction: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a registry import did, or would do.

    Attributes:
        untouched: User codes the file does not mention, left alone.
        renumbered: Point, old and new number of meters that only got another number.
        differences: What was on record and is otherwise now.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    untouched: tuple[str, ...]
    renumbered: tuple[tuple[str, str, str], ...] = ()
    differences: tuple[RowDifference, ...] = ()


class Steps(IntEnum):
    """Which steps of a point's registers may have another consumption; a larger one has more."""

    BACKWARD = 1
    CONSUMING = 2
    ALL = 3


class Touched(NamedTuple):
    """From which day an import may change a point's consumption, and where.

    Attributes:
        steps: `ALL` is also its profile.
    """

    day: date
    steps: Steps


OUTBOX = "outbox"
"""What the SMTP server is called among the servers."""


def mailbox_named(name: str) -> str:
    """What a mailbox is called among them."""
    return f"mailbox {name}"


@dataclass(frozen=True, slots=True)
class ServerState:
    """How a mail server fares.

    Attributes:
        name: `mailbox NAME` or `outbox`.
        failing_since: None: it works, as far as is known.
        failed_at: Of the last fault, which is told when it is over, too; None: never.
        advice: What an operator can do about it; '' where nothing is known.
        worked_at: When something last succeeded there, not noted each time.
        certificate_ends: When its certificate does; None without TLS.
    """

    name: str
    failing_since: datetime | None
    failed_at: datetime | None
    error: str
    advice: str
    worked_at: datetime | None
    certificate_ends: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mailed:
    """A mail of ours, and when it was owed."""

    message_id: str
    owed_at: datetime


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What `status` tells of the database."""

    verdicts_today: Mapping[str, int]
    queue: int
    quarantined: int
    owed: int
    undeliverable: int
    oldest_unanswered: datetime | None
    passes: Mapping[str, datetime]
    waiting: int = 0
    bounced: int = 0
    marked: int = 0
    asking: int = 0
    servers: tuple[ServerState, ...] = ()


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
class SentReply:
    """A reply in the outbox, as `show` tells it."""

    id: int
    letter: int | None
    recipient: str
    subject: str
    message_id: str
    content: bytes = field(repr=False)
    state: ReplyState
    attempts: int
    owed_at: datetime
    settled_at: datetime | None = None
    last_error: str | None = None
    returned_code: str | None = None
    returned_text: str | None = None


@dataclass(frozen=True, slots=True)
class Returned:
    """A reply that came back.

    Attributes:
        is_new: Whether that was not known yet.
        is_for_good: False: it is delayed and still on its way.
    """

    reply: int
    letter: int | None
    message_id: str
    is_new: bool
    is_for_good: bool


@dataclass(frozen=True, slots=True)
class Undelivered:
    """Replies to one address that did not arrive, and that no operator has settled yet.

    Attributes:
        bounced: Those that came back.
        undeliverable: Those that our own server did not take.
        last_at: When the last of them was known.
        last_error: What was said then.
        letters: Whose replies they are, the latest few.
    """

    address: str
    bounced: int
    undeliverable: int
    last_at: datetime
    last_error: str
    letters: tuple[int, ...]

    @property
    def is_marked(self) -> bool:
        """Whether so many came back that the address is likely wrong."""
        return self.bounced >= BOUNCES_MARK


BOUNCES_MARK = 3
"""Replies that came back from an address before it is marked."""


@dataclass(frozen=True, slots=True)
class Lock:
    """That a user code cannot be tried for a while.

    Attributes:
        address: From there; `@domain` for the strangers of a domain, '' for all strangers.
        failures: Wrong passwords that led to it.
        since: Of the last of them.
        why: `wrong passwords`, or `too many guesses this hour`.
    """

    user_code: str
    address: str
    failures: int
    since: datetime
    until: datetime
    why: str

    @property
    def whence(self) -> str:
        """The address, or `strangers` for all of them."""
        return self.address or "strangers"


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


Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Facts: TypeAlias = Mapping[str, Json]
"""What the audit keeps of a thing, as JSON has it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change of what we keep: who, when, what, from what to what."""

    at: datetime
    who: str
    what: str
    key: str
    before: Facts | None
    after: Facts | None


class Quality(StrEnum):
    """How far a value can be trusted."""

    VALID = "valid"
    SUSPECT = "suspect"
    NOT_COMMERCIAL = "not-commercial"


@dataclass(frozen=True, slots=True)
class Number:
    """What is billed: consumption of a point's channel and tariff zone in one month.

    Attributes:
        entity: User code of the one who held the point.
        source: `register` or `profile`.
        energy: In Wh or varh; None where nothing can be billed.
        codes: Of open suspicions.
        values: How many values or steps of consumption it is made of.
        missing: How many intervals, or registers, are missing or not commercial.
        late: Whether any of it came after its deadline.
        receipt: The last one that it rests on.
    """

    entity: str
    area: str | None
    point: str
    point_id: int
    channel: str
    zone: str
    source: str
    energy: int | None
    quality: Quality
    codes: tuple[str, ...]
    values: int
    missing: int
    late: bool
    receipt: int | None

    @property
    def key(self) -> tuple[str, str, str, int, str, str]:
        """What it is the number of; sorts."""
        return (
            self.entity, self.point, self.area or "", self.point_id, self.channel, self.zone,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class NumberChange:
    """A number that differs; None where there is none on that side."""

    before: Number | None
    after: Number | None

    @property
    def named(self) -> Number | None:
        """The side that there is: both have the same entity, point, channel and zone."""
        return self.after or self.before


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A month's numbers as they were kept once.

    Attributes:
        id: Its number; an export's number is this one.
        kind: `closing`, `migrated` (closed before snapshots were taken) or `export`.
        sha256: Over its rows as text.
    """

    id: int
    kind: str
    month: date
    at: datetime
    by: str
    sha256: str
    row_count: int


@dataclass(frozen=True, slots=True)
class SeenValue:
    """A value beside or under a suspicion.

    Attributes:
        at: Start of the interval, or the reading's instant.
        value: Wh or varh of the interval, or the reading; None where there is none.
        receipt: Who brought it.
        replaced_by: The receipt that took it out of force; None: it is in force.
    """

    at: datetime
    value: int | Decimal | None
    receipt: int
    replaced_by: int | None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A suspicion: values that were taken and are doubtful.

    Attributes:
        start: Of the span, in UTC; a reading's step begins there.
        accepted_by: Who took the values for true, and why; None while it is open.
    """

    id: int
    code: str
    entity: str
    area: str | None
    point: str
    meter: str | None
    channel: str
    zone: str | None
    start: datetime
    end: datetime
    receipt: int
    raised_at: datetime
    accepted_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """That an operator hands in on an entity's behalf."""

    operator: str
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawalSubject:
    """What a withdrawal would be of.

    Attributes:
        receipt: Its number.
        entity: User code of the one who handed it in.
        name: The document's.
        is_withdrawal: Whether the receipt is a withdrawal's own.
        points: Id, area and code of each metering point that it brought values of.
        first: The earliest moment that it brought a value of.
    """

    receipt: int
    entity: str
    name: str
    is_withdrawal: bool
    points: tuple[tuple[int, str | None, str], ...]
    first: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What a withdrawal did.

    Attributes:
        receipt: Its own number.
        restored: How many values that were replaced before are in force again.
        removed: How many values have none in their place.
        kept: How many stay, because a newer document carries them, too.
        points: The points concerned.
    """

    receipt: int
    restored: int
    removed: int
    kept: int
    points: tuple[int, ...]


class Role(StrEnum):
    """What a visitor of the account may do; each may what those behind it may."""

    OWNER = "owner"
    SENDS = "sends"
    READS = "reads"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in: an entity by its code, or a person whom it lets in, by address.

    Attributes:
        kind: `owner` or `user`.
        id: Of the entity or of the user.
        entity: User code.
        entity_name: As the register of points has it.
        address: Of the user; '' for the owner.
        password_hash: None where no password is set.
        active: Neither it nor its entity is switched off.
    """

    kind: str
    id: int
    entity: str
    entity_name: str
    address: str
    role: Role
    password_hash: str | None = field(repr=False)
    active: bool


class OperatorRole(StrEnum):
    """What an operator may do; each may what those before it may."""

    LOOKS = "looks"
    WORKS = "works"
    ADMINISTERS = "administers"


@dataclass(frozen=True, slots=True)
class Operator:
    """Who may use the console.

    Attributes:
        totp_secret: Of its second factor, in Base32; None: the password is enough.
        active: Not switched off.
        made_by: Who made it, or gave it its password, role and second factor last.
    """

    id: int
    name: str
    role: OperatorRole
    password_hash: str = field(repr=False)
    totp_secret: str | None = field(repr=False)
    active: bool
    made_by: str
    made_at: datetime

    @property
    def actor(self) -> str:
        """How audit, ledger and log name it: no unix user's name holds a colon."""
        return f"operator:{self.name}"

    def may(self, role: OperatorRole) -> bool:
        """Whether it may do what needs this role."""
        order = list(OperatorRole)
        return order.index(self.role) >= order.index(role)


@dataclass(frozen=True, slots=True)
class WebSession:
    """A browser that is signed in.

    Attributes:
        sha256: Of the id in its cookie.
        mark: Of the password hash at the sign-in.
    """

    sha256: str
    kind: str
    subject: int
    mark: str
    made_at: datetime
    seen_at: datetime
    network: str
    agent: str


@dataclass(frozen=True, slots=True)
class WebUser:
    """A person whom an entity lets use its account."""

    id: int
    address: str
    role: Role
    active: bool
    has_password: bool
    invited_at: datetime


@dataclass(frozen=True, slots=True)
class WebToken:
    """A program's token; what it shows is not kept."""

    id: int
    entity: str
    name: str
    made_by: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class WebLink:
    """A link that was mailed, for choosing a password once.

    Attributes:
        user: None for the entity's own password.
    """

    entity: str
    user: int | None
    address: str
    made_at: datetime
    ends_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """Somebody asked for access whose address the register of points does not list.

    Attributes:
        user_code: As typed.
    """

    id: int
    user_code: str
    address: str
    network: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Fence:
    """Up to which rows may be sealed, once the transactions of its time have ended.

    Attributes:
        upto: The last id of each kind.
        transaction: PostgreSQL's number of a transaction that began behind them; None on
            SQLite, which has one writer.
    """

    upto: Mapping[str, int]
    transaction: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """A seal by its hash; `at` is not known of one that was told by its hash alone."""

    number: int
    sha256: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealCheck:
    """Whether rows are those that were sealed.

    Attributes:
        seals: How many were looked at, up to a break.
        rows: How many rows they cover.
        head: The last one; None before the first.
        unsealed: How many rows of each kind no seal covers yet.
        broken: The first break, one sentence; None when there is none.
    """

    seals: int
    rows: int
    head: Head | None
    unsealed: Mapping[str, int]
    broken: str | None


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
