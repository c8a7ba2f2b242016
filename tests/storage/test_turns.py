"""Writers of one process take turns on SQLite, whatever SQLite's own patience."""

import threading

import pytest

from storage.ledger import Ledger, StoreUnavailable


@pytest.fixture
def ledger(tmp_path):
    # SQLite itself would not wait at all for another writer.
    ledger = Ledger(f"sqlite:///{tmp_path}/ingest.db?timeout=0")
    ledger.migrate()
    yield ledger
    ledger.close()


def test_a_writer_waits_until_the_other_has_committed(ledger):
    begun, go_on, done = threading.Event(), threading.Event(), []

    def write_long():
        with ledger.transaction() as store:
            store.installation.key()
            begun.set()
            go_on.wait(10)
        done.append("long")

    def write_short():
        with ledger.transaction() as store:
            store.installation.key()
        done.append("short")

    threads = [threading.Thread(target=work) for work in (write_long, write_short)]
    threads[0].start()
    assert begun.wait(10)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert sorted(done) == ["long", "short"]


def test_a_writer_that_failed_gives_its_turn_on(ledger):
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        raise ZeroDivisionError
    with ledger.transaction() as store:
        assert store.installation.key()


def test_a_writer_of_another_process_is_no_reason_to_wait_for_ever(ledger, tmp_path):
    other = Ledger(f"sqlite:///{tmp_path}/ingest.db?timeout=0")
    with other.transaction() as store:
        store.installation.key()
        with pytest.raises(StoreUnavailable), ledger.transaction():
            pass
    other.close()


def test_a_writer_beside_a_long_intake_of_another_process_waits_for_it(tmp_path):
    # SQLite looks again ten times a second, and the file is free for moments only.
    ledger = Ledger(f"sqlite:///{tmp_path}/ingest.db")
    ledger.migrate()
    with ledger.transaction() as store:
        (milliseconds,) = store.session.driver.first_row("PRAGMA busy_timeout")
    ledger.close()
    assert milliseconds >= 15_000
