"""Months as the console shows them: who lacks what, reminded, closed and opened again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ingest.operations.periods import PeriodChange, closings, reopen
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused
from layouts.completeness import missing


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


@dataclass(frozen=True, slots=True)
class PointState:
    """How whole a point has reported a month.

    Attributes:
        state: `whole`, `part`, or `nothing`.
    """

    point: str
    state: str


@dataclass(frozen=True, slots=True)
class Completeness:
    """A legal entity's row of the matrix."""

    entity: str
    name: str
    points: tuple[PointState, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Some rows of a month's matrix, by user code.

    Attributes:
        after: User code that the next page begins behind; None: there is none.
    """

    rows: tuple[Completeness, ...]
    after: str | None


def matrix(ledger: Ledger, month: date, now: datetime, after: str, limit: int) -> Matrix:
    """How whole every point has reported a month, so many active entities at a time.

    Args:
        ledger: The database.
        month: The month.
        now: What is due by then is asked for.
        after: User code of the last entity of the page before; '' for the first page.
        limit: That many entities.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        active = store.registry.active_after(after, limit + 1)
        shown = store.registry.these(active[:limit])
        state = store.months.state(month, shown)
    rows = []
    for one in shown:
        lacks: dict[str, list[bool]] = defaultdict(list)
        for item in missing(one.points, state, now):
            lacks[item.point.code].append(item.whole)
        rows.append(
            Completeness(
                one.user_code,
                one.name,
                tuple(PointState(p.code, _state(lacks.get(p.code))) for p in one.points),
            )
        )
    return Matrix(tuple(rows), shown[-1].user_code if len(active) > limit else None)


def _state(lacks: Sequence[bool] | None) -> str:
    if not lacks:
        return "whole"
    return "nothing" if all(lacks) else "part"
