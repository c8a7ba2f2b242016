"""Registration and new passwords: links by mail, and requests that a person answers.

Whoever asks is told the same, whatever is true: nothing here says whether a code exists.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingest.operations.account.sessions import (
    Attempt,
    Visitor,
    digest,
    new_secret,
    proven,
)
from ingest.operations.ports import Service
from ingest.operations.registry import WeakPassword, weakness_of
from ingest.replies.access import About, access_mail
from ingest.replies.message import ReplySettings, recipient
from ingest.replies.wording import wording
from layouts.points import LegalEntity
from storage.records.access import Role, WebLink, WebToken, WebUser
from storage.records.audit import Facts
from storage.store import Store

LINK_LASTS = timedelta(minutes=30)
INVITATION_LASTS = timedelta(days=3)

_NETWORK_AN_HOUR = 5
_ALL_AN_HOUR = 200
_LINKS_AN_HOUR = 3
_PASSWORD_MOST = 200
_A_PAGE = 50


@dataclass(frozen=True, slots=True)
class Chosen:
    """A password that holds from now on.

    Attributes:
        made: The password, when we made it: shown once; '' when it was chosen.
        is_entitys: Whether it is the letters' password, too.
    """

    is_entitys: bool
    made: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Mails:
    """How mails are written; made before a transaction is open, as the policy may need one."""

    replies: ReplySettings
    public_url: str

    @classmethod
    def of(cls, service: Service) -> _Mails:
        """Those of a service."""
        return cls(service.policy.replies, service.public_url)

    def moment(self, at: datetime) -> str:
        """A moment as mails write it."""
        return wording(self.replies.language, self.replies.zone).moment(at)


def ask(service: Service, code: str, address: str, network: str, now: datetime) -> None:
    """Mail a link to an address that is known with a code; keep any other request.

    Beyond a bound for each network, and one for all, nothing is done.

    Args:
        service: The wired parts.
        code: The user code, as it was typed.
        address: Where the link is mailed to.
        network: Where the request came from.
        now: The moment of it, aware.

    Raises:
        ConnectionError: the database is away.
    """
    code, address, mails = code.strip(), address.strip().lower(), _Mails.of(service)
    with service.ledger.transaction() as store:
        hour = now - timedelta(hours=1)
        if store.accounts.asked_since(hour, network=network) >= _NETWORK_AN_HOUR:
            return
        if store.accounts.asked_since(hour) >= _ALL_AN_HOUR:
            return
        entity = store.registry.bare(code) or store.registry.entity_without_zeros(code)
        user = _user_of(store, entity, address)
        if (
            entity is None
            or not entity.active
            or (user is None and address not in entity.addresses)
            or not service.public_url
        ):
            store.accounts.ask(code, address, network, now)
            return
        # Counted like any other; nobody has to look at it.
        store.accounts.ask(code, address, network, now, answered="link")
        if store.accounts.links_since(entity.user_code, hour) < _LINKS_AN_HOUR:
            _mail_link(mails, store, About.PASSWORD, entity, user, address, now)


def _user_of(store: Store, entity: LegalEntity | None, address: str) -> int | None:
    """The entity's invited user with this address, unless switched off."""
    number = store.accounts.user_by_address(address)
    account = store.accounts.account("user", number) if number is not None else None
    if account is None or entity is None or account.entity != entity.user_code:
        return None
    return number if account.active else None


def _mail_link(
    mails: _Mails,
    store: Store,
    about: About,
    entity: LegalEntity,
    user: int | None,
    address: str,
    now: datetime,
) -> None:
    secret = new_secret()
    ends_at = now + (LINK_LASTS if about is About.PASSWORD else INVITATION_LASTS)
    store.accounts.make_link(
        digest(secret), WebLink(entity.user_code, user, address, now, ends_at, None)
    )
    mail = access_mail(
        about,
        address,
        now,
        mails.replies,
        link=f"{mails.public_url}/registration/{secret}",
        until=mails.moment(ends_at),
        code=entity.user_code,
        name=entity.name,
    )
    if mail.recipient:
        store.outbox.owe(mail, now)


def link_of(service: Service, secret: str, now: datetime) -> WebLink | None:
    """What a link that was mailed is for; None when it is not good any more."""
    with service.ledger.reading() as store:
        return store.accounts.link_of(digest(secret), now)


def choose(service: Service, secret: str, password: str, now: datetime) -> Chosen | None:
    """Set the password that a link is for, or make one when it is ''; None: the link has ended.

    Args:
        service: The wired parts.
        secret: Of the link.
        password: '' for one that is made.
        now: The moment of it, aware.

    Raises:
        WeakPassword: this one is too easy to guess.
    """
    link = link_of(service, secret, now)
    if link is None:
        return None
    with service.ledger.reading() as store:
        entity = store.registry.bare(link.entity)
    if entity is None:
        return None
    made, mails = "" if password else secrets.token_urlsafe(9), _Mails.of(service)
    hashed = service.guard.passwords.hash(_strong(entity, password) or made)
    with service.ledger.transaction() as store:
        if not store.accounts.use_link(digest(secret), now):
            return None
        if link.user is None:
            store.registry.set_password(entity.user_code, hashed, f"link to {link.address}", now)
        else:
            store.accounts.set_user_password(link.user, hashed)
        _notify(mails, store, entity, link, now)
    return Chosen(link.user is None, made)


def change_password(
    service: Service, of: Visitor, attempt: Attempt, password: str, now: datetime
) -> bool:
    """Give a visitor another password; False when the old one is not right.

    Args:
        service: The wired parts.
        of: The visitor.
        attempt: The old password and where it was typed.
        password: The new one.
        now: The moment of it, aware.

    Raises:
        WeakPassword: this one is too easy to guess.
    """
    account = proven(service, attempt, now)
    if account is None or (account.kind, account.id) != (of.account.kind, of.account.id):
        return False
    with service.ledger.reading() as store:
        entity = store.registry.bare(of.entity)
    if entity is None:
        return False
    hashed, mails = service.guard.passwords.hash(_strong(entity, password)), _Mails.of(service)
    with service.ledger.transaction() as store:
        user = account.id if account.kind == "user" else None
        if user is None:
            store.registry.set_password(of.entity, hashed, of.who, now)
        else:
            store.accounts.set_user_password(user, hashed)
        link = WebLink(of.entity, user, account.address, now, now, None)
        _notify(mails, store, entity, link, now)
    return True


def _strong(entity: LegalEntity, password: str) -> str:
    password = password[:_PASSWORD_MOST]
    if reason := weakness_of(entity, password):
        raise WeakPassword(reason)
    return password


def _notify(mails: _Mails, store: Store, entity: LegalEntity, link: WebLink, now: datetime) -> None:
    """Owe every known address a mail that the password has changed."""
    addresses: Iterable[str] = (link.address,) if link.user is not None else entity.addresses
    for address in addresses:
        mail = access_mail(
            About.CHANGED, address, now, mails.replies,
            code=entity.user_code, name=entity.name, until=mails.moment(now),
        )  # fmt: skip
        if mail.recipient:
            store.outbox.owe(mail, now)


@dataclass(frozen=True, slots=True)
class Access:
    """Who and what may use an account: a page of its users and one of its tokens.

    Attributes:
        addresses: That the entity's letters come from.
        reminders: Whether it wants to be reminded.
        next_user: The address that the next page of users begins with; None: this is the last.
        next_token: The number that the next page of tokens is before; None: this is the last.
    """

    addresses: tuple[str, ...]
    users: tuple[WebUser, ...]
    tokens: tuple[WebToken, ...]
    reminders: bool
    next_user: str | None
    next_token: int | None


def access(
    service: Service, code: str, users_since: str = "", tokens_before: int | None = None
) -> Access:
    """Who and what may use an entity's account.

    Args:
        service: The wired parts.
        code: User code of the entity.
        users_since: The first address of the page of users.
        tokens_before: Only tokens of lower numbers.
    """
    with service.ledger.reading() as store:
        entity = store.registry.bare(code)
        users = store.accounts.users(code, users_since, _A_PAGE + 1)
        tokens = store.accounts.tokens(code, tokens_before, _A_PAGE + 1)
        return Access(
            entity.addresses if entity else (),
            tuple(users[:_A_PAGE]),
            tuple(tokens[:_A_PAGE]),
            store.accounts.reminders(code),
            users[_A_PAGE].address if len(users) > _A_PAGE else None,
            tokens[_A_PAGE - 1].id if len(tokens) > _A_PAGE else None,
        )


def set_reminders(service: Service, code: str, *, wanted: bool) -> None:
    """Remind an entity of what is missing, or not."""
    with service.ledger.transaction() as store:
        store.accounts.set_reminders(code, wanted=wanted)


def invite(service: Service, by: Visitor, address: str, role: Role, now: datetime) -> bool:
    """Mail an invitation to an account; False when mail cannot go to the address.

    A user of another entity's account is not invited, and nobody is told.

    Args:
        service: The wired parts.
        by: Who does it, of the entity's account.
        address: Of the new user.
        role: What it may do then.
        now: The moment of it, aware.
    """
    address = address.strip().lower()
    if recipient(address) is None or role is Role.OWNER:
        return False
    mails = _Mails.of(service)
    with service.ledger.transaction() as store:
        entity = store.registry.bare(by.entity)
        user = store.accounts.invite(by.entity, address, role, now)
        if entity is not None and user is not None:
            store.audit.add(
                now, by.who, "user", address, before=None,
                after={"entity": by.entity, "role": role.value},
            )  # fmt: skip
            _mail_link(mails, store, About.INVITATION, entity, user, address, now)
    return True


def change_user(
    service: Service, by: Visitor, user: int, *, role: Role, active: bool, now: datetime
) -> bool:
    """Give a user of the entity another role, or switch it off; False: there is none such.

    Args:
        service: The wired parts.
        by: Who does it, of the entity's account.
        user: Its number.
        role: What it may do then.
        active: Whether it may sign in then.
        now: The moment of it, aware.
    """
    if role is Role.OWNER:
        return False
    with service.ledger.transaction() as store:
        done = store.accounts.change_user(by.entity, user, role=role, active=active)
        if done:
            after: Facts = {"entity": by.entity, "role": role.value, "active": active}
            store.audit.add(now, by.who, "user", str(user), before=None, after=after)
    return done


def switch_user_off(service: Service, code: str, user: int, who: str, now: datetime) -> bool:
    """Let a user of an entity in no more, as an operator wants it; False: none such is let in.

    Args:
        service: Has the ledger.
        code: User code of the entity.
        user: The user's number.
        who: The operator.
        now: When.
    """
    with service.ledger.transaction() as store:
        found = [one for one in store.accounts.users(code) if one.id == user and one.active]
        if not found:
            return False
        store.accounts.change_user(code, user, role=found[0].role, active=False)
        after: Facts = {"entity": code, "role": found[0].role.value, "active": False}
        store.audit.add(now, who, "user", str(user), before=None, after=after)
    return True


def make_token(service: Service, by: Visitor, name: str, days: int, now: datetime) -> str:
    """A new token for a program; shown once.

    Args:
        service: The wired parts.
        by: Who does it, of the entity's account.
        name: What its program is called.
        days: How long it is good.
        now: The moment of it, aware.
    """
    secret = new_secret()
    with service.ledger.transaction() as store:
        store.accounts.make_token(
            by.entity, name.strip()[:100] or "-", digest(secret), by.who, now,
            now + timedelta(days=days),
        )  # fmt: skip
        after: Facts = {"entity": by.entity, "days": days}
        store.audit.add(now, by.who, "token", name.strip()[:100], before=None, after=after)
    return secret


def end_token(service: Service, by: Visitor, token: int, now: datetime) -> None:
    """End a token of the entity's; a no-op when it has ended.

    Args:
        service: The wired parts.
        by: Who does it, of the entity's account.
        token: Its number.
        now: The moment of it, aware.
    """
    with service.ledger.transaction() as store:
        if store.accounts.end_token(by.entity, token, now):
            after: Facts = {"entity": by.entity, "ended": True}
            store.audit.add(now, by.who, "token", str(token), before=None, after=after)
