"""The rows of a sheet's table: which are data, what their keys say, what proves them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from layouts.document import cell_name
from layouts.figures import Figure, FigureKind, agrees, same
from layouts.findings import Code, Finding, Findings, Place, Severity, finding
from layouts.layout import UNITS, Layout
from layouts.terms import CHANNELS
from parsers.assemble import Reading, in_kwh, instant
from parsers.fields import (
    Fault,
    Number,
    is_blank,
    label,
    normal_sign,
    read_number,
    read_unit,
    shown,
)
from parsers.grid import Cell, Sheet
from parsers.sheets.account import is_note
from parsers.sheets.keys import Keys, has_digits, is_ditto
from parsers.sheets.table import Label, Slot, Table
from parsers.sheets.titles import Title
from parsers.sheets.vocabulary import HARMLESS, PREVIOUS, Vocabulary, units_in, without_firms
from parsers.signs import channel_of, zone_of


def place_of(sheet: Sheet, row: int, column: int) -> Place:
    """A cell as a place."""
    return Place(sheet=sheet.name, cell=cell_name(row, column))


def is_total(
    sheet: Sheet, table: Table, row: int, cells: Mapping[int, Cell], words: Vocabulary
) -> bool:
    """Whether a row adds up others: its first filled cell says so, and it has no key.

    Args:
        sheet: The grid.
        table: That it stands in.
        row: Its number in the sheet.
        cells: Of the row.
        words: By which totals are known.
    """
    first = min((column for column in cells if not is_blank(cells[column])), default=None)
    if first is None or not words.begins_total(cells[first]):
        return False
    if first == table.columns.get("zone") and "meter" in table.defaults:
        # The total of all zones of the meter above the table.
        return False
    keys = (table.columns.get(name) for name in ("point", "meter"))
    return all(
        column is None or column == first or is_blank(sheet.key(row, column)) for column in keys
    )


def is_signed(table: Table, keys: Keys, layout: Layout) -> bool:
    """Whether the row in hand names a zone or a channel: no remark does."""
    at = table.columns
    zone, channel = (shown(keys.at(at[n])) if n in at else "" for n in ("zone", "channel"))
    return bool((zone and zone_of(zone, layout)) or channel_of(channel, layout))


@dataclass(slots=True)
class Sums:
    """The data rows of a table so far, to be held against its rows of totals."""

    sheet: Sheet
    table: Table
    rows: list[tuple[int, str | None, str | None]] = field(default_factory=list)
    columns: dict[int, _Column] = field(default_factory=dict)

    def add(self, row: int, channel: str | None, zone: str | None) -> None:
        """Count one more row of data."""
        self.rows.append((row, channel, zone))

    def is_of(self, cells: Mapping[int, Cell]) -> bool:
        """Whether each number of a row without keys is the sum of what stands above it."""
        numbers = {c: n.value for c in self.table.numbers() if (n := _number(cells.get(c)))}
        return (
            len(self.rows) > 1
            and bool(numbers)
            and all(any(same(n, s) for s in self._sums(c)) for c, n in numbers.items())
        )

    def compare(self, row: int, cells: Mapping[int, Cell], findings: Findings) -> None:
        """Tell each total that is not the sum of what stands above it."""
        for at in self.table.numbers():
            sums, column = list(self._sums(at)), self.columns[at]
            column.since = {}
            total = read_number(cells.get(at))
            if isinstance(total, Fault) or not column.is_readable:
                continue
            if column.subtotals > 1:
                sums.append(column.of_subtotals)
            differs = sums and not any(same(total.value, exact) for exact in sums)
            if differs and not findings.is_counted(Code.TOTAL_DIFFERS):
                about = {"expected": format(sums[0], "f")}
                place = place_of(self.sheet, row, at)
                findings.add(finding(Code.TOTAL_DIFFERS, place, seen=shown(cells[at]), **about))
            column.subtotals += 1
            column.of_subtotals += total.value

    def _sums(self, at: int) -> Iterator[Decimal]:
        """The sums that a total may stand for: since the last one, of all, of one kind."""
        column = self.columns.setdefault(at, _Column())
        # Each row once, however many totals there are.
        for row, channel, zone in self.rows[column.rows :]:
            cell = self.sheet.cell(row, at)
            number = read_number(cell)
            if isinstance(number, Number):
                _add(column.since, (), number.value)
                for kind in ((), (channel, None), (channel, zone == "T0")):
                    _add(column.kinds, kind, number.value)
            elif not is_blank(cell):
                column.is_readable = False
        column.rows = len(self.rows)
        yield from column.since.values()
        yield from (column.kinds[kind] for kind in sorted(column.kinds, key=_order))


_Kind = tuple[()] | tuple[str | None, bool | None]


@dataclass(slots=True)
class _Column:
    """What stands in a column so far.

    Attributes:
        rows: How many rows were added.
        kinds: Sums of all, by `()`, and of one channel, with all its zones or not.
        since: The sum since the last total, by `()`; empty without a number.
        is_readable: Whether no cell makes every sum a guess.
    """

    rows: int = 0
    kinds: dict[_Kind, Decimal] = field(default_factory=dict)
    since: dict[_Kind, Decimal] = field(default_factory=dict)
    subtotals: int = 0
    of_subtotals: Decimal = Decimal(0)
    is_readable: bool = True


def _add(sums: dict[_Kind, Decimal], kind: _Kind, value: Decimal) -> None:
    sums[kind] = sums.get(kind, Decimal(0)) + value


def _order(kind: _Kind) -> tuple[bool, str]:
    return bool(kind), str(kind)


def _number(cell: Cell) -> Number | None:
    number = read_number(cell)
    return number if isinstance(number, Number) else None


def across(sheet: Sheet, table: Table, row: int, cells: Mapping[int, Cell]) -> Iterator[Finding]:
    """A finding for each total at the end of a row that is not the sum of its hours.

    Args:
        sheet: The grid.
        table: That it stands in.
        row: Its number in the sheet.
        cells: Of the row.
    """
    for column in table.totals:
        total = read_number(cells.get(column))
        if isinstance(total, Fault):
            continue
        numbers = [read_number(cells[at]) for at in table.hours if not is_blank(cells.get(at))]
        values = [number.value for number in numbers if isinstance(number, Number)]
        if len(values) == len(numbers) and not same(total.value, sum(values, Decimal(0))):
            about = {"expected": format(sum(values, Decimal(0)), "f")}
            place = place_of(sheet, row, column)
            yield finding(Code.TOTAL_DIFFERS, place, seen=shown(cells[column]), **about)


def adopt_totals(sheet: Sheet, table: Table, rows: Sequence[int]) -> None:
    """Take a column without a label for totals of the hours before it, which most are."""
    last = max(table.hours) + 1
    if last in table.labels or last in table.totals:
        return
    right = 0
    for row in rows:
        total = read_number(sheet.cell(row, last))
        numbers = [read_number(sheet.cell(row, column)) for column in table.hours]
        exact = sum((n.value for n in numbers if isinstance(n, Number)), Decimal(0))
        right += isinstance(total, Number) and same(total.value, exact)
    if right * 2 > len(rows):
        table.totals.add(last)


@dataclass(slots=True)
class Proof:
    """The figures beside the readings of one row, held against these."""

    sheet: Sheet
    table: Table
    row: int
    since: int | None
    unit: str
    midnight: Callable[[date], int | None]

    def findings(self, held: Mapping[int, Reading], carried: list[Figure]) -> Iterator[Finding]:
        """What contradicts the row's own arithmetic; what it cannot tell is carried on."""
        numbers = dict(self._numbers())
        for column, reading in held.items():
            value = self._energy(reading.value, column)
            if value is None or None in (reading.instant, reading.zone):
                continue
            slot = self.table.values[column]
            mine = {
                at: kind
                for at, (kind, of) in self.table.figures.items()
                if at in numbers and self._belongs(kind, of, slot, held)
            }
            yield from self._compare(mine, numbers, reading, value, carried)

    def _numbers(self) -> Iterator[tuple[int, Decimal]]:
        for column, (kind, _) in self.table.figures.items():
            number = read_number(self.sheet.cell(self.row, column))
            if isinstance(number, Number):
                exact = number.value
                yield column, exact if kind is FigureKind.RATIO else self._scaled(exact, column)

    def _energy(self, cell: Cell, column: int) -> Decimal | None:
        number = read_number(cell)
        return self._scaled(number.value, column) if isinstance(number, Number) else None

    def _scaled(self, value: Decimal, column: int) -> Decimal:
        return in_kwh(value, self.table.labels[column].meaning.unit or self.unit)

    def _belongs(
        self, kind: FigureKind, figure: Slot, value: Slot, held: Mapping[int, Reading]
    ) -> bool:
        """Whether a figure stands beside one register's reading, and beside no other's."""
        if kind is FigureKind.RATIO:
            return True
        fitting = [
            slot
            for slot in (self.table.values[column] for column in held)
            if figure.zone in (None, slot.zone) and figure.channel in (None, slot.channel)
        ]
        return fitting == [value]

    def _compare(
        self,
        mine: Mapping[int, FigureKind],
        numbers: Mapping[int, Decimal],
        reading: Reading,
        value: Decimal,
        carried: list[Figure],
    ) -> Iterator[Finding]:
        known = {kind: numbers[at] for at, kind in mine.items()}
        last, ratio = known.get(FigureKind.PREVIOUS), known.get(FigureKind.RATIO)
        # Less than the last one: whether the register rolled over, its digits tell.
        difference = None if last is None or last > value else value - last
        for column, kind in mine.items():
            written = numbers[column]
            proves = kind in (FigureKind.PREVIOUS, FigureKind.RATIO)
            agreed = None if proves else agrees(kind, written, value, difference, ratio)
            if agreed is None:
                carried.append(self._figure(kind, written, reading, column))
            elif not agreed and difference is not None:
                usage = kind is FigureKind.DIFFERENCE or ratio is None
                exact = difference if usage else difference * (ratio or 1)
                yield self._differs(reading, column, self._written(exact, column))

    def _written(self, value: Decimal, column: int) -> str:
        """A number in the unit of a column."""
        scale = self._scaled(Decimal(1), column)
        return format((value / scale).normalize(), "f")

    def _differs(self, reading: Reading, column: int, expected: str) -> Finding:
        return finding(
            Code.CONSUMPTION_DIFFERS,
            place_of(self.sheet, self.row, column),
            seen=shown(self.sheet.cell(self.row, column)),
            point=reading.point,
            meter=reading.meter,
            channel=reading.channel,
            zone=reading.zone,
            start=instant(reading.instant),
            expected=expected,
        )

    def _since(self, label: Label) -> datetime | None:
        """The moment of the last reading, of the row or of the figure's own label."""
        at = label.meaning.at if self.since is None else None
        return instant(self.since if at is None else self.midnight(at))

    def _figure(self, kind: FigureKind, value: Decimal, reading: Reading, column: int) -> Figure:
        at, zone = instant(reading.instant), reading.zone
        # `findings` passes over readings without them.
        assert at is not None and zone is not None  # noqa: S101, PT018
        return Figure(
            kind=kind,
            value=value,
            point=reading.point,
            meter=reading.meter,
            channel=reading.channel,
            zone=zone,
            instant=at,
            since=self._since(self.table.labels[column]),
            place=place_of(self.sheet, self.row, column),
            seen=shown(self.sheet.cell(self.row, column)),
        )


@dataclass(slots=True)
class Defaults:
    """Titles and unknown columns beside a default: looked at before the default is taken.

    Attributes:
        titles: Of the table, the nearest first.
        above: What the nearest title, or line between the rows, names of a column's channels
            and zones, for the rows that leave them out.
    """

    sheet: Sheet
    table: Table
    layout: Layout
    words: Vocabulary
    titles: Sequence[Title] = ()
    above: dict[str, set[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.above = {}
        for role in ("channel", "zone"):
            named = (self._named(role, title) for title in self.titles)
            is_column = role in self.table.columns
            self.above[role] = next(filter(None, named), set()) if is_column else set()

    def adopt(self, rows: Sequence[int]) -> None:
        """Take a column for the channel, or the zone, whose cells all name one."""
        named_by = (("channel", self._channel), ("zone", self._zone), ("unit", _is_unit))
        for role, at in named_by:
            if role != "unit" and not self._is_default(role):
                continue
            named = [c for c in self._columns(rows) if self._all_are(at, rows, c)]
            if len(named) == 1:
                self.table.columns[role] = named[0]
        for role in ("channel", "zone"):
            title = self._title(role)
            if title is not None and title.is_own:
                self._adopt_title(role, title)

    def _adopt_title(self, role: str, title: Title) -> bool:
        """Take the one channel, or zone, that a title of nothing else names."""
        text = without_firms(label(title.text))
        # A line of one noun may as well be the name of a firm; that of a sheet is its kind.
        is_name = title.place.cell is not None and text.strip("\"«»“”„'") in _NOUNS
        signs = self._named(role, title)
        if len(signs) != 1 or is_name or not self.words.known(text).whole().known:
            return False
        (self.table.defaults[role],) = signs
        return True

    def adopt_line(self, row: int, cells: Mapping[int, Cell]) -> Finding | None:
        """Take what a line between the rows names for those below it; else what it says of them."""
        texts = [shown(cell) for cell in cells.values() if not is_blank(cell)]
        title = Title(place_of(self.sheet, row, min(cells)), " ".join(texts), is_own=True)
        for role, default in self._by_default():
            named = self._named(role, title)
            if not named:
                continue
            if role in self.table.columns:
                # A row with a key and a sign of its own says nothing of those below it.
                keys = (self.table.columns.get(name, 0) for name in ("point", "meter", "date"))
                is_own = not is_blank(cells.get(self.table.columns[role]))
                if not is_own or not any(has_digits(cells.get(at)) for at in keys):
                    self.above[role] = named
                continue
            if not self._has_room(role):
                own = {getattr(slot, role) for slot in self.table.values.values()}
                is_denied = None not in own and own.isdisjoint(named)
            else:
                is_default = named == {self.table.defaults.get(role, default)}
                is_denied = not self._adopt_title(role, title) and not is_default
            if is_denied:
                return _contradiction(title)
        return self._earlier([title])

    def _by_default(self) -> Iterator[tuple[str, str | None]]:
        yield "channel", self.layout.default_channel
        yield "zone", self.layout.default_zone

    def _all_are(self, at: Callable[[Cell], bool], rows: Sequence[int], column: int) -> bool:
        cells = [self._key(row, column) for row in rows]
        return bool(cells) and at(cells[0]) and all(at(c) or is_ditto(c) for c in cells)

    def _title(self, role: str) -> Title | None:
        """The nearest title that names channels, or zones, where no word of the table does."""
        if not self._is_default(role):
            return None
        return next((title for title in self.titles if self._named(role, title)), None)

    def _named(self, role: str, title: Title) -> set[str]:
        """The channels or zones that a title names."""
        if role == "channel":
            return self.words.channels_in(title.text)
        # Words such as «день» and «общий» say something of zones only among the form's own.
        meaning = self.words.known(without_firms(label(title.text)))
        return {meaning.zone} if meaning.known and meaning.zone else set()

    def doubt(self) -> Finding | None:
        """What a title says against a default, or against the labels of all values."""
        for role, default in self._by_default():
            if (contrary := self._contrary(role)) is not None:
                return contrary
            title = self._title(role)
            if title is not None and not self._named(role, title) <= {default}:
                return _contradiction(title)
        return self._earlier(self._near())

    def _earlier(self, titles: Iterable[Title]) -> Finding | None:
        """The nearest title that tells readings by time: earlier ones, where no label does."""
        table = self.table
        is_dated = not table.columns.keys().isdisjoint(("instant", "start"))
        said = [table.labels[column].meaning for column in (*table.values, *table.figures)]
        if is_dated or not table.values or any(one.tense or one.at for one in said):
            return None
        title = next((t for t in titles if self._tense(t)), None)
        if title is None or self._tense(title) != PREVIOUS:
            return None
        return self._ambiguous("value", title, list(table.values))

    def _tense(self, title: Title) -> str | None:
        """What a title says of time; that of a month may be about when it is read."""
        said = self.words.known(title.text)
        is_clear = said.known and not (said.at or said.month)
        return said.tense if is_clear and not _SPAN.search(label(title.text)) else None

    def _near(self) -> Iterator[Title]:
        return (t for t in self.titles if t.is_own and t.place.cell is not None)

    def _ambiguous(self, role: str, title: Title, columns: Sequence[int]) -> Finding:
        """What a title says, against the first of the labels of columns."""
        first = self.table.labels[min(columns)]
        about = {"field": role, "other": f"{first.text}, {cell_name(first.row, first.column)}"}
        return finding(Code.AMBIGUOUS_COLUMN, title.place, seen=title.text, **about)

    def _contrary(self, role: str) -> Finding | None:
        """What the nearest title says against the labels: «Активная энергия» over «R+»."""
        own = {
            column: sign for column, s in self.table.values.items() if (sign := getattr(s, role))
        }
        title = next((t for t in self._near() if self._named(role, t)), None) if own else None
        if title is None or len(own) < len(self.table.values) or role in self.table.columns:
            return None
        named = self._named(role, title)
        # «Активная энергия» names no direction.
        if {*map(_quantity, named)} & {*map(_quantity, own.values())}:
            return None
        return self._ambiguous(role, title, list(own))

    def doubts(self, rows: Sequence[int]) -> Iterator[tuple[int, Finding]]:
        """Columns of unknown words where the form's own column is missing."""
        defaults = [role for role in ("channel", "zone") if self._is_default(role)]
        if not defaults:
            return
        for column in self._columns(rows):
            texts = [t for r in rows if isinstance(t := self._key(r, column), str) and is_note(t)]
            texts = [text for text in texts if not is_blank(text)]
            label = self.table.labels.get(column)
            filled = [row for row in rows if not is_blank(self._key(row, column))]
            # Numbers below words about zones that nobody knows.
            is_named = bool(filled and label and label.meaning.role in defaults)
            if not texts and not is_named:
                continue
            is_harmless = label is not None and label.meaning.role == HARMLESS
            doubtful = self._is_doubtful(texts, is_harmless) if texts else is_named
            if is_harmless and not doubtful:
                continue
            cells = cell_name(filled[0], column)
            if len(filled) > 1:
                cells += f":{cell_name(filled[-1], column)}"
            seen = label.text if label is not None else texts[0]
            severity = Severity.ERROR if doubtful else Severity.WARNING
            place = Place(sheet=self.sheet.name, cell=cells)
            about = {"reason": "default", "count": len(filled)}
            yield column, finding(Code.NOT_READ, place, seen=seen, severity=severity, **about)

    def _is_doubtful(self, texts: Sequence[str], is_harmless: bool) -> bool:
        """Whether words may mean another channel or zone than the default."""
        if any(map(self._is_other_unit, texts)):
            return True
        if is_harmless:
            default = self.layout.default_channel
            named = set().union(*map(self.words.channels_in, texts))
            return self._is_default("channel") and bool(
                named - {default, self.table.defaults.get("channel")}
            )
        return any(self.words.is_doubtful(text) for text in texts)

    def _is_other_unit(self, text: str) -> bool:
        return any(UNITS[unit] != UNITS["kWh"] for unit in units_in(text))

    def _is_default(self, role: str) -> bool:
        return role not in self.table.defaults and self._has_room(role)

    def _has_room(self, role: str) -> bool:
        """Whether no column says of each value which channel, or zone, it is of."""
        if role in self.table.columns:
            return False
        slots = list(self.table.values.values()) or [Slot(None, None)]
        if role == "channel":
            return self.layout.default_channel is not None and any(s.channel is None for s in slots)
        return self.layout.default_zone is not None and any(s.zone is None for s in slots)

    def _columns(self, rows: Sequence[int]) -> list[int]:
        """Columns of the table that no role has."""
        taken = {*self.table.columns.values(), *self.table.numbers(), *self.table.figures}
        found = {c for row in rows for c in self.sheet.rows.get(row, {})}
        inside = (c for c in found if self.table.left <= c <= self.table.right)
        return sorted(c for c in inside if c not in taken)

    def _key(self, row: int, column: int) -> Cell:
        return self.sheet.key(row, column)

    def _channel(self, cell: Cell) -> bool:
        # A code such as 01 may as well number the rows.
        text = cell if isinstance(cell, str) else ""
        return normal_sign(text) in CHANNELS or self.words.channel(text) is not None

    def _zone(self, cell: Cell) -> bool:
        if not isinstance(cell, str) or is_blank(cell) or cell.strip().isdigit():
            return False
        return zone_of(cell, self.layout) is not None or zone_in_words(cell, self.words) is not None


def _quantity(sign: str) -> str:
    """`A` or `R` of a channel; a zone as it is."""
    return sign.rstrip("+-")


def _contradiction(title: Title) -> Finding:
    about = {"reason": "default-title", "severity": Severity.ERROR}
    return finding(Code.NOT_READ, title.place, seen=title.text, **about)


def _is_unit(cell: Cell) -> bool:
    return isinstance(cell, str) and bool(units_in(cell)) and isinstance(read_unit(cell), str)


_SPAN = re.compile(r"месяц|период|на начало|month|period")
_NOUNS = frozenset(("актив", "реактив"))


def zone_in_words(text: str, words: Vocabulary) -> str | None:
    """The tariff zone that a cell names in words alone."""
    # `1 (день)`: the number and its zone's name.
    numbered = _NUMBERED_ZONE.fullmatch(text)
    meaning = words.known(numbered[2] if numbered else text)
    if numbered and meaning.zone != f"T{numbered[1]}":
        return None
    return meaning.zone if meaning.known and meaning.role in (None, "zone") else None


_NUMBERED_ZONE = re.compile(r"\s*([1-4])\s*[-–—(]\s*(.*?[^\W\d_].*?)\)?\s*")
