"""The schema that migrations make is the one that the tables describe."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, inspect

from storage.ledger import Ledger
from storage.tables import METADATA


@pytest.fixture
def connection(database_url, ledger):
    engine = create_engine(ledger._url)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_migrations_make_what_the_tables_describe(connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True})

    assert compare_metadata(context, METADATA) == []


def test_every_constraint_has_its_name_in_the_database(connection):
    found = inspect(connection)
    for table in METADATA.sorted_tables:
        named = {key["name"] for key in found.get_foreign_keys(table.name)}
        named |= {key["name"] for key in found.get_unique_constraints(table.name)}
        named |= {key["name"] for key in found.get_check_constraints(table.name)}
        named.add(found.get_pk_constraint(table.name)["name"])
        wanted = {
            connection.dialect.identifier_preparer.format_constraint(c) for c in table.constraints
        }
        assert named == wanted


def test_a_migrated_schema_is_current_and_migrating_again_changes_nothing(ledger):
    assert ledger.schema_is_current()

    ledger.migrate()

    assert ledger.schema_is_current()


def test_an_empty_database_is_not_current(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")

    assert not ledger.schema_is_current()
    ledger.close()
