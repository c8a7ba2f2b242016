"""Where the tables of a sheet are, and which of their columns is read as what.

Every column makes a claim by its label; claims on one role are settled by how exact the
labels are and by what they say of time, never by who comes first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from operator import attrgetter

from layouts.figures import FigureKind
from layouts.layout import Layout
from layouts.workbook_form import WorkbookDefinition
from parsers.fields import Number, read_hour, read_number, shown
from parsers.fields import label as label_of
from parsers.grid import Cell, Merged, Sheet
from parsers.grid_draft import TooCostlyError
from parsers.sheets.vocabulary import (
    CURRENT,
    EXACT,
    FIGURE,
    HARMLESS,
    NO_YEAR,
    NOTHING,
    PREVIOUS,
    TOTAL,
    Meaning,
    Vocabulary,
)

_MOST_LABEL_ROWS = 3
_DIGIT = re.compile(r"\d")

MOST_LABELS = 2_000
"""A sheet with more labels in rows that may be a table's head is `too-costly`."""

MOST_TABLES = 500
"""So is one with more tables."""

_NUMBERED = ("n", "no", "#")
"""Labels, as they are compared, of a column that numbers the rows."""

SINCE = "since"
"""Role of a column with the moment of the last reading."""


@dataclass(frozen=True, slots=True)
class Label:
    """What stands above a column, all rows of it together."""

    row: int
    column: int
    text: str
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Slot:
    """What the values of a column are readings of; None where the row says it."""

    zone: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two columns that claim one role, with nothing to decide between them."""

    field: str
    first: Label
    second: Label


@dataclass(slots=True)
class Table:
    """One table: where it is, and what its columns are.

    Attributes:
        top: First row of its labels.
        bottom: Last row of its labels; the data begin below.
        end: The row after its last one.
        left: Its first column, and `right` its last one; what stands outside of them
            belongs to no table.
        columns: Column of each key and moment.
        values: Columns of values, with what they are readings of.
        hours: Columns of hours, with the hour at which their intervals start.
        figures: Columns of figures that prove, with what they stand beside.
        totals: Columns that add up a row.
        decided: Columns that claimed a role another one has.
        conflicts: Claims that nothing decides.
        channel: What its title says that all of it is read on.
    """

    top: int
    bottom: int
    end: int
    left: int
    right: int
    labels: Mapping[int, Label]
    columns: dict[str, int] = field(default_factory=dict)
    values: dict[int, Slot] = field(default_factory=dict)
    hours: Mapping[int, int] = field(default_factory=dict)
    figures: dict[int, tuple[FigureKind, Slot]] = field(default_factory=dict)
    totals: set[int] = field(default_factory=set)
    decided: set[int] = field(default_factory=set)
    conflicts: list[Conflict] = field(default_factory=list)
    channel: str | None = None

    @property
    def understood(self) -> int:
        """How many of its columns have labels that the form knows."""
        return sum(label.meaning.is_label for label in self.labels.values()) + len(self.hours)

    @property
    def strange(self) -> Iterator[Label]:
        """Labels that the form does not know."""
        return (label for label in self.labels.values() if not label.meaning.is_label)

    def numbers(self) -> Iterator[int]:
        """Columns of numbers that a row of totals may add up."""
        yield from self.values
        yield from self.hours
        yield from self.totals
        for column, (kind, _) in self.figures.items():
            if kind is not FigureKind.RATIO:
                yield column


def find_tables(
    sheet: Sheet,
    layout: Layout,
    definition: WorkbookDefinition,
    words: Vocabulary,
    states_fact: Callable[[int], bool],
    stated: Callable[[int], date | None] = lambda _: None,
) -> list[Table]:
    """The form's tables on a sheet, from the top; those beside each other from the left.

    Args:
        sheet: The sheet.
        layout: The form's layout.
        definition: The form.
        words: Of the form.
        states_fact: Whether a row states a fact, which makes it no row of labels.
        stated: The day of the readings that is stated above a row.

    Raises:
        TooCostlyError: there are more than `MOST_TABLES`.
    """
    finder = _Finder(sheet, layout, definition, words, states_fact, stated)
    found: list[Table] = []
    for rows in finder.label_runs():
        best = finder.best(rows)
        for table in best:
            for earlier in found:
                if earlier.end > table.top and earlier.top < table.top:
                    earlier.end = table.top
        found.extend(best)
        if len(found) > MOST_TABLES:
            raise TooCostlyError(str(MOST_TABLES))
    for table in found:
        table.end = next(
            (
                row
                for row in sheet.rows
                if table.bottom < row < table.end and finder.ends(table, row)
            ),
            table.end,
        )
    return found


class _Finder:
    """Looks for rows of labels on one sheet."""

    def __init__(
        self,
        sheet: Sheet,
        layout: Layout,
        definition: WorkbookDefinition,
        words: Vocabulary,
        states_fact: Callable[[int], bool],
        stated: Callable[[int], date | None],
    ) -> None:
        self._sheet = sheet
        self._layout = layout
        self._definition = definition
        self._words = words
        self._last = max(sheet.rows, default=0) + 1
        self._states_fact = states_fact
        self._stated = stated
        self._looked_at = 0
        self._merged = {(merged.top, merged.left): merged for merged in sheet.merged}
        self._merged_in: defaultdict[int, list[Merged]] = defaultdict(list)
        for merged in sheet.merged:
            self._merged_in[merged.top].append(merged)

    def ends(self, table: Table, row: int) -> bool:
        """Whether a row is no longer the table's: it states a fact, and holds no value."""
        cells = self._sheet.rows[row]
        return self._states_fact(row) and not any(
            isinstance(read_number(cells.get(column)), Number)
            for column in (*table.values, *table.hours)
        )

    def label_runs(self) -> Iterator[list[int]]:
        """Runs of neighbouring rows that hold words and no values."""
        run: list[int] = []
        for row, cells in self._sheet.rows.items():
            if not self._is_wordy(cells) or self._states_fact(row):
                continue
            if run and run[-1] != row - 1:
                yield run
                run = []
            run.append(row)
        if run:
            yield run

    def _is_wordy(self, cells: Mapping[int, Cell]) -> bool:
        numbers = 0
        for cell in cells.values():
            if isinstance(cell, str):
                # Most texts are words, and cost no closer look.
                if (
                    not cell[:1].isalpha()
                    and _DIGIT.search(cell)
                    and isinstance(read_number(cell), Number)
                ):
                    numbers += 1
            elif isinstance(cell, datetime):
                if self._definition.hours and cell.year > 1904:
                    return False
            else:
                numbers += 1
            if numbers and not self._definition.hours:
                return False
        if not numbers:
            return True
        texts = [
            cell for cell in cells.values() if isinstance(cell, str) and not cell[:1].isdigit()
        ]
        said = not texts or any(self._words.meaning(text).said for text in texts)
        return said and bool(hour_columns(cells))

    def best(self, rows: Sequence[int]) -> list[Table]:
        """The tables whose labels fill some of these rows: as many as are understood."""
        best: list[Table] = []
        key: tuple[int, int, int, int] | None = None
        # A text without a role is no key's label, nor part of one.
        promising = {row for row in rows if self._names_a_key(row)}
        for top in rows:
            for bottom in range(top, min(top + _MOST_LABEL_ROWS, rows[-1] + 1)):
                if promising.isdisjoint(range(top, bottom + 1)):
                    continue
                tables = self._at(top, bottom)
                if not tables:
                    continue
                conflicts = sum(len(table.conflicts) for table in tables)
                understood = sum(table.understood for table in tables)
                this = (-conflicts, understood, bottom, bottom - top)
                if key is None or this > key:
                    key, best = this, tables
        return best

    def _names_a_key(self, row: int) -> bool:
        """Whether a label in a row has a role that each table of the form has."""
        required = self._definition.required
        cells = self._sheet.rows[row].values()
        return not required or any(self._words.meaning(cell).role in required for cell in cells)

    def _at(self, top: int, bottom: int) -> list[Table]:
        """The tables whose labels stand in these rows."""
        hours: dict[int, int] = {}
        hour_row = 0
        if self._definition.hours:
            for row in range(top, bottom + 1):
                found = hour_columns(self._sheet.rows.get(row, {}))
                if found and hours:
                    # Energy may look like hours; a table has one row of these.
                    return []
                if found:
                    hours, hour_row = found, row
            if not hours:
                return []
        labels = self._labels(top, bottom, hours, hour_row)
        tables = []
        for part in self._parts(labels, hours):
            table = self._table(top, bottom, part, hours)
            if table is not None:
                tables.append(table)
        for table, following in pairwise(tables):
            table.right = following.left - 1
        if tables:
            tables[0].left, tables[-1].right = 1, 1 << 20
        return tables

    def _labels(
        self, top: int, bottom: int, hours: Mapping[int, int], hour_row: int
    ) -> dict[int, Label]:
        """What stands above each column, as one label."""
        columns: set[int] = set()
        for row in range(top, bottom + 1):
            columns.update(self._sheet.rows.get(row, {}))
            for merged in self._merged_in.get(row, ()):
                columns.update(range(merged.left, min(merged.right, merged.left + 60) + 1))
        self._looked_at += len(columns)
        if self._looked_at > MOST_LABELS:
            raise TooCostlyError(str(MOST_LABELS))
        labels: dict[int, Label] = {}
        levels: dict[tuple[int, int], Cell] = {}
        for column in sorted(columns):
            if column in hours:
                continue
            meaning, lowest = NOTHING, top
            texts: list[str] = []
            for row, cell in self._levels(top, bottom, column, levels):
                if row == hour_row and not isinstance(cell, str):
                    continue
                lower = self._words.meaning(cell)
                meaning = lower.below(meaning) if texts else lower
                texts.append(cell if isinstance(cell, str) else f"{cell:%d.%m.%Y}")
                lowest = row
            if texts:
                text = " ".join(" ".join(str(t).split()) for t in texts)
                meaning = _in_a_year(meaning, self._stated(top))
                if meaning.role is None and label_of(text) in _NUMBERED:
                    meaning = replace(meaning, role=HARMLESS)
                labels[column] = Label(lowest, column, text, meaning)
        return labels

    def _levels(
        self, top: int, bottom: int, column: int, levels: dict[tuple[int, int], Cell]
    ) -> list[tuple[int, Cell]]:
        """The label cells of a column from the top; each merged one once."""
        found: list[tuple[int, Cell]] = []
        heads: set[tuple[int, int]] = set()
        for row in range(top, bottom + 1):
            head = self._sheet.head(row, column)
            cell = self._sheet.cell(*head)
            if head[0] < top or head in heads or (row < bottom and self._is_title(head)):
                continue
            if cell is None and row < bottom:
                cell = self._group(row, column, levels)
            heads.add(head)
            if isinstance(cell, str | datetime | date):
                levels[row, column] = cell
                found.append((row, cell))
        return found

    def _is_title(self, head: tuple[int, int]) -> bool:
        """Whether a cell is merged over every column that the next row fills."""
        merged = self._merged.get(head)
        if merged is None or merged.left == merged.right:
            return False
        below = self._sheet.rows.get(merged.bottom + 1, {})
        return len(below) > 2 and all(merged.left <= c <= merged.right for c in below)

    def _group(self, row: int, column: int, levels: Mapping[tuple[int, int], Cell]) -> Cell:
        """The label of a group of columns that was not merged over them."""
        if self._sheet.head(row, column - 1) != (row, column - 1):
            # A merged label says itself how far it goes.
            return None
        left = levels.get((row, column - 1))
        below, beside = (self._sheet.cell(row + 1, at) for at in (column, column - 1))
        if not isinstance(left, str) or below is None or beside is None:
            return None
        return left if self._words.meaning(below).role is None else None

    def _parts(
        self, labels: Mapping[int, Label], hours: Mapping[int, int]
    ) -> list[dict[int, Label]]:
        """The columns of each table among those of a row of labels."""
        for parts in (self._by_gaps(labels, hours), self._by_repeats(labels)):
            fitting = [p for p in parts if self._is_whole(p, hours)]
            if len(fitting) > 1:
                return fitting
        return [dict(labels)]

    def _by_gaps(
        self, labels: Mapping[int, Label], hours: Mapping[int, int]
    ) -> list[dict[int, Label]]:
        parts: list[dict[int, Label]] = []
        last = -1
        for column in sorted({*labels, *hours}):
            if column != last + 1:
                parts.append({})
            if column in labels:
                parts[-1][column] = labels[column]
            last = column
        return parts

    def _by_repeats(self, labels: Mapping[int, Label]) -> list[dict[int, Label]]:
        parts: list[dict[int, Label]] = []
        first = next(iter(labels.values()), None)
        for column, label in labels.items():
            if first is not None and label.text == first.text:
                parts.append({})
            parts[-1][column] = label
        return parts

    def _is_whole(self, labels: Mapping[int, Label], hours: Mapping[int, int]) -> bool:
        """Whether a part has keys and values, so that it is a table of its own."""
        meanings = [label.meaning for label in labels.values() if label.meaning.is_label]
        has_value = any(
            m.role == "value" or ((m.zone or m.channel) and not m.role) for m in meanings
        )
        return self._has_required(labels) and (bool(hours) or has_value)

    def _has_required(self, labels: Mapping[int, Label]) -> bool:
        roles = {label.meaning.role for label in labels.values() if label.meaning.is_label}
        return self._definition.required <= roles

    def _table(
        self, top: int, bottom: int, labels: dict[int, Label], hours: Mapping[int, int]
    ) -> Table | None:
        if not self._has_required(labels):
            return None
        columns = [*labels, *hours]
        table = Table(
            top, bottom, self._last, min(columns), max(columns), labels, hours=dict(hours)
        )
        claims: dict[str, list[Label]] = defaultdict(list)
        for label in labels.values():
            if label.meaning.is_label:
                claims[_role(label.meaning)].append(label)
        stated = self._stated(top)
        self._find_values(labels, claims, stated)
        _settle(table, claims, self._layout, stated)
        found = {*table.columns, *(["value"] if table.values else [])}
        if any(slot.zone for slot in table.values.values()):
            found.add("wide")
        ambiguous = any(c.field == "value" for c in table.conflicts)
        fits = not self._definition.any_of or self._definition.any_of & found or ambiguous
        return table if fits and self._definition.required <= {*found, *claims} else None

    def _find_values(
        self, labels: Mapping[int, Label], claims: dict[str, list[Label]], stated: date | None
    ) -> None:
        """Take for readings what cannot be anything else beside each other."""
        zones = [label.meaning.zone for label in claims.get("zone", ())]
        if len(zones) > 1 and None not in zones and len(set(zones)) == len(zones):
            claims["value"] += claims.pop("zone")
        if self._definition.hours:
            return
        # «Активная энергия» is no column of channels' names.
        named = [label.meaning.channel for label in claims.get("channel", ())]
        others = [label.meaning.channel for label in claims.get("value", ())]
        if named and None not in named and (any(others) or not others):
            claims["value"] += claims.pop("channel")
        # Last | This: a month or a period would be what was used in it.
        bare = [
            label
            for label in labels.values()
            if label.meaning.known
            and label.meaning.tense
            and not label.meaning.role
            and (
                not _SPAN_OF_TIME.search(label_of(label.text))
                or _END_OF_SPAN.search(label_of(label.text))
            )
        ]
        days = [label for label in labels.values() if label.meaning.at and not label.meaning.role]
        last = max((label.meaning.at for label in days if label.meaning.at), default=None)
        if not claims.get("value") and stated is not None and last == stated:
            # Days alone, the last of them that of the readings.
            claims["value"] += [label for label in days if label.meaning.known]
        if claims.get("value"):
            claims["value"] += [label for label in bare if label.meaning.tense == PREVIOUS]
        elif {label.meaning.tense for label in bare} == {PREVIOUS, CURRENT}:
            claims["value"] += bare


_SPAN_OF_TIME = re.compile(r"месяц|период|month|period")
_END_OF_SPAN = re.compile(r"(?<!\w)на (?:начало|конец)(?!\w)")


def _in_a_year(meaning: Meaning, stated: date | None) -> Meaning:
    """A label's day that is written without its year: the last such day up to the stated one."""
    if meaning.at is None or meaning.at.year != NO_YEAR:
        return meaning
    if stated is None:
        return replace(meaning, at=None, known=False)
    try:
        this = meaning.at.replace(year=stated.year)
        return replace(meaning, at=this if this <= stated else this.replace(year=stated.year - 1))
    except ValueError:
        return replace(meaning, at=None, known=False)


def _role(meaning: Meaning) -> str:
    """The role that a label claims: a zone or channel alone stands above readings."""
    role = meaning.role or "value"
    if role == "zone" and meaning.zone:
        return role
    if role == "instant" and meaning.tense == PREVIOUS:
        return SINCE
    return role


def _settle(
    table: Table, claims: Mapping[str, list[Label]], layout: Layout, stated: date | None
) -> None:
    """Give each role its column; what nothing decides becomes a conflict."""
    for role, labels in claims.items():
        if role == HARMLESS:
            continue
        if role == TOTAL:
            table.totals.update(label.column for label in labels)
        elif role.startswith(FIGURE):
            kind = FigureKind(role.removeprefix(FIGURE))
            for label in labels:
                table.figures[label.column] = (kind, _slot(label, claims, layout))
        elif role != "value":
            _settle_key(table, role, labels)
    slots: dict[Slot, list[Label]] = defaultdict(list)
    for label in claims.get("value", ()):
        slots[_slot(label, claims, layout)].append(label)
    for slot, labels in slots.items():
        _settle_values(table, slot, [_dated(label, stated, labels) for label in labels])
    _doubt_values(table)


def _doubt_values(table: Table) -> None:
    """A conflict where another column is called a reading, in words that nobody knows.

    The form's own label needs no more words to be the one that counts.
    """
    for column in list(table.values):
        chosen = table.labels[column]
        if chosen.meaning.exact == EXACT or chosen.meaning.tense or chosen.meaning.at:
            continue
        rival = next((other for other in table.strange if _is_rival(other, chosen)), None)
        if rival is not None:
            table.conflicts.append(Conflict("value", *sorted((chosen, rival), key=_column_of)))
            del table.values[column]


_column_of = attrgetter("column")


def _is_rival(other: Label, chosen: Label) -> bool:
    theirs, mine = other.meaning, chosen.meaning
    same = (theirs.zone, theirs.channel) == (mine.zone, mine.channel)
    return same and theirs.role == "value" and theirs.tense != PREVIOUS


def _dated(label: Label, stated: date | None, labels: Sequence[Label]) -> Label:
    """A label whose day, beside other columns, makes it the last reading or this one."""
    at = label.meaning.at
    if len(labels) < 2 or at is None or stated is None or at > stated or label.meaning.tense:
        return label
    days = [other.meaning.at for other in labels]
    if all(days) and stated not in days:
        # The last of them is meant, and told to be of another day.
        return label
    tense = CURRENT if at == stated else PREVIOUS
    return replace(label, meaning=replace(label.meaning, tense=tense))


def _slot(label: Label, claims: Mapping[str, list[Label]], layout: Layout) -> Slot:
    channel = label.meaning.channel
    default = layout.default_channel
    reactive = (label.meaning.unit or "").endswith("varh")
    if channel is None and reactive and default is not None and "channel" not in claims:
        # Beside kWh, kvarh are the same direction's reactive energy.
        channel = f"R{default[-1]}"
    return Slot(label.meaning.zone, channel)


def _settle_key(table: Table, role: str, labels: Sequence[Label]) -> None:
    best = max(label.meaning.exact for label in labels)
    exact = [label for label in labels if label.meaning.exact == best]
    current = [label for label in exact if label.meaning.tense == CURRENT]
    chosen = current if len(current) == 1 else exact
    if len(chosen) > 1:
        table.conflicts.append(Conflict(role, chosen[0], chosen[1]))
    table.columns[role] = chosen[0].column
    table.decided.update(label.column for label in labels if label is not chosen[0])


def _settle_values(table: Table, slot: Slot, labels: Sequence[Label]) -> None:
    """Choose the current reading among the columns of one register."""
    earlier = [label for label in labels if label.meaning.tense == PREVIOUS]
    rest = [label for label in labels if label.meaning.tense != PREVIOUS]
    chosen, before = _current(rest)
    earlier += before
    if len(chosen) > 1:
        table.conflicts.append(Conflict("value", chosen[0], chosen[1]))
        chosen = []
    if chosen and _contradicts(chosen[0], earlier):
        table.conflicts.append(Conflict("value", earlier[0], chosen[0]))
        chosen = []
    if chosen:
        table.values[chosen[0].column] = slot
    for label in earlier:
        table.figures[label.column] = (FigureKind.PREVIOUS, slot)
    table.decided.update(
        label.column for label in rest if label not in chosen and label.column not in table.figures
    )


def _current(labels: Sequence[Label]) -> tuple[list[Label], list[Label]]:
    """The labels between which nothing decides, and those of earlier readings."""
    current = [label for label in labels if label.meaning.tense == CURRENT]
    chosen = current or list(labels)
    if len(chosen) > 1 and (ordered := _by_time(chosen)):
        return [ordered[-1]], ordered[:-1]
    if len(chosen) > 1:
        best = max(label.meaning.exact for label in chosen)
        chosen = [label for label in chosen if label.meaning.exact == best]
    return chosen, []


def _by_time(labels: Sequence[Label]) -> list[Label]:
    """The labels by the days or months in them; [] when these do not tell them apart."""
    days = [label.meaning.at for label in labels]
    if all(days) and len(set(days)) == len(days):
        return sorted(labels, key=attrgetter("meaning.at"))
    months = [label.meaning.month for label in labels]
    if any(days) or not all(months) or len(set(months)) != len(months):
        return []
    if all(month and month[0] for month in months):
        return sorted(labels, key=attrgetter("meaning.month"))
    if len(labels) == 2 and months[0] and months[1] and not (months[0][0] or months[1][0]):
        # Without years only neighbours can be told: January follows December.
        first, second = labels
        if (months[0][1] % 12) + 1 == months[1][1]:
            return [first, second]
        if (months[1][1] % 12) + 1 == months[0][1]:
            return [second, first]
    return []


def _contradicts(chosen: Label, earlier: Iterable[Label]) -> bool:
    """Whether a "last" reading is of a later day than the current one."""
    at = chosen.meaning.at
    return at is not None and any(
        label.meaning.at is not None and label.meaning.at >= at for label in earlier
    )


def is_numbering(cells: Mapping[int, Cell], unseen: Mapping[int, Cell]) -> bool:
    """Whether a row only numbers the columns: 1, 2, 3, ..., hidden ones counted or not."""
    for row in (cells, dict(sorted({**unseen, **cells}.items()))):
        numbers = [shown(cell) for cell in row.values()]
        if len(numbers) > 2 and numbers == [str(n) for n in range(1, len(numbers) + 1)]:
            return True
    return False


def hour_columns(cells: Mapping[int, Cell]) -> dict[int, int]:
    """Columns of the 24 hours with the hour each one starts at; {} for none.

    Single hours that run from 1 to 24 (or to 0) name the end of theirs. What may be read
    in two ways is none: 0 to 24, half-hours, the days of a month, two sets of hours.
    """
    if len(cells) < 24:
        return {}
    found = {column: hours for column, cell in cells.items() if (hours := read_hour(cell))}
    spans = {column: first for column, (first, second) in found.items() if second is not None}
    if set(spans.values()) == set(range(24)) and len(spans) == 24:
        return spans
    singles = {column: first for column, (first, second) in found.items() if second is None}
    orders = (list(range(24)), list(range(1, 25)), [*range(1, 24), 0])
    fits = [columns for order in orders for columns in _in_order(singles, order)]
    if len(fits) != 1 or _goes_on(cells, fits[0]):
        return {}
    return {column: hour for hour, column in enumerate(fits[0])}


def _in_order(singles: Mapping[int, int], order: Sequence[int]) -> Iterator[list[int]]:
    """Each run of columns whose hours are exactly these."""
    columns, hours, wanted = list(singles), list(singles.values()), list(order)
    for start in range(len(columns) - len(order) + 1):
        end = start + len(order)
        if hours[start] == wanted[0] and hours[start:end] == wanted:
            yield columns[start:end]


def _goes_on(cells: Mapping[int, Cell], columns: Sequence[int]) -> bool:
    """Whether what looks like hours has more between them, or behind the last one."""
    within = range(columns[0], columns[-1] + 2)
    others = (cell for at, cell in cells.items() if at in within and at not in columns)
    return any(not isinstance(cell, str) or cell[:1].isdigit() for cell in others)
