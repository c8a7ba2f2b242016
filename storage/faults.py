"""Database errors as `StoreUnavailable`: what only time can mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.engine import Engine, ExceptionContext
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout


class StoreUnavailable(ConnectionError):  # noqa: N818 - it names a state, as its builtin kin do
    """The database cannot be used now: away, locked, or out of room."""


class SettledElsewhere(StoreUnavailable):
    """A conflict with another process; this transaction is rolled back."""


_FORBIDDEN = "InsufficientPrivilege"
"""Of PostgreSQL: `postgresql-grants.sql` was not run after `migrate`; no letter's fault."""


def translate(engine: Engine) -> None:
    """Have every such fault of the driver leave the engine as `StoreUnavailable`."""

    @event.listens_for(engine, "handle_error")
    def _as_ours(context: ExceptionContext) -> None:
        if context.is_pre_ping:
            # The pool is only asking whether a connection is still good.
            return
        fault = context.sqlalchemy_exception
        # Of SQLite's, the plain kind says that the file is damaged or no database.
        is_damaged = type(fault) is DatabaseError
        is_of_time = is_damaged or isinstance(fault, OperationalError | InterfaceError)
        is_forbidden = type(context.original_exception).__name__ == _FORBIDDEN
        if context.is_disconnect or is_of_time or is_forbidden:
            raise _unavailable(context.original_exception) from context.original_exception


@contextmanager
def waiting_for_a_connection() -> Iterator[None]:
    """A pool that stays empty is a fault of time, too."""
    try:
        yield
    except PoolTimeout as fault:
        raise _unavailable(fault) from fault


class StatementFailed(RuntimeError):  # noqa: N818 - what happened to a statement
    """The database refused what we asked of it: our own mistake.

    The driver's own text may quote what the statement was given; this one does not.
    """


def of_driver(fault: Exception) -> Exception:
    """The same for a fault of a driver that was asked directly, past the engine."""
    kinds = [kind.__name__ for kind in type(fault).__mro__]
    # psycopg and sqlite3 have the kinds of PEP 249, and psycopg finer ones below them.
    if kinds[0] in {"DatabaseError", _FORBIDDEN} or {"OperationalError", "InterfaceError"} & set(
        kinds
    ):
        return _unavailable(fault)
    return StatementFailed(kinds[0])


def _unavailable(fault: BaseException) -> StoreUnavailable:
    lines = str(fault).strip().splitlines()
    reason = lines[0] if lines else type(fault).__name__
    return StoreUnavailable(f"the database cannot be used: {reason}")
