"""Months: who has not reported, reminders of it, and what was closed when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.utils import parseaddr
from enum import StrEnum
from typing import Any

from ingest.intake.wishes import forms_for
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused, check_entity
from ingest.operations.told import local, minute
from ingest.replies.message import ReplySettings, recipient
from ingest.replies.reminder import reminder, reminder_id
from layouts.completeness import Lack, Missing, missing
from layouts.layout import Layout
from layouts.terms import LegalEntity
from storage.records import AuditEntry

MISSING_COLUMNS = {
    "entity": "entity",
    "point": "point",
    "meter": "meter",
    "channel": "channel",
    "zones_told": "zones",
    "kind": "missing",
    "spans_told": "when",
    "reminder": "reminder",
}
PERIOD_COLUMNS = {"period": "period", "closed": "closed", "who": "who", "at": "at"}

_SPANS_MOST = 5


class Reminded(StrEnum):
    """What became of a reminder."""

    OWED = "owed"
    TODAY = "reminded-today"
    NO_ADDRESS = "no-address"
    NOT_WANTED = "not-wanted"


@dataclass(frozen=True, slots=True)
class Lacking:
    """An entity with what it has not handed in.

    Attributes:
        reminded: None when no reminder was asked for.
    """

    entity: LegalEntity
    lacks: tuple[Missing, ...]
    reminded: Reminded | None = None


def lacking(ledger: Ledger, month: date, now: datetime, entity: str | None = None) -> list[Lacking]:
    """Active entities that have not reported a month whole so far, by user code.

    Raises:
        Refused: the register has no such user code.
    """
    with ledger.reading() as store:
        check_entity(store, entity)
        active = [
            one
            for one in store.registry.entities()
            if one.active and (entity is None or one.user_code == entity)
        ]
        state = store.months.state(month, active)
    found = (Lacking(one, missing(one.points, state, now)) for one in active)
    return [one for one in found if one.lacks]


def remind(
    every: Iterable[Lacking],
    ledger: Ledger,
    month: date,
    now: datetime,
    settings: ReplySettings,
    layouts: Mapping[str, Layout],
) -> Iterator[Lacking]:
    """Owe each entity a reminder, committed one by one; at most one a day to an address.

    Args:
        every: What each of them lacks.
        ledger: The database.
        month: That is missing.
        now: The moment of the reminder.
        settings: Of replies.
        layouts: The forms, for the workbooks that go with it.

    Raises:
        Refused: the month is closed, so that nobody could report it any more.
    """
    with ledger.reading() as store:
        if month in store.periods.closed():
            raise Refused(f"{month:%Y-%m} is closed: nobody could report it any more")
    for one in every:
        yield replace(one, reminded=_remind(one, ledger, month, now, settings, layouts))


def _remind(
    one: Lacking,
    ledger: Ledger,
    month: date,
    now: datetime,
    settings: ReplySettings,
    layouts: Mapping[str, Layout],
) -> Reminded:
    entity = one.entity
    with ledger.reading() as store:
        if not store.accounts.reminders(entity.user_code):
            return Reminded.NOT_WANTED
    ours = parseaddr(settings.sender)[1].lower()
    # One to ourselves would only come back.
    addresses = [
        address
        for address in entity.addresses
        if recipient(address) is not None and address.lower() != ours
    ]
    if not addresses:
        return Reminded.NO_ADDRESS
    with ledger.reading() as store:
        left = [
            address
            for address in addresses
            if not store.outbox.is_ours(reminder_id(entity, address, now, settings))
        ]
        if not left:
            return Reminded.TODAY
        files = list(
            forms_for(_by_hand(one.lacks), entity, store, layouts, settings.language, month)
        )
    with ledger.transaction() as store:
        for address in left:
            store.outbox.owe(reminder(entity, address, month, one.lacks, files, now, settings), now)
    return Reminded.OWED


def _by_hand(lacks: Iterable[Missing]) -> set[Lack]:
    """What people fill in; a point in an area reports by its metering system."""
    return {item.kind for item in lacks if item.meter is not None or item.point.area is None}


def missing_json(one: Lacking) -> Iterator[dict[str, Any]]:
    """The lines of `missing`: one for each series."""
    for item in one.lacks:
        yield {
            "entity": one.entity.user_code,
            "name": one.entity.name,
            "area": item.point.area,
            "point": item.point.code,
            "meter": item.meter.number if item.meter else None,
            "channel": item.channel,
            "zones": list(item.zones),
            "kind": item.kind.value,
            "reported": "nothing" if item.whole else "part",
            "spans": [{"start": local(start), "end": local(end)} for start, end in item.spans],
            "reminder": one.reminded.value if one.reminded else None,
        }


def missing_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of `missing` for people."""
    spans = [f"{minute(span['start'])} - {minute(span['end'])}" for span in row["spans"]]
    more = len(spans) - _SPANS_MOST
    told = ", ".join(spans[:_SPANS_MOST]) + (f" and {more} more" if more > 0 else "")
    kind = row["kind"] if row["reported"] == "nothing" else f"{row['kind']}, in part"
    return {**row, "zones_told": " ".join(row["zones"]), "spans_told": told, "kind": kind}


def reopen(ledger: Ledger, month: date, who: str, now: datetime) -> bool:
    """Let documents into a closed month again; False: it was open."""
    with ledger.transaction() as store:
        return store.periods.reopen(month, who, now)


def closings(ledger: Ledger) -> list[AuditEntry]:
    """Every closing and reopening, the first one first."""
    with ledger.reading() as store:
        return store.audit.of("period")


def period_json(entries: Sequence[AuditEntry]) -> Iterator[dict[str, Any]]:
    """Every closing and reopening, the first one first."""
    for entry in entries:
        yield {
            "period": entry.key,
            "closed": bool((entry.after or {}).get("closed")),
            "who": entry.who,
            "at": local(entry.at),
        }
