"""Mailboxes: when each was last read through."""

from __future__ import annotations

from datetime import datetime

from storage.session import Part
from storage.tables import PASS


class Mailboxes(Part):
    """Passes, by a mailbox's name."""

    def passed(self, mailbox: str, now: datetime) -> None:
        """A mailbox was read through to its end."""
        statement = self._insert(PASS).values(mailbox=mailbox, passed_at=now)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["mailbox"], set_={"passed_at": now})
        )
