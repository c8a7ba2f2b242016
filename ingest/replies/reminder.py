"""A reminder of what a month still lacks: at most one a day to each address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from zlib import crc32

from ingest.replies.message import Answered, File, ReplySettings, compose, own_message_id
from ingest.replies.rendering import written
from ingest.replies.view import ReplyView, entity_line
from ingest.replies.wishes import missing_view
from ingest.replies.wording import wording
from layouts.completeness import Missing, register_deadline
from layouts.months import MOSCOW, bounds
from layouts.points import LegalEntity
from storage.records.replies import OwedReply

_KIND = "reminder"


def reminder(
    entity: LegalEntity,
    address: str,
    month: date,
    lacks: Sequence[Missing],
    files: Sequence[File],
    now: datetime,
    settings: ReplySettings,
) -> OwedReply:
    """The mail that tells an entity what has not been handed in.

    Its Message-ID is made of the entity, the address and the day: a second reminder,
    also of another month, cannot leave on that day. Its recipient is '' when mail
    cannot go to the address.

    Args:
        entity: As stored, with its id.
        address: One of its addresses.
        month: First day of the month.
        lacks: What is missing of it.
        files: Workbooks to fill in.
        now: When it is written.
        settings: How replies are written.
    """
    words = wording(settings.language, settings.zone)
    deadline = register_deadline(month, settings.register_deadline_day)
    key = "due" if now < deadline else "overdue"
    told = ReplyView(
        headline=words.word("verdict", _KIND).format(month=words.month(bounds(month)[0])),
        tone="partly",
        lead=words.word("lead", _KIND),
        entity=entity_line(entity, words),
        documents=(missing_view(lacks, words),),
        closing=(
            words.say(key, deadline=words.until(deadline)),
            *([words.say("attached_form")] if files else []),
            words.say("automatic"),
        ),
    )
    to = Answered(address, _number(entity, address, now))
    bodies = written(told, words, settings.signature)
    return compose(to, _KIND, told.headline, bodies, files, now, settings)


def reminder_id(entity: LegalEntity, address: str, now: datetime, settings: ReplySettings) -> str:
    """The Message-ID of the day's reminder to an address.

    Args:
        entity: Who is reminded.
        address: One of its addresses.
        now: The moment of it, aware.
        settings: Of replies.
    """
    return own_message_id(_number(entity, address, now), _KIND, settings)


def _number(entity: LegalEntity, address: str, now: datetime) -> int:
    """One number for an entity, an address and a Moscow day."""
    day = now.astimezone(MOSCOW).date()
    return int(f"{entity.id or 0}{crc32(address.lower().encode()):010d}{day:%Y%m%d}")
