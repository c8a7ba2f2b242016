"""Months: open, closed, opened again; their numbers kept as they were billed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select

from storage.audit import Audit
from storage.billed.numbers import Numbers
from storage.records.billing import Number, NumberChange, Quality, Snapshot
from storage.session import Part, Session
from storage.tables.billing import PERIOD, SNAPSHOT, SNAPSHOT_ROW
from storage.tables.points import ENTITY

# The same lock that a document takes on its entity, in an order of its own.
_HOLD_BACK_ALL = select(ENTITY.c.id).order_by(ENTITY.c.id).with_for_update(key_share=True)


class Periods(Part):
    """Which months are closed; each change is audited."""

    matter = "periods"

    def __init__(self, session: Session, audit: Audit, numbers: Numbers) -> None:
        super().__init__(session)
        self._audit = audit
        self._numbers = numbers

    def close(self, month: date, who: str, now: datetime) -> Snapshot | None:
        """Freeze a month, named by its first day; None when it is closed already.

        Its numbers are kept as they are. Documents that were told that it is open are
        recorded first: afterwards nothing comes into the month any more.
        """
        # SQLite has one writer at a time.
        if self._on_postgresql:
            self._connection.execute(_HOLD_BACK_ALL)
        if not self._set(month, who, now, closed=True):
            return None
        return self._keep("closing", month, self._numbers.of(month), who, now)

    def reopen(self, month: date, who: str, now: datetime) -> bool:
        """Let documents into a closed month again; False when it is open."""
        return self._set(month, who, now, closed=False)

    def closed(self) -> frozenset[date]:
        """First days of the months that are closed."""
        return frozenset(_month(month) for (month,) in self._sql.tuples("closed"))

    def keep_earlier(self, now: datetime) -> list[Snapshot]:
        """Snapshots of months that were closed when none were taken yet."""
        return [
            self._keep("migrated", month, self._numbers.of(month), "migrate", now)
            for month in sorted(self.closed())
            if self.snapshot(month) is None
        ]

    def export(self, month: date, numbers: Sequence[Number], who: str, now: datetime) -> Snapshot:
        """Keep what billing took; the next export can be a difference to it.

        Args:
            month: Its first day.
            numbers: As they were taken.
            who: The operator, as the audit names it.
            now: The moment of it, aware.
        """
        return self._keep("export", month, numbers, who, now)

    def snapshots(self, month: date) -> list[Snapshot]:
        """Every one of a month, the first one first."""
        found = select(SNAPSHOT).where(SNAPSHOT.c.month == f"{month:%Y-%m}")
        rows = self._connection.execute(found.order_by(SNAPSHOT.c.id))
        return [_snapshot(row) for row in rows]

    def snapshot(self, month: date) -> Snapshot | None:
        """That of the last closing; None when it was never closed."""
        closings = [one for one in self.snapshots(month) if one.kind != "export"]
        return closings[-1] if closings else None

    def taken(self, number: int) -> Snapshot | None:
        """A snapshot by its number."""
        found = select(SNAPSHOT).where(SNAPSHOT.c.id == number)
        row = self._connection.execute(found).one_or_none()
        return None if row is None else _snapshot(row)

    def rows(self, number: int) -> list[Number]:
        """The numbers of a snapshot, in their order."""
        found = (
            select(SNAPSHOT_ROW)
            .where(SNAPSHOT_ROW.c.snapshot_id == number)
            .order_by(SNAPSHOT_ROW.c.position)
        )
        return [_number(row) for row in self._connection.execute(found)]

    def differences(self, older: int, newer: int) -> list[NumberChange]:
        """Where the numbers of two snapshots of a month, each by its number, differ."""
        return changed_numbers(self.rows(older), self.rows(newer))

    def _keep(
        self, kind: str, month: date, numbers: Sequence[Number], who: str, now: datetime
    ) -> Snapshot:
        facts = {
            "kind": kind,
            "month": f"{month:%Y-%m}",
            "at": now,
            "by": who,
            "sha256": digest(numbers),
            "row_count": len(numbers),
        }
        made = SNAPSHOT.insert().values(facts).returning(SNAPSHOT)
        kept = _snapshot(self._connection.execute(made).one())
        rows = [
            {"snapshot_id": kept.id, "position": position, **_row(number)}
            for position, number in enumerate(numbers)
        ]
        if rows:
            self._connection.execute(SNAPSHOT_ROW.insert(), rows)
        return kept

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


def changed_numbers(before: Iterable[Number], after: Iterable[Number]) -> list[NumberChange]:
    """Where two states of the same months differ in what is billed or how it stands."""
    old = {number.key: number for number in before}
    new = {number.key: number for number in after}
    pairs = ((old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()))
    return [NumberChange(was, now) for was, now in pairs if _billed(was) != _billed(now)]


def _billed(number: Number | None) -> tuple[object, ...] | None:
    if number is None:
        return None
    return number.source, number.energy, number.quality, number.codes, number.missing, number.late


def digest(numbers: Iterable[Number]) -> str:
    """Over a line for each number; the receipt is no part of what is billed."""
    lines = "".join(f"{json.dumps([*n.key, *(_billed(n) or ())])}\n" for n in numbers)
    return sha256(lines.encode()).hexdigest()


def _month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def _snapshot(row: Any) -> Snapshot:
    return Snapshot(row.id, row.kind, _month(row.month), row.at, row.by, row.sha256, row.row_count)


def _row(number: Number) -> dict[str, Any]:
    return {
        "entity": number.entity,
        "point_id": number.point_id,
        "area": number.area or "",
        "point": number.point,
        "channel": number.channel,
        "zone": number.zone,
        "source": number.source,
        "energy_wh": number.energy,
        "quality": number.quality,
        "codes": ",".join(number.codes),
        "value_count": number.values,
        "missing_count": number.missing,
        "late": number.late,
        "receipt": number.receipt,
    }


def _number(row: Any) -> Number:
    return Number(
        entity=row.entity,
        area=row.area or None,
        point=row.point,
        point_id=row.point_id,
        channel=row.channel,
        zone=row.zone,
        source=row.source,
        energy=row.energy_wh,
        quality=Quality(row.quality),
        codes=tuple(row.codes.split(",")) if row.codes else (),
        values=row.value_count,
        missing=row.missing_count,
        late=row.late,
        receipt=row.receipt,
    )
