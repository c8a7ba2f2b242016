"""The words of the field as values: what a document says, and who answers for it.

Instants are aware and in UTC unless a name says otherwise; interval energy is
an integer number of watt-hours (or var-hours); a register reading is a
`Decimal` as on the meter's face, in kWh or kvarh before the transformer ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from layouts.figures import Figure
from layouts.findings import Finding, Place, Status
from layouts.months import MOSCOW


class Language(StrEnum):
    """What replies are written in; each has its catalogues beside the replies' templates."""

    RUSSIAN = "ru"
    ENGLISH = "en"


RETURNED_LIST_TITLES = ("Замечания к документу ", "Findings in the document ")
"""How the list of findings begins that a reply adds to a workbook; senders send it back."""


class Quantity(StrEnum):
    """What is measured; each has its unit."""

    ACTIVE = "active"
    REACTIVE = "reactive"

    @property
    def interval_unit(self) -> str:
        """Of interval energy, as it is kept."""
        return "Wh" if self is Quantity.ACTIVE else "varh"

    @property
    def register_unit(self) -> str:
        """Of a reading, as on the meter's face."""
        return f"k{self.interval_unit}"


class Direction(StrEnum):
    """Which way the energy goes, seen from the network's customer."""

    TAKEN = "taken"
    GIVEN = "given"


class Channel(StrEnum):
    """A quantity in one direction."""

    quantity: Quantity
    direction: Direction

    ACTIVE_TAKEN = "A+", Quantity.ACTIVE, Direction.TAKEN
    ACTIVE_GIVEN = "A-", Quantity.ACTIVE, Direction.GIVEN
    REACTIVE_TAKEN = "R+", Quantity.REACTIVE, Direction.TAKEN
    REACTIVE_GIVEN = "R-", Quantity.REACTIVE, Direction.GIVEN

    def __new__(cls, sign: str, quantity: Quantity, direction: Direction) -> Channel:
        """A member whose value is its sign."""
        member = str.__new__(cls, sign)
        member._value_ = sign
        member.quantity = quantity
        member.direction = direction
        return member


CHANNELS = tuple(channel.value for channel in Channel)
"""The signs of all channels."""

ACTIVE_CHANNELS = tuple(c.value for c in Channel if c.quantity is Quantity.ACTIVE)
"""The signs of those whose energy the permitted power bounds."""

STEADY_CHANNELS = ("A+", "R+", "R-")
"""Those whose days are like their weekday; what is given back is as the weather is."""

_QUANTITIES = {channel.value: channel.quantity for channel in Channel}


def quantity_of(channel: str | None) -> Quantity:
    """What a channel measures; active energy for an unknown one."""
    return _QUANTITIES.get(channel or "", Quantity.ACTIVE)


ZONES = ("T0", "T1", "T2", "T3", "T4")
"""T0 is the total; T1 to T4 are the tariff zones."""


class Kind(StrEnum):
    """What the values of a series are."""

    INTERVAL = "interval"
    REGISTER = "register"


class Verdict(StrEnum):
    """What became of one document."""

    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    UNREADABLE = "unreadable"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class Document:
    """One attached file: its name as decoded ('' when it has none) and its bytes.

    Attributes:
        container: Name of the archive it came in, None when attached as it is.
    """

    name: str
    content: bytes = field(repr=False)
    container: str | None = None


_COLUMNS = 16384


@dataclass(frozen=True, slots=True)
class Places:
    """Where each value of a series stood, in one flat column.

    Attributes:
        at: XML lines when `sheet` is None; else cells packed by `cell_at`.
        keys: Columns, from 1, in which `point`, `meter` and so on stand in the rows of
            a sheet.
        empty: Cells left empty, packed, by the start of their intervals in epoch
            seconds.
    """

    sheet: str | None
    at: Sequence[int]
    keys: Mapping[str, int] = field(default_factory=dict)
    empty: Mapping[int, int] = field(default_factory=dict)

    @staticmethod
    def cell_at(row: int, column: int) -> int:
        """One number for the cell at `row` and `column`, both from 1."""
        return row * _COLUMNS + column - 1

    def place(self, index: int) -> Place:
        """The place of the value at `index`."""
        if self.sheet is None:
            return Place(line=self.at[index])
        return self._cell(self.at[index])

    def _cell(self, at: int) -> Place:
        row, column = divmod(at, _COLUMNS)
        return Place(sheet=self.sheet, cell=cell_name(row, column + 1))

    def gap(self, index: int, start: int) -> Place:
        """The empty cell of the interval at `start`, else the place before the gap.

        `index` is that of the first value behind the gap.
        """
        empty = self.empty.get(start)
        return self.place(max(index - 1, 0)) if empty is None else self._cell(empty)

    def place_of(self, key: str, index: int) -> Place:
        """The cell that names the `key` of the value at `index`, else the value's own."""
        column = self.keys.get(key)
        if self.sheet is None or column is None:
            return self.place(index)
        return Place(sheet=self.sheet, cell=cell_name(self.at[index] // _COLUMNS, column))


def cell_name(row: int, column: int) -> str:
    """A cell's name such as `C14`, from its row and column, both from 1."""
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row}"


@dataclass(frozen=True, slots=True)
class Series:
    """One point's values on one channel over a period.

    Attributes:
        area: Code of the area the document puts the point in, None without one.
        point: Code of the metering point; None when only the meter is named.
        meter: Number of the meter; None for an interval series.
        channel: One of `CHANNELS`, or the raw text of one that is not.
        zone: One of `ZONES` for a register reading, None for intervals.
        start: Start of the first interval, or the instant of the reading.
        step_minutes: Length of an interval; 0 for a register reading.
        values: Interval energy in Wh or varh, None where the document has an
            interval without a value; or the one `Decimal` of a register reading.
        spans: (start, end) of each value in UTC epoch seconds, in document
            order, when the intervals do not follow one another at
            `step_minutes` from `start`; None when they do.
        not_commercial: Indexes of the values flagged as not fit for billing.
        places: Where each value stood.
        power: The values were written in a unit of 10 to this power Wh (of a reading,
            kWh), which `as_written` tells them in again.
    """

    kind: Kind
    area: str | None
    point: str | None
    meter: str | None
    channel: str
    zone: str | None
    start: datetime
    step_minutes: int
    values: Sequence[int | None] | Sequence[Decimal]
    spans: Sequence[tuple[int, int]] | None = None
    not_commercial: frozenset[int] = frozenset()
    places: Places | None = field(default=None, compare=False)
    power: int = field(default=0, compare=False)

    @property
    def end(self) -> datetime:
        """End of the last interval; the instant itself for a register reading."""
        if self.kind is Kind.REGISTER:
            return self.start
        if self.spans is not None:
            return datetime.fromtimestamp(max(e for _, e in self.spans), UTC)
        return self.start + timedelta(minutes=self.step_minutes * len(self.values))

    @property
    def reading(self) -> Decimal:
        """The value of a register reading."""
        value = self.values[0]
        return value if isinstance(value, Decimal) else Decimal(value or 0)

    @property
    def count(self) -> int:
        """How many values are present, commercial or not."""
        values: Sequence[int | Decimal | None] = self.values
        return len(values) - values.count(None)

    @property
    def total(self) -> int | Decimal:
        """Sum of the values present; the reading itself for a register."""
        # Not worth a walk in Python over thousands of values that are all there.
        if None not in self.values:
            return sum(self.values)  # type: ignore[arg-type]
        return sum(value for value in self.values if value is not None)

    @property
    def unit(self) -> str:
        """Wh or varh for intervals; kWh or kvarh for a reading on the face."""
        quantity = quantity_of(self.channel)
        return quantity.interval_unit if self.kind is Kind.INTERVAL else quantity.register_unit

    def as_written(self, index: int) -> str:
        """The value at `index` in the unit of its sender: -5, not -5000."""
        value = Decimal(self.values[index] or 0).scaleb(-self.power)
        return format(value.normalize() if value else Decimal(0), "f")

    def place(self, index: int) -> Place:
        """Where the value at `index` stood, as far as it is known."""
        return self.places.place(index) if self.places else Place()

    def gap(self, index: int, start: int) -> Place:
        """Where a gap is told that begins at `start`, before the value at `index`."""
        return self.places.gap(index, start) if self.places else Place()

    def place_of(self, key: str) -> Place:
        """Where the series' `point`, `meter`, `channel` or `zone` is named, if known."""
        return self.places.place_of(key, 0) if self.places else Place()

    def span(self, index: int) -> tuple[datetime, datetime]:
        """Start and end of the interval at `index`, in UTC."""
        if self.spans is not None:
            start, end = self.spans[index]
            return datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)
        step = timedelta(minutes=self.step_minutes)
        return self.start + step * index, self.start + step * (index + 1)


@dataclass(frozen=True, slots=True)
class Header:
    """What a document says of itself; every field may be missing.

    Attributes:
        version: Version of the form, such as `1`.
        sender_code: The user code, with its leading zeros.
        sender_inn: The sender's taxpayer number.
        password: In the clear, only ever in memory.
        created: When the sender made it, in UTC.
        number: The running number by which 80020 orders its resends.
        period_start: Start of the month or day the document is for, UTC.
        period_end: Its end, excluded, UTC.
    """

    version: str | None = None
    sender_code: str | None = None
    sender_inn: str | None = None
    sender_name: str | None = None
    password: str | None = field(default=None, repr=False)
    created: datetime | None = None
    number: int | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Parsed:
    """One document as read: header, series and every format mistake.

    Attributes:
        name: File name as the sender gave it, '' when none.
        part: The sheet, when one workbook held several documents.
        layout: Class of the layout that claims it; None when none does.
        series: In document order. A series with a format mistake in one of its
            values is left out of here; its finding names point and channel.
        spoilt: Those, with the values that could be read: never recorded, but judged,
            so that their other mistakes are told at once. A value that could not be
            read is None; a register's reading that could not be is left out.
        points: Codes of every point the document names, as (area, point), also
            of those whose series were left out.
        figures: What stands beside readings and the document alone cannot settle.
    """

    name: str
    sha256: str
    size: int
    container: str | None = None
    part: str | None = None
    layout: str | None = None
    header: Header = Header()
    series: tuple[Series, ...] = ()
    findings: tuple[Finding, ...] = ()
    points: frozenset[tuple[str | None, str | None]] = frozenset()
    figures: tuple[Figure, ...] = ()
    spoilt: tuple[Series, ...] = ()


@dataclass(frozen=True, slots=True)
class MeterRow:
    """What is true of a meter from a date on.

    Attributes:
        valid_from: First day; None: from the beginning.
    """

    valid_from: date | None
    number: str
    ratio: Decimal = Decimal(1)
    digits: int | None = None
    decimals: int | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """A replaceable device at a point.

    Number, digits, decimals and ratio are those of its newest row.

    Attributes:
        digits: Places before the decimal point; the register rolls over at
            10 to this power. None when not known.
        decimals: Places after it. None when not known.
        ratio: Transformer ratio by which a difference is multiplied.
        channels: Empty: not stated, every channel is taken.
        zones: Tariff zones it counts in. Empty: not stated.
        rows: What was true when, the oldest first. Empty: what the other fields say, from
            the beginning.
    """

    number: str
    digits: int | None = None
    decimals: int | None = None
    ratio: Decimal = Decimal(1)
    installed: date | None = None
    removed: date | None = None
    channels: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    id: int | None = field(default=None, compare=False)
    rows: tuple[MeterRow, ...] = ()

    def at(self, moment: datetime) -> Meter:
        """The meter as it counts for a step of consumption that ends at a moment.

        On the day that a row begins, the row before it still counts: the day's own
        reading is the boundary, whatever its hour.
        """
        if not self.rows:
            return self
        row = _in_force(self.rows, moment.astimezone(MOSCOW).date() - _DAY)
        return replace(
            self, number=row.number, ratio=row.ratio, digits=row.digits, decimals=row.decimals
        )


@dataclass(frozen=True, slots=True)
class PointRow:
    """What is true of a point from a date on.

    Attributes:
        valid_from: First day; None: from the beginning.
        holder: User code of the entity that answers for it; '' where a file does not say.
        source: What billing counts by: `register`, `profile`, `both`, or '' for
            registers where the point has a meter, else its profile.
    """

    valid_from: date | None
    holder: str = ""
    area: str | None = None
    max_power_kw: Decimal | None = None
    active: bool = True
    source: str = ""


_DAY = timedelta(days=1)
_Row = TypeVar("_Row", bound=MeterRow | PointRow)


def _in_force(rows: Sequence[_Row], day: date) -> _Row:
    """The last row that has begun on a day; before the first one, that one."""
    begun = [row for row in rows if row.valid_from is None or row.valid_from <= day]
    return begun[-1] if begun else rows[0]


@dataclass(frozen=True, slots=True)
class MeteringPoint:
    """A place where energy is measured.

    Area, power, activity and source are those of its newest row.

    Attributes:
        area: None matches any area a document puts it in.
        channels: Of its profile. Empty: not stated, every channel is taken.
        max_power_kw: Permitted power; None when not known.
        load: `constant` or `timed` where equal days are as they should be; else ''.
        rows: What was true when, the oldest first. Empty: what the other fields say, from
            the beginning.
    """

    code: str
    name: str = ""
    area: str | None = None
    max_power_kw: Decimal | None = None
    channels: tuple[str, ...] = ()
    meters: tuple[Meter, ...] = ()
    id: int | None = field(default=None, compare=False)
    active: bool = True
    source: str = ""
    load: str = ""
    rows: tuple[PointRow, ...] = ()

    def at(self, moment: datetime) -> MeteringPoint:
        """The point as it was when an interval began at a moment."""
        if not self.rows:
            return self
        row = _in_force(self.rows, moment.astimezone(MOSCOW).date())
        return replace(
            self,
            area=row.area,
            max_power_kw=row.max_power_kw,
            active=row.active,
            source=row.source,
        )

    def holder(self, moment: datetime) -> str | None:
        """User code of the entity that held it then; None where it has always been one's."""
        if not self.rows:
            return None
        return _in_force(self.rows, moment.astimezone(MOSCOW).date()).holder


@dataclass(frozen=True, slots=True)
class LegalEntity:
    """The organisation answerable for metering points.

    Attributes:
        addresses: E-mail addresses it mails from, in lower case.
        password_hash: Argon2id, never told; None while no password is set.
        held_at_times: Points that are another's by their newest row and were, or still
            are, this one's; for single entities only, not for lists of all of them.
    """

    user_code: str
    name: str = ""
    inn: str = ""
    addresses: tuple[str, ...] = ()
    active: bool = True
    points: tuple[MeteringPoint, ...] = ()
    password_hash: str | None = field(default=None, repr=False)
    id: int | None = field(default=None, compare=False)
    held_at_times: tuple[MeteringPoint, ...] = ()


@dataclass(frozen=True, slots=True)
class Version:
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

    def __lt__(self, other: Version) -> bool:
        return self.as_tuple() < other.as_tuple()

    def as_tuple(self) -> tuple[int, int, int, int]:
        """The keys in their order."""
        return self.first, self.second, self.received, self.submission


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
        meter: Of a register reading; None as for `point`.
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
        registers: Readings in force as (instant in epoch seconds, value), ascending.
        profiles: By owner, ascending.
    """

    duplicate_of: tuple[int, datetime] | None = None
    foreign: frozenset[str] = frozenset()
    closed: frozenset[date] = frozenset()
    highest: int | None = None
    intervals: Mapping[SeriesKey, RecordedIntervals] = field(default_factory=dict)
    readings: Mapping[ReadingKey, RecordedReading] = field(default_factory=dict)
    history: Mapping[SeriesKey, SeriesHistory] = field(default_factory=dict)
    registers: Mapping[RegisterKey, Sequence[tuple[int, Decimal]]] = field(default_factory=dict)
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
