"""Marked workbooks added to replies that are owed, after the commit that owes them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime

import structlog

from ingest.engine.ports import Ledger
from ingest.intake.attempt import complete, release
from ingest.intake.outcome import Handled
from ingest.intake.receive import MARKED_WITHIN
from ingest.letters.terms import RawLetter
from ingest.reading import Reader

log = structlog.get_logger()

WAITING_BYTES = 32 * 1024 * 1024
"""Letters that wait for their marks; beyond it replies leave without."""


class Marker:
    """Completes replies one after the other, in a thread of its own.

    A reply that waits too long, or for which there is no room, leaves without its
    marked workbook: its findings stand in its text as well.

    Args:
        done: Called when a reply may leave.
    """

    def __init__(
        self,
        reader: Reader,
        ledger: Ledger,
        clock: Callable[[], datetime],
        done: Callable[[], None] = lambda: None,
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._clock = clock
        self._done = done
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mark")
        self._lock = threading.Lock()
        self._waiting = 0
        self._closed = False

    def add(self, raw: RawLetter, handled: Handled) -> None:
        """Queue the reply of a letter to be completed; returns at once."""
        with self._lock:
            has_room = self._waiting + len(raw.content) <= WAITING_BYTES
            size = len(raw.content) if has_room else 0
            self._waiting += size
        if not has_room:
            raw = replace(raw, content=b"")
        due = self._clock() + MARKED_WITHIN
        work = self._thread.submit(self._complete, raw, handled, due, is_marked=has_room)
        work.add_done_callback(lambda work: self._ended(work, size))

    def close(self, *, finish: bool = False) -> None:
        """Release every reply that waits; with `finish`, once its workbooks are marked."""
        self._closed = not finish
        self._thread.shutdown()

    def _complete(
        self, raw: RawLetter, handled: Handled, due: datetime, *, is_marked: bool
    ) -> None:
        if self._clock() >= due:
            # Released already.
            return
        if self._closed or not is_marked:
            release(handled, handled.reply, self._ledger)
        else:
            complete(raw, handled, self._reader, self._ledger)
        self._done()

    def _ended(self, work: Future[None], size: int) -> None:
        with self._lock:
            self._waiting -= size
        fault = work.exception()
        if fault is not None:
            log.warning("workbook.not_marked", error=type(fault).__name__)
