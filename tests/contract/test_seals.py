"""A chain of hashes over what is never changed: whoever changes it all the same is found."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
from sqlalchemy.dialects import postgresql

from storage import seals
from storage.append_only import APPEND_ONLY
from storage.ledger import Ledger
from storage.records.audit import Head
from storage.seals import _WITH
from storage.tables import METADATA
from tests.contract.documents import NOW, document, fill, hand_in, hours, rows

SEALED = ("audit", "finding", "snapshot", "submission")
WITH = {table: kind for kind, others in _WITH.items() for table, _ in others}


@pytest.fixture
def full(ledger):
    """Everything there is, sealed."""
    fill(ledger)
    assert ledger.seal(ledger.fence())
    return ledger


def check(ledger, *known, last=None):
    with ledger.reading() as store:
        return store.seals.check(known, last)


def head(ledger):
    with ledger.reading() as store:
        return store.seals.head()


class Superuser:
    """Somebody with the database's own shell, and no trigger in the way."""

    def __init__(self, url):
        self.on_sqlite = url.startswith("sqlite")
        if self.on_sqlite:
            self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.execute = self.connection.execute
            self.execute("PRAGMA foreign_keys = OFF")
            self.made = self.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            self.made = self.made.fetchall()
            for name, _ in self.made:
                self.execute(f"DROP TRIGGER {name}")
        else:
            self.connection = psycopg.connect(url, autocommit=True)
            self.execute = self.connection.execute
            self._triggers("DISABLE TRIGGER ALL")

    def _triggers(self, change):
        for table in METADATA.sorted_tables:
            self.execute(f"ALTER TABLE {table.name} {change}")

    def close(self):
        """Leaves the triggers as they were."""
        if self.on_sqlite:
            for _, sql in self.made:
                self.execute(sql)
        else:
            self._triggers("ENABLE TRIGGER ALL")
            for table in APPEND_ONLY:
                for event in ("update", "delete", "truncate"):
                    self.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER tr_{table}_{event}")
        self.connection.close()


@pytest.fixture
def superuser(full, database_url):
    with closing(Superuser(database_url)) as one:
        yield one


def looked_at(superuser, full, statement):
    """What is found after a change, which is undone again."""
    table = statement.replace("DELETE FROM", "UPDATE").replace("INSERT INTO", "UPDATE").split()[1]
    superuser.execute(f"CREATE TABLE kept AS SELECT * FROM {table}")
    superuser.execute(statement)
    found = check(full)
    superuser.execute(f"DELETE FROM {table}")
    superuser.execute(f"INSERT INTO {table} SELECT * FROM kept")
    superuser.execute("DROP TABLE kept")
    return found


def test_what_was_not_touched_is_whole(full):
    found = check(full)
    assert (found.broken, found.unsealed, found.seals) == (None, {}, 1)
    assert found.rows == sum(rows(full, f"SELECT count(*) FROM {t}")[0][0] for t in SEALED)
    assert found.head.number == 1


def test_what_came_since_is_told_as_not_sealed_and_the_next_seal_covers_it_alone(full):
    hand_in(full, document(hours(7, 7), created=9))
    before = check(full)
    assert (before.broken, before.unsealed["submission"]) == (None, 1)

    full.seal(full.fence())

    after = check(full)
    assert (after.broken, after.unsealed, after.seals) == (None, {}, 2)
    assert check(full, last=1).seals == 1


def test_without_anything_new_there_is_no_seal(full):
    assert full.seal(full.fence())
    assert head(full).number == 1


CHANGES = {
    # One of two must be there.
    ("finding", "letter_id"): "letter_id = submission_id, submission_id = NULL",
    ("suspicion", "meter_id"): "meter_id = series_id, series_id = NULL",
    ("snapshot", "kind"): "kind = 'export'",
    ("snapshot_row", "late"): "late = NOT late",
}


def changed(column, value):
    """A change of a column to another value that it may have."""
    if (column.table.name, column.name) in CHANGES:
        return CHANGES[column.table.name, column.name]
    if column.type.compile(postgresql.dialect()) in {"TEXT", "VARCHAR"}:
        return f"\"{column.name}\" = 'x'"
    return f'"{column.name}" = {1 if value is None else value + 1000}'


def owner_of(table):
    """What is sealed with a row of a table, and the column with its number."""
    kind = WITH.get(table, table)
    return kind, dict(_WITH[kind])[table] if table in WITH else "id"


def test_a_change_of_any_column_of_a_sealed_row_is_named(full, superuser):
    for table in (*SEALED, *WITH):
        kind, owner = owner_of(table)
        of = METADATA.tables[table]
        row = rows(full, f"SELECT * FROM {table} ORDER BY {owner} DESC")[0]._mapping
        where = " AND ".join(f"\"{key.name}\" = '{row[key.name]}'" for key in of.primary_key)
        for column in of.columns:
            set_ = changed(column, row[column.name])
            found = looked_at(superuser, full, f"UPDATE {table} SET {set_} WHERE {where}")
            assert found.broken is not None, str(column)
            assert found.broken.startswith(f"{kind} {row[owner]} "), (str(column), found.broken)
            assert "seal 1 of" in found.broken
        assert check(full).broken is None, table


def test_a_last_row_that_is_gone_is_named_and_so_is_an_empty_table(full, superuser):
    for table in (*SEALED, *WITH):
        kind, owner = owner_of(table)
        numbers = [n for (n,) in rows(full, f"SELECT {owner} FROM {table} ORDER BY {owner}")]
        word = "was changed" if table in WITH else "is gone"

        gone = f"DELETE FROM {table} WHERE {owner} = {numbers[-1]}"
        found = looked_at(superuser, full, gone)
        assert found.broken.startswith(f"{kind} {numbers[-1]} {word}"), table
        found = looked_at(superuser, full, f"DELETE FROM {table}")
        assert found.broken.startswith(f"{kind} {numbers[0]} {word}"), table


def test_a_row_put_among_the_sealed_ones_is_named(full, superuser):
    gone = looked_at(superuser, full, "DELETE FROM audit WHERE id = 2")
    assert gone.broken.startswith("audit 2 is gone")
    superuser.execute("DELETE FROM seal_head")
    superuser.execute("DELETE FROM seal")
    superuser.execute("DELETE FROM audit WHERE id = 2")
    full.seal(full.fence())
    assert check(full).broken is None

    for number in (2, 0, -(2**31)):
        added = f"INSERT INTO audit (id, at, who, what, key) VALUES ({number}, 1, 'x', 'x', 'x')"
        assert looked_at(superuser, full, added).broken.startswith(f"audit {number} was added")


ATTACKS = {
    "DELETE FROM seal WHERE number = 1": "seal 1 is gone",
    "DELETE FROM seal WHERE number = 2": "seal 2 is gone",
    "DELETE FROM seal WHERE number = 3": "seals 3 to 3 are gone",
    "DELETE FROM seal": "seals 1 to 3 are gone",
    "DELETE FROM seal_head": "the head of the chain is gone",
    "UPDATE seal_head SET number = 2": "seal 3 is not the one that was written",
    "UPDATE seal SET sha256 = 'x' WHERE number = 2": "seal 2 of",
    "UPDATE seal SET at = at - 60 WHERE number = 2": "seal 2 of",
    "UPDATE seal SET upto = 'x' WHERE number = 2": "seal 2 of",
    "UPDATE seal SET rows = 'x' WHERE number = 2": "seal 2 of",
    "UPDATE seal SET rows = '[]' WHERE number = 3": "seal 3 of",
}


def test_a_seal_that_is_gone_or_was_changed_is_named(full, superuser):
    for hour in (8, 9):
        hand_in(full, document(hours(hour), created=hour))
        full.seal(full.fence())
    assert check(full).seals == 3

    for attack, told in ATTACKS.items():
        assert looked_at(superuser, full, attack).broken.startswith(told), attack
    assert check(full).broken is None


def test_a_chain_that_was_made_anew_is_not_the_one_of_the_log(full, superuser):
    noted = head(full)
    superuser.execute("UPDATE audit SET who = 'somebody' WHERE id = 1")
    superuser.execute("DELETE FROM seal")
    superuser.execute("DELETE FROM seal_head")
    full.seal(full.fence())

    assert check(full).broken is None
    assert check(full, Head(noted.number, noted.sha256)).broken == (
        "seal 1 is not the one that the log tells"
    )
    with full.reading() as store:
        assert not store.seals.has(noted)


def append_and_end(store):
    assert store.seals.append(store.seals.draft(store.seals.fence()))
    raise SystemExit


def test_a_crash_in_the_middle_of_sealing_leaves_a_whole_chain(full, monkeypatch):
    monkeypatch.setattr("storage.seals._MOST", 1)
    monkeypatch.setattr("storage.seals._AT_ONCE", 1)
    for hour in (6, 7, 8):
        hand_in(full, document(hours(hour), created=hour))
    with pytest.raises(SystemExit), full.transaction() as store:
        append_and_end(store)
    assert check(full).seals == 1
    with full.transaction() as store:
        store.seals.append(store.seals.draft(store.seals.fence()))

    half = check(full)
    assert (half.broken, half.seals) == (None, 2)
    assert half.unsealed["submission"] == 2

    full.seal(full.fence())
    assert (check(full).broken, check(full).unsealed) == (None, {})
    assert check(full).seals > 3


def test_two_that_seal_at_once_make_one_chain(full, database_url):
    def work(number):
        ledger = Ledger(database_url)
        for hour in range(5):
            hand_in(ledger, document(hours(hour, number), created=10 * number + hour))
            ledger.seal(ledger.fence())
        ledger.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, (1, 2)))
    while not full.seal(full.fence()):
        pass

    found = check(full)
    assert (found.broken, found.unsealed) == (None, {})
    assert found.seals == found.head.number


def test_a_backlog_is_sealed_in_as_many_turns_as_it_takes(ledger, monkeypatch):
    for bound in ("_MOST", "_AT_ONCE"):
        monkeypatch.setattr(seals, bound, 1)
    with ledger.transaction() as store:
        for code in ("1", "2", "3"):
            store.audit.add(NOW, "anna", "password", code, before=None, after=None)
    fence, turns = ledger.fence(), 1
    while not ledger.seal(fence, seconds=0):
        turns += 1
    found = check(ledger)

    assert (found.broken, found.unsealed) == (None, {})
    assert found.seals == turns - 1 == 3


def test_of_two_seals_for_the_same_place_one_is_dropped(full):
    hand_in(full, document(hours(7, 7), created=9))
    with full.transaction() as store:
        draft = store.seals.draft(store.seals.fence())
        assert store.seals.append(draft)
        assert not store.seals.append(draft)
    assert check(full).broken is None


def test_a_row_that_is_committed_late_is_not_passed_over(on_postgresql):
    ledger = on_postgresql
    fill(ledger)
    with ledger.transaction() as late:
        late.audit.add(NOW, "late", "password", "1", before=None, after=None)
        with ledger.transaction() as store:
            store.audit.add(NOW, "early", "password", "2", before=None, after=None)
        fence = ledger.fence()
        # Nobody waits: what cannot be sealed yet is told as that.
        assert not ledger.seal(fence)
        assert head(ledger) is None
    assert ledger.seal(fence)
    found = check(ledger)
    assert (found.broken, found.unsealed) == (None, {})


def test_a_row_has_its_id_only_after_its_transaction_has_a_number(on_postgresql):
    # Else a fence could stand behind an id whose transaction begins to count behind it.
    for table in SEALED:
        (made,) = rows(
            on_postgresql,
            "SELECT column_default FROM information_schema.columns"
            f" WHERE table_name = '{table}' AND column_name = 'id'",
        )
        assert made[0].index("pg_current_xact_id()") < made[0].index("nextval(")


def test_old_rows_are_sealed_when_the_schema_is_brought_up(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'old.db'}")
    ledger.migrate()
    fill(ledger)
    with ledger.transaction() as store:
        from alembic import command

        from storage.ledger import _alembic

        config = _alembic()
        config.attributes["connection"] = store.session.connection
        command.downgrade(config, "0012")
    assert not ledger.schema_is_current()

    ledger.migrate()

    found = check(ledger)
    assert (found.broken, found.unsealed, found.seals) == (None, {}, 1)
    assert found.rows > 5
    ledger.close()
