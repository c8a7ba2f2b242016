"""A database of any released schema, with data of each, comes to the schema of today whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, LargeBinary, MetaData, Table, func, insert, select

from ingest.operations.audit import verify
from storage.ledger import SCHEMA, Ledger, Migrated, _alembic

REVISIONS = sorted(r.revision for r in ScriptDirectory.from_config(_alembic()).walk_revisions())
NOON = datetime(2026, 11, 22, 9, tzinfo=UTC)


def rows(number: int) -> dict[str, dict[str, Any]]:
    """A row of each table of the first schema, told apart by a number."""
    at = int((NOON + timedelta(hours=number)).timestamp())
    return {
        "legal_entity": {"id": number, "user_code": code(number), "name": "ООО", "active": True},
        "metering_point": {
            "id": number, "entity_id": number, "code": code(number), "channels": "A+",
        },
        "meter": {
            "id": number, "point_id": number, "number": str(number), "digits": 6, "decimals": 3,
            "ratio": 10**6, "installed": date(2020, 1, 1), "channels": "A+", "zones": "T1",
        },
        "letter": {
            "id": number, "sha256": f"{number:064}", "size": 9, "state": "done",
            "outcome": "accepted", "attempts": 1, "claimed_at": at, "received_at": at,
            "entity_id": number, "sender": "buh@primer.example", "subject": "Показания",
            "message_id": f"<{number}@x>", "settled_at": at,
        },
        "letter_location": {
            "mailbox": "main", "folder": "INBOX", "uidvalidity": 1, "uid": number,
            "letter_id": number,
        },
        "submission": {
            "id": number, "letter_id": number, "position": 0, "entity_id": number,
            "name": "a.xml", "sha256": f"{number:064}", "size": 5, "received_at": at,
            "recorded_at": at, "verdict": "accepted", "status": 1, "accepted_values": 2,
        },
        "reply": {
            "id": number, "letter_id": number, "recipient": "buh@primer.example",
            "address": "buh@primer.example", "subject": "Принято",
            "message_id": f"<r{number}@x>", "content": b"whole", "state": "sent", "attempts": 1,
            "owed_at": at, "next_at": at,
        },
        "interval_series": {
            "id": number, "point_id": number, "channel": "A+", "step_minutes": 60,
        },
        "interval_value": {
            "series_id": number, "start": at, "energy_wh": 1500, "not_commercial": False,
            "submission_id": number,
        },
        "audit": {
            "id": number, "at": at, "who": "petrova", "what": "entity", "key": code(number),
        },
    }  # fmt: skip


def code(number: int) -> str:
    return str(200000000000 + number)


def fill(connection: Connection, number: int) -> None:
    """Put the rows into a schema, with something in every column that needs it."""
    known = MetaData()
    known.reflect(connection)
    given = rows(number)
    for table in known.sorted_tables:
        if table.name in given:
            connection.execute(insert(table).values(whole(table, given[table.name])))


def whole(table: Table, row: dict[str, Any]) -> dict[str, Any]:
    lost = set(row).difference(table.c.keys())
    assert not lost, f"{table.name} has lost a column"
    return row | {c.name: nothing(c) for c in table.c if is_needed(c) and c.name not in row}


def is_needed(column: Any) -> bool:
    return not column.nullable and column.server_default is None


def nothing(column: Any) -> Any:
    return b"" if isinstance(column.type, LargeBinary) else column.type.python_type()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, tmp_path):
    """A database without any schema."""
    if request.param == "sqlite":
        made = Ledger(f"sqlite:///{tmp_path / 'old.db'}")
        yield made
        made.close()
        return
    server = request.getfixturevalue("postgresql")
    with psycopg.connect(server.format("postgres"), autocommit=True) as connection:
        connection.execute("CREATE DATABASE upgraded")
        made = Ledger(server.format("upgraded"))
        yield made
        made.close()
        connection.execute("DROP DATABASE upgraded WITH (FORCE)")


def upgrade(ledger: Ledger, revision: str, number: int) -> None:
    with ledger._connected(writes=True) as connection, connection.begin():
        config = _alembic()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        fill(connection, number)


def test_data_of_every_released_schema_is_there_after_the_migrations(empty):
    for number, revision in enumerate(REVISIONS, 1):
        upgrade(empty, revision, number)
        known = set(range(1, number + 1))

    done = empty.migrate()

    assert (done.after, empty.schema_is_current()) == (SCHEMA, True)
    assert empty.migrate() == Migrated(SCHEMA, SCHEMA)
    with empty.reading() as store:
        letters = store.letters.find()
        entities = store.registry.entities()
    assert {letter.entity for letter in letters} == {code(number) for number in known}
    assert {(letter.subject, letter.values, letter.reply) for letter in letters} == {
        ("Показания", 2, "sent")
    }
    meters = [m.number for entity in entities for p in entity.points for m in p.meters]
    assert sorted(map(int, meters)) == sorted(known)
    assert not verify(empty, last=1000).broken
    with empty._connected(writes=False) as connection:
        now = MetaData()
        now.reflect(connection)
        counts = {
            name: connection.scalar(select(func.count()).select_from(now.tables[name]))
            for name in rows(1)
        }
    assert counts == dict.fromkeys(rows(1), len(known))
