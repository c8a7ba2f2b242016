"""Replies owed, leased to one sender at a time, sent or given up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, union

from storage.columns import instant
from storage.records.replies import Mailed, OwedReply, ReplyState, Returned, Undelivered
from storage.session import Part
from storage.tables.letters import REPLY

_LEASE = timedelta(seconds=60)
_HELD_MOST, _REST_MOST = timedelta(minutes=1), timedelta(hours=2)
"""No new reply is held for so long, and none that was tried rests for so long."""
_LETTERS_MOST = 5


class Outbox(Part):
    """The outbox: what must leave, when it is next tried, who is trying."""

    matter = "outbox"

    def owe(self, reply: OwedReply, now: datetime, held_for: timedelta = timedelta(0)) -> None:
        """Keep a reply that must leave; owing the same Message-ID again is a no-op.

        It is due at once, or when it was held for so long; see `complete`.
        """
        self._sql.change(
            "owe",
            letter=reply.letter,
            recipient=reply.recipient,
            address=_address(reply.recipient),
            stranger_domain=_domain(reply.recipient) if reply.is_to_stranger else None,
            subject=reply.subject,
            message_id=reply.message_id,
            content=reply.content,
            now=now,
            held=int(held_for.total_seconds()),
        )

    def complete(self, message_id: str, content: bytes) -> None:
        """Make a reply that is held due, with this content.

        A no-op once somebody has begun to send it.
        """
        self._sql.change("complete", message_id=message_id, content=content)

    def lease(self, *, limit: int = 1, lease: timedelta = _LEASE) -> list[OwedReply]:
        """Replies that are due, for this caller alone until the lease runs out.

        The attempt is counted here, so that one which kills the sender counts too. No
        clock but the database's decides what is due, and when a lease has run out.
        """
        due = self._sql.tuples(
            "due",
            most=limit,
            held_most=int(_HELD_MOST.total_seconds()),
            rest_most=int(_REST_MOST.total_seconds()),
            leased_most=int(2 * max(lease, _LEASE).total_seconds()),
        )
        numbers = [number for (number,) in due]
        if not numbers:
            return []
        leased = self._sql.rows("lease", keys=numbers, seconds=int(lease.total_seconds()))
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

    def deferred(self, reply: int, rest: timedelta, error: str) -> None:
        """The server asked to try this one again later: after so long."""
        self._sql.change("defer", reply=reply, rest=int(rest.total_seconds()), error=error)

    def undeliverable(self, reply: int, error: str, now: datetime) -> None:
        """The server will never take it; a person sees it in `status`."""
        self._end(reply, ReplyState.UNDELIVERABLE, now, error)

    def _end(self, reply: int, state: ReplyState, now: datetime, error: str | None) -> None:
        self._sql.change("settle", reply=reply, state=state, now=now, error=error)

    def owed_to(self, address: str, since: datetime) -> int:
        """How many replies were owed to an address since then, whatever its case and +tag."""
        return int(self._sql.value("owed_since", address=_address(address), since=since) or 0)

    def owed_to_strangers(self, address: str, since: datetime) -> tuple[int, int]:
        """How many replies were owed to strangers since then: of an address' domain, and all."""
        [found] = self._sql.rows("owed_to_strangers", domain=_domain(address), since=since)
        return found.of_domain, found.of_all

    def last_of(self, kind: str, address: str, since: datetime, until: datetime) -> Mailed | None:
        """The latest mail of a kind, as its Message-ID has it, that was owed to an address.

        Args:
            kind: Lower-case letters.
            address: Its recipient.
            since: Owed later.
            until: Owed then or before: a clock that was set back leaves moments ahead of it.
        """
        rows = self._sql.rows(
            "last_of", address=_address(address), since=since, until=until, beginning=f"<{kind}.%"
        )
        return next((Mailed(row.message_id, instant(row.owed_at)) for row in rows), None)

    def returned(
        self, message_ids: Sequence[str], code: str, told: str, now: datetime, *, for_good: bool
    ) -> Returned | None:
        """Note that a reply came back, or is delayed; None when none of them is ours.

        Args:
            message_ids: Those that the bounce names, with angle brackets, the likeliest first.
            code: Status code; '' without one.
            told: What the recipient's server said.
            now: When.
            for_good: False of a delay, which is a note.
        """
        found = {row.message_id: row for row in self._listed("returned", list(message_ids))}
        row = next((found[one] for one in message_ids if one in found), None)
        if row is None:
            return None
        is_new = row.bounced_at is None and (for_good or row.returned_text != told)
        if is_new:
            name = "bounce" if for_good else "delay"
            when = {"now": now} if for_good else {}
            self._sql.change(name, reply=row.id, code=code, text=told, **when)
        return Returned(row.id, row.letter_id, row.message_id, is_new, for_good)

    def undelivered(self) -> list[Undelivered]:
        """Addresses that replies did not reach, those with the most first."""
        # One after the other, each by its index: for both at once all replies are read.
        came_back = REPLY.c.bounced_at.is_not(None)
        never_left = select(REPLY.c.id).where(REPLY.c.state == ReplyState.UNDELIVERABLE)
        rows = self._connection.execute(
            select(REPLY)
            .with_only_columns(
                REPLY.c.address, REPLY.c.letter_id, REPLY.c.bounced_at, REPLY.c.settled_at,
                REPLY.c.returned_text, REPLY.c.returned_code, REPLY.c.last_error,
            )
            .where(REPLY.c.id.in_(union(select(REPLY.c.id).where(came_back), never_left)),
                   REPLY.c.seen_at.is_(None))
            .order_by(REPLY.c.id.desc())
        )  # fmt: skip
        by_address: dict[str, list[Any]] = {}
        for row in rows:
            by_address.setdefault(row.address, []).append(row)
        found = [_undelivered(address, several) for address, several in by_address.items()]
        return sorted(found, key=lambda one: (-one.bounced, -one.undeliverable, one.address))

    def seen(self, address: str, now: datetime) -> int:
        """An operator has settled what did not reach an address: how many replies."""
        settled = self._connection.execute(
            REPLY.update()
            .where(
                REPLY.c.address == _address(address),
                or_(REPLY.c.bounced_at.is_not(None), REPLY.c.state == ReplyState.UNDELIVERABLE),
                REPLY.c.seen_at.is_(None),
            )
            .values(seen_at=now)
        )
        return int(settled.rowcount)

    def forget(self, before: datetime, above: int, most: int) -> tuple[int, int]:
        """Drop subject and text of replies that are settled.

        Message-IDs and recipients stay: a reply is known when it comes back, and never
        owed again. What did not arrive keeps all until an operator has settled it.

        Args:
            before: Owed earlier.
            above: Only numbers above this one.
            most: Replies at once.

        Returns:
            How many, and the highest number of them; 0 and `above` when there are none.
        """
        empty = {"subject": "", "content": b""}
        found = self._emptied(REPLY, [*_has_text(before), REPLY.c.id > above], most, empty)
        return len(found), max(found, default=above)

    def forgettable(self, before: datetime) -> tuple[int, int]:
        """How many replies `forget` would drop the text of, and its bytes together."""
        [row] = self._connection.execute(
            select(func.count(), func.coalesce(func.sum(func.length(REPLY.c.content)), 0)).where(
                *_has_text(before)
            )
        )
        return int(row[0]), int(row[1])

    def is_ours(self, message_id: str) -> bool:
        """Whether a Message-ID, with its angle brackets, is that of one of our replies."""
        return self._sql.value("ours", message_id=message_id) is not None


def _has_text(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of settled replies owed before a moment that still have their text."""
    arrived = (REPLY.c.state == ReplyState.SENT) & REPLY.c.bounced_at.is_(None)
    return (
        REPLY.c.state != ReplyState.OWED,
        REPLY.c.owed_at < before,
        REPLY.c.content != b"",
        or_(arrived, REPLY.c.seen_at.is_not(None)),
    )


def _address(recipient: str) -> str:
    # `name+tag@domain` is the mailbox of `name@domain` at most providers (RFC 5233), and
    # one can make as many tags as one likes.
    local, at, domain = recipient.lower().rpartition("@")
    # Bounded, because an index takes no more than 2700 bytes.
    return f"{local.partition('+')[0] or local}{at}{domain}"[:320]


def _domain(recipient: str) -> str:
    return recipient.lower().rpartition("@")[2][:320]


def _undelivered(address: str, rows: Sequence[Any]) -> Undelivered:
    """What did not reach one address; `rows` begin with the latest."""
    last = rows[0]
    told = " ".join(filter(None, (last.returned_code, last.returned_text)))
    letters = dict.fromkeys(row.letter_id for row in rows if row.letter_id is not None)
    bounced = sum(1 for row in rows if row.bounced_at is not None)
    return Undelivered(
        address,
        bounced,
        len(rows) - bounced,
        last.bounced_at or last.settled_at,
        told if last.bounced_at is not None else last.last_error or "",
        tuple(letters)[:_LETTERS_MOST],
    )


def _owed(row: Any) -> OwedReply:
    return OwedReply(
        letter=row.letter_id,
        recipient=row.recipient,
        subject=row.subject,
        message_id=row.message_id,
        content=row.content,
        id=row.id,
        attempts=row.attempts,
        owed_at=instant(row.owed_at),
    )
