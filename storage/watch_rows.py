"""What keeps the service in order: passes, leases, locks, months, its status."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import bindparam, func, or_, select, tuple_

from storage.audit_rows import AuditRows
from storage.prepared import Insert, Prepared, Statement, among
from storage.records import LetterState, ReplyState, StoreStatus
from storage.tables import ENTITY, FAILURE, INSTANCE, LEASE, LETTER, PASS, PERIOD, REPLY

_LEASE = timedelta(seconds=15)
_LONGEST_LOCKOUT = timedelta(days=1)
_REMEMBERED = timedelta(days=30)
_FORGOTTEN_AT_ONCE = 100

_LOCKS = Prepared(
    select(FAILURE.c.locked_until, FAILURE.c.succeeded_at).where(
        FAILURE.c.user_code == bindparam("user_code"), among(FAILURE.c.address)
    )
)
_CLOSED = Prepared(select(PERIOD.c.month).where(PERIOD.c.closed))
# The same lock that a document takes on its entity, in an order of its own.
_HOLD_BACK_ALL = select(ENTITY.c.id).order_by(ENTITY.c.id).with_for_update(key_share=True)


def _succeeded(insert: Insert) -> Statement:
    new = insert(FAILURE)
    names = ("failures", "locked_until", "succeeded_at")
    statement: Statement = new.on_conflict_do_update(
        index_elements=["user_code", "address"],
        set_={name: new.excluded[name] for name in names},
    )
    return statement


_SUCCEED = Prepared(_succeeded)


def _nobody_is_gone(_holder: str) -> bool:
    return False


class WatchRows(AuditRows):
    """State of the service itself, beside letters and readings."""

    def instance_key(self) -> bytes:
        """The secret behind our Message-IDs; made by the first who asks."""
        self._connection.execute(
            self._insert(INSTANCE)
            .values(id=1, message_id_key=secrets.token_bytes(32))
            .on_conflict_do_nothing()
        )
        return bytes(self._connection.scalars(select(INSTANCE.c.message_id_key)).one())

    def passed(self, mailbox: str, now: datetime) -> None:
        """A mailbox was read through to its end."""
        statement = self._insert(PASS).values(mailbox=mailbox, passed_at=now)
        self._connection.execute(
            statement.on_conflict_do_update(index_elements=["mailbox"], set_={"passed_at": now})
        )

    def take_mailbox(
        self,
        mailbox: str,
        holder: str,
        now: datetime,
        *,
        lease: timedelta = _LEASE,
        is_gone: Callable[[str], bool] = _nobody_is_gone,
    ) -> str:
        """Who reads a mailbox now: `holder`, when it was free or its own, or another.

        Args:
            mailbox: Its name.
            holder: Names the process, such as `host:pid:start`; taking what one
                holds already renews it.
            now: When.
            lease: For how long without being renewed.
            is_gone: Whether a holder is known to have ended; then its lease is free.
        """
        statement = self._insert(LEASE).values(mailbox=mailbox, holder=holder, until=now + lease)
        taken = statement.on_conflict_do_update(
            index_elements=["mailbox"],
            set_={"holder": holder, "until": now + lease},
            where=or_(LEASE.c.holder == holder, LEASE.c.until <= now),
        )
        self._connection.execute(taken)
        held = select(LEASE.c.holder).where(LEASE.c.mailbox == mailbox).with_for_update()
        present = str(self._connection.scalars(held).one())
        if present == holder or not is_gone(present):
            return present
        self.release_mailbox(mailbox, present)
        self._connection.execute(taken)
        return holder

    def release_mailbox(self, mailbox: str, holder: str) -> None:
        """Let a mailbox go; nothing happens when another holds it by now."""
        self._connection.execute(
            LEASE.delete().where(LEASE.c.mailbox == mailbox, LEASE.c.holder == holder)
        )

    def locked_until(self, user_code: str, address: str, now: datetime) -> datetime | None:
        """Until when an address may not try a user code; None when it may.

        One that has authenticated with the code has a lock of its own only, any
        other its domain's too.
        """
        counted = (_key(user_code, address), _key(user_code, _domain(address)))
        asked = {
            "user_code": counted[0]["user_code"],
            "keys": [key["address"] for key in counted],
        }
        found = _LOCKS.rows(self._driver, asked)
        # A domain never authenticates.
        own = [row for row in found if row.succeeded_at is not None]
        locks: list[datetime] = [row.locked_until for row in own or found if row.locked_until]
        return max((until for until in locks if until > now), default=None)

    def authentication_failed(
        self,
        user_code: str,
        address: str,
        now: datetime,
        max_failures: int,
        lockout: timedelta,
    ) -> None:
        """Count a wrong password; from `max_failures` on each one locks for twice as long.

        It counts for the address, and for its domain unless the address has
        authenticated with the code. Unknown codes are counted like known ones. What
        was counted 30 days ago and never succeeded is forgotten.
        """
        lock = _Lock(now, max_failures, lockout)
        is_known = self._count_failure(_key(user_code, address), lock)
        if not is_known:
            self._count_failure(_key(user_code, _domain(address)), lock)
        self._forget_failures(now - _REMEMBERED)

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
        # What another transaction has in hand is counted just now, and stays.
        old = (
            select(*names)
            .where(FAILURE.c.failed_at < before, FAILURE.c.succeeded_at.is_(None))
            .limit(_FORGOTTEN_AT_ONCE)
            .with_for_update(skip_locked=True)
        )
        self._connection.execute(FAILURE.delete().where(tuple_(*names).in_(old)))

    def authentication_succeeded(self, user_code: str, address: str, now: datetime) -> None:
        """Forget the failures of an address; it is known with this user code from now on."""
        known = {"failures": 0, "locked_until": None, "succeeded_at": now}
        _SUCCEED.change(self._driver, _key(user_code, address) | known)

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

    def close_period(self, month: date, who: str, now: datetime) -> bool:
        """Freeze a month, named by its first day; False when it is closed already.

        Documents that were told that it is open are recorded first: afterwards nothing
        comes into the month any more.
        """
        # SQLite has one writer at a time.
        if self._on_postgresql:
            self._connection.execute(_HOLD_BACK_ALL)
        return self._turn_period(month, who, now, closed=True)

    def reopen_period(self, month: date, who: str, now: datetime) -> bool:
        """Let documents into a closed month again; False when it is open."""
        return self._turn_period(month, who, now, closed=False)

    def closed_periods(self) -> frozenset[date]:
        """First days of the months that are closed."""
        months = _CLOSED.rows(self._driver, {})
        return frozenset(date.fromisoformat(f"{row.month}-01") for row in months)

    def _turn_period(self, month: date, who: str, now: datetime, *, closed: bool) -> bool:
        was = month.replace(day=1) in self.closed_periods()
        if was == closed:
            return False
        values = {"closed": closed, "by": who, "at": now}
        self._connection.execute(
            self._insert(PERIOD)
            .values(month=f"{month:%Y-%m}", **values)
            .on_conflict_do_update(index_elements=["month"], set_=values)
        )
        self._audit(
            now, who, "period", f"{month:%Y-%m}", before={"closed": was}, after={"closed": closed}
        )
        return True

    def status(self, now: datetime) -> StoreStatus:
        """What `status` tells; "today" is the day of `now` in its own time zone."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        verdicts = (
            select(LETTER.c.outcome, func.count())
            .where(LETTER.c.settled_at >= midnight, LETTER.c.outcome.is_not(None))
            .group_by(LETTER.c.outcome)
        )
        states = self._counts(select(LETTER.c.state, func.count()).group_by(LETTER.c.state))
        replies = self._counts(select(REPLY.c.state, func.count()).group_by(REPLY.c.state))
        return StoreStatus(
            verdicts_today=self._counts(verdicts),
            queue=states.get(LetterState.CLAIMED, 0),
            quarantined=states.get(LetterState.QUARANTINED, 0),
            owed=replies.get(ReplyState.OWED, 0),
            undeliverable=replies.get(ReplyState.UNDELIVERABLE, 0),
            oldest_unanswered=self._oldest_unanswered(),
            passes={row.mailbox: row.passed_at for row in self._connection.execute(select(PASS))},
        )

    def _oldest_unanswered(self) -> datetime | None:
        """Receipt of the oldest letter without a verdict, or whose reply has not left."""
        owed = select(REPLY.c.letter_id).where(REPLY.c.state == ReplyState.OWED)
        oldest: datetime | None = self._connection.scalar(
            select(func.min(LETTER.c.received_at)).where(
                or_(LETTER.c.state == LetterState.CLAIMED, LETTER.c.id.in_(owed))
            )
        )
        return oldest


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


def _domain(address: str) -> str:
    """The row in which the strangers of a domain are counted; no address is like it."""
    return "@" + address.rpartition("@")[2]
