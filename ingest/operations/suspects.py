"""The queue of doubtful values: what is suspect, and what operators accepted of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused, check_entity
from ingest.operations.told import local
from storage.records import Suspect

SUSPECT_COLUMNS = {
    "id": "id",
    "code": "code",
    "entity": "entity",
    "point": "point",
    "meter": "meter",
    "channel": "channel",
    "zone": "zone",
    "start": "from",
    "end": "until",
    "receipt": "receipt",
}

VALUE_COLUMNS = {"at": "at", "value": "value", "receipt": "receipt", "replaced_by": "replaced by"}


class UnknownSuspicion(Refused):
    """There is no suspicion with one of the numbers; its text says which."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of suspicions that an operator accepted.

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


def accept(
    ledger: Ledger, numbers: Sequence[int], who: str, reason: str, now: datetime
) -> Accepted:
    """Take the values of suspicions for true, all of them or none.

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


def values_json(ledger: Ledger, number: int) -> list[dict[str, Any]]:
    """The lines of `suspects show`: its values, their neighbours, and what they replaced.

    Raises:
        UnknownSuspicion: there is none of this number.
    """
    with ledger.reading() as store:
        if not store.suspicions.of([number]):
            raise UnknownSuspicion(f"there is no suspicion {number}")
        seen = store.suspicions.around(number)
    return [
        {
            "at": local(one.at),
            "value": None if one.value is None else f"{one.value:f}",
            "receipt": one.receipt,
            "replaced_by": one.replaced_by,
        }
        for one in seen
    ]


def suspects_json(suspects: Sequence[Suspect]) -> Iterator[dict[str, Any]]:
    """The lines of `suspects`."""
    for one in suspects:
        yield {
            "id": one.id,
            "code": one.code,
            "entity": one.entity,
            "area": one.area,
            "point": one.point,
            "meter": one.meter,
            "channel": one.channel,
            "zone": one.zone,
            "start": local(one.start),
            "end": local(one.end),
            "receipt": one.receipt,
            "raised_at": local(one.raised_at),
            "accepted_by": one.accepted_by,
            "reason": one.reason,
        }
