"""One suspicion with what is around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ingest.operations.account.consumption import Amount, Choice, by_day, by_month, choices
from ingest.operations.ports import Ledger
from ingest.operations.refused import NotThere
from layouts.months import month_at
from storage.records.billing import SeenValue, Suspect


@dataclass(frozen=True, slots=True)
class Around:
    """A suspicion, and the values beside it.

    Attributes:
        amounts: Days of its month of a profile, else twelve months.
        is_by_day: Which of the two.
        values: Those that are doubtful, the one before, the one after, and what they replaced.
    """

    suspect: Suspect
    amounts: Sequence[Amount]
    is_by_day: bool
    values: Sequence[SeenValue]


def around(ledger: Ledger, number: int, now: datetime) -> Around:
    """A suspicion with its neighbours and history.

    Raises:
        NotThere: there is none of this number.
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        found = store.suspicions.of([number])
        if not found:
            raise NotThere(f"there is no suspicion {number}")
        values = store.suspicions.around(number)
    one = found[0]
    month = month_at(one.end - timedelta(seconds=1))
    of = _choice(ledger, one, month)
    if of is None:
        return Around(one, (), one.meter is None, values)
    if one.meter is None:
        return Around(one, by_day(ledger, one.entity, of, month, now), True, values)
    return Around(one, by_month(ledger, of, month, now), False, values)


def _choice(ledger: Ledger, one: Suspect, month: date) -> Choice | None:
    wanted = one.point, one.area, one.channel
    every = choices(ledger, one.entity, month)
    return next((c for c in every if (c.point, c.area, c.channel) == wanted), None)
