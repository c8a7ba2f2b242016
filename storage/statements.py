"""The statements of `storage/sql`, by name: what every letter needs, as text of its own.

A file holds one matter. A statement begins with `-- name: NAME`; parameters are `:name`.
A line that ends in `-- sqlite` or `-- postgresql` is for that database alone, and
`= ANY(:keys)`, which only PostgreSQL knows, asks SQLite for the members of a JSON array.
Apart from that the text is what `psql` and `sqlite3` take, `EXPLAIN` before it.
"""

from __future__ import annotations

import json
import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from storage.columns import clean, epoch, micro
from storage.driver import Driver

_FOLDER = Path(__file__).parent / "sql"
_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)
_ONLY = re.compile(r"--\s*(sqlite|postgresql)\s*$")
_PARAMETER = re.compile(r"(?<![:\w]):(\w+)")
_AMONG = re.compile(r"= ANY\((:\w+)\)")


@cache
def texts(matter: str, *, is_postgresql: bool) -> Mapping[str, str]:
    """The statements of one matter as the database's driver takes them, by name."""
    parts = _NAME.split((_FOLDER / f"{matter}.sql").read_text(encoding="utf-8"))
    kept = "postgresql" if is_postgresql else "sqlite"
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    # One that is of the other database alone is empty here.
    return {name: text for name, body in pairs if (text := _text(body, kept))}


def _text(body: str, kept: str) -> str:
    lines = []
    for line in body.strip().splitlines():
        only = _ONLY.search(line)
        if line.startswith("--") or (only and only[1] != kept):
            continue
        lines.append(line[: only.start()].rstrip() if only else line)
    text = "\n".join(lines).rstrip(";")
    if kept == "postgresql":
        return _PARAMETER.sub(r"%(\1)s", text)
    return _AMONG.sub(r"IN (SELECT value FROM json_each(\1))", text)


class Statements:
    """One matter's statements on one connection.

    Parameters are converted by their type: instants to epoch seconds, decimals to
    millionths, text to what every database takes; `keys` is a list. Rows come as the
    database has them.
    """

    def __init__(self, driver: Driver, matter: str) -> None:
        self._driver = driver
        self.is_postgresql = driver.is_postgresql
        self._texts = texts(matter, is_postgresql=driver.is_postgresql)

    def rows(self, name: str, /, **values: Any) -> list[Any]:
        """Every row, as a named tuple."""
        cursor, fetched = self._driver.asked(self._texts[name], self._given(values))
        return list(map(_row(_columns(cursor)), fetched))

    def tuples(self, name: str, /, **values: Any) -> list[tuple[Any, ...]]:
        """Every row as a plain tuple: for thousands of them."""
        return self._driver.all_rows(self._texts[name], self._given(values))

    def row(self, name: str, /, **values: Any) -> Any | None:
        """The first row; None when there is none."""
        rows = self.rows(name, **values)
        return rows[0] if rows else None

    def value(self, name: str, /, **values: Any) -> Any | None:
        """The first value of the first row; None when there is no row."""
        row = self._driver.first_row(self._texts[name], self._given(values))
        return None if row is None else row[0]

    def change(self, name: str, /, **values: Any) -> int:
        """How many rows were changed."""
        changed: int = self._driver.execute(self._texts[name], self._given(values)).rowcount
        return changed

    def each(self, name: str, rows: Sequence[Sequence[Any]]) -> None:
        """The same for many rows, whose values stand in the order of the columns."""
        if not rows:
            return
        text = self._texts[name]
        given = [tuple(map(_converted, row)) for row in rows]
        if text.startswith("COPY"):
            # One round trip, where the driver would make one for each row.
            self._driver.copy_rows(text, given)
        else:
            self._driver.execute_each(text, given)

    def copy(self, name: str, rows: str) -> None:
        """Rows through COPY, as its text format writes them; PostgreSQL only."""
        self._driver.copy(self._texts[name], rows)

    def each_named(self, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """The same for many rows, whose values have names."""
        self._driver.execute_each(self._texts[name], [self._given(row) for row in rows])

    def _given(self, values: Mapping[str, Any]) -> dict[str, Any]:
        given = {name: _converted(value) for name, value in values.items() if name != "keys"}
        if "keys" in values:
            keys = [_converted(key) for key in values["keys"]]
            given["keys"] = keys if self.is_postgresql else _json(keys)
        return given


def _converted(value: Any) -> Any:
    # Exact types first: most values are numbers and plain text.
    kind = type(value)
    if kind is int or value is None or kind is bytes:
        return value
    if isinstance(value, str):
        return clean(str(value))
    if isinstance(value, datetime):
        return epoch(value)
    return micro(value) if isinstance(value, Decimal) else value


def _json(keys: Sequence[Any]) -> str:
    # Numbers, which most lists are of, need no encoder.
    if all(type(key) is int for key in keys):
        return f"[{','.join(map(str, keys))}]"
    return json.dumps(keys)


def _columns(cursor: Any) -> tuple[str, ...]:
    return tuple(column[0] for column in cursor.description)


@cache
def _row(columns: tuple[str, ...]) -> Callable[[Sequence[Any]], Any]:
    made: Any = namedtuple("Row", columns)  # type: ignore[misc]
    return made._make
