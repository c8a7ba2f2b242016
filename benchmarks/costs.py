"""What letters of one kind cost the service and the floor, in turn, several times."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import pairwise

from benchmarks.letters import NEW, Kind, Letter
from benchmarks.servers import ROOT, Servers
from benchmarks.service import Run, Service


@dataclass(frozen=True)
class Cost:
    """Runs of the service, each between two runs of the floor.

    Attributes:
        floors: One more than there are runs.
        first: What each sender sent before the runs, to a service just started.
        bytes_per_value: Of the database, by which it grew.
    """

    kind: Kind
    backend: str
    workers: int
    runs: Sequence[Run]
    floors: Sequence[Run]
    first: Run
    bytes_per_value: float

    @property
    def peak_mb(self) -> float:
        """Of all processes, whatever they did: the first letters take the most."""
        return max(run.peak_mb for run in (self.first, *self.runs))

    @property
    def median(self) -> Run:
        """The run in the middle by CPU."""
        return _middle(self.runs)

    @property
    def floor(self) -> Run:
        """The floor's run in the middle."""
        return _middle(self.floors)

    @property
    def rate(self) -> float:
        """Letters per second, in the middle."""
        return statistics.median(run.rate for run in self.runs)

    @property
    def ratio(self) -> float:
        """CPU per letter, as so many times the floor's just before and after; the median.

        What slows the machine down for seconds slows both.
        """
        beside = [(a.cpu_ms + b.cpu_ms) / 2 for a, b in pairwise(self.floors)]
        return statistics.median(
            run.cpu_ms / floor for run, floor in zip(self.runs, beside, strict=True)
        )

    @property
    def brief(self) -> str:
        """One line for who waits."""
        return (
            f"{self.backend} {self.kind.name} {self.workers} workers: {self.median.cpu_ms:.1f} ms, "
            f"{self.ratio:.1f} x, {self.rate:.0f} letters/s"
        )


def _middle(runs: Sequence[Run]) -> Run:
    middle = statistics.median_low(run.cpu_ms for run in runs)
    return next(run for run in runs if run.cpu_ms == middle)


def costs(
    servers: Servers,
    kind: Kind,
    backend: str = "sqlite",
    workers: Sequence[int] = (2,),
    runs: int = 3,
) -> list[Cost]:
    """One service for each number of workers, in turns, and the floor between the turns.

    Senders are known: each sent one letter before the runs begin.
    """
    with ExitStack() as open_until_the_end:
        services = [Service(servers, kind, backend, count) for count in workers]
        for service in services:
            service.begin()
            open_until_the_end.push(service)
        firsts = []
        for service in services:
            service.await_start()
            firsts.append(service.take(kind.letters(kind.senders)))
        before = [service.size() for service in services]
        floors, turns = [_floor_of(servers, kind, backend, kind.senders)], []
        for turn in range(runs):
            first = kind.senders + turn * kind.count
            letters = list(kind.letters(kind.count, first))
            turns.append([service.take(letters) for service in services])
            floors.append(floor(servers, kind, backend, letters))
        grown = [service.size() - was for service, was in zip(services, before, strict=True)]
    for service in services:
        _check(service, kind.senders + runs * kind.count)
    kept = runs * kind.count * kind.values
    return [
        Cost(kind, backend, count, done, floors, warm, size / kept)
        for count, done, warm, size in zip(
            workers, zip(*turns, strict=True), firsts, grown, strict=True
        )
    ]


def _floor_of(servers: Servers, kind: Kind, backend: str, first: int) -> Run:
    return floor(servers, kind, backend, list(kind.letters(kind.count, first)))


def _check(service: Service, count: int) -> None:
    verdicts = service.verdicts()
    if verdicts != {"accepted": count}:
        raise RuntimeError(f"not every letter was accepted: {verdicts}")


def floor(
    servers: Servers, kind: Kind, backend: str, letters: Sequence[Letter], *, verify: bool = False
) -> Run:
    """Letters through the straight script, into a mailbox and a database of their own."""
    mailbox = servers.mailbox()
    mailbox.fill(letters)
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
    first = NEW.senders - NEW.count
    letters = list(NEW.letters(NEW.count, first))
    straight = floor(servers, NEW, "sqlite", letters, verify=True)
    with Service(servers, NEW) as service:
        warm = service.take(NEW.letters(first))
        run = service.take(letters)
    return (
        f"{NEW.count} letters, each from a new sender: {run.rate:.0f} letters/s, "
        f"{run.cpu_ms:.1f} ms of CPU per letter, peak {max(warm.peak_mb, run.peak_mb):.0f} MB; "
        f"floor {straight.rate:.0f} letters/s, {straight.cpu_ms:.1f} ms; "
        f"{run.rate / straight.rate:.2f} x its letters/s"
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
            f"| {item.kind.title} | {item.backend} | {item.workers} | {item.rate:.0f} "
            f"| {item.rate * item.kind.values:,.0f} | {run.cpu_ms:.1f} | {item.floor.cpu_ms:.1f} "
            f"| {item.ratio:.1f} | {run.servers_cpu / run.letters * 1000:.1f} "
            f"| {item.peak_mb:.0f} | {item.bytes_per_value:.0f} |"
        )
    return "\n".join(rows)
