"""A mail to an entity's known addresses: its password was used from another one."""

from __future__ import annotations

from datetime import datetime
from zlib import crc32

from ingest.replies.message import Answered, ReplySettings, compose, recipient
from ingest.replies.rendering import written
from ingest.replies.view import ReplyView, entity_line
from ingest.replies.wording import wording
from layouts.points import LegalEntity
from storage.records.replies import OwedReply

_KIND = "address"


def new_address(
    entity: LegalEntity, sender: str, address: str, now: datetime, settings: ReplySettings
) -> OwedReply:
    """The mail that tells a known address of a new one.

    Its Message-ID is made of the entity and both addresses, so that it leaves once. Its
    recipient is '' when mail cannot go to the address.

    Args:
        entity: As stored, with its id.
        sender: The new address, as the letter's From has it.
        address: Who is told.
        now: When it is written.
        settings: How replies are written.
    """
    words = wording(settings.language, settings.zone)
    # Anything else in From is not repeated: only an address cannot tell more than itself.
    shown = recipient(sender)
    told = ReplyView(
        headline=words.word("verdict", "new_address"),
        tone="plain",
        lead=words.word("lead", "new_address").format(
            address=shown.addr_spec if shown else "?", moment=words.moment(now)
        ),
        entity=entity_line(entity, words),
        closing=(words.say("not_you"), words.say("automatic")),
    )
    number = int(f"{entity.id or 0}{_digits(sender)}{_digits(address)}")
    to = Answered(address, number)
    return compose(
        to, _KIND, told.headline, written(told, words, settings.signature), (), now, settings
    )


def _digits(address: str) -> str:
    return f"{crc32(address.lower().encode('utf-8', 'surrogatepass')):010d}"
