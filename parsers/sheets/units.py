"""In which unit the values of a table are: what its titles say, and what contradicts them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from layouts.document import cell_name
from layouts.findings import Code, Finding, Place, finding
from layouts.layout import UNITS
from parsers.fields import Number, read_number, read_unit, shown
from parsers.grid import Sheet
from parsers.sheets.header import Fact, Rivals
from parsers.sheets.keys import Keys
from parsers.sheets.table import Table
from parsers.sheets.vocabulary import units_in

_TAIL = re.compile(r"[,(].*$", re.DOTALL)


@dataclass(slots=True)
class Units:
    """The unit of each value of a sheet, and what contradicts it.

    Attributes:
        unit: Of the table in hand, where neither a row nor a label says another.
        is_stated: Whether anything has said so.
        fact: The header block's statement.
    """

    sheet: Sheet
    unit: str
    is_stated: bool = False
    fact: Fact | None = None

    def state(self, unit: str, fact: Fact) -> None:
        """Take the unit that a header block states."""
        self.unit, self.fact, self.is_stated = unit, fact, True

    def take_titles(self, rows: range, taken: Iterable[tuple[int, int]]) -> Rivals | None:
        """Take the unit that titles name; rivals when two units of different size are named.

        Args:
            rows: In which a title may stand.
            taken: Row and column of cells that are no titles.
        """
        others = set(taken)
        above = (row for row in self.sheet.rows if row in rows)
        titles = [f for row in above for f in _titles(self.sheet, row) if f.at not in others]
        named = [(unit, fact) for fact in titles for unit in units_in(str(fact.cell))]
        named = named or [(unit, fact) for fact in titles if (unit := _of_power(str(fact.cell)))]
        if not named:
            return None
        unit, first = named[0]
        if self.fact is not None:
            unit, first = self.unit, self.fact
        other = next((fact for u, fact in named if differ((u, unit))), None)
        if other is not None:
            return Rivals(first, other)
        self.unit, self.is_stated = unit, True
        return None

    def of_row(self, table: Table, keys: Keys) -> str | None:
        """The unit that the row in hand states in a column of its own."""
        unit = read_unit(keys.at(table.columns["unit"])) if "unit" in table.columns else None
        return unit if isinstance(unit, str) else None

    def of_value(
        self, table: Table, row: int, column: int, keys: Keys
    ) -> tuple[str, Finding | None]:
        """The unit of a value: of its row, its column's label or the table; and a doubt.

        Args:
            table: That it stands in.
            row: Its number in the sheet.
            column: Its number in the sheet.
            keys: Columns of point, meter and so on.
        """
        claims: list[tuple[str, str, int, int]] = []
        own, label = self.of_row(table, keys), table.labels.get(column)
        if own is not None:
            at = table.columns["unit"]
            claims.append((own, shown(keys.at(at)), row, at))
        if label is not None and label.meaning.unit is not None:
            # «Показание, МВт·ч» over «кВт·ч» says both.
            named = (label.meaning.unit, *units_in(label.text))
            claims += [(each, label.text, label.row, label.column) for each in named]
        if self.fact is not None:
            claims.append((self.unit, shown(self.fact.cell), self.fact.row, self.fact.column))
        unit = claims[0][0] if claims else self.unit
        other = next((claim for claim in claims if differ((claim[0], unit))), None)
        if other is None:
            return unit, None
        _, text, at_row, at_column = claims[0]
        place = Place(sheet=self.sheet.name, cell=cell_name(at_row, at_column))
        there = f"{other[1]}, {cell_name(other[2], other[3])}"
        return unit, finding(Code.AMBIGUOUS_COLUMN, place, seen=text, field="unit", other=there)


def _titles(sheet: Sheet, row: int) -> list[Fact]:
    """The texts of a row that are no labels of a number beside them."""
    cells = sheet.rows.get(row, {})
    columns = sorted(cells)
    return [
        Fact("unit", cell, sheet.name, row, column, (row, column))
        for column, beside in zip_longest(columns, columns[1:])
        if isinstance(cell := cells[column], str)
        and not (beside and isinstance(read_number(cells[beside]), Number))
    ]


def _of_power(text: str) -> str | None:
    """A unit after a comma or in brackets at the end, also of power: `Нагрузка, кВт`."""
    tail = _TAIL.search(text)
    unit = read_unit(tail[0]) if tail else None
    return unit if isinstance(unit, str) else None


def differ(units: Sequence[str | None]) -> bool:
    """Whether units are of more than one size; None is no unit."""
    return len({UNITS[unit] for unit in units if unit is not None}) > 1
