"""The mail that tells an entity of a withdrawal: what is not in force any more, and why."""

from __future__ import annotations

from datetime import datetime

from ingest.replies.message import Answered, ReplySettings, compose, one_line
from ingest.replies.rendering import written
from ingest.replies.view import ReplyView, entity_line
from ingest.replies.wording import wording
from layouts.points import LegalEntity
from storage.records.billing import WithdrawalSubject, Withdrawn
from storage.records.replies import OwedReply

_REASON_MOST = 500


def withdrawal(
    entity: LegalEntity,
    subject: WithdrawalSubject,
    done: Withdrawn,
    point: str | None,
    reason: str,
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
) -> OwedReply:
    """The mail to the entity's first address; its recipient is '' when there is none.

    Args:
        entity: Whose submission was withdrawn.
        subject: What was withdrawn.
        done: What came of it.
        point: Code of the one point withdrawn; None: all of them.
        reason: The operator's.
        now: When it is written.
        settings: How replies are written.
        letter_number: The withdrawal's number in the ledger.
    """
    words = wording(settings.language, settings.zone)
    name = words.say("document", name=one_line(subject.name, 100)) if subject.name else ""
    about = ", ".join(filter(None, (name, point and words.say("point", point=point))))
    told = ReplyView(
        headline=words.word("verdict", "withdrawn").format(number=subject.receipt),
        tone="partly",
        lead=words.say("withdrawn", reason=one_line(reason, _REASON_MOST)),
        entity=entity_line(entity, words),
        closing=(
            *([about] if about else []),
            words.say(
                "withdrawn_counts",
                removed=words.count(done.removed, "value"),
                restored=words.count(done.restored, "value"),
                kept=words.count(done.kept, "value"),
            ),
            words.say("receipt", numbers=done.receipt),
            words.say("automatic"),
        ),
    )
    to = Answered(next(iter(entity.addresses), ""), letter_number, letter_number)
    return compose(
        to, "withdrawal", told.headline, written(told, words, settings.signature), (), now, settings
    )
