"""A mail to the retailer's own people: something needs one of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zlib import crc32

from ingest.replies.message import Answered, ReplySettings, compose
from ingest.replies.wording import wording
from layouts.terms import LANGUAGES
from storage.records.replies import OwedReply

_TOLD_MOST = 20


def alarm(
    kind: str, told: Sequence[str], address: str, now: datetime, settings: ReplySettings
) -> OwedReply:
    """The mail about one kind of need, in Russian with English beside.

    Its Message-ID is made of what is told and the hour, so that two hosts that see the
    same owe one mail.

    Args:
        kind: A key of the group `alarm` of the words.
        told: Sentences of `status`, in English.
        address: Who is told.
        now: When it is written.
        settings: How replies are written.
    """
    each = [wording(language, settings.zone) for language in LANGUAGES]
    what = [words.word("alarm", kind) for words in each]
    subject = each[0].word("alarm", "subject").format(what=what[0])
    lines = [
        *(f"{text[:1].upper()}{text[1:]}." for text in what),
        "",
        *(f"- {line}" for line in told[:_TOLD_MOST]),
        "",
        *(words.word("alarm", "details") for words in each),
    ]
    hour = int(now.timestamp()) // 3600
    to = Answered(address, int(f"{digest(told)}{hour}"))
    bodies = "\n".join(lines) + "\n", ""
    return compose(to, kind_of(kind), subject, bodies, (), now, settings)


def kind_of(kind: str) -> str:
    """How the Message-ID of a mail about a kind of need begins, behind `<`."""
    return f"alarm{kind}"


def digest(told: Sequence[str]) -> str:
    """Ten digits that differ when something else is told."""
    return f"{crc32(chr(10).join(told).encode()) + 10**9:010d}"
