"""What of the service's state needs a person, and how it is said."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.operations.status import Cluster, judged, status
from ingest.transports.login import Ending
from storage.ledger import Ledger
from storage.records.running import Process, ServerState, StoreStatus, Waiting

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WELL = StoreStatus(
    verdicts_today={},
    queue=0,
    quarantined=0,
    owed=0,
    undeliverable=0,
    oldest_unanswered=None,
    passes={"main": NOW - MINUTE},
)


@dataclass
class Watched:
    ledger: None = None
    mailbox_names: list[str] = field(default_factory=lambda: ["main"])
    drop_folders: tuple[tuple[str, Path], ...] = ()
    mailbox_late_after: timedelta = 6 * MINUTE
    reply_late_after: timedelta = 30 * MINUTE
    ending_within: timedelta = timedelta(days=30)
    folders: tuple[Path, ...] = ()
    least_free_bytes: int = 0
    ends: list[Ending] = field(default_factory=list)

    @property
    def transports(self):
        return self

    def endings(self):
        return self.ends


def told(**changes):
    return judged(replace(WELL, **changes), Watched(), NOW).needs_a_person


def server(name, since, **more):
    about = {"failed_at": since, "error": "refused us", "advice": "check it", "worked_at": None}
    return ServerState(name, since, **(about | more))


def test_a_service_whose_servers_work_needs_nobody():
    assert told() == ()


@pytest.mark.parametrize("name", ["mailbox main", "outbox"])
def test_a_server_that_fails_is_told_at_once_with_since_when_and_what_to_do(name):
    faults = told(servers=(server(name, NOW),))
    assert faults == (f"{name} fails since 2026-11-22 12:00: refused us - check it",)


def test_a_refused_configuration_needs_a_person_and_is_no_fault_of_the_service():
    refused = replace(WELL, servers=(server("configuration", NOW),))
    status = judged(refused, Watched(), NOW)
    assert status.faults == ()
    assert status.needs_a_person == (
        "configuration fails since 2026-11-22 12:00: refused us - check it",
    )


def test_a_fault_that_is_over_needs_nobody_and_is_still_shown():
    over = server("outbox", None, failed_at=NOW)
    status = judged(replace(WELL, servers=(over,)), Watched(), NOW)
    assert status.needs_a_person == ()
    assert status.servers == (over,)


def test_a_mailbox_that_is_not_configured_any_more_is_not_told():
    assert told(servers=(server("mailbox old", NOW),)) == ()


def test_a_mailbox_that_nobody_reads_is_late_beyond_the_threshold():
    assert told(passes={"main": NOW - 6 * MINUTE}) == ()
    (late,) = told(passes={"main": NOW - 6 * MINUTE - timedelta(seconds=1)})
    assert late.startswith("mailbox main was not read through for 6 minutes")
    assert len(told(passes={})) == 1


def test_a_long_pass_that_gets_on_is_not_late():
    busy = server("mailbox main", None, failed_at=None, worked_at=NOW - MINUTE)
    assert told(passes={}, servers=(busy,)) == ()


def test_a_pass_ahead_of_a_clock_that_was_set_back_proves_nothing():
    assert len(told(passes={"main": NOW + 60 * MINUTE})) == 1


def test_a_mailbox_that_fails_is_told_once():
    assert len(told(passes={}, servers=(server("mailbox main", NOW),))) == 1


@pytest.mark.parametrize("name", ["mailbox main", "outbox"])
def test_a_servers_certificate_that_ends_tonight_is_told_with_the_hour(name):
    def ending(after):
        return told(servers=(server(name, None, certificate_ends=NOW + after),))

    assert ending(timedelta(days=31)) == ()
    assert ending(timedelta(days=29)) == (
        f"{name}: its server's certificate ends: 2026-12-21 - have it renewed",
    )
    assert ending(timedelta(hours=10)) == (
        f"{name}: its server's certificate ends: 2026-11-22 22:00 - have it renewed",
    )


def test_a_letter_that_waits_for_its_reply_is_told_beyond_the_threshold():
    assert told(oldest_unanswered=NOW - 30 * MINUTE) == ()
    (reason,) = told(oldest_unanswered=NOW - 31 * MINUTE)
    assert reason == "a letter waits for its reply since 2026-11-22 11:29"


def test_letters_that_wait_as_somebody_guesses_are_told():
    assert told(waiting=2) == ("letters waiting, as somebody guesses passwords: 2",)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (31, ()),
        (30, ("oauth office: its client secret ends: 2026-12-22 - have it renewed",)),
        (-1, ("oauth office: its client secret has ended: 2026-11-21 - have it renewed",)),
    ],
)
def test_what_ends_within_thirty_days_is_told(days, told):
    watched = Watched(ends=[Ending("office", "client secret", NOW + timedelta(days=days))])
    assert judged(WELL, watched, NOW).needs_a_person == told


@pytest.fixture
def kept(tmp_path):
    # Longer than the test may take: `status` waits less than a writer does.
    ledger = Ledger(f"sqlite:///{tmp_path}/ingest.db?timeout=3600")
    ledger.migrate()
    with ledger.transaction() as store:
        store.mailboxes.passed("main", NOW)
    yield ledger
    ledger.close()


def test_a_disk_without_room_is_told(kept, tmp_path):
    watched = Watched(kept, folders=(tmp_path,), least_free_bytes=2**60)
    [told] = status(watched, NOW).faults
    assert re.match(rf"{tmp_path}: \d+ MB free - make room", told)
    assert status(Watched(kept, folders=(tmp_path,)), NOW).faults == ()


def test_a_database_that_somebody_holds_locked_is_told_with_the_last_pass(kept, tmp_path):
    with closing(sqlite3.connect(tmp_path / "ingest.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        [told] = status(Watched(kept), NOW).faults
    assert "cannot be written to" in told
    assert "locked" in told
    assert "the last pass was 2026-11-22 12:00" in told
    assert status(Watched(kept), NOW).faults == ()


def worker(*, is_alive):
    return Process("host:1:2", "work", "0.1.0", NOW - MINUTE, NOW - MINUTE, is_alive)


@pytest.mark.parametrize(
    ("stalled", "is_alive", "needs"),
    [
        (0, True, ()),
        (0, False, ("letters wait since 2026-11-22 12:00 and no `ingest work` is running",)),
        (
            2,
            False,
            ("2 trips are in the hands of a silent process - is another `ingest work` running?",),
        ),
    ],
)
def test_letters_that_no_worker_takes_need_a_person(stalled, is_alive, needs):
    cluster = Cluster(Waiting(3, 5000, NOW, stalled), (worker(is_alive=is_alive),))
    status = judged(WELL, Watched(), NOW, cluster=cluster)
    assert status.needs_a_person == needs
