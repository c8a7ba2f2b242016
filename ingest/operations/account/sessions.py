"""Signing in to the pages: the password of the letters, sessions, programs' tokens.

Failures are counted apart from those of letters: guessing on the web never keeps a
letter waiting. A browser that signed in before has a count of its own, so that
strangers cannot keep it out either.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from ingest.intake.authenticate import Guard
from ingest.operations.ports import Ledger, Service
from storage.records.access import Account, Role, WebSession, mark_of
from storage.store import Store

IDLE = timedelta(minutes=30)
"""A session that was not used for so long is over."""

ABSOLUTE = timedelta(hours=12)
"""A session that began so long ago is over."""

SEEN_EVERY = timedelta(minutes=1)
"""How exact `seen_at` is, so that not every page writes to the database."""

PASSWORD_MOST = 1000
AGENT_MOST = 200


@dataclass(frozen=True, slots=True)
class Attempt:
    """Somebody wants to sign in.

    Attributes:
        name: User code, or the address of an invited user.
        network: Where from: an IPv4 /24 or an IPv6 /48.
        browser: The id in its cookie that outlives sessions; '' for none.
        agent: What the browser calls itself.
    """

    name: str
    password: str = field(repr=False)
    network: str
    browser: str = field(default="", repr=False)
    agent: str = ""

    def fits(self, known: str | None, guard: Guard, now: datetime) -> bool:
        """Whether its password is the one of a hash; without one, a decoy costs the same work."""
        typed = self.password[:PASSWORD_MOST]
        return guard.passwords.verify(known, typed, now) and typed == self.password


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in.

    Attributes:
        session: SHA-256 of the session's id; '' for a program.
        program: Name of the token that a program shows.
    """

    account: Account
    session: str = ""
    program: str = ""

    @property
    def entity(self) -> str:
        """User code of the entity whose account it is."""
        return self.account.entity

    @property
    def who(self) -> str:
        """How the audit names it."""
        if self.program:
            return f"program {self.program}"
        return self.account.address or f"account {self.account.entity}"

    def may(self, role: Role) -> bool:
        """Whether it may do what needs this role."""
        order = list(Role)
        return order.index(self.account.role) <= order.index(role)


def digest(secret: str) -> str:
    """What is kept of a secret of our own making: it has 256 bits, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_secret() -> str:
    """256 bits that nobody can guess, as text for cookies and addresses."""
    return secrets.token_urlsafe(32)


def sign_in(service: Service, attempt: Attempt, now: datetime) -> str | None:
    """The id of a new session; None when it may not be, for whatever reason.

    Every failure costs one verification, against a decoy where there is nothing to fit.

    Raises:
        ConnectionError: the database is away.
    """
    account = proven(service, attempt, now)
    if account is None:
        return None
    key = new_secret()
    session = WebSession(
        digest(key), account.kind, account.id, mark_of(account.password_hash), now, now,
        attempt.network, attempt.agent,
    )  # fmt: skip
    with service.ledger.transaction() as store:
        begin_session(store, session)
    return key


def begin_session(store: Store, session: WebSession) -> None:
    """Keep a new session; those that are over go."""
    store.accounts.end_old(session.made_at - ABSOLUTE, session.made_at - IDLE)
    store.accounts.begin(replace(session, agent=session.agent[:AGENT_MOST]))


def goes_on(ledger: Ledger, session: WebSession, now: datetime, *, is_theirs: bool) -> bool:
    """Whether a session is not over: one that is ends for good, another one is noted as used.

    Args:
        ledger: The database.
        session: As it is kept.
        now: The moment of it, aware.
        is_theirs: Whether its account is let in, by the password that the session began with.

    Raises:
        ConnectionError: the database is away.
    """
    if not is_theirs or now >= _end_of(session):
        end_session(ledger, session.sha256)
        return False
    if now - session.seen_at >= SEEN_EVERY:
        with ledger.transaction() as store:
            store.accounts.see(session.sha256, now)
    return True


def _end_of(session: WebSession) -> datetime:
    return min(session.made_at + ABSOLUTE, session.seen_at + IDLE)


def proven(service: Service, attempt: Attempt, now: datetime) -> Account | None:
    """The account that a name and a password open, the attempt counted.

    Raises:
        ConnectionError: the database is away.
    """
    guard = service.guard
    with service.ledger.reading() as store:
        account = _named(store, attempt.name)
        counted = _counted(store, account, attempt)
        is_open = counted.is_open(now, guard.guesses_per_hour)
    known = account.password_hash if account and is_open else None
    is_right = attempt.fits(known, guard, now)
    if not is_open:
        return None
    with service.ledger.transaction() as store:
        counted = _counted(store, account, attempt)
        # Others may have guessed meanwhile.
        if not counted.is_open(now, guard.guesses_per_hour):
            return None
        if account is None or known is None or not is_right:
            counted.failed(guard, now)
            return None
        if store.accounts.account(account.kind, account.id) != account:
            return None
        counted.succeeded(now)
    return account


def _counted(store: Store, account: Account | None, attempt: Attempt) -> Counted:
    named = (account.address or account.entity) if account else attempt.name.strip()
    # Letters are counted under the bare code.
    return Counted(store, f"web:{named}", attempt)


class Counted:
    """The names under which an attempt is counted."""

    def __init__(self, store: Store, name: str, attempt: Attempt) -> None:
        self._store = store
        self.name = name
        self._browser = attempt.browser
        browser = _known_browser(attempt.browser)
        is_known = bool(attempt.browser) and store.senders.knows(self.name, browser)
        self.origin = browser if is_known else f"stranger@{attempt.network}"

    def is_open(self, now: datetime, guesses_per_hour: int) -> bool:
        """Whether the password is tried at all."""
        senders = self._store.senders
        return (
            senders.locked_until(self.name, self.origin, now) is None
            and senders.waits_until(self.name, self.origin, now, guesses_per_hour) is None
        )

    def failed(self, guard: Guard, now: datetime) -> None:
        """Count one more failure."""
        self._store.senders.failed(self.name, self.origin, now, guard.max_failures, guard.lockout)

    def succeeded(self, now: datetime) -> None:
        """Forget the failures, and know the browser from now on."""
        self._store.senders.forgive(self.name, self.origin)
        if self._browser:
            self._store.senders.succeeded(self.name, _known_browser(self._browser), now)


def _known_browser(browser: str) -> str:
    return f"{digest(browser)[:32]}@browser"


def _named(store: Store, name: str) -> Account | None:
    """The account of a code or an address that may be used; None for any other."""
    name = name.strip()
    if "@" in name:
        number = store.accounts.user_by_address(name)
        account = store.accounts.account("user", number) if number is not None else None
    else:
        entity = store.registry.bare(name) or store.registry.entity_without_zeros(name)
        has_number = entity is not None and entity.id is not None
        account = store.accounts.account("owner", entity.id) if has_number else None  # type: ignore[union-attr,arg-type]
    return account if account is not None and account.active else None


def visitor(ledger: Ledger, key: str, now: datetime) -> Visitor | None:
    """Who a session's id is of; None when it is over.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        session = store.accounts.session_of(digest(key))
        if session is None or session.kind == "operator":
            return None
        account = store.accounts.account(session.kind, session.subject)
    is_theirs = (
        account is not None and account.active and mark_of(account.password_hash) == session.mark
    )
    if not goes_on(ledger, session, now, is_theirs=is_theirs) or account is None:
        return None
    return Visitor(account, session.sha256)


def program(ledger: Ledger, token: str, now: datetime) -> Visitor | None:
    """Whose a program's token is; None when it is not good any more.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        found = store.accounts.token_of(digest(token), now)
        entity = store.registry.bare(found.entity) if found else None
        if found is None or entity is None or entity.id is None:
            return None
        account = store.accounts.account("owner", entity.id)
    if found.used_at is None or now - found.used_at >= SEEN_EVERY:
        with ledger.transaction() as store:
            store.accounts.use_token(found.id, now)
    # A program hands in and reads; whom the account lets in is for people to say.
    return Visitor(replace(account, role=Role.SENDS), program=found.name) if account else None


def sessions_of(ledger: Ledger, of: Visitor, now: datetime) -> Sequence[WebSession]:
    """The sessions of a visitor's account that are not over."""
    with ledger.reading() as store:
        found = store.accounts.sessions(of.account.kind, of.account.id)
    return [session for session in found if now < _end_of(session)]


def end_session(ledger: Ledger, session: str) -> None:
    """End a session by the SHA-256 of its id."""
    with ledger.transaction() as store:
        store.accounts.end(session)


def end_others(ledger: Ledger, of: Visitor) -> int:
    """End every session of a visitor's account but this one; how many there were."""
    with ledger.transaction() as store:
        return store.accounts.end_others(of.account.kind, of.account.id, of.session)
