"""`make bench` and `make bench-quick`: tables of what letters cost, beside the floor.

Run as `python -m benchmarks [PART …]`; without a part all of them. `quick` prints the
ratios to the floor and exits 1 when one is 30 % worse than in recorded.json;
`record` writes that file. `spread` prints how several `ingest work` scale, and exits 1
when that is by less than 0.9. `web` prints how fast pages are over a year of letters.
"""

from __future__ import annotations

import json
import signal
import statistics
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import large, latency, peer_runs, spread, web, workbook
from benchmarks.costs import Cost, costs, new_senders, table
from benchmarks.letters import DAYS, KINDS, Kind
from benchmarks.machine import described
from benchmarks.servers import Servers

RECORDED = Path(__file__).with_name("recorded.json")
WORSE = 1.3
WORKERS = (2, 1)
RUNS = {"sqlite": 3, "postgresql": 2}
"""How often a kind is measured on each database: all but `mailbox` must end in ten minutes."""

RECORDED_OF = 3
"""How many measurements a recorded ratio is the middle of."""

LARGE_MAILBOX = 100_000
MAILBOX_RUNS = 9


class Bench:
    """What is measured once and told by several parts."""

    def __init__(self, servers: Servers) -> None:
        self.servers = servers
        self._costs: dict[tuple[str, str], list[Cost]] = {}

    def costs(self, kind: Kind, backend: str) -> list[Cost]:
        """With each number of workers, measured the first time they are asked for."""
        if (kind.name, backend) not in self._costs:
            found = costs(self.servers, kind, backend, WORKERS, RUNS[backend])
            for item in found:
                print(item.brief, file=sys.stderr, flush=True)
            self._costs[kind.name, backend] = found
        return self._costs[kind.name, backend]


def quick() -> int:
    """The ratios to the floor beside the recorded ones: 1 when one is worse."""
    recorded = json.loads(RECORDED.read_text())
    known: dict[str, float] = recorded["cpu"]
    ratio, before = workbook.ratio(), recorded["check"]
    worse = ratio > before * workbook.WORSE
    remark = f"  more than {workbook.WORSE:g} times the recorded ratio" if worse else ""
    print(f"{'check of a book':16} {ratio:5.1f} x openpyxl (recorded {before:.1f}){remark}")
    for name, ratio in _ratios().items():
        too_much = ratio > known[name] * WORSE
        worse = worse or too_much
        remark = f"  more than {WORSE:g} times the recorded ratio" if too_much else ""
        print(f"{name:16} {ratio:5.1f} x the floor (recorded {known[name]:.1f}){remark}")
    return int(worse)


def record() -> None:
    """Write down the ratios that later ones are compared with."""
    turns = [_ratios() for _ in range(RECORDED_OF)]
    middle = {name: round(statistics.median(turn[name] for turn in turns), 2) for name in KINDS}
    told = {"cpu": middle, "check": round(workbook.ratio(), 2), "machine": described()}
    RECORDED.write_text(json.dumps(told, indent=1) + "\n")


def _ratios() -> dict[str, float]:
    """CPU against the floor's, on SQLite with two workers."""
    found = {}
    with Servers() as servers:
        for name, kind in KINDS.items():
            (measured,) = costs(servers, kind, runs=2)
            found[name] = measured.ratio
            print(measured.brief, file=sys.stderr, flush=True)
    return found


def _costs(bench: Bench) -> None:
    """Every kind of letter on every database, with one reader and with two."""
    print(table([cost for db in RUNS for kind in KINDS.values() for cost in bench.costs(kind, db)]))


def _new(bench: Bench) -> None:
    print(new_senders(bench.servers))


def _peers(bench: Bench) -> None:
    """The peers, each beside our cost of the comparable kind, with two readers."""
    python = peer_runs.environment()
    if python is None:
        return
    for kind in (KINDS["registers-xml"], DAYS, KINDS["hours"], KINDS["half-hours"]):
        own = bench.costs(kind, "sqlite")[0].rate
        reports = peer_runs.dmarc(bench.servers, python, kind.count, kind.values)
        _compare(f"parsedmarc, {kind.values} records a letter", "letters", reports, own)
    own *= kind.values
    readings = peer_runs.nem12(python, kind.count * kind.values)
    _compare("nemreader", "values", readings, own)


def _compare(name: str, unit: str, told: dict[str, Any], own: float) -> None:
    if told:
        rate = told[unit] / told["seconds"]
        print(f"{name}: {rate:,.0f} {unit}/s; ours {own:,.0f}, {own / rate:.1f} x", flush=True)


def _latency(bench: Bench) -> None:
    print(latency.measure(bench.servers))


def _large(bench: Bench) -> None:
    for backend in RUNS:
        print(large.measure(bench.servers, backend), flush=True)


def _mailbox(bench: Bench) -> None:
    print(latency.large_mailbox(bench.servers, LARGE_MAILBOX, MAILBOX_RUNS))


PARTS = {
    "costs": _costs,
    "new": _new,
    "peers": _peers,
    "latency": _latency,
    "large": _large,
    "mailbox": _mailbox,
}


def main() -> None:
    """Run what the command line names."""
    # Servers and services end with us, however we are ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    started = time.monotonic()
    wanted = sys.argv[1:] or list(PARTS)
    code = 0
    if wanted == ["quick"]:
        code = quick()
    elif wanted == ["record"]:
        record()
    elif wanted == ["spread"]:
        print(described())
        with Servers() as servers:
            told, code = spread.measure(servers)
        print(told)
    elif wanted[0] == "web":
        print(described())
        for backend in wanted[1:] or RUNS:
            # Servers of its own: what one database left in memory is not the other's.
            with Servers() as servers:
                print(web.measure(servers, backend), flush=True)
    else:
        print(described())
        with Servers() as servers:
            bench = Bench(servers)
            for name in wanted:
                print(flush=True)
                begun = time.monotonic()
                PARTS[name](bench)
                print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr, flush=True)
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
