"""What hidden rows, columns and sheets hold that would have been read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from layouts.findings import Code, Finding, Place, Severity, finding
from parsers.assemble import Draft
from parsers.clock import clock
from parsers.grid import Sheet
from parsers.sheets.reader import SheetReader
from parsers.sheets.view import View


def in_full(sheet: Sheet) -> Sheet:
    """A sheet with what is hidden on it."""
    rows = {row: dict(cells) for row, cells in sheet.rows.items()}
    for row, cells in sheet.unseen.items():
        rows[row] = dict(sorted({**rows.get(row, {}), **cells}.items()))
    return replace(sheet, rows=dict(sorted(rows.items())), unseen={})


def all_of(view: View) -> Iterator[Finding]:
    """What a hidden sheet would have handed in."""
    if view.tables:
        yield from _named(SheetReader(view, {}, in_full=True).read(), set())


def left_out(view: View, seen: Draft) -> Iterator[Finding]:
    """What hidden rows and columns of a sheet would have added to what was read, or changed."""
    if not view.sheet.unseen:
        return
    full = view.form.view(in_full(view.sheet))
    if not full.tables:
        return
    whole = SheetReader(full, {}, in_full=True).read()
    yield from _named(whole, _places(seen))
    yield from _contradicted(whole, seen)


def _named(draft: Draft, known: set[int]) -> Iterator[Finding]:
    """The meters, else points or days, of the values that stand in no cell of `known`."""
    found: dict[str, None] = {}
    for reading in draft.readings:
        if reading.place not in known:
            found[reading.meter] = None
    local = clock(draft.layout.zone).local
    for column in draft.columns.values():
        for place, start in zip(column.places, column.starts, strict=True):
            if place not in known:
                day = "?" if start is None else f"{local(start):%d.%m.%Y}"
                found[(column.point if column.named else None) or day] = None
    if found:
        place_of_all = Place(sheet=draft.sheet)
        names = " ".join(found)
        yield finding(Code.HIDDEN_CONTENT, place_of_all, meters=names, count=len(found))


def _places(draft: Draft) -> set[int]:
    """Cells of the values that were read, right or wrong."""
    columns = draft.columns.values()
    return {r.place for r in draft.readings}.union(*(column.places for column in columns))


def _contradicted(whole: Draft, seen: Draft) -> Iterator[Finding]:
    """Values that a hidden channel, zone or name says to be something else."""
    error = {"severity": Severity.ERROR}
    mine = {r.place: r for r in whole.readings}
    for reading in seen.readings:
        other = mine.get(reading.place)
        if other is None:
            continue
        told = (reading.point, reading.meter, reading.channel, reading.zone)
        if told != (other.point, other.meter, other.channel, other.zone):
            place = whole.places([reading.place]).place(0)
            about = {"point": reading.point, "meter": reading.meter, "meters": reading.meter}
            yield finding(Code.HIDDEN_CONTENT, place, **error, **about)
    held = {at: (c.point, c.channel) for c in whole.columns.values() for at in c.places}
    for column in seen.columns.values():
        said = column.point, column.channel
        at = next((at for at in column.places if held.get(at, said) != said), None)
        if at is not None:
            about = {
                "point": column.point if column.named else None,
                "channel": column.channel,
                "meters": column.point or "",
            }
            yield finding(Code.HIDDEN_CONTENT, whole.places([at]).place(0), **error, **about)
