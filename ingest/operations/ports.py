"""What operations are given: the ledger, and what the running parts can do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from ingest.intake import ports

if TYPE_CHECKING:
    # `status` proves nobody and reads no letter.
    from ingest.intake.authenticate import Guard
    from ingest.intake.outcome import Handled
    from ingest.intake.policy import Policy
    from ingest.letters.terms import Line
    from ingest.reading import Reader
    from ingest.replies.own import Signature
    from layouts.findings import Finding
    from layouts.layout import Layout
    from layouts.parameters import Parameters
    from storage.store import Store

Ledger: TypeAlias = ports.Ledger["Store"]
"""The database, or a part of a transaction that is undone at its end."""


class WholeLedger(Ledger, Protocol):
    """The database itself."""

    def rehearsal(self, wait_seconds: float | None = ...) -> AbstractContextManager[Ledger]:
        """A ledger for trying out: what is done with it is undone at the end.

        Args:
            wait_seconds: For who else writes to an SQLite database; None: as long as any writer.
        """

    def schema_is_current(self) -> bool:
        """Whether it has the schema that this program needs."""


class Ending(Protocol):
    """A secret or certificate of our own that a person must renew."""

    @property
    def account(self) -> str:
        """As the configuration calls it."""

    @property
    def owner(self) -> str:
        """The table of the configuration that it belongs to."""

    @property
    def what(self) -> str:
        """What ends, in words."""

    @property
    def at(self) -> datetime:
        """When it ends."""


class Transports(Protocol):
    """Mail servers and folders, as far as operations use them."""

    def endings(self) -> Iterable[Ending]:
        """When secrets, certificates and unused refresh tokens end."""

    def put_back_dropped(
        self, source: str, keys: Collection[str], reopen: Callable[[Collection[str]], None]
    ) -> Collection[str]:
        """Files that a drop folder still has, to be taken once more: their keys.

        Args:
            source: `drop NAME`.
            keys: Of the files.
            reopen: Called with the keys of those that were found, before their verdicts go.

        Raises:
            ConnectionError: the folder is away.
        """

    def put_back(
        self,
        outcome: str,
        wanted: Mapping[str, tuple[int, datetime]],
        reopen: Callable[[Collection[str]], None],
    ) -> set[str]:
        """Letters moved back to where they arrived, from the folders for an outcome.

        Args:
            outcome: Theirs.
            wanted: Size and moment of receipt by SHA-256.
            reopen: Called with the SHA-256 of those that were found, before they are moved.

        Raises:
            ConnectionError: a mailbox is away.
        """

    def content_of(
        self, outcome: str | None, sha256: str, size: int, received_at: datetime
    ) -> bytes | None:
        """A letter's bytes from the mail server that has it; None when none has.

        Args:
            outcome: What it was filed as; None of one that is not filed yet.
            sha256: Of the bytes.
            size: Of them.
            received_at: Moment of receipt, aware.

        Raises:
            ConnectionError: a mailbox is away.
        """


class Watched(Protocol):
    """The service, as far as its state is judged."""

    @property
    def ledger(self) -> WholeLedger:
        """The database."""

    @property
    def folders(self) -> Sequence[Path]:
        """Of this machine that are written to: of an SQLite database, of the log."""

    @property
    def least_free_bytes(self) -> int:
        """Below so much room on their disks it is told."""

    @property
    def drop_folders(self) -> Sequence[tuple[str, Path]]:
        """Names and folders that files are put into."""

    @property
    def mailbox_names(self) -> Sequence[str]:
        """Those that it should read."""

    @property
    def mailbox_late_after(self) -> timedelta:
        """How long ago a mailbox may have been read through."""

    @property
    def reply_late_after(self) -> timedelta:
        """How long a letter may wait for its reply."""

    @property
    def ending_within(self) -> timedelta:
        """How long before a certificate or secret ends it is told."""

    @property
    def transports(self) -> Transports:
        """Mail servers and folders."""


class Service(Watched, Protocol):
    """The wired service, as far as operations use it."""

    @property
    def layouts(self) -> Mapping[str, Layout]:
        """The forms."""

    @property
    def parameters(self) -> Parameters:
        """The bounds by which readings are judged."""

    @property
    def policy(self) -> Policy:
        """The forms, the rules, and who is answered."""

    @property
    def alarms_to(self) -> str:
        """Who is mailed what needs a person; '' for nobody."""

    @property
    def guard(self) -> Guard:
        """Hashes passwords."""

    @property
    def language(self) -> str:
        """Of who has chosen none."""

    @property
    def signature(self) -> Signature:
        """The retailer's name, phone and hours, and what else stands below replies."""

    @property
    def public_url(self) -> str:
        """How people reach the pages, without a slash at its end; '' when nobody said."""

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """Addresses and networks whose `X-Forwarded-` headers count."""

    @property
    def upload_bytes(self) -> int:
        """Size of the largest document that the pages take."""

    def reader(self) -> Reader:
        """Reads files and letters in confined children; its caller closes it."""

    def table(self, content: bytes) -> Sequence[Line] | Finding:
        """The first sheet of a workbook, read in a confined child; a finding if it cannot be."""

    def read_filed(
        self, since: date, told: Callable[[Any, Any, Handled], None], *, replies: bool
    ) -> None:
        """Read the letters filed since a day once more; those the ledger knows are passed over.

        Args:
            since: By the mail server's calendar.
            told: Called with each letter that has its verdict, after the commit.
            replies: Whether they are answered, as if they had come now.

        Raises:
            ConnectionError: a mailbox or the database is away.
        """

    def process(
        self,
        paths: Sequence[Path],
        at: datetime | None,
        told: Callable[[str, int, Handled], None],
        *,
        dry_run: bool,
    ) -> None:
        """Every letter under the paths to its verdict, its reply complete.

        Args:
            paths: Files and folders of letters.
            at: Moment of receipt of letters that carry none; None: now.
            told: Called with each: its name, its number in the ledger, its verdict.
            dry_run: Undo everything at the end.

        Raises:
            NoLettersError: a path holds none; said before the first letter is read.
            ConnectionError: the database is away, or no child can be had.
        """
