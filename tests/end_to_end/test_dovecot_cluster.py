"""`fetch`, `work` and `send` as processes of their own, on Dovecot and PostgreSQL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
import pytest

from ingest.wiring import Service, load_settings
from layouts.sequences import pieces
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
        # The database may be away on purpose.
        with suppress(ConnectionError):
            return len(self.letters()) == letters and self.is_idle() and not self.waiting()
        return False

    def waiting(self) -> int:
        with self.ledger.reading() as store:
            return store.arrivals.waiting().letters


@pytest.fixture
def cluster(tmp_path, postgresql, dovecot, smtp_server):
    made = Cluster(tmp_path, postgresql(), dovecot, smtp_server.port)
    yield made
    made.ledger.close()


@pytest.mark.timeout(300)
def test_letters_go_from_a_fetcher_over_two_workers_to_a_sender(cluster, dovecot, smtp_server):
    letters = 20
    dovecot.append(*map(letter, range(letters)), at=RECEIVED_AT)
    with cluster.roles("fetch", "work", "work", "send") as processes:
        cluster.wait_until(lambda: cluster.is_done(letters), 200)
        smtp_server.wait_for(letters)
    assert_nothing_lost_or_doubled(cluster, smtp_server, letters)
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    # The last ones are put away before the fetcher ends, or by the next one.
    with cluster.ledger.reading() as store:
        assert store.arrivals.of_source("main") == {}
        assert store.arrivals.processes() == []


STEPS_FOR_TWO = ("taken", "recording")
WORK_STEPS = (
    "taking", "taken", "claiming", "claimed", "read", "recording", "committed", "settling",
    "putting-off",
)  # fmt: skip
LONG = bool(os.environ.get("CHAOS_CLUSTER"))
"""`make chaos`: every step of the way, with two workers and with four."""


def have_died(processes: Sequence[subprocess.Popen[bytes]]) -> bool:
    return all(process.poll() is not None for process in processes)


def assert_settled(cluster, smtp_server, letters):
    """Every letter once: recorded, filed, answered, its bytes gone from the database."""
    cluster.wait_until(lambda: cluster.is_done(letters), 200)
    smtp_server.wait_for(letters)
    assert_nothing_lost_or_doubled(cluster, smtp_server, letters)
    with cluster.ledger.reading() as store:
        assert store.arrivals.held() == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("workers", "steps"),
    [(2, WORK_STEPS), (4, WORK_STEPS)] if LONG else [(2, STEPS_FOR_TWO)],
)
def test_workers_killed_at_each_step_lose_and_double_nothing(
    cluster, dovecot, smtp_server, monkeypatch, workers, steps
):
    monkeypatch.setenv("KILLABLE_ATTEMPTS", "100")
    letters = 4 * len(steps)
    dovecot.append(*map(letter, range(letters)), at=RECEIVED_AT)
    with cluster.roles("fetch", "send"):
        for some in pieces(steps, workers):
            armed = [cluster.start_role("work", step) for step in some]
            # What one had in hand when it died is another's, until each has come to its step.
            cluster.wait_until(partial(have_died, armed), 200)
            assert {process.returncode for process in armed} == {-signal.SIGKILL}
        with cluster.roles(*["work"] * workers):
            assert_settled(cluster, smtp_server, letters)


@pytest.mark.timeout(300)
def test_a_fetcher_killed_at_each_step_loses_and_doubles_nothing(cluster, dovecot, smtp_server):
    steps = FETCH_STEPS if LONG else ("deferring",)
    with cluster.roles("work", "send"):
        for number, step in enumerate(steps):
            dovecot.append(letter(number), at=RECEIVED_AT)
            process = cluster.start_role("fetch", step)
            cluster.wait_until(partial(have_died, [process]), 200)
        dovecot.append(letter(len(steps)), at=RECEIVED_AT)
        # Two on one mailbox: one reads it, the other waits for its lease.
        with cluster.roles("fetch", "fetch"):
            assert_settled(cluster, smtp_server, len(steps) + 1)


FETCH_STEPS = ("announcing", "deferring", "forgetting")


@pytest.mark.timeout(300)
def test_a_frozen_worker_and_a_server_that_falls_over_lose_and_double_nothing(
    cluster, dovecot, smtp_server, monkeypatch
):
    monkeypatch.setenv("KILLABLE_SILENT", "4")
    dovecot.append(*map(letter, range(6)), at=RECEIVED_AT)
    frozen = cluster.start_role("work", "freeze recording")
    try:
        with cluster.roles("fetch", "send"):
            cluster.wait_until(lambda: is_stopped(frozen.pid), 200)
            # Past its beat: PostgreSQL drops what it had open, and another takes up its trip.
            with cluster.role("work"):
                cluster.wait_until(lambda: cluster.is_done(6), 200)
                frozen.send_signal(signal.SIGCONT)
                dovecot.append(*map(letter, range(6, 12)), at=RECEIVED_AT)
                cluster.wait_until(lambda: len(cluster.letters()) > 6)
                # Every connection of everybody is cut, in the midst of it.
                cut(cluster.url)
                dovecot.append(*map(letter, range(12, 18)), at=RECEIVED_AT)
                cluster.wait_until(lambda: len(cluster.letters()) > 12)
                crash(cluster.url)
                assert_settled(cluster, smtp_server, 18)
                assert frozen.poll() is None
    finally:
        frozen.send_signal(signal.SIGCONT)
        frozen.terminate()
        frozen.wait(timeout=60)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def cut(url: str) -> None:
    """End every connection to a database."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def crash(url: str) -> None:
    """Kill a backend: PostgreSQL ends them all and starts again from its log."""
    with psycopg.connect(url, autocommit=True) as connection:
        os.kill(connection.info.backend_pid, signal.SIGKILL)


@pytest.mark.timeout(300)
def test_a_letter_that_kills_every_worker_is_quarantined_after_three_and_the_others_pass(
    cluster, dovecot
):
    innocent = 6
    dovecot.append(letter(0, "Poison"), *map(letter, range(1, innocent + 1)), at=RECEIVED_AT)
    deaths = 0
    workers = [cluster.start_role("work", "poison") for _ in range(2)]
    try:
        with cluster.role("fetch"):
            end = time.monotonic() + 200
            while cluster.account.count("Quarantine") == 0 or cluster.account.count("INBOX"):
                assert time.monotonic() < end, cluster.told()
                time.sleep(0.1)
                for place, worker in enumerate(workers):
                    if worker.poll() is not None:
                        deaths += 1
                        workers[place] = cluster.start_role("work", "poison")
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    outcomes = sorted(row.outcome for row in cluster.letters())
    assert outcomes == ["accepted"] * innocent + ["quarantined"]
    assert deaths == 3
