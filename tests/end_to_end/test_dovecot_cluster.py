"""`fetch`, `work` and `send` as processes of their own, on Dovecot and PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager

import pytest

from ingest.wiring import Service, load_settings
from tests.end_to_end.installation import ROOT, Installation
from tests.end_to_end.test_kill import RECEIVED_AT, assert_nothing_lost_or_doubled, letter


class Cluster(Installation):
    """An installation of several processes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        service = Service(load_settings(self.config))
        service.queue().prepare()
        service.ledger.close()

    def start_role(self, role: str, step: str = "") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.end_to_end.killable", step]
        command += ["--config", str(self.config), role]
        with (self.folder / "stderr").open("ab") as errors:
            return subprocess.Popen(command, cwd=ROOT, stderr=errors, stdout=errors)

    @contextmanager
    def role(self, role: str):
        with self.roles(role) as [process]:
            yield process

    @contextmanager
    def roles(self, *roles: str):
        processes = [self.start_role(role) for role in roles]
        try:
            yield processes
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(timeout=60)

    def is_done(self, letters: int) -> bool:
        """So many letters have their verdicts, and nothing is left to file or to send."""
        return len(self.letters()) == letters and self.is_idle() and not self.waiting()

    def waiting(self) -> int:
        with self.ledger.reading() as store:
            return store.arrivals.waiting().letters


@pytest.fixture
def cluster(tmp_path, postgresql, dovecot, smtp_server):
    made = Cluster(tmp_path, postgresql(), dovecot, smtp_server.port)
    yield made
    made.ledger.close()


@pytest.mark.timeout(120)
def test_letters_go_from_a_fetcher_over_two_workers_to_a_sender(cluster, dovecot, smtp_server):
    letters = 20
    dovecot.append(*map(letter, range(letters)), at=RECEIVED_AT)
    with cluster.roles("fetch", "work", "work", "send") as processes:
        cluster.wait_until(lambda: cluster.is_done(letters), 100)
        smtp_server.wait_for(letters)
    assert_nothing_lost_or_doubled(cluster, smtp_server, letters)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    # The last ones are put away before the fetcher ends, or by the next one.
    with cluster.ledger.reading() as store:
        assert store.arrivals.of_source("main") == {}
        assert store.arrivals.processes() == []
