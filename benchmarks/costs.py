"""What letters of one kind cost the service and the floor, in turn, several times."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.letters import NEW, Kind
from benchmarks.servers import ROOT, Servers
from benchmarks.service import Run, Service


@dataclass(frozen=True)
class Cost:
    """Runs of the service, and of the floor between them.

    Attributes:
        bytes_per_value: Of the database, by which it grew.
    """

    kind: Kind
    backend: str
    workers: int
    runs: Sequence[Run]
    floors: Sequence[Run]
    bytes_per_value: float

    @property
    def median(self) -> Run:
        """The run in the middle by CPU."""
        return _middle(self.runs)

    @property
    def floor(self) -> Run:
        """The floor's run in the middle."""
        return _middle(self.floors)

    @property
    def ratio(self) -> float:
        """CPU per letter, as so many times the floor's."""
        return self.median.cpu_ms / self.floor.cpu_ms

    @property
    def brief(self) -> str:
        """One line for who waits."""
        return (
            f"{self.backend} {self.kind.name} {self.workers} workers: {self.median.cpu_ms:.1f} ms, "
            f"{self.ratio:.1f} x, {self.median.rate:.0f} letters/s"
        )


def _middle(runs: Sequence[Run]) -> Run:
    middle = statistics.median_low(run.cpu_ms for run in runs)
    return next(run for run in runs if run.cpu_ms == middle)


def cost(
    servers: Servers, kind: Kind, backend: str = "sqlite", workers: int = 2, runs: int = 3
) -> Cost:
    """Known senders: each sent one letter before the runs begin."""
    done, floors = [], []
    service = Service(servers, backend, workers)
    with service:
        service.take(kind.letters(kind.senders))
        before = service.size()
        for turn in range(runs):
            first = kind.senders + turn * kind.count
            floors.append(floor(servers, kind, backend, first))
            done.append(service.take(kind.letters(kind.count, first)))
        grown = service.size() - before
    kept = runs * kind.count * kind.values
    _check(service, kind.senders + runs * kind.count)
    return Cost(kind, backend, workers, done, floors, grown / kept)


def _check(service: Service, count: int) -> None:
    verdicts = service.verdicts()
    if verdicts != {"accepted": count}:
        raise RuntimeError(f"not every letter was accepted: {verdicts}")


def floor(servers: Servers, kind: Kind, backend: str, first: int, *, verify: bool = False) -> Run:
    """The same letters through the straight script."""
    mailbox = servers.mailbox()
    mailbox.fill(kind.letters(kind.count, first))
    order = {
        "kind": kind.name,
        "imap": mailbox.account.port,
        "user": mailbox.account.user,
        "password": mailbox.account.password,
        "smtp": servers.sink.port,
        "url": servers.database(backend),
        "verify": verify,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.floor", json.dumps(order)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return Run(**json.loads(done.stdout))


def new_senders(servers: Servers) -> str:
    """Every letter from a sender whose password was never verified before."""
    straight = floor(servers, NEW, "sqlite", 0, verify=True)
    service = Service(servers)
    with service:
        run = service.take(NEW.letters(NEW.count))
    return (
        f"{NEW.count} letters, each from a new sender: {run.rate:.0f} letters/s, "
        f"{run.cpu_ms:.1f} ms of CPU per letter; floor {straight.rate:.0f} letters/s, "
        f"{straight.cpu_ms:.1f} ms; {run.rate / straight.rate:.2f} x its letters/s"
    )


def table(costs: Sequence[Cost]) -> str:
    """As docs/performance.md has it."""
    rows = [
        (
            "| letters | database | workers | letters/s | values/s | CPU ms/letter | floor, ms "
            "| ratio | servers' CPU ms/letter | peak PSS, MB | bytes/value |"
        ),
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for item in costs:
        run = item.median
        rows.append(
            f"| {item.kind.title} | {item.backend} | {item.workers} | {run.rate:.0f} "
            f"| {run.rate * item.kind.values:,.0f} | {run.cpu_ms:.1f} | {item.floor.cpu_ms:.1f} "
            f"| {item.ratio:.1f} | {run.servers_cpu / run.letters * 1000:.1f} "
            f"| {max(r.peak_mb for r in item.runs):.0f} | {item.bytes_per_value:.0f} |"
        )
    return "\n".join(rows)
