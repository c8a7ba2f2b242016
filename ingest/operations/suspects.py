"""Suspicions: listed, shown with their values, and accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused, check_entity
from storage.records.billing import SeenValue, Suspect


class UnknownSuspicion(Refused):
    """There is no suspicion with one of the numbers; its text says which."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The result of accepting suspicions.

    Attributes:
        now: Numbers of those that were open.
        before: Numbers of those that were accepted already.
    """

    now: tuple[int, ...]
    before: tuple[int, ...]


def open_suspects(ledger: Ledger, month: date | None, entity: str | None) -> list[Suspect]:
    """Open suspicions, of a month and of a legal entity where they are given.

    Raises:
        Refused: the register has no such user code.
    """
    with ledger.reading() as store:
        check_entity(store, entity)
        return store.suspicions.find(month, entity)


def suspects_page(ledger: Ledger, after: int, limit: int) -> tuple[list[Suspect], int | None]:
    """Open suspicions of higher numbers than one, and what the next page begins behind."""
    with ledger.reading() as store:
        found = store.suspicions.find(after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def accept(
    ledger: Ledger, numbers: Sequence[int], who: str, reason: str, now: datetime
) -> Accepted:
    """Accept the values of suspicions, all of them or none.

    Args:
        ledger: The database.
        numbers: Of the suspicions.
        who: The operator, as the audit names it.
        reason: Why they are true; it is kept.
        now: The moment of it, aware.

    Raises:
        Refused: the reason is empty.
        UnknownSuspicion: one of the numbers is none's.
    """
    if not reason.strip():
        raise Refused("--reason is empty: say why the values are true")
    wanted = sorted(set(numbers))
    with ledger.transaction() as store:
        known = {one.id for one in store.suspicions.of(wanted)}
        if unknown := [str(number) for number in wanted if number not in known]:
            raise UnknownSuspicion(
                f"there is no suspicion {', '.join(unknown)}; `ingest suspects` lists them"
            )
        done = store.suspicions.accept(wanted, who, reason.strip(), now)
    return Accepted(tuple(done), tuple(n for n in wanted if n not in done))


def values_of(ledger: Ledger, number: int) -> list[SeenValue]:
    """The values of a suspicion, their neighbours in time, and what they replaced.

    Raises:
        UnknownSuspicion: there is none of this number.
    """
    with ledger.reading() as store:
        if not store.suspicions.of([number]):
            raise UnknownSuspicion(f"there is no suspicion {number}; `ingest suspects` lists them")
        return list(store.suspicions.around(number))
