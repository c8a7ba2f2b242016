"""The month's state: spans, sums and readings in force, on both databases."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from layouts.completeness import Lack, missing
from layouts.months import bounds
from layouts.points import Meter, MeteringPoint
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
)

NOVEMBER = date(2026, 11, 1)
OCTOBER = date(2026, 10, 1)
FIRST = int(MONTH.timestamp())


@pytest.fixture(autouse=True)
def registered(ledger):
    import_all(ledger)


def state_of(ledger, month=NOVEMBER, *codes):
    with ledger.reading() as store:
        entities = (
            [store.registry.entity(code) for code in codes] if codes else store.registry.entities()
        )
        points = {p.code: p for entity in entities for p in entity.points}
        return store.months.state(month, entities), points


def test_profiles_are_told_as_spans_and_exact_sums(ledger):
    hand_in(ledger, document(hours(10, 20, 30, flagged=[2]), created=0))
    hand_in(ledger, document(hours(5, hour=5), created=1))

    state, points = state_of(ledger)

    profile = state.profiles[points[ENTITY.user_code].id, "A+"]
    # The third is not fit for billing: for a month it is missing.
    assert profile.spans == ((FIRST, FIRST + 2 * 3600), (FIRST + 5 * 3600, FIRST + 6 * 3600))
    assert (profile.values, profile.not_commercial) == (4, 1)
    assert (profile.total_wh, profile.billed_wh) == (65, 35)
    assert state.ever == {(points[ENTITY.user_code].id, "A+")}


def test_an_interval_without_a_value_is_not_covered(ledger):
    hand_in(ledger, document(hours(10, None, 30, flagged=[1])))

    state, points = state_of(ledger)

    profile = state.profiles[points[ENTITY.user_code].id, "A+"]
    assert profile.spans == ((FIRST, FIRST + 3600), (FIRST + 7200, FIRST + 10800))
    assert (profile.values, profile.total_wh) == (2, 40)


def test_values_of_other_months_are_left_out_but_known_to_be_ever_sent(ledger):
    hand_in(ledger, document(hours(10, day=0)))

    state, points = state_of(ledger, OCTOBER)

    assert state.profiles == {}
    assert state.ever == {(points[ENTITY.user_code].id, "A+")}


def test_sums_beyond_32_bits_stay_exact(ledger):
    values = [2_000_000_000 + n for n in range(48)]
    day = hours(*values, point="332070000107101", area="3300000001", step=30)
    hand_in(ledger, document(day, layout="80020", number=1))

    state, points = state_of(ledger)

    profile = state.profiles[points["332070000107101"].id, "A+"]
    assert profile.total_wh == profile.billed_wh == sum(values)


def test_a_reading_at_midnight_of_the_first_is_that_of_the_month_before(ledger):
    hand_in(ledger, document(reading("100.5", at=MONTH), layout="52006"))

    meter = ENTITY.points[1].meters[0]
    november, points = state_of(ledger)
    october, _ = state_of(ledger, OCTOBER)
    number = points["200000001234-01"].meters[0].id
    assert meter.number == "07512345"
    assert october.registers[number, "A+", "T1"].readings == ((FIRST, Decimal("100.5")),)
    assert november.registers[number, "A+", "T1"].readings == ()
    assert november.registers[number, "A+", "T1"].before == (FIRST, Decimal("100.5"))
    assert november.read == {number}


def test_the_reading_before_is_the_last_one_until_the_start(ledger):
    for days, value in ((-40, "10"), (-9, "20"), (9, "30")):
        at = MONTH + timedelta(days=days)
        hand_in(ledger, document(reading(value, at=at), layout="52006"), at=NOW)

    state, points = state_of(ledger)

    register = state.registers[points["200000001234-01"].meters[0].id, "A+", "T1"]
    assert register.before == (FIRST - 9 * 86400, Decimal(20))
    assert register.readings == ((FIRST + 9 * 86400, Decimal(30)),)


def test_only_the_entities_asked_for_are_told(ledger):
    hand_in(ledger, document(hours(10)))

    state, _ = state_of(ledger, NOVEMBER, OTHER.user_code)

    assert state.profiles == {}
    assert state.ever == frozenset()


def test_the_last_readings_are_those_in_force(ledger):
    hand_in(ledger, document(reading("10", at=MONTH - timedelta(days=31)), layout="52006"))
    hand_in(ledger, document(reading("20"), layout="52006", created=1))

    with ledger.reading() as store:
        last = store.months.last_readings(store.registry.entity(ENTITY.user_code))

    meter = (None, "200000001234-01", "07512345", None)
    assert last == {(meter, "A+", "T1"): (Decimal(20), MONTH)}


def test_meters_of_one_number_have_each_its_own_last_reading(ledger):
    points = [MeteringPoint(code, meters=(Meter("5"),)) for code in ("77-1", "77-2")]
    sender = replace(ENTITY, points=tuple(points))
    import_all(ledger, sender)
    both = [
        reading(value, "5", zone="T0", point=p.code) for p, value in zip(points, "12", strict=True)
    ]
    hand_in(ledger, document(*both, layout="52006"))

    with ledger.reading() as store:
        last = store.months.last_readings(store.registry.entity(ENTITY.user_code))

    assert [(key[0][1], value) for key, (value, _) in sorted(last.items(), key=str)] == [
        ("77-1", Decimal(1)),
        ("77-2", Decimal(2)),
    ]


def test_half_hours_and_hours_of_one_channel_cover_together(ledger):
    start = MONTH + timedelta(hours=2)
    halves = hours(1, 2, 3, 4, point="332070000107101", step=30)
    whole = replace(hours(5, point="332070000107101"), start=start)
    hand_in(ledger, document(halves, layout="80020", number=1))
    hand_in(ledger, document(whole, layout="80020", number=2))

    state, points = state_of(ledger)

    profile = state.profiles[points["332070000107101"].id, "A+"]
    assert profile.spans == ((FIRST, FIRST + 3 * 3600),)
    assert (profile.values, profile.total_wh) == (5, 15)


def test_what_is_missing_of_a_stored_month(ledger):
    hand_in(ledger, document(hours(*[10] * 24)))
    with ledger.reading() as store:
        entity = store.registry.entity(ENTITY.user_code)
        found = missing(entity.points, store.months.state(NOVEMBER, [entity]), NOW)

    told = {(item.point.code, item.kind) for item in found}
    assert told == {
        ("200000001234", Lack.PROFILE),
        ("332070000107101", Lack.PROFILE),
    }
    (own,) = [item for item in found if item.point.code == ENTITY.user_code]
    assert own.spans[0][0] == MONTH + timedelta(days=1)
    assert bounds(NOVEMBER)[0] == MONTH
