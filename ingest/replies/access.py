"""Mails about access to the pages: a link for a password, an invitation, a notice."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from ingest.replies.message import Answered, ReplySettings, compose
from ingest.replies.wording import wording
from storage.records.replies import OwedReply


class About(StrEnum):
    """What such a mail is about; its texts are those of the words' group `access`."""

    PASSWORD = "password"  # noqa: S105 - a kind of mail
    INVITATION = "invitation"
    CHANGED = "changed"


def access_mail(
    about: About, address: str, now: datetime, settings: ReplySettings, **told: str
) -> OwedReply:
    """The mail; its recipient is '' when mail cannot go to the address.

    Args:
        about: What.
        address: Whose.
        now: When it is written.
        settings: How mails are written.
        told: What its text names: `link`, `until`, `code`, `name`.
    """
    words = wording(settings.language, settings.zone)
    subject = words.word("access", f"{about}_subject").format(**told)
    text = words.word("access", f"{about}_text").format(**told)
    # One for each occasion: a link differs every time, a notice by its moment.
    occasion = f"{about}\0{address}\0{now.isoformat()}\0{told.get('link', '')}"
    number = int(sha256(occasion.encode()).hexdigest()[:14], 16)
    to = Answered(address, number)
    return compose(to, "access", subject, (f"{text}\n", ""), (), now, settings)
