"""What an import of the register of points costs: 50,000 rows, then beside closed months.

`python -m benchmarks.register [ROWS [POINTS MONTHS]]` prints a line for each: a first import,
the same file again, and the correction of one ratio, and of every ratio, where POINTS with
a reading at each end of MONTHS closed months stand in the way.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from layouts.months import following, midnight
from storage.ledger import Ledger

_HEAD = (
    "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;digits;decimals;"
    "ratio;installed;removed;channels;zones"
)
_POINTS_EACH = 25
_MIB = 1024


def _row(number: int, ratio: str) -> str:
    code = f"{200000000000 + number // _POINTS_EACH}"
    return (
        f"{code};ООО «Пример {code}»;3300000001;buh{code}@primer.example;1;{code}-{number};Ввод;;"
        f"150;{number:08};6;2;{ratio};2020-03-01;;A+;"
    )


def _file(folder: Path, rows: int, corrected: int = 0) -> Path:
    lines = [_row(number, "30" if number < corrected else "40") for number in range(rows)]
    path = folder / f"{rows}-{corrected}.csv"
    path.write_text("\n".join([_HEAD, *lines]), encoding="utf-8")
    return path


def _import(folder: Path, file: Path, *words: str) -> None:
    """Run the verb in a process of its own and print its time and its peak of memory."""
    begun = time.monotonic()
    child = subprocess.Popen(
        [sys.executable, "-m", "ingest", "registry", "import", str(file), *words],
        env={**os.environ, "INGEST_DATABASE__URL": f"sqlite:///{folder / 'ingest.db'}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    took = time.monotonic() - begun
    cpu = used.ru_utime + used.ru_stime
    told = f"{took:.1f} s, {cpu:.1f} s of CPU, {used.ru_maxrss / _MIB:.0f} MB"
    print(f"{' '.join((file.name, *words))}: exit {child.returncode}, {told}")


def _closed_months(folder: Path, points: int, months: int) -> None:
    """Readings of each meter at both ends of closed months, put into the tables directly."""
    ledger = Ledger(f"sqlite:///{folder / 'ingest.db'}")
    now = datetime.now(UTC)
    first = date(2024, 1, 1)
    with ledger.transaction() as store:
        letter = store.letters.claim(None, "0" * 64, 1, now, now).letter
        run = store.session.connection.exec_driver_sql
        run(
            "INSERT INTO submission (letter_id, position, entity_id, name, sha256, size, layout,"
            " version_first, version_second, received_at, recorded_at, verdict, status,"
            " accepted_values) SELECT ?, 0, min(id), 'x.xml', ?, 1, '52006', 0, 0, 0, 0,"
            " 'accepted', 0, 1 FROM legal_entity",
            (letter, "0" * 64),
        )
        month = first
        for number in range(months + 1):
            instant, value = int(midnight(month).timestamp()), 100 * number * 10**6
            run(
                "INSERT INTO register_reading"
                " (meter_id, channel, zone, instant, value, submission_id)"
                " SELECT id, 'A+', 'T0', ?, ?, (SELECT max(id) FROM submission) FROM meter"
                " WHERE id <= ?",
                (instant, value, points),
            )
            if number < months:
                run(
                    "INSERT INTO period (month, closed, by, at) VALUES (?, 1, 'bench', 0)",
                    (f"{month:%Y-%m}",),
                )
            month = following(month)
    ledger.close()


def main(rows: int = 50_000, points: int = 10_000, months: int = 24) -> None:
    """Print what each import takes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ledger = Ledger(f"sqlite:///{folder / 'ingest.db'}")
        ledger.migrate()
        ledger.close()
        whole = _file(folder, rows)
        _import(folder, whole)
        _import(folder, whole)
        _closed_months(folder, points, months)
        print(f"{points} points read in {months} closed months:")
        _import(folder, whole)
        _import(folder, _file(folder, rows, 1), "--correct", "one")
        _import(folder, _file(folder, rows, points), "--correct", "every")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
