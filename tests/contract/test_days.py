"""The sums of days are those of the values in force, whatever came in which order."""

import threading
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

import pytest
from alembic import command
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.findings import Code
from layouts.points import MeteringPoint
from layouts.rules import check
from layouts.terms import Verdict
from storage.ledger import _alembic
from storage.readings.days import Day
from tests.contract.documents import (
    ENTITY,
    LAYOUTS,
    MONTH,
    NOW,
    OTHER,
    document,
    hand_in,
    hand_in_to,
    hours,
    import_all,
    new_letter,
    rolled_back,
)
from tests.registering import register

AREA, POINT = "3300000001", "332070000107101"


@pytest.fixture(autouse=True)
def registered(ledger):
    # Without a permitted power no value is too large for the rules.
    points = tuple(replace(point, max_power_kw=None) for point in ENTITY.points)
    import_all(ledger, replace(ENTITY, points=points))


def kept(store):
    """Every row, without days that have no value."""
    found = store.session.connection.exec_driver_sql(
        "SELECT series_id, day, energy_wh, highest_wh, counts FROM interval_day"
    )
    days = {(row[0], row[1]): Day.unpacked(tuple(map(bytes, row[2:]))) for row in found}
    return {key: day for key, day in days.items() if any(day.counts)}


def summed_up(store):
    """What the rows must be, from one value after the other."""
    days = defaultdict(Day)
    for series, start, energy, flagged in store.session.connection.exec_driver_sql(
        "SELECT series_id, start, energy_wh, not_commercial FROM interval_value"
    ):
        if energy is not None and not flagged:
            number, hour = divmod((start + 3 * 3600) // 3600, 24)
            days[series, number].put(hour, 1, energy, energy)
    return dict(days)


def nobody_vouches_for(store):
    """Values whose series and submission no span names; they have no keys of their own."""
    named = "(SELECT series_id, submission_id FROM submission_span)"
    asked = (
        f"SELECT * FROM interval_value WHERE (series_id, submission_id) NOT IN {named}",
        f"SELECT * FROM interval_history WHERE (series_id, submission_id) NOT IN {named}",
        f"SELECT * FROM interval_history WHERE (series_id, replaced_by) NOT IN {named}",
    )
    return [row for one in asked for row in store.session.connection.exec_driver_sql(one)]


values = st.lists(st.none() | st.integers(0, 2**33), min_size=1, max_size=60)
documents = st.lists(
    st.tuples(
        values,
        st.integers(0, 50),
        st.sampled_from(["52005", "80020"]),
        st.sets(st.integers(0, 59), max_size=4),
        st.integers(0, 3),
        st.sampled_from([0, 0, 15]),
    ),
    min_size=1,
    max_size=4,
)


def made(energies, hour, layout, flagged, created, minute=0):
    step = 60 if layout == "52005" else 30
    about = {} if layout == "52005" else {"point": POINT, "area": AREA}
    flags = [index for index in flagged if index < len(energies)]
    series = hours(*energies, hour=hour + minute / 60, step=step, flagged=flags, **about)
    return document(series, layout=layout, created=created, number=created)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(documents)
def test_sums_follow_what_documents_add_and_replace(ledger, several):
    with rolled_back(ledger) as store:
        for one in several:
            hand_in_to(store, made(*one))
            assert kept(store) == summed_up(store)
        assert nobody_vouches_for(store) == []


def test_a_day_that_begins_off_its_hour_is_refused_as_one_with_a_gap(ledger):
    shifted = made([5] * 48, 0, "80020", set(), 1, minute=15)
    day = {"period_start": MONTH, "period_end": MONTH + timedelta(days=1)}
    with rolled_back(ledger) as store:
        receipt = hand_in_to(store, replace(shifted, header=replace(shifted.header, **day)))
        assert receipt.checked.verdict is Verdict.REJECTED
        assert Code.MISSING_INTERVAL in {found.code for found in receipt.checked.findings}
        assert kept(store) == summed_up(store) == {}


def test_an_older_database_gets_its_sums_when_it_is_migrated(ledger):
    with ledger.transaction() as store:
        hand_in_to(store, made([5, None, 2**40, 7], 22, "52005", {1}, 0))
        hand_in_to(store, made(list(range(60)), 3, "80020", {7}, 1))
        before = kept(store)
        assert len(before) == 4

    for move, revision in ((command.downgrade, "0003"), (command.upgrade, "head")):
        with ledger._connected(writes=True) as connection, connection.begin():
            config = _alembic()
            config.attributes["connection"] = connection
            move(config, revision)

    with ledger.reading() as store:
        assert kept(store) == before


def test_two_entities_that_sum_up_one_point_wait_for_one_another(on_postgresql):
    ledger = on_postgresql
    point = MeteringPoint("77")
    one, other = (replace(who, points=(*who.points, point)) for who in (ENTITY, OTHER))
    import_all(ledger, one)
    hand_in(ledger, document(hours(5, 6, point=point.code)))
    with ledger.transaction() as store:
        entity = store.registry.entity(one.user_code)
        # Meanwhile an operator gives the point to another entity.
        with ledger.transaction() as registry:
            register(registry.registry, (other,), "operator", NOW)
        first = document(hours(10, 10, hour=2, point=point.code), created=1)
        checked = check(first, LAYOUTS[first.layout], entity, NOW, store.know)
        store.record(new_letter(store), first, checked, entity, NOW, NOW)
        later = document(hours(20, 20, hour=4, point=point.code), created=1)
        thread = threading.Thread(target=hand_in, args=[ledger, later], kwargs={"sender": other})
        thread.start()
        thread.join(0.5)
    thread.join(30)
    with ledger.reading() as store:
        assert kept(store) == summed_up(store)
        assert (
            len(store.session.connection.exec_driver_sql("SELECT * FROM interval_value").all()) == 6
        )
