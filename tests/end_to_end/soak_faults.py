"""What breaks in the soak, and how it is mended: servers, disk, databases, clock, processes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cached_property, partial
from io import RawIOBase
from pathlib import Path
from typing import Any

import psycopg

from config.load import load
from ingest.demo.servers import SmtpServer
from ingest.operations import bounces
from ingest.operations.status import status
from ingest.wiring import service as wiring
from tests.end_to_end.installation import ROOT, Installation
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.servers import Account, Dovecot, make_certificate
from tests.hostile.against_the_service import MB, RECEIVED_AT, family
from tests.hostile.corpus import ordinary
from tests.identity import Provider

REFUSED = (400, b'{"error": "invalid_grant", "error_description": "the token has expired"}')
BROKEN = (500, b"<html>Internal Server Error</html>")
JUMP_SECONDS = 2 * 3600

Broken = Callable[[], contextlib.AbstractContextManager[object]]


class Clock:
    """The wall clock of the services, where Debian's faketime is installed."""

    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)

    def __init__(self, file: Path) -> None:
        self._file = file
        self.ahead = timedelta()
        self.set(0)

    def set(self, seconds: int) -> None:
        # Renamed: a half-written one would be another time.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+d}\n", encoding="ascii")
        fresh.rename(self._file)
        self.ahead = timedelta(seconds=seconds)

    @property
    def environment(self) -> Mapping[str, str]:
        if self.library is None:
            return {}
        return {
            "LD_PRELOAD": str(self.library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


class Postal(SmtpServer):
    """Takes mail until it has another answer to it.

    Attributes:
        answer: In place of taking mail; '' to take it.
        answered: Message-IDs of the letters that replies were taken, or refused for good, to.
    """

    def __init__(self) -> None:
        self.answer = ""
        self.answered: set[str] = set()
        super().__init__(self._take)

    def _take(self, _recipient: str, content: bytes) -> None:
        self.answered.add(str(message_from_bytes(content)["In-Reply-To"]))

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("5"):
            self._take("", envelope.content)
        return self.answer or await super().handle_DATA(server, session, envelope)


@dataclass
class Service(Installation):
    """Signs in by a token, over TLS, and may answer one address without end.

    Attributes:
        name: Of its database.
        provider: Where it gets tokens.
        environment: Of its process, beside ours.
        disk: That its database and its drop folder are on.
        appended: How many letters its mailbox was given.
        dropped: How many its drop folder was.
    """

    name: str = ""
    provider: str = ""
    clock: Clock | None = None
    disk: Path = Path()
    appended: int = 0
    dropped: int = 0
    # Two threads write: each number is of one letter.
    turn: threading.Lock = field(default_factory=threading.Lock)

    def _text(self) -> str:
        account = self.account
        assert account.certificate is not None
        authority = account.certificate.with_name("authority.pem")
        text = (
            super()
            ._text()
            .replace(
                f'port = {self.imap_port}\nsecurity = "none"',
                f'port = {self.imap_port}\nsecurity = "tls"\nca_file = "{authority}"'
                '\nauth = "oauth:office"\ntimeout_seconds = 5',
            )
            .replace("[smtp]", "[smtp]\ntimeout_seconds = 5")
        )
        return f"""{text}
[replies]
per_address_per_day = 1000000
[alarms]
free_mb = 8
[oauth.office]
grant = "client_credentials"
token_url = "{self.provider}/token"
client_id = "{self.name}"
client_secret = "secret"
[[drop]]
name = "sftp"
path = "{self.drop}"
"""

    def start(self) -> subprocess.Popen[bytes]:
        assert self.clock is not None
        with (self.folder / "stderr").open("ab") as errors:
            command = [sys.executable, "-m", "ingest", "--config", str(self.config), "run"]
            self.process = subprocess.Popen(
                command,
                cwd=ROOT,
                stderr=errors,
                stdout=errors,
                env={**os.environ, **self.clock.environment},
            )
        return self.process

    def number(self, which: int) -> str:
        """Message-ID of the letter that came as that one."""
        return f"<soak-{self.name}-{which}@primer.example>"

    def write(self) -> str:
        """A letter into its mailbox; its Message-ID."""
        with self.turn:
            number = self.number(self.appended)
            letter = re.sub(rb"(?im)^message-id:.*\r?\n", b"", ordinary(self.appended % 1000))
            head = f"Message-ID: {number}\r\nX-Number: {number}\r\n".encode()
            self.account.append(head + letter, at=RECEIVED_AT)
            self.appended += 1
        return number

    @property
    def drop(self) -> Path:
        """The folder that files are put into."""
        folder = self.disk / "drop"
        folder.mkdir(exist_ok=True)
        return folder

    def prepare(self) -> Path:
        """A file in the drop folder that is not whole yet."""
        self.dropped += 1
        file = self.drop / f".{self.dropped}.eml"
        file.write_bytes(b"X-Dropped: %d\r\n" % self.dropped + ordinary(self.dropped % 1000))
        return file

    def untold(self) -> int:
        """Files in its drop folder without a verdict."""
        return self.dropped - sum(1 for _ in self.drop.glob("*.verdict.json"))

    def needs(self) -> Sequence[str]:
        """What `status` tells, or why it cannot be asked."""
        assert self.clock is not None
        try:
            return status(self.asked, datetime.now(UTC) + self.clock.ahead).needs_a_person
        except ConnectionError as fault:
            return (str(fault),)

    @cached_property
    def asked(self) -> wiring.Service:
        """The service as another process has it."""
        return wiring.Service(load(self.config))

    def logged(self) -> int:
        """Bytes of its log and of its standard error."""
        return sum(path.stat().st_size for path in self._written())

    def database_bytes(self) -> int:
        """How large its database is."""
        if self.name == "sqlite":
            return sum(path.stat().st_size for path in self.folder.glob("ingest.db*"))
        with psycopg.connect(self.url) as connection:
            (size,) = connection.execute("SELECT pg_database_size(current_database())").fetchone()
            return int(size)


@dataclass(frozen=True)
class Fault:
    """Something that breaks.

    Attributes:
        told: What `status` must say of it; '' for what must pass without a fault.
        broken: Breaks it; mended when left.
        concerned: Who is hit.
    """

    name: str
    told: str
    broken: Broken
    concerned: Sequence[Service]


@dataclass
class World:
    """The servers and the disk that faults are injected into.

    Attributes:
        imap: In front of Dovecot's port for TLS.
        smtp: In front of `postal`.
        postgresql: Its server.
        is_small_disk: Whether the services' disks may be filled.
    """

    dovecot: Dovecot
    provider: Provider
    imap: Proxy
    smtp: Proxy
    postal: Postal
    clock: Clock
    postgresql: Any
    is_small_disk: bool
    services: Sequence[Service] = field(default_factory=tuple)

    def faults(self) -> list[Fault]:
        everybody, mailbox, outbox = self.services, "mailbox main fails since", "outbox fails since"
        certificate = f"{mailbox}.*certificate"
        sqlite, postgresql = everybody
        found = [
            Fault("IMAP server down", mailbox, self.no_imap, everybody),
            Fault("SMTP server down", outbox, partial(self.shut, self.smtp), everybody),
            Fault("PostgreSQL restarted", "database cannot be", self.no_postgresql, [postgresql]),
            Fault("wrong certificate", certificate, self.wrong_certificate, everybody),
            Fault("IMAP server silent", mailbox, partial(self.silent, self.imap), everybody),
            Fault("token expired", f"{mailbox}.*invalid_grant", self.token(REFUSED), everybody),
            Fault("database locked", "cannot be written to.*locked", self.locked, [sqlite]),
            Fault("SMTP server silent", outbox, partial(self.silent, self.smtp), everybody),
            Fault("SMTP 421", f"{outbox}.*421", partial(self.answers, "421 busy"), everybody),
            Fault("reading children killed", "", self.no_children, everybody),
            Fault("identity provider: 500", mailbox, self.token(BROKEN), everybody),
            Fault("token of another mailbox", mailbox, self.wrong_mailbox, everybody),
            Fault("SMTP 552", "undeliverable", partial(self.answers, "552 too large"), everybody),
            Fault("SIGHUP refused", "configuration fails", self.bad_configuration, everybody),
        ]  # fmt: skip
        if self.clock.library is not None:
            found.append(Fault("clock 2 h ahead, and back", "", self.jump, everybody))
        if self.is_small_disk:
            found.append(Fault("disk full", "MB free|cannot be", self.full, everybody))
        return found

    def left_out(self) -> Iterator[str]:
        """Faults that this machine cannot have, and what they need."""
        if not self.is_small_disk:
            yield "left out: disk full, which needs root to mount a small one"
        if self.clock.library is None:
            yield "left out: the clock, which needs Debian's faketime"

    @contextlib.contextmanager
    def no_imap(self) -> Iterator[None]:
        self.dovecot.stop()
        yield
        self.dovecot.start()

    @contextlib.contextmanager
    def wrong_certificate(self) -> Iterator[None]:
        folder = self.dovecot.certificate.parent
        names = ("certificate.pem", "key.pem", "authority.pem")
        kept = {name: (folder / name).read_bytes() for name in names}
        self.dovecot.stop()
        make_certificate(folder)
        # The service trusts the authority from before.
        (folder / "authority.pem").write_bytes(kept["authority.pem"])
        self.dovecot.start()
        yield
        self.dovecot.stop()
        for name, content in kept.items():
            (folder / name).write_bytes(content)
        self.dovecot.start()

    @contextlib.contextmanager
    def shut(self, door: Proxy) -> Iterator[None]:
        door.is_open = False
        door.cut()
        yield
        door.is_open = True

    @contextlib.contextmanager
    def silent(self, door: Proxy) -> Iterator[None]:
        door.is_silent = True
        door.cut()
        yield
        door.is_silent = False
        door.cut()

    @contextlib.contextmanager
    def answers(self, answer: str) -> Iterator[None]:
        self.postal.answer = answer
        yield
        self.postal.answer = ""
        # Until whatever was refused last is noted.
        time.sleep(2)
        for service in self.services:
            # What a person does about replies that were refused for good.
            for undelivered in bounces.undelivered(service.ledger):
                bounces.settle(service.ledger, undelivered.address, "soak", datetime.now(UTC))

    def token(self, answer: tuple[int, bytes]) -> Broken:
        @contextlib.contextmanager
        def broken() -> Iterator[None]:
            self.provider.answers.extend([answer] * 10_000)
            # A token is asked for at every connect.
            self.imap.cut()
            yield
            self.provider.answers.clear()

        return broken

    @contextlib.contextmanager
    def wrong_mailbox(self) -> Iterator[None]:
        kept, self.provider.clients = self.provider.clients, {}
        self.imap.cut()
        yield
        self.provider.clients = kept

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        database = self.services[0].disk / "ingest.db"
        with contextlib.closing(
            sqlite3.connect(database, isolation_level=None, timeout=30)
        ) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    @contextlib.contextmanager
    def no_postgresql(self) -> Iterator[None]:
        self.postgresql.stop()
        yield
        self.postgresql.ensure_postgres_running()

    @contextlib.contextmanager
    def no_children(self) -> Iterator[None]:
        for service in self.services:
            assert service.process is not None
            for child in list(family(service.process.pid))[1:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        yield

    @contextlib.contextmanager
    def bad_configuration(self) -> Iterator[None]:
        kept = [each.config.read_text(encoding="utf-8") for each in self.services]
        for service, text in zip(self.services, kept, strict=True):
            service.config.write_text(f"{text}\n[poll2]\n", encoding="utf-8")
            _hang_up(service)
        yield
        for service, text in zip(self.services, kept, strict=True):
            service.config.write_text(text, encoding="utf-8")
            _hang_up(service)

    @contextlib.contextmanager
    def jump(self) -> Iterator[None]:
        self.clock.set(JUMP_SECONDS)
        yield
        self.clock.set(0)

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        files = [each.prepare() for each in self.services]
        ended = threading.Event()
        with contextlib.ExitStack() as stack:
            ballast = [
                stack.enter_context((file.parent / ".ballast").open("wb", 0)) for file in files
            ]
            _fill(ballast)
            filling = threading.Thread(target=_keep_full, args=[ballast, ended])
            filling.start()
            for file in files:
                # Whole now, and nowhere is room for its verdict.
                file.rename(file.with_name(file.name[1:]))
            yield
            ended.set()
            filling.join()
        for file in files:
            (file.parent / ".ballast").unlink()
        # PostgreSQL may have ended, as it could not write its log: whoever makes room starts it.
        self.postgresql.ensure_postgres_running()


def _fill(ballast: Sequence[RawIOBase]) -> None:
    """Take what room there is."""
    for file in ballast:
        with contextlib.suppress(OSError):
            while file.write(b"\0" * MB):
                pass


def _keep_full(ballast: Sequence[RawIOBase], ended: threading.Event) -> None:
    while not ended.wait(0.5):
        _fill(ballast)


def _hang_up(service: Service) -> None:
    assert service.process is not None
    service.process.send_signal(signal.SIGHUP)


@contextlib.contextmanager
def disk() -> Iterator[tuple[Path, bool]]:
    """A small disk for the database, where one may be mounted; else a folder."""
    folder = Path(tempfile.mkdtemp(prefix="ingest-soak-"))
    size = "size=512m,mode=0700"
    command = ["mount", "-t", "tmpfs", "-o", size, "ingest-soak", str(folder)]
    may_mount = os.getuid() == 0 and shutil.which("mount") is not None
    is_small = (
        may_mount and not subprocess.run(command, check=False, capture_output=True).returncode
    )
    try:
        yield folder, is_small
    finally:
        if is_small:
            subprocess.run(["umount", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)


def account_of(dovecot: Dovecot, provider: Provider, name: str) -> Account:
    """An account of its own, whose tokens the provider gives to the client of that name."""
    account = dovecot.account()
    provider.clients[name] = account.user
    return account
