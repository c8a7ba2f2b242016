"""What `make chaos` does to `fetch`, `work` and `send`: killed at each step, frozen, cut off.

The whole matrix is too long for `make test`, which kills two workers at two steps.
"""

from __future__ import annotations

import os
import signal
import subprocess
from functools import partial
from itertools import pairwise
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from tests.end_to_end.proxy import Proxy
from tests.end_to_end.test_dovecot_cluster import (
    assert_killed_at_each,
    assert_settled,
    cluster,  # noqa: F401 - a fixture
    have_died,
)
from tests.end_to_end.test_kill import RECEIVED_AT, is_stopped, letter

FETCH_STEPS = ("announcing", "deferring", "forgetting")
SEND_STEPS = ("leasing", "leased", "sent", "noted")
WORK_STEPS = (
    "taking", "taken", "claiming", "claimed", "read", "recording", "committed", "settling",
    "putting-off",
)  # fmt: skip
ROLES = ("fetch", "work", "send")
# As a letter meets them.
STEPS_IN_ORDER = (
    *(("fetch", step) for step in FETCH_STEPS[:2]),
    *(("work", step) for step in WORK_STEPS),
    ("fetch", FETCH_STEPS[2]),
    *(("send", step) for step in SEND_STEPS),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("workers", [2, 4])
def test_workers_killed_at_each_step_lose_and_double_nothing(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
    monkeypatch,
    workers,
):
    monkeypatch.setenv("KILLABLE_ATTEMPTS", "100")
    assert_killed_at_each(WORK_STEPS, workers, cluster, dovecot, smtp_server)


@pytest.mark.timeout(1200)
def test_roles_killed_at_each_step_and_at_the_next_one_after_it_lose_and_double_nothing(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
):
    letters = 0
    for neighbours in pairwise(STEPS_IN_ORDER):
        for role, step in neighbours:
            # A new letter for each death: what the last one left half done lies beside it.
            dovecot.append(letter(letters), at=RECEIVED_AT)
            letters += 1
            with cluster.roles(*(other for other in ROLES if other != role)):
                process = cluster.start_role(role, step)
                cluster.wait_until(partial(have_died, [process]), 200)
                assert process.returncode == -signal.SIGKILL
        # A letter that three processes died with would be put aside.
        with cluster.roles(*ROLES):
            cluster.wait_until(partial(cluster.is_done, letters), 200)
    assert_settled(cluster, smtp_server, letters)


@pytest.mark.timeout(300)
def test_a_fetcher_killed_at_each_step_loses_and_doubles_nothing(cluster, dovecot, smtp_server):  # noqa: F811
    with cluster.roles("work", "send"):
        for number, step in enumerate(FETCH_STEPS):
            dovecot.append(letter(number), at=RECEIVED_AT)
            process = cluster.start_role("fetch", step)
            cluster.wait_until(partial(have_died, [process]), 200)
        dovecot.append(letter(len(FETCH_STEPS)), at=RECEIVED_AT)
        # Two on one mailbox: one reads it, the other waits for its lease.
        with cluster.roles("fetch", "fetch"):
            assert_settled(cluster, smtp_server, len(FETCH_STEPS) + 1)


@pytest.mark.timeout(300)
def test_a_sender_killed_at_each_step_loses_nothing_and_sends_no_other_mail(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
):
    with cluster.roles("fetch", "work"):
        for number, step in enumerate(SEND_STEPS):
            dovecot.append(letter(number), at=RECEIVED_AT)
            process = cluster.start_role("send", step)
            cluster.wait_until(partial(have_died, [process]), 200)
            assert process.returncode == -signal.SIGKILL
        # Two of them share what is owed.
        with cluster.roles("send", "send"):
            assert_settled(cluster, smtp_server, len(SEND_STEPS))


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("role", "steps"), [("fetch", FETCH_STEPS), ("work", WORK_STEPS), ("send", SEND_STEPS)]
)
def test_postgresql_that_falls_over_at_each_step_of_a_role_loses_and_doubles_nothing(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
    role,
    steps,
):
    others = [other for other in ("fetch", "work", "send") if other != role]
    with cluster.roles(*others):
        for number, step in enumerate(steps):
            dovecot.append(letter(number), at=RECEIVED_AT)
            process = cluster.start_role(role, f"freeze {step}")
            try:
                cluster.wait_until(partial(is_stopped, process.pid), 200)
                crash(cluster.url)
                process.send_signal(signal.SIGCONT)
                # The very process that met it brings the letter to its end.
                cluster.wait_until(partial(cluster.is_done, number + 1), 200)
            finally:
                process.send_signal(signal.SIGCONT)
                process.terminate()
                process.wait(timeout=60)
        with cluster.role(role):
            assert_settled(cluster, smtp_server, len(steps))


@pytest.mark.timeout(300)
def test_workers_whose_clocks_are_ten_minutes_off_take_nothing_from_one_another(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
    monkeypatch,
):
    letters = 24
    dovecot.append(*map(letter, range(letters)), at=RECEIVED_AT)
    workers = []
    try:
        for seconds in ("600", "-600", "0"):
            monkeypatch.setenv("KILLABLE_CLOCK", seconds)
            workers.append(cluster.start_role("work"))
        with cluster.roles("fetch", "send"):
            assert_settled(cluster, smtp_server, letters)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait(timeout=60)
    with psycopg.connect(cluster.url) as connection:
        attempts = connection.execute("SELECT DISTINCT attempts FROM letter").fetchall()
    assert attempts == [(1,)]


@pytest.mark.timeout(300)
def test_a_frozen_worker_and_a_server_that_falls_over_lose_and_double_nothing(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
    monkeypatch,
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


class Far:
    """A network of its own, with a slow link to this one."""

    def __init__(self, name: str) -> None:
        self.name = name
        # A block that is for tests: nothing else has it.
        self.host, there = "198.18.77.1", "198.18.77.2"
        ip("netns", "add", name)
        ip("link", "add", name, "type", "veth", "peer", "name", "there", "netns", name)
        ip("addr", "add", f"{self.host}/30", "dev", name)
        self.link("up")
        ip("-n", name, "addr", "add", f"{there}/30", "dev", "there")
        for device in ("lo", "there"):
            ip("-n", name, "link", "set", device, "up")
        # Where the kernel has no `netem`, a narrow link is as slow.
        narrow = ["tbf", "rate", "400kbit", "burst", "2k", "latency", "2s"]
        slow = (["netem", "delay", "40ms"], narrow)
        qdisc = ["tc", "-n", name, "qdisc", "add", "dev", "there", "root"]
        assert any(subprocess.run([*qdisc, *how], check=False).returncode == 0 for how in slow)

    def link(self, state: str) -> None:
        """Up, or down: then packets are lost without a word, in both directions."""
        ip("link", "set", self.name, state)


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@pytest.fixture
def far():
    name = f"chaos{os.getpid()}"
    try:
        made = Far(name)
    except (OSError, subprocess.CalledProcessError) as fault:
        subprocess.run(["ip", "netns", "del", name], check=False)
        pytest.skip(f"this machine gives no network of its own ({fault}): it needs root and ip")
    yield made
    ip("netns", "del", name)


@pytest.mark.timeout(300)
def test_a_worker_whose_network_is_slow_and_falls_silent_loses_and_doubles_nothing(
    cluster,  # noqa: F811
    dovecot,
    smtp_server,
    monkeypatch,
    far,
):
    monkeypatch.setenv("KILLABLE_SILENT", "4")
    url = make_url(cluster.url)
    door = Proxy(Path(str(url.query["host"]), ".s.PGSQL.5432"), far.host)
    there = url.set(host=far.host, port=door.port, query={"tcp_user_timeout": "8000"})
    config = cluster.folder / "far.toml"
    config.write_text(
        cluster.config.read_text().replace(cluster.url, there.render_as_string(hide_password=False))
    )
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("KILLABLE_NETWORK", far.name)
        worker = cluster.start_role("work", config=config)
    try:
        with cluster.roles("fetch", "send"):
            dovecot.append(*map(letter, range(8)), at=RECEIVED_AT)
            # It alone is there: the slow link carries all of it.
            cluster.wait_until(lambda: len(cluster.letters()) > 2, 120)
            far.link("down")
            with cluster.role("work"):
                dovecot.append(*map(letter, range(8, 16)), at=RECEIVED_AT)
                cluster.wait_until(lambda: cluster.is_done(16), 200)
            far.link("up")
            # What it had in hand is settled by another; it goes on with what comes.
            dovecot.append(*map(letter, range(16, 24)), at=RECEIVED_AT)
            assert_settled(cluster, smtp_server, 24)
            assert worker.poll() is None
    finally:
        worker.terminate()
        worker.wait(timeout=60)
        door.close()


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
