"""One number a point, channel, zone and month, with the row in force at the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from storage.billed.billing import Grain
from storage.billed.periods import digest
from storage.records.billing import Quality
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    OTHER,
    document,
    hand_in,
    hours,
    import_all,
    reading,
    rows,
)
from tests.registering import register

NOVEMBER = date(2026, 11, 1)
DAY = timedelta(days=1)


def numbers(ledger, **asked):
    with ledger.reading() as store:
        return store.numbers.of(NOVEMBER, **asked)


def told(ledger, **asked):
    return {(n.point, n.channel, n.zone): n.energy for n in numbers(ledger, **asked)}


def profile(*values, created=0, **more):
    return document(hours(*values, **more), created=created)


def read(ledger, value, day, *, zone="T1", at=NOW, created=0, **more):
    made = reading(str(value), zone=zone, at=MONTH + day * DAY, **more)
    return hand_in(ledger, document(made, layout="52006", created=created + day), at=at)


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def test_a_profile_gives_the_sum_of_its_commercial_values_as_t0(ledger):
    hand_in(ledger, profile(100, 200, 300, flagged=(1,)))

    (number,) = numbers(ledger)
    assert (number.point, number.zone, number.source) == (ENTITY.user_code, "T0", "profile")
    assert (number.energy, number.values, number.quality) == (400, 3, Quality.VALID)
    # What is not commercial cannot be billed, and is missing like what was never sent.
    assert number.missing == 30 * 24 - 2


def test_registers_give_a_number_a_zone_and_the_total_none_beside_them(ledger):
    for zone, before, after in (("T0", 30, 60), ("T1", 10, 20), ("T2", 20, 40)):
        read(ledger, before, 0, zone=zone)
        read(ledger, after, 10, zone=zone)

    meter = "200000001234-01"
    assert told(ledger) == {(meter, "A+", "T1"): 400_000, (meter, "A+", "T2"): 800_000}


def test_a_step_is_multiplied_by_the_ratio_in_force_before_its_end(ledger):
    read(ledger, 10, 0)
    read(ledger, 20, 10)
    point = ENTITY.points[1]
    meter = replace(point.meters[0], ratio=Decimal(80))
    changed = replace(ENTITY, points=(replace(point, meters=(meter,)),))
    with ledger.transaction() as store:
        register(store.registry, [changed], "operator", NOW, since=date(2026, 11, 11))
    read(ledger, 30, 14)

    assert told(ledger) == {("200000001234-01", "A+", "T1"): 10 * 40_000 + 10 * 80_000}
    views = rows(ledger, "SELECT sum(energy) FROM billing_register")
    assert int(views[0][0]) == 10 * 40_000 + 10 * 80_000


def test_a_register_read_before_the_month_and_not_in_it_is_missing(ledger):
    read(ledger, 10, 0)

    (number,) = numbers(ledger)
    assert (number.energy, number.missing) == (None, 1)


def test_the_declared_source_decides(ledger):
    point = replace(ENTITY.points[1], source="profile")
    import_all(ledger, replace(ENTITY, points=(point,)))
    read(ledger, 10, 0)
    read(ledger, 20, 10)
    # What counts was not handed in: it is missing, whatever else tells of the month.
    (number,) = numbers(ledger)
    assert (number.zone, number.source, number.energy, number.missing) == ("T0", "profile", None, 1)

    hand_in(ledger, profile(100, 200, point=point.code))
    assert told(ledger) == {(point.code, "A+", "T0"): 300}


def test_registers_that_count_and_were_never_read_are_missing_beside_a_profile(ledger):
    point = ENTITY.points[1]
    hand_in(ledger, profile(100, 200, point=point.code))
    (number,) = numbers(ledger)
    assert (number.zone, number.source, number.energy, number.missing) == (
        "T0",
        "register",
        None,
        1,
    )


@pytest.mark.parametrize("source", ["profile", "both"])
def test_a_source_that_changes_within_the_month_counts_from_its_day(ledger, source):
    read(ledger, 10, 0, zone="T0")
    read(ledger, 20, 10, zone="T0")
    point = replace(ENTITY.points[1], source=source)
    with ledger.transaction() as store:
        changed = replace(ENTITY, points=(point,))
        register(store.registry, [changed], "operator", NOW, since=date(2026, 11, 11))
    read(ledger, 90, 13, zone="T0")

    # The step of the second reading ends before the day, that of the third one behind it.
    (number,) = numbers(ledger)
    assert (number.energy, number.missing) == (400_000, 1)

    late = replace(hours(100, 200, point=point.code), start=MONTH + 12 * DAY)
    hand_in(ledger, document(late))
    (number,) = numbers(ledger)
    assert (number.energy, number.missing) == (400_300, 20 * 24 - 2)


def test_numbers_as_of_a_moment_are_what_they_were_then(ledger):
    hand_in(ledger, profile(100, 200), at=NOW)
    hand_in(ledger, profile(100, 250, created=1), at=NOW + 60 * DAY / 1440)
    hand_in(ledger, profile(9, hour=5, created=2), at=NOW + 2 * DAY / 24)

    def energy(moment):
        return [n.energy for n in numbers(ledger, as_of=moment)]

    assert energy(NOW - DAY) == []
    assert energy(NOW) == [300]
    assert energy(NOW + 61 * DAY / 1440) == [350]
    assert energy(NOW + DAY) == [n.energy for n in numbers(ledger)] == [359]


def test_closing_keeps_the_numbers_and_the_next_closing_tells_the_difference(ledger):
    hand_in(ledger, profile(100, 200))
    with ledger.transaction() as store:
        kept = store.periods.close(NOVEMBER, "petrova", NOW)
        assert store.periods.close(NOVEMBER, "petrova", NOW) is None
        assert store.periods.rows(kept.id) == store.numbers.of(NOVEMBER)
        assert kept.sha256 == digest(store.periods.rows(kept.id))
        assert store.periods.reopen(NOVEMBER, "petrova", NOW)
    hand_in(ledger, profile(100, 250, created=1))
    with ledger.transaction() as store:
        again = store.periods.close(NOVEMBER, "petrova", NOW)
        assert store.periods.reopen(NOVEMBER, "petrova", NOW)
    hand_in(ledger, profile(100, 260, created=2))
    with ledger.transaction() as store:
        (change,) = store.periods.differences(kept.id, again.id)
        assert (change.before.energy, change.after.energy) == (300, 350)
        assert store.periods.differences(again.id, again.id) == []
        assert store.periods.snapshot(NOVEMBER) == again
        assert [one.kind for one in store.periods.snapshots(NOVEMBER)] == ["closing"] * 2


def test_an_export_is_numbered_and_does_not_close_its_month(ledger):
    hand_in(ledger, profile(100, 200))
    with ledger.transaction() as store:
        first, second = (
            store.periods.export(NOVEMBER, store.numbers.of(NOVEMBER), "billing", NOW)
            for _ in range(2)
        )
        assert first.id < second.id
        assert store.periods.rows(first.id) == store.numbers.of(NOVEMBER)
        assert store.periods.snapshot(NOVEMBER) is None


def test_migrating_takes_snapshots_of_months_closed_before_and_marks_them(ledger):
    hand_in(ledger, profile(100, 200))
    rows_before = "INSERT INTO period (month, closed, \"by\", at) VALUES ('2026-11', {}, 'x', 1)"
    on_postgresql = ledger._url.get_backend_name() == "postgresql"
    with ledger.transaction() as store:
        store.session.connection.exec_driver_sql(
            rows_before.format("true" if on_postgresql else "1")
        )
    ledger.migrate()
    ledger.migrate()

    with ledger.reading() as store:
        (kept,) = store.periods.snapshots(NOVEMBER)
        assert (kept.kind, kept.row_count) == ("migrated", 1)


def test_a_point_that_changes_hands_is_a_number_for_each_holder(ledger):
    hand_in(ledger, profile(*[1] * 48))
    other = replace(ENTITY, user_code="200000009999", inn="", points=(ENTITY.points[0],))
    with ledger.transaction() as store:
        register(store.registry, [other], "operator", NOW, since=date(2026, 11, 2))

    assert {n.entity: n.energy for n in numbers(ledger)} == {
        ENTITY.user_code: 24,
        other.user_code: 24,
    }
    assert [n.entity for n in numbers(ledger, entity=other.user_code)] == [other.user_code]


def test_a_months_sum_of_a_profile_is_divided_where_the_point_changes_hands(ledger):
    hand_in(ledger, profile(*[10] * 72))
    moved = replace(OTHER, points=(ENTITY.points[0],))
    rest = replace(ENTITY, points=ENTITY.points[1:])
    with ledger.transaction() as store:
        since = date(2026, 11, 3)
        register(store.registry, [rest, moved], "operator", NOW, since=since)

    with ledger.reading() as store:
        told = [
            (row.entity, row.energy, row.value_count, row.missing_count)
            for row in store.billing.values(NOVEMBER, Grain.MONTH)
        ]
        days = list(store.billing.values(NOVEMBER, Grain.DAY))
    assert told == [(ENTITY.user_code, 480, 48, 0), (OTHER.user_code, 240, 24, 27 * 24)]
    assert [day.entity for day in days] == [ENTITY.user_code] * 2 + [OTHER.user_code]
    views = rows(ledger, "SELECT entity, energy FROM billing_month ORDER BY energy DESC")
    assert [tuple(row) for row in views] == [row[:2] for row in told]
