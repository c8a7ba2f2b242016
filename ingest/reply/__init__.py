"""Replies: what became of a letter, told to its sender.

`reply` answers an authenticated sender, `refusal` one who is not, `notice` one
whose letter a person must look at. Each gives the complete mail; nothing here
sends. `texts.sentence` gives the words of a single finding.
"""

from ingest.reply.answers import notice, refusal, reply
from ingest.reply.deadlines import deadlines
from ingest.reply.message import (
    ReplySettings,
    is_own_message_id,
    own_message_id,
    recipient,
)
from ingest.terms import Marked

__all__ = [
    "Marked",
    "ReplySettings",
    "deadlines",
    "is_own_message_id",
    "notice",
    "own_message_id",
    "recipient",
    "refusal",
    "reply",
]
