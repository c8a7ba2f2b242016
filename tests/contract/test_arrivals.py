"""Letters that wait in the database for a worker, and the processes that carry them."""

from datetime import UTC, datetime

import pytest

from storage.records.running import WaitingArrival

RECEIVED_AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


def one(key: str = "INBOX/7/1", content: bytes = b"From: a@b.example\r\n\r\n") -> WaitingArrival:
    return WaitingArrival("main", key, RECEIVED_AT, len(content), content)


@pytest.fixture
def announced(ledger):
    with ledger.transaction() as store:
        [number] = store.arrivals.announce([one()])
    return number


def test_the_same_place_is_announced_once(ledger, announced):
    with ledger.transaction() as store:
        numbers = store.arrivals.announce([one(), one("INBOX/7/2")])
    assert numbers[0] is None
    assert numbers[1] not in {None, announced}


def test_what_is_taken_comes_with_its_bytes_in_the_order_of_its_coming(ledger, announced):
    with ledger.transaction() as store:
        [second] = store.arrivals.announce([one("INBOX/7/2", b"x" * 70_000)])
        taken = store.arrivals.take([second, announced], "host:1:2")
    assert [letter.number for letter in taken] == [announced, second]
    assert taken[0].content == one().content
    assert (taken[1].size, taken[1].received_at) == (70_000, RECEIVED_AT)


def test_the_bytes_go_with_the_verdict_and_what_has_one_is_not_taken(ledger, announced):
    with ledger.transaction() as store:
        assert store.arrivals.held() == len(one().content)
        store.arrivals.settle("main", one().key, "accepted")
        assert store.arrivals.held() == 0
        assert store.arrivals.take([announced], "host:1:2") == []
        assert store.arrivals.of_source("main") == {one().key: "accepted"}
        assert store.arrivals.has_settled("main")


def test_the_first_verdict_stands(ledger, announced):
    with ledger.transaction() as store:
        store.arrivals.settle("main", one().key, "accepted")
        store.arrivals.settle("main", one().key, "duplicate")
        assert store.arrivals.of_source("main") == {one().key: "accepted"}


def test_only_what_has_its_verdict_is_forgotten(ledger, announced):
    with ledger.transaction() as store:
        store.arrivals.announce([one("INBOX/7/2")])
        store.arrivals.settle("main", one().key, "accepted")
        store.arrivals.forget("main", [one().key, "INBOX/7/2"])
        assert store.arrivals.of_source("main") == {"INBOX/7/2": None}


def test_what_waits_is_told_with_the_trips_of_processes_that_fell_silent(ledger, announced):
    with ledger.transaction() as store:
        store.arrivals.carry([announced], 17)
        assert store.arrivals.waiting().stalled == 0
        store.arrivals.take([announced], "host:1:2")
        waiting = store.arrivals.waiting()
        assert (waiting.letters, waiting.held, waiting.stalled) == (1, len(one().content), 1)
        assert waiting.oldest is not None
        store.arrivals.beat("host:1:2", "work", "0.1.0")
        assert store.arrivals.waiting().stalled == 0
        store.arrivals.left("host:1:2")
        assert store.arrivals.waiting().stalled == 1
        store.arrivals.put_off([announced], 5)
        assert store.arrivals.waiting().stalled == 0


def test_processes_are_told_with_their_last_beat(ledger):
    with ledger.transaction() as store:
        store.arrivals.beat("host:1:2", "work", "0.1.0")
        [process] = store.arrivals.processes()
        assert (process.role, process.version, process.is_alive) == ("work", "0.1.0", True)
        store.arrivals.left("host:1:2")
        assert store.arrivals.processes() == []
