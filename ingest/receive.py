"""What one letter means: start here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ingest import reply as replies
from ingest.authenticate import Guard, authenticate
from ingest.gate import Gate, may_answer
from ingest.letter import Letter
from ingest.outcome import Handled, Outcome, overall
from ingest.ports import Read, Store
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from layouts.rules import Parameters, check, version_of
from layouts.terms import LegalEntity, Parsed, Receipt
from storage.records import Claim, OwedReply


@dataclass(frozen=True, slots=True)
class Desk:
    """What the one who opens letters has at hand: the forms, the rules, the manners.

    Attributes:
        own_addresses: Ours, in lower case; letters from them are never answered.
        answer_unknown_senders: Whether a letter that proves no sender is answered.
        per_address_per_day: Replies to one address in 24 hours, as the last stop.
    """

    layouts: Mapping[str, Layout]
    replies: replies.ReplySettings
    guard: Guard = field(default_factory=Guard)
    parameters: Parameters = field(default_factory=Parameters)
    own_addresses: frozenset[str] = frozenset()
    answer_unknown_senders: bool = True
    per_address_per_day: int = 50

    def gate(self, letter: Letter, *, has_document: bool) -> Gate:
        """Whether a letter is recorded and answered."""
        return may_answer(letter, has_document, self.own_addresses, self._is_own)

    def _is_own(self, message_id: str) -> bool:
        return replies.is_own_message_id(message_id, self.replies)

    def may_refuse(self, letter: Letter, gate: Gate, why: Finding) -> bool:
        """Whether someone who is not authenticated is told so."""
        known = why.code is Code.ADDRESS_NOT_ALLOWED
        welcome = (known or self.answer_unknown_senders) and not gate.only_authenticated
        return self.may_reply(letter, gate) and welcome

    def may_reply(self, letter: Letter, gate: Gate) -> bool:
        """Whether there is an address that a reply may go to."""
        return gate.answer and replies.recipient(letter.reply_to) is not None

    def layout_of(self, document: Parsed) -> Layout | None:
        """The layout that claimed a document."""
        return self.layouts.get(document.layout or "")


def receive(read: Read, claim: Claim, store: Store, now: datetime, desk: Desk) -> Handled:
    """Record what one letter hands in, and the reply it is owed.

    Neither sends nor commits: the caller gives the transaction.
    """
    letter, documents = read.letter, read.parsed
    gate = desk.gate(letter, has_document=bool(documents))
    if not gate.record:
        return Handled(Outcome.IGNORED, reason=gate.reason)
    entity = authenticate(letter, documents, store, now, desk.guard)
    if isinstance(entity, Finding):
        handled = _refuse(read, gate, entity, claim, now, desk)
    else:
        receipts = _hand_in(documents, entity, claim, store, now, desk)
        handled = _answer(letter, gate, entity, receipts, claim, now, desk)
    return _owe(handled, store, now, desk)


def _refuse(
    read: Read, gate: Gate, why: Finding, claim: Claim, now: datetime, desk: Desk
) -> Handled:
    """Nothing is recorded for a sender who is not proven to be one."""
    letter = read.letter
    findings = (why, *letter.findings)
    if why.code is Code.CREDENTIALS_MISSING and not read.parsed and not letter.wish:
        # A letter that hands in nothing is told what to send, not who to be.
        findings = letter.findings or (finding(Code.NO_DOCUMENTS),)
    answer = None
    if desk.may_refuse(letter, gate, why):
        answer = replies.refusal(letter, findings, now, desk.replies, letter_number=claim.letter)
    return Handled(Outcome.REFUSED, findings=findings, reply=answer, reason=findings[0].code.value)


def _hand_in(
    documents: Sequence[Parsed],
    entity: LegalEntity,
    claim: Claim,
    store: Store,
    now: datetime,
    desk: Desk,
) -> tuple[Receipt, ...]:
    """Each document checked and recorded, older versions first; told in the letter's order."""

    def age(position: int) -> tuple[int, ...]:
        document = documents[position]
        layout = desk.layout_of(document)
        if layout is None:
            return (0, 0, 0, position)
        return version_of(document, layout, claim.received_at, position).as_tuple()

    recorded: dict[int, Receipt] = {}
    for position in sorted(range(len(documents)), key=age):
        document = documents[position]
        context = store.context(entity, document, claim.received_at)
        checked = check(document, desk.layout_of(document), context, desk.parameters)
        recorded[position] = store.record(
            claim.letter, document, checked, entity, claim.received_at, now
        )
    return tuple(recorded[position] for position in range(len(documents)))


def _answer(
    letter: Letter,
    gate: Gate,
    entity: LegalEntity,
    receipts: tuple[Receipt, ...],
    claim: Claim,
    now: datetime,
    desk: Desk,
) -> Handled:
    findings = letter.findings
    if not receipts and not findings:
        findings = (finding(Code.NO_DOCUMENTS),)
    answer = None
    if desk.may_reply(letter, gate):
        told = replace(letter, findings=findings)
        answer = replies.reply(
            told, entity, receipts, now, desk.replies, letter_number=claim.letter
        )
    outcome = overall(receipts, findings)
    return Handled(outcome, entity, receipts, findings, answer, gate.reason)


def _owe(handled: Handled, store: Store, now: datetime, desk: Desk) -> Handled:
    """Owe the reply, unless its recipient has had enough of them for a day."""
    answer = handled.reply
    if answer is None:
        return handled
    if store.replies_to(answer.recipient, now - timedelta(days=1)) >= desk.per_address_per_day:
        return replace(handled, reply=None, reason="too many replies to this address today")
    store.owe(answer, now)
    return handled


def quarantine_notice(
    letter: Letter | None, claim: Claim, now: datetime, desk: Desk
) -> OwedReply | None:
    """The reply to a letter that a person must look at; None where none may go."""
    if letter is None:
        return None
    gate = desk.gate(letter, has_document=bool(letter.documents))
    if not gate.record or not desk.may_reply(letter, gate):
        return None
    return replies.notice(letter, now, desk.replies, letter_number=claim.letter)
