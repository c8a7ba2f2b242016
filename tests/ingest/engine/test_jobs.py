"""A job runs when it is due or wanted, never twice at once, and rests after faults."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ingest.engine import jobs
from ingest.engine.jobs import OVERDUE_SECONDS, STUCK_SECONDS, Job, rest_seconds


class Scheduler:
    """Keeps what it is asked for: in how many seconds the job is to run next."""

    def __init__(self):
        self.asked: list[float] = []

    def add_job(self, run, _trigger, *, seconds, **_options):
        self.run, self.every = run, seconds
        return self

    def modify(self, *, next_run_time):
        self.asked.append(round((next_run_time - datetime.now(UTC)).total_seconds()))


class House:
    """A job with the scheduler, the steady clock and the work that a test gives it."""

    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr(jobs, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(jobs.random, "random", lambda: 1.0)
        self.scheduler, self.stopping = Scheduler(), threading.Event()
        self.faults: list[tuple[str, float]] = []
        self.done = self.well = 0
        self.work = lambda: None
        self.job = Job(
            *("mailbox main", self._worked, self.scheduler, self.stopping),
            told=lambda fault, seconds: self.faults.append((str(fault), seconds)),
            went_well=self._went_well,
        )
        self.job.start(60.0)

    def _worked(self):
        self.done += 1
        self.work()

    def _went_well(self):
        self.well += 1

    def fail(self, fault):
        def raising():
            raise fault

        self.work = raising


@pytest.fixture
def house(monkeypatch):
    return House(monkeypatch)


def test_it_runs_at_its_interval_under_its_name(house):
    assert house.scheduler.every == 60
    assert house.job.name == "mailbox main"
    house.scheduler.run()
    assert (house.done, house.well, house.faults) == (1, 1, [])


def test_what_is_wanted_while_it_runs_makes_it_run_once_more(house):
    def wanted_twice():
        if house.done == 1:
            house.job.want()
            house.job.want()

    house.work = wanted_twice
    house.scheduler.run()
    assert (house.done, house.well) == (2, 2)
    assert house.scheduler.asked == []
    house.job.want()
    assert house.scheduler.asked == [0]


def test_it_never_runs_twice_at_once_nor_while_it_rests(house):
    house.work = house.scheduler.run
    house.scheduler.run()
    assert house.done == 1
    house.fail(ConnectionError("away"))
    house.scheduler.run()
    house.now += 0.9
    house.scheduler.run()
    assert house.done == 2
    house.now += 0.1
    house.scheduler.run()
    assert house.done == 3


def test_it_rests_longer_after_each_fault_until_something_went_well(house):
    house.fail(ConnectionError("away"))
    for _ in range(3):
        house.scheduler.run()
        house.now += 300
    assert house.faults == [("away", 1.0), ("away", 2.0), ("away", 4.0)]
    assert house.scheduler.asked == [1, 2, 4]
    house.job.reset_back_off()
    house.scheduler.run()
    assert house.faults[-1] == ("away", 1.0)
    house.now += 300
    house.work = lambda: None
    house.scheduler.run()
    house.fail(ConnectionError("away"))
    house.now += 300
    house.scheduler.run()
    assert house.faults[-1] == ("away", 1.0)


def test_what_is_wanted_while_it_rests_waits_for_the_end_of_the_rest(house):
    house.fail(ConnectionError("away"))
    house.scheduler.run()
    house.scheduler.run()
    house.now += 0.25
    house.job.want()
    assert house.scheduler.asked == [1, 1]


def test_a_fault_of_ours_rests_alike_and_is_raised_for_the_log(house):
    house.fail(KeyError("ours"))
    with pytest.raises(KeyError):
        house.scheduler.run()
    assert house.faults == [("'ours'", 1.0)]
    assert house.scheduler.asked == [1]
    house.job.join()


def test_nothing_runs_once_it_is_stopping(house):
    house.stopping.set()
    house.scheduler.run()
    assert house.done == 0
    house.now += 10_000
    house.job.is_stuck()
    assert house.scheduler.asked == []


@pytest.mark.parametrize(
    ("seconds", "is_stuck"), [(STUCK_SECONDS, False), (STUCK_SECONDS + 0.1, True)]
)
def test_one_that_shows_no_progress_is_stuck(house, seconds, is_stuck):
    told = []

    def hangs():
        house.now += 100
        house.job.show_progress()
        house.now += seconds
        told.append(house.job.is_stuck())

    house.work = hangs
    house.scheduler.run()
    assert told == [is_stuck]
    # It runs: nobody has it run once more.
    assert house.scheduler.asked == []


@pytest.mark.parametrize(("late", "asked"), [(OVERDUE_SECONDS, []), (OVERDUE_SECONDS + 0.1, [0])])
def test_one_that_the_scheduler_missed_is_had_run(house, late, asked):
    house.scheduler.run()
    # Its interval, and the twentieth by which the scheduler may put it off.
    house.now += 63 + late
    assert not house.job.is_stuck()
    assert house.scheduler.asked == asked


def test_one_that_rests_is_expected_at_the_end_of_its_rest(house):
    house.fail(ConnectionError("away"))
    for _ in range(10):
        house.scheduler.run()
        house.now += 300
    house.scheduler.asked.clear()
    assert not house.job.is_stuck()
    house.now += OVERDUE_SECONDS + 0.1
    assert not house.job.is_stuck()
    assert house.scheduler.asked == [0]
    house.now += STUCK_SECONDS
    assert house.job.is_stuck()


@pytest.mark.parametrize(
    ("failures", "most"), [(1, 1), (2, 2), (8, 128), (9, 256), (10, 300), (10_000, 300)]
)
def test_a_rest_is_between_a_half_and_the_whole_of_what_doubles(monkeypatch, failures, most):
    for chance, seconds in ((0.0, most / 2), (1.0, most)):
        monkeypatch.setattr(jobs.random, "random", lambda chance=chance: chance)
        assert rest_seconds(failures) == seconds
