"""Letters found page by page, in bounded time however many there are."""

from __future__ import annotations

from datetime import datetime

from ingest.letters.mime import Part
from ingest.operations.letters import part, parts, raw
from ingest.operations.ports import Ledger, Service
from storage.records.letters import LetterPage, Sought


def page(ledger: Ledger, before: int | None, limit: int, sought: Sought) -> LetterPage:
    """See `storage.letters.Letters.page`: letters by what is asked, the latest first.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return store.letters.page(before, limit, sought)


def parts_of(service: Service, number: int, who: str, now: datetime) -> list[Part]:
    """The parts of a letter as it arrived; the audit keeps who looked.

    Args:
        service: The wired parts.
        number: The letter's.
        who: The operator, as the audit names it.
        now: The moment of it, aware.

    Raises:
        Refused: no such letter, or no mailbox has it where it was filed.
        ConnectionError: a mailbox or the database is away.
    """
    return parts(_taken(service, number, "parts", who, now))


def source_of(
    service: Service, number: int, at: int | None, who: str, now: datetime
) -> tuple[bytes, str]:
    """A letter as it arrived, or a part of it, with its name; the audit keeps who took it.

    Args:
        service: Reaches the mailboxes.
        number: Of the letter.
        at: Number of the part, from 1; None: the whole letter.
        who: The operator.
        now: When.

    Raises:
        Refused: no such letter or part, or no mailbox has the letter where it was filed.
        ConnectionError: a mailbox or the database is away.
    """
    content = _taken(service, number, "letter" if at is None else f"part {at}", who, now)
    if at is None:
        return content, f"letter-{number}.eml"
    named = parts(content)[at - 1].name if at <= len(parts(content)) else ""
    return part(content, at), named or f"letter-{number}-part-{at}"


def _taken(service: Service, number: int, what: str, who: str, now: datetime) -> bytes:
    content = raw(service, number)
    # Letters hold passwords: whoever takes one is known before the bytes leave.
    with service.ledger.transaction() as store:
        store.audit.add(now, who, "letter-source", str(number), before=None, after={"taken": what})
    return content
