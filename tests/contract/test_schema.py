"""The schema that migrations make is the one that the tables describe."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from storage.ledger import SCHEMA, Ledger, _alembic
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


def test_the_schema_that_the_program_needs_is_that_of_the_newest_migration():
    assert ScriptDirectory.from_config(_alembic()).get_current_head() == SCHEMA


def test_a_migrated_schema_is_current_and_migrating_again_changes_nothing(ledger):
    assert ledger.schema_is_current()

    ledger.migrate()

    assert ledger.schema_is_current()


def test_an_empty_database_is_not_current(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'empty.db'}")

    assert not ledger.schema_is_current()
    ledger.close()


def test_the_first_version_can_be_taken_back_and_made_again(ledger):
    with ledger._connected(writes=True) as connection, connection.begin():
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]

    assert not ledger.schema_is_current()
    ledger.migrate()
    assert ledger.schema_is_current()
