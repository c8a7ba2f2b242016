"""The ledger as a whole: what time can mend leaves it as `StoreUnavailable`."""

import sqlite3
import stat
from contextlib import closing, nullcontext
from datetime import UTC, datetime

import pytest
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import event

from layouts.findings import Code, finding
from layouts.points import LegalEntity, MeteringPoint
from storage.faults import StatementFailed
from storage.ledger import Ledger, StoreUnavailable
from storage.records.letters import LetterFacts
from tests.registering import register

NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "ingest.db"


@pytest.fixture
def ledger(file):
    ledger = Ledger(f"sqlite:///{file}?timeout=0.05")
    ledger.migrate()
    yield ledger
    ledger.close()


def claim(ledger, sha256="a" * 64, error=""):
    with ledger.transaction() as store:
        number = store.letters.claim(None, sha256, 1, NOW, NOW).letter
        store.letters.quarantine(number, error, NOW)


def letters(ledger):
    with ledger.reading() as store:
        return store.letters.find()


def test_making_a_ledger_opens_nothing(file):
    ledger = Ledger(f"sqlite:///{file}")

    assert not file.exists()
    ledger.close()


def test_a_database_that_others_lock_is_unavailable_and_nothing_is_half_done(file, ledger):
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        claim(ledger)

    assert letters(ledger) == []
    other.execute("ROLLBACK")
    other.close()
    claim(ledger)
    assert len(letters(ledger)) == 1


def test_readers_do_not_wait_for_a_writer_and_see_one_moment(ledger):
    with ledger.reading() as before:
        assert before.letters.find() == []
        claim(ledger)
        assert before.letters.find() == []

    assert len(letters(ledger)) == 1


def test_a_full_disk_is_unavailable_and_nothing_is_half_done(ledger):
    def fill(connection, _record):
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    event.listen(ledger._engine, "connect", fill)
    ledger._engine.dispose()

    with pytest.raises(StoreUnavailable, match="full"):
        claim(ledger, error="x" * 100_000)

    assert letters(ledger) == []


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path / 'missing' / 'ingest.db'}")

    with pytest.raises(StoreUnavailable, match="unable to open"):
        letters(ledger)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_server_that_falls_silent_is_lost_within_half_a_minute_or_as_its_url_says(scheme):
    said = "tcp_user_timeout=5000&sslmode=disable"
    given = conninfo_to_dict(Ledger(f"{scheme}://u:p@h/d?{said}").libpq_url)
    assert (given["tcp_user_timeout"], given["sslmode"]) == ("5000", "disable")
    assert (given["keepalives_idle"], given["connect_timeout"]) == ("30", "10")


def test_a_server_that_is_away_is_unavailable():
    # Nothing listens on port 1.
    ledger = Ledger("postgresql://meters:secret@127.0.0.1:1/meters")

    with pytest.raises(StoreUnavailable) as fault:
        letters(ledger)

    assert "secret" not in str(fault.value)
    ledger.close()


def test_a_mistake_of_ours_is_not_a_fault_of_time(ledger):
    with pytest.raises(ZeroDivisionError), ledger.transaction():
        1 / 0  # noqa: B018


def test_an_exception_does_not_tell_what_a_statement_was_given(ledger):
    facts = LetterFacts("", "", "", (finding(Code.INVALID_CODE, seen="Zima-2026"),))

    def fail():
        with ledger.transaction() as store:
            store.letters.settle(404, "refused", facts, None, NOW)

    with pytest.raises(StatementFailed) as fault:
        fail()

    assert "Zima" not in str(fault.value)


def test_the_database_file_is_its_owners_alone(file, ledger):
    claim(ledger)

    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


@pytest.mark.usefixtures("outlasting_power_cuts")
def test_a_commit_is_on_the_disk_when_it_returns(file):
    full = 2
    ledger = Ledger(f"sqlite:///{file}")
    with closing(ledger), ledger._connected(writes=False) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == full


@pytest.mark.usefixtures("outlasting_power_cuts")
@pytest.mark.parametrize("fault", [None, ValueError("ours")])
def test_only_a_transaction_that_says_so_does_not_wait_for_the_disk(file, fault):
    normal, full = 1, 2
    ledger = Ledger(f"sqlite:///{file}")
    ledger.migrate()

    def waits(**options):
        with ledger.transaction(**options) as store:
            claimed = store.letters.claim(None, str(options), 1, NOW, NOW)
            level = store.letters._connection.exec_driver_sql("PRAGMA synchronous").scalar()
            told.append(level)
            if fault:
                raise fault
        return claimed

    told: list[int] = []
    with closing(ledger):
        for options in ({}, {"synced": False}, {"synced": True}, {}):
            with pytest.raises(ValueError, match="ours") if fault else nullcontext():
                waits(**options)
        assert told == [full, normal, full, full]
        assert len(letters(ledger)) == (0 if fault else 3)


def test_a_closed_ledger_opens_again_when_it_is_used(ledger):
    claim(ledger)
    ledger.close()

    assert len(letters(ledger)) == 1


def test_a_database_in_memory_lives_as_long_as_its_ledger():
    ledger = Ledger("sqlite://")
    ledger.migrate()
    claim(ledger)

    assert len(letters(ledger)) == 1
    ledger.close()


def test_damage_that_is_met_among_the_rows_of_one_statement_is_unavailable(file, ledger):
    points = tuple(MeteringPoint(f"3300{number:06d}", name="x" * 60) for number in range(300))
    with ledger.transaction() as store:
        register(store.registry, (LegalEntity("200000001234", points=points),), "operator", NOW)
    ledger.close()
    overwrite_last_page(file, "metering_point")

    with pytest.raises(StoreUnavailable), ledger.transaction() as store:
        store.registry.entity("200000001234")


def overwrite_last_page(file, table):
    with closing(sqlite3.connect(file)) as database:
        ((size,),) = database.execute("PRAGMA page_size")
        pages = database.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", [table]
        ).fetchall()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    at = (pages[-1][0] - 1) * size
    content[at : at + 200] = b"\xff" * 200
    file.write_bytes(content)
