"""Answers to letters that ask: for a workbook to fill in, or how things stand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from ingest.letter import Letter
from ingest.reply.message import XLSX, File, ReplySettings, compose
from ingest.reply.rendering import written
from ingest.reply.view import ROWS_MOST, DocumentView, ReplyView, Table, entity_line, table
from ingest.reply.wording import Wording, wording
from layouts.terms import LegalEntity
from storage.records import OwedReply


@dataclass(frozen=True, slots=True)
class Recorded:
    """One series, or register reading, in force in the month.

    Attributes:
        meter: None for an interval series, as is `zone`.
        end: Equal to `start` for a register reading.
        total: Sum in Wh or varh; a register's reading in kWh or kvarh.
    """

    point: str
    meter: str | None
    channel: str
    zone: str | None
    start: datetime
    end: datetime
    count: int
    total: int | Decimal


@dataclass(frozen=True, slots=True)
class Missing:
    """A point without its readings of the month; with its meter when it has one."""

    point: str
    meter: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What an entity has handed in for a month that begins at `month`."""

    month: datetime
    recorded: tuple[Recorded, ...]
    missing: tuple[Missing, ...]


def form(
    letter: Letter,
    entity: LegalEntity,
    number: str,
    workbook: bytes | None,
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
    known: Sequence[str],
) -> OwedReply:
    """The answer to `template 52006`: the workbook, or which ones there are.

    Args:
        letter: The letter answered.
        entity: Whose points stand in the workbook.
        number: Class of the layout that was asked for.
        workbook: Of `template.template`; None when the layout has none.
        now: When the reply is written.
        settings: How replies are written.
        letter_number: The letter's number in the ledger.
        known: Classes of the layouts that have one.
    """
    words = wording(settings.language, settings.zone)
    key = "form" if workbook is not None else "no_form"
    told = ReplyView(
        headline=words.word("verdict", key).format(number=number),
        tone="good" if workbook is not None else "plain",
        lead=words.word("lead", key).format(known=", ".join(known), first=(*known, "52006")[0]),
        entity=entity_line(entity, words),
        closing=(words.say("automatic"),),
    )
    files = [File(f"{number}_{entity.user_code}.xlsx", workbook, *XLSX)] if workbook else []
    bodies = written(told, words)
    return compose(letter, letter_number, "form", told.headline, bodies, files, now, settings)


def standing(
    letter: Letter,
    entity: LegalEntity,
    stands: Standing,
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
) -> OwedReply:
    """The answer to `status`: what is accepted for the month, and what is missing."""
    words = wording(settings.language, settings.zone)
    told = ReplyView(
        headline=words.word("verdict", "standing").format(month=words.month(stands.month)),
        tone="partly" if stands.missing else "good",
        lead=words.word("lead", "standing"),
        entity=entity_line(entity, words),
        documents=(_accepted(stands, words), _missing(stands, words)),
        closing=(words.say("automatic"),),
    )
    bodies = written(told, words)
    return compose(letter, letter_number, "status", told.headline, bodies, (), now, settings)


def _accepted(stands: Standing, words: Wording) -> DocumentView:
    readings = [item for item in stands.recorded if item.meter is not None]
    profiles = [item for item in stands.recorded if item.meter is None]
    tables = [
        _table(items, words, registers=registers)
        for items, registers in ((readings, True), (profiles, False))
        if items
    ]
    return DocumentView(
        heading=words.say("recorded_heading"),
        verdict="",
        tone="good",
        tables=tuple(tables),
        changes=() if tables else (words.say("recorded_nothing"),),
    )


def _missing(stands: Standing, words: Wording) -> DocumentView:
    lines = [_missing_line(item, words) for item in stands.missing[:ROWS_MOST]]
    more = len(stands.missing) - len(lines)
    if more:
        lines.append(words.say("and_more", count=words.number(more)))
    return DocumentView(
        heading=words.say("missing_heading"),
        verdict="",
        tone="partly",
        changes=tuple(lines) or (words.say("missing_nothing"),),
    )


def _missing_line(item: Missing, words: Wording) -> str:
    point = words.say("point", point=item.point)
    return point if item.meter is None else f"{point}, {words.say('meter', meter=item.meter)}"


def _table(items: Sequence[Recorded], words: Wording, *, registers: bool) -> Table:
    row = _register_row if registers else _profile_row
    rows = [row(item, words) for item in items[: ROWS_MOST // 2]]
    return table(rows, len(items), words, registers=registers)


def _register_row(item: Recorded, words: Wording) -> tuple[str, ...]:
    unit = words.word("unit", "kvarh" if item.channel.startswith("R") else "kWh")
    reading = f"{words.number(item.total)} {unit}"
    about = (item.point, item.meter or "—", item.channel, item.zone or "T0")
    return (*about, words.moment(item.start), reading)


def _profile_row(item: Recorded, words: Wording) -> tuple[str, ...]:
    unit = words.word("unit", "varh" if item.channel.startswith("R") else "Wh")
    total = f"{words.energy(int(item.total))} {unit}"
    period = words.period(item.start, item.end)
    return (item.point, item.channel, period, words.number(item.count), total)
