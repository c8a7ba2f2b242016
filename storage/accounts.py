"""Accounts: who may sign in, who is signed in, and what was mailed for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, true

from storage.columns import instant
from storage.records.access import (
    AccessRequest,
    Account,
    Role,
    WebLink,
    WebSession,
    WebToken,
    WebUser,
)
from storage.session import Part
from storage.tables.access import ACCESS_REQUEST, WEB_ACCOUNT, WEB_LINK, WEB_TOKEN, WEB_USER
from storage.tables.points import ENTITY

_ADDRESS_MOST = 320
"""Signs of a mail address; an index takes no more than 2700 bytes."""


class Accounts(Part):
    """Sessions, users, tokens, links and requests for access; secrets by their SHA-256."""

    matter = "accounts"

    def account(self, kind: str, number: int) -> Account | None:
        """The owner or user of that number."""
        if kind == "owner":
            row = self._sql.row("owner", id=number)
            return row and Account(
                "owner", row.id, row.user_code, row.name, "", Role.OWNER,
                row.password_hash, bool(row.active),
            )  # fmt: skip
        row = self._sql.row("user", id=number)
        return row and Account(
            "user", row.id, row.user_code, row.name, row.address, Role(row.role),
            row.password_hash, bool(row.active),
        )  # fmt: skip

    def user_by_address(self, address: str) -> int | None:
        """The number of the user with this address."""
        found: int | None = self._sql.value("user_by_address", address=_address(address))
        return found

    def begin(self, session: WebSession) -> None:
        """Keep a new session."""
        self._sql.change(
            "begin",
            sha256=session.sha256,
            kind=session.kind,
            subject=session.subject,
            mark=session.mark,
            now=session.made_at,
            network=session.network,
            agent=session.agent,
        )

    def session_of(self, sha256: str) -> WebSession | None:
        """A session, whether it is still good or not."""
        row = self._sql.row("session", sha256=sha256)
        return row and _session(row)

    def sessions(self, kind: str, subject: int) -> list[WebSession]:
        """Every session of an account, the one seen last first."""
        return [_session(r) for r in self._sql.rows("sessions_of", kind=kind, subject=subject)]

    def see(self, sha256: str, now: datetime) -> None:
        """Note that a session was used."""
        self._sql.change("see", sha256=sha256, now=now)

    def end(self, sha256: str) -> None:
        """End one session."""
        self._sql.change("end", sha256=sha256)

    def end_others(self, kind: str, subject: int, but: str) -> int:
        """End every session of an account but one; how many there were."""
        return self._sql.change("end_others", kind=kind, subject=subject, sha256=but)

    def end_old(self, made_before: datetime, seen_before: datetime) -> None:
        """Delete expired sessions."""
        self._sql.change("end_old", made_before=made_before, seen_before=seen_before)

    def keep_upload(
        self,
        whose: str,
        sha256: str,
        name: str,
        content: bytes,
        now: datetime,
        kept_for: timedelta,
    ) -> None:
        """Keep a file in the place of the one before; drop what nobody fetched.

        Args:
            whose: Who checked it, in which browser.
            sha256: Of the bytes.
            name: The file's.
            content: Its bytes.
            now: The moment of it, aware.
            kept_for: How long it can be handed in.
        """
        self._sql.change("drop_uploads", before=now - kept_for, session=whose)
        self._sql.change(
            "keep_upload", session=whose, sha256=sha256, name=name, content=content, now=now
        )

    def upload(self, whose: str, sha256: str, since: datetime) -> tuple[str, bytes] | None:
        """Name and content of somebody's file that was kept since then."""
        row = self._sql.row("upload", session=whose, sha256=sha256, since=since)
        return (row.name, bytes(row.content)) if row else None

    def users(self, entity: str, since: str = "", limit: int | None = None) -> list[WebUser]:
        """The users of an entity's account by address, beginning with one; at most so many."""
        rows = self._connection.execute(
            select(WEB_USER)
            .join_from(WEB_USER, ENTITY)
            .where(ENTITY.c.user_code == entity, WEB_USER.c.address >= since)
            .order_by(WEB_USER.c.address)
            .limit(limit)
        )
        return [
            WebUser(
                row.id, row.address, Role(row.role), row.active,
                row.password_hash is not None, row.invited_at,
            )
            for row in rows
        ]  # fmt: skip

    def invite(self, entity: str, address: str, role: Role, now: datetime) -> int | None:
        """The number of a new user, or of the entity's own one with this address.

        None: the address is a user of another entity, or there is no such entity.

        Args:
            entity: The legal entity's user code.
            address: Of the new user.
            role: What it may do then.
            now: The moment of it, aware.
        """
        number = self._entity_id(entity)
        values = {
            "entity_id": number, "address": _address(address), "role": role,
            "active": True, "invited_at": now,
        }  # fmt: skip
        made = (
            self._insert(WEB_USER)
            .values(values)
            .on_conflict_do_update(
                index_elements=["address"],
                set_={"role": role, "active": True, "invited_at": now},
                where=WEB_USER.c.entity_id == number,
            )
        )
        if number is None:
            return None
        found: int | None = self._connection.scalar(made.returning(WEB_USER.c.id))
        return found

    def change_user(self, entity: str, user: int, *, role: Role, active: bool) -> bool:
        """Give an entity's user another role, or switch it off; False: there is none such.

        Args:
            entity: The legal entity's user code.
            user: Its number.
            role: What it may do then.
            active: Whether it may sign in then.
        """
        changed = self._connection.execute(
            WEB_USER.update().where(
                WEB_USER.c.id == user, WEB_USER.c.entity_id == self._entity_id(entity)
            ),
            {"role": role, "active": active},
        )
        return bool(changed.rowcount)

    def set_user_password(self, user: int, password_hash: str) -> None:
        """Give a user a password, by its hash."""
        self._connection.execute(
            WEB_USER.update().where(WEB_USER.c.id == user), {"password_hash": password_hash}
        )

    def make_token(
        self, entity: str, name: str, sha256: str, made_by: str, now: datetime, ends_at: datetime
    ) -> None:
        """Keep a program's token.

        Args:
            entity: The legal entity's user code.
            name: What its program is called.
            sha256: Of the token, which itself is not kept.
            made_by: The user's address.
            now: The moment of it, aware.
            ends_at: When it is good no more.
        """
        self._connection.execute(
            WEB_TOKEN.insert(),
            {
                "entity_id": self._entity_id(entity), "name": name, "sha256": sha256,
                "made_by": made_by, "made_at": now, "ends_at": ends_at,
            },
        )  # fmt: skip

    def token_of(self, sha256: str, now: datetime) -> WebToken | None:
        """A token that is still good, of an entity that is not switched off."""
        row = self._sql.row("token", sha256=sha256)
        if row is None or not row.active or row.ended_at is not None:
            return None
        return _token(row) if instant(row.ends_at) > now else None

    def use_token(self, token: int, now: datetime) -> None:
        """Note that a token was used."""
        self._sql.change("use_token", id=token, now=now)

    def tokens(
        self, entity: str, before: int | None = None, limit: int | None = None
    ) -> list[WebToken]:
        """The tokens of an entity, the newest first; those made before one; at most so many."""
        rows = self._connection.execute(
            select(WEB_TOKEN, ENTITY.c.user_code)
            .join_from(WEB_TOKEN, ENTITY)
            .where(ENTITY.c.user_code == entity)
            .where(true() if before is None else WEB_TOKEN.c.id < before)
            .order_by(WEB_TOKEN.c.id.desc())
            .limit(limit)
        )
        return [
            WebToken(
                row.id, row.user_code, row.name, row.made_by, row.made_at, row.ends_at,
                row.used_at, row.ended_at,
            )
            for row in rows
        ]  # fmt: skip

    def end_token(self, entity: str, token: int, now: datetime) -> bool:
        """End an entity's token; False: there is none such."""
        changed = self._connection.execute(
            WEB_TOKEN.update().where(
                WEB_TOKEN.c.id == token,
                WEB_TOKEN.c.entity_id == self._entity_id(entity),
                WEB_TOKEN.c.ended_at.is_(None),
            ),
            {"ended_at": now},
        )
        return bool(changed.rowcount)

    def make_link(self, sha256: str, link: WebLink) -> None:
        """Keep a link that is mailed."""
        self._connection.execute(
            WEB_LINK.insert(),
            {
                "sha256": sha256, "entity_id": self._entity_id(link.entity),
                "user_id": link.user, "address": _address(link.address),
                "made_at": link.made_at, "ends_at": link.ends_at,
            },
        )  # fmt: skip

    def link_of(self, sha256: str, now: datetime) -> WebLink | None:
        """A link that is still good."""
        row = self._connection.execute(
            select(WEB_LINK, ENTITY.c.user_code)
            .join_from(WEB_LINK, ENTITY)
            .where(
                WEB_LINK.c.sha256 == sha256,
                WEB_LINK.c.used_at.is_(None),
                WEB_LINK.c.ends_at > now,
                ENTITY.c.active,
            )
        ).one_or_none()
        if row is None:
            return None
        return WebLink(
            row.user_code, row.user_id, row.address, row.made_at, row.ends_at, row.used_at
        )

    def use_link(self, sha256: str, now: datetime) -> bool:
        """Mark a link used, with every other one for the same password; False: it was already."""
        used = self._connection.execute(
            WEB_LINK.update()
            .where(WEB_LINK.c.sha256 == sha256, WEB_LINK.c.used_at.is_(None))
            .values(used_at=now)
            .returning(WEB_LINK.c.entity_id, WEB_LINK.c.user_id)
        ).one_or_none()
        if used is None:
            return False
        self._connection.execute(
            WEB_LINK.update()
            .where(
                WEB_LINK.c.entity_id == used.entity_id,
                WEB_LINK.c.user_id.is_not_distinct_from(used.user_id),
                WEB_LINK.c.used_at.is_(None),
            )
            .values(used_at=now)
        )
        return True

    def links_since(self, entity: str, since: datetime) -> int:
        """How many links were made for an entity since then."""
        rows = self._connection.execute(
            select(WEB_LINK.c.sha256).where(
                WEB_LINK.c.entity_id == self._entity_id(entity), WEB_LINK.c.made_at >= since
            )
        )
        return len(rows.all())

    def ask(
        self, user_code: str, address: str, network: str, now: datetime, answered: str | None = None
    ) -> None:
        """Keep a request for access; a person must look at it unless it is answered.

        Args:
            user_code: As it was claimed.
            address: Where an answer goes.
            network: Where the request came from.
            now: The moment of it, aware.
            answered: Whether a link was mailed.
        """
        self._connection.execute(
            ACCESS_REQUEST.insert(),
            {
                "user_code": user_code[:100], "address": _address(address),
                "network": network, "at": now,
                "answered_at": now if answered else None, "answer": answered,
            },
        )  # fmt: skip

    def asked_since(self, since: datetime, *, network: str | None = None) -> int:
        """How many requests there were since then, all or from one network."""
        statement = select(ACCESS_REQUEST.c.id).where(ACCESS_REQUEST.c.at >= since)
        if network is not None:
            statement = statement.where(ACCESS_REQUEST.c.network == network)
        return len(self._connection.execute(statement).all())

    def requests(self, limit: int = 1000) -> list[AccessRequest]:
        """Requests that nobody has answered, the oldest first."""
        rows = self._connection.execute(
            select(ACCESS_REQUEST)
            .where(ACCESS_REQUEST.c.answered_at.is_(None))
            .order_by(ACCESS_REQUEST.c.id)
            .limit(limit)
        )
        return [
            AccessRequest(row.id, row.user_code, row.address, row.network, row.at) for row in rows
        ]

    def answer_request(self, number: int, who: str, answer: str, now: datetime) -> bool:
        """Mark a request answered; False when it is already.

        Args:
            number: The request's.
            who: The operator, as the audit names it.
            answer: What became of it.
            now: The moment of it, aware.
        """
        changed = self._connection.execute(
            ACCESS_REQUEST.update().where(
                ACCESS_REQUEST.c.id == number, ACCESS_REQUEST.c.answered_at.is_(None)
            ),
            {"answered_at": now, "answered_by": who, "answer": answer},
        )
        return bool(changed.rowcount)

    def reminders(self, entity: str) -> bool:
        """Whether an entity wants to be reminded of what is missing."""
        chosen = self._connection.scalar(
            select(WEB_ACCOUNT.c.reminders)
            .join_from(WEB_ACCOUNT, ENTITY)
            .where(ENTITY.c.user_code == entity)
        )
        return True if chosen is None else bool(chosen)

    def set_reminders(self, entity: str, *, wanted: bool) -> None:
        """Switch an entity's reminders on or off."""
        self._connection.execute(
            self._insert(WEB_ACCOUNT)
            .values(entity_id=self._entity_id(entity), reminders=wanted)
            .on_conflict_do_update(index_elements=["entity_id"], set_={"reminders": wanted})
        )

    def _entity_id(self, entity: str) -> int | None:
        found: int | None = self._connection.scalar(
            select(ENTITY.c.id).where(ENTITY.c.user_code == entity)
        )
        return found


def _address(address: str) -> str:
    return address.strip().lower()[:_ADDRESS_MOST]


def _session(row: Any) -> WebSession:
    return WebSession(
        row.sha256, row.kind, row.subject_id, row.mark, instant(row.made_at),
        instant(row.seen_at), row.network, row.agent,
    )  # fmt: skip


def _token(row: Any) -> WebToken:
    return WebToken(
        row.id, row.user_code, row.name, row.made_by, instant(row.made_at), instant(row.ends_at),
        instant(row.used_at) if row.used_at is not None else None, None,
    )  # fmt: skip
