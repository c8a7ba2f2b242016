"""What the retailer has decided: which forms and rules hold, who is answered, and how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ingest.intake.authenticate import Guard
from ingest.intake.gate import Gate, is_own, may_answer
from ingest.intake.ports import Store
from ingest.intake.provenance import Provenance
from ingest.letters.terms import Letter
from ingest.replies import message
from layouts.document import Parsed
from layouts.layout import Layout
from layouts.parameters import Parameters
from storage.records.replies import OwedReply

STRANGER_MOST_AN_HOUR = 5
"""Replies to an unknown address: a forged From would have us write to anybody."""

DOMAIN_MOST_AN_HOUR = 20
"""Replies to the strangers of one domain."""


@dataclass(frozen=True, slots=True)
class Addressee:
    """Where a letter that proves no sender is answered.

    Attributes:
        address: From, or a Reply-To that the register lists.
        is_stranger: Whether neither the register lists From nor has it ever authenticated.
    """

    address: str
    is_stranger: bool


@dataclass(frozen=True, slots=True)
class Policy:
    """What the retailer has decided: the forms, the rules, who is answered, and how.

    Attributes:
        own_addresses: Ours, in lower case; letters from them are never answered.
        groups: List-Ids, in lower case, of the groups through which letters come.
        answer_unknown_senders: Whether a letter that proves no sender is answered.
        strangers_per_hour: Replies to all strangers together.
        per_address_per_day: Replies to one address in 24 hours, its owner proven or not.
        is_silent: Whether nobody is written to, as all were answered before.
    """

    layouts: Mapping[str, Layout]
    replies: message.ReplySettings
    guard: Guard = field(default_factory=Guard)
    parameters: Parameters = field(default_factory=Parameters)
    own_addresses: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    answer_unknown_senders: bool = True
    strangers_per_hour: int = 200
    per_address_per_day: int = 50
    is_silent: bool = False

    def gate(self, letter: Letter, *, has_document: bool) -> Gate:
        """Whether a letter is recorded and answered."""
        return may_answer(letter, has_document, self.own_addresses, self._is_own, self.groups)

    def for_run(self, run: int) -> Policy:
        """The policy for a letter that was replayed so often: its replies are new ones."""
        return replace(self, replies=replace(self.replies, run=run)) if run else self

    def _is_own(self, message_id: str) -> bool:
        return message.is_own_message_id(message_id, self.replies)

    def may_reply(self, letter: Letter, gate: Gate) -> bool:
        """Whether there is an address that a proven sender's reply may go to."""
        return gate.answer and message.recipient(letter.reply_to) is not None

    def addressee(self, letter: Letter, gate: Gate, store: Store) -> Addressee | None:
        """Where a letter is answered that proves no sender; None where nobody may be told.

        Anybody can write any From. So a Reply-To counts only when the register lists it,
        and a From that our mail server found to be another's gets no answer. Where that
        server checks at all, a stranger's From must have passed; a known address is
        answered even so, as people mistype their passwords.
        """
        found = self.guard.provenance_of(letter)
        if not gate.answer or found is Provenance.FAILED:
            return None
        is_known = self._is_known(letter.sender, store)
        must_pass = bool(self.guard.trusted_authserv_id) and not is_known
        if must_pass and found is not Provenance.PASSED:
            return None
        address = letter.reply_to if store.registry.lists(letter.reply_to) else letter.sender
        if is_own(address, self.own_addresses) or message.recipient(address) is None:
            return None
        return Addressee(address, is_stranger=not is_known)

    def _is_known(self, address: str, store: Store) -> bool:
        return store.registry.lists(address) or store.senders.has_authenticated(address)

    def too_many(self, answer: OwedReply, store: Store, now: datetime) -> str:
        """Why the recipient has had replies enough, '' when there may be one more."""
        if self.is_silent:
            return "read again without replies"
        an_hour, a_day = now - timedelta(hours=1), now - timedelta(days=1)
        outbox, recipient = store.outbox, answer.recipient
        if answer.is_to_stranger:
            if outbox.owed_to(recipient, an_hour) >= STRANGER_MOST_AN_HOUR:
                return "too many replies to a stranger this hour"
            of_domain, of_all = outbox.owed_to_strangers(recipient, an_hour)
            if of_domain >= DOMAIN_MOST_AN_HOUR:
                return "too many replies to strangers of this domain this hour"
            if of_all >= self.strangers_per_hour:
                return "too many replies to strangers this hour"
        if outbox.owed_to(recipient, a_day) >= self.per_address_per_day:
            return "too many replies to this address today"
        return ""

    def layout_of(self, document: Parsed) -> Layout | None:
        """The layout that claimed a document."""
        return self.layouts.get(document.layout or "")
