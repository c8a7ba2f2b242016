"""Jobs that run at an interval and when wanted, and back off after faults."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler

FIRST_REST_SECONDS = 1.0
LONGEST_REST_SECONDS = 300.0

STUCK_SECONDS = 900.0
"""A job without progress for so long counts as stuck: a mail server may be silent for the ten
minutes that RFC 5321 grants it."""

OVERDUE_SECONDS = 5.0
"""A job that is late by more was missed by the scheduler: the clock was set back."""


class Job:
    """Work that runs at an interval and when wanted, never twice at once.

    Wanted while it runs, it runs once more. After a fault it backs off, also when wanted.

    Args:
        name: Of the job, unique in the scheduler.
        work: Raises `ConnectionError` for a fault of time; its result is ignored.
        scheduler: Runs it.
        stopping: Once it is set nothing runs any more.
        told: Called with a fault and the back-off in seconds.
        went_well: Called after work without a fault.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], object],
        scheduler: BackgroundScheduler,
        stopping: threading.Event,
        told: Callable[[BaseException, float], None],
        went_well: Callable[[], None],
    ) -> None:
        self.name = name
        self._stopping = stopping
        self._told = told
        self._went_well = went_well
        self._work = work
        self._scheduler = scheduler
        self._job: Any = None
        self._lock = threading.Condition()
        self._running = False
        self._wanted = False
        self._failures = 0
        self._rests_until = 0.0
        self._every_seconds = 0.0
        # Of `time.monotonic`: the last sign of progress, and when it is to run next.
        self._alive_at = self._expected_at = time.monotonic()

    def start(self, every_seconds: float) -> None:
        """Have it run now and then every so many seconds."""
        self._every_seconds = every_seconds
        self._expected_at = time.monotonic()
        self._job = self._scheduler.add_job(
            self._run,
            "interval",
            seconds=every_seconds,
            jitter=every_seconds / 20,
            id=self.name,
            next_run_time=datetime.now(UTC),
        )

    def want(self) -> None:
        """Have it run as soon as it can."""
        with self._lock:
            self._wanted = True
            if self._running:
                return
        self._run_in(max(0.0, self._rests_until - time.monotonic()))

    def reset_back_off(self) -> None:
        """Begin the back-off anew: part of the work is done."""
        self._failures = 0
        self.show_progress()

    def show_progress(self) -> None:
        """Note a sign of progress, for `is_stuck`."""
        self._alive_at = time.monotonic()

    def is_stuck(self) -> bool:
        """Whether it hangs, or was not run for long; has it run when the scheduler missed it.

        The scheduler goes by the wall clock, which may be set back by a day.
        """
        now = time.monotonic()
        with self._lock:
            since = self._alive_at if self._running else self._expected_at
            is_overdue = not self._running and now - since > OVERDUE_SECONDS
        if is_overdue and not self._stopping.is_set():
            self._run_in(0)
        return now - since > STUCK_SECONDS

    def join(self) -> None:
        """Wait until it does not run."""
        with self._lock:
            self._lock.wait_for(lambda: not self._running)

    def _run(self) -> None:
        with self._lock:
            if self._running or time.monotonic() < self._rests_until:
                return
            self._running = self._wanted = True
            self._alive_at = time.monotonic()
        try:
            while self._next():
                self._work()
                self._failures = 0
                self._went_well()
        except ConnectionError as fault:
            self._rest(fault)
        except BaseException as fault:
            # Raised again, for the scheduler's log: an error of ours rests as long as any.
            self._rest(fault)
            raise
        finally:
            with self._lock:
                self._running = False
                rest = max(0.0, self._rests_until - time.monotonic())
                self._expected_at = time.monotonic() + (rest or self._every_seconds * 1.05)
                self._lock.notify_all()

    def _next(self) -> bool:
        with self._lock:
            wanted, self._wanted = self._wanted, False
            self._running = wanted and not self._stopping.is_set()
            return self._running

    def _rest(self, fault: BaseException) -> None:
        self._failures += 1
        seconds = rest_seconds(self._failures)
        self._rests_until = time.monotonic() + seconds
        self._told(fault, round(seconds, 1))
        self._run_in(seconds)

    def _run_in(self, seconds: float) -> None:
        # The scheduler may have been shut down in the meantime.
        with suppress(LookupError, RuntimeError):
            self._job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=seconds))


def rest_seconds(failures: int) -> float:
    """The back-off after the n-th fault in a row: doubling from 1 s to 5 minutes.

    Half of it is chance, so that services cut off together do not return together.
    """
    longest = min(FIRST_REST_SECONDS * (1 << min(failures - 1, 16)), LONGEST_REST_SECONDS)
    return longest * (0.5 + random.random() / 2)  # noqa: S311 - spreads load, guards nothing
