"""The ledger of letters: claimed, settled, quarantined, listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, case, func, or_, select

from layouts.points import LegalEntity
from storage.columns import instant
from storage.faults import SettledElsewhere
from storage.findings import Findings
from storage.records.letters import (
    EVERY_LETTER,
    Claim,
    LetterDetails,
    LetterFacts,
    LetterPage,
    LetterState,
    LetterSummary,
    Location,
    Sought,
)
from storage.records.replies import ReplyState, SentReply
from storage.session import Part, Session
from storage.submissions import Submissions
from storage.tables.letters import FINDING, LETTER, LOCATION, REPLY, SUBMISSION
from storage.tables.points import ENTITY


class Letters(Part):
    """Letters by the SHA-256 of their bytes, each with the places where it was seen."""

    matter = "letters"

    def __init__(self, session: Session, findings: Findings, submissions: Submissions) -> None:
        super().__init__(session)
        self._findings = findings
        self._submissions = submissions

    def claim(
        self,
        location: Location | None,
        sha256: str,
        size: int,
        received_at: datetime,
        now: datetime,
    ) -> Claim:
        """The letter's ledger row, made when new; one attempt more is counted.

        A letter that has its verdict is only told: no attempt is counted for it.
        The bytes decide which letter it is, not the place: a server that gives a
        UID a second time moves the place to the other letter.

        Args:
            location: Where it lies, as far as that is known.
            sha256: Of the bytes.
            size: In bytes.
            received_at: Moment of receipt, aware.
            now: The moment of it, aware.

        Raises:
            LookupError: it has no location, and no row either.
        """
        row = self._sql.row(
            "count_attempt", sha256=sha256, size=size, received_at=received_at, now=now
        ) or self._sql.row("settled", sha256=sha256)
        if row is None:
            raise LookupError("a letter without a row of its own")
        if location is not None:
            self._locate(location, row.id)
        return _claim(row)

    def _locate(self, location: Location, letter: int) -> None:
        self._sql.change(
            "locate",
            mailbox=location.mailbox,
            folder=location.folder,
            uidvalidity=location.uidvalidity,
            uid=location.uid,
            letter=letter,
        )

    def unclaim(self, letter: int) -> None:
        """Take an attempt back: a fault of time ended the pass."""
        self._connection.execute(
            LETTER.update()
            .where(
                LETTER.c.id == letter,
                LETTER.c.state == LetterState.CLAIMED,
                LETTER.c.attempts > 0,
            )
            .values(attempts=LETTER.c.attempts - 1)
        )

    def wait(self, letter: int, rest: timedelta, sender: str, claimed: str, reason: str) -> None:
        """Have a letter tried again only after so long; the attempt is taken back.

        Args:
            letter: Its number.
            rest: How long; less than two hours.
            sender: The address that it claims to be from.
            claimed: The user code that it names.
            reason: Why, for operators.
        """
        self._sql.change(
            "wait",
            letter=letter,
            rest=int(rest.total_seconds()),
            sender=sender,
            claimed=claimed,
            reason=reason,
        )

    def wait_no_more(self) -> None:
        """Have every letter that waits tried in the next pass."""
        self._connection.execute(
            LETTER.update()
            .where(LETTER.c.state == LetterState.CLAIMED, LETTER.c.waits_until.is_not(None))
            .values(waits_until=None)
        )

    def known(
        self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]
    ) -> dict[int, Claim]:
        """Those of the UIDs that the ledger knows, with what became of them.

        Args:
            mailbox: Its name in the configuration.
            folder: The folder's path.
            uidvalidity: Of the folder.
            uids: Which letters.
        """
        place = {"mailbox": mailbox, "folder": folder, "uidvalidity": uidvalidity}
        rows = self._listed("known", uids, **place)
        return {row.uid: _claim(row, waits=bool(row.waits)) for row in rows}

    def last_in(self, mailbox: str, folder: str) -> tuple[int, int] | None:
        """The highest number in a place that is no mailbox's, and the letter of it."""
        of = LOCATION.c
        found = (
            select(of.uid, of.letter_id)
            .where(of.mailbox == mailbox, of.folder == folder, of.uidvalidity == 0)
            .order_by(of.uid.desc())
            .limit(1)
        )
        row = self._connection.execute(found).one_or_none()
        return None if row is None else (row.uid, row.letter_id)

    def settle(
        self,
        letter: int,
        outcome: str,
        facts: LetterFacts,
        entity: LegalEntity | None,
        now: datetime,
    ) -> None:
        """Keep the verdict of a letter.

        Args:
            letter: Its number in the ledger.
            outcome: The verdict.
            facts: What is kept of it, without secrets.
            entity: Whose it is; None when that is not known.
            now: The moment of it, aware.

        Raises:
            SettledElsewhere: another process, which took this one for dead, gave it
                a verdict meanwhile; the transaction must not be committed.
        """
        settled = self._sql.change(
            "settle",
            letter=letter,
            outcome=outcome,
            entity=entity.id if entity else None,
            sender=facts.sender,
            subject=facts.subject,
            message_id=facts.message_id,
            reason=facts.reason or None,
            claimed=facts.claimed or None,
            now=now,
        )
        if not settled and self._is_done(letter):
            raise SettledElsewhere("another process has settled this letter meanwhile")
        self._findings.keep(facts.findings, letter_id=letter)

    def _is_done(self, letter: int) -> bool:
        state = self._connection.scalar(select(LETTER.c.state).where(LETTER.c.id == letter))
        return bool(state == LetterState.DONE)

    def quarantine(
        self, letter: int, error: str, now: datetime, sender: str = "", subject: str = ""
    ) -> None:
        """Quarantine a letter for a person to look at.

        The letter's bytes, and the password in them, stay on the mail server alone.

        Args:
            letter: Its number.
            error: One line; shown by `show` and `status`.
            now: When.
            sender: As far as it could be read.
            subject: With passwords masked.
        """
        self._connection.execute(
            LETTER.update().where(LETTER.c.id == letter),
            {
                "sender": sender,
                "subject": subject,
                "state": LetterState.QUARANTINED,
                "outcome": LetterState.QUARANTINED,
                "settled_at": now,
                "error": error,
            },
        )

    def reopen(self, letter: int) -> bool:
        """Let a settled letter be read once more; False when it waits for that already.

        Its moment of receipt stays the first one; what it recorded stays recorded.
        """
        reopened = self._connection.execute(
            LETTER.update()
            .where(LETTER.c.id == letter, LETTER.c.state != LetterState.CLAIMED)
            .values(
                state=LetterState.CLAIMED,
                outcome=None,
                attempts=0,
                settled_at=None,
                error=None,
                run=LETTER.c.run + 1,
            )
        )
        return reopened.rowcount == 1

    def find(  # noqa: PLR0913 - each is one question of an operator's
        self,
        *,
        state: str | None = None,
        outcome: str | None = None,
        entity: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        sender: str | None = None,
        subject: str | None = None,
        code: str | None = None,
        receipt: int | None = None,
        limit: int | None = None,
    ) -> list[LetterSummary]:
        """Letters in the order they arrived.

        Args:
            state: Only those as far as that; see `LetterState`.
            outcome: Only those with that verdict.
            entity: Only those of the legal entity with this user code.
            since: Only those received at this moment or later.
            until: Only those received before this moment.
            sender: Only those whose address holds this text, in any case.
            subject: Only those whose subject holds this text, in any case of its letters.
            code: Only those with a finding of this code, of their own or of a document.
            receipt: Only the one with this receipt.
            limit: Only so many, the latest ones.
        """
        statement = _listing()
        if state is not None:
            statement = statement.where(LETTER.c.state == state)
        if outcome is not None:
            statement = statement.where(LETTER.c.outcome == outcome)
        if entity is not None:
            statement = statement.where(ENTITY.c.user_code == entity)
        if since is not None:
            statement = statement.where(LETTER.c.received_at >= since)
        if until is not None:
            statement = statement.where(LETTER.c.received_at < until)
        if code is not None:
            statement = statement.where(_has_finding(code))
        if receipt is not None:
            given = select(SUBMISSION.c.letter_id).where(SUBMISSION.c.id == receipt)
            statement = statement.where(LETTER.c.id.in_(given))
        statement = statement.order_by(LETTER.c.received_at, LETTER.c.id)
        rows = (_summary(row) for row in self._connection.execute(statement))
        # Here: SQLite folds the case of Latin letters only.
        wanted = [
            row
            for row in rows
            if (sender or "").casefold() in row.sender.casefold()
            and (subject or "").casefold() in row.subject.casefold()
        ]
        return wanted if limit is None else wanted[-limit:]

    def page(self, before: int | None, limit: int, sought: Sought = EVERY_LETTER) -> LetterPage:
        """A page of letters, the latest first, in bounded time however many there are.

        Args:
            before: Only those of lower numbers; None: from the latest on.
            limit: How many letters a page has at most.
            sought: Which ones.
        """
        entities = select(ENTITY.c.id).where(ENTITY.c.user_code == sought.entity)
        receipts = select(SUBMISSION.c.letter_id).where(SUBMISSION.c.id == sought.receipt)
        since, until = sought.since, sought.until
        of = LETTER.c
        wanted = [
            condition
            for value, condition in (
                (sought.state, of.state == sought.state),
                (sought.outcome, of.outcome == sought.outcome),
                (sought.claimed, of.claimed_code == sought.claimed),
                (sought.entity, of.entity_id.in_(entities)),
                (sought.receipt, of.id.in_(receipts)),
                (since, of.received_at >= since if since else None),
                (until, of.received_at < until if until else None),
            )
            if value is not None and condition is not None
        ]
        texts = sought.sender.casefold(), sought.subject.casefold()
        numbers = self._numbers(wanted, texts, before, limit)
        rows = self._connection.execute(
            _listing().where(of.id.in_(numbers.found)).order_by(of.id.desc())
        )
        return LetterPage(tuple(map(_summary, rows)), numbers.before)

    def _numbers(
        self,
        wanted: Sequence[ColumnElement[bool]],
        texts: tuple[str, str],
        before: int | None,
        limit: int,
    ) -> _Numbers:
        """Numbers of a page's letters; texts are looked for here, as SQLite folds Latin only."""
        of, found = LETTER.c, list[int]()
        statement = select(of.id, of.sender, of.subject).where(*wanted).order_by(of.id.desc())
        for _ in range(_LOOKS if any(texts) else 1):
            at_once = _LOOK if any(texts) else limit
            earlier = statement if before is None else statement.where(of.id < before)
            rows = self._connection.execute(earlier.limit(at_once)).all()
            for row in rows:
                before = row.id
                if texts[0] in row.sender.casefold() and texts[1] in row.subject.casefold():
                    found.append(row.id)
                if len(found) == limit:
                    return _Numbers(found, before)
            if len(rows) < at_once:
                return _Numbers(found, None)
        return _Numbers(found, before)

    def forget(self, before: datetime, above: int, most: int) -> tuple[int, int]:
        """Drop what done letters said of themselves: sender, subject, Message-ID, claimed code.

        Bytes' hashes, moments, outcomes and places stay: by them a letter is known again.

        Args:
            before: Received earlier.
            above: Only numbers above this one.
            most: Letters at once.

        Returns:
            How many, and the highest number of them; 0 and `above` when there are none.
        """
        empty = {"sender": "", "subject": "", "message_id": "", "claimed_code": None}
        found = self._emptied(LETTER, [*_tells(before), LETTER.c.id > above], most, empty)
        return len(found), max(found, default=above)

    def forgettable(self, before: datetime) -> int:
        """How many letters `forget` would drop something of."""
        found = select(func.count()).select_from(LETTER).where(*_tells(before))
        return int(self._connection.scalar(found) or 0)

    def details(self, number: int, *, submissions: bool = True) -> LetterDetails | None:
        """All that is known of one letter; None when there is none of that number.

        Args:
            number: The letter's.
            submissions: With its documents and what became of their values.
        """
        row = self._connection.execute(_listing().where(LETTER.c.id == number)).one_or_none()
        if row is None:
            return None
        places = select(LOCATION).where(LOCATION.c.letter_id == number).order_by(LOCATION.c.uid)
        return LetterDetails(
            summary=_summary(row),
            sha256=row.sha256,
            size=row.size,
            message_id=row.message_id,
            claimed_at=row.claimed_at,
            settled_at=row.settled_at,
            locations=tuple(
                Location(place.mailbox, place.folder, place.uidvalidity, place.uid)
                for place in self._connection.execute(places)
            ),
            findings=tuple(self._findings.of_letter(number)),
            submissions=tuple(self._submissions.of_letter(number)) if submissions else (),
            replies=tuple(self._replies(number)),
        )

    def _replies(self, letter: int) -> list[SentReply]:
        rows = self._connection.execute(
            select(REPLY).where(REPLY.c.letter_id == letter).order_by(REPLY.c.id)
        )
        return [_sent_reply(row) for row in rows]


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Letters found, and the last one that was looked at; None: there are no earlier ones."""

    found: list[int]
    before: int | None


_LOOK, _LOOKS = 1000, 10
"""A text is looked for in so many letters at once, and so often for one page."""


def _claim(row: Any, *, waits: bool = False) -> Claim:
    received_at = instant(row.received_at)
    return Claim(
        row.id,
        LetterState(row.state),
        row.outcome,
        row.attempts,
        received_at,
        row.run,
        waits,
    )


def _listing() -> Select[Any]:
    """Letters with their entity, the counts of their documents and their last reply."""
    of_letter = SUBMISSION.c.letter_id == LETTER.c.id
    documents = select(func.count()).where(of_letter).scalar_subquery()
    values = select(func.sum(SUBMISSION.c.accepted_values)).where(of_letter).scalar_subquery()
    last_reply = (
        select(case((REPLY.c.bounced_at.is_not(None), ReplyState.BOUNCED), else_=REPLY.c.state))
        .where(REPLY.c.letter_id == LETTER.c.id)
        .order_by(REPLY.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return select(
        *LETTER.c,
        ENTITY.c.user_code,
        documents.label("documents"),
        values.label("accepted_values"),
        last_reply.label("reply"),
    ).join_from(LETTER, ENTITY, isouter=True)


def _tells(before: datetime) -> tuple[ColumnElement[bool], ...]:
    """Of letters received before a moment that are done and still tell of themselves."""
    told = (LETTER.c.sender, LETTER.c.subject, LETTER.c.message_id)
    return (
        LETTER.c.state == LetterState.DONE,
        LETTER.c.received_at < before,
        or_(*(column != "" for column in told), LETTER.c.claimed_code.is_not(None)),
    )


def _has_finding(code: str) -> ColumnElement[bool]:
    """Whether a letter, or a document of it, has a finding of this code."""
    told = select(FINDING.c.letter_id).where(FINDING.c.code == code)
    of_documents = (
        select(SUBMISSION.c.letter_id)
        .join_from(SUBMISSION, FINDING, FINDING.c.submission_id == SUBMISSION.c.id)
        .where(FINDING.c.code == code)
    )
    return or_(LETTER.c.id.in_(told), LETTER.c.id.in_(of_documents))


def _summary(row: Row[Any]) -> LetterSummary:
    return LetterSummary(
        id=row.id,
        received_at=row.received_at,
        state=LetterState(row.state),
        outcome=row.outcome,
        entity=row.user_code,
        sender=row.sender,
        subject=row.subject,
        documents=row.documents or 0,
        # PostgreSQL sums integers to a decimal.
        values=int(row.accepted_values or 0),
        reply=ReplyState(row.reply) if row.reply else None,
        attempts=row.attempts,
        error=row.error,
        reason=row.reason,
        claimed=row.claimed_code,
    )


def _sent_reply(row: Row[Any]) -> SentReply:
    return SentReply(
        id=row.id,
        letter=row.letter_id,
        recipient=row.recipient,
        subject=row.subject,
        message_id=row.message_id,
        content=row.content,
        state=ReplyState.BOUNCED if row.bounced_at else ReplyState(row.state),
        attempts=row.attempts,
        owed_at=row.owed_at,
        settled_at=row.settled_at,
        last_error=row.last_error,
        returned_code=row.returned_code,
        returned_text=row.returned_text,
    )
