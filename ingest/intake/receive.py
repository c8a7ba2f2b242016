"""What one letter means: start here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count

from ingest.intake import wishes
from ingest.intake.authenticate import (
    Authenticated,
    Claims,
    Proof,
    Session,
    authenticate,
    entity_claimed,
    entity_of,
    why_not,
)
from ingest.intake.foreseen import NOTHING, Foreseen
from ingest.intake.gate import Gate
from ingest.intake.judge import against_each_other, judge, without_secrets
from ingest.intake.outcome import Handled, Marking
from ingest.intake.policy import Policy
from ingest.intake.ports import Store
from ingest.letters.outcome import overall
from ingest.letters.secrets import secrets_of
from ingest.letters.terms import Arrival, Bounce, Letter, Marked, Marks, Outcome, Read
from ingest.letters.unread import no_documents
from ingest.replies import answers
from ingest.replies.new_address import new_address
from layouts.document import Parsed
from layouts.findings import Code, Finding
from layouts.known import Checked, Receipt
from layouts.points import LegalEntity
from layouts.rules import version_of
from storage.records.billing import Entry
from storage.records.replies import OwedReply

MARKED_WITHIN = timedelta(seconds=20)
"""How long a reply waits for its marked workbook; then it leaves without."""

NOT_HELD = timedelta(0)

_KNOWN_MOST = 10
"""How many addresses of an entity are told that its password came from a new one."""


def receive(
    arrival: Arrival,
    read: Read,
    proof: Proof | Session,
    store: Store,
    now: datetime,
    policy: Policy,
    foreseen: Foreseen | None = None,
) -> Handled:
    """What one arrival hands in, and the reply it is owed; neither sends nor commits.

    Args:
        arrival: As claimed, with its number in the ledger.
        read: What its bytes say.
        proof: What verifying its passwords gave, or whose session handed it in.
        store: The caller's transaction.
        now: When it is recorded.
        policy: The forms, the rules, and who is answered.
        foreseen: What `foresee` gave for the same arrival.

    Raises:
        ProofOutdated: the proof must be made again.
        MustWait: the user code was guessed at too often; nothing is recorded yet.
        NoSuchEntity: the session is of nobody.
    """
    case = _case(arrival, read, proof, store, now, policy, foreseen or NOTHING)
    letter = case.letter
    if isinstance(proof, Session):
        return _owe(case, _handle(case, _signed_in(case, proof)))
    if letter.bounce is not None:
        return _bounced(letter.bounce, store, now)
    if not case.gate.record:
        return Handled(Outcome.IGNORED, reason=case.gate.reason)
    sender = authenticate(proof, store, now, policy.guard, case.foreseen)
    if isinstance(sender, Finding):
        return _owe(case, _refuse(case, sender, proof.claims))
    _tell_known(case, sender)
    entity = sender.entity
    if sender.refused:
        handled = _refuse(case, sender.refused, proof.claims)
    else:
        # A marked workbook goes to known addresses only: its content is the sender's.
        is_known = letter.reply_to.lower() in sender.known
        handled = _handle(case, entity, may_mark=is_known)
    return _owe(case, handled)


def foresee(
    arrival: Arrival,
    read: Read,
    proof: Proof | Session,
    store: Store,
    now: datetime,
    policy: Policy,
    ahead: int,
) -> Foreseen | None:
    """Verdicts and reply of an arrival, worked out over a snapshot; None where there are none.

    The reply to a letter that asks for its standing tells the snapshot's.

    Args:
        arrival: As for `receive`.
        read: As for `receive`.
        proof: As for `receive`.
        store: A snapshot; nothing is changed.
        now: The moment of the reply.
        policy: As for `receive`.
        ahead: How many documents will be recorded first: receipts are numbered behind them.
    """
    foreseen = Foreseen(is_whole=False)
    case = _case(arrival, read, proof, store, now, policy, foreseen)
    numbered = _numbered(store.next_receipt() + ahead)
    if isinstance(proof, Session):
        _handle(case, _signed_in(case, proof), numbered)
    elif case.letter.bounce is not None or not case.gate.record:
        return None
    elif not proof.is_right:
        _refuse(case, proof.refusal, proof.claims)
    else:
        claims = proof.claims
        entity = foreseen.result("entity", store, lambda: entity_claimed(claims, store))
        if entity is not None:
            _handle(case, entity, numbered)
    foreseen.is_whole = True
    return foreseen


def _numbered(first: int) -> Callable[..., Receipt]:
    """In place of `Store.record`: receipts as it will number them."""
    numbers = count(first)

    def number(
        _letter: int,
        parsed: Parsed,
        checked: Checked,
        _entity: LegalEntity,
        received_at: datetime,
        *_: object,
    ) -> Receipt:
        mine = next(numbers)
        again = checked.duplicate_of
        return Receipt(again[0] if again else mine, received_at, parsed, checked)

    return number


@dataclass(frozen=True, slots=True)
class _Case:
    """One letter, with all that its handling needs.

    Attributes:
        session: Who handed it in without a letter; None for mail.
        foreseen: What was worked out before.
    """

    letter: Letter
    documents: Sequence[Parsed]
    gate: Gate
    arrival: Arrival
    store: Store
    now: datetime
    policy: Policy
    session: Session | None
    foreseen: Foreseen

    @property
    def entry(self) -> Entry | None:
        """Operator and reason, of what an operator hands in."""
        return self.session.entry if self.session else None


def _case(
    arrival: Arrival,
    read: Read,
    proof: Proof | Session,
    store: Store,
    now: datetime,
    policy: Policy,
    foreseen: Foreseen,
) -> _Case:
    letter, documents = read.letter, read.parsed
    if isinstance(proof, Session):
        # Handed in by a person: there is no loop to stop and no wish to grant.
        gate = Gate(record=True, answer=bool(letter.reply_to))
        return _Case(letter, documents, gate, arrival, store, now, policy, proof, foreseen)
    gate, policy = policy.gate(letter, has_document=bool(documents)), policy.for_run(arrival.run)
    return _Case(letter, documents, gate, arrival, store, now, policy, None, foreseen)


def _signed_in(case: _Case, session: Session) -> LegalEntity:
    return case.foreseen.result("entity", case.store, lambda: entity_of(session, case.store))


def _bounced(bounce: Bounce, store: Store, now: datetime) -> Handled:
    """Note a bounce that names a reply of ours; no bounce is answered.

    Its Message-ID holds a keyed hash, so that only who had the reply can name it.
    """
    ids, told = bounce.message_ids, bounce.told
    returned = store.outbox.returned(ids, bounce.code, told, now, for_good=bounce.is_for_good)
    kind = "bounce" if bounce.is_for_good else "delay"
    if returned is None:
        return Handled(Outcome.IGNORED, reason=f"{kind} of no reply of ours")
    whose = f"letter {returned.letter}" if returned.letter else "a reminder"
    said = " ".join(filter(None, (bounce.code, told)))
    reason = f"{kind} of the reply to {whose}: {said}"
    return Handled(Outcome.IGNORED, reason=reason, returned=returned)


def _refuse(case: _Case, why: Finding, claims: Claims) -> Handled:
    """The refusal of a sender who is not proven; nothing is recorded."""
    letter, policy = case.letter, case.policy
    findings = (why, *letter.findings)
    settings, number = policy.replies, case.arrival.number
    if why.code is Code.CREDENTIALS_MISSING and not case.documents and not letter.wish:
        # It hands in nothing: the reply says what to send, not how to sign in.
        findings = letter.findings or no_documents(letter.attachments)
    answer = None
    # A sender whose address is not listed gave the right password.
    is_welcome = policy.answer_unknown_senders or why.code is Code.ADDRESS_NOT_ALLOWED
    to = policy.addressee(letter, case.gate, case.store)
    if to is not None and is_welcome and not case.gate.only_authenticated:
        answered, is_to_stranger = replace(letter, reply_to=to.address), to.is_stranger
        about = findings, to
        compose = partial(answers.refusal, answered, findings, case.now, settings)
        told = partial(compose, letter_number=number, is_to_stranger=is_to_stranger)
        answer = case.foreseen.reply(about, told)
    return Handled(
        Outcome.REFUSED,
        findings=findings,
        reply=answer,
        reason=findings[0].code.value,
        truth=why_not(why, claims, case.store),
        claimed=claims.name,
    )


def _handle(
    case: _Case,
    entity: LegalEntity,
    record: Callable[..., Receipt] | None = None,
    *,
    may_mark: bool = True,
) -> Handled:
    """What a proven sender's letter hands in, or asks for, and the reply to it."""
    letter = case.letter
    if letter.wish and not case.documents and not letter.findings and case.session is None:
        return _grant(case, entity)
    return _answer(case, entity, _hand_in(case, entity, record), may_mark=may_mark)


def _hand_in(
    case: _Case, entity: LegalEntity, record: Callable[..., Receipt] | None = None
) -> tuple[Receipt, ...]:
    """Each document checked and recorded, older versions first; told in the letter's order."""
    record = record or case.store.record
    policy, received_at = case.policy, case.arrival.received_at
    documents = against_each_other(case.documents, policy.layouts)
    entry = case.entry
    overrides = case.session.overrides if case.session and entry else None
    secrets = secrets_of(case.letter, documents)

    def age(position: int) -> tuple[int, ...]:
        document = documents[position]
        layout = policy.layout_of(document)
        if layout is None:
            return (0, 0, 0, position)
        return version_of(document, layout, received_at, position)

    def verdict(document: Parsed) -> tuple[Parsed, Checked]:
        layouts, parameters, know = policy.layouts, policy.parameters, case.store.know
        checked = judge(document, layouts, parameters, entity, received_at, know, overrides)
        return without_secrets(document, checked, entity, secrets)

    recorded: dict[int, Receipt] = {}
    for position in sorted(range(len(documents)), key=age):
        judged = partial(verdict, documents[position])
        # By the entity as well: its points decide the verdict, and are no query of it.
        what = "verdict", position, id(entity)
        document, checked = case.foreseen.result(what, case.store, judged)
        recorded[position] = record(
            case.arrival.number, document, checked, entity, received_at, case.now, entry
        )
    return tuple(recorded[position] for position in range(len(documents)))


def _answer(
    case: _Case, entity: LegalEntity, receipts: tuple[Receipt, ...], *, may_mark: bool = True
) -> Handled:
    letter, policy = case.letter, case.policy
    findings = letter.findings
    if not receipts and not findings:
        findings = no_documents(letter.attachments)
    outcome, reason = overall(receipts, findings), case.gate.reason
    handled = Handled(outcome, entity, receipts, findings, reason=reason)
    is_mailed = policy.may_reply(letter, case.gate)
    if not is_mailed and case.session is None:
        return handled
    compose = partial(
        answers.reply,
        replace(letter, findings=findings),
        entity,
        receipts,
        case.now,
        policy.replies,
        letter_number=case.arrival.number,
        entry=case.entry,
    )
    # Without a mail the marked workbook is shown.
    marking = _marking(case, receipts, compose) if may_mark else None
    # Until it is completed, the reply says that its marked workbook is missing.
    first = partial(marking.reply_with, {}) if marking else compose
    about = entity, receipts, marking is not None
    answer = case.foreseen.reply(about, first) if is_mailed else None
    return replace(handled, reply=answer, marking=marking)


def _tell_known(case: _Case, sender: Authenticated) -> None:
    """Owe the known addresses a mail when the right password comes from another one.

    One mail for each pair of them, by its Message-ID; none when From is found to be
    another's, as every forwarded letter would cause one.
    """
    letter, policy, store = case.letter, case.policy, case.store
    is_forged = policy.guard.origin_of(letter).is_forged
    if is_forged or not letter.sender or letter.sender.lower() in sender.known:
        return
    for address in sorted(sender.known)[:_KNOWN_MOST]:
        told = new_address(sender.entity, letter.sender, address, case.now, policy.replies)
        if told.recipient and not policy.too_many(told, store, case.now):
            store.outbox.owe(told, case.now)


def _marking(
    case: _Case, receipts: Sequence[Receipt], compose: Callable[..., OwedReply]
) -> Marking | None:
    """Workbooks with findings in their cells, by the first receipt that each of them has."""
    wanted: dict[str, list[Finding]] = {}
    first: dict[str, int] = {}
    for index, receipt in enumerate(receipts):
        found = receipt.checked.findings
        if any(item.place.sheet is not None for item in found):
            wanted.setdefault(receipt.parsed.sha256, []).extend(found)
            first.setdefault(receipt.parsed.sha256, index)
    if not wanted:
        return None

    def reply_with(marked: Mapping[str, Marked]) -> OwedReply:
        return compose(marked={at: marked.get(sha256) for sha256, at in first.items()})

    secrets = secrets_of(case.letter, case.documents)
    return Marking(Marks(wanted, secrets, case.policy.replies.language), reply_with)


def _grant(case: _Case, entity: LegalEntity) -> Handled:
    """The reply to a letter that asks for its standing or a workbook and has no document."""
    letter, policy, store = case.letter, case.policy, case.store
    answer = None
    if policy.may_reply(letter, case.gate):
        wished = partial(wishes.answer, letter, entity, store, case.now, policy.replies)
        compose = partial(wished, policy.layouts, letter_number=case.arrival.number)
        answer = case.foreseen.reply(entity, compose)
    return Handled(Outcome.ANSWERED, entity, reply=answer, reason=case.gate.reason)


def _owe(case: _Case, handled: Handled) -> Handled:
    """Owe the reply, unless its recipient reached the bound of replies."""
    answer, store, now, policy = handled.reply, case.store, case.now, case.policy
    if answer is None:
        return handled
    if reason := policy.too_many(answer, store, now):
        marking = handled.marking if case.session else None
        return replace(handled, reply=None, marking=marking, reason=reason)
    store.outbox.owe(answer, now, held_for=MARKED_WITHIN if handled.marking else NOT_HELD)
    return handled


def quarantine_notice(
    arrival: Arrival, letter: Letter | None, store: Store, now: datetime, policy: Policy
) -> OwedReply | None:
    """The reply to a letter that a person must look at; None where none may go.

    No sender is proven, so the bounds on answers to strangers hold as for a refusal.

    Args:
        arrival: Where it came from and when.
        letter: As it was read; None when it could not be.
        store: Of the transaction in hand.
        now: The moment of it, aware.
        policy: To whom we write, and how.
    """
    if letter is None:
        return None
    gate = policy.gate(letter, has_document=bool(letter.documents))
    to = policy.addressee(letter, gate, store) if gate.record else None
    if to is None:
        return None
    if to.is_stranger and (gate.only_authenticated or not policy.answer_unknown_senders):
        return None
    answer = answers.notice(
        replace(letter, reply_to=to.address),
        now,
        policy.for_run(arrival.run).replies,
        letter_number=arrival.number,
        is_to_stranger=to.is_stranger,
    )
    return None if policy.too_many(answer, store, now) else answer
