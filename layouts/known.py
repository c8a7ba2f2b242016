"""What the rules want to know of what is on record, what is known, and their verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from layouts.document import Parsed, Series
from layouts.findings import Finding, Status
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.terms import Verdict


class Version(NamedTuple):
    """What decides which of two documents of one layout is the newer; compares.

    Attributes:
        first: The layout's first order key: `created` in epoch seconds, or the
            number of an 80020.
        second: Its second one, 0 when there is none.
        received: Moment of receipt in epoch seconds.
        submission: Number of the submission; ties go to the later one.
    """

    first: int
    second: int
    received: int
    submission: int


SeriesKey = tuple[str | None, str, str]
"""(area, point, channel) of an interval series."""

MeterKey = tuple[str | None, str, str, date | None]
"""(area, point, number, installed) of a meter as registered.

Its number alone does not tell it: two makers may use one, and a meter may come back
to its point with another beginning.
"""

ReadingKey = tuple[MeterKey, str, str, int]
"""(meter, channel, zone, instant in epoch seconds) of a register reading."""

RegisterKey = tuple[MeterKey, str, str]
"""(meter, channel, zone) of a register."""


@dataclass(frozen=True, slots=True)
class RecordedIntervals:
    """What is in force for one interval series over a document's span.

    Attributes:
        starts: Starts of the intervals in force, epoch seconds, ascending.
        values: Their energy, beside `starts`.
        not_commercial: Starts of those flagged as not fit for billing.
        newer: Spans [start, end) in epoch seconds that newer documents of the
            same layout carry.
        elsewhere: Spans that documents of another layout carry, with that
            layout's class.
        step_minutes: Step of what is in force, 0 when nothing is.
        other: What is in force in another step than the document's, as (start, end,
            value); only `newer` and `elsewhere` are of it as well.
        held: Spans that an operator entered or withdrew: they hold against documents.
    """

    starts: Sequence[int] = ()
    values: Sequence[int | None] = ()
    not_commercial: frozenset[int] = frozenset()
    newer: Sequence[tuple[int, int]] = ()
    elsewhere: Sequence[tuple[int, int, str]] = ()
    step_minutes: int = 0
    other: Sequence[tuple[int, int, int | None]] = ()
    held: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True)
class RecordedReading:
    """A register reading in force.

    Attributes:
        newer: Whether a newer document than the one being checked carries it.
        layout: Class of the layout it came in.
        held: Whether an operator entered or withdrew it: that holds against documents.
        holders: User codes of the entities whose own documents carry this register and
            instant.
        elsewhen: Whether it is of another hour of the same day; told only of points that
            may have changed hands on it.
    """

    value: Decimal | None
    newer: bool
    layout: str
    held: bool = False
    holders: frozenset[str] = frozenset()
    elsewhen: bool = False


@dataclass(frozen=True, slots=True)
class SeriesHistory:
    """The hours before a document of one interval series, from its commercial values.

    They end with the local midnight at or before the document's first interval of the
    series; "local" is the layout's time zone. Values of every layout and step count.

    Attributes:
        start: Beginning of the first hour, epoch seconds: a local midnight.
        energy: Sum of each hour, in Wh or varh; 0 where it is not covered in whole.
        whole: Beside it, 1 where intervals with commercial values cover the hour, else 0.
        highest_w: The largest mean power of any one interval, in W or var
            (its energy x 60 // step_minutes).
    """

    start: int = 0
    energy: Sequence[int] = ()
    whole: Sequence[int] = ()
    highest_w: int = 0


@dataclass(frozen=True, slots=True)
class ProfileSum:
    """The interval energy in force between two instants, commercial or not.

    Attributes:
        start: Of the span, epoch seconds; the instant of a register reading.
        end: Of the span, excluded; the instant of the next reading.
        energy: Sum in Wh or varh of the intervals that lie wholly inside and
            have a value.
        seconds: How much of the span these intervals cover.
    """

    start: int
    end: int
    energy: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Change:
    """What recording one accepted series does to the values in force.

    Attributes:
        series: With point and meter as the register of points knows them.
        point: The metering point it belongs to; None offline.
        meter: The meter of a register reading; None for intervals and offline.
        added: Indexes into `series.values` with no value in force yet.
        replaced: Indexes whose value in force differs.
        kept: How many values equal the ones in force.
        stayed: How many intervals a newer document carries; they stay as they are.
        before: Sum of the replaced values as they were, in the series' unit.
        after: Sum of the values that replace them.
        displaced: Values in force in another step that go as their whole days come anew,
            as (start, end, value).
    """

    series: Series
    point: MeteringPoint | None = None
    meter: Meter | None = None
    added: Sequence[int] = ()
    replaced: Sequence[int] = ()
    kept: int = 0
    stayed: int = 0
    before: int | Decimal = 0
    after: int | Decimal = 0
    displaced: Sequence[tuple[int, int, int | None]] = ()


@dataclass(frozen=True, slots=True)
class Assigned:
    """One series and what the register of points knows of it.

    Attributes:
        series: With area, point and meter as they are registered.
        original: As the document has it.
        point: None offline, or when it is not this sender's.
        meter: Of a register reading; None offline, or when nothing tells which it is.
        faults: Why it could not be assigned, or what had to be forgiven.
        key: What tells a register reading of a known meter from every other one.
        change: What recording it would do; None until versions are resolved.
    """

    series: Series
    original: Series
    point: MeteringPoint | None = None
    meter: Meter | None = None
    faults: tuple[Finding, ...] = ()
    key: ReadingKey | None = None
    change: Change | None = None

    @property
    def owner(self) -> SeriesKey:
        """What identifies an interval series: its metering point as it is registered.

        A point without an area in the register matches any, and is one point all the
        same; offline the document's own names stand for it.
        """
        if self.point is None:
            return key_of(self.series)
        return self.point.area, self.point.code, self.series.channel


def key_of(series: Series) -> SeriesKey:
    """The names of an interval series as it has them."""
    return series.area, series.point or "", series.channel


def meter_key(point: MeteringPoint, meter: Meter) -> MeterKey:
    """What tells a meter from every other one, those of the same number among them."""
    return point.area, point.code, meter.number, meter.installed


@dataclass(frozen=True, slots=True)
class RegisterWindow:
    """Which register readings the rules want.

    Attributes:
        meters: By their ids, what the rules call them.
        first: Epoch seconds; wanted are the readings from here through `last`, and of
            each register the last one before `first` and the first one after `last`.
        last: Epoch seconds.
    """

    meters: Mapping[int, MeterKey]
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class SumsWanted:
    """Between which readings the sums of one interval series are wanted.

    The instants are those of `meters`' recorded readings in the series' channel,
    whatever their zone, and `instants`. Wanted is a sum for each two neighbours that
    are no further apart than `longest` seconds and have a part in [first, last].
    """

    point: int
    meters: frozenset[MeterKey]
    instants: frozenset[int]
    first: int
    last: int
    longest: int


@dataclass(frozen=True, slots=True)
class Wants:
    """What the rules want to know of what is on record beside one document.

    Attributes:
        received_at: Moment of receipt. None offline.
        layout: Class of the layout; versions are ordered within it.
        zone: Name of the layout's time zone.
        version: The document's, among those of its layout; its submission has no
            number yet, and is the latest one of all.
        assigned: The document's series with their points and meters.
        unread: Likewise what could not be read whole, or dated.
        unknown: Point codes and meter numbers that are not the entity's.
        history_days: So many local days of hours before each interval series.
        registers: None where no reading is wanted.
        sums: By the owner of the series.
        high_enough: The highest version so far is wanted unless its first key is at
            least this; None: never.
    """

    entity: LegalEntity | None
    received_at: datetime | None
    sha256: str
    part: str | None
    layout: str
    zone: str
    version: Version | None
    assigned: tuple[Assigned, ...] = ()
    unread: tuple[Assigned, ...] = ()
    unknown: tuple[str, ...] = ()
    history_days: int = 0
    registers: RegisterWindow | None = None
    sums: Mapping[SeriesKey, SumsWanted] = field(default_factory=dict)
    high_enough: int | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record beside one document, as its `Wants` asked; nothing offline.

    Attributes:
        duplicate_of: Receipt number and moment of an earlier submission of the
            same bytes that was wholly accepted and is still in force.
        foreign: Those of the unknown codes and numbers that another entity has.
        closed: First days of the months that the operator has closed.
        highest: The highest first key of the entity's accepted documents of the layout,
            where there are any and none has been high enough.
        intervals: What is in force for the document's interval series.
        readings: What is in force for the document's register readings.
        history: By owner. A series that is not in it has no history.
        registers: Readings in force as (instant in epoch seconds, millionths), ascending:
            a year of each register, of which hardly any is ever told as a decimal.
        profiles: By owner, ascending.
    """

    duplicate_of: tuple[int, datetime] | None = None
    foreign: frozenset[str] = frozenset()
    closed: frozenset[date] = frozenset()
    highest: int | None = None
    intervals: Mapping[SeriesKey, RecordedIntervals] = field(default_factory=dict)
    readings: Mapping[ReadingKey, RecordedReading] = field(default_factory=dict)
    history: Mapping[SeriesKey, SeriesHistory] = field(default_factory=dict)
    registers: Mapping[RegisterKey, Sequence[tuple[int, int]]] = field(default_factory=dict)
    profiles: Mapping[SeriesKey, Sequence[ProfileSum]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Checked:
    """The verdict on one document, and what recording it will change.

    Attributes:
        findings: Of reading and of checking, in the order of their stages.
        changes: One for each accepted series.
        duplicate_of: Receipt number and its moment, for a duplicate.
        version: The document's among those of its layout; None for one that is not
            read, and offline. Its submission has no number yet.
    """

    verdict: Verdict
    status: Status
    findings: tuple[Finding, ...] = ()
    changes: tuple[Change, ...] = ()
    duplicate_of: tuple[int, datetime] | None = None
    version: Version | None = None

    @property
    def values(self) -> int:
        """How many values were accepted, changed or not."""
        return sum(change.series.count for change in self.changes)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The stored verdict on a submission, with its number.

    Attributes:
        number: Of this receipt; for a duplicate the number of the first one.
        received_at: Moment of receipt of this letter.
    """

    number: int
    received_at: datetime
    parsed: Parsed
    checked: Checked
