"""Operators: made and switched off on the server, signed in to the console."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import pyotp

from ingest.intake.strength import weakness
from ingest.operations.account.sessions import (
    Attempt,
    Counted,
    begin_session,
    digest,
    goes_on,
    new_secret,
)
from ingest.operations.ports import Ledger, Service
from ingest.operations.refused import Refused
from ingest.operations.registry import WeakPassword
from ingest.operations.told import MERGED, Keys
from storage.records.access import Operator, OperatorRole, WebSession
from storage.records.audit import Facts
from storage.store import Store

NAME_MOST = 60
_STEP_SECONDS = 30
_AROUND = (0, -1, 1)
"""Steps whose codes are taken: telephones' clocks are not exact."""


class BadName(Refused):
    """An operator cannot be called so."""


class NameTaken(Refused):
    """An operator of this name is let in."""


class StaysIn(Refused):
    """An operator is not switched off in the console: it is oneself, or the last to administer."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An operator, and when it last signed in; None: never."""

    KEYS: ClassVar[Keys] = {MERGED: "operator", "signed_in_at": "signed_in_at"}

    operator: Operator
    signed_in_at: datetime | None


@dataclass(frozen=True, slots=True)
class Added:
    """An operator who was made, or has everything anew.

    Attributes:
        password: As it was made, told once and not kept; None: it was given.
        second_factor: An `otpauth:` address for an authenticator's app, told once; None
            without a second factor.
        is_new: Whether there was none of this name.
    """

    KEYS: ClassVar[Keys] = {
        "name": "name",
        "role": "role",
        "password": "password",
        "second_factor": "second_factor",
        "new": "is_new",
    }

    name: str
    role: OperatorRole
    password: str | None = field(repr=False)
    second_factor: str | None = field(repr=False)
    is_new: bool

    @property
    def key(self) -> str:
        """The second factor as it is typed into an app; '' without one."""
        return pyotp.parse_uri(self.second_factor).secret if self.second_factor else ""


def add(
    service: Service,
    name: str,
    role: OperatorRole,
    who: str,
    now: datetime,
    *,
    password: str = "",
    second_factor: bool = True,
    anew: bool = True,
) -> Added:
    """Make an operator, or give one that is there role, password and second factor anew.

    Args:
        service: Hashes the password.
        name: By which it signs in, and which the audit tells.
        role: What it may do.
        who: Who makes it.
        now: When.
        password: '' for one that is made.
        second_factor: Whether a code of an app is asked for beside the password.
        anew: Also one that is let in gets all anew.

    Raises:
        BadName: the name is empty, too long, or has blanks at its ends or odd signs.
        NameTaken: one of this name is let in, and is not to get all anew.
        WeakPassword: the given password is too easy to guess.
    """
    if not name.isprintable() or name != name.strip() or not 0 < len(name) <= NAME_MOST:
        raise BadName(f"a name is one line of at most {NAME_MOST} signs without blanks around it")
    if password and (reason := weakness(password, name, "")):
        raise WeakPassword(reason)
    given = password or secrets.token_urlsafe(12)
    secret = pyotp.random_base32() if second_factor else None
    hashed = service.guard.passwords.hash(given)
    with service.ledger.transaction() as store:
        before = store.operators.named(name)
        if not store.operators.keep(name, role, hashed, secret, who, now, anew=anew):
            raise NameTaken(f"{name}: an operator of this name is let in")
        after: Facts = {"role": role, "active": True, "second_factor": second_factor}
        store.audit.add(now, who, "operator", name, before=_facts(before), after=after)
    issuer = service.signature.organisation or "ingest"
    uri = pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer) if secret else None
    return Added(name, role, None if password else given, uri, before is None)


def _facts(operator: Operator | None) -> Facts | None:
    if operator is None:
        return None
    return {
        "role": operator.role,
        "active": operator.active,
        "second_factor": operator.totp_secret is not None,
    }


def every(ledger: Ledger, since: str = "", limit: int | None = None) -> Sequence[Listed]:
    """Every operator, by name, those switched off too.

    Args:
        ledger: The database.
        since: The first name.
        limit: At most so many; None: all.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        found = store.operators.all(since, limit)
        return [Listed(one, _signed_in_at(store, one)) for one in found]


def _signed_in_at(store: Store, operator: Operator) -> datetime | None:
    entries, _ = store.audit.page(None, 1, what="sign-in", key=operator.name)
    return entries[0].at if entries else None


def switch_off(ledger: Ledger, name: str, who: str, now: datetime) -> bool:
    """Let an operator in no more, sessions that are open included; False: none such is let in.

    Args:
        ledger: The database.
        name: Whom.
        who: Who does it.
        now: The moment of it, aware.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.transaction() as store:
        return _switched_off(store, name, who, now)


def switch_off_another(ledger: Ledger, name: str, me: Operator, now: datetime) -> bool:
    """As `switch_off`, by an operator in the console, where somebody must be left to undo it.

    Args:
        ledger: The database.
        name: Whom.
        me: Who does it.
        now: The moment of it, aware.

    Raises:
        StaysIn: it is oneself, or nobody would be left who administers.
        ConnectionError: the database is away.
    """
    with ledger.transaction() as store:
        if name == me.name or not store.operators.administering() - {name}:
            raise StaysIn(f"{name}: oneself and the last who administers stay in")
        return _switched_off(store, name, me.actor, now)


def _switched_off(store: Store, name: str, who: str, now: datetime) -> bool:
    before = store.operators.named(name)
    if before is None or not store.operators.switch_off(name):
        return False
    store.accounts.end_others("operator", before.id, "")
    store.audit.add(now, who, "operator", name, before=_facts(before), after={"active": False})
    return True


def sign_in(service: Service, attempt: Attempt, code: str, now: datetime) -> str | None:
    """The id of a new session; None when it may not be, for whatever reason.

    Args:
        service: Has the ledger, and verifies passwords.
        attempt: Name and password, and where they come from.
        code: Of the second factor, as typed.
        now: When.

    Raises:
        ConnectionError: the database is away.
    """
    guard, name = service.guard, attempt.name.strip()
    with service.ledger.reading() as store:
        operator = store.operators.named(name)
        is_open = _counted(store, name, attempt).is_open(now, guard.guesses_per_hour)
    is_known = operator is not None and operator.active and is_open
    known = operator.password_hash if operator is not None and is_known else None
    is_right = attempt.fits(known, guard, now)
    if not is_open:
        return None
    with service.ledger.transaction() as store:
        counted = _counted(store, name, attempt)
        # Others may have guessed meanwhile.
        if not counted.is_open(now, guard.guesses_per_hour):
            return None
        step = _step_of(operator, code, now)
        if operator is None or known is None or not is_right or step is None:
            counted.failed(guard, now)
            return None
        if store.operators.numbered(operator.id) != operator:
            return None
        if operator.totp_secret is not None and not store.operators.use_code(operator.id, step):
            counted.failed(guard, now)
            return None
        counted.succeeded(now)
        after = {"from": attempt.network}
        store.audit.add(now, operator.actor, "sign-in", name, before=None, after=after)
        key = new_secret()
        session = WebSession(
            digest(key), "operator", operator.id, _mark(operator), now, now,
            attempt.network, attempt.agent,
        )  # fmt: skip
        begin_session(store, session)
        return key


def _counted(store: Store, name: str, attempt: Attempt) -> Counted:
    return Counted(store, f"console:{name[:NAME_MOST]}", attempt)


def _step_of(operator: Operator | None, code: str, now: datetime) -> int | None:
    """The step of 30 seconds that a code is of; 0 where none is asked for; None: of none.

    Source: RFC 6238.
    """
    if operator is None or operator.totp_secret is None:
        return 0
    typed = "".join(code.split())
    totp, step = pyotp.TOTP(operator.totp_secret), int(now.timestamp()) // _STEP_SECONDS
    for near in _AROUND:
        expected = totp.generate_otp(step + near)
        if hmac.compare_digest(expected.encode(), typed.encode("utf-8", "replace")):
            return step + near
    return None


def operator_of(ledger: Ledger, key: str, now: datetime) -> Operator | None:
    """Whose a session's id is; None when it is over.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        session = store.accounts.session_of(digest(key))
        if session is None or session.kind != "operator":
            return None
        operator = store.operators.numbered(session.subject)
    is_theirs = operator is not None and operator.active and _mark(operator) == session.mark
    return operator if goes_on(ledger, session, now, is_theirs=is_theirs) else None


def _mark(operator: Operator) -> str:
    """Digest of password and second factor that a session keeps: it ends when either changes."""
    return digest(f"{operator.password_hash} {operator.totp_secret}")
