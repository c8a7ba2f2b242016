"""The register of points is true from a date; a correction is true from the beginning."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from layouts.months import midnight
from layouts.points import LegalEntity, Meter, MeteringPoint, MeterRow, PointRow
from tests.contract.documents import NOW
from tests.registering import register

FIRST = date(2026, 12, 1)
METER = Meter("M1", ratio=Decimal(20), digits=6, decimals=1, installed=date(2026, 1, 5))
POINT = MeteringPoint("P1", max_power_kw=Decimal(100), meters=(METER,))
ENTITY = LegalEntity("200000001234", "ООО «Пример»", points=(POINT,))
OTHER = LegalEntity("200000004321", "ИП Второй")


def put(ledger, *entities, since=FIRST, correct=None):
    with ledger.transaction() as store:
        return register(store.registry, entities, "petrova", NOW, since=since, correct=correct)


def point(ledger, entity=ENTITY):
    with ledger.reading() as store:
        (found,) = store.registry.entity(entity.user_code).points
    return found


def with_meter(**changes):
    return replace(ENTITY, points=(replace(POINT, meters=(replace(METER, **changes),)),))


def at(day, hour=0):
    return midnight(day).replace(hour=hour)


def test_what_an_import_says_first_is_true_from_the_beginning(ledger):
    put(ledger, ENTITY)

    assert point(ledger) == POINT
    assert point(ledger).meters[0].at(NOW) == METER


def test_another_ratio_is_true_from_its_day_on_and_the_old_one_before(ledger):
    put(ledger, ENTITY)
    put(ledger, with_meter(ratio=Decimal(40)))

    (meter,) = point(ledger).meters
    assert [(row.valid_from, row.ratio) for row in meter.rows] == [(None, 20), (FIRST, 40)]
    assert meter.ratio == 40
    # The day's own reading is the boundary, whatever its hour.
    assert meter.at(at(FIRST)).ratio == meter.at(at(FIRST, 18)).ratio == 20
    assert meter.at(at(date(2026, 12, 2))).ratio == 40


def test_the_same_change_told_twice_is_one_change(ledger):
    put(ledger, ENTITY)
    put(ledger, with_meter(ratio=Decimal(40)))

    assert put(ledger, with_meter(ratio=Decimal(40)), since=date(2027, 1, 1)).changed == ()
    put(ledger, with_meter(ratio=Decimal(60)))
    assert [row.ratio for row in point(ledger).meters[0].rows] == [20, 60]


def test_a_correction_is_true_from_the_rows_beginning_and_audited_with_its_reason(ledger):
    put(ledger, ENTITY)
    put(ledger, with_meter(ratio=Decimal(40)), correct="act 17")

    (meter,) = point(ledger).meters
    assert (meter.rows, meter.ratio) == ((), 40)
    with ledger.reading() as store:
        assert store.audit.of("meter", "M1")[-1].after["reason"] == "act 17"


def test_an_import_may_say_itself_what_is_true_from_when(ledger):
    put(ledger, ENTITY)
    rows = (
        MeterRow(None, "M1", Decimal(20), 6, 1),
        MeterRow(date(2026, 11, 10), "M1", Decimal(30), 6, 1),
    )
    put(ledger, with_meter(ratio=Decimal(30), rows=rows))

    assert point(ledger).meters[0].rows == rows


@pytest.mark.parametrize(("before", "after"), [(None, "A"), ("A", None), ("A", "B")])
def test_an_area_changes_the_point_and_makes_no_twin(ledger, before, after):
    put(ledger, replace(ENTITY, points=(replace(POINT, area=before),)))
    moved = replace(ENTITY, points=(replace(POINT, area=after),))
    if before and after:
        # Two areas may each have a point of that code.
        moved = replace(moved, points=(*moved.points, replace(POINT, area=before)))
    put(ledger, moved)

    with ledger.reading() as store:
        points = store.registry.entity(ENTITY.user_code).points
    assert [one.area for one in points] == ([after] if not (before and after) else ["A", "B"])
    if not (before and after):
        assert points[0].at(at(date(2026, 11, 30), 23)).area == before
        assert points[0].at(at(FIRST)).area == after


def test_a_number_in_the_place_of_another_is_the_same_meter(ledger):
    put(ledger, ENTITY)
    old = point(ledger).meters[0].id
    report = put(ledger, with_meter(number="M1-7"))

    (meter,) = point(ledger).meters
    assert (meter.id, meter.number) == (old, "M1-7")
    assert report.renumbered == (("P1", "M1", "M1-7"),)
    assert [row.number for row in meter.rows] == ["M1", "M1-7"]


def test_a_meter_installed_another_day_is_another_one(ledger):
    put(ledger, ENTITY)
    put(ledger, with_meter(number="M2", installed=date(2026, 6, 1)))

    assert sorted(meter.number for meter in point(ledger).meters) == ["M1", "M2"]


def test_a_point_moves_to_its_new_holder_on_a_day(ledger):
    put(ledger, ENTITY, OTHER)
    put(ledger, replace(OTHER, points=(POINT,)))

    moved = point(ledger, OTHER)
    assert [(row.valid_from, row.holder) for row in moved.rows] == [
        (None, ENTITY.user_code),
        (FIRST, OTHER.user_code),
    ]
    assert moved.holder(at(date(2026, 11, 30))) == ENTITY.user_code
    assert moved.holder(at(FIRST)) == OTHER.user_code


def test_power_and_activity_are_true_from_a_date(ledger):
    put(ledger, ENTITY)
    changed = replace(POINT, max_power_kw=Decimal(150), active=False, source="profile")
    put(ledger, replace(ENTITY, points=(changed,)))

    found = point(ledger)
    assert found.at(at(date(2026, 11, 30))).max_power_kw == 100
    assert found.at(at(FIRST)).max_power_kw == 150
    assert found.rows[-1] == PointRow(
        FIRST, ENTITY.user_code, None, Decimal(150), active=False, source="profile"
    )
