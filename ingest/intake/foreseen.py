"""What a letter leads to, worked out over a snapshot before SQLite's one writer is taken."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ingest.intake.ports import Store
from storage.records.replies import OwedReply

_T = TypeVar("_T")


class Foreseen:
    """A cache of results of work that only reads, each with its queries and their answers.

    In the transaction that records, the queries are asked again: a result is taken while
    the answers are the same, else the work is done anew.

    Attributes:
        is_whole: Whether results are recalled; False: they are being noted.
        cpu_seconds: What working them out has cost.
    """

    def __init__(self, *, is_whole: bool = True) -> None:
        self.is_whole = is_whole
        self.cpu_seconds = 0.0
        self._noted: dict[Hashable, tuple[Any, Any]] = {}
        self._reply: tuple[object, OwedReply] | None = None

    def result(self, what: Hashable, store: Store, work: Callable[[], _T]) -> _T:
        """The result of work that only reads: noted, recalled, or of work done now."""
        if not self.is_whole:
            with store.noting() as asked:
                made = work()
            self._noted[what] = made, asked
            return made
        if what in self._noted:
            result, asked = self._noted[what]
            if store.still_so(asked):
                kept: _T = result
                return kept
        return work()

    def reply(self, about: object, compose: Callable[[], OwedReply]) -> OwedReply:
        """The mail about entity, receipts and whatever else decides it; cached for these."""
        if self._reply is not None and self._reply[0] == about:
            return self._reply[1]
        made = compose()
        if not self.is_whole:
            self._reply = about, made
        return made


NOTHING = Foreseen()
