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
from ingest.wiring import Service
from storage.billed.billing import Grain

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
SELECT 1000000 + n, CAST(n AS TEXT), 0, 'done', 1, 0, 0, '', '', '', 0 FROM {letters};
INSERT INTO reply (letter_id, recipient, address, subject, message_id, content, state,
                   attempts, owed_at, next_at, settled_at)
SELECT 1000000 + n, '', '', '', CAST(n AS TEXT), {empty}, 'sent', 1, 0, 0, 0 FROM {letters};
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
INSERT INTO interval_day (series_id, day, energy_wh, highest_wh, counts)
SELECT 1000000 + n * 4 + c, 20089 + d, {empty}, {empty}, {empty}
FROM {entities}, {channels}, {days};
INSERT INTO submission_span (series_id, "end", start, submission_id)
SELECT 1000000 + n * 4 + c, {first} + d * 86400 + 86400, {first} + d * 86400, 1000000 + n
FROM {entities}, {channels}, {days};
"""
_COUNTED = (
    "(WITH RECURSIVE s(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM s WHERE v < {last}) "
    "SELECT v AS {name} FROM s)"
)

_FOUR = "1000040, 1000041, 1000042, 1000043"

# As the verbs ask; `{keys}` is a list given as one parameter.
STATEMENTS = {
    "readings: values of a month": (
        "SELECT start, energy_wh, not_commercial, submission_id FROM interval_value "
        "WHERE series_id {keys} AND start >= 1759266000 AND start < 1761944400 "
        "ORDER BY series_id, start"
    ),
    "context: values in force under a document's day": (
        "SELECT series_id, start, energy_wh, not_commercial FROM interval_value "
        "WHERE series_id {keys} AND start >= 1759266000 AND start < 1759352400"
    ),
    "context: sums of the four weeks before": (
        "SELECT series_id, day, energy_wh, highest_wh, counts FROM interval_day "
        "WHERE series_id {keys} AND day >= 20334 AND day < 20363"
    ),
    "context: spans that a document meets": (
        'SELECT * FROM submission_span WHERE series_id {keys} AND "end" > 1759266000 '
        "AND start < 1759352400"
    ),
    "claim: a letter by its bytes": "SELECT id FROM letter WHERE sha256 = 'x'",
    "outbox: the next replies": (
        "SELECT id FROM reply WHERE state = 'owed' AND next_at <= 1761944400 "
        "ORDER BY next_at, id LIMIT 8"
    ),
}
LETTERS = 20_000
"""Of as many as a month brings."""


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
                days=counted("d", DAYS),
                letters=counted("n", LETTERS),
                first=_FIRST,
                true=1,
                false=0,
                empty="x''",
            )
        )
        db.execute("ANALYZE")


def _load_postgresql(url: str) -> None:
    def counted(name: str, count: int) -> str:
        return f"generate_series(0, {count - 1}) AS {name}"

    with psycopg.connect(url, autocommit=True) as db:
        # A key that grows with every row takes minutes; made at the end, it is the same.
        db.execute("ALTER TABLE interval_value DROP CONSTRAINT pk_interval_value")
        # What is thrown away afterwards need not survive a crash.
        db.execute("ALTER TABLE interval_value SET UNLOGGED")
        text = _OWNERS.format(
            entities=counted("n", ENTITIES),
            channels=counted("c", 4),
            starts=counted("t", DAYS * 48),
            days=counted("d", DAYS),
            letters=counted("n", LETTERS),
            first=_FIRST,
            true="true",
            false="false",
            empty="CAST('' AS bytea)",
        )
        for statement in text.split(";"):
            if statement.strip():
                db.execute(statement.encode())
        db.execute("SET maintenance_work_mem = '256MB'")
        db.execute(
            "ALTER TABLE interval_value "
            "ADD CONSTRAINT pk_interval_value PRIMARY KEY (series_id, start)"
        )
        db.execute("ANALYZE")


def read_month(url: str) -> tuple[int, float]:
    """Values of one month of one entity, and the seconds that `readings` takes for them."""
    app = Service(Settings(database=Database(url=SecretStr(url))))
    with app.ledger.reading() as store:
        # The first statement opens the connection.
        store.periods.closed()
        started = time.monotonic()
        rows = sum(1 for _ in store.billing.values(MONTH, Grain.INTERVAL, "400000000010"))
        seconds = time.monotonic() - started
    app.ledger.close()
    return rows, seconds


def explained(url: str) -> list[tuple[str, Sequence[str]]]:
    """How the database answers the verbs' statements."""
    told: list[tuple[str, Sequence[str]]] = []
    for title, statement in STATEMENTS.items():
        if url.startswith("sqlite"):
            with sqlite3.connect(url.partition(":///")[2]) as db:
                asked = statement.format(keys=f"IN (SELECT value FROM json_each('[{_FOUR}]'))")
                plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {asked}")]
        else:
            with psycopg.connect(url) as db:
                asked = statement.format(keys=f"= ANY('{{{_FOUR}}}')")
                rows = db.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {asked}".encode())
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
