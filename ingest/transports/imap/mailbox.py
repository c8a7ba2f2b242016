"""IMAP: letters out of a folder in batches, and into the folder for their outcome."""

from __future__ import annotations

import imaplib
import math
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from imapclient import IMAPClient
from imapclient.datetime_util import format_criteria_date
from imapclient.exceptions import LoginError

from ingest.letters.terms import Arrival, RawLetter
from ingest.transports.advice import LOGIN, OAUTH, advice, reason
from ingest.transports.imap.commands import CHUNK, facts_of, find, has_mail, search
from ingest.transports.imap.connect import ImapConfig, connect
from ingest.transports.imap.filing import (
    FILED,
    holds_letters,
    keeps_apart,
    move,
    try_filing,
    with_prefix,
)
from ingest.transports.login import certificate_ends
from ingest.transports.ports import (
    CLAIM_BYTES,
    IDLE_SECONDS,
    MailboxUnavailable,
    TokenUnavailable,
)
from layouts.sequences import pieces
from storage.records.letters import Location

log = structlog.get_logger()

SEARCHED = 50_000
"""UIDs in one answer; imaplib refuses a line of a million bytes."""

HEADER_BYTES = 256 * 1024
"""What is read of the header of a letter that is too large to be read."""

PROBED_AFTER_SECONDS = 30.0
"""A connection that rested longer is tried before it is relied upon."""

LIVED_SECONDS = 60.0
"""A connection older than this may be ended by its server without a fault."""

BROKEN_MOST = 3
"""How often one letter may break a working connection before its attempt is counted."""

EXISTS_MOST = 50_000_000
"""More letters than any folder has: the folder of a server that claims them is not listed."""

NONSENSE = (
    imaplib.IMAP4.error,
    OSError,
    ValueError,
    LookupError,
    ArithmeticError,
    # What the libraries raise when an answer has another shape than the protocol's.
    TypeError,
    AttributeError,
    AssertionError,
    RecursionError,
)
"""Exceptions of a server that is away, refuses, or talks nonsense; each a fault of time."""


@dataclass(frozen=True, slots=True)
class _Size:
    uid: int
    size: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Examined:
    """What a mailbox was found like.

    Attributes:
        letters: In the folder that letters arrive in.
        folders: That letters are filed in, as the server names them; each was tried.
        keeps_apart: The server can neither move nor remove single letters: filed ones
            may stay in the folder, marked by a keyword.
        certificate_ends: When the server's certificate does; None without TLS.
        clock: The server's, as it dated a letter just now; None when it cannot be told.
    """

    letters: int
    folders: tuple[str, ...]
    keeps_apart: bool
    certificate_ends: datetime | None = None
    clock: datetime | None = None


class ImapMailbox:
    """One folder of an IMAP server; connects when first needed, and again when broken.

    Letters may be fetched in one thread and filed in another, which take turns; `close`
    ends a `wait`.
    """

    def __init__(self, config: ImapConfig, context: ssl.SSLContext | None = None) -> None:
        self.name = config.name
        self._config = config
        self._context = context or ssl.create_default_context()
        self._client: IMAPClient | None = None
        self._used_at = 0.0
        self._connected_at = 0.0
        self._token_ends = math.inf
        self._certificate_ends: datetime | None = None
        self._uidvalidity = 0
        self._exists = 0
        self._uidnext: int | None = None
        self._keeps_keywords = False
        self._names: dict[str, str] = {}
        self._first_seen: dict[int, datetime] = {}
        self._suspects: dict[int, int] = {}
        self._closed = threading.Event()
        self._lock = threading.RLock()

    @property
    def folder(self) -> str:
        """The folder that letters arrive in."""
        return self._config.folder

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does, as it was at the last connect; None without TLS."""
        return self._certificate_ends

    def uids(self) -> tuple[int, Sequence[int]]:
        """Open the folder: its UIDVALIDITY and the UIDs in it, ascending.

        Of a folder that letters are filed from only the oldest, `SEARCHED` and a few: the
        others come when those are gone.

        Raises:
            MailboxUnavailable: it cannot be reached, or refused us.
        """
        with self._lock, self._told("cannot list the letters"):
            before, self._uidvalidity = self._uidvalidity, 0
            client = self._opened_anew()
            if before != self._uidvalidity:
                self._suspects.clear()
                self._first_seen.clear()
            found: set[int] = set()
            for first in range(1, self._exists + 1, SEARCHED):
                last = min(first + SEARCHED - 1, self._exists)
                among = f"{first}:{last}" if self._exists > SEARCHED else "ALL"
                found.update(search(client, among, *self._criteria(client)))
                if self._config.files and len(found) >= SEARCHED:
                    break
        return self._uidvalidity, sorted(found)

    def _criteria(self, client: IMAPClient) -> Iterator[str]:
        if self._config.since:
            yield f"SINCE {format_criteria_date(self._config.since).decode()}"
        if keeps_apart(client):
            yield f"UNKEYWORD {FILED}"

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        """The letters in batches, in the order named; what has gone is left out.

        Letters that were asked for when a connection broke come last, each
        alone, the likeliest culprit at the end: it holds up no other.

        Raises:
            MailboxUnavailable: the connection broke.
        """
        calm = [uid for uid in uids if uid not in self._suspects]
        for chunk in pieces(calm, CHUNK):
            for batch in self._batches(self._sizes(chunk)):
                letters = self._bodies(batch)
                if letters:
                    yield letters
        suspects = [uid for uid in uids if uid in self._suspects]
        for uid in sorted(suspects, key=self._suspects.__getitem__):
            letters = self._alone(uid)
            if letters:
                yield letters

    def file(self, uids: Sequence[int], outcome: str) -> None:
        """Move letters into the folder for their outcome; made when it is missing.

        Raises:
            MailboxUnavailable: the connection broke, or the server refused.
        """
        if not self._config.files:
            return
        folder = self._config.folder_for(outcome)
        with self._lock, self._told(f"cannot move letters into the folder {folder}"):
            client = self._ready()
            target = self._target(client, folder)
            for chunk in pieces(uids, CHUNK):
                self._move(client, chunk, target)

    def put_back(
        self,
        outcome: str,
        wanted: Mapping[str, tuple[int, datetime]],
        found: Callable[[Collection[str]], None],
    ) -> set[str]:
        """Move letters from the folder for an outcome back to where letters arrive.

        Args:
            outcome: What the letters were filed as.
            wanted: Size and moment of receipt by the SHA-256 of the bytes.
            found: Told of those that are there, before they are moved.

        Returns:
            Those of them that were found.

        Raises:
            MailboxUnavailable: the connection broke, or the server refused.
        """
        folder = self._config.folder_for(outcome)
        with self._lock, self._told(f"cannot look into the folder {folder}"):
            client = self._connected()
            self._selected(client, self._target(client, folder))
            there = {
                sha256: letter[0]
                for sha256, (size, received_at) in wanted.items()
                if (letter := find(client, sha256, size, received_at))
            }
            if there:
                found(there)
                self._move(client, [*there.values()], self._full_name(client, self._config.folder))
            self._select(client)
        return set(there)

    def content_of(
        self, outcome: str | None, sha256: str, size: int, received_at: datetime
    ) -> bytes | None:
        """A letter's bytes, by their SHA-256; None when it is not in its folder.

        Args:
            outcome: What it was filed as; None of one that is not filed yet.
            sha256: Of the bytes.
            size: Of them.
            received_at: When it arrived.

        Raises:
            MailboxUnavailable: the connection broke, or the server refused.
        """
        folder = self._config.folder_for(outcome) if outcome else self._config.folder
        with self._lock, self._told(f"cannot look into the folder {folder}"):
            client = self._connected()
            self._selected(client, self._target(client, folder))
            letter = find(client, sha256, size, received_at)
            self._select(client)
        return letter[1] if letter else None

    def examine(self) -> Examined:
        """The folder opened, and a letter put into each folder of outcomes and removed again.

        Raises:
            MailboxUnavailable: the server refuses, or cannot be reached.
        """
        config = self._config
        _, uids = self.uids()
        folders = dict.fromkeys((config.processed, config.ignored, config.quarantine))
        clock: datetime | None = None
        with self._lock:
            for folder in folders:
                with self._told(f"cannot file letters into the folder {folder}"):
                    clock = self._try_filing(folder) or clock
            with self._told("cannot open the folder again"):
                client = self._connected()
                self._select(client)
                return Examined(
                    letters=len(uids) if len(uids) < SEARCHED else self._exists,
                    folders=tuple(self._names[folder] for folder in folders),
                    keeps_apart=keeps_apart(client),
                    certificate_ends=self._certificate_ends,
                    clock=clock,
                )

    def _try_filing(self, folder: str) -> datetime | None:
        client = self._connected()
        target = self._target(client, folder)
        self._selected(client, target)
        return try_filing(client, target)

    def wait(self, timeout_seconds: float) -> bool:
        """Wait for mail with IDLE; False when the time ran out or IDLE is unknown.

        Mail that came between two calls ends the second one at once.

        Raises:
            MailboxUnavailable: it cannot be reached, or the connection broke.
        """
        with self._lock, self._told("cannot wait for mail"):
            client = self._connected()
            before, self._uidvalidity = self._uidnext, 0
            self._select(client)
            if self._uidnext != before:
                return True
            if not client.has_capability("IDLE"):
                self._closed.wait(timeout_seconds)
                return False
            try:
                return self._idle(client, min(timeout_seconds, IDLE_SECONDS))
            except (imaplib.IMAP4.abort, OSError):
                if time.monotonic() - self._connected_at < LIVED_SECONDS:
                    raise
                # Servers end old sessions, as with an expired token: reconnect.
                self._drop()
                return True

    def close(self) -> None:
        """Log out, quietly; a `wait` in another thread ends within a second."""
        self._closed.set()
        # Two threads must not talk over one connection.
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError, ValueError):
                client.logout()

    # Connections.

    def _connected(self) -> IMAPClient:
        """A connection that works; one that rested is tried first."""
        if self._client is not None and time.monotonic() > self._token_ends:
            self._drop()
        is_rested = time.monotonic() - self._used_at > PROBED_AFTER_SECONDS
        if self._client is not None and is_rested:
            try:
                self._client.noop()
            except (imaplib.IMAP4.error, OSError):
                self._drop()
        if self._client is None:
            self._client, self._token_ends = connect(self._config, self._context)
            self._connected_at = time.monotonic()
            self._certificate_ends = certificate_ends(self._client.socket())
            self._names.clear()
        self._used_at = time.monotonic()
        return self._client

    def _opened_anew(self) -> IMAPClient:
        """A connection with the folder opened; reconnects where the server ended an old one."""
        client = self._connected()
        try:
            self._select(client)
        except (imaplib.IMAP4.abort, OSError):
            if time.monotonic() - self._connected_at < LIVED_SECONDS:
                raise
            self._drop()
            client = self._connected()
            self._select(client)
        return client

    def _ready(self) -> IMAPClient:
        """A connection with the folder open, as `uids` last saw it."""
        before = self._client
        client = self._connected()
        if client is not before:
            self._select(client)
        return client

    def _select(self, client: IMAPClient) -> None:
        answer = self._opened(client)
        uidvalidity = int(answer[b"UIDVALIDITY"])
        if self._uidvalidity not in {0, uidvalidity}:
            # The UIDs in hand name other letters now: until `uids` lists them anew, none
            # may be fetched or moved.
            raise imaplib.IMAP4.error("its UIDVALIDITY has changed")
        self._uidvalidity = uidvalidity
        self._exists = int(answer[b"EXISTS"])
        if self._exists > EXISTS_MOST:
            raise imaplib.IMAP4.error(f"the server claims {self._exists} letters")
        uidnext = answer.get(b"UIDNEXT")
        self._uidnext = int(uidnext) if uidnext is not None else None

    def _opened(self, client: IMAPClient) -> Mapping[bytes, Any]:
        name = self._full_name(client, self._config.folder)
        try:
            return self._selected(client, name)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            if client.folder_exists(name):
                raise
            client.create_folder(name)
            return self._selected(client, name)

    def _selected(self, client: IMAPClient, name: str) -> Mapping[bytes, Any]:
        answer: Mapping[bytes, Any] = client.select_folder(name)
        flags = answer.get(b"PERMANENTFLAGS") or ()
        self._keeps_keywords = b"\\*" in flags or FILED.encode() in flags
        return answer

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with suppress(imaplib.IMAP4.error, OSError):
                client.shutdown()

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn any fault of network or protocol into one that names the server."""
        where = f"mailbox {self.name}: {self._config.host}:{self._config.port}"
        try:
            yield
        except LoginError as error:
            self._drop()
            if self._config.token:
                raise MailboxUnavailable(
                    f"{where} refused the token of {self._config.user}", OAUTH
                ) from error
            raise MailboxUnavailable(
                f"{where} refused the user or the password of {self._config.user}", LOGIN
            ) from error
        except TokenUnavailable as error:
            raise MailboxUnavailable(f"mailbox {self.name}: {error}", error.advice) from error
        except NONSENSE as error:
            self._drop()
            raise MailboxUnavailable(f"{where}: {what}: {reason(error)}", advice(error)) from error

    # Letters.

    def headers(self, uids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """See `ports.Mailbox.headers`.

        Raises:
            MailboxUnavailable: the connection broke.
        """
        for chunk in pieces(uids, CHUNK):
            with self._lock, self._told("cannot read who letters are from"):
                answers = self._ready().fetch(chunk, [f"BODY.PEEK[HEADER]<0.{CLAIM_BYTES}>"])
            for uid, answer in answers.items():
                named = next((v for k, v in answer.items() if k.startswith(b"BODY[HEADER")), b"")
                yield uid, named or b""

    def _sizes(self, uids: Sequence[int]) -> list[_Size]:
        told = self._told("cannot read the letters' sizes")
        with self._lock, told, self._suspecting(uids):
            found = facts_of(self._ready(), uids)
            return [
                _Size(uid, int(found[uid][b"RFC822.SIZE"]), self._received_at(uid, found[uid]))
                for uid in uids
                if uid in found
            ]

    def _received_at(self, uid: int, answer: Mapping[bytes, Any]) -> datetime:
        """INTERNALDATE in UTC; for one that is no date, the moment when it was first seen."""
        told = answer.get(b"INTERNALDATE")
        if isinstance(told, datetime):
            with suppress(OverflowError):
                return told.astimezone(UTC)
        if uid not in self._first_seen:
            self._first_seen[uid] = datetime.now(UTC)
            log.warning("letter.undated", mailbox=self.name, uid=uid)
        return self._first_seen[uid]

    def _batches(self, sizes: Sequence[_Size]) -> Iterator[list[_Size]]:
        batch: list[_Size] = []
        total = 0
        for item in sizes:
            taken = min(item.size, self._most(item))
            is_full = total + taken > self._config.batch_bytes // 2
            if batch and (is_full or len(batch) == self._config.batch):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += taken
        if batch:
            yield batch

    def _most(self, item: _Size) -> int:
        most = self._config.letter_bytes
        return HEADER_BYTES if item.size > most else most

    def _bodies(self, batch: Sequence[_Size]) -> list[RawLetter]:
        """The bytes of one batch."""
        uids = [item.uid for item in batch]
        whole = [item for item in batch if item.size <= self._config.letter_bytes]
        with self._lock, self._told("cannot read letters"), self._suspecting(uids):
            client = self._ready()
            most = self._config.letter_bytes + 1
            found = dict(client.fetch([item.uid for item in whole], [f"BODY.PEEK[]<0.{most}>"]))
            for item in batch:
                if item not in whole:
                    found |= client.fetch([item.uid], [f"BODY.PEEK[HEADER]<0.{HEADER_BYTES}>"])
        self._used_at = time.monotonic()
        return [self._raw(item, found[item.uid]) for item in batch if item.uid in found]

    @contextmanager
    def _suspecting(self, uids: Sequence[int]) -> Iterator[None]:
        """Mark letters as suspects until their answer has come: the connection may break."""
        asked = [uid for uid in uids if uid not in self._suspects]
        self._suspects.update(dict.fromkeys(asked, 0))
        yield
        for uid in asked:
            del self._suspects[uid]

    def _alone(self, uid: int) -> list[RawLetter]:
        """One letter that a connection broke at.

        It is given without its bytes when, time and again, the server works and
        only this letter cannot be had.
        """
        try:
            sizes = self._sizes([uid])
            letters = self._bodies(sizes)
        except MailboxUnavailable:
            with self._lock, self._told("cannot be reached again"):
                self._ready()
            self._suspects[uid] += 1
            if self._suspects[uid] <= BROKEN_MOST:
                raise
            return [RawLetter(self._arrival(uid, datetime.now(UTC), 0), b"", missing=True)]
        self._suspects.pop(uid, None)
        return letters

    def _raw(self, item: _Size, answer: Mapping[bytes, Any]) -> RawLetter:
        header_only = item.size > self._config.letter_bytes
        prefix = b"BODY[HEADER]" if header_only else b"BODY[]"
        content = next((v for k, v in answer.items() if k.startswith(prefix)), None)
        if not isinstance(content, bytes | None):
            raise imaplib.IMAP4.error("a letter came as something else than bytes")
        size = item.size
        if content and len(content) > self._config.letter_bytes:
            # The server told a smaller size than it sent.
            header_only, size, content = True, max(size, len(content)), content[:HEADER_BYTES]
        return RawLetter(
            self._arrival(item.uid, item.received_at, size),
            content or b"",
            header_only=header_only,
            missing=content is None,
        )

    def _arrival(self, uid: int, received_at: datetime, size: int) -> Arrival:
        place = Location(self.name, self._config.folder, self._uidvalidity, uid)
        return Arrival(self.name, place.key, received_at, size)

    # Filing.

    def _target(self, client: IMAPClient, folder: str) -> str:
        """The folder's full name; it exists afterwards and can hold letters."""
        name = self._full_name(client, folder)
        if not holds_letters(client, name):
            # A name that is only a level above other folders can be made a folder, too.
            client.create_folder(name)
            client.subscribe_folder(name)
            self._names[folder] = name
        return name

    def _full_name(self, client: IMAPClient, folder: str) -> str:
        """The name as the server lists it: as configured, else below the personal prefix."""
        if folder not in self._names:
            prefixed = with_prefix(client, folder)
            as_named = folder == prefixed or folder.upper() == "INBOX"
            as_named = as_named or holds_letters(client, folder)
            self._names[folder] = folder if as_named else prefixed
        return self._names[folder]

    def _move(self, client: IMAPClient, uids: Sequence[int], folder: str) -> None:
        move(client, uids, folder, keeps_keywords=self._keeps_keywords)

    # Waiting.

    def _idle(self, client: IMAPClient, seconds: float) -> bool:
        end = time.monotonic() + seconds
        look_seconds = self._config.look_seconds
        while (left := end - time.monotonic()) > 0 and not self._closed.is_set():
            came = self._idle_once(client, min(left, look_seconds or left))
            if not came and look_seconds:
                # Some servers delay their untagged EXISTS; a NOOP makes them send it.
                came = has_mail(client.noop()[1])
            if came:
                self._select(client)
                return True
        return False

    def _idle_once(self, client: IMAPClient, seconds: float) -> bool:
        end = time.monotonic() + seconds
        client.idle()
        seen: list[Any] = []
        while not has_mail(seen) and not self._closed.is_set():
            left = end - time.monotonic()
            if left <= 0:
                break
            # A closed connection wakes poll() without data.
            started = time.monotonic()
            seen = client.idle_check(timeout=min(left, 1.0))
            if not seen and time.monotonic() - started < min(left, 1.0) / 2:
                break
        _, rest = client.idle_done()
        self._used_at = time.monotonic()
        return has_mail([*seen, *rest])
