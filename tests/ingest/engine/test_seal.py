"""Sealing in the running service: one process does it, and the log knows the last seal."""

import pytest
from structlog.testing import capture_logs

from ingest.engine.seal import Sealer
from storage.faults import StoreUnavailable
from tests.fakes import START

KEY = "200000001234"


def note(ledger, key=KEY):
    with ledger.transaction() as store:
        store.audit.add(START, "petrova", "password", key, before=None, after=None)


def checked(ledger):
    with ledger.reading() as store:
        return store.seals.check()


def test_what_is_new_is_sealed_and_the_head_is_told_at_once_and_then_every_hour(ledger):
    sealer = Sealer(ledger, "a:1:1")
    note(ledger)
    with capture_logs() as told:
        sealer.once()
        note(ledger)
        sealer.once()
    found = checked(ledger)
    assert (found.broken, found.unsealed, found.seals) == (None, {}, 2)
    (head,) = told
    assert (head["event"], head["number"], head["unsealed"]) == ("audit.head", 1, 0)
    assert len(head["sha256"]) == 64


def test_one_holds_the_lease_and_another_one_seals_once_it_was_let_go(ledger):
    first, second = Sealer(ledger, "elsewhere:1:1"), Sealer(ledger, "elsewhere:2:2")
    note(ledger)
    first.once()
    note(ledger)
    second.once()
    assert checked(ledger).unsealed == {"audit": 1}

    first.close()
    second.once()
    assert checked(ledger).unsealed == {}


def test_a_chain_that_was_made_anew_under_the_running_service_is_told(ledger):
    sealer = Sealer(ledger, "a:1:1")
    note(ledger)
    sealer.once()
    with ledger.transaction() as store:
        for name in ("seal", "audit"):
            store.session.driver.execute(f"DROP TRIGGER tr_{name}_delete")
            store.session.driver.execute(f"DELETE FROM {name}")
        store.session.driver.execute("DELETE FROM seal_head")
    note(ledger, "1")

    with capture_logs() as told:
        sealer.once()
        sealer.once()
    assert [(one["event"], one["number"]) for one in told] == [("audit.broken", 1)]


def test_a_database_that_is_away_is_a_fault_of_time(ledger, monkeypatch):
    note(ledger)

    def away(*_args, **_more):
        raise StoreUnavailable("away")

    monkeypatch.setattr(type(ledger), "seal", away)
    sealer = Sealer(ledger, "a:1:1")
    with pytest.raises(ConnectionError):
        sealer.once()
    monkeypatch.undo()
    sealer.once()
    assert checked(ledger).unsealed == {}
