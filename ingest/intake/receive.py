"""What one letter means: start here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ingest.intake import wishes as granted
from ingest.intake.authenticate import Guard, authenticate
from ingest.intake.gate import Gate, may_answer
from ingest.intake.outcome import Handled
from ingest.intake.ports import Store
from ingest.letters.outcome import Outcome, overall
from ingest.letters.terms import Letter, Marked, Read
from ingest.reading import Mark
from ingest.replies import answers, message
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from layouts.rules import Parameters, check, version_of
from layouts.terms import LegalEntity, Parsed, Receipt
from storage.records import Claim, OwedReply

STRANGER_MOST_AN_HOUR = 5
"""Replies to an address that never authenticated; a forged From makes us write to anybody."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the one who opens letters has at hand: the forms, the rules, the manners.

    Attributes:
        own_addresses: Ours, in lower case; letters from them are never answered.
        answer_unknown_senders: Whether a letter that proves no sender is answered.
        per_address_per_day: Replies to one address in 24 hours, as the last stop.
    """

    layouts: Mapping[str, Layout]
    replies: message.ReplySettings
    guard: Guard = field(default_factory=Guard)
    parameters: Parameters = field(default_factory=Parameters)
    own_addresses: frozenset[str] = frozenset()
    answer_unknown_senders: bool = True
    per_address_per_day: int = 50

    def gate(self, letter: Letter, *, has_document: bool) -> Gate:
        """Whether a letter is recorded and answered."""
        return may_answer(letter, has_document, self.own_addresses, self._is_own)

    def for_run(self, run: int) -> Desk:
        """The desk for a letter that was replayed so often: its replies are new ones."""
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
        return self.guard.disbelieves(letter) or not all(
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


def receive(
    read: Read, claim: Claim, store: Store, now: datetime, mark: Mark, desk: Desk
) -> Handled:
    """Record what one letter hands in, and the reply it is owed.

    Neither sends nor commits: the caller gives the transaction.
    """
    letter, documents = read.letter, read.parsed
    gate = desk.gate(letter, has_document=bool(documents))
    if not gate.record:
        return Handled(Outcome.IGNORED, reason=gate.reason)
    desk = desk.for_run(claim.run)
    turn = _Turn(letter, documents, gate, claim, store, now, mark, desk)
    entity = authenticate(letter, documents, store, now, desk.guard)
    if isinstance(entity, Finding):
        handled = _refuse(turn, entity)
    elif letter.wish and not documents and not letter.findings:
        handled = _grant(turn, entity)
    else:
        handled = _answer(turn, entity, _hand_in(turn, entity))
    return _owe(turn, handled)


@dataclass(frozen=True, slots=True)
class _Turn:
    """One letter on the desk, with all that its handling needs."""

    letter: Letter
    documents: Sequence[Parsed]
    gate: Gate
    claim: Claim
    store: Store
    now: datetime
    mark: Mark
    desk: Desk


def _refuse(turn: _Turn, why: Finding) -> Handled:
    """Nothing is recorded for a sender who is not proven to be one."""
    letter, desk = turn.letter, turn.desk
    findings = (why, *letter.findings)
    if why.code is Code.CREDENTIALS_MISSING and not turn.documents and not letter.wish:
        # A letter that hands in nothing is told what to send, not who to be.
        findings = letter.findings or (finding(Code.NO_DOCUMENTS),)
    answer = None
    if desk.may_refuse(letter, turn.gate, why):
        answer = answers.refusal(
            letter, findings, turn.now, desk.replies, letter_number=turn.claim.letter
        )
    return Handled(Outcome.REFUSED, findings=findings, reply=answer, reason=findings[0].code.value)


def _hand_in(turn: _Turn, entity: LegalEntity) -> tuple[Receipt, ...]:
    """Each document checked and recorded, older versions first; told in the letter's order."""
    documents, desk, received_at = turn.documents, turn.desk, turn.claim.received_at

    def age(position: int) -> tuple[int, ...]:
        document = documents[position]
        layout = desk.layout_of(document)
        if layout is None:
            return (0, 0, 0, position)
        return version_of(document, layout, received_at, position).as_tuple()

    recorded: dict[int, Receipt] = {}
    for position in sorted(range(len(documents)), key=age):
        document = documents[position]
        layout, know = desk.layout_of(document), turn.store.know
        checked = check(document, layout, entity, received_at, know, desk.parameters)
        recorded[position] = turn.store.record(
            turn.claim.letter, document, checked, entity, received_at, turn.now
        )
    return tuple(recorded[position] for position in range(len(documents)))


def _answer(turn: _Turn, entity: LegalEntity, receipts: tuple[Receipt, ...]) -> Handled:
    letter, desk = turn.letter, turn.desk
    findings = letter.findings
    if not receipts and not findings:
        findings = (finding(Code.NO_DOCUMENTS),)
    answer = None
    if desk.may_reply(letter, turn.gate):
        answer = answers.reply(
            replace(letter, findings=findings),
            entity,
            receipts,
            turn.now,
            desk.replies,
            letter_number=turn.claim.letter,
            marked=_marked(turn, receipts),
        )
    outcome = overall(receipts, findings)
    return Handled(outcome, entity, receipts, findings, answer, turn.gate.reason)


def _marked(turn: _Turn, receipts: Sequence[Receipt]) -> dict[int, Marked]:
    """Workbooks with findings in their cells, by the first receipt that each of them has."""
    wanted: dict[str, list[Finding]] = {}
    first: dict[str, int] = {}
    for index, receipt in enumerate(receipts):
        found = receipt.checked.findings
        if any(item.place.sheet is not None for item in found):
            wanted.setdefault(receipt.parsed.sha256, []).extend(found)
            first.setdefault(receipt.parsed.sha256, index)
    if not wanted:
        return {}
    marked = turn.mark(wanted, turn.desk.replies.language)
    return {first[sha256]: workbook for sha256, workbook in marked.items()}


def _grant(turn: _Turn, entity: LegalEntity) -> Handled:
    """A letter without a document that asks for something is answered with it."""
    letter, desk, store = turn.letter, turn.desk, turn.store
    answer = None
    if desk.may_reply(letter, turn.gate):
        number = turn.claim.letter
        answer = granted.answer(
            letter, entity, store, turn.now, desk.replies, desk.layouts, letter_number=number
        )
    return Handled(Outcome.ANSWERED, entity, reply=answer, reason=turn.gate.reason)


def _owe(turn: _Turn, handled: Handled) -> Handled:
    """Owe the reply, unless its recipient has had enough of them."""
    answer, store, now, desk = handled.reply, turn.store, turn.now, turn.desk
    if answer is None:
        return handled
    is_stranger = handled.entity is None and desk.is_stranger(turn.letter, store)
    if reason := desk.too_many(answer, store, now, is_stranger=is_stranger):
        return replace(handled, reply=None, reason=reason)
    store.outbox.owe(answer, now)
    return handled


def quarantine_notice(
    letter: Letter | None, claim: Claim, store: Store, now: datetime, desk: Desk
) -> OwedReply | None:
    """The reply to a letter that a person must look at; None where none may go.

    Nobody has proven to be its sender: what a stranger is not told of a refusal, it
    is not told of this either.
    """
    if letter is None:
        return None
    gate = desk.gate(letter, has_document=bool(letter.documents))
    if not gate.record or not desk.may_reply(letter, gate):
        return None
    is_stranger = desk.is_stranger(letter, store)
    if is_stranger and (gate.only_authenticated or not desk.answer_unknown_senders):
        return None
    settings = desk.for_run(claim.run).replies
    answer = answers.notice(letter, now, settings, letter_number=claim.letter)
    return None if desk.too_many(answer, store, now, is_stranger=is_stranger) else answer
