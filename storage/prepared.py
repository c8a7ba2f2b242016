"""Statements that are compiled once and then go to the driver itself.

SQLAlchemy takes twenty times as long to execute a statement as SQLite takes to run
it. Here it only writes the text, once for each database, and says how each column's
values are converted; the same types of `tables` and `columns` hold as everywhere.
"""

from __future__ import annotations

import json
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Table, UpdateBase, bindparam
from sqlalchemy import Insert as SqlInsert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import SelectBase
from sqlalchemy.types import NullType, TypeDecorator

from storage.columns import clean
from storage.driver import Driver

Insert = Callable[[Table], Any]
"""Makes an INSERT that knows ON CONFLICT; both databases write it alike."""

Statement = SelectBase | UpdateBase

Values = Mapping[str, Any]
"""A statement's parameters by their names."""

_Convert = Callable[[Any], Any]


class Among(ColumnElement[bool]):
    """Whether a column's value is one of a list, which is a single parameter: `keys`."""

    inherit_cache = True
    type = NullType()  # type: ignore[assignment]

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.keys = bindparam("keys", type_=NullType())


def among(column: Any) -> Any:
    """A condition on the list that a statement is given as `keys`, however long it is."""
    return Among(column)


@compiles(Among, "sqlite")
def _in_json(element: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, keys = (compiler.process(part, **how) for part in (element.column, element.keys))
    return f"{column} IN (SELECT value FROM json_each({keys}))"  # noqa: S608 - names of ours


@compiles(Among, "postgresql")
def _in_array(element: Among, compiler: SQLCompiler, **how: Any) -> str:
    column, keys = (compiler.process(part, **how) for part in (element.column, element.keys))
    return f"{column} = ANY({keys})"


class Prepared:
    """One statement, made when its module is loaded and compiled when first used.

    Args:
        statement: Its parameters are `bindparam`s, or the columns of an INSERT or
            UPDATE that the values name.
    """

    def __init__(self, statement: Statement | Callable[[Insert], Statement]) -> None:
        self._statement = statement
        self._forms: dict[tuple[bool, tuple[str, ...]], _Form] = {}

    def rows(self, driver: Driver, values: Values) -> list[Any]:
        """Every row, as a named tuple."""
        form = self._form(driver, values)
        return form.converted(driver.all_rows(form.text, form.bound(values)))

    def tuples(self, driver: Driver, values: Values) -> list[tuple[Any, ...]]:
        """Every row as the driver gives it, nothing converted: for thousands of them."""
        form = self._form(driver, values)
        return driver.all_rows(form.text, form.bound(values))

    def row(self, driver: Driver, values: Values) -> Any | None:
        """The first row; None when there is none."""
        form = self._form(driver, values)
        found = driver.first_row(form.text, form.bound(values))
        return None if found is None else form.converted([found])[0]

    def scalar(self, driver: Driver, values: Values) -> Any | None:
        """The first value of the first row; None when there is no row."""
        row = self.row(driver, values)
        return None if row is None else row[0]

    def change(self, driver: Driver, values: Values) -> int:
        """How many rows were changed."""
        form = self._form(driver, values)
        changed: int = driver.execute(form.text, form.bound(values)).rowcount
        return changed

    def change_each(
        self, driver: Driver, names: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> None:
        """The same for many rows, each with the values of these names."""
        if not rows:
            return
        form = self._form(driver, names)
        if form.copies:
            # One round trip, where the driver would make one for each row.
            driver.copy_rows(form.copies, form.columns_of(names, rows))
        else:
            driver.execute_each(form.text, form.bound_each(names, rows))

    def _form(self, driver: Driver, names: Iterable[str]) -> _Form:
        key = (driver.is_postgresql, tuple(names))
        form = self._forms.get(key)
        if form is None:
            form = self._forms[key] = _form(self._made(driver), driver.dialect, list(names))
        return form

    def _made(self, driver: Driver) -> Statement:
        if isinstance(self._statement, SelectBase | UpdateBase):
            return self._statement
        return self._statement(postgresql.insert if driver.is_postgresql else sqlite.insert)


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement's text on one database.

    Attributes:
        names: Of its parameters, in their order.
        binds: How each of them is converted; None for as it is.
        fixed: Values of the ones that the statement brings itself, converted.
        by_name: Whether the driver wants a mapping.
        blank: What the driver is given, with these values only.
        given: Where each of the other ones belongs, its name and conversion.
        copies: COPY in its place, for a plain INSERT into PostgreSQL; '' for none.
        row: Makes a row of its values; None when it gives none.
        reads: The columns that are converted, by position.
    """

    text: str
    names: tuple[str, ...]
    binds: tuple[_Convert | None, ...]
    fixed: Values
    by_name: bool
    blank: Any
    given: tuple[tuple[Any, str, _Convert | None], ...]
    copies: str
    row: Any
    reads: tuple[tuple[int, _Convert], ...]

    def bound(self, values: Values) -> Any:
        """What the driver is given."""
        found = self.blank.copy()
        for key, name, bind in self.given:
            value = values[name]
            found[key] = value if bind is None else bind(value)
        return found

    def bound_each(self, names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> Sequence[Any]:
        """The same for many rows."""
        bound = self.columns_of(names, rows)
        if self.by_name:
            return [dict(zip(self.names, row, strict=True)) for row in bound]
        return bound

    def columns_of(
        self, names: tuple[str, ...], rows: Sequence[Sequence[Any]]
    ) -> Sequence[Sequence[Any]]:
        """Rows converted, in the order of `self.names`."""
        at = [names.index(name) if name in names else None for name in self.names]
        if not any(self.binds) and at == list(range(len(names))):
            return rows
        columns = [
            [self.fixed[name]] * len(rows)
            if index is None
            else [row[index] for row in rows]
            if bind is None
            else [bind(row[index]) for row in rows]
            for name, index, bind in zip(self.names, at, self.binds, strict=True)
        ]
        return list(zip(*columns, strict=True))

    def converted(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        """Rows as named tuples."""
        if not self.reads:
            return list(map(self.row, rows))
        made = []
        for row in rows:
            columns = list(row)
            for index, read in self.reads:
                columns[index] = read(columns[index])
            made.append(self.row(columns))
        return made


def _form(statement: Statement, dialect: Dialect, names: list[str]) -> _Form:
    compiled = statement.compile(dialect=dialect, column_keys=names)
    if not isinstance(compiled, SQLCompiler):
        raise TypeError("only statements about rows can be prepared")
    kinds = {name: parameter.type for parameter, name in compiled.bind_names.items()}
    order = tuple(compiled.positiontup or kinds)
    binds = tuple(_bind(kinds[name], name, dialect) for name in order)
    given = compiled.construct_params(dict.fromkeys(names))
    fixed = {
        name: given[name] if bind is None else bind(given[name])
        for name, bind in zip(order, binds, strict=True)
        if name not in names
    }
    by_name = not compiled.positional
    columns = list(statement.exported_columns) if _gives_rows(statement) else []
    reads = [_read(column.type, dialect) for column in columns]
    return _Form(
        text=str(compiled),
        names=order,
        binds=binds,
        fixed=fixed,
        by_name=by_name,
        blank=dict(fixed) if by_name else [fixed.get(name) for name in order],
        given=tuple(
            (name if by_name else at, name, bind)
            for at, (name, bind) in enumerate(zip(order, binds, strict=True))
            if name not in fixed
        ),
        copies=_copies(statement, dialect, order),
        row=_row_of([column.key or "" for column in columns]),
        reads=tuple((index, read) for index, read in enumerate(reads) if read is not None),
    )


def _copies(statement: Statement, dialect: Dialect, names: Sequence[str]) -> str:
    is_plain = type(statement) is SqlInsert and statement.select is None
    if dialect.name != "postgresql" or not is_plain or _gives_rows(statement):
        return ""
    quote = dialect.identifier_preparer.quote
    columns, table = ", ".join(map(quote, names)), getattr(statement, "table", None)
    return f"COPY {quote(str(table))} ({columns}) FROM STDIN"


def _gives_rows(statement: Statement) -> bool:
    return isinstance(statement, SelectBase) or bool(statement.returning_column_descriptions)


def _row_of(keys: Sequence[str]) -> Any:
    # Subqueries without a label have no key worth a name.
    made: Any = namedtuple("Row", keys, rename=True)  # type: ignore[misc]
    return made._make


def _bind(kind: Any, name: str, dialect: Dialect) -> _Convert | None:
    if name == "keys":
        return _json if dialect.name == "sqlite" else _cleaned
    own = _own(kind, dialect)
    if own is not None and type(own).process_bind_param is not TypeDecorator.process_bind_param:
        return partial(own.process_bind_param, dialect=dialect)
    convert: _Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert


def _own(kind: Any, dialect: Dialect) -> TypeDecorator[Any] | None:
    """A type of ours that does all of the conversion itself, as most of them do."""
    if not isinstance(kind, TypeDecorator):
        return None
    below = kind.load_dialect_impl(dialect).dialect_impl(dialect)
    plain = below.bind_processor(dialect) is None and below.result_processor(dialect, None) is None
    return kind if plain else None


def _read(kind: Any, dialect: Dialect) -> _Convert | None:
    own = _own(kind, dialect)
    if own is not None and type(own).process_result_value is not TypeDecorator.process_result_value:
        return partial(own.process_result_value, dialect=dialect)
    convert: _Convert | None = kind.dialect_impl(dialect).result_processor(dialect, None)
    return convert


def _cleaned(keys: Sequence[Any]) -> list[Any]:
    return [clean(key) if isinstance(key, str) else key for key in keys]


def _json(keys: Sequence[Any]) -> str:
    # Numbers, which most lists are of, need no encoder.
    if all(type(key) is int for key in keys):
        return f"[{','.join(map(str, keys))}]"
    return json.dumps(_cleaned(keys))
