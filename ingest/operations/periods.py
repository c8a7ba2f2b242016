"""Months: who has not reported, reminders of it, and what was closed when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from email.utils import parseaddr
from enum import StrEnum
from itertools import starmap

from ingest.intake.wishes import forms_for
from ingest.operations.ports import Ledger
from ingest.operations.refused import Refused, check_entity
from ingest.replies.message import ReplySettings, recipient
from ingest.replies.reminder import reminder, reminder_id
from layouts.completeness import Lack, Missing, missing
from layouts.layout import Layout
from layouts.points import LegalEntity


class Reminded(StrEnum):
    """What was done about one entity's reminder."""

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

    Args:
        ledger: The database.
        month: Its first day.
        now: Up to when; what is due later is not missing.
        entity: Only this user code; None: all.

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
    # One to our own address would only come back.
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


@dataclass(frozen=True, slots=True)
class Span:
    """A time, [start, end)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class MissingSeries:
    """A series that has not been handed in; its fields are the keys of `missing --json`.

    Attributes:
        name: Of the entity.
        zones: Of the readings that are missing; empty for a profile.
        kind: A `Lack`.
        reported: `nothing`, or `part` of it.
        spans: What is missing of a profile, or the time in which the meter should have
            been read.
        reminder: What became of it; None when none was asked for.
    """

    entity: str
    name: str
    area: str | None
    point: str
    meter: str | None
    channel: str
    zones: tuple[str, ...]
    kind: Lack
    reported: str
    spans: tuple[Span, ...]
    reminder: Reminded | None


def series_of(one: Lacking) -> Iterator[MissingSeries]:
    """Each series that an entity lacks."""
    for item in one.lacks:
        yield MissingSeries(
            entity=one.entity.user_code,
            name=one.entity.name,
            area=item.point.area,
            point=item.point.code,
            meter=item.meter.number if item.meter else None,
            channel=item.channel,
            zones=item.zones,
            kind=item.kind,
            reported="nothing" if item.whole else "part",
            spans=tuple(starmap(Span, item.spans)),
            reminder=one.reminded,
        )


def reopen(ledger: Ledger, month: date, who: str, now: datetime) -> bool:
    """Let documents into a closed month again; False: it was open.

    Args:
        ledger: The database.
        month: Its first day.
        who: The operator, as the audit names it.
        now: The moment of it, aware.
    """
    with ledger.transaction() as store:
        return store.periods.reopen(month, who, now)


@dataclass(frozen=True, slots=True)
class PeriodChange:
    """A month closed, or opened again; its fields are the keys of `period list --json`.

    Attributes:
        period: The month: `2026-11`.
        closed: False: opened again.
    """

    period: str
    closed: bool
    who: str
    at: datetime


def closings(ledger: Ledger) -> list[PeriodChange]:
    """Every closing and reopening, the first one first."""
    with ledger.reading() as store:
        entries = store.audit.of("period")
    return [
        PeriodChange(one.key, bool((one.after or {}).get("closed")), one.who, one.at)
        for one in entries
    ]
