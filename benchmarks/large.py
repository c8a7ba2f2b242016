"""Ten million interval values, and what it takes to read one month of one entity."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import date, datetime

import psycopg
from pydantic import SecretStr

from benchmarks import filled
from benchmarks.servers import Servers
from config.settings import Database, Settings
from ingest.wiring import Service
from layouts.months import MOSCOW
from storage.billed.billing import Grain

NOW = datetime(2026, 1, 1, tzinfo=MOSCOW)
MONTH = date(2025, 10, 1)

_FOUR = "1, 2, 3, 4"

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


def read_month(url: str) -> tuple[int, float]:
    """Values of one month of one entity, and the seconds that `readings` takes for them."""
    app = Service(Settings(database=Database(url=SecretStr(url))))
    with app.ledger.reading() as store:
        # The first statement opens the connection.
        store.periods.closed()
        started = time.monotonic()
        rows = sum(1 for _ in store.billing.values(MONTH, Grain.INTERVAL, "300000000010"))
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
    made = filled.fill(url, "", NOW)
    read_month(url)
    rows, taken = read_month(url)
    lines = [
        (
            f"{backend}: {made.values:,} values written in {made.seconds:.0f} s; "
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
