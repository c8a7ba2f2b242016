"""Answers to letters that ask: for a workbook to fill in, or how things stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from ingest.letters.terms import Letter
from ingest.replies.message import XLSX, Answered, File, ReplySettings, compose
from ingest.replies.rendering import written
from ingest.replies.view import (
    ROWS_MOST,
    DocumentView,
    ReplyView,
    entity_line,
    register_name,
    table,
)
from ingest.replies.wording import Wording, wording
from layouts.completeness import (
    Missing,
    MonthState,
    missing,
    reads_meters,
    register_deadline,
)
from layouts.months import bounds
from layouts.points import LegalEntity
from layouts.terms import ZONES, quantity_of
from storage.records.replies import OwedReply

_SPANS_MOST = 6


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
    bodies = written(told, words, settings.signature)
    return compose(
        Answered.of(letter, letter_number), "form", told.headline, bodies, files, now, settings
    )


def standing(
    letter: Letter,
    entity: LegalEntity,
    state: MonthState,
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
) -> OwedReply:
    """The answer to `status`: what is accepted for the month, and what is missing.

    Args:
        letter: That asks.
        entity: Who asks, authenticated.
        state: What the month has.
        now: The moment of it, aware.
        settings: Of replies.
        letter_number: Its number in the ledger.
    """
    words = wording(settings.language, settings.zone)
    lacks = missing(entity.points, state, now)
    told = ReplyView(
        headline=words.word("verdict", "standing").format(
            month=words.month(bounds(state.month)[0])
        ),
        tone="partly" if lacks else "good",
        lead=words.word("lead", "standing"),
        entity=entity_line(entity, words),
        documents=(_accepted(entity, state, words), missing_view(lacks, words)),
        closing=(*_due(entity, state, now, settings), words.say("automatic")),
    )
    bodies = written(told, words, settings.signature)
    return compose(
        Answered.of(letter, letter_number), "status", told.headline, bodies, (), now, settings
    )


def _due(
    entity: LegalEntity, state: MonthState, now: datetime, settings: ReplySettings
) -> Iterator[str]:
    """Until when a month's meters may be read, as long as that is ahead."""
    words = wording(settings.language, settings.zone)
    deadline = register_deadline(state.month, settings.register_deadline_day)
    if now < deadline and any(reads_meters(point, state) for point in entity.points):
        yield words.say("due", deadline=words.until(deadline))


def _accepted(entity: LegalEntity, state: MonthState, words: Wording) -> DocumentView:
    registers = list(_register_rows(entity, state, words))
    profiles = list(_profile_rows(entity, state, words))
    tables = [
        table(rows[: ROWS_MOST // 2], len(rows), words, registers=rows is registers)
        for rows in (registers, profiles)
        if rows
    ]
    return DocumentView(
        heading=words.say("recorded_heading"),
        verdict="",
        tone="good",
        tables=tuple(tables),
        changes=() if tables else (words.say("recorded_nothing"),),
    )


def _register_rows(
    entity: LegalEntity, state: MonthState, words: Wording
) -> Iterator[tuple[str, ...]]:
    meters = {meter.id: (point, meter) for point in entity.points for meter in point.meters}
    start = int(bounds(state.month)[0].timestamp())
    for (meter_id, channel, zone), register in state.registers.items():
        if meter_id not in meters:
            continue
        point, meter = meters[meter_id]
        unit = words.word("unit", quantity_of(channel).register_unit)
        # The reading at the month's start, by which its consumption is counted.
        opening = [r for r in (register.before,) if r and r[0] == start]
        for at, value in [*opening, *register.readings]:
            moment = words.until(datetime.fromtimestamp(at, UTC))
            reading = f"{words.number(value)} {unit}"
            yield register_name(point.code, meter.number, channel, zone, words), moment, reading


def _profile_rows(
    entity: LegalEntity, state: MonthState, words: Wording
) -> Iterator[tuple[str, ...]]:
    points = {point.id: point for point in entity.points}
    for (point_id, channel), profile in state.profiles.items():
        if point_id not in points or not profile.spans:
            continue
        unit = words.word("unit", quantity_of(channel).interval_unit)
        ends = profile.spans[0][0], profile.spans[-1][1]
        period = words.period(*(datetime.fromtimestamp(at, UTC) for at in ends))
        total = f"{words.energy(profile.total_wh)} {unit}"
        name = f"{points[point_id].code}, {channel}"
        yield name, period, words.number(profile.values), total


def missing_view(lacks: Sequence[Missing], words: Wording) -> DocumentView:
    """What has not been handed in, a line for each series."""
    lines = [_missing_line(item, words) for item in lacks[:ROWS_MOST]]
    more = len(lacks) - len(lines)
    if more:
        lines.append(words.say("and_more", count=words.number(more)))
    return DocumentView(
        heading=words.say("missing_heading"),
        verdict="",
        tone="partly",
        changes=tuple(lines) or (words.say("missing_nothing"),),
    )


def _missing_line(item: Missing, words: Wording) -> str:
    about = [words.say("point", point=item.point.code)]
    if item.meter is not None:
        about.append(words.say("meter", meter=item.meter.number))
    about.append(words.say("channel", channel=item.channel))
    about += [words.say("zone", zone=zone) for zone in item.zones if zone != ZONES[0]]
    spans = [words.period(*span) for span in item.spans]
    lack = words.word("lack", item.kind).format(
        when=words.listed(spans, _SPANS_MOST), day=words.day(item.spans[0][0])
    )
    return f"{', '.join(about)}: {lack}"
