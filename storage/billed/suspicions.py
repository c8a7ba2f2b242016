"""Suspicions: recorded values that are doubtful, until an operator accepts them.

A suspicion covers the values of its span that were there when it was raised. One that is
replaced later, or whose document is withdrawn, is no longer covered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, text

from layouts.exact import decimal
from layouts.findings import HELD, SUSPECT, Finding
from layouts.known import Change
from layouts.months import bounds
from layouts.terms import Kind
from storage.audit import Audit
from storage.columns import epoch, instant
from storage.readings.in_force import InForce
from storage.records.billing import SeenValue, Suspect
from storage.session import Part, Session
from storage.tables.billing import SUSPICION, SUSPICION_ACCEPTED


class _Key(NamedTuple):
    """The columns of `suspicion` beside its submission and moment."""

    code: str
    series_id: int | None
    meter_id: int | None
    channel: str
    zone: str
    start: int
    end: int


_LISTED = """
SELECT s.id, s.code, s.submission_id, s.channel, s.zone, s.start, s."end", s.raised_at,
    (SELECT e.user_code FROM legal_entity AS e WHERE e.id = r.entity_id) AS user_code,
    r.area, p.code AS point, n.number, a.who, a.reason
FROM suspicion AS s
LEFT JOIN suspicion_accepted AS a ON a.suspicion_id = s.id
LEFT JOIN interval_series AS i ON i.id = s.series_id
LEFT JOIN meter AS m ON m.id = s.meter_id
LEFT JOIN meter_row AS n ON n.meter_id = s.meter_id AND n.begins = (
    SELECT max(o.begins) FROM meter_row AS o
    WHERE o.meter_id = s.meter_id AND o.begins + 86400 <= s."end")
JOIN metering_point AS p ON p.id = coalesce(i.point_id, m.point_id)
JOIN point_row AS r ON r.point_id = p.id AND r.begins = (
    SELECT max(o.begins) FROM point_row AS o WHERE o.point_id = p.id AND o.begins <= s.start)
WHERE {}
ORDER BY s.id
"""
# Those of differences are in no view: what is in force beside them stays valid.
_OPEN = """
a.suspicion_id IS NULL AND NOT EXISTS (SELECT 1 FROM submission AS w
    WHERE w.withdraws = s.submission_id
    AND coalesce(w.withdraws_point, p.id) = p.id)
"""
# Values of the span that it still covers; a difference lasts until the operator enters anew.
_COVERS = """
(s.code LIKE 'held-by-%' AND NOT EXISTS (SELECT 1 FROM interval_value AS v
    WHERE v.series_id = s.series_id AND v.start >= s.start AND v.start < s."end"
    AND v.submission_id > s.submission_id)
AND NOT EXISTS (SELECT 1 FROM register_reading AS r WHERE r.meter_id = s.meter_id
    AND r.channel = s.channel AND r.zone = s.zone AND r.instant >= s.start
    AND r.instant <= s."end" AND r.submission_id > s.submission_id)
OR s.code NOT LIKE 'held-by-%' AND (EXISTS (SELECT 1 FROM interval_value AS v
    WHERE v.series_id = s.series_id AND v.start >= s.start AND v.start < s."end"
    AND v.submission_id <= s.submission_id)
OR EXISTS (SELECT 1 FROM register_reading AS r WHERE r.meter_id = s.meter_id
    AND r.channel = s.channel AND r.zone = s.zone AND r.instant >= s.start
    AND r.instant <= s."end" AND r.submission_id <= s.submission_id)))
"""

# Of one suspicion: what is in force from the value before its span to the one after it, and
# what was there before. A step of a register begins with the reading before it.
_SEEN = """
SELECT v.start AS at, v.energy_wh AS value, v.submission_id AS receipt, NULL AS replaced_by
FROM interval_value AS v WHERE v.series_id = :series AND v.start >= coalesce((
    SELECT max(b.start) FROM interval_value AS b WHERE b.series_id = :series AND b.start < :start
), :start) AND v.start <= coalesce((
    SELECT min(a.start) FROM interval_value AS a WHERE a.series_id = :series AND a.start >= :end
), :end)
UNION ALL
SELECT h.start, h.energy_wh, h.submission_id, h.replaced_by FROM interval_history AS h
WHERE h.series_id = :series AND h.start >= :start AND h.start < :end
ORDER BY 1, 3
"""
_READ = """
SELECT v.instant AS at, v.value, v.submission_id AS receipt, NULL AS replaced_by
FROM register_reading AS v
WHERE v.meter_id = :meter AND v.channel = :channel AND v.zone = :zone AND v.instant >= coalesce((
    SELECT max(b.instant) FROM register_reading AS b WHERE b.meter_id = :meter
    AND b.channel = :channel AND b.zone = :zone AND b.instant < :end
), :start) AND v.instant <= coalesce((
    SELECT min(a.instant) FROM register_reading AS a WHERE a.meter_id = :meter
    AND a.channel = :channel AND a.zone = :zone AND a.instant > :end
), :end)
UNION ALL
SELECT h.instant, h.value, h.submission_id, h.replaced_by FROM register_history AS h
WHERE h.meter_id = :meter AND h.channel = :channel AND h.zone = :zone
AND h.instant >= :start AND h.instant <= :end
ORDER BY 1, 3
"""


class Suspicions(Part):
    """Raised with a submission, accepted by an operator; rows are only ever added."""

    matter = "suspicions"

    def __init__(self, session: Session, in_force: InForce, audit: Audit) -> None:
        super().__init__(session)
        self._in_force = in_force
        self._audit = audit

    def raise_of(
        self, findings: Iterable[Finding], changes: Sequence[Change], receipt: int, now: datetime
    ) -> None:
        """Keep what a submission's findings say of the values it brings.

        A suspicion that covers unchanged values is not raised again, so that it stays
        accepted where an operator has accepted it.

        Args:
            findings: Of the submission; those whose code makes no value suspect and that
                differ from nothing that holds are passed over.
            changes: What the submission brings.
            receipt: Its number.
            now: When.
        """
        of_meter: dict[str | None, list[Change]] = defaultdict(list)
        for change in changes:
            for name in {change.series.meter, change.meter.number if change.meter else None}:
                of_meter[name].append(change)
        fresh: dict[_Key, None] = {}
        for finding in findings:
            if finding.code not in SUSPECT | HELD:
                continue
            for change in changes if finding.meter is None else of_meter[finding.meter]:
                for key in self._keys(finding, change) if _concerns(finding, change) else ():
                    if key not in fresh and self._sql.value("stands", **key._asdict()) is None:
                        fresh[key] = None
        if fresh:
            raised = {"submission_id": receipt, "raised_at": now}
            self._connection.execute(SUSPICION.insert(), [key._asdict() | raised for key in fresh])

    def _keys(self, finding: Finding, change: Change) -> Iterator[_Key]:
        series = change.series
        start = epoch(finding.start or series.start)
        end = epoch(finding.end or series.end)
        code, channel = str(finding.code), series.channel
        if series.kind is Kind.INTERVAL and change.point is not None and change.point.id:
            name = change.point.id, channel, series.step_minutes
            number = self._in_force.made_series({name})[name]
            yield _Key(code, number, None, channel, "", start, end)
        elif series.kind is Kind.REGISTER and change.meter is not None and change.meter.id:
            # A finding may be about the step that ends with the reading, or the reading.
            begins, ends = min(start, epoch(series.start)), epoch(series.start)
            zone = series.zone or "T0"
            yield _Key(code, None, change.meter.id, channel, zone, begins, ends)

    def find(
        self,
        month: date | None = None,
        entity: str | None = None,
        *,
        open_only: bool = True,
        after: int = 0,
        limit: int | None = None,
    ) -> list[Suspect]:
        """Suspicions in the order they were raised.

        Args:
            month: Only those that touch this Moscow month.
            entity: Only of the legal entity with this user code.
            open_only: Without those that were accepted, whose document was withdrawn, or
                whose values were replaced.
            after: Only those with a higher number.
            limit: At most so many.
        """
        wanted = ["s.id > :after"]
        given: dict[str, Any] = {"after": after}
        if open_only:
            wanted += [_OPEN, _COVERS]
        if month is not None:
            first, last = (epoch(moment) for moment in bounds(month))
            # A reading of the month's last midnight belongs to it.
            ends = '(s.start < :last OR s.start = s."end" AND s.start = :last)'
            wanted.append(f'{ends} AND s."end" > :first')
            given |= {"first": first, "last": last}
        if entity is not None:
            wanted.append("r.entity_id = (SELECT id FROM legal_entity WHERE user_code = :entity)")
            given["entity"] = entity
        condition = " AND ".join(wanted)
        if limit is not None:
            given["limit"] = limit
        return self._suspects(condition, given)

    def of(self, numbers: Sequence[int]) -> list[Suspect]:
        """Suspicions by their numbers, open or not."""
        return self._suspects("s.id IN :numbers", {"numbers": list(numbers)})

    def around(self, number: int) -> list[SeenValue]:
        """A suspicion's values, with the one before and the one after, and what they replaced.

        In the order of time, then of receipts; energy in Wh, readings as on the meter's face.
        """
        row = self._connection.execute(select(SUSPICION).where(SUSPICION.c.id == number)).one()
        asked: dict[str, Any] = {"start": row.start, "end": row.end}
        if row.series_id is not None:
            asked["series"] = row.series_id
        else:
            asked |= {"meter": row.meter_id, "channel": row.channel, "zone": row.zone}
        is_profile = row.series_id is not None
        found = self._connection.execute(text(_SEEN if is_profile else _READ), asked)
        return [
            SeenValue(
                instant(one.at),
                one.value if is_profile or one.value is None else decimal(one.value),
                one.receipt,
                one.replaced_by,
            )
            for one in found
        ]

    def _suspects(self, condition: str, given: dict[str, Any]) -> list[Suspect]:
        bound = "LIMIT :limit" if "limit" in given else ""
        statement = text(_LISTED.format(condition) + bound)
        if "numbers" in given:
            statement = statement.bindparams(bindparam("numbers", expanding=True))
        return [_suspect(row) for row in self._connection.execute(statement, given)]

    def accept(self, numbers: Sequence[int], who: str, reason: str, now: datetime) -> list[int]:
        """Accept the values of open suspicions; the numbers of those that were open.

        Args:
            numbers: Of the suspicions.
            who: The operator, as the audit names it.
            reason: Why they are true; it is kept.
            now: The moment of it, aware.
        """
        known = select(SUSPICION_ACCEPTED.c.suspicion_id).where(
            SUSPICION_ACCEPTED.c.suspicion_id.in_(numbers)
        )
        accepted = set(self._connection.scalars(known))
        opened = [one for one in self.of(numbers) if one.id not in accepted]
        if opened:
            facts = {"at": now, "who": who, "reason": reason}
            self._connection.execute(
                SUSPICION_ACCEPTED.insert(), [{"suspicion_id": one.id, **facts} for one in opened]
            )
        changes = [
            (
                str(one.id),
                {"code": one.code, "point": one.point, "channel": one.channel},
                {"accepted": reason},
            )
            for one in opened
        ]
        self._audit.add_all(now, who, "suspicion", changes)
        return [one.id for one in opened]


def _concerns(finding: Finding, change: Change) -> bool:
    """Whether a finding is about this series; what it does not name is any."""
    series, point, meter = change.series, change.point, change.meter
    names = (
        (finding.point, {series.point, point.code if point else None}),
        (finding.meter, {series.meter, meter.number if meter else None}),
        (finding.channel, {series.channel}),
        (finding.zone, {series.zone}),
    )
    return all(said is None or said in known for said, known in names)


def _suspect(row: Any) -> Suspect:
    return Suspect(
        id=row.id,
        code=row.code,
        entity=row.user_code,
        area=row.area or None,
        point=row.point,
        meter=row.number,
        channel=row.channel,
        zone=row.zone or None,
        start=instant(row.start),
        end=instant(row.end),
        receipt=row.submission_id,
        raised_at=instant(row.raised_at),
        accepted_by=row.who,
        reason=row.reason,
    )
