"""Withdrawals: what a submission had replaced is in force again.

A withdrawal is a submission of an operator with a receipt of its own. It carries what it
withdrew, which holds against later documents, and it ends the values as any other
submission does: the history says what was in force until when, and by what it ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, text

from storage.audit import Audit
from storage.columns import clean, instant
from storage.readings.day_sums import DaySums
from storage.readings.days import day_of
from storage.records.billing import WithdrawalSubject, Withdrawn
from storage.session import Part, Session
from storage.submissions import Submissions
from storage.tables.letters import SUBMISSION
from storage.tables.points import ENTITY, METER
from storage.tables.values import (
    CARRIED,
    READING,
    READING_HISTORY,
    SERIES,
    SPAN,
    VALUE,
    VALUE_HISTORY,
)

WITHDRAWN = "withdrawn"
"""The verdict of a withdrawal."""

_Key = tuple[Any, ...]
_INTERVAL_KEY = ("series_id", "start")
_READING_KEY = ("meter_id", "channel", "zone", "instant")

# Newer documents of the same layout that carry the same interval: had they differed, they
# would have replaced it.
_VOUCHED_INTERVALS = text("""
SELECT o.series_id, o.start, o."end", d.id AS submission_id, d.version_first,
    d.version_second, d.received_at
FROM submission_span AS o JOIN submission AS d ON d.id = o.submission_id
WHERE o.series_id IN :owners AND d.layout = :layout AND d.withdraws IS NULL
AND (d.version_first, d.version_second, d.received_at, d.id)
    > (:version_first, :version_second, :received_at, :id)
AND NOT EXISTS (SELECT 1 FROM submission AS w WHERE w.withdraws = d.id)
""").bindparams(bindparam("owners", expanding=True))
_VOUCHED_READINGS = text("""
SELECT o.meter_id, o.channel, o.zone, o.instant, d.id AS submission_id, d.version_first,
    d.version_second, d.received_at
FROM submission_reading AS o JOIN submission AS d ON d.id = o.submission_id
WHERE o.meter_id IN :owners AND d.layout = :layout AND d.withdraws IS NULL
AND (d.version_first, d.version_second, d.received_at, d.id)
    > (:version_first, :version_second, :received_at, :id)
AND NOT EXISTS (SELECT 1 FROM submission AS w WHERE w.withdraws = d.id)
""").bindparams(bindparam("owners", expanding=True))

_DISPLACED = text("""
SELECT h.series_id, h.start, s.point_id
FROM interval_history AS h JOIN interval_series AS s ON s.id = h.series_id
WHERE s.point_id IN :points AND h.replaced_by = :by
AND NOT EXISTS (SELECT 1 FROM interval_series AS o
    JOIN interval_value AS v ON v.series_id = o.id
    WHERE o.point_id = s.point_id AND o.channel = s.channel
    AND v.start < h.start + s.step_minutes * 60 AND v.start > h.start - o.step_minutes * 60)
""").bindparams(bindparam("points", expanding=True))


_CARRIED_BY = text("""
SELECT p.id, p.area, p.code, min(c.start) AS first FROM (
    SELECT s.point_id, o.start FROM submission_span AS o
    JOIN interval_series AS s ON s.id = o.series_id WHERE o.submission_id = :receipt
    UNION ALL
    SELECT m.point_id, o.instant FROM submission_reading AS o
    JOIN meter AS m ON m.id = o.meter_id WHERE o.submission_id = :receipt
) AS c JOIN metering_point AS p ON p.id = c.point_id
GROUP BY p.id, p.area, p.code ORDER BY p.code, p.area
""")


class Withdrawals(Part):
    """Takes what a receipt recorded out of force."""

    def __init__(
        self,
        session: Session,
        submissions: Submissions,
        days: DaySums,
        audit: Audit,
    ) -> None:
        super().__init__(session)
        self._submissions = submissions
        self._days = days
        self._audit = audit

    def withdraw(
        self,
        letter: int,
        receipt: int,
        point: int | None,
        who: str,
        reason: str,
        now: datetime,
    ) -> Withdrawn | None:
        """Take a submission's values out of force, at one of its points or at all of them.

        Args:
            letter: The operator's arrival that the withdrawal belongs to.
            receipt: The submission's number.
            point: Its id; None: at all points.
            who: The operator.
            reason: Kept with the submission and in the audit.
            now: When.

        Returns:
            None when there is no such receipt, or it was withdrawn already.
        """
        found = select(SUBMISSION).where(SUBMISSION.c.id == receipt)
        row = self._connection.execute(found).one_or_none()
        if row is None or row.withdraws is not None or self.is_withdrawn(receipt, point):
            return None
        number = self._made(row, letter, point, who, reason, now)
        intervals = _Intervals(self, row, point, number, now)
        readings = _Readings(self, row, point, number, now)
        parts = (intervals, readings)
        for part in parts:
            part.carry()
            part.withdraw()
        intervals.restore_displaced()
        self._sum_up(intervals.changed)
        self._audit.add(
            now, who, "withdrawal", str(receipt), before=None,
            after={"receipt": number, "reason": reason, "point": point},
        )  # fmt: skip
        points = {one for part in parts for one in part.points}
        return Withdrawn(
            number,
            sum(part.restored for part in parts),
            sum(part.removed for part in parts),
            sum(part.kept for part in parts),
            tuple(sorted(points)),
        )

    def subject(self, receipt: int) -> WithdrawalSubject | None:
        """What a receipt recorded and for whom; None when there is no such receipt."""
        found = select(SUBMISSION.c.withdraws, SUBMISSION.c.name, ENTITY.c.user_code)
        found = found.join_from(SUBMISSION, ENTITY).where(SUBMISSION.c.id == receipt)
        row = self._connection.execute(found).one_or_none()
        if row is None:
            return None
        carried = self._connection.execute(_CARRIED_BY, {"receipt": receipt}).all()
        return WithdrawalSubject(
            receipt=receipt,
            entity=row.user_code,
            name=row.name,
            is_withdrawal=row.withdraws is not None,
            points=tuple((one.id, one.area or None, one.code) for one in carried),
            first=instant(min(one.first for one in carried)) if carried else None,
        )

    def is_withdrawn(self, receipt: int, point: int | None = None) -> bool:
        """Whether a receipt was withdrawn whole, or at this point."""
        of = SUBMISSION.c
        here = of.withdraws_point.is_(None) | (of.withdraws_point == point)
        found = select(of.id).where(of.withdraws == receipt, here).limit(1)
        return self._connection.scalar(found) is not None

    def withdrawn(self) -> set[tuple[int, int | None]]:
        """Every receipt that was withdrawn, with the point; None for all of its points."""
        of = SUBMISSION.c
        rows = self._connection.execute(
            select(of.withdraws, of.withdraws_point).where(of.withdraws.is_not(None))
        )
        return {(row[0], row[1]) for row in rows}

    def _made(
        self, row: Any, letter: int, point: int | None, who: str, reason: str, now: datetime
    ) -> int:
        facts = {
            "letter_id": letter,
            "entity_id": row.entity_id,
            "name": row.name,
            "container": None,
            "part": row.part,
            "sha256": row.sha256,
            "size": 0,
            "layout": row.layout,
            "form_version": None,
            "created_at": None,
            "version_first": 0,
            "version_second": 0,
            "received_at": now,
            "recorded_at": now,
            "verdict": WITHDRAWN,
            "status": 0,
            "accepted_values": 0,
            "duplicate_of": None,
            "operator": clean(who),
            "reason": clean(reason),
            "withdraws": row.id,
            "withdraws_point": point,
        }
        return self._submissions.add(facts, ())

    def _sum_up(self, changed: Iterable[_Key]) -> None:
        self._days.resum({(series, day_of(start)) for series, start in changed})


class _Withdrawal:
    """One kind of a submission's values, while they are taken out of force."""

    table: Any
    history: Any
    carried: Any
    key: tuple[str, ...]
    facts: tuple[str, ...]
    vouched: Any

    def __init__(
        self, part: Withdrawals, row: Any, point: int | None, number: int, now: datetime
    ) -> None:
        self._connection = part.session.connection
        self._row, self._point, self._number, self._now = row, point, number, now
        self._withdrawn = part.withdrawn()
        self.owners = self._owners()
        self.restored = self.removed = self.kept = 0
        self.changed: list[_Key] = []

    @property
    def points(self) -> set[int]:
        """Ids of the points that the submission carries values of."""
        return set(self.owners.values())

    def _owners(self) -> dict[int, int]:
        """Series or meters with their points."""
        raise NotImplementedError

    def carry(self) -> None:
        """Have the withdrawal carry what it withdraws, so that it holds against later documents."""
        owner = self.carried.c[self.key[0]]
        names = [c.name for c in self.carried.columns if c.name not in {"submission_id", "places"}]
        rows = self._connection.execute(
            select(*(self.carried.c[name] for name in names)).where(
                self.carried.c.submission_id == self._row.id, owner.in_(self.owners)
            )
        ).all()
        if rows:
            more = {"submission_id": self._number, "places": None}
            carried = [dict(zip(names, row, strict=True)) | more for row in rows]
            self._connection.execute(self.carried.insert(), carried)

    def withdraw(self) -> None:
        """Replace every value that is in force by the submission by the one before it."""
        of = self.table.c
        present = self._connection.execute(
            select(self.table).where(
                of.submission_id == self._row.id, of[self.key[0]].in_(self.owners)
            )
        ).all()
        if not present:
            return
        vouched = self._vouched()
        moments = [getattr(row, self.key[-1]) for row in present]
        past = self._past(min(moments), max(moments))
        ended: list[Any] = []
        put: list[Any] = []
        gone: list[Any] = []
        for row in present:
            key = tuple(getattr(row, name) for name in self.key)
            ended.append(self._ended(row))
            newer = self._newest(vouched, key)
            before = None if newer is not None else self._before(past, key)
            if newer is not None:
                put.append(self._facts(row) | {"submission_id": newer})
                self.kept += 1
            elif before is not None:
                put.append(self._facts(before) | {"submission_id": before.submission_id})
                self.restored += 1
            else:
                gone.append(
                    {f"of_{name}": value for name, value in zip(self.key, key, strict=True)}
                )
                self.removed += 1
            self.changed.append(key)
        self._write(ended, put, gone)

    def _write(self, ended: Sequence[Any], put: Sequence[Any], gone: Sequence[Any]) -> None:
        same = [self.table.c[name] == bindparam(f"of_{name}") for name in self.key]
        self._connection.execute(self.history.insert(), ended)
        if put:
            changed: dict[str, Any] = {
                name: bindparam(f"new_{name}") for name in (*self.facts, "submission_id")
            }
            update = self.table.update().where(*same).values(changed)
            self._connection.execute(update, [self._named(row) for row in put])
        if gone:
            self._connection.execute(self.table.delete().where(*same), gone)

    def _named(self, row: Mapping[str, Any]) -> dict[str, Any]:
        return {(f"of_{n}" if n in self.key else f"new_{n}"): value for n, value in row.items()}

    def _facts(self, row: Any) -> dict[str, Any]:
        return {name: getattr(row, name) for name in (*self.key, *self.facts)}

    def _ended(self, row: Any) -> dict[str, Any]:
        by = {"replaced_by": self._number, "replaced_at": self._now}
        return self._facts(row) | {"submission_id": row.submission_id} | by

    def _past(self, first: int, last: int) -> dict[tuple[_Key, int], Any]:
        """What each submission replaced, by the value's key and the submission's number."""
        owner, moment = (self.history.c[name] for name in (self.key[0], self.key[-1]))
        rows = self._connection.execute(
            select(self.history).where(owner.in_(self.owners), moment.between(first, last))
        )
        return {
            (tuple(getattr(row, name) for name in self.key), row.replaced_by): row for row in rows
        }

    def _before(self, past: Mapping[tuple[_Key, int], Any], key: _Key) -> Any | None:
        """What was in force before; what was withdrawn itself is passed over."""
        by, point = self._row.id, self.owners[key[0]]
        while (row := past.get((key, by))) is not None:
            by = row.submission_id
            if (by, None) not in self._withdrawn and (by, point) not in self._withdrawn:
                return row
        return None

    def _vouched(self) -> dict[Any, list[Any]]:
        asked = {
            "owners": list(self.owners),
            "layout": self._row.layout,
            "version_first": self._row.version_first,
            "version_second": self._row.version_second,
            "received_at": int(self._row.received_at.timestamp()),
            "id": self._row.id,
        }
        found: dict[Any, list[Any]] = defaultdict(list)
        for row in self._connection.execute(self.vouched, asked):
            found[self._vouched_key(row)].append(row)
        return found

    def _vouched_key(self, row: Any) -> Any:
        raise NotImplementedError

    def _newest(self, vouched: Mapping[Any, Sequence[Any]], key: _Key) -> int | None:
        raise NotImplementedError


def _version(row: Any) -> tuple[int, int, int, int]:
    return row.version_first, row.version_second, row.received_at, row.submission_id


class _Intervals(_Withdrawal):
    table, history, carried = VALUE, VALUE_HISTORY, SPAN
    key, facts, vouched = _INTERVAL_KEY, ("energy_wh", "not_commercial"), _VOUCHED_INTERVALS

    def _owners(self) -> dict[int, int]:
        found = (
            select(SERIES.c.id, SERIES.c.point_id)
            .join_from(SPAN, SERIES, SERIES.c.id == SPAN.c.series_id)
            .where(SPAN.c.submission_id == self._row.id)
            .distinct()
        )
        if self._point is not None:
            found = found.where(SERIES.c.point_id == self._point)
        return {row.id: row.point_id for row in self._connection.execute(found)}

    def _vouched_key(self, row: Any) -> Any:
        return row.series_id

    def _newest(self, vouched: Mapping[Any, Sequence[Any]], key: _Key) -> int | None:
        series, start = key
        there = [row for row in vouched.get(series, ()) if row.start <= start < row.end]
        return max(there, key=_version).submission_id if there else None

    def restore_displaced(self) -> None:
        """Put back what came in another step and went because its day came anew.

        Not where values of the point and channel are in force meanwhile.
        """
        points = self.points
        if not points:
            return
        gone = self._connection.execute(_DISPLACED, {"points": list(points), "by": self._row.id})
        rows = gone.all()
        if not rows:
            return
        self.owners |= {row.series_id: row.point_id for row in rows}
        moments = [row.start for row in rows]
        past = self._past(min(moments), max(moments))
        put = []
        for row in rows:
            before = self._before(past, (row.series_id, row.start))
            if before is not None:
                put.append(self._facts(before) | {"submission_id": before.submission_id})
        if put:
            self._connection.execute(self.table.insert(), put)
        self.restored += len(put)
        self.changed += [(row["series_id"], row["start"]) for row in put]


class _Readings(_Withdrawal):
    table, history, carried = READING, READING_HISTORY, CARRIED
    key, facts, vouched = _READING_KEY, ("value",), _VOUCHED_READINGS

    def _owners(self) -> dict[int, int]:
        found = (
            select(METER.c.id, METER.c.point_id)
            .join_from(CARRIED, METER, METER.c.id == CARRIED.c.meter_id)
            .where(CARRIED.c.submission_id == self._row.id)
            .distinct()
        )
        if self._point is not None:
            found = found.where(METER.c.point_id == self._point)
        return {row.id: row.point_id for row in self._connection.execute(found)}

    def _vouched_key(self, row: Any) -> Any:
        return row.meter_id, row.channel, row.zone, row.instant

    def _newest(self, vouched: Mapping[Any, Sequence[Any]], key: _Key) -> int | None:
        there = vouched.get(key, ())
        return max(there, key=_version).submission_id if there else None
