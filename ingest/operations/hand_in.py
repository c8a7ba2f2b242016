"""Files and readings handed in without a letter: by upload, page, HTTP API or operator.

One function for all of them, with another `Sender`: what is handed in is an arrival, and
goes through the confined reader, `intake.receive`, the rules, the ledger and the reply
that a letter goes through.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

import structlog

from ingest.intake.attempt import marked_workbooks, release
from ingest.intake.authenticate import NoSuchEntity, Session, entity_of
from ingest.intake.outcome import Handled
from ingest.intake.policy import Policy
from ingest.intake.receive import receive
from ingest.letters.terms import Arrival, Marked, RawLetter, Read
from ingest.operations.check import Result, ToldDocument, unreadable
from ingest.operations.ports import Ledger, WholeLedger
from ingest.operations.told import MERGED, Document, Keys, document_of
from ingest.reading import Reader
from layouts.findings import Code, Finding
from layouts.known import Receipt
from layouts.months import MOSCOW
from layouts.terms import Verdict
from storage.records.billing import Entry
from storage.records.letters import LetterFacts, LetterState, Location, SubmissionDetails
from storage.store import Store

__all__ = ["File", "HandedIn", "NoSuchEntity", "Sender", "Way", "hand_in"]

log = structlog.get_logger()

_TRIES = 3
"""How often a transaction is begun when somebody hands in the same bytes at the same time."""


class Way(StrEnum):
    """How something came that is no letter: the source of its arrival."""

    OPERATOR = "operator"
    UPLOAD = "upload"
    PAGE = "page"
    API = "api"


@dataclass(frozen=True, slots=True)
class File:
    """One file by its bytes; the name says of what kind it is."""

    name: str
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of its bytes, hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who hands in, for which legal entity.

    Attributes:
        entity: Its user code.
        who: The operator, or the user of an account, as the ledger and the log name them.
        reason: Of an operator, for the audit and the entity; '' for the entity itself.
        overrides: Codes that the operator decides against.
        mail_to: Where the reply is mailed; '' for nowhere. None: to the first address
            that the register lists, as operators' acts are told.
    """

    way: Way
    entity: str
    who: str
    reason: str = ""
    overrides: frozenset[Code] = frozenset()
    mail_to: str | None = ""

    @property
    def session(self) -> Session:
        """What takes the place of a proof."""
        entry = Entry(self.who, self.reason) if self.way is Way.OPERATOR else None
        return Session(self.entity, entry, self.overrides)


@dataclass(frozen=True, slots=True)
class HandedDocument:
    """A document as `check` tells it, with the receipt that it got.

    Attributes:
        receipt: Its number; None of one that was only checked, or that is none.
    """

    KEYS: ClassVar[Keys] = {MERGED: "document", "receipt": "receipt"}

    document: ToldDocument
    receipt: int | None = None


@dataclass(frozen=True, slots=True)
class HandedIn:
    """The result of handing in a file.

    Attributes:
        letter: Number of the arrival in the ledger; 0 when nothing was recorded.
        handled: Verdict, receipts and reply.
        source: The file's name.
        marked: Workbooks with the findings in their cells, by SHA-256 of the document.
        is_dry_run: Whether it was only checked: its receipts have no numbers then.
        is_known: Whether the same bytes were handed in before: the receipts are those.
    """

    KEYS: ClassVar[Keys] = {
        "source": "source",
        "letter": lambda done: done.letter or None,
        "outcome": "handled.outcome",
        "entity": "handled.entity.user_code",
        "findings": "handled.findings",
        "documents": "documents",
        "reply": "handled.reply",
        "known": "is_known",
    }

    letter: int
    handled: Handled
    source: str
    marked: Mapping[str, Marked] = field(default_factory=dict)
    is_dry_run: bool = False
    is_known: bool = False

    @property
    def has_numbers(self) -> bool:
        """Whether its receipts are kept."""
        return self.is_known or not self.is_dry_run

    @property
    def documents(self) -> tuple[Document, ...]:
        """Each document with its receipt; one that was only checked has no number."""
        receipts = self.handled.receipts
        return tuple(document_of(one, is_kept=not self.is_dry_run) for one in receipts)

    def told(self, policy: Policy) -> tuple[HandedDocument, ...]:
        """Each document as `check` tells of it, with its receipt's number; never none.

        Codes are those that a sender may see: another entity's point is an unknown one.
        """
        told = []
        for one in self.handled.receipts:
            layout = policy.layout_of(one.parsed)
            zone = ZoneInfo(layout.zone) if layout else MOSCOW
            checked = replace(one.checked, findings=public(one.checked.findings))
            document = Result(one.parsed.name, one.parsed, checked, zone).told
            told.append(HandedDocument(document, one.number if self.has_numbers else None))
        if self.handled.findings or not told:
            told.append(HandedDocument(unreadable(self.source, public(self.handled.findings))))
        return tuple(told)


def public(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by the codes that a sender may see."""
    return tuple(replace(item, code=item.public_code) for item in findings)


def hand_in(
    file: File,
    sender: Sender,
    ledger: WholeLedger,
    policy: Policy,
    reader: Reader,
    now: datetime,
    *,
    dry_run: bool = False,
) -> HandedIn:
    """Hand in a file for a legal entity, or only check it.

    The same bytes once more, when there is nothing new to say of them, get the receipts
    that they have.

    Args:
        file: As it came.
        sender: Who, for whom, and in which way.
        ledger: What it hands in is recorded in it.
        policy: The forms and the rules.
        reader: Reads and marks in confined children.
        now: The moment of receipt.
        dry_run: Check with registry and history, and record nothing.

    Raises:
        NoSuchEntity: the register has no such user code, or it is switched off.
        ConnectionError: database or readers are away.
    """
    case = _read(file, sender, ledger, policy, reader, now)
    if dry_run:
        with ledger.rehearsal() as rehearsed:
            done = _recorded(case, rehearsed)
        done = replace(done, letter=done.letter if done.is_known else 0, is_dry_run=True)
    else:
        done = _recorded(case, ledger)
    marked = marked_workbooks(case.raw, done.handled, reader)
    done = replace(done, marked=marked)
    if dry_run or done.is_known:
        return done
    _log(done, sender)
    handled = done.handled
    if handled.marking is None:
        return done
    reply = handled.reply and handled.marking.reply_with(marked)
    return replace(done, handled=release(handled, reply, ledger))


@dataclass(frozen=True, slots=True)
class _Case:
    """A file that was read, and all that recording it needs.

    Attributes:
        folder: What the arrivals of the same bytes for the same entity have in common.
    """

    raw: RawLetter
    read: Read
    folder: str
    sender: Sender
    policy: Policy
    now: datetime


def _read(
    file: File,
    sender: Sender,
    ledger: WholeLedger,
    policy: Policy,
    reader: Reader,
    now: datetime,
) -> _Case:
    with ledger.reading() as store:
        entity = entity_of(sender.session, store)
    mail_to = sender.mail_to
    if mail_to is None:
        mail_to = next(iter(entity.addresses), "")
    folder = f"{entity.user_code}/{file.sha256}"
    size = len(file.content)
    arrival = Arrival(sender.way, folder, now, size, sender.who, entity.user_code)
    raw = RawLetter(arrival, file.content, file_name=file.name or "file")
    read = reader.read_together([raw])[0].result()
    # A letter that is handed in as a file says nothing of who hands it in, nor asks for anything.
    letter = replace(
        read.letter,
        sender=sender.who,
        reply_to=mail_to,
        credentials=(),
        wish=None,
        subject=read.letter.subject or file.name,
    )
    return _Case(raw, Read(letter, read.parsed), folder, sender, policy, now)


class _Undone(Exception):  # noqa: N818 - nothing went wrong
    """Raised to roll a transaction back.

    Attributes:
        known: What the same bytes led to before; None: look again.
    """

    def __init__(self, known: HandedIn | None) -> None:
        super().__init__()
        self.known = known


def _recorded(case: _Case, ledger: Ledger) -> HandedIn:
    """What became of it, in one transaction.

    Raises:
        ConnectionError: others hand in the very same bytes all the time.
    """
    for _ in range(_TRIES):
        try:
            with ledger.transaction() as store:
                return _record(case, store)
        except _Undone as undone:
            if undone.known is not None:
                return undone.known
    raise ConnectionError("the same document is being handed in by others: try again")


def _record(case: _Case, store: Store) -> HandedIn:
    """What became of it; raises `_Undone` when it is known already."""
    sender, now = case.sender, case.now
    last = store.letters.last_in(sender.way, case.folder)
    number = last[0] + 1 if last else 1
    place = Location(sender.way, case.folder, 0, number)
    identity = hashlib.sha256(f"{sender.way} {place.key}".encode()).hexdigest()
    claim = store.letters.claim(place, identity, case.raw.size, now, now)
    # It has a verdict: somebody else handed in the same at the same moment, and was first.
    is_second = claim.state is not LetterState.CLAIMED
    earlier = claim.letter if is_second else last and last[1]
    before = store.submissions.of_letter(earlier) if earlier else []
    arrival = replace(case.raw.arrival, key=place.key, number=claim.letter)
    handled = receive(arrival, case.read, sender.session, store, now, case.policy)
    if earlier:
        receipts = _as_before(handled.receipts, before)
        if receipts is not None:
            known = replace(handled, receipts=receipts, reply=None)
            raise _Undone(HandedIn(earlier, known, case.raw.file_name, is_known=True))
        if is_second:
            raise _Undone(None)
    letter = case.read.letter
    facts = LetterFacts(sender.who, letter.subject, letter.message_id, handled.findings)
    store.letters.settle(claim.letter, handled.outcome, facts, handled.entity, now)
    if sender.session.entry is not None:
        _audit(handled, sender, store, now)
    return HandedIn(claim.letter, handled, case.raw.file_name)


def _as_before(
    receipts: Sequence[Receipt], before: Sequence[SubmissionDetails]
) -> tuple[Receipt, ...] | None:
    """The receipts that the same documents have; None when there is something new to say."""
    if len(receipts) != len(before):
        return None
    told = []
    for one, earlier in zip(receipts, before, strict=True):
        checked = one.checked
        if checked.verdict is not Verdict.DUPLICATE:
            if any(
                change.added or change.replaced or change.displaced for change in checked.changes
            ):
                return None
            if (checked.verdict, _errors(checked.findings)) != (
                earlier.verdict,
                _errors(earlier.findings),
            ):
                return None
        told.append(replace(one, number=earlier.receipt))
    return tuple(told)


def _errors(findings: Sequence[Finding]) -> list[tuple[object, ...]]:
    """Errors that kept readings out, without details that differ from day to day."""
    return [
        (item.code, item.place, item.area, item.point, item.meter, item.channel, item.zone)
        for item in findings
        if item.is_error
    ]


def _audit(handled: Handled, sender: Sender, store: Store, now: datetime) -> None:
    entries = []
    for receipt in handled.receipts:
        overridden = {str(x.code) for x in receipt.checked.findings if x.is_overridden}
        after = {
            "entity": sender.entity,
            "document": receipt.parsed.name,
            "verdict": str(receipt.checked.verdict),
            "reason": sender.reason,
            "overridden": sorted(overridden),
        }
        entries.append((str(receipt.number), None, after))
    store.audit.add_all(now, sender.who, "entry", entries)


def _log(done: HandedIn, sender: Sender) -> None:
    handled = done.handled
    findings = sum(len(one.checked.findings) for one in handled.receipts)
    log.info(
        "document.handed_in",
        letter=done.letter,
        source=str(sender.way),
        operator=sender.who if sender.way is Way.OPERATOR else None,
        verdict=handled.outcome.value,
        entity=sender.entity,
        layouts=sorted({one.parsed.layout for one in handled.receipts if one.parsed.layout}),
        documents=len(handled.receipts),
        values=handled.values,
        findings=len(handled.findings) + findings,
        receipts=[one.number for one in handled.receipts],
        reply=handled.reply.message_id if handled.reply else None,
    )
