"""What the store's parts share: one connection, and lists in bounded pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Executable, Table, select

from layouts.sequences import pieces
from storage.driver import Driver
from storage.statements import Statements

T = TypeVar("T")

Insert = Callable[[Table], Any]
"""Makes an INSERT that knows ON CONFLICT; both databases write it alike."""

_AT_ONCE = 5000
"""SQLite takes 32766 parameters in one statement."""


class Session:
    """One transaction: its connection, and the driver's own below it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.driver = Driver(connection)


class Part:
    """One matter of the store; all parts of one store share a session.

    What every letter needs stands in `storage/sql` and goes to the driver; what people
    ask for now and then goes through SQLAlchemy, in the same transaction.

    Attributes:
        matter: The file in `storage/sql` with its statements; '' for none.
    """

    matter = ""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._connection = session.connection
        self._driver = session.driver
        if self.matter:
            self._sql = Statements(session.driver, self.matter)

    @property
    def _on_postgresql(self) -> bool:
        return self._driver.is_postgresql

    @property
    def _insert(self) -> Insert:
        # One of the two: the other's dialect is a fifth of what SQLAlchemy costs to import.
        if self._on_postgresql:
            from sqlalchemy.dialects.postgresql import insert

            return insert
        from sqlalchemy.dialects.sqlite import insert as insert_on_sqlite

        return insert_on_sqlite

    @staticmethod
    def _pieces(keys: Sequence[T]) -> Iterator[list[T]]:
        """A list in lists that one statement takes."""
        return pieces(keys, _AT_ONCE)

    def _listed(self, name: str, keys: Sequence[T], /, **more: object) -> list[Any]:
        """Rows of a named statement about its `keys`, however many there are."""
        found = (self._sql.rows(name, keys=piece, **more) for piece in self._pieces(keys))
        return [row for rows in found for row in rows]

    def _each(self, keys: Sequence[T], statement: Callable[[list[T]], Executable]) -> list[Any]:
        """Rows of what `statement` makes of each piece of a list: for what is seldom asked."""
        rows: list[Any] = []
        for piece in self._pieces(keys):
            rows += self._connection.execute(statement(piece)).all()
        return rows

    def _emptied(
        self,
        table: Table,
        wanted: Sequence[ColumnElement[bool]],
        most: int,
        values: Mapping[str, Any],
    ) -> list[int]:
        """The numbers of rows, the lowest first and `most` of them, that got these values.

        Args:
            table: Theirs; it has an `id`.
            wanted: What holds of them.
            most: Rows at once.
            values: By column.
        """
        ids = select(table.c.id).where(*wanted).order_by(table.c.id).limit(most)
        found = list(self._connection.scalars(ids))
        self._connection.execute(table.update().where(table.c.id.in_(found)).values(**values))
        return found
