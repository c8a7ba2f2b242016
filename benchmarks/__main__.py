"""`make bench` and `make bench-quick`: tables of what letters cost, beside the floor.

Run as `python -m benchmarks [PART …]`; without a part all of them. `quick` prints the
ratios to the floor and exits 1 when one is 30 % worse than in recorded.json;
`record` writes that file.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks import large, latency, peer_runs
from benchmarks.costs import cost, new_senders, table
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
        found = {}
        for name in QUICK:
            measured = cost(servers, KINDS[name], runs=2)
            found[name] = round(measured.ratio, 2)
            print(measured.brief, file=sys.stderr, flush=True)
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


def _costs(servers: Servers) -> None:
    """Every kind of letter on every database, with one reader and with two."""
    found = []
    for backend in BACKENDS:
        for kind in KINDS.values():
            for workers in (2, 1):
                found.append(cost(servers, kind, backend, workers))
                print(found[-1].brief, file=sys.stderr, flush=True)
    print(table(found))


def _new(servers: Servers) -> None:
    print(new_senders(servers))


def _peers(servers: Servers) -> None:
    """The peers, each beside our cost of the comparable kind, measured just before."""
    python = peer_runs.environment()
    if python is None:
        return
    small, values = KINDS["registers-xml"], KINDS["half-hours"]
    own = cost(servers, small).median.rate
    reports = peer_runs.dmarc(servers, python, small.count, small.values)
    _compare("parsedmarc", "letters", reports, own)
    own = cost(servers, values).median.rate * values.values
    readings = peer_runs.nem12(python, values.count * values.values)
    _compare("nemreader", "values", readings, own)


def _compare(name: str, unit: str, told: dict[str, Any], own: float) -> None:
    if told:
        rate = told[unit] / told["seconds"]
        print(f"{name}: {rate:,.0f} {unit}/s; ours {own:,.0f}, {own / rate:.1f} x", flush=True)


def _latency(servers: Servers) -> None:
    print(latency.measure(servers))


def _large(servers: Servers) -> None:
    for backend in BACKENDS:
        print(large.measure(servers, backend), flush=True)


def _mailbox(servers: Servers) -> None:
    print(latency.large_mailbox(servers, LARGE_MAILBOX))


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
    if wanted[0] in {"quick", "record"}:
        code = quick(record=wanted[0] == "record")
    else:
        print(described())
        with Servers() as servers:
            for name in wanted:
                print(flush=True)
                PARTS[name](servers)
    print(f"\n{time.monotonic() - started:.0f} s", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
