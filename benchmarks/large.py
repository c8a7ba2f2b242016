"""Ten million interval values, and what it takes to read one month of one entity."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import date

import psycopg
from pydantic import SecretStr

from benchmarks.servers import Servers
from config.settings import Database, Settings
from ingest.app import App
from storage.reading_rows import Grain

ENTITIES = 143
DAYS = 365
MONTH = date(2025, 10, 1)
_FIRST = 1735678800
"""Midnight of 2025-01-01 in Moscow."""

# One entity has one point with four channels of half-hours: 2.5 million a channel.
_OWNERS = """
INSERT INTO legal_entity (id, user_code, name, inn, addresses, active)
SELECT 1000000 + n, CAST(400000000000 + n AS TEXT), '', '', '', {true} FROM {entities};
INSERT INTO metering_point (id, entity_id, code, area, name, channels)
SELECT 1000000 + n, 1000000 + n, CAST(400000000000 + n AS TEXT), '', '', '' FROM {entities};
INSERT INTO letter (id, sha256, size, state, attempts, claimed_at, received_at, sender,
                    subject, message_id, run)
SELECT 1000000, 'x', 0, 'done', 1, 0, 0, '', '', '', 0;
INSERT INTO submission (id, letter_id, position, entity_id, name, sha256, size, version_first,
                        version_second, received_at, recorded_at, verdict, status,
                        accepted_values)
SELECT 1000000 + n, 1000000, n, 1000000 + n, '', '', 0, 0, 0, 0, 0, 'accepted', 1, 0
FROM {entities};
INSERT INTO interval_series (id, point_id, channel, step_minutes)
SELECT 1000000 + n * 4 + c, 1000000 + n,
       CASE c WHEN 0 THEN 'A+' WHEN 1 THEN 'A-' WHEN 2 THEN 'R+' ELSE 'R-' END, 30
FROM {entities}, {channels};
INSERT INTO interval_value (series_id, start, energy_wh, not_commercial, submission_id)
SELECT 1000000 + n * 4 + c, {first} + t * 1800, t % 900, {false}, 1000000 + n
FROM {entities}, {channels}, {starts};
"""
_COUNTED = (
    "(WITH RECURSIVE s(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM s WHERE v < {last}) "
    "SELECT v AS {name} FROM s)"
)

STATEMENTS = {
    "readings: values of a month": (
        "SELECT start, energy_wh, not_commercial, submission_id FROM interval_value "
        "WHERE series_id IN (1000040, 1000041, 1000042, 1000043) "
        "AND start >= 1759266000 AND start < 1761944400 ORDER BY series_id, start"
    ),
    "context: values in force under a document's day": (
        "SELECT series_id, start, energy_wh, not_commercial FROM interval_value "
        "WHERE series_id IN (1000040) AND start >= 1759266000 AND start < 1759352400"
    ),
    "context: spans that a document meets": (
        'SELECT * FROM submission_span WHERE series_id IN (1000040) AND "end" > 1759266000 '
        "AND start < 1759352400"
    ),
    "claim: a letter by its bytes": "SELECT id FROM letter WHERE sha256 = 'x'",
    "outbox: the next reply": (
        "SELECT id FROM reply WHERE state = 'owed' AND next_at <= 1761944400 "
        "ORDER BY next_at, id LIMIT 1"
    ),
}


def load(url: str) -> float:
    """Write the values: seconds."""
    started = time.monotonic()
    if url.startswith("sqlite"):
        _load_sqlite(url.partition(":///")[2])
    else:
        _load_postgresql(url)
    return time.monotonic() - started


def _load_sqlite(path: str) -> None:
    def counted(name: str, count: int) -> str:
        return _COUNTED.format(last=count - 1, name=name)

    with sqlite3.connect(path) as db:
        db.executescript(
            _OWNERS.format(
                entities=counted("n", ENTITIES),
                channels=counted("c", 4),
                starts=counted("t", DAYS * 48),
                first=_FIRST,
                true=1,
                false=0,
            )
        )
        db.execute("ANALYZE")


def _load_postgresql(url: str) -> None:
    def counted(name: str, count: int) -> str:
        return f"generate_series(0, {count - 1}) AS {name}"

    with psycopg.connect(url, autocommit=True) as db:
        # Foreign keys were checked when the values came; here they would take minutes.
        db.execute("SET session_replication_role = replica")
        text = _OWNERS.format(
            entities=counted("n", ENTITIES),
            channels=counted("c", 4),
            starts=counted("t", DAYS * 48),
            first=_FIRST,
            true="true",
            false="false",
        )
        for statement in text.split(";"):
            if statement.strip():
                db.execute(statement.encode())
        db.execute("ANALYZE")


def read_month(url: str) -> tuple[int, float]:
    """Values of one month of one entity, and the seconds that `readings` takes for them."""
    app = App(Settings(database=Database(url=SecretStr(url))))
    with app.ledger.reading() as store:
        # The first statement opens the connection.
        store.closed_periods()
        started = time.monotonic()
        rows = sum(1 for _ in store.readings(MONTH, Grain.INTERVAL, "400000000010"))
        seconds = time.monotonic() - started
    app.ledger.close()
    return rows, seconds


def explained(url: str) -> list[tuple[str, Sequence[str]]]:
    """How the database answers the verbs' statements."""
    told: list[tuple[str, Sequence[str]]] = []
    for title, statement in STATEMENTS.items():
        if url.startswith("sqlite"):
            with sqlite3.connect(url.partition(":///")[2]) as db:
                plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {statement}")]
        else:
            with psycopg.connect(url) as db:
                rows = db.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {statement}".encode())
                plan = [row[0] for row in rows]
        told.append((title, plan))
    return told


def measure(servers: Servers, backend: str) -> str:
    """A paragraph about ten million values on one database."""
    url = servers.database(backend)
    seconds = load(url)
    read_month(url)
    rows, taken = read_month(url)
    values = ENTITIES * 4 * DAYS * 48
    lines = [
        (
            f"{backend}: {values:,} values written in {seconds:.0f} s; "
            f"a month of one entity, {rows:,} rows, read in {taken * 1000:.0f} ms"
        ),
    ]
    for title, plan in explained(url):
        lines += ["", f"    {title}", *(f"      {line}" for line in plan)]
    return "\n".join(lines)


if __name__ == "__main__":
    with Servers() as running:
        for name in ("sqlite", "postgresql"):
            print(measure(running, name), flush=True)
