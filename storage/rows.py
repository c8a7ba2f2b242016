"""What the store's parts share: one connection, and lists in bounded pieces.

Statements are made once, when their module is loaded: making one anew costs more
than SQLite takes to run it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import BindParameter, Connection, Executable, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")

KEYS: BindParameter[Any] = bindparam("keys", expanding=True)
"""Stands in a statement for the list that `Rows._each` is given."""

Insert = Callable[[Table], Any]
"""Makes an INSERT that knows ON CONFLICT; both databases write it alike."""

_AT_ONCE = 5000
"""SQLite takes 32766 parameters in one statement."""


class Rows:
    """A part of the store; all parts of one store share a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def _on_postgresql(self) -> bool:
        return self._connection.dialect.name == "postgresql"

    @property
    def _insert(self) -> Insert:
        return postgresql.insert if self._on_postgresql else sqlite.insert

    def _each(
        self,
        keys: Sequence[T],
        statement: Executable | Callable[[list[T]], Executable],
        **more: object,
    ) -> list[Any]:
        """Rows (`sqlalchemy.Row`) of a statement about a list, however long that is.

        Args:
            keys: The list.
            statement: About `KEYS`; or what makes one for a piece of the list, where
                it is seldom needed.
            more: Its other parameters.
        """
        rows: list[Any] = []
        for piece in pieces(keys, _AT_ONCE):
            # All at once: asking the driver for one row after the other costs twice as much.
            if isinstance(statement, Executable):
                rows += self._connection.execute(statement, {"keys": piece, **more}).all()
            else:
                rows += self._connection.execute(statement(piece)).all()
        return rows


def pieces(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items in lists of at most `size`."""
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece
