"""The installation itself: its key, and what `status` tells of it."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select

from storage.records import LetterState, ReplyState, StoreStatus
from storage.session import Part
from storage.tables import INSTANCE, LETTER, PASS, REPLY


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

    def status(self, now: datetime) -> StoreStatus:
        """What `status` tells; "today" is the day of `now` in its own time zone."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        verdicts = (
            select(LETTER.c.outcome, func.count())
            .where(LETTER.c.settled_at >= midnight, LETTER.c.outcome.is_not(None))
            .group_by(LETTER.c.outcome)
        )
        states = self._counts(select(LETTER.c.state, func.count()).group_by(LETTER.c.state))
        replies = self._counts(select(REPLY.c.state, func.count()).group_by(REPLY.c.state))
        return StoreStatus(
            verdicts_today=self._counts(verdicts),
            queue=states.get(LetterState.CLAIMED, 0),
            quarantined=states.get(LetterState.QUARANTINED, 0),
            owed=replies.get(ReplyState.OWED, 0),
            undeliverable=replies.get(ReplyState.UNDELIVERABLE, 0),
            oldest_unanswered=self._oldest_unanswered(),
            waiting=self._waiting(now),
            passes={row.mailbox: row.passed_at for row in self._connection.execute(select(PASS))},
        )

    def _waiting(self, now: datetime) -> int:
        """Letters that are not tried yet, as their user code was guessed at too often."""
        found = select(func.count()).where(
            LETTER.c.state == LetterState.CLAIMED, LETTER.c.waits_until > now
        )
        return int(self._connection.scalar(found) or 0)

    def _oldest_unanswered(self) -> datetime | None:
        """Receipt of the oldest letter without a verdict, or whose reply has not left."""
        owed = select(REPLY.c.letter_id).where(REPLY.c.state == ReplyState.OWED)
        oldest: datetime | None = self._connection.scalar(
            select(func.min(LETTER.c.received_at)).where(
                or_(LETTER.c.state == LetterState.CLAIMED, LETTER.c.id.in_(owed))
            )
        )
        return oldest

    def _counts(self, statement: Select[Any]) -> dict[str, int]:
        return {row[0]: row[1] for row in self._connection.execute(statement)}
