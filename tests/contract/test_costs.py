"""CPU time is counted by payer within an hour, whichever process it was spent in."""

from storage.ledger import Ledger
from tests.contract.documents import NOW


def test_what_several_processes_count_is_one_sum(database_url, ledger):
    other = Ledger(database_url)
    for each in (ledger, other, ledger):
        with each.transaction() as store:
            store.costs.charge({"domain b.example": 4.0, "domain a.example": 1.5})
    with other.reading() as store:
        assert store.costs.heavy(10) == {"domain b.example": 12.0}
        assert store.costs.heavy(1) == {"domain a.example": 4.5, "domain b.example": 12.0}
    other.close()


def test_what_is_older_than_an_hour_is_dropped(ledger):
    with ledger.transaction() as store:
        store.costs.charge({"domain a.example": 5.0})
        store.session.driver.execute("UPDATE cost SET minute = minute - 60")
        assert store.costs.heavy(1) == {}
        store.costs.charge({"domain b.example": 5.0})
        found = store.session.driver.all_rows("SELECT payer FROM cost")
    assert found == [("domain b.example",)]


def test_addresses_that_have_proven_themselves_are_told_from_others(ledger):
    with ledger.transaction() as store:
        store.senders.succeeded("200000003079", "Buh@primer.example", NOW)
        found = store.senders.proven({"buh@primer.example", "x@primer.example"})
    assert found == {"buh@primer.example"}
