"""The installation itself: its key, and what `status` tells of it."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from storage.columns import epoch, instant
from storage.records.letters import LetterState
from storage.records.replies import BOUNCES_MARK, ReplyState
from storage.records.running import ServerState, StoreStatus
from storage.session import Part
from storage.tables.access import ACCESS_REQUEST
from storage.tables.letters import LETTER, REPLY
from storage.tables.running import INSTANCE, PASS, SERVER

_TOLD_MOST = 500
"""Characters of a server's answer that are worth keeping."""


_EPOCH = select(func.extract("epoch", func.clock_timestamp()))


class Mailboxes(Part):
    """When each mailbox was last read through."""

    def passed(self, mailbox: str, now: datetime) -> None:
        """Note that a mailbox was read to its end."""
        statement = self._insert(PASS).values(mailbox=mailbox, passed_at=now)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["mailbox"], set_={"passed_at": now})
        )


class Installation(Part):
    """What is known of the service as a whole."""

    def key(self) -> bytes:
        """The secret behind our Message-IDs; made by the first who asks."""
        self._connection.execute(
            self._insert(INSTANCE)
            .values(id=1, message_id_key=secrets.token_bytes(32))
            .on_conflict_do_nothing()
        )
        return bytes(self._connection.scalars(select(INSTANCE.c.message_id_key)).one())

    def clock(self) -> datetime:
        """This moment by the database's clock; SQLite's is this machine's."""
        if not self._on_postgresql:
            return datetime.now(UTC)
        return datetime.fromtimestamp(float(self._connection.scalar(_EPOCH) or 0), UTC)

    def status(self, now: datetime) -> StoreStatus:
        """What `status` tells; "today" is the day of `now` in its own time zone."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        verdicts = (
            select(LETTER.c.outcome, func.count())
            .where(LETTER.c.settled_at >= midnight, LETTER.c.outcome.is_not(None))
            .group_by(LETTER.c.outcome)
        )
        # By index; to count the settled ones, too, takes longer the older an installation is.
        waiting = LETTER.c.state.in_((LetterState.CLAIMED, LetterState.QUARANTINED))
        states = self._counts(
            select(LETTER.c.state, func.count()).where(waiting).group_by(LETTER.c.state)
        )
        owed = select(func.count()).where(REPLY.c.state == ReplyState.OWED)
        return StoreStatus(
            verdicts_today=self._counts(verdicts),
            queue=states.get(LetterState.CLAIMED, 0),
            quarantined=states.get(LetterState.QUARANTINED, 0),
            owed=int(self._connection.scalar(owed) or 0),
            undeliverable=self._unseen(REPLY.c.state == ReplyState.UNDELIVERABLE),
            bounced=self._unseen(REPLY.c.bounced_at.is_not(None)),
            marked=self._marked(),
            oldest_unanswered=self._oldest_unanswered(),
            waiting=self._waiting(),
            asking=self._asking(),
            passes={row.mailbox: row.passed_at for row in self._connection.execute(select(PASS))},
            servers=tuple(self._servers()),
        )

    def _servers(self) -> Iterator[ServerState]:
        found = self._connection.execute(select(SERVER).order_by(SERVER.c.name))
        return (ServerState(**row) for row in found.mappings())

    def server_failed(self, name: str, error: str, advice: str, now: datetime) -> None:
        """Keep a mail server's fault; since when it fails stays what it was.

        Args:
            name: What the server is called: `mailbox NAME` or `outbox`.
            error: What went wrong, without secrets.
            advice: What an operator can do about it; '' where nothing is known.
            now: The moment of it, aware.
        """
        fault = {"failed_at": now, "error": error[:_TOLD_MOST], "advice": advice[:_TOLD_MOST]}
        since = func.coalesce(SERVER.c.failing_since, epoch(now))
        self._connection.execute(
            self._insert(SERVER)
            .values(name=name, failing_since=now, **fault)
            .on_conflict_do_update(index_elements=["name"], set_={"failing_since": since, **fault})
        )

    def server_works(self, name: str, now: datetime) -> None:
        """Clear a mail server's fault."""
        self._connection.execute(
            self._insert(SERVER)
            .values(name=name, error="", advice="", worked_at=now)
            .on_conflict_do_update(
                index_elements=["name"], set_={"failing_since": None, "worked_at": now}
            )
        )

    def certificate_seen(self, name: str, ends: datetime | None) -> None:
        """Keep when the certificate of a server that works ends; None without TLS."""
        self._connection.execute(
            SERVER.update().where(SERVER.c.name == name).values(certificate_ends=ends)
        )

    def _unseen(self, which: ColumnElement[bool]) -> int:
        """Replies that no operator has settled."""
        found = select(func.count()).where(which, REPLY.c.seen_at.is_(None))
        return int(self._connection.scalar(found) or 0)

    def _marked(self) -> int:
        """Addresses that so many replies came back from that they are likely wrong."""
        often = (
            select(REPLY.c.address)
            .where(REPLY.c.bounced_at.is_not(None), REPLY.c.seen_at.is_(None))
            .group_by(REPLY.c.address)
            .having(func.count() >= BOUNCES_MARK)
            .subquery()
        )
        return int(self._connection.scalar(select(func.count()).select_from(often)) or 0)

    def _waiting(self) -> int:
        """Letters that are not tried yet, as their user code was guessed at too often."""
        now = instant(self._driver.now())
        found = select(func.count()).where(
            LETTER.c.state == LetterState.CLAIMED, LETTER.c.waits_until > now
        )
        return int(self._connection.scalar(found) or 0)

    def _asking(self) -> int:
        """Requests for access that nobody has answered."""
        found = select(func.count()).where(ACCESS_REQUEST.c.answered_at.is_(None))
        return int(self._connection.scalar(found) or 0)

    def _oldest_unanswered(self) -> datetime | None:
        """Receipt of the oldest letter without a verdict, or whose reply has not left."""
        owed = select(REPLY.c.letter_id).where(REPLY.c.state == ReplyState.OWED)
        # Each by its own index: one condition for both reads every letter.
        either = (LETTER.c.state == LetterState.CLAIMED, LETTER.c.id.in_(owed))
        oldest = (
            self._connection.scalar(
                select(LETTER.c.received_at).where(one).order_by(LETTER.c.received_at).limit(1)
            )
            for one in either
        )
        return min((at for at in oldest if at is not None), default=None)

    def _counts(self, statement: Select[Any]) -> dict[str, int]:
        return {row[0]: row[1] for row in self._connection.execute(statement)}
