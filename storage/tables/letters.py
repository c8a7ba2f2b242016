"""Letters, the documents in them, what was found, and the replies."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Table, UniqueConstraint, text
from sqlmodel import Field

from storage.columns import Clean, Instant
from storage.tables.base import Kept, table_of


class LetterTable(Kept, table=True):
    """The ledger: one row for each letter's bytes, wherever they lie."""

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("sha256"),
        CheckConstraint("state IN ('claimed', 'done', 'quarantined')", name="state"),
        Index("ix_letter_state_received_at", "state", "received_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    sha256: str
    size: int = Field(sa_type=BigInteger)
    state: str
    outcome: str | None = None
    attempts: int = 0
    # When the last attempt began.
    claimed_at: datetime = Field(sa_type=Instant)
    # Of its first arrival: our own delay must not make a sender late.
    received_at: datetime = Field(sa_type=Instant, index=True)
    entity_id: int | None = Field(default=None, foreign_key="legal_entity.id", index=True)
    sender: str = Field(default="", sa_type=Clean)
    subject: str = Field(default="", sa_type=Clean)
    message_id: str = Field(default="", sa_type=Clean)
    settled_at: datetime | None = Field(default=None, sa_type=Instant, index=True)
    error: str | None = Field(default=None, sa_type=Clean)
    # Not tried before: its user code was guessed at too often.
    waits_until: datetime | None = Field(default=None, sa_type=Instant)
    # How often it was replayed: each run has a reply of its own.
    run: int = 0
    # For operators: why it was ignored, refused or not answered, and the code it claimed.
    reason: str | None = Field(default=None, sa_type=Clean)
    claimed_code: str | None = Field(default=None, sa_type=Clean)


class LetterLocationTable(Kept, table=True):
    """Where a letter was seen; the same bytes in another place are the same letter."""

    __tablename__ = "letter_location"

    mailbox: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    uidvalidity: int = Field(primary_key=True, sa_type=BigInteger)
    uid: int = Field(primary_key=True, sa_type=BigInteger)
    letter_id: int = Field(foreign_key="letter.id", index=True)


class SubmissionTable(Kept, table=True):
    """One document handed in by an authenticated entity; its id is the receipt number."""

    __tablename__ = "submission"
    __table_args__ = (
        UniqueConstraint("letter_id", "position"),
        Index("ix_submission_sha256_entity_id", "sha256", "entity_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    letter_id: int = Field(foreign_key="letter.id")
    position: int
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    name: str = Field(sa_type=Clean)
    container: str | None = Field(default=None, sa_type=Clean)
    part: str | None = Field(default=None, sa_type=Clean)
    sha256: str
    size: int = Field(sa_type=BigInteger)
    layout: str | None = None
    form_version: str | None = Field(default=None, sa_type=Clean)
    created_at: datetime | None = Field(default=None, sa_type=Instant)
    # The keys by which documents of one layout are ordered; then the id itself.
    version_first: int = Field(sa_type=BigInteger)
    version_second: int = Field(sa_type=BigInteger)
    received_at: datetime = Field(sa_type=Instant)
    recorded_at: datetime = Field(sa_type=Instant)
    verdict: str
    status: int
    accepted_values: int
    duplicate_of: int | None = Field(default=None, foreign_key="submission.id")
    # Who entered it on the entity's behalf, or withdrew; NULL for what the entity sent.
    operator: str | None = Field(default=None, sa_type=Clean, index=True)
    reason: str | None = Field(default=None, sa_type=Clean)
    # A withdrawal is a submission, too: of this receipt, at all points or at one.
    withdraws: int | None = Field(default=None, index=True)
    withdraws_point: int | None = None


class FindingTable(Kept, table=True):
    """One finding of a letter or of a submission, in the order they were told."""

    __tablename__ = "finding"
    __table_args__ = (
        CheckConstraint("(letter_id IS NULL) <> (submission_id IS NULL)", name="owner"),
    )

    id: int | None = Field(default=None, primary_key=True)
    letter_id: int | None = Field(default=None, foreign_key="letter.id", index=True)
    submission_id: int | None = Field(default=None, foreign_key="submission.id", index=True)
    code: str = Field(index=True)
    severity: str
    file: str | None = Field(default=None, sa_type=Clean)
    line: int | None = None
    sheet: str | None = Field(default=None, sa_type=Clean)
    cell: str | None = Field(default=None, sa_type=Clean)
    area: str | None = Field(default=None, sa_type=Clean)
    point: str | None = Field(default=None, sa_type=Clean)
    meter: str | None = Field(default=None, sa_type=Clean)
    channel: str | None = Field(default=None, sa_type=Clean)
    zone: str | None = Field(default=None, sa_type=Clean)
    start: datetime | None = Field(default=None, sa_type=Instant)
    end: datetime | None = Field(default=None, sa_type=Instant)
    count: int = 1
    seen: str | None = Field(default=None, sa_type=Clean)
    # A JSON object of texts.
    detail: str = "{}"


class ReplyTable(Kept, table=True):
    """The outbox: a complete mail that must leave, or has left."""

    __tablename__ = "reply"
    __table_args__ = (
        # Made from a keyed hash: the same reply twice is one reply.
        UniqueConstraint("message_id"),
        CheckConstraint("state IN ('owed', 'sent', 'undeliverable')", name="state"),
        Index("ix_reply_state_next_at", "state", "next_at"),
        Index("ix_reply_address_owed_at", "address", "owed_at"),
        Index(
            "ix_reply_strangers",
            "owed_at",
            sqlite_where=text("stranger_domain IS NOT NULL"),
            postgresql_where=text("stranger_domain IS NOT NULL"),
        ),
        Index(
            "ix_reply_bounced",
            "address",
            sqlite_where=text("bounced_at IS NOT NULL"),
            postgresql_where=text("bounced_at IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    letter_id: int | None = Field(default=None, foreign_key="letter.id", index=True)
    recipient: str = Field(sa_type=Clean)
    # The recipient in lower case and without a +tag, by which replies are counted.
    address: str = Field(sa_type=Clean)
    # The recipient's domain, where nobody knows the recipient.
    stranger_domain: str | None = Field(default=None, sa_type=Clean)
    subject: str = Field(sa_type=Clean)
    message_id: str = Field(sa_type=Clean)
    content: bytes
    state: str
    attempts: int = 0
    owed_at: datetime = Field(sa_type=Instant)
    next_at: datetime = Field(sa_type=Instant)
    leased_until: datetime | None = Field(default=None, sa_type=Instant)
    settled_at: datetime | None = Field(default=None, sa_type=Instant)
    last_error: str | None = Field(default=None, sa_type=Clean)
    # It left and came back; what the recipient's server said, of a delay, too.
    bounced_at: datetime | None = Field(default=None, sa_type=Instant)
    returned_code: str | None = Field(default=None, sa_type=Clean)
    returned_text: str | None = Field(default=None, sa_type=Clean)
    # When an operator has settled that it did not arrive.
    seen_at: datetime | None = Field(default=None, sa_type=Instant)


LETTER: Table = table_of(LetterTable)
LOCATION: Table = table_of(LetterLocationTable)
SUBMISSION: Table = table_of(SubmissionTable)
FINDING: Table = table_of(FindingTable)
REPLY: Table = table_of(ReplyTable)
