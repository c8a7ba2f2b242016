"""Senders: failures and locks of addresses by user code, and the CPU time they cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, tuple_

from storage.columns import instant
from storage.records.access import Lock
from storage.session import Part
from storage.tables.access import FAILURE, GUESS

_LONGEST_LOCKOUT = timedelta(days=1)
_REMEMBERED = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 100
_GUESSED_WITHIN = timedelta(hours=1)


class Costs(Part):
    """What letters have cost, by the database's clock, for all processes together."""

    matter = "costs"

    def charge(self, seconds: Mapping[str, float]) -> None:
        """Add CPU seconds by payer; what is older than an hour is forgotten."""
        # In one order, so that two processes that charge the same payers do not deadlock.
        for payer in sorted(seconds):
            self._sql.change("charge", payer=payer, cpu_ms=round(seconds[payer] * 1000))
        self._sql.change("forget")

    def heavy(self, least: float) -> dict[str, float]:
        """CPU seconds of those who have caused at least so many within the hour."""
        rows = self._sql.rows("heavy", least=round(least * 1000))
        return {row.payer: int(row.cpu_ms) / 1000 for row in rows}


class Senders(Part):
    """Failures and successes of addresses, and of domains for strangers."""

    matter = "senders"

    def locked_until(
        self, user_code: str, address: str, now: datetime, *, is_listed: bool = False
    ) -> datetime | None:
        """Until when an address may not try a user code; None when it may.

        One that has authenticated with the code, or that the register lists for it, has a
        lock of its own only, any other its domain's too.

        Args:
            user_code: As it was claimed.
            address: The letter's sender.
            now: The moment of it, aware.
            is_listed: Whether the register lists the address for the code.
        """
        counted = (_key(user_code, address), _key(user_code, _domain(address)))
        addresses = [key["address"] for key in counted]
        found = self._sql.rows("locks", user_code=counted[0]["user_code"], keys=addresses)
        own = [row for row in found if row.address == addresses[0]]
        is_known = is_listed or any(row.succeeded_at is not None for row in own)
        locks = [
            instant(row.locked_until) for row in (own if is_known else found) if row.locked_until
        ]
        return max((until for until in locks if until > now), default=None)

    def failed(
        self,
        user_code: str,
        address: str,
        now: datetime,
        max_failures: int,
        lockout: timedelta,
        *,
        is_listed: bool = False,
    ) -> None:
        """Count a wrong password; from `max_failures` on each one locks for twice as long.

        It counts for the address, and for its domain unless the address is known: it has
        authenticated with the code, or the register lists it. Unknown codes are counted like
        known ones. What was counted 30 days ago and never succeeded is forgotten.

        Args:
            user_code: As it was claimed.
            address: The letter's sender.
            now: The moment of it, aware.
            max_failures: Wrong passwords that are free.
            lockout: How long the first lock lasts.
            is_listed: Whether the register lists the address for the code.
        """
        lock = _Lock(now, max_failures, lockout)
        is_known = self._count_failure(_key(user_code, address), lock) or is_listed
        if not is_known:
            self._count_failure(_key(user_code, _domain(address)), lock)
        self._forget_failures(now - _REMEMBERED)
        self._sql.change("forget_guesses", before=now - _GUESSED_WITHIN)
        self._sql.change("guess", **_bucket(user_code, address, is_known), now=now)

    def waits_until(
        self,
        user_code: str,
        address: str,
        now: datetime,
        guesses_per_hour: int,
        *,
        is_listed: bool = False,
    ) -> datetime | None:
        """Until when a user code must not be tried at all; None when it may be tried.

        Strangers share one bucket of guesses for each code, whatever their addresses;
        an address that authenticated with the code, or that the register lists for it, has
        one of its own. So strangers can neither guess more often by inventing addresses, nor
        keep a known address waiting.

        Args:
            user_code: As it was claimed.
            address: The letter's sender.
            now: The moment of it, aware.
            guesses_per_hour: How many may be tried in an hour.
            is_listed: Whether the register lists the address for the code.
        """
        bucket = _bucket(user_code, address, is_listed or self.knows(user_code, address))
        found = self._sql.tuples(
            "guesses", **bucket, since=now - _GUESSED_WITHIN, most=guesses_per_hour
        )
        if len(found) < guesses_per_hour:
            return None
        oldest: int = found[-1][0]
        return instant(oldest) + _GUESSED_WITHIN

    def locks(self, now: datetime, guesses_per_hour: int) -> list[Lock]:
        """Who cannot authenticate now, and until when; by user code."""
        locked = self._connection.execute(select(FAILURE).where(FAILURE.c.locked_until > now))
        found = [
            Lock(row.user_code, row.address, row.failures, row.failed_at, row.locked_until,
                 "wrong passwords")
            for row in locked
        ]  # fmt: skip
        guesses = self._connection.execute(
            select(GUESS.c.user_code, GUESS.c.bucket, func.count().label("guesses"),
                   func.min(GUESS.c.at).label("first"), func.max(GUESS.c.at).label("last"))
            .where(GUESS.c.at > now - _GUESSED_WITHIN)
            .group_by(GUESS.c.user_code, GUESS.c.bucket)
            .having(func.count() >= guesses_per_hour)
        )  # fmt: skip
        found += [
            Lock(row.user_code, row.bucket, row.guesses, row.last, row.first + _GUESSED_WITHIN,
                 "too many guesses this hour")
            for row in guesses
        ]  # fmt: skip
        return sorted(found, key=lambda lock: (lock.user_code, lock.address, lock.why))

    def unlock(
        self, user_code: str, address: str | None, now: datetime, guesses_per_hour: int
    ) -> int:
        """Forget the wrong passwords for a code, if it is locked: how many locks that opens.

        A stranger's lock is its domain's, too; that is only opened with all of them.

        Args:
            user_code: The code.
            address: Only from there; None: from everywhere.
            now: The moment of it, aware.
            guesses_per_hour: How many may be tried in an hour.
        """
        locked = [lock for lock in self.locks(now, guesses_per_hour) if lock.user_code == user_code]
        failed = [FAILURE.c.user_code == user_code, FAILURE.c.failures > 0]
        guessed = [GUESS.c.user_code == user_code]
        if address is not None:
            key = _key(user_code, address)["address"]
            locked = [lock for lock in locked if lock.address == key]
            failed.append(FAILURE.c.address == key)
            guessed.append(GUESS.c.bucket == key)
        if locked:
            cleared = FAILURE.update().where(*failed).values(failures=0, locked_until=None)
            self._connection.execute(cleared)
            self._connection.execute(GUESS.delete().where(*guessed))
        return len(locked)

    def _count_failure(self, key: dict[str, str], lock: _Lock) -> bool:
        """Count one more; whether the address has authenticated with the code."""
        counted = self._connection.execute(
            self._insert(FAILURE)
            .values(**key, failures=1, failed_at=lock.now)
            .on_conflict_do_update(
                index_elements=list(key),
                set_={"failures": FAILURE.c.failures + 1, "failed_at": lock.now},
            )
            .returning(FAILURE.c.failures, FAILURE.c.succeeded_at)
        ).one()
        until = lock.until(counted.failures)
        if until is not None:
            self._connection.execute(
                FAILURE.update()
                .where(*(FAILURE.c[name] == value for name, value in key.items()))
                .values(locked_until=until)
            )
        return counted.succeeded_at is not None

    def _forget_failures(self, before: datetime) -> None:
        names = FAILURE.c.user_code, FAILURE.c.address
        # Rows locked by another transaction were counted just now, and stay.
        old = (
            select(*names)
            .where(FAILURE.c.failed_at < before, FAILURE.c.succeeded_at.is_(None))
            .limit(_FORGOTTEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        self._connection.execute(FAILURE.delete().where(tuple_(*names).in_(old)))

    def succeeded(self, user_code: str, address: str, now: datetime) -> None:
        """Forget the failures of an address; it is known with this user code from now on."""
        self._sql.change("succeed", **_key(user_code, address), now=now)

    def knows(self, user_code: str, address: str) -> bool:
        """Whether an address has proven itself with this user code."""
        return self._sql.value("knows", **_key(user_code, address)) is not None

    def forgive(self, user_code: str, address: str) -> None:
        """Forget the failures of an address and of its domain; neither becomes known by it."""
        for key in (_key(user_code, address), _key(user_code, _domain(address))):
            self._sql.change("forgive", **key)

    def known_with(self, user_code: str) -> list[str]:
        """The addresses that ever authenticated with a user code, in lower case."""
        key = _key(user_code, "")["user_code"]
        return [address for (address,) in self._sql.tuples("known_with", user_code=key)]

    def proven(self, addresses: Collection[str]) -> set[str]:
        """Those of the addresses that ever proved themselves, with whatever user code."""
        by_key = {_key("", address)["address"]: address for address in addresses}
        return {by_key[row.address] for row in self._listed("proven", list(by_key))}

    def has_authenticated(self, address: str) -> bool:
        """Whether an address ever proved itself, with whatever user code."""
        known = (
            select(FAILURE.c.address)
            .where(
                FAILURE.c.address == _key("", address)["address"],
                FAILURE.c.succeeded_at.is_not(None),
            )
            .limit(1)
        )
        return self._connection.scalar(known) is not None


@dataclass(frozen=True, slots=True)
class _Lock:
    """How failures lock."""

    now: datetime
    max_failures: int
    lockout: timedelta

    def until(self, failures: int) -> datetime | None:
        """Until when so many of them lock; None when they are too few."""
        if failures < self.max_failures:
            return None
        doubled: timedelta = self.lockout * 2 ** min(failures - self.max_failures, 16)
        return self.now + min(doubled, _LONGEST_LOCKOUT)


def _key(user_code: str, address: str) -> dict[str, str]:
    # A sender may claim a code of any length; an index takes no more than 2700 bytes.
    return {"user_code": user_code[:100], "address": address.lower()[:320]}


def _bucket(user_code: str, address: str, is_known: bool) -> dict[str, str]:
    """Where a guess is counted: all strangers of a code are one."""
    key = _key(user_code, address)
    return {"user_code": key["user_code"], "bucket": key["address"] if is_known else ""}


def _domain(address: str) -> str:
    """The row in which the strangers of a domain are counted; no address is like it."""
    return "@" + address.rpartition("@")[2]
