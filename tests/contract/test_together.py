"""Several letters in one commit: each is undone alone, and all of them by a crash."""

import pytest

from storage.records.letters import LetterState
from tests.fakes import START


def claim(ledger, sha256):
    with ledger.transaction() as store:
        return store.letters.claim(None, sha256, 1, START, START)


def claim_and_raise(ledger, fault):
    with ledger.transaction() as store:
        store.letters.claim(None, "b", 1, START, START)
        raise fault


def claim_two_and_end(ledger):
    claim(ledger, "a")
    claim(ledger, "b")
    raise SystemExit


def states(ledger):
    with ledger.reading() as store:
        return [row.state for row in store.letters.find()]


def test_what_fails_is_undone_alone(ledger):
    with ledger.together() as one:
        claim(one, "a")
        with pytest.raises(ValueError, match="ours"):
            claim_and_raise(one, ValueError("ours"))
        claim(one, "c")
    assert states(ledger) == [LetterState.CLAIMED] * 2


def test_a_statement_that_was_refused_leaves_the_others_whole(ledger):
    with ledger.together() as one:
        claim(one, "a")
        with pytest.raises(Exception, match="letter"), one.transaction() as store:
            store.session.connection.exec_driver_sql("INSERT INTO letter (id) VALUES (77)")
        claim(one, "c")
    assert len(states(ledger)) == 2


def test_each_sees_what_the_one_before_it_did(ledger):
    with ledger.together() as one:
        assert claim(one, "a").attempts == 1
        assert claim(one, "a").attempts == 2


def test_without_an_end_nothing_is_half_done(ledger, database_url):
    with pytest.raises(SystemExit), ledger.together() as one:
        claim_two_and_end(one)
    # One commit on SQLite; on PostgreSQL each had its own.
    whole = 0 if database_url.startswith("sqlite") else 2
    assert len(states(ledger)) == whole
