"""Every named statement is one that the database takes, as an operator would explain it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from storage.columns import instant
from storage.faults import StatementFailed
from storage.ledger import Ledger
from storage.statements import Statements, texts

MATTERS = sorted(
    file.stem for file in (Path(__file__).parents[2] / "storage" / "sql").glob("*.sql")
)
MOMENT = datetime(2026, 11, 10, 9, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize("matter", MATTERS)
def test_every_statement_can_be_explained(ledger, matter):
    with ledger.reading() as store:
        driver = store.session.driver
        for text in texts(matter, is_postgresql=driver.is_postgresql).values():
            if driver.is_postgresql:
                asked = re.sub(r"^COPY (\w+) \((.*)\) FROM STDIN$", r"SELECT \2 FROM \1", text)
                asked = re.sub(r"%\((\w+)\)s", _numbered(asked), asked)
                plan = driver.raw.execute(f"EXPLAIN (GENERIC_PLAN) {asked}", prepare=False)
                assert plan.fetchone() is not None
            else:
                assert driver.raw.execute(f"EXPLAIN {text}", _nulls(text)).fetchone() is not None


def _numbered(text):
    """Parameters as PREPARE has them."""
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    return lambda match: f"${names.index(match[1]) + 1}"


def _nulls(text):
    if "?" in text:
        return [None] * text.count("?")
    return dict.fromkeys(re.findall(r"(?<![:\w]):(\w+)", text))


@pytest.fixture
def store(ledger):
    with ledger.transaction() as store:
        yield store


def failed(store, *codes):
    for code in codes:
        Statements(store.session.driver, "senders").change(
            "succeed", user_code="1", address=code, now=MOMENT
        )


def among(store, keys):
    found = Statements(store.session.driver, "senders").rows("locks", user_code="1", keys=keys)
    return len(found)


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_list_of_any_length_is_one_parameter(store, count):
    failed(store, *map(str, range(9)))
    assert among(store, [str(number) for number in range(count)]) == count


def test_a_list_may_be_longer_than_a_statement_has_parameters(store):
    failed(store, "7")
    assert among(store, ["7", *map(str, range(10**6, 10**6 + 70_000))]) == 1


def test_texts_in_a_list_are_texts(store):
    failed(store, "1", "2")
    assert among(store, ["1", "' OR 1=1 --", '"', "\\", "Ё", "nul\0nul"]) == 1


def test_instants_and_texts_come_back_as_they_were_and_a_nul_is_never_written(store):
    sql = Statements(store.session.driver, "letters")
    sha256 = "Ё\t\\N\n\U0001f600" + "\0"
    row = sql.row("count_attempt", sha256=sha256, size=2**40, received_at=MOMENT, now=MOMENT)
    assert instant(row.received_at) == MOMENT
    assert sql.row("settled", sha256=sha256.replace("\0", "\ufffd")).id == row.id


def test_what_the_database_refuses_tells_no_values(ledger):
    with ledger.transaction() as store:
        sql = Statements(store.session.driver, "letters")
        with pytest.raises(StatementFailed) as told:
            sql.change("locate", mailbox="Zima-2026", folder="", uidvalidity=1, uid=1, letter=None)
    assert "Zima-2026" not in str(told.value)


def test_postgresql_serves_a_statement_by_one_process(postgresql_migrated):
    url, _ = postgresql_migrated
    ledger = Ledger(url)
    # However cheap other processes are made to look.
    cheap = "parallel_setup_cost", "parallel_tuple_cost", "min_parallel_table_scan_size"
    with ledger.reading() as store:
        driver = store.session.driver
        for setting in cheap:
            driver.execute(f"SET LOCAL {setting} = 0")
        plan = driver.all_rows("EXPLAIN SELECT count(*) FROM interval_value")
    ledger.close()

    assert not any("Gather" in line for (line,) in plan)
