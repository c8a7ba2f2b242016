"""The database's driver, below SQLAlchemy: one connection in its transaction.

SQLAlchemy takes twenty times as long to execute a statement as SQLite takes to run it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

from storage.faults import StoreUnavailable, of_driver

Asked = list[tuple[str, Any, list[tuple[Any, ...]]]]
"""Statements that were asked, each with its parameters and all of its rows."""


class Driver:
    """One connection of the driver's, in its transaction."""

    def __init__(self, connection: Connection) -> None:
        self._asked: Asked | None = None
        self.dialect = connection.dialect
        self.is_postgresql = connection.dialect.name == "postgresql"
        self.raw: Any = connection.connection.driver_connection
        self._errors: type[Exception] = connection.dialect.loaded_dbapi.Error

    def check_open(self) -> None:
        """Make sure that there is still something to commit.

        Raises:
            StoreUnavailable: SQLite undid all of it by itself, being out of room.
        """
        if not self.is_postgresql and not self.raw.in_transaction:
            raise StoreUnavailable("the database undid what it was to keep")

    def now(self) -> int:
        """Seconds since 1970 by the database's clock, which is the same for every host."""
        text = "SELECT CAST(strftime('%s', 'now') AS INTEGER)"
        if self.is_postgresql:
            text = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint)"
        found = self.first_row(text)
        return int(found[0]) if found else 0

    def execute(self, text: str, values: Any = ()) -> Any:
        """The driver's cursor.

        Raises:
            StoreUnavailable: the database cannot be used now.
            StatementFailed: it refused what we asked; the text tells no values.
        """
        try:
            return self.raw.execute(text, values)
        except self._errors as fault:
            raise of_driver(fault) from fault

    def asked(self, text: str, values: Any = ()) -> tuple[Any, list[tuple[Any, ...]]]:
        """The driver's cursor, and every row of it. Raises as `execute`."""
        cursor = self.execute(text, values)
        try:
            # SQLite goes through most of the file only now.
            rows: list[tuple[Any, ...]] = cursor.fetchall()
        except self._errors as fault:
            raise of_driver(fault) from fault
        if self._asked is not None:
            self._asked.append((text, values, rows))
        return cursor, rows

    def all_rows(self, text: str, values: Any = ()) -> list[tuple[Any, ...]]:
        """Every row of a statement. Raises as `execute`."""
        return self.asked(text, values)[1]

    def first_row(self, text: str, values: Any = ()) -> tuple[Any, ...] | None:
        """The first row; None when there is none. Raises as `execute`."""
        return next(iter(self.all_rows(text, values)), None)

    @contextmanager
    def noting(self) -> Iterator[Asked]:
        """What is asked meanwhile, for `still_so`."""
        noted: Asked = []
        self._asked = noted
        try:
            yield noted
        finally:
            self._asked = None

    def still_so(self, asked: Asked) -> bool:
        """Whether every statement has the rows that it had. Raises as `execute`."""
        return all(self.all_rows(text, values) == rows for text, values, rows in asked)

    def copy_rows(self, text: str, rows: Iterable[Sequence[Any]]) -> None:
        """Rows through COPY, as Python has them; PostgreSQL only."""
        try:
            with self.raw.cursor() as cursor, cursor.copy(text) as copy:
                for row in rows:
                    copy.write_row(row)
        except self._errors as fault:
            raise of_driver(fault) from fault

    def execute_each(self, text: str, rows: Sequence[Any]) -> None:
        """The same statement for many rows; none, and nothing happens."""
        if not rows:
            return
        try:
            cursor = self.raw.cursor()
            cursor.executemany(text, rows)
            cursor.close()
        except self._errors as fault:
            raise of_driver(fault) from fault

    def copy(self, text: str, rows: str) -> None:
        """Rows through COPY, as its text format writes them; PostgreSQL only."""
        try:
            with self.raw.cursor() as cursor, cursor.copy(text) as copy:
                copy.write(rows)
        except self._errors as fault:
            raise of_driver(fault) from fault
