"""Passwords are verified where letters are read, so that recording waits for none."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Protocol

from ingest.intake.authenticate import Guard, candidates_of, claimed_entity
from ingest.intake.ports import Store
from ingest.letters.terms import Read

_TRUSTED_FOR = timedelta(minutes=5)
"""Shorter than `Passwords` remembers: until then there is nothing to verify ahead."""

_SENDERS_MOST = 10_000


class Looking(Protocol):
    """The database, for looking only."""

    def reading(self) -> AbstractContextManager[Store]:
        """Changes are dropped."""


class Prover:
    """Does the slow part of `authenticate` for a letter before its turn comes.

    It decides nothing: `authenticate` asks the same again, and is answered at once.
    Called in the threads that wait for readers, one letter in each.
    """

    def __init__(self, ledger: Looking, guard: Guard, clock: Callable[[], datetime]) -> None:
        self._ledger = ledger
        self._guard = guard
        self._clock = clock
        self._proven: dict[str, datetime] = {}

    def __call__(self, read: Read) -> None:
        """Verify the passwords of a letter, unless its sender was proven just now.

        Raises:
            StoreUnavailable: the database is away.
        """
        now = self._clock()
        name, passwords = candidates_of(read.letter, read.parsed)
        if not name or not passwords or self._is_known(name, now):
            return
        with self._ledger.reading() as store:
            entity = claimed_entity(read.letter, read.parsed, store, now, self._guard)
        known = entity.password_hash if entity else None
        verify = self._guard.passwords.verify_ahead
        if any(verify(known, password, now) for password in passwords):
            self._remember(name, now)

    def _is_known(self, name: str, now: datetime) -> bool:
        until = self._proven.get(name)
        return until is not None and until > now

    def _remember(self, name: str, now: datetime) -> None:
        if len(self._proven) >= _SENDERS_MOST:
            self._proven.clear()
        self._proven[name] = now + _TRUSTED_FOR
