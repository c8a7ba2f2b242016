"""The schema that migrations make is the one that the tables describe."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from storage.ledger import SCHEMA, Ledger, _alembic
from storage.tables import METADATA
from tests.contract.documents import document, hand_in, hours, import_all, reading, rows


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


@pytest.mark.parametrize("change", ["UPDATE {} SET {} = NULL", "DELETE FROM {}"])
def test_history_and_audit_cannot_be_changed_by_anyone(ledger, change):
    import_all(ledger)
    for hour, (value, read) in enumerate((("1", 10), ("2", 20))):
        hand_in(ledger, document(hours(read), created=hour))
        hand_in(ledger, document(reading(value), layout="52006", created=hour))
    tables = {"audit": "before", "interval_history": "energy_wh", "register_history": "value"}

    for table, column in tables.items():
        assert rows(ledger, f"SELECT count(*) FROM {table}")[0][0] > 0
        with pytest.raises(DBAPIError, match="append-only"):
            rows(ledger, change.format(table, column), writes=True)


def test_the_first_version_can_be_taken_back_and_made_again(ledger):
    with ledger._connected(writes=True) as connection, connection.begin():
        config = _alembic()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
        assert inspect(connection).get_table_names() == ["alembic_version"]

    assert not ledger.schema_is_current()
    ledger.migrate()
    assert ledger.schema_is_current()
