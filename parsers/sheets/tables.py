"""Where the tables of a sheet are: the rows of labels, and which columns belong together."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import pairwise

from layouts.layout import Layout
from layouts.workbook_form import WorkbookDefinition
from parsers.fields import Number, read_number
from parsers.fields import label as label_of
from parsers.grid import Cell, Merged, Sheet, StruckCell
from parsers.grid_draft import TooCostlyError
from parsers.sheets.account import is_note
from parsers.sheets.claims import settle
from parsers.sheets.hours import hour_columns
from parsers.sheets.table import Label, Table
from parsers.sheets.vocabulary import CURRENT, HARMLESS, NO_YEAR, NOTHING, Meaning, Vocabulary

_MOST_LABEL_ROWS = 3

_DIGIT = re.compile(r"\d")

MOST_LABELS = 2_000
"""A sheet with more labels in rows that may be a table's head is `too-costly`."""

MOST_TABLES = 500
"""A sheet with more tables is `too-costly`."""

_KEYS = frozenset(("point", "meter", "zone", "channel", "date", "start"))

_HAVE_NUMBERS = ("point", "meter")

_NUMBERED = ("n", "no", "#")
"""Labels, as they are compared, of a column that numbers the rows."""


@dataclass(frozen=True, slots=True)
class Around:
    """What the facts of a sheet say of its rows.

    Attributes:
        states_fact: Whether a row states a fact, which ends the table above it.
        holds_facts: Whether it holds nothing but facts, keys of all rows below it and
            the like, and is no row of labels.
        day: The day of the readings that is stated above it.
        keys: The keys that are stated above it.
    """

    states_fact: Callable[[int], bool]
    holds_facts: Callable[[int], bool]
    day: Callable[[int], date | None]
    keys: Callable[[int], set[str]]


def find_tables(
    sheet: Sheet,
    layout: Layout,
    definition: WorkbookDefinition,
    words: Vocabulary,
    around: Around,
) -> list[Table]:
    """The form's tables on a sheet, from the top; those beside each other from the left.

    Args:
        sheet: The sheet.
        layout: The form's layout.
        definition: The form.
        words: Of the form.
        around: The facts of the sheet.

    Raises:
        TooCostlyError: there are more than `MOST_TABLES`.
    """
    finder = _Finder(sheet, layout, definition, words, around)
    found: list[Table] = []
    for rows in finder.label_runs():
        best = finder.best(rows)
        for table in best:
            top = finder.block_top(table)
            for earlier in found:
                earlier.end = min(earlier.end, max(top, earlier.bottom + 1))
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
        around: Around,
    ) -> None:
        self._sheet = sheet
        self._layout = layout
        self._definition = definition
        self._words = words
        self._rows = list(sheet.rows)
        self._last = max(self._rows, default=0) + 1
        self._around = around
        self._looked_at = 0
        self._merged = {(merged.top, merged.left): merged for merged in sheet.merged}
        self._merged_in: defaultdict[int, list[Merged]] = defaultdict(list)
        for merged in sheet.merged:
            self._merged_in[merged.top].append(merged)

    def ends(self, table: Table, row: int) -> bool:
        """Whether a row is no longer the table's: it states a fact, and holds no value."""
        cells = self._sheet.rows[row]
        return self._around.states_fact(row) and not any(
            isinstance(read_number(cells.get(column)), Number)
            for column in (*table.values, *table.hours)
        )

    def block_top(self, table: Table) -> int:
        """The first row of the facts right above a table, titles among them, or of its labels."""
        top = table.top
        for row in reversed(self._rows[: bisect_left(self._rows, top)]):
            if self._around.holds_facts(row):
                top = row
            elif not all(map(is_note, self._sheet.rows[row].values())):
                break
        return top

    def label_runs(self) -> Iterator[list[int]]:
        """Runs of neighbouring rows that hold words and no values."""
        run: list[int] = []
        for row, cells in self._sheet.rows.items():
            if not self._is_wordy(cells) or self._around.holds_facts(row):
                continue
            if run and run[-1] != row - 1:
                yield run
                run = []
            run.append(row)
        if run:
            yield run

    def _is_wordy(self, cells: Mapping[int, Cell]) -> bool:
        numbers = 0
        for found in set(cells.values()):
            # A label may be struck through; a reading that is makes no label of its row.
            cell = found.cell if isinstance(found, StruckCell) else found
            if isinstance(cell, str):
                # Most texts are words, and cost no closer look.
                if cell[:1].isalpha() or not _DIGIT.search(cell):
                    continue
                if self._definition.hours and self._words.known(cell).at is not None:
                    return False
                numbers += isinstance(read_number(cell), Number)
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
        if not hour_columns(cells):
            return False
        return not texts or any(self._words.meaning(text).said for text in texts)

    def best(self, rows: Sequence[int]) -> list[Table]:
        """The tables whose labels fill some of these rows: as many as are understood."""
        best: list[Table] = []
        key: tuple[int, int, int, int] | None = None
        # A text without a role is no key's label, nor part of one.
        promising = {row for row in rows if self._names_a_key(row)}
        for top in rows:
            for bottom in range(top, min(top + _MOST_LABEL_ROWS, rows[-1] + 1)):
                if bottom > top and self._is_line(bottom, promising):
                    break
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

    def _is_line(self, row: int, labelled: Set[int]) -> bool:
        """Whether a row holds one text that counts for the rows below it, and is no label.

        It stands below the label of a key, or below the first of `labelled` rows and
        names a channel or a zone; another label merged down to it makes it one of them.
        """
        cells = self._sheet.rows.get(row, {})
        column, text = next(iter(cells.items()), (0, None))
        role = self._words.known(self._sheet.key(row - 1, column)).role
        if len(cells) != 1 or role in {*_KEYS, HARMLESS}:
            return len(cells) == 1
        above = self._sheet.rows.get(row - 1, {})
        said = self._words.known(text)
        names_rows = said.known and bool(said.channel or said.zone)
        is_first = row - 1 in labelled and column == min(above)
        return names_rows and is_first and all(self._sheet.head(row, at)[0] == row for at in above)

    def _names_a_key(self, row: int) -> bool:
        """Whether a label in a row has a role that each table of the form has."""
        required = self._definition.required - self._around.keys(row)
        # Each text once: what hostile sheets repeat costs nothing.
        meanings = map(self._words.known, set(self._sheet.rows[row].values()))
        if not required:
            # `T2` alone may be a key of a row.
            return any(meaning.is_label and meaning.role for meaning in meanings)
        return any(meaning.known and meaning.role in required for meaning in meanings)

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
                meaning = _in_a_year(meaning.whole(), self._around.day(top))
                # «№» is the number of what stands above it, where that has one.
                if meaning.role not in _HAVE_NUMBERS and label_of(texts[-1]) in _NUMBERED:
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
            if head[0] < top or head in heads or (row < bottom and self._is_title(head, column)):
                continue
            if cell is None and row < bottom:
                cell = self._group(row, column, levels)
            heads.add(head)
            if isinstance(cell, str | datetime | date):
                levels[row, column] = cell
                found.append((row, cell))
        return found

    def _is_title(self, head: tuple[int, int], column: int) -> bool:
        """Whether a cell over a column stands over all labels of the next row, or adds nothing.

        A text by itself over a row that has all labels of a table is no label of its
        first column, nor of one that says nothing of a value; over other labels it is none
        of a column that has no other one.
        """
        merged = self._merged.get(head)
        row, left = head
        bottom, right = (merged.bottom, merged.right) if merged is not None else head
        below = self._sheet.rows.get(bottom + 1, {})
        if len(below) > 2 and left < right and all(left <= c <= right for c in below):
            return True
        if len(self._sheet.rows.get(row, ())) != 1:
            return False
        has_own = isinstance(below.get(column), str | datetime | date)
        if merged is None and len(below) > 2 and not has_own:
            return True
        if not self._is_complete(bottom + 1):
            return False
        own = self._words.meaning(below.get(column))
        says = own.role or own.tense or own.zone or own.channel or own.at or own.month
        return column <= max(below) and (left <= min(below) or not says)

    def _is_complete(self, row: int) -> bool:
        """Whether a row by itself has the labels of a table: keys and values."""
        cells = self._sheet.rows.get(row, {})
        meanings = [m for cell in cells.values() if (m := self._words.known(cell)).is_label]
        roles = {meaning.role or "value" for meaning in meanings}
        has_values = "value" in roles or bool(hour_columns(cells))
        return has_values and self._definition.required <= roles | self._around.keys(row)

    def _group(self, row: int, column: int, levels: Mapping[tuple[int, int], Cell]) -> Cell:
        """The label of a group of columns that was not merged over them."""
        if self._sheet.head(row, column - 1) != (row, column - 1):
            # A merged label says itself how far it goes.
            return None
        left = levels.get((row, column - 1))
        below, beside = (self._sheet.cell(row + 1, at) for at in (column, column - 1))
        if not isinstance(left, str) or below is None or beside is None:
            return None
        # Over a label with a role of its own it is a title, and no group's label.
        roles = (self._words.meaning(cell).role for cell in (beside, below))
        return left if not any(roles) else None

    def _parts(
        self, labels: Mapping[int, Label], hours: Mapping[int, int]
    ) -> list[dict[int, Label]]:
        """The columns of each table among those of a row of labels; a row has hours once."""
        for parts in () if hours else (self._by_gaps(labels), self._by_repeats(labels)):
            fitting = [p for p in parts if self._is_whole(p)]
            if len(fitting) > 1:
                return fitting
        return [dict(labels)]

    def _by_gaps(self, labels: Mapping[int, Label]) -> list[dict[int, Label]]:
        parts: list[dict[int, Label]] = []
        last = -1
        for column, label in labels.items():
            if column != last + 1:
                parts.append({})
            parts[-1][column] = label
            last = column
        return parts

    def _by_repeats(self, labels: Mapping[int, Label]) -> list[dict[int, Label]]:
        parts: list[dict[int, Label]] = []
        for column, label in labels.items():
            if not parts or label.text == next(iter(parts[0].values())).text:
                parts.append({})
            parts[-1][column] = label
        # A key that the last one has not may as well begin the next one.
        keys = [{label.meaning.role for label in part.values()} & _KEYS for part in parts]
        return parts if all(some <= keys[-1] for some in keys) else []

    def _is_whole(self, labels: Mapping[int, Label]) -> bool:
        """Whether a part has keys and values, so that it is a table of its own."""
        meanings = [label.meaning for label in labels.values() if label.meaning.is_label]
        has_value = any(
            m.role == "value" or ((m.zone or m.channel) and not m.role) for m in meanings
        )
        has_value |= any(
            label.meaning.known and label.meaning.tense == CURRENT and not label.meaning.role
            for label in labels.values()
        )
        # A column of values alone is beside a table, and none of its own.
        has_key = any(m.role in _KEYS for m in meanings)
        return has_key and self._has_required(labels) and has_value

    def _has_required(self, labels: Mapping[int, Label]) -> bool:
        roles = {label.meaning.role for label in labels.values() if label.meaning.is_label}
        top = min((label.row for label in labels.values()), default=0)
        return self._definition.required <= {*roles, *self._around.keys(top)}

    def _table(
        self, top: int, bottom: int, labels: dict[int, Label], hours: Mapping[int, int]
    ) -> Table | None:
        if not self._has_required(labels):
            return None
        columns = [*labels, *hours]
        table = Table(
            top, bottom, self._last, min(columns), max(columns), labels, hours=dict(hours)
        )
        claimed = settle(table, self._layout, self._around.day(top))
        found = {*table.columns, *(["value"] if table.values else [])}
        if any(slot.zone for slot in table.values.values()):
            found.add("wide")
        ambiguous = any(c.field == "value" for c in table.conflicts)
        fits = not self._definition.any_of or self._definition.any_of & found or ambiguous
        has_keys = self._definition.required <= found | claimed | self._around.keys(top)
        return table if fits and has_keys else None


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
