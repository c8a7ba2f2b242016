"""A database as it is after a year: 100,000 letters and ten million values, made by SQL.

Run as `python -m benchmarks.filled URL` on a migrated, empty database.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP

import psycopg

from layouts.months import MOSCOW, following, midnight, month_at, preceding
from storage.readings.days import Day, day_of

PROFILES = 228
"""Entities that mail 52005 every day: five series of hours at three points."""

REGISTERS = 1430
"""Entities that mail 52006 every month: twelve meters of two zones."""

LARGE_POINTS = 228
"""Points that the first of them has beside its twelve."""

DAYS = 365
MONTHS = 12
STRANGE = 10
"""Letters a day that hand in nothing."""

_A_DAY = 2000
"""Numbers of letters that are kept for a day."""


@dataclass(frozen=True)
class Filled:
    """What was made.

    Attributes:
        profile: Code of an entity with hourly profiles.
        registers: Code of one with twelve meters.
        large: Code of one with 240 meters.
        values: Interval values in all.
        letters: In all.
        receipt: Number of the last receipt of `profile`.
    """

    profile: str
    registers: str
    large: str
    values: int
    letters: int
    receipt: int
    seconds: float


NAMED = Filled(
    "300000000000", "500000000001", "500000000000", PROFILES * 5 * DAYS * 24,
    DAYS * (PROFILES + STRANGE) + MONTHS * REGISTERS, _A_DAY * (DAYS - 1) + 1, 0,
)  # fmt: skip
"""What is made, whenever it is."""

# Letter and receipt have one number: 2000 x day + the sender's place in the day.
# Every tenth day was sent once more.
_ROWS = """
INSERT INTO legal_entity (id, user_code, name, inn, addresses, active, password_hash)
SELECT 1 + n, CAST(300000000000 + n AS TEXT), 'ООО «Завод ' || n || '»',
       CAST(3300000000 + n AS TEXT), 'meters' || n || '@zavod.example', {yes}, {hash}
FROM {profiles};
INSERT INTO legal_entity (id, user_code, name, inn, addresses, active, password_hash)
SELECT 1001 + n, CAST(500000000000 + n AS TEXT), 'ООО «Контора ' || n || '»',
       CAST(3500000000 + n AS TEXT), 'buh' || n || '@kontora.example', {yes}, {hash}
FROM {registers};
INSERT INTO metering_point (id, entity_id, code, area, name, channels, active, source, load)
SELECT 1 + n * 3 + k, 1 + n, CAST(3000000 + n * 3 + k AS TEXT), '', 'Ввод ' || (k + 1),
       CASE k WHEN 2 THEN 'A+' ELSE 'A+ R+' END, {yes}, '', ''
FROM {profiles}, {three};
INSERT INTO metering_point (id, entity_id, code, area, name, channels, active, source, load)
SELECT 10001 + n * 12 + k, 1001 + n, CAST(5000000 + n * 12 + k AS TEXT), '',
       'Помещение ' || (k + 1), '', {yes}, '', ''
FROM {registers}, {twelve};
INSERT INTO metering_point (id, entity_id, code, area, name, channels, active, source, load)
SELECT 30001 + k, 1001, CAST(6000000 + k AS TEXT), '', 'Магазин ' || (k + 1), '', {yes}, '', ''
FROM {large};
INSERT INTO point_row (point_id, begins, entity_id, area, active, source)
SELECT id, 0, entity_id, '', {yes}, '' FROM metering_point;
INSERT INTO meter (id, point_id, number, digits, decimals, ratio, installed, channels, zones)
SELECT id, id, CAST(70000000 + id AS TEXT), 6, 3, 40000000, '2020-01-01', 'A+', 'T1 T2'
FROM metering_point WHERE id > 10000;
INSERT INTO meter_row (meter_id, begins, number, digits, decimals, ratio)
SELECT id, 0, number, digits, decimals, ratio FROM meter;
INSERT INTO letter (id, sha256, size, state, outcome, attempts, claimed_at, received_at, entity_id,
                    sender, subject, message_id, settled_at, run, claimed_code)
SELECT 2000 * d + 1 + n, 'p' || (2000 * d + n), 9000, 'done', 'accepted', 1, {at}, {at}, 1 + n,
       'meters' || n || '@zavod.example', 'Показания за сутки', '<p' || d || '.' || n || '@zavod>',
       {at}, 0, CAST(300000000000 + n AS TEXT)
FROM {days}, {profiles};
INSERT INTO letter (id, sha256, size, state, outcome, attempts, claimed_at, received_at, entity_id,
                    sender, subject, message_id, settled_at, run, claimed_code)
SELECT 2000 * d + 301 + n, 'r' || (2000 * d + n), 30000, 'done', 'accepted', 1, {at}, {at},
       1001 + n, 'buh' || n || '@kontora.example', 'Показания счётчиков',
       '<r' || d || '.' || n || '@kontora>', {at}, 0, CAST(500000000000 + n AS TEXT)
FROM {months}, {registers};
INSERT INTO letter (id, sha256, size, state, outcome, attempts, claimed_at, received_at, sender,
                    subject, message_id, settled_at, run, reason, claimed_code)
SELECT 2000 * d + 1801 + k, 's' || (2000 * d + k), 3000, 'done',
       CASE k WHEN 0 THEN 'ignored' ELSE 'refused' END, 1, {at}, {at},
       'kto' || k || '@mail.example', 'Показания', '<s' || d || '.' || k || '@mail>',
       {at}, 0, 'wrong-password',
       CAST(500000000000 + k AS TEXT)
FROM {days}, {strange};
UPDATE letter SET state = 'quarantined', outcome = 'quarantined', error = 'ValueError: x'
WHERE id > 2000 * ({count_days} - 3) AND id % 2000 = 1802;
INSERT INTO letter_location (mailbox, folder, uidvalidity, uid, letter_id)
SELECT 'main', 'Processed', 1, id, id FROM letter;
INSERT INTO submission (id, letter_id, position, entity_id, name, sha256, size, layout,
                        version_first, version_second, received_at, recorded_at, verdict, status,
                        accepted_values)
SELECT id, id, 0, entity_id, CASE WHEN entity_id < 1001 THEN '52005.xml' ELSE '52006.xlsx' END,
       sha256, 8000, CASE WHEN entity_id < 1001 THEN '52005' ELSE '52006' END,
       received_at, 0, received_at, received_at, 'accepted',
       CASE WHEN id % 10 = 0 THEN 1 ELSE 0 END,
       CASE WHEN entity_id < 1001 THEN 120 ELSE 24 END
FROM letter WHERE entity_id IS NOT NULL;
INSERT INTO finding (submission_id, code, severity, line, point, channel, count, seen, detail)
SELECT id, 'decimal-comma', 'warning', 14, '', 'A+', 1, '0,067', '{{}}'
FROM submission WHERE id % 10 = 0;
INSERT INTO finding (letter_id, code, severity, count, detail)
SELECT id, 'wrong-credentials', 'error', 1, '{{}}' FROM letter WHERE outcome = 'refused';
INSERT INTO reply (letter_id, recipient, address, subject, message_id, content, state, attempts,
                   owed_at, next_at, settled_at)
SELECT id, sender, sender, 'Re: ' || subject, '<reply' || id || '@retailer>', {reply}, 'sent', 1,
       received_at, received_at, received_at
FROM letter WHERE outcome <> 'ignored' AND state = 'done';
INSERT INTO sender_failure (user_code, address, failures, succeeded_at)
SELECT user_code, addresses, 0, {first} FROM legal_entity;
INSERT INTO interval_series (id, point_id, channel, step_minutes)
SELECT 1 + n * 5 + c, 1 + n * 3 + c / 2, CASE c % 2 WHEN 0 THEN 'A+' ELSE 'R+' END, 60
FROM {profiles}, {five};
INSERT INTO interval_value (series_id, start, energy_wh, not_commercial, submission_id)
SELECT 1 + n * 5 + c, {first} + d * 86400 + h * 3600, 1000 + 37 * h, {no}, 2000 * d + 1 + n
FROM {profiles}, {five}, {days}, {hours};
INSERT INTO interval_history (series_id, start, replaced_by, energy_wh, not_commercial,
                              submission_id, replaced_at)
SELECT 1 + n * 5 + c, {first} + d * 86400 + h * 3600, 2000 * (d + 1) + 1 + n, 900 + 37 * h, {no},
       2000 * d + 1 + n, {first} + (d + 1) * 86400 + 32400
FROM {profiles}, {five}, {days}, {hours} WHERE d % 10 = 5;
INSERT INTO interval_day (series_id, day, energy_wh, highest_wh, counts)
SELECT 1 + n * 5 + c, {first_day} + d, {sums}, {sums}, {counts}
FROM {profiles}, {five}, {days};
INSERT INTO submission_span (series_id, "end", start, submission_id, places)
SELECT 1 + n * 5 + c, {first} + d * 86400 + 86400, {first} + d * 86400, 2000 * d + 1 + n,
       '[null,[14,1,24]]'
FROM {profiles}, {five}, {days};
INSERT INTO submission_reading (meter_id, channel, zone, instant, submission_id, places)
SELECT meter.id, 'A+', 'T' || (1 + z), at, 2000 * d + 301 + point.entity_id - 1001,
       '["Форма",[9,1,1]]'
FROM {months}, meter JOIN metering_point AS point ON point.id = meter.point_id, {two};
INSERT INTO register_reading (meter_id, channel, zone, instant, value, submission_id)
SELECT meter_id, channel, zone, instant,
       CAST(1000 + (instant - {first}) / 86400 * 2 AS BIGINT) * 1000000, submission_id
FROM submission_reading;
INSERT INTO suspicion (submission_id, code, series_id, channel, zone, start, "end", raised_at)
SELECT submission_id, 'peak-drop', series_id, 'A+', '', start, "end", "end"
FROM submission_span WHERE series_id % 5 = 1 AND submission_id > 2000 * ({count_days} - 3);
INSERT INTO audit (at, who, what, key, before, after)
SELECT {first} + d * 86400 + k * 60, 'bench', 'entity', CAST(500000000000 + k AS TEXT),
       '{{"name": "a"}}', '{{"name": "b"}}'
FROM {days}, {strange}
"""


def fill(url: str, password_hash: str, now: datetime) -> Filled:
    """Write the rows into an empty database of the current schema.

    Args:
        url: Of the database, SQLite or PostgreSQL.
        password_hash: Of every entity.
        now: The year ends with the day before.
    """
    begun = time.monotonic()
    today = now.astimezone(MOSCOW).date()
    first = today - timedelta(days=DAYS)
    if url.startswith("sqlite"):
        _sqlite(url.partition(":///")[2], _parameters(first, now) | {"hash": password_hash})
    else:
        _postgresql(url, _parameters(first, now) | {"hash": password_hash})
    return replace(NAMED, seconds=time.monotonic() - begun)


def _parameters(first: date, now: datetime) -> dict[str, object]:
    """What the statements are given, as Python has it."""
    midnights = int(midnight(first).timestamp())
    hours = [1000 + 37 * hour for hour in range(24)]
    energy, highest, counts = Day(hours, hours, [1] * 24).packed()
    assert energy == highest == array("I", hours).tobytes()
    months, month = [], month_at(now)
    for _ in range(MONTHS):
        at = midnight(month)
        # The readings of the year's first day may lie before it.
        months.append((max(0, (month - first).days), int(at.timestamp())))
        month = preceding(month)
    assert following(month) >= first.replace(day=1)
    return {
        "first": midnights,
        "first_day": day_of(midnights),
        "months": months,
        "sums": energy,
        "counts": counts,
        "reply": _reply(),
    }


def _reply() -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = "meters@retailer.example", "buh@kontora.example"
    mail["Subject"] = "Re: Показания"
    mail.set_content("Показания приняты.\n" * 20)
    xml = '<?xml version="1.0"?>\n<message class="80021"/>\n' * 10
    mail.add_attachment(xml.encode(), maintype="application", subtype="xml", filename="80021.xml")
    return mail.as_bytes()


_COUNTS = {
    "profiles": ("n", PROFILES), "registers": ("n", REGISTERS), "large": ("k", LARGE_POINTS),
    "three": ("k", 3), "twelve": ("k", 12), "five": ("c", 5), "two": ("z", 2),
    "days": ("d", DAYS), "hours": ("h", 24), "strange": ("k", STRANGE),
}  # fmt: skip


def _statements(
    given: Mapping[str, object],
    counted: Callable[[str, int], str],
    literal: Callable[[bytes], str],
    truth: tuple[str, str],
) -> list[str]:
    """The statements in a database's own words.

    Args:
        given: The parameters.
        counted: Makes a table of the numbers from 0 up to one.
        literal: Writes bytes.
        truth: How true and false are written.
    """
    words: dict[str, object] = {key: counted(*value) for key, value in _COUNTS.items()}
    months: list[tuple[int, int]] = given["months"]  # type: ignore[assignment]
    rows = " UNION ALL ".join(f"SELECT {d} AS d, {at} AS at" for d, at in months)
    words |= {
        key: literal(value) if isinstance(value, bytes) else value for key, value in given.items()
    }
    words |= {
        "yes": truth[0], "no": truth[1], "count_days": DAYS, "months": f"({rows}) AS m",
        "hash": f"'{given['hash']}'", "at": f"{given['first']} + d * 86400 + 32400",
    }  # fmt: skip
    return [text for text in _ROWS.format(**words).split(";\n") if text.strip()]


def _sqlite(path: str, given: Mapping[str, object]) -> None:
    def counted(name: str, count: int) -> str:
        return (
            f"(WITH RECURSIVE s(v) AS (SELECT 0 UNION ALL SELECT v + 1 FROM s "
            f"WHERE v < {count - 1}) SELECT v AS {name} FROM s) AS of_{name}"
        )

    statements = _statements(given, counted, lambda content: f"X'{content.hex()}'", ("1", "0"))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA synchronous = OFF")
        for statement in statements:
            db.execute(statement)
        db.commit()
    db.close()


def _postgresql(url: str, given: Mapping[str, object]) -> None:
    def counted(name: str, count: int) -> str:
        return f"generate_series(0, {count - 1}) AS {name}"

    with psycopg.connect(url, autocommit=True) as db:
        # A key that grows with every row takes minutes; made at the end, it is the same.
        db.execute("ALTER TABLE interval_value DROP CONSTRAINT pk_interval_value")
        # What is thrown away afterwards need not survive a crash.
        db.execute("ALTER TABLE interval_value SET UNLOGGED")
        db.execute("SET synchronous_commit = off")
        literal = lambda content: f"'\\x{content.hex()}'::bytea"  # noqa: E731
        for statement in _statements(given, counted, literal, ("true", "false")):
            db.execute(statement.encode())
        db.execute("SET maintenance_work_mem = '256MB'")
        db.execute(
            "ALTER TABLE interval_value "
            "ADD CONSTRAINT pk_interval_value PRIMARY KEY (series_id, start)"
        )
        _numbered_behind(db)
        db.execute("ANALYZE")


def _numbered_behind(db: psycopg.Connection) -> None:
    """Rows that come later get numbers behind those that are there."""
    tables = db.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'id' AND column_default LIKE '%nextval%'"
    ).fetchall()
    for (table,) in tables:
        db.execute(
            f"SELECT setval('{table}_id_seq', max(id)) FROM {table} HAVING max(id) > 0".encode()
        )


def main() -> None:
    """Fill the database of the command line."""
    from argon2 import PasswordHasher

    hashed = PasswordHasher(memory_cost=19456, time_cost=2, parallelism=1).hash(PASSWORD)
    print(fill(sys.argv[1], hashed, datetime.now(UTC)))


PASSWORD = "Lesnaya-tropa-12"
"""Of every entity of a database that is filled from the command line."""


if __name__ == "__main__":
    main()
