"""`make bench` and `make bench-quick`: tables of what letters cost, beside the floor.

Run as `python -m benchmarks [quick|full|record]`. `quick` prints the ratios to the
floor and exits 1 when one is 30 % worse than in recorded.json; `record` writes it.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import large, latency, peer_runs
from benchmarks.costs import Cost, cost, new_senders, table
from benchmarks.letters import KINDS
from benchmarks.machine import described
from benchmarks.servers import Servers

RECORDED = Path(__file__).with_name("recorded.json")
WORSE = 1.3
QUICK = ("registers-xml", "registers-xlsx", "hours", "half-hours")
BACKENDS = ("sqlite", "postgresql")
LARGE_MAILBOX = 100_000


def quick(*, record: bool) -> int:
    """The ratios to the floor, on SQLite with two workers, compared or written down."""
    with Servers() as servers:
        found = {name: round(cost(servers, KINDS[name], runs=2).ratio, 2) for name in QUICK}
    if record:
        RECORDED.write_text(json.dumps({"cpu": found, "machine": described()}, indent=1) + "\n")
        return 0
    known: dict[str, float] = json.loads(RECORDED.read_text())["cpu"]
    worse = False
    for name, ratio in found.items():
        too_much = ratio > known[name] * WORSE
        worse = worse or too_much
        remark = f"  more than {WORSE:g} times the recorded ratio" if too_much else ""
        print(f"{name:16} {ratio:5.1f} x the floor (recorded {known[name]:.1f}){remark}")
    return int(worse)


def full() -> int:
    """Everything that docs/performance.md tells."""
    print(described(), "\n")
    with Servers() as servers:
        costs = _costs(servers)
        print(table(costs), "\n", flush=True)
        print(new_senders(servers), "\n", flush=True)
        _peers(servers, costs)
        print(latency.measure(servers), "\n", flush=True)
        for backend in BACKENDS:
            print(large.measure(servers, backend), "\n", flush=True)
        print(latency.large_mailbox(servers, LARGE_MAILBOX), flush=True)
    return 0


def _costs(servers: Servers) -> list[Cost]:
    found = []
    for backend in BACKENDS:
        for kind in KINDS.values():
            for workers in (2, 1):
                runs = 3 if workers == 2 else 2
                found.append(cost(servers, kind, backend, workers, runs))
                print(found[-1].brief, file=sys.stderr, flush=True)
    return found


def _peers(servers: Servers, costs: list[Cost]) -> None:
    python = peer_runs.environment()
    if python is None:
        return
    own = {c.kind.name: c for c in costs if c.backend == "sqlite" and c.workers == 2}
    small, values = own["registers-xml"], own["half-hours"]
    reports = peer_runs.dmarc(servers, python, small.kind.count, small.kind.values)
    _compare("parsedmarc", "letters", reports, small.median.rate)
    readings = peer_runs.nem12(python, values.kind.count * values.kind.values)
    _compare("nemreader", "values", readings, values.median.rate * values.kind.values)


def _compare(name: str, unit: str, told: dict[str, Any], own: float) -> None:
    if told:
        rate = told[unit] / told["seconds"]
        print(f"{name}: {rate:,.0f} {unit}/s; ours {own:,.0f}, {own / rate:.1f} x", flush=True)


def main() -> None:
    """Run what the command line names."""
    started = time.monotonic()
    what = sys.argv[1] if len(sys.argv) > 1 else "full"
    code = full() if what == "full" else quick(record=what == "record")
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
