"""Months as the console shows them: who lacks what, reminded, closed and opened again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from hashlib import sha256

from ingest.operations.closing import Closing
from ingest.operations.periods import PeriodChange, closings, reopen
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused


class SamePerson(Refused):
    """A month is opened again in the console by another person than the one who closed it."""


def last_change(ledger: Ledger, month: date) -> PeriodChange | None:
    """The last closing or reopening of a month; None when there was none.

    Raises:
        ConnectionError: the database is away.
    """
    mine = [entry for entry in closings(ledger) if entry.period == f"{month:%Y-%m}"]
    return mine[-1] if mine else None


def reopen_by_another(ledger: Ledger, month: date, who: str, now: datetime) -> bool:
    """Let documents into a closed month again; False: it was open.

    Args:
        ledger: The database.
        month: Its first day.
        who: The operator, as the audit names it.
        now: The moment of it, aware.

    Raises:
        SamePerson: this person closed it.
        ConnectionError: the database is away.
    """
    last = last_change(ledger, month)
    if last is not None and last.closed and last.who == who:
        raise SamePerson(f"{month:%Y-%m} was closed by {who}: another person opens it again")
    return reopen(ledger, month, who, now)


def mark_of(closing: Closing) -> str:
    """What a list of what is missing was, so that a form tells whether it is still so."""
    told: Sequence[object] = (closing.lacks, [one.id for one in closing.suspects])
    return sha256(repr(told).encode()).hexdigest()[:24]
