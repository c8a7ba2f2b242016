"""What the store's parts share: one connection, and lists in bounded pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

_AT_ONCE = 5000
"""SQLite takes 32766 parameters in one statement."""


class Rows:
    """A part of the store; all parts of one store share a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _on_postgresql(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    def _insert(self, table: Table) -> Any:
        """An INSERT that knows ON CONFLICT; both databases write it alike."""
        return postgresql.insert(table) if self._on_postgresql else sqlite.insert(table)

    def _insert_one(self, table: Table, **values: object) -> int:
        """The new row's id."""
        made = table.insert().returning(table.c.id)
        return int(self._connection.scalars(made, [values]).one())

    def _each(
        self, keys: Sequence[T], statement: Callable[[Sequence[T]], Executable]
    ) -> Iterator[Any]:
        """Rows (`sqlalchemy.Row`) of a statement that takes a list of keys, however long."""
        for piece in pieces(keys, _AT_ONCE):
            yield from self._connection.execute(statement(piece))


def pieces(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
