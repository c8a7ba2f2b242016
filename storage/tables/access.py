"""Who may sign in, and who failed to."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, Table, UniqueConstraint
from sqlmodel import Field

from storage.columns import Clean, Instant
from storage.tables.base import Kept, table_of


class SenderFailureTable(Kept, table=True):
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


class SenderGuessTable(Kept, table=True):
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


class WebSessionTable(Kept, table=True):
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


class WebUserTable(Kept, table=True):
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


class WebTokenTable(Kept, table=True):
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


class WebLinkTable(Kept, table=True):
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


class AccessRequestTable(Kept, table=True):
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


class WebUploadTable(Kept, table=True):
    """A checked file, kept for the button that hands it in."""

    __tablename__ = "web_upload"

    # Who checked it, in which browser: the file outlives a session that ends meanwhile.
    session: str = Field(primary_key=True)
    sha256: str
    name: str = Field(sa_type=Clean)
    content: bytes
    at: datetime = Field(sa_type=Instant, index=True)


class WebAccountTable(Kept, table=True):
    """What an entity has chosen for its account; no row: the defaults."""

    __tablename__ = "web_account"

    entity_id: int = Field(primary_key=True, foreign_key="legal_entity.id")
    reminders: bool = True


class OperatorTable(Kept, table=True):
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


FAILURE: Table = table_of(SenderFailureTable)
GUESS: Table = table_of(SenderGuessTable)
WEB_SESSION: Table = table_of(WebSessionTable)
WEB_USER: Table = table_of(WebUserTable)
WEB_TOKEN: Table = table_of(WebTokenTable)
WEB_LINK: Table = table_of(WebLinkTable)
ACCESS_REQUEST: Table = table_of(AccessRequestTable)
WEB_UPLOAD: Table = table_of(WebUploadTable)
WEB_ACCOUNT: Table = table_of(WebAccountTable)
OPERATOR: Table = table_of(OperatorTable)
