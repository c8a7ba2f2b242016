"""The account, the console and the API over a year of letters: how fast, and what mail waits.

Run as `python -m benchmarks web [sqlite|postgresql]`. `ingest run` serves the pages and reads
a mailbox, as operators start it; who asks are threads over HTTP.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from benchmarks import filled
from benchmarks.letters import KINDS, registry
from benchmarks.machine import Peak
from benchmarks.servers import ROOT, Servers, wait_until
from benchmarks.service import Service
from config.settings import Database, Settings
from ingest.engine.seal import Sealer
from ingest.operations.console.operators import add
from ingest.operations.registry import import_registry
from ingest.wiring.service import Service as Wired
from layouts.months import month_at, preceding
from storage.records.access import OperatorRole

PASSWORD = filled.PASSWORD
BOUND_MS = 100
AT_ONCE = 50
ROUNDS = 5
"""How often each page is asked for, one after the other."""

LETTERS = 12
"""Whose wait is measured, with and without visitors."""

CROWD_SECONDS = 20.0
KIND = replace(KINDS["registers-xml"], name="web")


@dataclass
class Visitor:
    """A browser or a program with one connection."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """The answer's status and body."""
        body = urlencode(form) if form is not None else None
        headers = {**self.headers, "Sec-Fetch-Site": "same-origin"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        method = "POST" if body is not None else "GET"
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError):
            # A connection that was quiet for a quarter of a minute has been closed.
            self._connection.close()
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
        content = answer.read()
        cookies = [value.partition(";")[0] for value in answer.headers.get_all("set-cookie") or ()]
        if cookies:
            self.headers["Cookie"] = "; ".join([*cookies, self.headers.get("Cookie", "")])
        return answer.status, content

    def sign_in(self, path: str, name: str) -> None:
        """Begin a session."""
        status, _ = self.ask(path, {"name": name, "password": PASSWORD})
        assert status == 303, (path, name, status)


@dataclass(frozen=True)
class Part:
    """Pages that one kind of visitor asks for."""

    title: str
    visitor: Visitor
    paths: Sequence[str]


@dataclass
class Crowd:
    """What many visitors at once were answered: status and seconds of each page."""

    answered: list[tuple[int, float]] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        waits = sorted(seconds for _, seconds in self.answered)
        bad = {status for status, _ in self.answered if status != 200}
        return (
            f"{len(waits) / self.seconds:.1f} pages/s, median {statistics.median(waits):.1f} s,"
            f" 95 % {_most(waits):.1f} s; answers other than 200: {sorted(bad) or 'none'}"
        )


def measure(servers: Servers, backend: str) -> str:
    """A table for one database."""
    with Service(servers, None, backend, web=True, before=_fill) as service:
        service.take(KIND.letters(KIND.senders))
        parts = _parts(service)
        for part in parts:
            _asked(part, rounds=1)
        with Peak(service.tree) as alone:
            rows = [_told(part, _asked(part, ROUNDS)) for part in parts]
        quiet = _waits(service, KIND.senders)
        with Peak(service.tree) as peak, _crowd(parts) as crowd:
            busy = _waits(service, KIND.senders + LETTERS)
    return "\n".join(
        [
            f"web, {backend}: 104,030 letters, 9,986,400 values; one at a time, milliseconds",
            f"{'':30}{'pages':>8}{'median':>10}{'95 %':>10}{'slowest':>10}",
            *rows,
            f"{AT_ONCE} at once, each as soon as it is answered: {crowd}",
            f"memory: {alone.mb:.0f} MB one at a time, {peak.mb:.0f} MB with {AT_ONCE}",
            (
                f"letter to reply, median of {LETTERS}: {quiet * 1000:.0f} ms alone, "
                f"{busy * 1000:.0f} ms beside {AT_ONCE} visitors ({busy / quiet - 1:+.0%})"
            ),
        ]
    )


def _fill(url: str) -> None:
    wired = Wired(Settings(database=Database(url=url)))
    now = datetime.now(UTC)
    filled.fill(url, wired.guard.passwords.hash(PASSWORD), now)
    import_registry(wired, registry([KIND]), "bench", with_passwords=True, dry_run=False)
    add(
        wired, "anna", OperatorRole.ADMINISTERS, "bench", now,
        password=PASSWORD, second_factor=False,
    )  # fmt: skip
    # As it would be: what is sealed a year late is no page's matter.
    Sealer(wired.ledger).once()
    wired.ledger.close()


def _parts(service: Service) -> list[Part]:
    """Every page that reads the database, as each kind of visitor asks for it."""
    now = datetime.now(UTC)
    last = f"{preceding(month_at(now)):%Y-%m}"
    made = filled.NAMED
    parts = []
    for title, code in (
        ("account, 5 profiles", made.profile),
        ("account, 12 meters", made.registers),
        ("account, 240 meters", made.large),
    ):
        visitor = Visitor(service.web_port)
        visitor.sign_in("/sign-in", code)
        receipts = visitor.ask("/receipts")[1].decode()
        receipt = re.findall(r"/receipts/(\d+)", receipts)[0]
        pages = (
            f"/ /?month={last} /readings/enter /documents /receipts /receipts?before=300000"
            f" /receipts/{receipt} /receipts/{receipt}/80021.xml /readings"
            f" /readings?by=day&month={last} /templates /people"
        )
        parts.append(Part(title, visitor, pages.split()))
        told = base64.b64encode(f"{code}:{PASSWORD}".encode()).decode()
        program = Visitor(service.web_port, {"Authorization": f"Basic {told}"})
        asked = (
            f"/api/v1/receipts/{receipt} /api/v1/months/{last}"
            f" /api/v1/readings?period={last}&grain=day"
        )
        parts.append(Part(f"API, {title.partition(', ')[2]}", program, asked.split()))
    parts.insert(0, Part("no database", Visitor(service.web_port), ("/registration",)))
    operator = Visitor(service.web_port)
    operator.sign_in("/console/sign-in", "anna")
    parts.append(Part("console", operator, _console(last, made)))
    return parts


def _console(month: str, made: filled.Filled) -> list[str]:
    """Each page of the console, each way of finding letters."""
    day = (datetime.now(UTC) - timedelta(days=40)).date()
    found = (
        "", "?before=300000", f"?entity={made.registers}", "?state=refused", "?state=rejected",
        "?sender=kontora", "?sender=nobody", f"?claimed={made.registers}",
        f"?receipt={made.receipt}", f"?since={day}&until={day}",
    )  # fmt: skip
    pages = (
        f"/console /console/letters/{made.receipt} /console/suspects /console/suspects/1"
        f" /console/months/{month} /console/months/{month}/matrix /console/entities"
        f" /console/entities?text=zavod /console/entities/{made.registers}"
        f" /console/entities/{made.registers}/enter /console/receipts/{made.receipt}/withdraw"
        " /console/import /console/export /console/audit /console/audit?who=nobody /console/status"
    )
    return [*pages.split(), *(f"/console/letters{query}" for query in found)]


def _asked(part: Part, rounds: int) -> list[tuple[float, str]]:
    """Seconds of each answer."""
    found = []
    for _ in range(rounds):
        for path in part.paths:
            begun = time.monotonic()
            status, _ = part.visitor.ask(path)
            found.append((time.monotonic() - begun, path))
            assert status == 200, (path, status)
    return found


def _told(part: Part, found: Sequence[tuple[float, str]]) -> str:
    seconds = sorted(one for one, _ in found)
    slow = sorted({path for one, path in found if one * 1000 > BOUND_MS})
    row = f"{part.title:30}{len(part.paths):>8}"
    for one in (statistics.median(seconds), _most(seconds), seconds[-1]):
        row += f"{one * 1000:>10.0f}"
    return row + (f"  over {BOUND_MS}: {' '.join(slow)}" if slow else "")


def _most(seconds: Sequence[float]) -> float:
    """What 95 of 100 stay within; the list is sorted."""
    return seconds[min(len(seconds) - 1, int(len(seconds) * 0.95))]


@contextmanager
def _crowd(parts: Sequence[Part]) -> Iterator[Crowd]:
    """Visitors while entered, from a process of the lowest priority: theirs are other machines."""
    command = [sys.executable, "-m", "benchmarks.web", str(parts[0].visitor.port)]
    told = json.dumps([(part.visitor.headers, part.paths) for part in parts])
    crowd = Crowd()
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        os.setpriority(os.PRIO_PROCESS, process.pid, 19)
        process.stdin.write(told + "\n")
        process.stdin.flush()
        begun = time.monotonic()
        yield crowd
        time.sleep(max(0.0, CROWD_SECONDS - (time.monotonic() - begun)))
        crowd.seconds = time.monotonic() - begun
        crowd.answered += json.loads(process.communicate()[0])


def be_crowd(port: int) -> None:
    """Be `AT_ONCE` visitors, each asking for its next page as soon as one has come.

    Standard input brings what they ask for, and its end is theirs; their answers are told then.
    """
    parts = json.loads(sys.stdin.readline())
    answered: list[tuple[int, float]] = []
    ended = threading.Event()

    def visit(number: int) -> None:
        headers, paths = parts[number % len(parts)]
        visitor, chosen = Visitor(port, dict(headers)), random.Random(number)
        while not ended.is_set():
            begun = time.monotonic()
            status, _ = visitor.ask(chosen.choice(paths))
            if not ended.is_set():
                answered.append((status, time.monotonic() - begun))

    with ThreadPoolExecutor(AT_ONCE) as threads:
        running = [threads.submit(visit, number) for number in range(AT_ONCE)]
        sys.stdin.read()
        ended.set()
        told = json.dumps(answered)
    for one in running:
        one.result()
    print(told)


def _waits(service: Service, first: int) -> float:
    """The median seconds from a letter's arrival to its reply."""
    waits = []
    for letter in KIND.letters(LETTERS, first):
        answered = service.servers.sink.count() + 1
        dropped = time.time()
        service.mailbox.drop(letter)
        wait_until(lambda: service.servers.sink.count() >= answered, 120, "an answer", 0.005)  # noqa: B023
        waits.append(service.servers.sink.mails()[-1][0] - dropped)
        time.sleep(0.7 + random.random() * 0.3)
    return statistics.median(waits)


if __name__ == "__main__":
    be_crowd(int(sys.argv[1]))
