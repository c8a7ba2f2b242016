"""What intake asks of the database; `storage.store` is the real one, with every argument told."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from layouts.completeness import MonthState
from layouts.document import Parsed
from layouts.known import Checked, Known, Receipt, RegisterKey, Wants
from layouts.points import LegalEntity
from storage.records.billing import Entry
from storage.records.letters import Claim, LetterFacts, Location
from storage.records.replies import OwedReply, Returned

_Store_co = TypeVar("_Store_co", covariant=True)


class Letters(Protocol):
    """The ledger of letters."""

    def claim(
        self,
        location: Location | None,
        sha256: str,
        size: int,
        received_at: datetime,
        now: datetime,
    ) -> Claim:
        """See `storage.letters`: the letter's row, made when new; one attempt more is counted."""

    def wait(self, letter: int, rest: timedelta, sender: str, claimed: str, reason: str) -> None:
        """See `storage.letters`: have a letter tried again only after so long, uncounted."""

    def unclaim(self, letter: int) -> None:
        """Take an attempt back: a fault of time ended the pass."""

    def settle(
        self,
        letter: int,
        outcome: str,
        facts: LetterFacts,
        entity: LegalEntity | None,
        now: datetime,
    ) -> None:
        """See `storage.letters`: keep the verdict of a letter."""

    def quarantine(
        self, letter: int, error: str, now: datetime, sender: str = "", subject: str = ""
    ) -> None:
        """See `storage.letters`: quarantine a letter for a person to look at."""


class Registry(Protocol):
    """Legal entities with their points and meters."""

    def entity(self, user_code: str) -> LegalEntity | None:
        """The legal entity with its points and meters, also an inactive one."""

    def entity_without_zeros(self, user_code: str) -> LegalEntity | None:
        """The one entity whose code is this one before it lost its leading zeros."""

    def entities_by_inn(self, inn: str) -> list[LegalEntity]:
        """Every active entity with this taxpayer number."""

    def lists(self, address: str) -> bool:
        """Whether it is an address of an active entity."""

    def renew_hash(self, user_code: str, before: str, after: str) -> None:
        """Keep another hash of the same password, unless the password has changed."""


class Senders(Protocol):
    """Failures and locks of addresses by user code."""

    def locked_until(
        self, user_code: str, address: str, now: datetime, *, is_listed: bool = False
    ) -> datetime | None:
        """See `storage.senders`: until when an address may not try a user code, if it may not."""

    def failed(
        self,
        user_code: str,
        address: str,
        now: datetime,
        max_failures: int,
        lockout: timedelta,
        *,
        is_listed: bool = False,
    ) -> None:
        """See `storage.senders`: count a wrong password, which may lock the address."""

    def waits_until(
        self,
        user_code: str,
        address: str,
        now: datetime,
        guesses_per_hour: int,
        *,
        is_listed: bool = False,
    ) -> datetime | None:
        """See `storage.senders`: until when a user code may not be tried; None when it may."""

    def succeeded(self, user_code: str, address: str, now: datetime) -> None:
        """Forget the failures of an address; it is known with this user code from now on."""

    def known_with(self, user_code: str) -> Collection[str]:
        """The addresses that ever authenticated with a user code, in lower case."""

    def has_authenticated(self, address: str) -> bool:
        """Whether an address ever proved itself, with whatever user code."""


class Outbox(Protocol):
    """Replies that must leave."""

    def owe(self, reply: OwedReply, now: datetime, held_for: timedelta = ...) -> None:
        """Keep a reply that must leave; not before it was held for so long, or completed."""

    def complete(self, message_id: str, content: bytes) -> None:
        """Release a held reply, with this content.

        A no-op when somebody is sending it already, or it has left.
        """

    def returned(
        self, message_ids: Sequence[str], code: str, told: str, now: datetime, *, for_good: bool
    ) -> Returned | None:
        """See `storage.outbox`: note that a reply came back, or is late; None when none is ours."""

    def owed_to(self, address: str, since: datetime) -> int:
        """How many replies were owed to an address, whatever its +tag, since then."""

    def owed_to_strangers(self, address: str, since: datetime) -> tuple[int, int]:
        """How many replies were owed to strangers of an address' domain, and of all."""


class Months(Protocol):
    """What is in force in a month."""

    def state(self, month: date, entities: Sequence[LegalEntity]) -> MonthState:
        """What is in force in a month for the points and meters of these entities."""

    def last_readings(self, entity: LegalEntity) -> dict[RegisterKey, tuple[Decimal, datetime]]:
        """The last reading in force of each register, and its instant."""


class Store(Protocol):
    """The database inside one transaction; made by `storage.ledger`.

    Every method of it and of its parts may raise `storage.ledger.StoreUnavailable`.
    """

    @property
    def letters(self) -> Letters:
        """The ledger of letters."""

    @property
    def registry(self) -> Registry:
        """Legal entities with their points and meters."""

    @property
    def senders(self) -> Senders:
        """How addresses fare with the user codes they try."""

    @property
    def outbox(self) -> Outbox:
        """Replies that must leave."""

    @property
    def months(self) -> Months:
        """What is in force in a month."""

    def know(self, wants: Wants) -> Known:
        """What is on record beside a document, as the rules ask for it."""

    def noting(self) -> AbstractContextManager[Any]:
        """The statements asked meanwhile, with their answers, for `still_so`."""

    def still_so(self, asked: Any) -> bool:
        """Whether every statement that was noted has the same answer."""

    def next_receipt(self) -> int:
        """The number that the next submission gets, unless somebody else records one first."""

    def record(
        self,
        letter: int,
        parsed: Parsed,
        checked: Checked,
        entity: LegalEntity,
        received_at: datetime,
        now: datetime,
        entry: Entry | None = None,
    ) -> Receipt:
        """See `storage.store`: keep a submission, its findings and the values its changes carry."""


class Ledger(Protocol[_Store_co]):
    """The database, or a part of a transaction; a room names the store that it needs."""

    def reading(self) -> AbstractContextManager[_Store_co]:
        """A store over one snapshot; changes are dropped."""

    def transaction(self, *, synced: bool = True) -> AbstractContextManager[_Store_co]:
        """A store whose changes are committed together, or not at all.

        Args:
            synced: They outlast a power cut; else only the end of this process.
        """
