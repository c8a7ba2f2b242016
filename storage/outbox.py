"""Replies owed, leased to one sender at a time, sent or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, func, or_, select

from storage.prepared import Insert, Prepared, Statement, among
from storage.records import OwedReply, ReplyState
from storage.session import Part
from storage.tables import REPLY

_LEASE = timedelta(seconds=60)
_OURS = Prepared(select(REPLY.c.id).where(REPLY.c.message_id == bindparam("message_id")))
_OWED_SINCE = Prepared(
    select(func.count())
    .select_from(REPLY)
    .where(REPLY.c.address == bindparam("address"), REPLY.c.owed_at >= bindparam("since"))
)
_DUE = Prepared(
    select(REPLY.c.id)
    .where(
        REPLY.c.state == ReplyState.OWED,
        REPLY.c.next_at <= bindparam("now"),
        or_(REPLY.c.leased_until.is_(None), REPLY.c.leased_until <= bindparam("now")),
    )
    .order_by(REPLY.c.next_at, REPLY.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_LEASED = Prepared(
    REPLY.update()
    .where(among(REPLY.c.id))
    .values(attempts=REPLY.c.attempts + 1, leased_until=bindparam("until"))
    .returning(REPLY)
)
_CHANGED = Prepared(REPLY.update().where(REPLY.c.id == bindparam("reply")))


def _owed_once(insert: Insert) -> Statement:
    statement: Statement = insert(REPLY).on_conflict_do_nothing(index_elements=["message_id"])
    return statement


_OWE = Prepared(_owed_once)


class Outbox(Part):
    """The outbox: what must leave, when it is next tried, who is trying."""

    def owe(self, reply: OwedReply, now: datetime) -> None:
        """Keep a reply that must leave; owing the same Message-ID again is nothing new."""
        facts = {
            "letter_id": reply.letter,
            "recipient": reply.recipient,
            "address": _address(reply.recipient),
            "subject": reply.subject,
            "message_id": reply.message_id,
            "content": reply.content,
            "state": ReplyState.OWED,
            "attempts": 0,
            "owed_at": now,
            "next_at": now,
        }
        _OWE.change(self._driver, facts)

    def lease(self, now: datetime, *, limit: int = 1, lease: timedelta = _LEASE) -> list[OwedReply]:
        """Replies that are due, for this caller alone until the lease runs out.

        The attempt is counted here, so that one which kills the sender counts too.
        """
        numbers = [row.id for row in _DUE.rows(self._driver, {"now": now, "most": limit})]
        if not numbers:
            return []
        leased = _LEASED.rows(self._driver, {"keys": numbers, "until": now + lease})
        rows = {row.id: _owed(row) for row in leased}
        return [rows[number] for number in numbers]

    def release(self, numbers: Sequence[int]) -> None:
        """Give leased replies back untried, at once: the server is away."""
        self._connection.execute(
            REPLY.update()
            .where(
                REPLY.c.id.in_(numbers),
                REPLY.c.state == ReplyState.OWED,
                REPLY.c.leased_until.is_not(None),
            )
            .values(attempts=REPLY.c.attempts - 1, leased_until=None)
        )

    def sent(self, reply: int, now: datetime) -> None:
        """The server has taken it."""
        self._end(reply, ReplyState.SENT, now, None)

    def deferred(self, reply: int, next_at: datetime, error: str) -> None:
        """The server asked to try this one again later."""
        later = {"next_at": next_at, "leased_until": None, "last_error": error}
        _CHANGED.change(self._driver, {"reply": reply, **later})

    def undeliverable(self, reply: int, error: str, now: datetime) -> None:
        """The server will never take it; a person sees it in `status`."""
        self._end(reply, ReplyState.UNDELIVERABLE, now, error)

    def _end(self, reply: int, state: ReplyState, now: datetime, error: str | None) -> None:
        ended = {"state": state, "settled_at": now, "leased_until": None, "last_error": error}
        _CHANGED.change(self._driver, {"reply": reply, **ended})

    def owed_to(self, address: str, since: datetime) -> int:
        """How many replies were owed to an address since then; letters' case is no matter."""
        asked = {"address": _address(address), "since": since}
        return int(_OWED_SINCE.scalar(self._driver, asked) or 0)

    def is_ours(self, message_id: str) -> bool:
        """Whether a Message-ID, with its angle brackets, is that of one of our replies."""
        return _OURS.scalar(self._driver, {"message_id": message_id}) is not None


def _address(recipient: str) -> str:
    # Bounded, because an index takes no more than 2700 bytes.
    return recipient.lower()[:320]


def _owed(row: Any) -> OwedReply:
    return OwedReply(
        letter=row.letter_id,
        recipient=row.recipient,
        subject=row.subject,
        message_id=row.message_id,
        content=row.content,
        id=row.id,
        attempts=row.attempts,
        owed_at=row.owed_at,
    )
