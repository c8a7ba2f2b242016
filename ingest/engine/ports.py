"""What the engine asks of the database; `storage.store` and `storage.ledger` are the real one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol

from ingest.intake import ports
from storage.records.audit import Fence, Head
from storage.records.letters import Claim, LetterDetails
from storage.records.replies import OwedReply
from storage.records.running import Process, WaitingArrival


class Letters(ports.Letters, Protocol):
    """The ledger of letters."""

    def known(
        self, mailbox: str, folder: str, uidvalidity: int, uids: Sequence[int]
    ) -> Mapping[int, Claim]:
        """See `storage.letters`: the ledger's rows of those UIDs that it has seen."""

    def details(self, number: int) -> LetterDetails | None:
        """All that is known of one letter."""


class Senders(ports.Senders, Protocol):
    """Addresses, as the database knows them."""

    def proven(self, addresses: Collection[str]) -> Collection[str]:
        """Those that ever proved themselves, with whatever user code."""


class Costs(Protocol):
    """What letters have cost within the hour."""

    def charge(self, seconds: Mapping[str, float]) -> None:
        """Add CPU seconds by payer."""

    def heavy(self, least: float) -> Mapping[str, float]:
        """CPU seconds of those who have caused at least so many."""


class Outbox(ports.Outbox, Protocol):
    """Replies, for those who owe them and for those who send them."""

    def lease(self, *, limit: int, lease: timedelta) -> list[OwedReply]:
        """Replies that are due, the oldest first, their attempt counted.

        Nobody else gets them until the lease has run out.
        """

    def sent(self, number: int, now: datetime) -> None:
        """Mark a reply sent."""

    def deferred(self, number: int, rest: timedelta, error: str) -> None:
        """Put a reply off by this back-off."""

    def undeliverable(self, number: int, error: str, now: datetime) -> None:
        """Mark a reply undeliverable."""

    def release(self, numbers: Sequence[int]) -> None:
        """Give leased replies back and take their attempts back."""


class Leases(Protocol):
    """Leases by the database's clock."""

    def take(
        self, name: str, holder: str, *, seconds: float, is_gone: Callable[[str], bool]
    ) -> str:
        """See `storage.leases`: who has a lease now: `holder`, or another one."""

    def release(self, name: str, holder: str) -> None:
        """Release a lease."""


class Installation(Protocol):
    """What is kept of the servers."""

    def server_failed(self, name: str, error: str, advice: str, now: datetime) -> None:
        """See `storage.installation`: keep a fault."""

    def certificate_seen(self, name: str, ends: datetime | None) -> None:
        """Keep when the certificate of a server that works ends; None without TLS."""

    def server_works(self, name: str, now: datetime) -> None:
        """Clear a server's fault."""


class Mailboxes(Protocol):
    """When mailboxes were read."""

    def passed(self, mailbox: str, now: datetime) -> None:
        """Note that the mailbox was read to its end."""


class Seals(Protocol):
    """The chain of seals over what is never changed."""

    def head(self) -> Head | None:
        """The last one."""

    def has(self, head: Head) -> bool:
        """Whether it is still in the chain."""

    def unsealed(self) -> dict[str, int]:
        """How many rows of each kind are not sealed."""


class Arrivals(Protocol):
    """Letters that wait in the database for workers elsewhere."""

    @property
    def connection(self) -> Any:
        """The driver's own connection, in this transaction."""

    def announce(self, arrivals: Sequence[WaitingArrival]) -> Sequence[int | None]:
        """The number of each; None of one that is known already."""

    def carry(self, numbers: Sequence[int], job: int) -> None:
        """Note the job that carries these arrivals."""

    def take(self, numbers: Sequence[int], holder: str) -> Sequence[WaitingArrival]:
        """Take those without a verdict for this process."""

    def headers(self, numbers: Sequence[int], most: int) -> Mapping[int, bytes]:
        """The first bytes of each that waits."""

    def settle(self, source: str, key: str, outcome: str) -> None:
        """Keep an arrival's outcome and drop its bytes."""

    def put_off(self, numbers: Sequence[int], seconds: float) -> None:
        """Put arrivals off by so many seconds."""

    def of_source(self, source: str) -> Mapping[str, str | None]:
        """By key what is under way, with the outcome of what is settled."""

    def has_settled(self, source: str) -> bool:
        """Whether a source has settled arrivals that are not filed."""

    def forget(self, source: str, keys: Collection[str]) -> None:
        """Delete arrivals that are filed."""

    def held(self) -> int:
        """Bytes of all arrivals without a verdict."""

    def in_hands_of(self, holders: Sequence[str]) -> Sequence[int]:
        """Jobs whose arrivals those processes have."""

    def beat(self, holder: str, role: str, version: str) -> None:
        """Write a process's heartbeat."""

    def left(self, holder: str) -> None:
        """Delete a process's heartbeat."""

    def processes(self) -> Sequence[Process]:
        """Processes with a recent heartbeat."""


class Store(ports.Store, Protocol):
    """The database inside one transaction."""

    @property
    def letters(self) -> Letters:
        """The ledger of letters."""

    @property
    def senders(self) -> Senders:
        """Addresses, as the database knows them."""

    @property
    def costs(self) -> Costs:
        """What letters have cost."""

    @property
    def outbox(self) -> Outbox:
        """Replies that must leave."""

    @property
    def leases(self) -> Leases:
        """What one process at a time does."""

    @property
    def installation(self) -> Installation:
        """The service as a whole."""

    @property
    def mailboxes(self) -> Mailboxes:
        """When mailboxes were read."""

    @property
    def seals(self) -> Seals:
        """The chain over what is never changed."""

    @property
    def arrivals(self) -> Arrivals:
        """Letters that wait for workers elsewhere."""


class Ledger(ports.Ledger[Store], Protocol):
    """The database, or a part of a transaction."""

    @property
    def each_lasts(self) -> bool:
        """Whether what one transaction did is kept, whatever becomes of the next one."""

    @property
    def many_write(self) -> bool:
        """Whether several transactions can write at the same time."""

    def together(self) -> AbstractContextManager[Ledger]:
        """For transactions that may be committed at once; each is undone alone."""


class WholeLedger(Ledger, Protocol):
    """The database itself."""

    def rehearsal(self) -> AbstractContextManager[Ledger]:
        """A ledger for trying out: what is done with it is undone at the end."""

    def fence(self) -> Fence:
        """Up to which rows may be sealed soon."""

    def seal(self, fence: Fence, seconds: float) -> bool:
        """Seal up to a fence; False when it is too early, or some is left after so long."""
