"""The database as a whole: its engine, its schema, its transactions."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import StaticPool

from layouts.layout import Layout, load
from storage.driver import Driver
from storage.faults import StoreUnavailable, translate, waiting_for_a_connection
from storage.records.audit import Fence
from storage.store import Store

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = ["Ledger", "StoreUnavailable", "Within"]

SCHEMA = "0020"
"""The newest migration. Alembic would find it as well, and stay in memory for years."""

_BUSY_SECONDS = 5
"""How long a free connection to PostgreSQL is waited for."""

_LOCKED_SECONDS = 20
"""How long a writer waits for others on SQLite. It looks ten times a second only, and an
intake of many letters leaves the file free for moments: a sign-in to a page beside it needs
several looks."""

_SYNCHRONOUS = "FULL"
"""When SQLite says that something is written: when it would outlast a power cut."""

_LOST_AFTER = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "tcp_user_timeout": "30000",
}
"""When the connection to a PostgreSQL that does not answer is closed. The kernel's own bounds
are a quarter of an hour for what was sent and two hours for a connection at rest. The query of
an operator's URL overrides these."""
_MIGRATIONS = Path(__file__).parent / "migrations"
# The key of an advisory lock: "mete" in ASCII.
_MIGRATION_LOCK = 0x6D657465


class Migrated(NamedTuple):
    """The schema's version as `migrate` found it, None where there was none, and as it left it."""

    before: str | None
    after: str


class Ledger:
    """One database, by its URL; connects when first used."""

    def __init__(self, url: str, layouts: Mapping[str, Layout] | None = None) -> None:
        """Keep the arguments; nothing is opened.

        Args:
            url: As SQLAlchemy writes it: `sqlite:///file`, `postgresql+psycopg://…`.
            layouts: By class; they say what orders the versions of a document.
                None: the ones built in.
        """
        self._url = _complete(make_url(url))
        self._given_layouts = layouts
        self._write_lock = Lock()
        self._idle_seconds = 0.0

    @cached_property
    def _layouts(self) -> Mapping[str, Layout]:
        return load() if self._given_layouts is None else self._given_layouts

    @cached_property
    def _engine(self) -> Engine:
        engine = _sqlite(self._url) if self._is_sqlite else _postgresql(self._url)
        if self._idle_seconds and not self._is_sqlite:
            event.listen(engine, "connect", self._give_up_idle)
        translate(engine)
        return engine

    @property
    def _is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def name(self) -> str:
        """The database's URL as it may be told: without a password."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @property
    def libpq_url(self) -> str:
        """The URL as PostgreSQL's own library takes it, its password in the clear."""
        return self._url.set(drivername="postgresql").render_as_string(hide_password=False)

    each_lasts = True
    """Whether what one transaction did is kept, whatever becomes of the next one."""

    @property
    def many_write(self) -> bool:
        """Whether several transactions can write at the same time."""
        return not self._is_sqlite

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[Store]:
        """A store whose changes are committed together, or not at all.

        Args:
            synced: SQLite waits for the disk, so that they outlast a power cut as well as the
                end of the process. Else they do so from the next synced commit on.

        Raises:
            StoreUnavailable: here, at any statement, or at the commit.
        """
        with (
            self._one_writer(),
            self._connected(writes=True) as connection,
            nullcontext() if synced or not self._is_sqlite else _not_synced(connection),
            connection.begin(),
        ):
            yield Store(connection, self._layouts)

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """One writer of this process at a time on SQLite.

        SQLite lets a waiting writer look again from time to time, and one that writes
        letter after letter would keep another from writing at all.
        """
        taken = self._is_sqlite and self._write_lock.acquire(timeout=_LOCKED_SECONDS)
        try:
            yield
        finally:
            if taken:
                self._write_lock.release()

    @contextmanager
    def reading(self) -> Iterator[Store]:
        """A store over one snapshot; PostgreSQL refuses changes, SQLite drops them.

        Raises:
            StoreUnavailable: here or at any statement.
        """
        with self._connected(writes=False) as connection, connection.begin() as look:
            yield Store(connection, self._layouts)
            look.rollback()

    @contextmanager
    def together(self) -> Iterator[Ledger | Within]:
        """For several transactions in a row, each of which is undone alone when it fails.

        On SQLite, which has one writer at a time, they are committed at once: making
        each of them last takes longer than writing it. On PostgreSQL each is
        committed by itself, as it holds back other documents of its entity.

        Raises:
            StoreUnavailable: here, at any statement, or at the commit.
        """
        if not self._is_sqlite:
            yield self
            return
        with (
            self._one_writer(),
            self._connected(writes=True) as connection,
            _undone_from_memory(connection),
            connection.begin(),
        ):
            yield Within(connection, self._layouts)
            Driver(connection).check_open()

    @contextmanager
    def rehearsal(self, wait_seconds: float | None = None) -> Iterator[Within]:
        """A ledger for trying out: what is done with it is undone at the end.

        Args:
            wait_seconds: For who else writes to an SQLite database; None: as long as any writer.

        Raises:
            StoreUnavailable: here or at any statement.
        """
        with (
            self._connected(writes=True) as connection,
            self._waiting(connection, wait_seconds),
            connection.begin() as whole,
        ):
            yield Within(connection, self._layouts)
            whole.rollback()

    @contextmanager
    def _waiting(self, connection: Connection, seconds: float | None) -> Iterator[None]:
        """Have an SQLite connection wait so long for who else writes."""
        driver = connection.connection.dbapi_connection
        if seconds is None or not self._is_sqlite or driver is None:
            yield
            return
        before = driver.execute("PRAGMA busy_timeout").fetchone()[0]
        driver.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA busy_timeout = {before}")

    @contextmanager
    def _connected(self, *, writes: bool) -> Iterator[Connection]:
        options: dict[str, Any] = {"writes": writes}
        if not writes and not self._is_sqlite:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with waiting_for_a_connection():
            connection = self._engine.connect()
        with connection:
            yield connection.execution_options(**options)

    def migrate(self) -> Migrated:
        """Bring the schema to the version this program needs; a new file is made."""
        from alembic import command

        with self._connected(writes=True) as connection, connection.begin():
            if not self._is_sqlite:
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
            before = _schema_of(connection)
            config = _alembic()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            Store(connection, self._layouts).periods.keep_earlier(datetime.now(UTC))
        # Those of before the first seal are sealed as they are now.
        self.seal(self.fence())
        return Migrated(before, SCHEMA)

    def fence(self) -> Fence:
        """Up to which rows `seal` may seal, once the transactions of this moment have ended."""
        with self.transaction() as store:
            return store.seals.fence()

    def seal(self, fence: Fence, seconds: float = math.inf) -> bool:
        """Seal every row up to a fence; False when one may still come, or is left after so long.

        Rows are hashed while others write; a crash on the way leaves the seals so far.
        Another process that seals meanwhile is no harm: one of the two seals is dropped.
        """
        until = time.monotonic() + seconds
        while True:
            with self.reading() as store:
                if not store.seals.is_final(fence):
                    return False
                draft = store.seals.draft(fence)
            if draft is None:
                return True
            with self.transaction() as store:
                store.seals.append(draft)
            if time.monotonic() >= until:
                return False

    def schema_is_current(self) -> bool:
        """Whether the schema is the one this program needs, neither older nor newer."""
        with self._connected(writes=False) as connection:
            return _schema_of(connection) == SCHEMA

    def give_up_idle(self, seconds: float) -> None:
        """Have PostgreSQL end a connection whose transaction nobody goes on with for so long.

        Else a process that is frozen within one keeps others waiting. A no-op on SQLite.
        """
        self.close()
        self._idle_seconds = seconds

    def _give_up_idle(self, connection: Any, _record: object) -> None:
        milliseconds = round(self._idle_seconds * 1000)
        connection.execute(f"SET idle_in_transaction_session_timeout = {milliseconds}")
        connection.commit()

    def close(self) -> None:
        """Close every connection; the ledger opens new ones when used again."""
        if "_engine" in self.__dict__:
            self._engine.dispose()
            del self.__dict__["_engine"]


class Within:
    """A ledger whose every transaction is a part of a larger one."""

    each_lasts = False
    many_write = True
    """No other writer is waited for: the larger transaction writes already."""

    def __init__(self, connection: Connection, layouts: Mapping[str, Layout]) -> None:
        self._connection = connection
        self._layouts = layouts

    @contextmanager
    def transaction(self, *, synced: bool = True) -> Iterator[Store]:  # noqa: ARG002 - the larger one's
        """A store whose changes the next transaction sees; none when it fails."""
        driver = Driver(self._connection)
        driver.execute("SAVEPOINT part")
        try:
            yield Store(self._connection, self._layouts)
        except BaseException:
            # Raised again: the part is undone for any reason, a stop included.
            driver.execute("ROLLBACK TO SAVEPOINT part")
            driver.execute("RELEASE SAVEPOINT part")
            raise
        driver.execute("RELEASE SAVEPOINT part")

    reading = transaction

    @contextmanager
    def together(self) -> Iterator[Within]:
        """No-op: they are in one transaction already."""
        yield self


@contextmanager
def _not_synced(connection: Connection) -> Iterator[None]:
    """Have an SQLite connection not wait for the disk."""
    driver = Driver(connection)
    driver.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        driver.execute(f"PRAGMA synchronous = {_SYNCHRONOUS}")


@contextmanager
def _undone_from_memory(connection: Connection) -> Iterator[None]:
    """Have SQLite keep in memory what its savepoints go back to.

    Else it goes to a file, and is more than what a letter writes to the database. Only
    for letters, as a large sort would be done in memory as well.
    """
    driver = Driver(connection)
    driver.execute("PRAGMA temp_store = MEMORY")
    try:
        yield
    finally:
        driver.execute("PRAGMA temp_store = DEFAULT")


def _schema_of(connection: Connection) -> str | None:
    """The schema's version; None when the database has none of our schemas."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalars().all()
    return str(found[0]) if len(found) == 1 else None


def _complete(url: URL) -> URL:
    """The URL with our driver, and with `_LOST_AFTER` where it does not say otherwise."""
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        return url
    # SQLAlchemy takes plain `postgresql` for psycopg2, which is not what we install.
    named = "postgresql+psycopg" if "+" not in url.drivername else url.drivername
    return url.set(drivername=named, query={**_LOST_AFTER, **url.query})


def _alembic() -> Config:
    from alembic.config import Config

    config = Config()
    # `%` is special to the parser behind the configuration.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


# What a statement was given may be a sender's: no exception may tell it to the log.
def _postgresql(url: URL) -> Engine:
    engine = create_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=_BUSY_SECONDS,
        # `[poll] workers` may be 32, and pages and jobs need some beside them.
        max_overflow=43,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # Our statements take some rows by their keys. PostgreSQL, which takes a span of values for
    # more than it is, would read whole tables with several processes, or compile first.
    connection.execute("SET max_parallel_workers_per_gather = 0; SET jit = off")
    connection.commit()


def _sqlite(url: URL) -> Engine:
    # A database in memory exists in its one connection only.
    in_memory = not url.database or url.database == ":memory:"
    # The connection that wrote last has what it wrote in its cache; of any other it is dropped.
    kept = {"poolclass": StaticPool} if in_memory else {"pool_use_lifo": True}
    if not in_memory:
        _make_private(Path(str(url.database)))
    arguments: dict[str, Any] = {"check_same_thread": False}
    if "timeout" not in url.query:
        arguments["timeout"] = _LOCKED_SECONDS
    engine = create_engine(url, hide_parameters=True, connect_args=arguments, **kept)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_private(file: Path) -> None:
    # Letters in quarantine are kept in it; SQLite's own files take after this one.
    # What cannot be made here, SQLite says better.
    with suppress(OSError):
        file.touch(mode=0o600)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions by itself: `_begin_sqlite` does.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", f"synchronous={_SYNCHRONOUS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader cannot wait for another writer to end: it
    # would fail at once, half-way.
    writes = connection.get_execution_options().get("writes")
    Driver(connection).execute("BEGIN IMMEDIATE" if writes else "BEGIN")
