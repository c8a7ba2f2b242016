"""The service as operators have it: a configuration file, a database, a process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from config.load import load
from ingest.operations.registry import import_registry
from ingest.wiring.service import Service
from storage.ledger import Ledger
from storage.records.letters import LetterSummary
from storage.records.running import StoreStatus
from tests.end_to_end.loaded import Loaded, Started
from tests.end_to_end.servers import Account

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"


@dataclass
class Installation:
    """Everything in one folder; `run` starts the real daemon there."""

    folder: Path
    url: str
    account: Account
    smtp_port: int
    imap_port: int = 0
    every_seconds: float = 1.0
    process: subprocess.Popen[bytes] | Started | None = None
    loaded: Loaded | None = None

    def __post_init__(self) -> None:
        self.config.write_text(self._text(), encoding="utf-8")
        app = Service(load(self.config))
        app.ledger.migrate()
        registry = (SAMPLES / "registry.csv").read_bytes()
        import_registry(app, registry, "test", with_passwords=True, dry_run=False)
        app.ledger.close()
        self.ledger = Ledger(self.url)

    @property
    def config(self) -> Path:
        return self.folder / "ingest.toml"

    @property
    def log(self) -> Path:
        return self.folder / "ingest.log"

    def start(self) -> subprocess.Popen[bytes] | Started:
        if self.loaded:
            words = ("--config", str(self.config), "run")
            self.process = self.loaded.start("ingest", *words, told=self.folder / "stderr")
            return self.process
        command = [sys.executable, "-m", "ingest", "--config", str(self.config), "run"]
        with (self.folder / "stderr").open("ab") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, stderr=errors, stdout=errors)
        return self.process

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes] | Started]:
        process = self.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                self.process = None

    def letters(self) -> list[LetterSummary]:
        with self.ledger.reading() as store:
            return store.letters.find()

    def status(self) -> StoreStatus:
        from ingest.wiring.service import now

        with self.ledger.reading() as store:
            return store.installation.status(now())

    def is_idle(self) -> bool:
        """Nothing is left to read, to file or to send."""
        status = self.status()
        return not status.queue and not status.owed and not self.account.count("INBOX")

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            ended = self.process is not None and self.process.poll() is not None
            if ended or time.monotonic() > end:
                raise AssertionError(f"not within {seconds:g} s; the log's end:\n{self.told()}")
            time.sleep(0.2)

    def told(self) -> str:
        """The end of what the service wrote."""
        parts = [path.read_text(errors="replace")[-4000:] for path in self._written()]
        return "\n".join(parts)

    def _written(self) -> list[Path]:
        return [path for path in (self.log, self.folder / "stderr") if path.exists()]

    def _text(self) -> str:
        account = self.account
        return f"""\
[database]
url = "{self.url}"

[[mailbox]]
name = "main"
host = "{account.host}"
port = {self.imap_port or account.port}
security = "none"
user = "{account.user}"
password = "{account.password}"

[smtp]
host = "127.0.0.1"
port = {self.smtp_port}
security = "none"
sender = "Приём показаний <meters@retailer.example>"

[poll]
every_seconds = {self.every_seconds}

[log]
file = "{self.log}"
"""


@dataclass
class Killable(Installation):
    """One whose processes may be told to kill or freeze themselves at a step."""

    def start_role(self, role: str, step: str = "", config: Path | None = None) -> Started:
        words = (step, "--config", str(config or self.config), role)
        told = self.folder / "stderr"
        assert self.loaded
        return self.loaded.start("tests.end_to_end.killable", *words, told=told)
