"""The real service, started as operators start it, and what it costs."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from benchmarks.letters import Kind, Letter
from benchmarks.machine import Peak, Tree
from benchmarks.servers import ROOT, AtOnce, Mailbox, Servers, on_disk, wait_until

LONGEST_RUN_SECONDS = 240.0


@dataclass(frozen=True)
class Run:
    """What some letters cost.

    Attributes:
        seconds: From the moment at which the service began to read the mailbox to the
            last reply and the last letter filed.
        cpu: Seconds of the service's processes.
        servers_cpu: Seconds of Dovecot, the SMTP server and PostgreSQL.
        peak_mb: Of the service's processes together, as PSS.
    """

    letters: int
    seconds: float
    cpu: float
    servers_cpu: float = 0.0
    peak_mb: float = 0.0

    @property
    def cpu_ms(self) -> float:
        """Milliseconds of CPU per letter."""
        return self.cpu / self.letters * 1000

    @property
    def rate(self) -> float:
        """Letters per second."""
        return self.letters / self.seconds


class Service:
    """`ingest run` on a mailbox and a database of its own, with the senders of one kind."""

    def __init__(
        self,
        servers: Servers,
        kind: Kind | None,
        backend: str = "sqlite",
        workers: int = 2,
        *,
        look_seconds: float = 0,
        web: bool = False,
        mailbox: Mailbox | AtOnce | None = None,
        before: Callable[[str], None] = lambda _url: None,
    ) -> None:
        self.servers = servers
        self.mailbox = mailbox or servers.mailbox()
        self.url = servers.database(backend, kind)
        before(self.url)
        self.web_port = free_port() if web else 0
        self._folder = Path(tempfile.mkdtemp(prefix="service-", dir=servers.folder))
        self._config = self._folder / "ingest.toml"
        self._config.write_text(self._text(workers, look_seconds), encoding="utf-8")

    def begin(self) -> None:
        """Start it, and wait for nothing."""
        command = [sys.executable, "-m", "ingest", "--config", str(self._config), "run"]
        with (self._folder / "stderr").open("ab") as told:
            self._process = subprocess.Popen(command, cwd=ROOT, stdout=told, stderr=told)
        self.tree = Tree(self._process.pid)

    def await_start(self) -> None:
        """Wait until it reads its mailbox."""
        wait_until(lambda: "service.started" in self.log(), 120, "the service")

    def __enter__(self) -> Self:
        self.begin()
        self.await_start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=60)

    def log(self) -> str:
        """What it wrote."""
        path = self._folder / "ingest.log"
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def take(self, letters: Iterable[Letter]) -> Run:
        """Give it letters and wait until each is answered and filed."""
        letters = list(letters)
        sink, mailbox = self.servers.sink, self.mailbox
        answered, filed = sink.count() + len(letters), mailbox.filed() + len(letters)
        with Peak(self.tree) as peak:
            # Whatever still runs of what came before is not this run's.
            time.sleep(0.3)
            before, servers_before = self.tree.cpu(), self._servers_cpu()
            told = len(self.log())
            mailbox.fill(letters)

            def is_done() -> bool:
                if self._process.poll() is not None:
                    raise RuntimeError(f"the service ended:\n{self.log()[-3000:]}")
                return sink.count() >= answered and mailbox.filed() >= filed

            wait_until(is_done, LONGEST_RUN_SECONDS, "answers to all letters")
            ended = time.time()
            # The last reply is noted, the last reader comes to rest.
            time.sleep(0.2)
            cpu = self.tree.cpu() - before
            servers_cpu = self._servers_cpu() - servers_before
        seconds = ended - self._began(told)
        return Run(len(letters), seconds, cpu, servers_cpu, peak.mb)

    def _began(self, told: int) -> float:
        """When the first pass began that the log tells of behind its first `told` characters.

        Not when the letters were put in: the mail server takes half a second to tell.
        """
        wait_until(lambda: '"mailbox.passed"' in self.log()[told:], 10, "the end of the pass")
        events = [json.loads(line) for line in self.log()[told:].splitlines()]
        first = next(event for event in events if event["event"] == "mailbox.passed")
        ended = datetime.fromisoformat(first["timestamp"]).timestamp()
        return ended - float(first["duration_ms"]) / 1000

    def verdicts(self) -> Counter[str]:
        """Letters by verdict, from the log."""
        lines = (json.loads(line) for line in self.log().splitlines())
        return Counter(line["verdict"] for line in lines if "verdict" in line)

    def size(self) -> int:
        """Bytes of the database."""
        return on_disk(self.url)

    def _servers_cpu(self) -> float:
        servers = self.servers
        trees = [servers.imap_tree, servers.sink.tree, servers.database_tree]
        return sum(tree.cpu() for tree in trees if tree is not None)

    def _text(self, workers: int, look_seconds: float) -> str:
        account = self.mailbox.account
        return f"""\
[database]
url = "{self.url}"

[[mailbox]]
name = "main"
host = "{account.host}"
port = {account.port}
security = "none"
user = "{account.user}"
password = "{account.password}"

[smtp]
host = "127.0.0.1"
port = {self.servers.sink.port}
security = "none"
sender = "Приём показаний <meters@retailer.example>"

[poll]
every_seconds = 3600
workers = {workers}
look_seconds = {look_seconds}

[replies]
per_address_per_day = 1000000

[web]
listen = "{f"127.0.0.1:{self.web_port}" if self.web_port else ""}"

[log]
file = "{self._folder / "ingest.log"}"
"""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
