"""What the retailer has decided: which forms and rules hold, who is answered, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ingest.intake.authenticate import Guard
from ingest.intake.gate import Gate, may_answer
from ingest.intake.ports import Store
from ingest.letters.terms import Letter
from ingest.replies import message
from layouts.findings import Code, Finding
from layouts.layout import Layout
from layouts.rules import Parameters
from layouts.terms import Parsed
from storage.records import OwedReply

STRANGER_MOST_AN_HOUR = 5
"""Replies to an address that never authenticated; a forged From makes us write to anybody."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What the retailer has decided: the forms, the rules, who is answered, and how.

    Attributes:
        own_addresses: Ours, in lower case; letters from them are never answered.
        groups: List-Ids, in lower case, of the groups through which letters come.
        answer_unknown_senders: Whether a letter that proves no sender is answered.
        per_address_per_day: Replies to one address in 24 hours, as the last stop.
    """

    layouts: Mapping[str, Layout]
    replies: message.ReplySettings
    guard: Guard = field(default_factory=Guard)
    parameters: Parameters = field(default_factory=Parameters)
    own_addresses: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    answer_unknown_senders: bool = True
    per_address_per_day: int = 50

    def gate(self, letter: Letter, *, has_document: bool) -> Gate:
        """Whether a letter is recorded and answered."""
        return may_answer(letter, has_document, self.own_addresses, self._is_own, self.groups)

    def for_run(self, run: int) -> Policy:
        """The policy for a letter that was replayed so often: its replies are new ones."""
        return replace(self, replies=replace(self.replies, run=run)) if run else self

    def _is_own(self, message_id: str) -> bool:
        return message.is_own_message_id(message_id, self.replies)

    def may_refuse(self, letter: Letter, gate: Gate, why: Finding) -> bool:
        """Whether someone who is not authenticated is told so."""
        known = why.code is Code.ADDRESS_NOT_ALLOWED
        welcome = (known or self.answer_unknown_senders) and not gate.only_authenticated
        return self.may_reply(letter, gate) and welcome

    def may_reply(self, letter: Letter, gate: Gate) -> bool:
        """Whether there is an address that a reply may go to."""
        return gate.answer and message.recipient(letter.reply_to) is not None

    def is_stranger(self, letter: Letter, store: Store) -> bool:
        """Whether From is another's, or it or the reply's address never authenticated."""
        addresses = (letter.sender, letter.reply_to)
        return self.guard.origin_of(letter).is_forged or not all(
            map(store.senders.has_authenticated, addresses)
        )

    def too_many(self, answer: OwedReply, store: Store, now: datetime, *, is_stranger: bool) -> str:
        """Why the recipient has had replies enough, '' when there may be one more."""
        an_hour, a_day = now - timedelta(hours=1), now - timedelta(days=1)
        if is_stranger and store.outbox.owed_to(answer.recipient, an_hour) >= STRANGER_MOST_AN_HOUR:
            return "too many replies to a stranger this hour"
        if store.outbox.owed_to(answer.recipient, a_day) >= self.per_address_per_day:
            return "too many replies to this address today"
        return ""

    def layout_of(self, document: Parsed) -> Layout | None:
        """The layout that claimed a document."""
        return self.layouts.get(document.layout or "")
