"""A PostgreSQL that goes away in the middle is a fault of time."""

from datetime import date

import psycopg
import pytest

from storage.ledger import Ledger, StoreUnavailable
from storage.readings.bulk import Run, add_values
from storage.statements import Statements
from tests.contract.documents import NOW, document, hand_in_to, hours, import_all


@pytest.fixture
def server(postgresql_migrated):
    url, empty = postgresql_migrated
    yield url
    empty()


def cut_others(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cut'"
        )


@pytest.fixture
def ledger(server):
    ledger = Ledger(server + "&application_name=cut")
    yield ledger
    ledger.close()


def test_a_cut_within_a_transaction_is_unavailable_and_the_next_one_goes_on(server, ledger):
    def be_cut():
        with ledger.transaction() as store:
            store.letters.claim(None, "a" * 64, 1, NOW, NOW)
            cut_others(server)
            store.letters.claim(None, "b" * 64, 1, NOW, NOW)

    with pytest.raises(StoreUnavailable):
        be_cut()

    with ledger.reading() as store:
        assert store.letters.find() == []


def test_a_cut_before_the_commit_is_unavailable(server, ledger):
    def be_cut():
        with ledger.transaction() as store:
            store.letters.claim(None, "a" * 64, 1, NOW, NOW)
            cut_others(server)

    with pytest.raises(StoreUnavailable):
        be_cut()


def test_a_cut_while_many_values_are_copied_is_unavailable(server, ledger):
    import_all(ledger)

    def be_cut():
        with ledger.transaction() as store:
            cut_others(server)
            add_values(Statements(store.session.driver, "values"), [Run(1, 0, 1, [5] * 100_000, 1)])

    with pytest.raises(StoreUnavailable):
        be_cut()


def test_a_cut_between_transactions_is_not_noticed(server, ledger):
    import_all(ledger)
    cut_others(server)

    with ledger.reading() as store:
        assert len(store.registry.entities()) == 2


@pytest.fixture
def impatient(server):
    """A ledger that waits for nobody."""
    ledger = Ledger(server + "&options=-c%20lock_timeout%3D50")
    yield ledger
    ledger.close()


def test_documents_of_one_entity_wait_for_each_other(server, ledger, impatient):
    import_all(ledger)
    with psycopg.connect(server) as other:
        other.execute("SELECT id FROM legal_entity FOR UPDATE")

        def hand_in():
            with impatient.transaction() as store:
                hand_in_to(store, document(hours(1)))

        with pytest.raises(StoreUnavailable, match="lock"):
            hand_in()


def test_a_month_is_closed_after_the_documents_that_were_told_it_is_open(ledger, impatient):
    import_all(ledger)

    def close():
        with impatient.transaction() as store:
            return store.periods.close(date(2026, 11, 1), "operator", NOW)

    with ledger.transaction() as recording:
        hand_in_to(recording, document(hours(1)))
        with pytest.raises(StoreUnavailable, match="lock"):
            close()

    assert close()
