"""What a document says: its header, its series, and where each value stood.

Instants are aware and in UTC unless a name says otherwise; interval energy is
an integer number of watt-hours (or var-hours); a register reading is a
`Decimal` as on the meter's face, in kWh or kvarh before the transformer ratio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from layouts.figures import Figure
from layouts.findings import Finding, Place
from layouts.terms import Kind, quantity_of


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

UNDATED = datetime(1900, 1, 1, tzinfo=UTC)
"""Start of a series none of whose times could be read: of no meter's time."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where each value of a series stood, in one flat column.

    Attributes:
        at: XML lines when `sheet` is None; else cells packed by `cell_at`.
        keys: Columns, from 1, in which `point`, `meter` and so on stand in the rows of
            a sheet.
        empty: Cells left empty, packed, by the start of their intervals in epoch
            seconds.
        dated: Cell of the date, packed, where it stands above the rows; else 0.
    """

    sheet: str | None
    at: Sequence[int]
    keys: Mapping[str, int] = field(default_factory=dict)
    empty: Mapping[int, int] = field(default_factory=dict)
    dated: int = 0

    @staticmethod
    def cell_at(row: int, column: int) -> int:
        """One number for the cell at `row` and `column`, both from 1."""
        return row * _COLUMNS + column - 1

    @staticmethod
    def spot(at: int) -> tuple[int, int]:
        """Row and column of a packed cell."""
        row, column = divmod(at, _COLUMNS)
        return row, column + 1

    def place(self, index: int) -> Place:
        """The place of the value at `index`."""
        if self.sheet is None:
            return Place(line=self.at[index])
        return self._cell(self.at[index])

    def _cell(self, at: int) -> Place:
        return Place(sheet=self.sheet, cell=cell_name(*self.spot(at)))

    def gap(self, index: int, start: int) -> Place:
        """The empty cell of the interval at `start`, else the place before the gap.

        `index` is that of the first value behind the gap.
        """
        empty = self.empty.get(start)
        return self.place(max(index - 1, 0)) if empty is None else self._cell(empty)

    def place_of(self, key: str, index: int) -> Place:
        """The cell that names the `key` of the value at `index`, else the value's own."""
        if key == "instant" and self.dated:
            return self._cell(self.dated)
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
    def is_unread(self) -> bool:
        """Whether it has no time that could be read, or is a reading without value or zone."""
        is_part = self.kind is Kind.REGISTER and not (self.values and self.zone is not None)
        return is_part or self.start == UNDATED

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
            read is None; a register's reading that could not be is left out. A reading
            whose zone could not be read has none. A reading without an instant is
            `UNDATED`, as are intervals of which none has a time, without their values.
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
