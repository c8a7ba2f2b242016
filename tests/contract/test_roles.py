"""Two roles on PostgreSQL: the owner migrates, the service writes and can rewrite nothing."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from config.load import load
from ingest.operations.doctor import examine
from ingest.wiring.service import Service
from storage.append_only import APPEND_ONLY
from storage.ledger import Ledger
from tests.contract.documents import fill

DEPLOY = Path(__file__).parents[2] / "deploy"


def as_role(url, role):
    return url.replace("postgres:@", f"{role}:@").replace("//postgres@", f"//{role}@")


@pytest.fixture
def roles(postgresql):
    """URLs of a database for its owner and for the service, made as the documents say."""
    with psycopg.connect(postgresql.format("postgres"), autocommit=True) as server:
        server.execute("CREATE DATABASE roles")
        url = postgresql.format("roles")
        with psycopg.connect(url, autocommit=True) as superuser:
            superuser.execute((DEPLOY / "postgresql-roles.sql").read_text())
        yield as_role(url, "ingest_owner"), as_role(url, "ingest")
        server.execute("DROP DATABASE roles WITH (FORCE)")
        server.execute("DROP ROLE ingest_owner")
        server.execute("DROP ROLE ingest")


def test_the_owner_migrates_and_the_service_works_and_changes_nothing_that_is_kept(roles):
    owner, service = roles
    ledger = Ledger(owner)
    ledger.migrate()
    ledger.close()
    with psycopg.connect(owner, autocommit=True) as connection:
        grants = (DEPLOY / "postgresql-grants.sql").read_text()
        connection.execute(grants)
        connection.execute(grants)

    ledger = Ledger(service)
    assert ledger.schema_is_current()
    assert fill(ledger)
    assert ledger.seal(ledger.fence())
    with ledger.transaction() as store:
        assert store.leases.take("seal", "a:1:1") == "a:1:1"
        store.leases.release("seal", "a:1:1")
    with ledger.reading() as store:
        found = store.seals.check()
        assert store.append_only.missing() == []
    assert (found.broken, found.unsealed) == (None, {})
    # With the same schema there is nothing to migrate, for the service either.
    assert ledger.migrate().before == ledger.migrate().after
    ledger.close()

    for attack in attacks():
        with (
            psycopg.connect(service, autocommit=True) as connection,
            pytest.raises(psycopg.errors.InsufficientPrivilege),
        ):
            connection.execute(attack)


def test_doctor_says_that_a_migrations_tables_were_not_granted(roles, tmp_path):
    owner, service = roles
    ledger = Ledger(owner)
    ledger.migrate()
    ledger.close()
    settings = tmp_path / "ingest.toml"
    settings.write_text(f'[database]\nurl = "{service}"\n', encoding="utf-8")

    def told():
        app = Service(load(settings))
        found = [one for one in examine(app) if one.what == "database"]
        app.ledger.close()
        return found

    [nothing] = told()
    assert "alembic_version" in nothing.found
    assert "postgresql-grants.sql" in nothing.advice
    grants = (DEPLOY / "postgresql-grants.sql").read_text()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(grants)
        [all_well] = told()
        assert all_well.is_well
        connection.execute("CREATE TABLE added_later (id integer)")
        [one] = told()
        assert one.found.endswith("may not read or add to added_later")
        connection.execute(grants)
    assert told() == [all_well]


def attacks():
    for table in APPEND_ONLY:
        yield f"DELETE FROM {table}"
        yield f"TRUNCATE {table} CASCADE"
        yield f"ALTER TABLE {table} DISABLE TRIGGER ALL"
        yield f"DROP TRIGGER tr_{table}_delete ON {table}"
        yield f"DROP TABLE {table} CASCADE"
    yield "UPDATE audit SET who = 'x'"
    yield "UPDATE seal SET sha256 = 'x'"
    yield "UPDATE alembic_version SET version_num = 'x'"
    yield "SET session_replication_role = replica"
    yield (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RETURN NULL; END $$"
    )
    yield "CREATE TABLE audit2 (id integer)"
