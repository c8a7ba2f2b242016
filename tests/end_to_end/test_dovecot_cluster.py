"""`fetch`, `work` and `send` as processes of their own, on Dovecot and PostgreSQL."""

from __future__ import annotations

import signal
import time
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from imapclient.exceptions import IMAPClientError

from config.load import load as load_settings
from ingest.wiring.service import Service
from layouts.sequences import pieces
from tests.end_to_end.installation import Killable
from tests.end_to_end.loaded import Started
from tests.end_to_end.test_kill import RECEIVED_AT, assert_nothing_lost_or_doubled, letter


class Cluster(Killable):
    """An installation of several processes."""

    def __post_init__(self) -> None:
        super().__post_init__()
        service = Service(load_settings(self.config))
        service.queue().prepare()
        service.ledger.close()

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
def cluster(tmp_path, postgresql, dovecot, smtp_server, loaded):
    made = Cluster(tmp_path, postgresql(), dovecot, smtp_server.port, loaded=loaded)
    yield made
    made.ledger.close()


@pytest.mark.timeout(300)
def test_letters_go_over_two_workers_once_though_their_folder_is_made_anew_under_way(
    cluster, dovecot, smtp_server
):
    text = cluster.config.read_text(encoding="utf-8")
    named = text.replace('name = "main"', 'name = "main"\nfolder = "Meters"')
    cluster.config.write_text(named, encoding="utf-8")
    contents = [*map(letter, range(20))]
    letters = len(contents)
    put_anew(dovecot, *contents)
    with cluster.roles("fetch", "send") as both:
        cluster.wait_until(lambda: cluster.waiting() == letters, 200)
        # All are under way under a UIDVALIDITY that is gone before a worker comes.
        before = uidvalidity(dovecot)
        cluster.wait_until(lambda: put_anew(dovecot, *contents))
        assert uidvalidity(dovecot) != before
        with cluster.roles("work", "work") as workers:
            cluster.wait_until(
                lambda: cluster.is_done(letters) and dovecot.count("Meters") == 0, 200
            )
            smtp_server.wait_for(letters)
    assert_nothing_lost_or_doubled(cluster, smtp_server, letters)
    assert [process.returncode for process in (*both, *workers)] == [0, 0, 0, 0]
    # The last ones are put away before the fetcher ends, or by the next one.
    with cluster.ledger.reading() as store:
        assert store.arrivals.of_source("main") == {}
        assert store.arrivals.processes() == []


def put_anew(account, *contents):
    """A new folder with these letters; False when Dovecot has the deleted one in use yet."""
    with suppress(IMAPClientError), account._client() as client:
        if client.folder_exists("Meters"):
            client.delete_folder("Meters")
        client.create_folder("Meters")
        account.append(*contents, folder="Meters", at=RECEIVED_AT)
        return True
    return False


def uidvalidity(account):
    with account._client() as client:
        return client.folder_status("Meters", ["UIDVALIDITY"])[b"UIDVALIDITY"]


def have_died(processes: Sequence[Started]) -> bool:
    return all(process.poll() is not None for process in processes)


def assert_settled(cluster, smtp_server, letters):
    """Every letter once: recorded, filed, answered, its bytes gone from the database."""
    cluster.wait_until(lambda: cluster.is_done(letters), 200)
    smtp_server.wait_for(letters)
    assert_nothing_lost_or_doubled(cluster, smtp_server, letters)
    with cluster.ledger.reading() as store:
        assert store.arrivals.held() == 0


def assert_killed_at_each(steps, workers, cluster, dovecot, smtp_server):
    """So many workers at once die at these steps, and others bring the letters to their ends."""
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


@pytest.mark.timeout(600)
def test_two_workers_killed_at_once_lose_and_double_nothing(
    cluster, dovecot, smtp_server, monkeypatch
):
    monkeypatch.setenv("KILLABLE_ATTEMPTS", "100")
    assert_killed_at_each(("taken", "recording"), 2, cluster, dovecot, smtp_server)


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
