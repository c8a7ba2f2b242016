"""Leases by the database's clock: one holder at a time, and a silent one loses its lease."""

from tests.fakes import age_leases


def take(ledger, holder, name="mailbox main", **more):
    with ledger.transaction() as store:
        return store.leases.take(name, holder, seconds=15, **more)


def test_a_free_lease_is_taken_and_others_are_told_who_has_it(ledger):
    assert take(ledger, "a:1") == "a:1"
    assert take(ledger, "b:2") == "a:1"
    assert take(ledger, "b:2", "mailbox other") == "b:2"


def test_a_holder_renews_its_lease_and_loses_it_when_it_falls_silent(ledger):
    take(ledger, "a:1")
    age_leases(ledger, 13)
    assert take(ledger, "b:2") == "a:1"
    assert take(ledger, "a:1") == "a:1"

    age_leases(ledger, 13)
    assert take(ledger, "b:2") == "a:1"
    age_leases(ledger, 2)
    assert take(ledger, "b:2") == "b:2"
    assert take(ledger, "a:1") == "b:2"


def test_a_holder_that_is_gone_loses_its_lease_at_once(ledger):
    take(ledger, "a:1")

    assert take(ledger, "b:2", is_gone=lambda holder: holder == "x") == "a:1"
    assert take(ledger, "b:2", is_gone=lambda holder: holder == "a:1") == "b:2"
    assert take(ledger, "a:1") == "b:2"


def test_a_lease_let_go_is_free_but_only_its_holder_can_let_it_go(ledger):
    take(ledger, "a:1")
    with ledger.transaction() as store:
        store.leases.release("mailbox main", "b:2")
    assert take(ledger, "b:2") == "a:1"

    with ledger.transaction() as store:
        store.leases.release("mailbox main", "a:1")
    assert take(ledger, "b:2") == "b:2"


def test_a_lease_of_before_the_clock_was_set_back_is_no_longer_one(ledger):
    take(ledger, "a:1")
    age_leases(ledger, -13)
    assert take(ledger, "b:2") == "a:1"
    age_leases(ledger, -3)
    assert take(ledger, "b:2") == "b:2"
