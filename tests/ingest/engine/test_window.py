"""Which letters are claimed, read and recorded together, and which go alone."""

import threading
from collections import deque
from concurrent.futures import Future
from contextlib import closing

import pytest

from ingest.engine import work as window
from ingest.engine.collect import one_ahead
from ingest.engine.work import loads, must_wait, ready, trips
from ingest.intake.attempt import Claimed
from storage.records.letters import Claim, LetterState
from tests.fakes import START, mail, raw_letter, uid_of


def raws(*contents):
    return [raw_letter(content, uid) for uid, content in enumerate(contents, 1)]


def claim(attempts=1):
    return Claim(1, LetterState.CLAIMED, None, attempts=attempts, received_at=START)


def uids(found):
    return [[uid_of(one.raw) for one in trip] for trip in found]


def small(count):
    return raws(*(mail(f"letter {number}") for number in range(count)))


def job(found):
    return Claimed(found.raw, found.sha256, claim(), Future(), Future(), 0.0)


def test_small_letters_go_together_in_their_order():
    assert uids(trips(small(19), ())) == [[*range(1, 9)], [*range(9, 17)], [17, 18, 19]]


def test_letters_go_together_up_to_so_many_bytes(monkeypatch):
    contents = [mail(name) for name in "abcd"]
    monkeypatch.setattr(window, "TRIP_BYTES", sum(len(content) for content in contents[:2]))
    assert uids(trips(raws(*contents), ())) == [[1, 2], [3, 4]]
    monkeypatch.setattr(window, "TRIP_BYTES", 1)
    assert uids(trips(raws(*contents), ())) == [[1], [2], [3], [4]]


def test_small_letters_go_to_a_reader_together_and_large_ones_alone():
    large = b"x" * window.SMALL_BYTES
    contents = [mail("a"), mail("b"), mail("c") + large, mail("d") + large, mail("e"), mail("f")]
    (trip,) = trips(raws(*contents), ())
    assert uids(loads(job(found) for found in trip)) == [[1, 2], [3], [4], [5, 6]]


def test_a_letter_that_was_tried_before_goes_alone():
    assert uids(trips(small(4), {"INBOX/1/2"})) == [[1], [2], [3, 4]]


def test_a_letter_that_was_tried_before_is_alone_in_hand():
    one, tried, two = trips(small(3), {"INBOX/1/2"})
    assert must_wait([job(one[0])], tried)
    assert not must_wait([], tried)
    again = job(tried[0])
    again.claim = claim(attempts=2)
    assert must_wait([again], two)


def test_the_same_bytes_do_not_go_together():
    assert uids(trips(raws(mail("a"), mail("b"), mail("a"), mail("c")), ())) == [[1, 2], [3, 4]]


def test_readers_run_ahead_by_so_many_letters_and_no_further():
    jobs = [job(one) for trip in trips(small(window.WINDOW_LETTERS), ()) for one in trip]
    (after,) = trips(raws(mail("after")), ())
    assert not must_wait(jobs[1:], after)
    assert must_wait(jobs, after)


def test_readers_run_ahead_by_so_many_bytes_and_no_further(monkeypatch):
    (first,), (second,) = trips(raws(mail("first")), ()), trips(raws(mail("second")), ())
    sizes = len(first[0].raw.content) + len(second[0].raw.content)
    monkeypatch.setattr(window, "WINDOW_BYTES", sizes)
    assert not must_wait([job(first[0])], second)
    monkeypatch.setattr(window, "WINDOW_BYTES", sizes - 1)
    assert must_wait([job(first[0])], second)


def test_bytes_in_hand_are_not_taken_in_hand_again():
    (first,), (again,) = trips(raws(mail("a")), ()), trips(raws(mail("a")), ())
    assert must_wait([job(first[0])], again)


def test_only_what_is_read_up_to_the_first_that_is_not_is_recorded():
    jobs = deque(job(one) for trip in trips(small(4), ()) for one in trip)
    for number in (0, 1, 3):
        jobs[number].proven.set_result("read")
    assert ready(jobs) == [jobs[0], jobs[1]]


def test_a_letter_that_could_not_be_read_ends_what_is_recorded_together():
    jobs = deque(job(one) for trip in trips(small(3), ()) for one in trip)
    jobs[0].proven.set_result("read")
    jobs[1].proven.set_exception(ValueError())
    jobs[2].proven.set_result("read")
    assert ready(jobs) == [jobs[0]]


def test_the_next_is_asked_for_while_one_is_in_hand():
    asked = threading.Event()

    def items():
        yield "first"
        asked.set()
        yield "second"

    with closing(one_ahead(items())) as ahead:
        assert next(ahead) == "first"
        assert asked.wait(10)
        assert list(ahead) == ["second"]


def test_what_asking_ahead_ends_with_is_told_in_its_turn():
    def items():
        yield "first"
        raise ConnectionError("cut")

    with closing(one_ahead(items())) as ahead:
        assert next(ahead) == "first"
        with pytest.raises(ConnectionError, match="cut"):
            next(ahead)


def test_no_more_than_one_is_asked_for_and_none_after_the_end():
    taken = []

    def items():
        for number in range(10):
            taken.append(number)
            yield number

    with closing(one_ahead(items())) as ahead:
        next(ahead)
        next(ahead)
    assert taken == [0, 1, 2]
