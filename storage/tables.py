"""What we keep, table by table. Every constraint has a name that will not change.

Instants are epoch seconds in UTC; interval energy is whole watt-hours (or
var-hours); register readings are millionths of a kWh (or kvarh) as on the
meter's face. Values are versioned by the documents that carry them:

* `interval_value` and `register_reading` hold what is in force,
* `interval_history` and `register_history` what was, and which submission ended it,
* `submission_span` and `submission_reading` which documents carry what, also where
  their values equal the ones in force. The newest document that carries a value
  is found there, so that equal values need not be written again.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    MetaData,
    Table,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from storage.columns import Clean, Instant, Micro, OpenDate, Words


class _Kept(SQLModel):
    """Base of every table; its own metadata keeps other libraries' tables out."""

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


_BY_KEY = {"sqlite_with_rowid": False}
"""Rows lie in the order of their key: half the size, and a span is read in one go."""


class LegalEntityTable(_Kept, table=True):
    """An organisation that hands in readings."""

    __tablename__ = "legal_entity"
    __table_args__ = (UniqueConstraint("user_code"),)

    id: int | None = Field(default=None, primary_key=True)
    user_code: str = Field(sa_type=Clean)
    name: str = Field(default="", sa_type=Clean)
    inn: str = Field(default="", sa_type=Clean, index=True)
    addresses: tuple[str, ...] = Field(default=(), sa_type=Words)
    active: bool = True
    password_hash: str | None = None


class MeteringPointTable(_Kept, table=True):
    """A place where energy is measured; area '' matches any area of a document."""

    __tablename__ = "metering_point"
    __table_args__ = (UniqueConstraint("code", "area"),)

    id: int | None = Field(default=None, primary_key=True)
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    code: str = Field(sa_type=Clean)
    area: str = Field(default="", sa_type=Clean)
    name: str = Field(default="", sa_type=Clean)
    max_power_kw: Decimal | None = Field(default=None, sa_type=Micro, nullable=True)
    channels: tuple[str, ...] = Field(default=(), sa_type=Words)
    active: bool = True
    # What billing counts by: 'register', 'profile', 'both', or '' for what the point has.
    source: str = Field(default="")
    # 'constant' or 'timed', where the same figures day by day are no wonder.
    load: str = Field(default="")


class PointRowTable(_Kept, table=True):
    """What is true of a point from a date on; the newest row stands in the point itself, too."""

    __tablename__ = "point_row"

    point_id: int = Field(primary_key=True, foreign_key="metering_point.id")
    # The Moscow midnight that `valid_from` begins with; 0 for "from the beginning".
    begins: int = Field(primary_key=True, sa_type=BigInteger)
    valid_from: date | None = None
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    area: str = Field(default="", sa_type=Clean)
    max_power_kw: Decimal | None = Field(default=None, sa_type=Micro, nullable=True)
    active: bool = True
    source: str = Field(default="")


class MeterRowTable(_Kept, table=True):
    """What is true of a meter from a date on; the newest row stands in the meter itself, too."""

    __tablename__ = "meter_row"

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    begins: int = Field(primary_key=True, sa_type=BigInteger)
    valid_from: date | None = None
    number: str = Field(sa_type=Clean)
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Field(default=Decimal(1), sa_type=Micro)


class MeterTable(_Kept, table=True):
    """A device at a point over a time; the same number may come back later."""

    __tablename__ = "meter"
    __table_args__ = (UniqueConstraint("point_id", "number", "installed"),)

    id: int | None = Field(default=None, primary_key=True)
    point_id: int = Field(foreign_key="metering_point.id")
    number: str = Field(sa_type=Clean, index=True)
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Field(default=Decimal(1), sa_type=Micro)
    installed: date | None = Field(default=None, sa_type=OpenDate, nullable=False)
    removed: date | None = None
    channels: tuple[str, ...] = Field(default=(), sa_type=Words)
    zones: tuple[str, ...] = Field(default=(), sa_type=Words)


class LetterTable(_Kept, table=True):
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


class LetterLocationTable(_Kept, table=True):
    """Where a letter was seen; the same bytes in another place are the same letter."""

    __tablename__ = "letter_location"

    mailbox: str = Field(primary_key=True)
    folder: str = Field(primary_key=True)
    uidvalidity: int = Field(primary_key=True, sa_type=BigInteger)
    uid: int = Field(primary_key=True, sa_type=BigInteger)
    letter_id: int = Field(foreign_key="letter.id", index=True)


class SubmissionTable(_Kept, table=True):
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


class FindingTable(_Kept, table=True):
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


class IntervalSeriesTable(_Kept, table=True):
    """A point's channel at one step; a point whose step changes has two."""

    __tablename__ = "interval_series"
    __table_args__ = (UniqueConstraint("point_id", "channel", "step_minutes"),)

    id: int | None = Field(default=None, primary_key=True)
    point_id: int = Field(foreign_key="metering_point.id")
    channel: str
    step_minutes: int


class IntervalValueTable(_Kept, table=True):
    """The energy in force for one interval, and the submission it came by.

    The keys of `SubmissionSpanTable` vouch for its series and submission, and for those of
    `IntervalHistoryTable`: a key here would be checked for every single value.
    """

    __tablename__ = "interval_value"
    __table_args__ = _BY_KEY

    series_id: int = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    # NULL: the document has the interval, without a value.
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    not_commercial: bool = False
    submission_id: int


class IntervalHistoryTable(_Kept, table=True):
    """What an interval's value was before a submission replaced it."""

    __tablename__ = "interval_history"
    __table_args__ = _BY_KEY

    series_id: int = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    replaced_by: int = Field(primary_key=True)
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    not_commercial: bool = False
    submission_id: int
    replaced_at: datetime = Field(sa_type=Instant)


class IntervalDayTable(_Kept, table=True):
    """What the commercial values in force of one day sum up to, hour by hour; see days.py."""

    __tablename__ = "interval_day"
    __table_args__ = _BY_KEY

    series_id: int = Field(primary_key=True, foreign_key="interval_series.id")
    # Since the epoch, in UTC+3.
    day: int = Field(primary_key=True)
    energy_wh: bytes
    highest_wh: bytes
    counts: bytes


class SubmissionSpanTable(_Kept, table=True):
    """A span [start, end) of a series that a submission carries, changed or not.

    The key begins with the end: a document mostly meets the latest spans.
    """

    __tablename__ = "submission_span"
    __table_args__ = (
        CheckConstraint('"end" > start', name="order"),
        _BY_KEY,
    )

    series_id: int = Field(primary_key=True, foreign_key="interval_series.id")
    end: int = Field(primary_key=True, sa_type=BigInteger)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    submission_id: int = Field(primary_key=True, foreign_key="submission.id", index=True)
    # See places.py; NULL where the reader did not tell.
    places: str | None = Field(default=None, sa_type=Clean)


class RegisterReadingTable(_Kept, table=True):
    """The reading in force of one register at one instant."""

    __tablename__ = "register_reading"
    __table_args__ = _BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    value: Decimal = Field(sa_type=Micro)
    submission_id: int = Field(foreign_key="submission.id")


class RegisterHistoryTable(_Kept, table=True):
    """What a reading was before a submission replaced it."""

    __tablename__ = "register_history"
    __table_args__ = _BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    replaced_by: int = Field(primary_key=True, foreign_key="submission.id")
    value: Decimal = Field(sa_type=Micro)
    submission_id: int = Field(foreign_key="submission.id")
    replaced_at: datetime = Field(sa_type=Instant)


class SubmissionReadingTable(_Kept, table=True):
    """A register reading that a submission carries, changed or not."""

    __tablename__ = "submission_reading"
    __table_args__ = _BY_KEY

    meter_id: int = Field(primary_key=True, foreign_key="meter.id")
    channel: str = Field(primary_key=True)
    zone: str = Field(primary_key=True)
    instant: int = Field(primary_key=True, sa_type=BigInteger)
    submission_id: int = Field(primary_key=True, foreign_key="submission.id", index=True)
    # See places.py; NULL where the reader did not tell.
    places: str | None = Field(default=None, sa_type=Clean)


class ReplyTable(_Kept, table=True):
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


class InstanceTable(_Kept, table=True):
    """What makes this installation itself; one row."""

    __tablename__ = "instance"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(primary_key=True)
    # The secret behind our Message-IDs: the same letter always gives the same one.
    message_id_key: bytes


class MailboxPassTable(_Kept, table=True):
    """When a mailbox was last read through to its end."""

    __tablename__ = "mailbox_pass"

    mailbox: str = Field(primary_key=True)
    passed_at: datetime = Field(sa_type=Instant)


class ServerTable(_Kept, table=True):
    """How a mail server fares, as the process that speaks to it last found."""

    __tablename__ = "server"

    # Such as `mailbox main`, or `outbox`.
    name: str = Field(primary_key=True)
    # NULL: it works, as far as is known.
    failing_since: datetime | None = Field(default=None, sa_type=Instant)
    # The last fault; it stays when the server works again.
    failed_at: datetime | None = Field(default=None, sa_type=Instant)
    error: str = Field(default="", sa_type=Clean)
    advice: str = Field(default="", sa_type=Clean)
    worked_at: datetime | None = Field(default=None, sa_type=Instant)
    certificate_ends: datetime | None = Field(default=None, sa_type=Instant)


class SenderFailureTable(_Kept, table=True):
    """How an address, or a domain as `@name`, fared with a user code; never the entity."""

    __tablename__ = "sender_failure"
    __table_args__ = (
        Index("ix_sender_failure_address", "address"),
        Index("ix_sender_failure_failed_at", "failed_at"),
    )

    user_code: str = Field(primary_key=True, sa_type=Clean)
    address: str = Field(primary_key=True, sa_type=Clean)
    failures: int = 0
    failed_at: datetime | None = Field(default=None, sa_type=Instant)
    locked_until: datetime | None = Field(default=None, sa_type=Instant)
    succeeded_at: datetime | None = Field(default=None, sa_type=Instant)


class SenderGuessTable(_Kept, table=True):
    """A wrong password for a user code, by one address or by strangers; for an hour."""

    __tablename__ = "sender_guess"
    __table_args__ = (
        Index("ix_sender_guess_user_code_bucket_at", "user_code", "bucket", "at"),
        Index("ix_sender_guess_at", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    user_code: str = Field(sa_type=Clean)
    # The address, where it once authenticated with the code; '' for all strangers.
    bucket: str = Field(sa_type=Clean)
    at: datetime = Field(sa_type=Instant)


class PeriodTable(_Kept, table=True):
    """A month that was closed, and perhaps opened again."""

    __tablename__ = "period"

    # Such as 2026-11.
    month: str = Field(primary_key=True)
    closed: bool
    by: str
    at: datetime = Field(sa_type=Instant)


class SnapshotTable(_Kept, table=True):
    """What a month's numbers were when it was closed, or when billing took them."""

    __tablename__ = "snapshot"
    __table_args__ = (CheckConstraint("kind IN ('closing', 'migrated', 'export')", name="kind"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    month: str = Field(index=True)
    at: datetime = Field(sa_type=Instant)
    by: str = Field(sa_type=Clean)
    sha256: str
    row_count: int


class SnapshotRowTable(_Kept, table=True):
    """One number of a snapshot."""

    __tablename__ = "snapshot_row"

    snapshot_id: int = Field(primary_key=True, foreign_key="snapshot.id")
    position: int = Field(primary_key=True)
    entity: str = Field(sa_type=Clean)
    point_id: int
    area: str = Field(sa_type=Clean)
    point: str = Field(sa_type=Clean)
    channel: str
    zone: str
    source: str
    energy_wh: int | None = Field(default=None, sa_type=BigInteger)
    quality: str
    codes: str
    value_count: int
    missing_count: int
    late: bool
    receipt: int | None = None


class SuspicionTable(_Kept, table=True):
    """That a document's values are doubtful: a code, over a span of a series or register."""

    __tablename__ = "suspicion"
    __table_args__ = (CheckConstraint("(series_id IS NULL) <> (meter_id IS NULL)", name="owner"),)

    id: int | None = Field(default=None, primary_key=True)
    submission_id: int = Field(foreign_key="submission.id", index=True)
    code: str
    series_id: int | None = Field(default=None, foreign_key="interval_series.id", index=True)
    meter_id: int | None = Field(default=None, foreign_key="meter.id", index=True)
    channel: str
    # '' for a profile.
    zone: str
    start: int = Field(sa_type=BigInteger)
    end: int = Field(sa_type=BigInteger)
    raised_at: datetime = Field(sa_type=Instant)


class SuspicionAcceptedTable(_Kept, table=True):
    """That an operator takes doubtful values for true, and why."""

    __tablename__ = "suspicion_accepted"

    suspicion_id: int = Field(primary_key=True, foreign_key="suspicion.id")
    at: datetime = Field(sa_type=Instant)
    who: str = Field(sa_type=Clean)
    reason: str = Field(sa_type=Clean)


class WebSessionTable(_Kept, table=True):
    """A browser that is signed in, by the SHA-256 of the id in its cookie."""

    __tablename__ = "web_session"
    __table_args__ = (
        CheckConstraint("kind IN ('owner', 'user', 'operator')", name="kind"),
        Index("ix_web_session_kind_subject_id", "kind", "subject_id"),
    )

    sha256: str = Field(primary_key=True)
    # Whose: an entity for its owner, a row of `web_user`, an operator.
    kind: str
    subject_id: int
    # Of the password hash at the sign-in: another password ends the session.
    mark: str
    made_at: datetime = Field(sa_type=Instant)
    seen_at: datetime = Field(sa_type=Instant)
    network: str = Field(sa_type=Clean)
    agent: str = Field(sa_type=Clean)


class WebUserTable(_Kept, table=True):
    """A person whom an entity lets use its account; known by address and a password."""

    __tablename__ = "web_user"
    __table_args__ = (
        UniqueConstraint("address"),
        CheckConstraint("role IN ('sends', 'reads')", name="role"),
    )

    id: int | None = Field(default=None, primary_key=True)
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    address: str = Field(sa_type=Clean)
    role: str
    # NULL until the invitation is taken.
    password_hash: str | None = None
    active: bool = True
    invited_at: datetime = Field(sa_type=Instant)


class WebTokenTable(_Kept, table=True):
    """What a program of an entity shows instead of a password, by its SHA-256."""

    __tablename__ = "web_token"
    __table_args__ = (UniqueConstraint("sha256"),)

    id: int | None = Field(default=None, primary_key=True)
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    name: str = Field(sa_type=Clean)
    sha256: str
    made_by: str = Field(sa_type=Clean)
    made_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)
    ended_at: datetime | None = Field(default=None, sa_type=Instant)


class WebLinkTable(_Kept, table=True):
    """A link that was mailed, good for choosing a password once; by its SHA-256."""

    __tablename__ = "web_link"

    sha256: str = Field(primary_key=True)
    entity_id: int = Field(foreign_key="legal_entity.id", index=True)
    # NULL: the entity's own password.
    user_id: int | None = Field(default=None, foreign_key="web_user.id")
    address: str = Field(sa_type=Clean)
    made_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    used_at: datetime | None = Field(default=None, sa_type=Instant)


class AccessRequestTable(_Kept, table=True):
    """Somebody asked for access whom the register of points does not know by address."""

    __tablename__ = "access_request"

    id: int | None = Field(default=None, primary_key=True)
    # As typed; nothing says that there is such a code.
    user_code: str = Field(sa_type=Clean)
    address: str = Field(sa_type=Clean)
    network: str = Field(sa_type=Clean)
    at: datetime = Field(sa_type=Instant, index=True)
    answered_at: datetime | None = Field(default=None, sa_type=Instant)
    answered_by: str | None = Field(default=None, sa_type=Clean)
    answer: str | None = Field(default=None, sa_type=Clean)


class WebUploadTable(_Kept, table=True):
    """A checked file, kept for the button that hands it in; one for each session."""

    __tablename__ = "web_upload"

    session: str = Field(primary_key=True)
    sha256: str
    name: str = Field(sa_type=Clean)
    content: bytes
    at: datetime = Field(sa_type=Instant, index=True)


class WebAccountTable(_Kept, table=True):
    """What an entity has chosen for its account; no row: the defaults."""

    __tablename__ = "web_account"

    entity_id: int = Field(primary_key=True, foreign_key="legal_entity.id")
    reminders: bool = True


class OperatorTable(_Kept, table=True):
    """Who may use the console."""

    __tablename__ = "operator"
    __table_args__ = (
        CheckConstraint("role IN ('looks', 'works', 'administers')", name="role"),
        UniqueConstraint("name"),
    )

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(sa_type=Clean)
    role: str
    password_hash: str
    # Base32; NULL: the password is enough.
    totp_secret: str | None = None
    # The last step of 30 seconds whose code was taken: no code is taken twice.
    totp_step: int = Field(sa_type=BigInteger)
    active: bool
    made_by: str = Field(sa_type=Clean)
    made_at: datetime = Field(sa_type=Instant)


class AuditTable(_Kept, table=True):
    """Who changed what, when, from what to what; rows are only ever added."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_what_key", "what", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant, index=True)
    who: str = Field(sa_type=Clean)
    what: str
    key: str
    # JSON; NULL before the first and after the last.
    before: str | None = None
    after: str | None = None


class SealTable(_Kept, table=True):
    """A link of the chain over rows that are never changed; see seals.py."""

    __tablename__ = "seal"

    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=Instant)
    # JSON: by kind the last id, and each row's id with the first signs of its hash.
    upto: str
    rows: str
    sha256: str


class SealHeadTable(_Kept, table=True):
    """The last seal once more: a chain that ends too early is found. One row."""

    __tablename__ = "seal_head"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: int = Field(primary_key=True)
    number: int
    sha256: str


class LeaseTable(_Kept, table=True):
    """Which process does what only one may do, until it falls silent; by our own clock."""

    __tablename__ = "lease"

    name: str = Field(primary_key=True)
    holder: str
    until: datetime = Field(sa_type=Instant)


class CostTable(_Kept, table=True):
    """CPU time that somebody caused in one minute, counted since 1970 by our own clock."""

    __tablename__ = "cost"

    minute: int = Field(primary_key=True, sa_type=BigInteger)
    payer: str = Field(primary_key=True)
    cpu_ms: int = Field(sa_type=BigInteger)


class ArrivalTable(_Kept, table=True):
    """A letter that waits for a worker with its raw bytes, until it is put away."""

    __tablename__ = "arrival"
    __table_args__ = (UniqueConstraint("source", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    source: str
    key: str
    received_at: datetime = Field(sa_type=Instant)
    size: int = Field(sa_type=BigInteger)
    # Raw bytes; NULL once it has its verdict.
    content: bytes | None = None
    held: int = Field(sa_type=BigInteger)
    header_only: bool
    missing: bool
    announced_at: datetime = Field(sa_type=Instant)
    # Not tried before then.
    due_at: datetime = Field(sa_type=Instant)
    # Number of the queue's job that carries it; NULL before there is one.
    job: int | None = Field(default=None, sa_type=BigInteger)
    # Process whose hands it is in.
    holder: str | None = None
    outcome: str | None = None


class ProcessTable(_Kept, table=True):
    """A process of an installation that has several, until it falls silent for a day."""

    __tablename__ = "process"

    holder: str = Field(primary_key=True)
    role: str
    version: str
    began_at: datetime = Field(sa_type=Instant)
    beat_at: datetime = Field(sa_type=Instant)


def _of(model: type[_Kept]) -> Any:
    """The Core table of a model; statements are written with Core."""
    return model.metadata.tables[str(model.__tablename__)]


METADATA: MetaData = _Kept.metadata

ENTITY: Table = _of(LegalEntityTable)
POINT: Table = _of(MeteringPointTable)
METER: Table = _of(MeterTable)
POINT_ROW: Table = _of(PointRowTable)
METER_ROW: Table = _of(MeterRowTable)
LETTER: Table = _of(LetterTable)
LOCATION: Table = _of(LetterLocationTable)
SUBMISSION: Table = _of(SubmissionTable)
FINDING: Table = _of(FindingTable)
SERIES: Table = _of(IntervalSeriesTable)
VALUE: Table = _of(IntervalValueTable)
VALUE_HISTORY: Table = _of(IntervalHistoryTable)
DAY: Table = _of(IntervalDayTable)
SPAN: Table = _of(SubmissionSpanTable)
READING: Table = _of(RegisterReadingTable)
READING_HISTORY: Table = _of(RegisterHistoryTable)
CARRIED: Table = _of(SubmissionReadingTable)
REPLY: Table = _of(ReplyTable)
INSTANCE: Table = _of(InstanceTable)
PASS: Table = _of(MailboxPassTable)
SERVER: Table = _of(ServerTable)
FAILURE: Table = _of(SenderFailureTable)
GUESS: Table = _of(SenderGuessTable)
PERIOD: Table = _of(PeriodTable)
SNAPSHOT: Table = _of(SnapshotTable)
SNAPSHOT_ROW: Table = _of(SnapshotRowTable)
SUSPICION: Table = _of(SuspicionTable)
SUSPICION_ACCEPTED: Table = _of(SuspicionAcceptedTable)
WEB_SESSION: Table = _of(WebSessionTable)
WEB_USER: Table = _of(WebUserTable)
WEB_TOKEN: Table = _of(WebTokenTable)
WEB_LINK: Table = _of(WebLinkTable)
ACCESS_REQUEST: Table = _of(AccessRequestTable)
WEB_UPLOAD: Table = _of(WebUploadTable)
WEB_ACCOUNT: Table = _of(WebAccountTable)
OPERATOR: Table = _of(OperatorTable)
AUDIT: Table = _of(AuditTable)
