"""What is only ever added to is changed by nobody: each way that a database knows is refused."""

import pytest
from sqlalchemy.exc import DBAPIError

from storage.append_only import APPEND_ONLY
from storage.tables import METADATA
from tests.contract.documents import fill, rows

CHANGEABLE = {
    # What is sent, waits or is agreed on for a while.
    "access_request", "arrival", "cost", "instance", "lease", "letter", "letter_location",
    "mailbox_pass", "process", "reply", "sender_failure", "sender_guess", "server", "web_link",
    "web_session", "web_token", "web_upload",
    # What is true now; each change is in the audit.
    "legal_entity", "metering_point", "meter", "meter_row", "operator", "period", "point_row",
    "web_account", "web_user",
    # Values in force: what they replace is in the histories.
    "interval_day", "interval_series", "interval_value", "register_reading",
    # The end of the chain of seals.
    "seal_head",
}  # fmt: skip


def test_every_table_is_only_added_to_or_is_listed_here_with_why_not():
    """A new table belongs into one of the two."""
    assert not CHANGEABLE & set(APPEND_ONLY)
    assert set(METADATA.tables) == CHANGEABLE | set(APPEND_ONLY)


def change(ledger, *statements):
    """Statements past the store, each committed by itself, as with a shell of the database."""
    for statement in statements:
        with ledger._connected(writes=True) as connection, connection.begin():
            connection.exec_driver_sql(statement)


def content(ledger):
    return {table: rows(ledger, f"SELECT * FROM {table} ORDER BY 1, 2") for table in APPEND_ONLY}


def columns(table):
    return ", ".join(f'"{column.name}"' for column in METADATA.tables[table].columns)


def missing(ledger):
    with ledger.reading() as store:
        return store.append_only.missing()


def ways(table, database_url):
    """What would change a row, or all of them."""
    column = list(METADATA.tables[table].columns)[-1].name
    yield f'UPDATE {table} SET "{column}" = "{column}"'
    yield f"DELETE FROM {table}"
    if database_url.startswith("sqlite"):
        some = f"SELECT {columns(table)} FROM {table}"
        yield f"INSERT OR REPLACE INTO {table} ({columns(table)}) {some}"
        yield f"UPDATE OR REPLACE {table} SET \"{column}\" = 'x'"
    else:
        yield f"TRUNCATE {table} CASCADE"
        for each in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            yield f"SET LOCAL session_replication_role = replica; {each}"


def test_no_row_is_changed_replaced_or_deleted(ledger, database_url):
    fill(ledger)
    ledger.seal(ledger.fence())
    before = content(ledger)
    assert all(before.values())

    for table in APPEND_ONLY:
        for way in ways(table, database_url):
            with pytest.raises(DBAPIError, match="append-only"):
                change(ledger, way)

    assert content(ledger) == before


def test_a_receipt_is_not_replaced_by_its_place_in_the_letter_either(ledger, database_url):
    if not database_url.startswith("sqlite"):
        return
    fill(ledger)
    names = [c.name for c in METADATA.tables["submission"].columns if c.name != "id"]
    with pytest.raises(DBAPIError, match="append-only"):
        change(ledger, f"INSERT OR REPLACE INTO submission ({', '.join(names)})"
                       f" SELECT {', '.join(names)} FROM submission")  # fmt: skip


def test_every_trigger_is_there_after_migrating(ledger):
    assert missing(ledger) == []


def test_a_trigger_that_is_gone_off_or_weakened_is_named(ledger, database_url):
    for table in APPEND_ONLY:
        name = f"tr_{table}_delete"
        if database_url.startswith("sqlite"):
            (made,) = rows(ledger, f"SELECT sql FROM sqlite_master WHERE name = '{name}'")
            weak = made.sql.replace(f"ON {table}", f"ON {table} WHEN 0")
            states, last = [f"DROP TRIGGER {name}", weak], [f"DROP TRIGGER {name}", made.sql]
        else:
            ways = "DISABLE", "ENABLE", "ENABLE REPLICA", "ENABLE ALWAYS"
            *states, last = [f"ALTER TABLE {table} {way} TRIGGER {name}" for way in ways]
            last = [last]
        for state in states:
            change(ledger, state)
            assert missing(ledger) == [name]
        change(ledger, *last)
        assert missing(ledger) == []


def foreign(ledger):
    with ledger.reading() as store:
        return store.append_only.foreign()


ADDED = {
    "sqlite": [
        ("CREATE TRIGGER quiet BEFORE INSERT ON audit BEGIN SELECT RAISE(IGNORE); END",
         "trigger quiet", "DROP TRIGGER quiet"),
        ("CREATE TRIGGER late AFTER INSERT ON reply BEGIN DELETE FROM letter; END",
         "trigger late", "DROP TRIGGER late"),
    ],
    "postgresql": [
        ("CREATE TRIGGER quiet BEFORE INSERT ON audit EXECUTE FUNCTION refuse_change()",
         "trigger quiet", "DROP TRIGGER quiet ON audit"),
        ("CREATE RULE quiet AS ON INSERT TO audit WHERE NEW.who = 'me' DO INSTEAD NOTHING",
         "rule quiet on audit", "DROP RULE quiet ON audit"),
        ("ALTER TABLE audit ENABLE ROW LEVEL SECURITY", "row security of audit",
         "ALTER TABLE audit DISABLE ROW LEVEL SECURITY"),
    ],
}  # fmt: skip


def test_what_somebody_has_hung_on_a_table_to_keep_rows_out_is_named(ledger, database_url):
    assert foreign(ledger) == []
    for made, told, undone in ADDED[database_url.partition(":")[0].partition("+")[0]]:
        change(ledger, made)
        assert foreign(ledger) == [told]
        change(ledger, undone)
    assert foreign(ledger) == []


def test_a_function_that_refuses_nothing_any_more_is_seen(ledger, database_url):
    if database_url.startswith("sqlite"):
        return
    body = rows(ledger, "SELECT prosrc FROM pg_proc WHERE proname = 'refuse_change'")[0][0]
    made = "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
    change(ledger, f"{made} $$ BEGIN RETURN NULL; END $$")
    assert len(missing(ledger)) == 3 * len(APPEND_ONLY)
    change(ledger, f"{made} $${body.replace('%', '%%')}$$")
    assert missing(ledger) == []
