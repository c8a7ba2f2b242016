"""The facts around a sheet's tables: which cells state them, and which statement counts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from itertools import islice

from layouts.document import cell_name
from layouts.findings import Place
from layouts.workbook_form import SheetField, WorkbookDefinition
from parsers.fields import (
    Fault,
    is_blank,
    label,
    mended_code,
    plain,
    read_moment,
    read_month,
    read_unit,
    shown,
)
from parsers.grid import EPOCH_1900, Cell, Sheet
from parsers.grid_draft import TooCostlyError
from parsers.sheets.hours import hour_columns
from parsers.sheets.table import Table
from parsers.sheets.vocabulary import DAY_IN_TITLE, EXACT, HARMLESS, LESS_EXACT, Vocabulary

_REACH = 12

KEYS = ("point", "meter", "channel", "zone")
"""Keys of a row that a pair of label and value above a table may state for all its rows."""

MOST_FACTS = 1_000
"""A sheet that states more of itself than this is `too-costly`."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value that a sheet states of itself, and where it stands.

    Attributes:
        at: Row and column of its label.
        exact: How exactly the label names the field.
    """

    field: str
    cell: Cell
    sheet: str
    row: int
    column: int
    at: tuple[int, int]
    exact: int = EXACT

    @property
    def place(self) -> Place:
        """The cell of the value."""
        return Place(sheet=self.sheet, cell=cell_name(self.row, self.column))


@dataclass(frozen=True, slots=True)
class Rivals:
    """Two facts of one field that say different things, with nothing to decide."""

    first: Fact
    second: Fact


class Facts:
    """All facts of a sheet, ready to be asked for those of one of its tables."""

    def __init__(self, sheet: Sheet, definition: WorkbookDefinition, words: Vocabulary) -> None:
        self._sheet = sheet
        self._words = words
        self._types = {field.name: field.type for field in definition.header}
        self._names = dict(_names(definition.header))
        self._rows: dict[int, list[Fact]] = {}
        self._keys: dict[int, list[Fact]] = {}
        self._is_of_hours = definition.hours
        self._key_names = [name for name in KEYS if name in definition.columns]
        # Most texts of a sheet stand in it many times.
        self._named = cache(self._name_in)
        self._key_named = cache(self._key_in)
        count = 0
        for row, cells in sheet.rows.items():
            if not any(isinstance(cell, str) for cell in cells.values()):
                continue
            facts = self._in_row(row, cells)
            keys = self._keys_in_row(row, cells, facts)
            if facts:
                self._rows[row] = facts
            if keys:
                self._keys[row] = keys
            count += len(facts) + len(keys)
            if count > MOST_FACTS:
                raise TooCostlyError(str(MOST_FACTS))
        self._days: dict[int, date | None] = {}

    def stand_in(self, row: int) -> bool:
        """Whether a row states a fact."""
        return row in self._rows

    def hold(self, row: int) -> bool:
        """Whether a row states facts, or keys of a table below it, and is no row of labels."""
        return row in self._rows or row in self._keys

    def fill(self, row: int) -> bool:
        """Whether a row holds nothing but labels with their values, harmless ones, too."""
        cells = list(self._sheet.rows.get(row, {}).values())
        if self.hold(row) or not cells or len(cells) % 2 or len(cells) > _MOST_PAIRS:
            return self.hold(row)
        labels = map(self._words.known, cells[::2])
        values = map(self._words.known, cells[1::2])
        are_labels = all(said.known and said.role == HARMLESS for said in labels)
        return are_labels and not any(said.known for said in values)

    def key_names_above(self, row: int) -> set[str]:
        """The keys that are stated somewhere above a row, or in it, for all rows of a table."""
        return {fact.field for at, facts in self._keys.items() if at <= row for fact in facts}

    def keys_in(self, row: int) -> Sequence[Fact]:
        """The keys that a row states."""
        return self._keys.get(row, ())

    def keys_of(self, table: Table, tables: Sequence[Table]) -> dict[str, Fact | Rivals]:
        """The keys nearest above a table, of all its rows: `Точка учёта: 200000001234-01`."""
        facts = [fact for facts in self._keys.values() for fact in facts if fact.row < table.top]
        return self._nearest(facts, table, tables)

    def day_above(self, row: int) -> date | None:
        """The day of the readings that is stated nearest above a row."""
        if row not in self._days:
            self._days[row] = self._day_above(row)
        return self._days[row]

    def _day_above(self, row: int) -> date | None:
        found = [f for f in self.all() if f.field == "instant" and f.row < row]
        best = max((fact.exact for fact in found), default=EXACT)
        for fact in reversed([fact for fact in found if fact.exact == best]):
            moment = read_moment(fact.cell, self._sheet.epoch)
            if isinstance(moment, datetime):
                return moment.date()
        return None

    def is_label(self, text: str) -> bool:
        """Whether a text, as labels are compared, names a field."""
        return text in self._names

    def all(self) -> Iterator[Fact]:
        """Every fact, from the top."""
        for facts in self._rows.values():
            yield from facts

    def of(self, table: Table | None, tables: Sequence[Table]) -> dict[str, Fact | Rivals]:
        """The facts nearest above a table; without one, all of the sheet.

        Below the last table a fact counts only where nothing above names its field.
        """
        return self._nearest(list(self.all()), table, tables)

    def _nearest(
        self, facts: Sequence[Fact], table: Table | None, tables: Sequence[Table]
    ) -> dict[str, Fact | Rivals]:
        found: dict[str, Fact | Rivals] = {}
        for block in self._blocks(facts, table, tables):
            fields: dict[str, list[Fact]] = {}
            for fact in block:
                fields.setdefault(fact.field, []).append(fact)
            for name, named in fields.items():
                if name not in found:
                    found[name] = _decided(named)
        return found

    def _blocks(
        self, facts: Sequence[Fact], table: Table | None, tables: Sequence[Table]
    ) -> Iterator[list[Fact]]:
        """Facts by nearness: right above the table, above earlier ones, below the last."""
        facts = [f for f in facts if not any(t.top <= f.row < t.end for t in tables)]
        if table is None:
            yield facts
            return
        ends = sorted({0, *(t.end for t in tables if t.end <= table.top)}, reverse=True)
        bottom = table.top
        for end in ends:
            block = [fact for fact in facts if end <= fact.row < bottom]
            own = [f for f in block if table.left <= f.at[1] <= table.right]
            yield own
            yield [fact for fact in block if fact not in own]
            bottom = end
        last = max(t.end for t in tables)
        yield [f for f in facts if f.row >= last and f.exact == EXACT]

    def _in_row(self, row: int, cells: Mapping[int, Cell]) -> list[Fact]:
        found = []
        for column, cell in islice(cells.items(), _LOOKED_AT):
            named = self._named(cell)
            if named is None:
                continue
            name, exact, inline = named
            if inline:
                found.append(
                    Fact(name, inline, self._sheet.name, row, column, (row, column), exact)
                )
                continue
            at = self._beside(cells, column, self._types[name])
            if at is not None:
                found.append(Fact(name, cells[at], self._sheet.name, row, at, (row, column), exact))
        if found and self._is_label_row(cells) and not any(map(self._fits, found)):
            return []
        if not found and len(cells) == 1 and "instant" in self._types:
            found.extend(self._in_title(row, *next(iter(cells.items()))))
        return found

    def _in_title(self, row: int, column: int, cell: Cell) -> Iterator[Fact]:
        """The day of a title such as `Показания на 1 ноября 2026 г.`, alone in its row."""
        if not isinstance(cell, str) or not (day := DAY_IN_TITLE.search(label(cell))):
            return
        meaning = self._words.known(cell)
        if not meaning.known or meaning.tense is not None:
            return
        # «По состоянию на 01.11.2026» by itself may be the second row of a column's label.
        is_title = not meaning.is_label and not self._is_below_labels(row)
        if meaning.role in ("value", "instant") or is_title:
            yield Fact("instant", day[1], self._sheet.name, row, column, (row, column))

    def _is_below_labels(self, row: int) -> bool:
        """Whether labels of a table may go on in a row."""
        above = self._sheet.rows.get(row - 1, {})
        roles = [self._words.known(cell).role for cell in above.values()]
        is_merged = any(self._sheet.head(row, column)[0] < row for column in above)
        return is_merged or (len(roles) > 1 and any(role in KEYS for role in roles))

    def _keys_in_row(
        self, row: int, cells: Mapping[int, Cell], facts: Sequence[Fact]
    ) -> list[Fact]:
        """Keys with their labels, of a row that holds nothing else but facts and names."""
        if len(cells) > _MOST_PAIRS:
            return []
        found: list[Fact] = []
        taken = {column for fact in facts for column in (fact.column, fact.at[1])}
        for column, cell in cells.items():
            if column in taken:
                continue
            name, inline = self._key_named(cell)
            at = column if inline or name is None else self._beside(cells, column, "key")
            value: Cell = inline or (None if at is None else cells[at])
            if name is not None and at is not None and self._is_key(name, value):
                place = self._sheet.name, row, at, (row, column)
                found.append(Fact(name, value, *place))
                taken.add(at)
            elif not isinstance(cell, str) or self._words.known(cell).is_label:
                return []
        return found

    def _key_in(self, cell: Cell) -> tuple[str | None, str]:
        """The key that a cell is the label of, with a value in the same cell."""
        if not isinstance(cell, str) or len(cell) > _LONGEST_LABEL:
            return None, ""
        pair = _INLINE.fullmatch(cell) if ":" in cell or "=" in cell else None
        if pair is None and (text := plain(cell)).rstrip("-")[-1:].isdecimal():
            pair = _WITH_CODE.fullmatch(text)
        for text, value in ((cell, ""), *([(pair[1], pair[2].strip())] if pair else [])):
            meaning = self._words.known(text)
            if meaning.known and meaning.role in self._key_names:
                return meaning.role, value
        return None, ""

    def _is_key(self, name: str, cell: Cell) -> bool:
        """Whether a cell may be a key; what is not of the table is left to the account."""
        code = mended_code(cell)
        if not isinstance(code, str) or is_blank(cell):
            return False
        if name == "channel":
            return self._words.channel(code) is not None or self._words.is_doubtful(code)
        if name == "zone":
            meaning = self._words.known(code)
            return meaning.known and meaning.zone is not None
        if name == "point" and self._is_of_hours:
            # Whoever is named, it is not the enterprise as a whole.
            return True
        if self._words.known(code).at is not None:
            # «на 01.11.2026» is the next column's label.
            return False
        is_name = name == "point" and any(map(str.isalpha, code))
        has_digits = any(map(str.isdigit, code))
        return has_digits and not is_name and isinstance(read_moment(cell), Fault)

    def _is_label_row(self, cells: Mapping[int, Cell]) -> bool:
        labels = [cell for cell in cells.values() if isinstance(cell, str)]
        if self._is_of_hours and hour_columns(cells):
            return True
        return sum(self._words.known(cell).is_label for cell in labels) > 2

    def _fits(self, fact: Fact) -> bool:
        # «На 01.11.2026» in a row of labels is one of them.
        is_of_labels = DAY_IN_TITLE.match(label(fact.cell)) is not None
        return not is_of_labels and fits(self._types[fact.field], fact.cell, self._sheet.epoch)

    def _name_in(self, cell: Cell) -> tuple[str, int, str] | None:
        """The field that a cell is the label of, with a value in the same cell."""
        if not isinstance(cell, str) or len(cell) > _LONGEST_LABEL:
            return None
        name = self._names.get(label(cell))
        if name is not None:
            return (*name, "")
        inline = _INLINE.fullmatch(cell) if ":" in cell or "=" in cell else None
        if inline:
            name = self._names.get(label(inline[1]))
            return None if name is None else (*name, inline[2].strip())
        if not cell.rstrip()[-1:].isdigit():
            return None
        head, _, tail = plain(cell).rpartition(" ")
        name = self._names.get(label(head)) if tail.isdigit() else None
        return ("class", EXACT, tail) if name is not None and name[0] == "class" else None

    def _beside(self, cells: Mapping[int, Cell], column: int, kind: str) -> int | None:
        """The nearest filled cell to the right, unless it is a label itself."""
        reach = range(column + 1, column + _REACH + 1)
        following = next((at for at in reach if at in cells), None)
        if following is None or is_blank(cells[following]):
            return None
        if self._named(cells[following]) is not None:
            return None
        meaning = self._words.known(cells[following])
        return None if kind != "secret" and meaning.known and meaning.role else following


_LONGEST_LABEL = 300
_LOOKED_AT = 100
"""Cells of a row, the first ones, that may be the label of a fact."""

_MOST_PAIRS = 12
"""A row of more cells is no row of facts alone."""

_WITH_CODE = re.compile(r"(?=.*?[^\W\d_])(.*[^\s№])[\s№]+(\d[\d-]*)")
_INLINE = re.compile(r"([^:=]*)[:=](.*\S.*)", re.DOTALL)


def _names(fields: Iterable[SheetField]) -> Iterator[tuple[str, tuple[str, int]]]:
    for field in fields:
        yield from ((label(text), (field.name, LESS_EXACT)) for text in field.less_exact)
    for field in fields:
        yield from ((label(text), (field.name, EXACT)) for text in field.labels)


def fits(kind: str, cell: Cell, epoch: datetime = EPOCH_1900) -> bool:
    """Whether a cell holds what a field of this type must."""
    if kind == "instant":
        return not isinstance(read_moment(cell, epoch), Fault)
    if kind == "month":
        return not isinstance(read_month(cell, epoch), Fault)
    if kind == "unit":
        return not isinstance(read_unit(cell), Fault)
    if kind == "code":
        code = mended_code(cell)
        return isinstance(code, str) and code.replace(" ", "").isdigit()
    return False


def _decided(facts: Sequence[Fact]) -> Fact | Rivals:
    """The one of several facts of a field that names it most exactly."""
    best = max(fact.exact for fact in facts)
    exact = [fact for fact in facts if fact.exact == best]
    other = next((f for f in exact if shown(f.cell) != shown(exact[0].cell)), None)
    return exact[0] if other is None else Rivals(exact[0], other)
