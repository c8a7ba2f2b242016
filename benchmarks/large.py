"""Ten million interval values, and what it takes to read one month of one entity.

Run as `python -m benchmarks large`.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from datetime import date, datetime

import psycopg

from benchmarks import filled
from benchmarks.servers import Servers
from config.settings import Database, Settings
from ingest.operations.billed import Asked, Grain, readings
from ingest.wiring.service import Service
from layouts.months import MOSCOW, bounds
from storage.readings.days import day_of

NOW = datetime(2026, 1, 1, tzinfo=MOSCOW)
MONTH = date(2025, 12, 1)
"""Its last three days are suspect."""

AS_OF = datetime(2025, 12, 20, tzinfo=MOSCOW)
_BY_METERS, _BY_PROFILES = "500000000000", "300000000010"

ASKED = {
    "values": Asked(MONTH, entity=_BY_PROFILES),
    "values as of": Asked(MONTH, entity=_BY_PROFILES, as_of=AS_OF),
    "values with history": Asked(MONTH, entity=_BY_PROFILES, history=True),
    "values changed since": Asked(MONTH, entity=_BY_PROFILES, changed_since=AS_OF),
    "sums of days as of": Asked(MONTH, Grain.DAY, _BY_PROFILES, as_of=AS_OF),
    "one number": Asked(MONTH, Grain.BILLING, _BY_PROFILES),
    "one number as of": Asked(MONTH, Grain.BILLING, _BY_PROFILES, as_of=AS_OF),
    "240 meters": Asked(MONTH, entity=_BY_METERS),
    "240 meters as of": Asked(MONTH, entity=_BY_METERS, as_of=AS_OF),
    "one number of 240 meters as of": Asked(MONTH, Grain.BILLING, _BY_METERS, as_of=AS_OF),
}
"""What `ingest readings` is asked for."""

_FOUR = "1, 2, 3, 4"

# As the verbs ask; `{keys}` is a list given as one parameter.
STATEMENTS = {
    "readings: values of a month": (
        "SELECT start, energy_wh, not_commercial, submission_id FROM interval_value "
        "WHERE series_id {keys} AND start >= {first} AND start < {last} "
        "ORDER BY series_id, start"
    ),
    "context: values in force under a document's day": (
        "SELECT series_id, start, energy_wh, not_commercial FROM interval_value "
        "WHERE series_id {keys} AND start >= {first} AND start < {next}"
    ),
    "context: sums of the four weeks before": (
        "SELECT series_id, day, energy_wh, highest_wh, counts FROM interval_day "
        "WHERE series_id {keys} AND day >= {day} - 28 AND day < {day} + 1"
    ),
    "context: spans that a document meets": (
        'SELECT * FROM submission_span WHERE series_id {keys} AND "end" > {first} '
        "AND start < {next}"
    ),
    "claim: a letter by its bytes": "SELECT id FROM letter WHERE sha256 = 'x'",
    "outbox: the next replies": (
        "SELECT id FROM reply WHERE state = 'owed' AND next_at <= {last} "
        "ORDER BY next_at, id LIMIT 8"
    ),
}


def read_month(url: str) -> list[tuple[str, int, float, float]]:
    """Rows of one month of one entity, and the seconds and CPU seconds of `readings` for them."""
    app = Service(Settings(database=Database(url=url)))
    with app.ledger.reading() as store:
        # The first statement opens the connection.
        store.periods.closed()
    told = []
    for name, asked in ASKED.items():
        started, used = time.monotonic(), time.process_time()
        with readings(app.ledger, asked) as sheet:
            rows = sum(1 for _ in sheet.rows)
        told.append((name, rows, time.monotonic() - started, time.process_time() - used))
    app.ledger.close()
    return told


def explained(url: str) -> list[tuple[str, Sequence[str]]]:
    """How the database answers the verbs' statements."""
    told: list[tuple[str, Sequence[str]]] = []
    first, last = (int(moment.timestamp()) for moment in bounds(MONTH))
    about = {"first": first, "last": last, "next": first + 86400, "day": day_of(first)}
    for title, statement in STATEMENTS.items():
        if url.startswith("sqlite"):
            keys = f"IN (SELECT value FROM json_each('[{_FOUR}]'))"
            with sqlite3.connect(url.partition(":///")[2]) as db:
                asked = statement.format(keys=keys, **about)
                plan = [row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {asked}")]
        else:
            with psycopg.connect(url) as db:
                asked = statement.format(keys=f"= ANY('{{{_FOUR}}}')", **about)
                rows = db.execute(f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) {asked}".encode())
                plan = [row[0] for row in rows]
        told.append((title, plan))
    return told


def measure(servers: Servers, backend: str) -> str:
    """A paragraph about ten million values on one database."""
    url = servers.database(backend)
    made = filled.fill(url, "", NOW)
    read_month(url)
    lines = [
        f"{backend}: {made.values:,} values written in {made.seconds:.0f} s; one entity's month:"
    ]
    for name, rows, taken, cpu in read_month(url):
        told = f"{taken * 1000:.0f} ms, {cpu * 1000:.0f} ms of them CPU of ours"
        lines.append(f"    {name}: {rows:,} rows in {told}")
    for title, plan in explained(url):
        lines += ["", f"    {title}", *(f"      {line}" for line in plan)]
    return "\n".join(lines)


if __name__ == "__main__":
    with Servers() as running:
        for name in ("sqlite", "postgresql"):
            print(measure(running, name), flush=True)
