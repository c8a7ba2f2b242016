"""How much the database grows: `python -m benchmarks.growth [LETTERS [KIND…]]`.

Letters of each kind are processed into a database of their own; what its file has grown by is
told for a thousand letters, before and after `purge`, and vacuumed.
"""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.letters import KINDS, Kind, registry
from ingest.operations.purge import purge
from storage.ledger import Ledger

LETTERS = 100


def grown(kind: Kind, letters: int, folder: Path) -> tuple[int, int]:
    """Bytes that so many letters of a kind take, and those that stay after `purge`."""
    database = folder / "ingest.db"
    config = folder / "ingest.toml"
    config.write_text(f'[database]\nurl = "sqlite:///{database}"\n', encoding="utf-8")
    (folder / "registry.csv").write_bytes(registry([kind]))
    with (folder / "letters.mbox").open("wb") as box:
        for letter in kind.letters(letters):
            at = letter.received_at.astimezone(UTC)
            box.write(f"From bench@example {at:%a %b %d %H:%M:%S %Y}\n".encode())
            box.write(letter.content.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From "))
            box.write(b"\n")
    _ingest(config, "migrate")
    _ingest(config, "registry", "import", str(folder / "registry.csv"), "--with-passwords")
    empty = _size(database)
    _ingest(config, "process", str(folder / "letters.mbox"))
    with closing(sqlite3.connect(database)) as known:
        told = known.execute("SELECT outcome, count(*) FROM letter GROUP BY 1").fetchall()
    assert told == [("accepted", letters)], told
    full = _size(database)
    ledger = Ledger(f"sqlite:///{database}")
    now = datetime.now(UTC)
    with ledger.transaction() as store:
        for reply in store.outbox.lease(limit=letters):
            store.outbox.sent(reply.id, now)
    purge(ledger, now + timedelta(days=1), "bench", now, dry_run=False)
    ledger.close()
    return full - empty, _size(database) - empty


def _ingest(config: Path, *words: str) -> None:
    command: Sequence[str] = (sys.executable, "-m", "ingest", "--config", str(config), *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    # Exit 1: warnings, such as a month that is late by now.
    assert done.returncode in {0, 1}, done.stderr


def _size(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return database.stat().st_size


def main() -> None:
    """A row of the table in docs/install.md for each kind."""
    letters = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    wanted = sys.argv[2:] or list(KINDS)
    print("| a thousand letters of | MB | after `purge` |\n|---|--:|--:|")
    for kind in map(KINDS.__getitem__, wanted):
        with tempfile.TemporaryDirectory(prefix="ingest-growth-") as folder:
            before, after = (
                each / letters * 1000 / 1e6 for each in grown(kind, letters, Path(folder))
            )
        print(f"| {kind.title} | {before:.1f} | {after:.1f} |", flush=True)


if __name__ == "__main__":
    main()
