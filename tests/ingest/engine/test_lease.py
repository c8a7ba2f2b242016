"""One process reads a mailbox; a dead one holds up nobody."""

import subprocess
import sys

import pytest

from ingest.engine.lease import ProcessLease, is_gone, this_process
from tests.fakes import age_leases


def test_one_holds_and_the_other_is_told_who(ledger):
    with ProcessLease(ledger, "mailbox main", "a:1:1") as first:
        assert first.is_held
        with ProcessLease(ledger, "mailbox main", "b:2:2") as second:
            assert not second.is_held
            assert second.held_by == "a:1:1"


def test_a_lease_left_is_free_at_once(ledger):
    with ProcessLease(ledger, "mailbox main", "a:1:1"):
        pass
    with ProcessLease(ledger, "mailbox main", "b:2:2") as second:
        assert second.is_held


def test_a_silent_holder_elsewhere_loses_it_after_15_seconds(ledger):
    with ledger.transaction() as store:
        store.leases.take("mailbox main", "elsewhere:1:1")
    age_leases(ledger, 13)
    with ProcessLease(ledger, "mailbox main") as lease:
        assert not lease.is_held
    age_leases(ledger, 2)
    with ProcessLease(ledger, "mailbox main") as lease:
        assert lease.is_held


def test_a_holder_that_is_gone_from_this_machine_loses_it_at_once(ledger):
    with ledger.transaction() as store:
        store.leases.take("mailbox main", ended_process())
    with ProcessLease(ledger, "mailbox main") as lease:
        assert lease.is_held


def ended_process() -> str:
    code = "from ingest.engine.lease import this_process; print(this_process())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_living_process_is_not_gone():
    assert not is_gone(this_process())


def test_its_number_given_to_another_process_does_not_make_it_live():
    host, _, _started = this_process().rpartition(":")
    assert is_gone(f"{host}:123")


@pytest.mark.parametrize("what", ["name", "machine", "container"])
def test_nothing_is_known_of_processes_elsewhere(what):
    here, pid, start = ended_process().split(":")
    name, machine, container = here.split("/")
    there = {"name": name, "machine": machine, "container": container} | {what: "0"}
    assert is_gone(f"{here}:{pid}:{start}")
    assert not is_gone(f"{'/'.join(there.values())}:{pid}:{start}")


def test_nonsense_is_nobody_known():
    assert not is_gone("elsewhere/1:999999:1")
    assert not is_gone("nonsense")
