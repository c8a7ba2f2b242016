"""A table of a sheet: where it is, and what its columns are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from layouts.figures import FigureKind
from parsers.sheets.vocabulary import Meaning

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
        defaults: Keys of all its rows, by role: what stands above it says so.
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
    defaults: dict[str, str] = field(default_factory=dict)

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
