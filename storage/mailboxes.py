"""Mailboxes: when each was read through, and which process reads it now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from storage.session import Part
from storage.tables import LEASE, PASS

_LEASE = timedelta(seconds=15)


def _nobody_is_gone(_holder: str) -> bool:
    return False


class Mailboxes(Part):
    """Passes and leases, by a mailbox's name."""

    def passed(self, mailbox: str, now: datetime) -> None:
        """A mailbox was read through to its end."""
        statement = self._insert(PASS).values(mailbox=mailbox, passed_at=now)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["mailbox"], set_={"passed_at": now})
        )

    def take(
        self,
        mailbox: str,
        holder: str,
        now: datetime,
        *,
        lease: timedelta = _LEASE,
        is_gone: Callable[[str], bool] = _nobody_is_gone,
    ) -> str:
        """Who reads a mailbox now: `holder`, when it was free or its own, or another.

        Args:
            mailbox: Its name.
            holder: Names the process, such as `host:pid:start`; taking what one
                holds already renews it.
            now: When.
            lease: For how long without being renewed.
            is_gone: Whether a holder is known to have ended; then its lease is free.
        """
        statement = self._insert(LEASE).values(mailbox=mailbox, holder=holder, until=now + lease)
        taken = statement.on_conflict_do_update(
            index_elements=["mailbox"],
            set_={"holder": holder, "until": now + lease},
            where=or_(LEASE.c.holder == holder, LEASE.c.until <= now),
        )
        self._connection.execute(taken)
        held = select(LEASE.c.holder).where(LEASE.c.mailbox == mailbox).with_for_update()
        present = str(self._connection.scalars(held).one())
        if present == holder or not is_gone(present):
            return present
        self.release(mailbox, present)
        self._connection.execute(taken)
        return holder

    def release(self, mailbox: str, holder: str) -> None:
        """Let a mailbox go; nothing happens when another holds it by now."""
        self._connection.execute(
            LEASE.delete().where(LEASE.c.mailbox == mailbox, LEASE.c.holder == holder)
        )
