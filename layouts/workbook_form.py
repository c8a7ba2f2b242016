"""How a layout looks in a workbook, and the words that people write around its values."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from layouts.figures import FigureKind
from layouts.section import Section
from layouts.terms import CHANNELS, ZONES, Kind

SHEET_FIELDS = {
    "class": "text",
    "sender_code": "code",
    "sender_inn": "code",
    "sender_name": "text",
    "password": "secret",
    "month": "month",
    "instant": "instant",
    "unit": "unit",
}
"""Header fields of a sheet, with what the cell of each one must hold."""

SHEET_COLUMNS = ("point", "meter", "channel", "zone", "date", "start", "instant", "since", "value")

_LISTS = ("previous", "current", "also", "harmless", "doubtful")
_FIGURES = tuple(kind.value for kind in FigureKind if kind is not FigureKind.PREVIOUS)


@dataclass(frozen=True, slots=True)
class SheetField:
    """One fact of a sheet's header block.

    Attributes:
        labels: What the cell beside it may say.
        less_exact: The same, where no cell says one of `labels`.
    """

    name: str
    type: str
    required: bool
    labels: tuple[str, ...]
    less_exact: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """Words of labels beside the form's own; one with a star stands for what begins so.

    Attributes:
        previous: They make a reading the last one; of two columns the other is read.
        current: They make it the one that is handed in.
        also: They change nothing.
        harmless: Columns and facts that are no readings, even when they are numbers.
        doubtful: In the cells of an unknown column they say that a default may be
            wrong.
        figures: Columns of figures that prove, by `FigureKind`.
        channels: Channels in words.
        quantities: Words of active and reactive energy, as the letter of their channels.
        directions: Words of the sign of a channel.
        zones: Tariff zones in words.
    """

    previous: tuple[str, ...] = ()
    current: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    harmless: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    figures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    quantities: Mapping[str, str] = field(default_factory=dict)
    directions: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkbookDefinition:
    """How a layout looks on a sheet: a header block, then a table.

    Attributes:
        columns: Labels of the table's columns.
        less_exact: Labels of columns that count where none of `columns` stands.
        required: Columns without which a row of labels is not this table's.
        any_of: At least one of these columns must be there, too.
        hours: Whether the table has a row for each day and a column for each hour.
        wide: Zones whose readings may stand in columns of their own, by label.
        totals: Words that begin a row of totals.
    """

    header: tuple[SheetField, ...]
    columns: Mapping[str, tuple[str, ...]]
    less_exact: Mapping[str, tuple[str, ...]]
    required: frozenset[str]
    any_of: frozenset[str]
    hours: bool
    wide: Mapping[str, str]
    totals: tuple[str, ...]
    words: Words


def workbook_form(section: Section, kind: Kind) -> WorkbookDefinition:
    """The `[workbook]` of a definition; words that it leaves out are the common ones.

    Raises:
        LayoutError: it says something it should not.
    """
    header, columns = section.section("header"), section.section("columns")
    less_exact = section.section("less_exact")
    definition = WorkbookDefinition(
        header=tuple(_field(header, name) for name in header.names(SHEET_FIELDS)),
        columns={name: columns.items(name) for name in columns.names(SHEET_COLUMNS)},
        less_exact={name: less_exact.items(name) for name in less_exact.names(SHEET_COLUMNS)},
        required=frozenset(section.items("required", among=SHEET_COLUMNS)),
        any_of=frozenset(section.items("any_of", among=(*SHEET_COLUMNS, "wide"))),
        hours=section.flag("hours"),
        wide=section.section("wide").mapping(ZONES),
        totals=section.items("totals"),
        words=_words(section.section("words"), _common()),
    )
    section.done()
    if definition.hours and (kind is not Kind.INTERVAL or "date" not in definition.columns):
        raise section.wrong("hours", "intervals, and a column date")
    if not definition.hours and "value" not in definition.columns:
        raise columns.wrong("value", "labels, but it is missing")
    return definition


def _field(header: Section, name: str) -> SheetField:
    section = header.section(name)
    made = SheetField(
        name=name,
        type=SHEET_FIELDS[name],
        required=section.flag("required"),
        labels=section.items("labels"),
        less_exact=section.items("less_exact"),
    )
    section.done()
    if not made.labels:
        raise section.wrong("labels", "at least one label")
    return made


@cache
def _common() -> Words:
    """The words that are the same for every form."""
    file = Path(__file__).parent / "data" / "words.toml"
    return _words(Section(file, "", tomllib.loads(file.read_text(encoding="utf-8"))), Words())


def _words(section: Section, common: Words) -> Words:
    """The words of one table; a list that it has stands in the place of the common one."""
    lists = {name: section.items(name) for name in _LISTS if section.has(name)}
    figures = section.section("figures")
    channels, zones = section.section("channels"), section.section("zones")
    quantities, directions = section.section("quantities"), section.section("directions")
    made = Words(
        **{name: lists.get(name, getattr(common, name)) for name in _LISTS},
        figures={
            **common.figures,
            **{name: figures.items(name) for name in figures.names(_FIGURES)},
        },
        channels=channels.mapping(CHANNELS) or common.channels,
        quantities=quantities.mapping("AR") or common.quantities,
        directions=directions.mapping("+-") or common.directions,
        zones=zones.mapping(ZONES) or common.zones,
    )
    section.done()
    for name, words in lists.items():
        if not all(word.strip(" *") for word in words):
            raise section.wrong(name, "words; a star may only end one")
    return made
