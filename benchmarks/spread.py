"""How `work` scales: one to eight processes on one PostgreSQL, reading simulated.

Run as `python -m benchmarks spread`. A letter is read by sleeping, as its child would
have a core of its own elsewhere; what it says was read before. Everything else is what
`ingest work` does: trips from the queue, proofs, rules, readings, replies, verdicts.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from benchmarks.letters import KINDS, Kind, Letter
from benchmarks.machine import Tree
from benchmarks.servers import ROOT, Servers, wait_until
from config.load import load as load_settings
from ingest.engine.trips import defer, numbered
from ingest.letters.terms import Limits, Marked, Marks, RawLetter, Read
from ingest.reading.documents import read_bytes
from ingest.wiring.service import Service
from layouts.layout import load as load_layouts
from storage.records.running import WaitingArrival

WORKERS = (1, 2, 4, 8)
READ_SECONDS = 0.2
"""What reading a letter takes, one after the other in each process: so long that eight
workers and PostgreSQL do not use up two cores."""

SENDERS = 20
WARM_SECONDS, WINDOW_SECONDS = 8.0, 20.0
AHEAD_LETTERS = 24
"""Letters that wait for each worker, so that nobody waits for letters: three trips."""

FED_EVERY_SECONDS = 0.25
LAST_SECONDS = 240.0
"""How long the letters that wait at the end may take, on a machine with much else to do."""

EFFICIENT = 0.9
_PENDING = "SELECT count(*) FROM arrival WHERE outcome IS NULL"
_DONE = "SELECT count(*) FROM letter WHERE state = 'done'"
_DOUBLED = """
SELECT (SELECT count(*) FROM (SELECT letter_id FROM submission GROUP BY letter_id
                              HAVING count(*) > 1) AS twice)
     + (SELECT count(*) FROM (SELECT letter_id FROM reply GROUP BY letter_id
                              HAVING count(*) > 1) AS twice)
"""


class SimulatedReader:
    """Knows what letters say, and takes as long as a child would."""

    def __init__(self, known: Mapping[bytes, Read]) -> None:
        self._known = known
        self._thread = ThreadPoolExecutor(1)

    def read_together(self, letters: Sequence[RawLetter]) -> Sequence[Future[Read]]:
        """One after the other."""
        return [self._thread.submit(self._read, letter.content) for letter in letters]

    def mark(self, raw: RawLetter, wanted: Marks) -> Mapping[str, Marked]:
        """Letters of this kind have no workbooks."""
        raise NotImplementedError

    def close(self) -> None:
        """Nobody reads any more."""
        self._thread.shutdown()

    def _read(self, content: bytes) -> Read:
        time.sleep(READ_SECONDS)
        return self._known[content]


@dataclass(frozen=True)
class Spread:
    """What so many workers did in the window.

    Attributes:
        worker_ms: CPU of all workers for a letter.
        database_ms: CPU of PostgreSQL for a letter.
        lost: Letters without a verdict at the end.
        doubled: Letters with two receipts or replies.
    """

    workers: int
    rate: float
    worker_ms: float
    database_ms: float
    lost: int
    doubled: int


def measure(servers: Servers) -> tuple[str, int]:
    """A table, and 1 when something is lost or doubled or the efficiency is under 0.9."""
    kind = replace(KINDS["registers-xml"], senders=SENDERS, name="spread")
    found = [_run(servers, kind, workers) for workers in WORKERS]
    alone = found[0]
    heads = ("workers", "letters/s", "efficiency", "ms/letter", "PostgreSQL ms", "lost", "doubled")
    lines = [
        f"spread: reading simulated with {READ_SECONDS * 1000:.0f} ms a letter, real recording",
        "".join(f"{head:>15}" for head in heads),
    ]
    worst = 1.0
    for one in found:
        efficiency = one.rate / (alone.rate * one.workers)
        worst = min(worst, efficiency)
        figures = (
            f"{one.workers}", f"{one.rate:.1f}", f"{efficiency:.2f}", f"{one.worker_ms:.2f}",
            f"{one.database_ms:.2f}", f"{one.lost}", f"{one.doubled}",
        )  # fmt: skip
        lines.append("".join(f"{figure:>15}" for figure in figures))
    most = found[-1]
    lines.append(
        f"PostgreSQL's CPU for a letter with {most.workers} workers:"
        f" {most.database_ms / alone.database_ms:.2f} times that with one"
    )
    is_whole = not any(one.lost or one.doubled for one in found)
    return "\n".join(lines), int(worst < EFFICIENT or not is_whole)


class _Feed:
    """Announces letters as `fetch` does, a few ahead of the workers."""

    def __init__(self, service: Service, letters: Sequence[Letter], ahead: int) -> None:
        self._service = service
        self._letters = letters
        self._ahead = ahead
        self.announced = 0

    def fill(self, connection: psycopg.Connection) -> None:
        """As many as are missing of those that are to wait."""
        missing = self._ahead - _count(connection, _PENDING)
        some = self._letters[self.announced : self.announced + max(0, missing)]
        waiting = [
            WaitingArrival(
                "bench", f"INBOX/1/{uid}", letter.received_at, len(letter.content), letter.content
            )
            for uid, letter in enumerate(some, self.announced + 1)
        ]
        with self._service.ledger.transaction() as store:
            new = numbered(waiting, store.arrivals.announce(waiting))
            defer(store, self._service.queue(), new)
        self.announced += len(some)

    def during(self, seconds: float, connection: psycopg.Connection) -> None:
        """Keep so many waiting for so long."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.fill(connection)
            time.sleep(min(left, FED_EVERY_SECONDS))


def _run(servers: Servers, kind: Kind, workers: int) -> Spread:
    ahead = AHEAD_LETTERS * workers
    # More than workers can read in that time.
    count = ahead + round(workers * 1.2 * (WARM_SECONDS + WINDOW_SECONDS) / READ_SECONDS)
    letters = list(kind.letters(count))
    url = servers.database("postgresql", kind)
    config = servers.folder / f"spread{workers}.toml"
    config.write_text(_configuration(url))
    reads = config.with_suffix(".reads")
    reads.write_bytes(pickle.dumps(_read(letters)))
    service = Service(load_settings(config))
    service.queue().prepare()
    feed = _Feed(service, letters, ahead)
    command = [sys.executable, "-m", "benchmarks.spread", str(reads), "--config", str(config)]
    processes = [subprocess.Popen([*command, "work"], cwd=ROOT) for _ in range(workers)]
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            feed.fill(connection)
            found = _window(connection, servers, processes, feed)
            wait_until(lambda: not _count(connection, _PENDING), LAST_SECONDS, "every letter", 0.5)
            lost = feed.announced - _count(connection, _DONE)
            doubled = _count(connection, _DOUBLED)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=60)
        service.ledger.close()
    return replace(found, lost=lost, doubled=doubled)


def _window(
    connection: psycopg.Connection,
    servers: Servers,
    processes: Sequence[subprocess.Popen[bytes]],
    feed: _Feed,
) -> Spread:
    """The middle of the run: every worker at work, and warm."""
    beating = "SELECT count(*) FROM process WHERE role = 'work'"
    wait_until(lambda: _count(connection, beating) == len(processes), 300, "the workers", 0.2)
    wait_until(lambda: _count(connection, _DONE) > 0, 60, "a first letter", 0.2)
    feed.during(WARM_SECONDS, connection)
    database = servers.database_tree
    assert database is not None
    trees = [Tree(process.pid) for process in processes]
    begun, first = time.monotonic(), _count(connection, _DONE)
    cpu, of_database = sum(tree.cpu() for tree in trees), database.cpu()
    feed.during(WINDOW_SECONDS, connection)
    letters, seconds = _count(connection, _DONE) - first, time.monotonic() - begun
    if not letters:
        raise TimeoutError(f"no letter in {seconds:.0f} seconds")
    worker = (sum(tree.cpu() for tree in trees) - cpu) / letters * 1000
    of_database = (database.cpu() - of_database) / letters * 1000
    print(
        f"spread {len(processes)}: {letters} letters in {seconds:.1f} s",
        file=sys.stderr,
        flush=True,
    )
    return Spread(len(processes), letters / seconds, worker, of_database, 0, 0)


def _read(letters: Sequence[Letter]) -> dict[bytes, Read]:
    limits, layouts = Limits(), load_layouts()
    return {letter.content: read_bytes(letter.content, limits, layouts) for letter in letters}


def _count(connection: psycopg.Connection, statement: str) -> int:
    row = connection.execute(statement.encode()).fetchone()
    return int(row[0]) if row else 0


def _configuration(url: str) -> str:
    return f"""\
[database]
url = "{url}"
[poll]
workers = 1
[replies]
per_address_per_day = 1000000
[smtp]
sender = "meters@retailer.example"
[log]
level = "warning"
"""


def _work(reads: Path) -> None:
    """`ingest work` whose children are simulated."""
    from ingest.verbs.main import main

    known = pickle.loads(reads.read_bytes())
    # The part of the wiring that starts children.
    setattr(Service, "_started_reader", lambda _service: SimulatedReader(known))  # noqa: B010
    main()


if __name__ == "__main__":
    _work(Path(sys.argv.pop(1)))
