"""What needs a person, each thing with what can be done about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

import structlog

from ingest.operations.bounces import undelivered
from ingest.operations.console.lacks import Lacks
from ingest.operations.locks import locks
from ingest.operations.ports import Ledger, Service
from ingest.operations.status import Status, status
from layouts.completeness import register_deadline
from layouts.months import MOSCOW, month_at, preceding
from storage.records.access import AccessRequest, Lock
from storage.records.billing import Suspect
from storage.records.letters import LetterPage, LetterState, Sought
from storage.records.replies import Undelivered

T = TypeVar("T")

log = structlog.get_logger()

_BROKEN = (ArithmeticError, LookupError, OSError, RuntimeError, TypeError, ValueError)
_SHOWN = 25
SUSPECTS_MOST = 200
"""No more are counted; the page says that there are more."""
_NEAR = timedelta(days=7)
"""How long before its deadline a month is told."""


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """One part of the page.

    Attributes:
        found: None when it could not be read.
        fault: Why it could not.
    """

    found: T | None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Due:
    """A month whose readings are due soon, or were due and are not there.

    Attributes:
        days: Until the end of its deadline; negative when it is over.
        lacking: How many entities have not reported it whole.
    """

    month: date
    deadline: datetime
    days: int
    lacking: int


@dataclass(frozen=True, slots=True)
class Needs:
    """All that needs a person; each part stands although others cannot be read."""

    status: Part[Status]
    quarantined: Part[LetterPage]
    bounces: Part[Sequence[Undelivered]]
    suspects: Part[Sequence[Suspect]]
    requests: Part[Sequence[AccessRequest]]
    locks: Part[Sequence[Lock]]
    due: Part[Due | None]

    @property
    def is_calm(self) -> bool:
        """Whether nothing at all waits."""
        status, page = self.status.found, self.quarantined.found
        parts = (self.bounces, self.suspects, self.requests, self.locks)
        is_due = self.due.found is not None or bool(self.due.fault)
        return (
            status is not None
            and not status.needs_a_person
            and page is not None
            and not page.letters
            and not is_due
            and all(part.found is not None and not part.found for part in parts)
        )


def needs(service: Service, lacks: Lacks, now: datetime) -> Needs:
    """What needs a person now; a part that cannot be read says so."""
    ledger = service.ledger
    return Needs(
        status=_part(lambda: status(service, now)),
        quarantined=_part(lambda: _quarantined(ledger)),
        bounces=_part(lambda: undelivered(ledger)),
        suspects=_part(lambda: _suspects(ledger)),
        requests=_part(lambda: _requests(ledger)),
        locks=_part(lambda: locks(service, now)),
        due=_part(lambda: _due(service, lacks, now)),
    )


def _part(read: Callable[[], T]) -> Part[T]:
    try:
        return Part(read())
    except ConnectionError as fault:
        return Part(None, str(fault) or type(fault).__name__)
    except _BROKEN as fault:
        # Our own fault, or of rows written by others: the other parts are still shown.
        told = f"{type(fault).__name__}: {fault}"
        log.error("page.failed", path="/console", error=told)  # noqa: TRY400 - as pages tell faults
        return Part(None, type(fault).__name__)


def _quarantined(ledger: Ledger) -> LetterPage:
    with ledger.reading() as store:
        return store.letters.page(None, _SHOWN, Sought(state=LetterState.QUARANTINED))


def _suspects(ledger: Ledger) -> Sequence[Suspect]:
    with ledger.reading() as store:
        return store.suspicions.find(limit=SUSPECTS_MOST + 1)


def _requests(ledger: Ledger) -> Sequence[AccessRequest]:
    with ledger.reading() as store:
        return store.accounts.requests(_SHOWN)


def _due(service: Service, lacks: Lacks, now: datetime) -> Due | None:
    """The month before this one, unless it is closed or everything is there."""
    month = preceding(month_at(now))
    deadline = register_deadline(month, service.parameters.register_deadline_day)
    with service.ledger.reading() as store:
        if month in store.periods.closed():
            return None
    days = (deadline.astimezone(MOSCOW).date() - now.astimezone(MOSCOW).date()).days
    if deadline - now > _NEAR:
        return None
    missing = len(lacks.of(service.ledger, month, now))
    return Due(month, deadline, days, missing) if missing else None


def answer_request(ledger: Ledger, number: int, who: str, answer: str, now: datetime) -> bool:
    """An operator dealt with a request for access; False: somebody else has already.

    Args:
        ledger: The database.
        number: The request's.
        who: The operator, as the audit names it.
        answer: What became of it.
        now: The moment of it, aware.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.transaction() as store:
        if not store.accounts.answer_request(number, who, answer, now):
            return False
        after = {"answer": answer}
        store.audit.add(now, who, "access-request", str(number), before=None, after=after)
        return True
