"""Letters listed, shown, replayed and processed from files; workbooks to fill in."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import ClassVar

from ingest.intake.outcome import Handled
from ingest.intake.wishes import workbook
from ingest.letters.mime import Part, TooManyPartsError, walk
from ingest.letters.terms import Outcome, RawLetter
from ingest.operations.ports import Ledger, Service
from ingest.operations.refused import NotThere, Refused, check_entity, entity_named
from ingest.operations.told import Document, Keys, document_of
from layouts.findings import Code, printable
from layouts.months import MOSCOW
from storage.records.letters import Claim, LetterDetails, LetterState, LetterSummary

DROPPED = "drop "
"""The beginning of the sources of dropped files."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters are listed; None leaves a question out.

    Attributes:
        state: A state of the ledger, or an outcome.
        entity: User code.
        code: Of a finding, the letter's or a document's.
        sender: A part of the address.
        subject: A part of it.
        receipt: One of the letter's.
        since: Received then or later; aware.
        until: Received before; aware.
        limit: That many of the latest.
    """

    state: str | None = None
    entity: str | None = None
    code: str | None = None
    sender: str | None = None
    subject: str | None = None
    receipt: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    limit: int | None = None


def find(ledger: Ledger, wanted: Wanted) -> list[LetterSummary]:
    """The letters wanted, in the order in which they arrived.

    Raises:
        Refused: there is no such state, finding or user code.
    """
    asked = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    state = asked.pop("state")
    is_state = state in set(LetterState)
    if state is not None and not is_state and state not in set(Outcome):
        known = ", ".join(dict.fromkeys([*LetterState, *Outcome]))
        raise Refused(f"--state {state}: it is none of {known}")
    if wanted.code is not None and wanted.code not in set(Code):
        raise Refused(f"--code {wanted.code}: there is no such finding (docs/findings.md)")
    with ledger.reading() as store:
        check_entity(store, wanted.entity)
        return store.letters.find(
            state=state if is_state else None, outcome=None if is_state else state, **asked
        )


def details(ledger: Ledger, number: int) -> LetterDetails:
    """A letter with its findings, receipts and replies.

    Raises:
        NotThere: there is no letter of this number.
    """
    with ledger.reading() as store:
        whole = store.letters.details(number)
    if whole is None:
        raise NotThere(f"{number}: there is no letter of this number")
    return whole


_PARTS_TOLD = 20


def replay(service: Service, numbers: Sequence[int], who: str, now: datetime) -> Replayed:
    """Put letters back to where they arrived, so that the next pass reads them anew.

    A running daemon notices at once. A dropped file is taken once more where it
    lies. What no mailbox and no folder has any more keeps its verdict.

    Args:
        service: The wired parts.
        numbers: Of the letters.
        who: The operator, as the audit names it.
        now: The moment of it, aware.

    Raises:
        Refused: there is no letter of one of the numbers; none was put back.
        ConnectionError: a mailbox or the database is away.
    """
    letters = [details(service.ledger, number) for number in numbers]

    def reopen(named: Mapping[str, LetterDetails], there: Collection[str]) -> None:
        # Before they are moved: a daemon files at once what has a verdict.
        with service.ledger.transaction() as store:
            found = {named[one].summary.id: named[one].summary.outcome for one in there}
            opened = [number for number in found if store.letters.reopen(number)]
            changes = [(str(number), {"outcome": found[number]}, None) for number in opened]
            store.audit.add_all(now, who, "replay", changes)

    filed: dict[str, dict[str, LetterDetails]] = defaultdict(dict)
    for whole in letters:
        if whole.summary.outcome:
            filed[whole.summary.outcome][whole.sha256] = whole
    done: set[int] = set()
    for outcome, several in filed.items():
        wanted = {sha: (whole.size, whole.summary.received_at) for sha, whole in several.items()}
        found = service.transports.put_back(outcome, wanted, partial(reopen, several))
        done |= {several[sha].summary.id for sha in found}
    dropped: dict[str, dict[str, LetterDetails]] = defaultdict(dict)
    for whole in letters:
        for place in whole.locations:
            if place.mailbox.startswith(DROPPED) and whole.summary.id not in done:
                dropped[place.mailbox][place.key] = whole
    for source, several in dropped.items():
        there = service.transports.put_back_dropped(source, set(several), partial(reopen, several))
        done |= {several[key].summary.id for key in there}
    return Replayed(tuple(sorted(done)), tuple(n for n in numbers if n not in done))


@dataclass(frozen=True, slots=True)
class Replayed:
    """Numbers of letters that will be read anew, and of those that nothing has any more."""

    put_back: tuple[int, ...]
    not_found: tuple[int, ...]


def raw(service: Service, number: int) -> bytes:
    """A letter as it arrived. The bytes lie on the mail server, where people may move them.

    Raises:
        Refused: no such letter, or no mailbox has it where it was filed.
        ConnectionError: a mailbox or the database is away.
    """
    whole = details(service.ledger, number)
    summary = whole.summary
    found = service.transports.content_of(
        summary.outcome, whole.sha256, whole.size, summary.received_at
    )
    if found is None:
        raise Refused(
            f"{number}: no mailbox has this letter where it was filed; it came otherwise, was"
            " moved or removed, or is over [limits] letter_mb"
        )
    return found


def parts(content: bytes) -> list[Part]:
    """The parts of a letter, in the order that `part` counts them; of endless ones the first."""
    found: list[Part] = []
    with suppress(TooManyPartsError):
        found += walk(content)
    return found


def part(content: bytes, number: int) -> bytes:
    """A part of a letter by its number, from 1, its transfer encoding undone.

    Raises:
        Refused: it has no such part; tells those it has.
    """
    found = parts(content)
    if number <= len(found):
        return found[number - 1].content
    told = "; ".join(
        f"{n} {printable(one.content_type)} {printable(one.name)}".rstrip()
        for n, one in enumerate(found[:_PARTS_TOLD], 1)
    )
    raise Refused(f"there is no part {number}; the letter has {len(found)}: {told}")


def template(service: Service, number: str, code: str | None, language: str) -> bytes:
    """A workbook to fill in, with the points of an entity.

    Args:
        service: The wired parts.
        number: The layout's.
        code: Whose points and meters are filled in; None: an empty form.
        language: Of the texts.

    Raises:
        Refused: there is no such layout, it has no workbook, or nobody has this user code.
    """
    forms = sorted(name for name, form in service.layouts.items() if form.workbook is not None)
    if number not in forms:
        raise Refused(f"{number}: there are workbooks of {', '.join(forms)}")
    layout, today = service.layouts[number], datetime.now(MOSCOW).date()
    if code is None:
        return workbook(layout, None, None, language, today)
    with service.ledger.reading() as store:
        return workbook(layout, entity_named(store, code), store, language, today)


def backfill(
    service: Service, since: date, tell: Callable[[], None], *, replies: bool = True
) -> Mapping[str, int]:
    """Read the letters filed since a day once more; those the ledger knows are passed over.

    Args:
        service: The wired parts.
        since: By the mail server's calendar.
        tell: Called after each letter, for progress.
        replies: Whether letters that the database does not know are answered.

    Returns:
        How many letters had which outcome.

    Raises:
        ConnectionError: a mailbox or the database is away.
    """
    outcomes: Counter[str] = Counter()

    def told(raw: RawLetter, claim: Claim, handled: Handled) -> None:  # noqa: ARG001
        outcomes[handled.outcome.value] += 1
        tell()

    service.read_filed(since, told, replies=replies)
    return dict(outcomes)


@dataclass(frozen=True, slots=True)
class Processed:
    """One letter with its verdict."""

    KEYS: ClassVar[Keys] = {
        "source": "source",
        "letter": "letter",
        "outcome": "handled.outcome",
        "entity": "handled.entity.user_code",
        "findings": "handled.findings",
        "documents": "documents",
        "reply": "handled.reply",
    }

    source: str
    letter: int
    handled: Handled

    @property
    def documents(self) -> tuple[Document, ...]:
        """Each document with its receipt."""
        return tuple(map(document_of, self.handled.receipts))


def process_paths(
    service: Service,
    paths: Sequence[Path],
    at: datetime | None,
    tell: Callable[[Processed], None],
    *,
    dry_run: bool,
) -> None:
    """Every letter under the paths to its verdict.

    Args:
        service: The wired parts.
        paths: Files and folders of letters.
        at: Moment of receipt of letters that carry none; None: now.
        tell: Called with each letter once it is committed.
        dry_run: Undo everything at the end.

    Raises:
        NoLettersError: a path holds none; said before the first letter is read.
        ConnectionError: the database is away, or no child can be had.
    """
    service.process(paths, at, lambda *letter: tell(Processed(*letter)), dry_run=dry_run)
