"""Who may sign in: accounts, operators, sessions, and what locks a user code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256


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


class Role(StrEnum):
    """What a visitor of the account may do; each may what those behind it may."""

    OWNER = "owner"
    SENDS = "sends"
    READS = "reads"


def mark_of(password_hash: str | None) -> str:
    """What a session keeps of the password that began it: it ends when the password is another."""
    return sha256((password_hash or "").encode()).hexdigest()


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
