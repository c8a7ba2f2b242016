"""Statements that go to the driver itself give what SQLAlchemy gives, on both databases."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import bindparam, func, select

from storage.faults import StatementFailed
from storage.prepared import Prepared, among
from storage.tables import METADATA

ENTITY = METADATA.tables["legal_entity"]
POINT = METADATA.tables["metering_point"]
METER = METADATA.tables["meter"]
SPAN = METADATA.tables["submission_span"]
PASS = METADATA.tables["mailbox_pass"]

NEW_ENTITY = Prepared(ENTITY.insert().returning(ENTITY.c.id))
NEW_POINT = Prepared(POINT.insert().returning(POINT.c.id))
ENTITIES = Prepared(select(ENTITY).where(among(ENTITY.c.id)).order_by(ENTITY.c.id))
POINTS = Prepared(select(POINT).where(POINT.c.id == bindparam("id")))


@pytest.fixture
def store(ledger):
    with ledger.transaction() as store:
        yield store


def entity(code, **values):
    default = {"name": "", "inn": "", "addresses": (), "active": True, "password_hash": None}
    return {**default, "user_code": code, **values}


def made(store, count):
    return [NEW_ENTITY.scalar(store.session.driver, entity(f"{n:012d}")) for n in range(count)]


def test_what_is_written_is_what_sqlalchemy_reads(store):
    values = entity("200000001234", name="ООО «Ромашка» \U0001f600", addresses=("a@b.ru", "c@d.ru"))
    number = NEW_ENTITY.scalar(store.session.driver, values)
    point = {
        "entity_id": number,
        "code": "334000000000101",
        "area": "",
        "name": "Ввод 1",
        "max_power_kw": Decimal("0.000001"),
        "channels": ("A+", "R-"),
    }
    new = NEW_POINT.scalar(store.session.driver, point)

    kept = store.session.connection.execute(select(POINT).where(POINT.c.id == new)).one()
    assert kept._asdict() == {"id": new, **point}
    assert POINTS.row(store.session.driver, {"id": new})._asdict() == {"id": new, **point}
    (own,) = ENTITIES.rows(store.session.driver, {"keys": [number]})
    assert own._asdict() == {"id": number, **values}


def test_days_and_instants_come_back_as_they_were(store):
    point = {"code": "1", "area": "", "name": "", "max_power_kw": None, "channels": ()}
    at = NEW_POINT.scalar(store.session.driver, {**point, "entity_id": made(store, 1)[0]})
    rows = [(at, "1", None), (at, "2", date(2026, 3, 1))]
    meters = Prepared(METER.insert())
    columns = ("point_id", "number", "installed", "ratio", "channels", "zones")
    meters.change_each(store.session.driver, columns, [(*row, Decimal(1), (), ()) for row in rows])
    found = Prepared(select(METER.c.installed).order_by(METER.c.number)).rows(
        store.session.driver, {}
    )
    assert [row.installed for row in found] == [None, date(2026, 3, 1)]

    moment = datetime(2026, 11, 10, 9, 0, 1, tzinfo=UTC)
    Prepared(PASS.insert()).change(store.session.driver, {"mailbox": "main", "passed_at": moment})
    assert Prepared(select(PASS.c.passed_at)).scalar(store.session.driver, {}) == moment


@pytest.mark.parametrize("count", [0, 1, 7])
def test_a_list_of_any_length_is_one_parameter(store, count):
    numbers = made(store, 9)
    found = ENTITIES.rows(store.session.driver, {"keys": numbers[:count]})
    assert [row.id for row in found] == numbers[:count]


def test_a_list_may_be_longer_than_a_statement_has_parameters(store):
    (number,) = made(store, 1)
    found = ENTITIES.rows(store.session.driver, {"keys": [number, *range(10**6, 10**6 + 70_000)]})
    assert [row.id for row in found] == [number]


def test_texts_in_a_list_are_texts(store):
    made(store, 2)
    by_code = Prepared(select(ENTITY.c.user_code).where(among(ENTITY.c.user_code)))
    asked = ["000000000001", "1", "' OR 1=1 --", '"', "\\", "Ё", "nul\0nul"]
    assert [tuple(row) for row in by_code.rows(store.session.driver, {"keys": asked})] == [
        ("000000000001",)
    ]


def test_a_nul_in_a_text_is_never_written(store):
    number = NEW_ENTITY.scalar(store.session.driver, entity("1", name="a\0b"))
    (own,) = ENTITIES.rows(store.session.driver, {"keys": [number]})
    assert "\0" not in own.name


def test_many_rows_are_written_with_the_values_that_the_table_brings(store):
    names = ("user_code", "addresses")
    Prepared(ENTITY.insert().values(name="neu", inn="", active=True)).change_each(
        store.session.driver, names, [(f"{n}\t\\N\n", (f"{n}@x.ru",)) for n in range(3)]
    )
    found = store.session.connection.execute(select(ENTITY).order_by(ENTITY.c.user_code)).all()
    assert [(row.user_code, row.name, row.addresses) for row in found] == [
        (f"{n}\t\\N\n", "neu", (f"{n}@x.ru",)) for n in range(3)
    ]


def test_no_rows_are_no_statement(store):
    Prepared(ENTITY.insert()).change_each(store.session.driver, ("user_code",), [])
    assert Prepared(select(func.count()).select_from(ENTITY)).scalar(store.session.driver, {}) == 0


def test_what_the_database_refuses_tells_no_values(ledger):
    with ledger.transaction() as store:
        NEW_ENTITY.scalar(store.session.driver, entity("Zima-2026"))
        with pytest.raises(StatementFailed) as told:
            NEW_ENTITY.scalar(store.session.driver, entity("Zima-2026"))
    assert "Zima-2026" not in str(told.value)
