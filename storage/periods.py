"""Months: open, closed, opened again."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select

from storage.audit import Audit
from storage.prepared import Prepared
from storage.session import Part, Session
from storage.tables import ENTITY, PERIOD

_CLOSED = Prepared(select(PERIOD.c.month).where(PERIOD.c.closed))
# The same lock that a document takes on its entity, in an order of its own.
_HOLD_BACK_ALL = select(ENTITY.c.id).order_by(ENTITY.c.id).with_for_update(key_share=True)


class Periods(Part):
    """Which months are closed; each change is audited."""

    def __init__(self, session: Session, audit: Audit) -> None:
        super().__init__(session)
        self._audit = audit

    def close(self, month: date, who: str, now: datetime) -> bool:
        """Freeze a month, named by its first day; False when it is closed already.

        Documents that were told that it is open are recorded first: afterwards nothing
        comes into the month any more.
        """
        # SQLite has one writer at a time.
        if self._on_postgresql:
            self._connection.execute(_HOLD_BACK_ALL)
        return self._set(month, who, now, closed=True)

    def reopen(self, month: date, who: str, now: datetime) -> bool:
        """Let documents into a closed month again; False when it is open."""
        return self._set(month, who, now, closed=False)

    def closed(self) -> frozenset[date]:
        """First days of the months that are closed."""
        months = _CLOSED.rows(self._driver, {})
        return frozenset(date.fromisoformat(f"{row.month}-01") for row in months)

    def _set(self, month: date, who: str, now: datetime, *, closed: bool) -> bool:
        was = month.replace(day=1) in self.closed()
        if was == closed:
            return False
        values = {"closed": closed, "by": who, "at": now}
        self._connection.execute(
            self._insert(PERIOD)
            .values(month=f"{month:%Y-%m}", **values)
            .on_conflict_do_update(index_elements=["month"], set_=values)
        )
        self._audit.add(
            now, who, "period", f"{month:%Y-%m}", before={"closed": was}, after={"closed": closed}
        )
        return True
