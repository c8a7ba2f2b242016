"""How each thing stands that a month asks for."""

from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace as Some

import pytest

from ingest.operations.account.standing import Stand, Standing, standing
from ingest.operations.refused import Refused
from layouts.completeness import Lack, MonthState, ProfileMonth, RegisterMonth
from layouts.months import MOSCOW, bounds
from layouts.points import LegalEntity, Meter, MeteringPoint

NOV = date(2026, 11, 1)
NOW = datetime(2026, 11, 4, 15, tzinfo=MOSCOW)
DECEMBER = datetime(2026, 12, 2, 9, tzinfo=MOSCOW)
PROFILE = MeteringPoint("P-1", channels=("A+",), id=7)
METER = Meter("11", channels=("A+",), zones=("T1", "T2"), id=3)
READ = MeteringPoint("P-2", meters=(METER,), id=8)
DAY = 86400
FIRST = int(datetime(2026, 11, 1, tzinfo=MOSCOW).timestamp())


def told(point, now, *, profiles=None, registers=None, refused=None, closed=(), month=NOV, **state):
    entity = LegalEntity("47", "ООО", "1", (), True, (point,))
    of_month = MonthState(NOV, profiles or {}, registers or {}, **state)
    asked = [
        lambda *words: of_month if words == (NOV, [entity]) else None,
        lambda *words: (refused or {}) if words == ("47", *bounds(NOV)) else None,
    ]
    store = Some(
        registry=Some(entity=lambda code: entity if code == "47" else None),
        months=Some(state=asked[0]),
        submissions=Some(refused_in=asked[1]),
        periods=Some(closed=lambda: closed),
    )
    ledger = Some(reading=lambda: nullcontext(store))
    return standing(Some(ledger=ledger, parameters=Some(register_deadline_day=2)), "47", month, now)


def profile(*spans, total=0):
    return {
        (7, "A+"): ProfileMonth(tuple((FIRST + a, FIRST + b) for a, b in spans), total_wh=total)
    }


LETTERS = {"+": Stand.THERE, "~": Stand.PART, "-": Stand.MISSING, ".": Stand.LATER}


@pytest.mark.parametrize(
    ("spans", "now", "refused", "stand", "days", "receipt"),
    [
        ([], NOW, {}, Stand.MISSING, "---", None),
        ([], datetime(2026, 11, 1, 23, tzinfo=MOSCOW), {}, Stand.LATER, "", None),
        ([], datetime(2026, 11, 2, tzinfo=MOSCOW), {}, Stand.MISSING, "-", None),
        ([(0, 3 * DAY)], NOW, {}, Stand.LATER, "+++", None),
        ([(0, 30 * DAY)], DECEMBER, {}, Stand.THERE, "+" * 30, None),
        ([(0, 29 * DAY)], DECEMBER, {}, Stand.PART, "+" * 29 + "-", None),
        ([(DAY, 2 * DAY)], NOW, {}, Stand.PART, "-+-", None),
        ([(DAY - 1800, DAY + 1800)], NOW, {}, Stand.PART, "~~-", None),
        ([(0, DAY - 1), (DAY, 3 * DAY)], NOW, {}, Stand.PART, "~++", None),
        ([(0, 3600), (3600, 3 * DAY)], NOW, {}, Stand.LATER, "+++", None),
        ([], NOW, {("P-1", None): 5}, Stand.REFUSED, "---", 5),
        ([(DAY - 1800, DAY + 1800)], NOW, {("P-1", None): 5}, Stand.REFUSED, "~~-", 5),
        # What was refused and is there by now is not refused.
        ([(0, 3 * DAY)], NOW, {("P-1", None): 5}, Stand.LATER, "+++", None),
        ([(0, 30 * DAY)], DECEMBER, {("P-1", None): 5}, Stand.THERE, "+" * 30, None),
        ([], NOW, {("P-2", None): 5, ("P-1", "11"): 6}, Stand.MISSING, "---", None),
    ],
)
def test_a_profile_stands_day_by_day(spans, now, refused, stand, days, receipt):
    [one] = told(PROFILE, now, profiles=profile(*spans, total=42), refused=refused).asked
    assert one.days == tuple(LETTERS[sign] for sign in days.ljust(30, "."))
    assert (one.kind, one.stand, one.receipt) == (Lack.PROFILE, stand, receipt)
    assert (one.point, one.channel, one.meter, one.total_wh) == (PROFILE, "A+", None, 42)


def test_a_profile_of_which_nothing_came_has_no_total():
    [one] = told(PROFILE, NOW).asked
    assert (one.stand, one.total_wh) == (Stand.MISSING, 0)


def reading(*moments, before=None):
    return RegisterMonth(
        tuple((int(at.timestamp()), Decimal(value)) for at, value in moments),
        before and (int(before[0].timestamp()), Decimal(before[1])),
    )


EARLY, LATE = datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 30, 21, tzinfo=UTC)
BEFORE = datetime(2026, 10, 31, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("registers", "now", "refused", "stand", "values", "receipt"),
    [
        ({}, NOW, {}, Stand.LATER, {}, None),
        ({}, DECEMBER, {}, Stand.MISSING, {}, None),
        # The month's last moment belongs to it, and is due then.
        ({}, LATE, {}, Stand.MISSING, {}, None),
        ({"T1": reading((LATE, 5))}, DECEMBER, {}, Stand.PART, {"T1": (5, LATE)}, None),
        ({"T1": reading((LATE, 5))}, NOW, {}, Stand.LATER, {"T1": (5, LATE)}, None),
        (
            {"T1": reading((EARLY, 4), (LATE, 5)), "T2": reading((EARLY, 7))}, NOW, {},
            Stand.THERE, {"T1": (5, LATE), "T2": (7, EARLY)}, None,
        ),
        # That of the month's beginning is the month's before.
        (
            {"T1": reading(before=(BEFORE, 1)), "T2": reading((LATE, 2), before=(BEFORE, 1))},
            DECEMBER, {}, Stand.PART, {"T2": (2, LATE)}, None,
        ),
        ({}, NOW, {("P-2", "11"): 6, ("P-2", None): 5}, Stand.REFUSED, {}, 6),
        ({}, NOW, {("P-2", None): 5}, Stand.REFUSED, {}, 5),
        ({}, NOW, {("P-2", "12"): 5}, Stand.LATER, {}, None),
        (
            {"T1": reading((EARLY, 4)), "T2": reading((EARLY, 7))}, NOW, {("P-2", "11"): 6},
            Stand.THERE, {"T1": (4, EARLY), "T2": (7, EARLY)}, None,
        ),
    ],
)  # fmt: skip
def test_a_meter_stands_with_the_last_readings_of_its_zones(
    registers, now, refused, stand, values, receipt
):
    found = {(3, "A+", zone): one for zone, one in registers.items()}
    [one] = told(READ, now, registers=found, refused=refused).asked
    assert (one.kind, one.stand, one.receipt) == (Lack.READING, stand, receipt)
    assert (one.point, one.meter, one.channel, one.zones) == (READ, METER, "A+", ("T1", "T2"))
    assert one.readings == {zone: (Decimal(value), at) for zone, (value, at) in values.items()}
    assert [span[1] for span in one.spans] == [LATE]


def test_a_new_meter_s_first_reading_is_that_of_its_first_day():
    meter = Meter("11", installed=NOV.replace(day=20), channels=("A+",), id=3)
    point = MeteringPoint("P-2", meters=(meter,), id=8)
    end = datetime(2026, 11, 20, 21, tzinfo=UTC)
    register = {(3, "A+", "T0"): reading((EARLY, 1), (end, 2), (LATE, 3))}
    asked = told(point, DECEMBER, registers=register).asked
    assert [(one.kind, one.stand, one.readings["T0"][0]) for one in asked] == [
        (Lack.FIRST_READING, Stand.THERE, 2), (Lack.READING, Stand.THERE, 3),
    ]  # fmt: skip


@pytest.mark.parametrize("moment", [BEFORE, BEFORE.replace(day=31, hour=22)])
def test_a_reading_at_the_first_moment_of_its_day_is_the_first_one(moment):
    meter = Meter("11", installed=NOV, channels=("A+",), id=3)
    at = reading(before=(moment, 1)) if moment == BEFORE else reading((moment, 1))
    point = MeteringPoint("P-2", meters=(meter,), id=8)
    first, last = told(point, DECEMBER, registers={(3, "A+", "T0"): at}).asked
    assert (first.kind, first.stand, first.readings) == (
        Lack.FIRST_READING, Stand.THERE, {"T0": (1, moment)},
    )  # fmt: skip
    assert (last.kind, last.stand, last.readings) == (Lack.READING, Stand.MISSING, {})


def test_of_two_meters_one_may_be_there_and_the_other_missing():
    meters = [Meter(number, channels=("A+",), id=int(number)) for number in ("11", "12")]
    asked = told(
        MeteringPoint("P-2", meters=tuple(meters), id=8),
        DECEMBER,
        registers={(12, "A+", "T0"): reading((LATE, 5))},
    ).asked
    assert [(one.meter.number, one.stand) for one in asked] == [
        ("11", Stand.MISSING), ("12", Stand.THERE),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("meters", "sent", "read", "active", "kinds"),
    [
        ((), False, False, True, [Lack.PROFILE]),
        ((METER,), False, False, True, [Lack.READING]),
        ((METER,), True, False, True, [Lack.PROFILE]),
        ((METER,), True, True, True, [Lack.READING, Lack.PROFILE]),
        ((METER,), True, True, False, []),
    ],
)
def test_a_point_is_asked_for_in_the_ways_that_it_reports(meters, sent, read, active, kinds):
    point = MeteringPoint("P-1", channels=("A+",), meters=meters, id=7, active=active)
    ever = frozenset({(7, "A+")} if sent else ())
    asked = told(point, NOW, ever=ever, read=frozenset({3} if read else ())).asked
    assert [one.kind for one in asked] == kinds


@pytest.mark.parametrize(
    ("month", "now", "found"),
    [
        (NOV, DECEMBER, NOV),
        (None, NOW.replace(day=25), NOV),
    ],
)
def test_the_month_is_the_one_asked_for_or_the_one_people_speak_of(month, now, found):
    stands = told(PROFILE, now, month=month, closed={NOV})
    assert (stands.month, stands.is_closed) == (found, True)
    assert stands.deadline == datetime(2026, 12, 3, tzinfo=MOSCOW)
    assert not told(PROFILE, now, month=month).is_closed


@pytest.mark.parametrize(
    ("now", "days"),
    [
        (datetime(2026, 12, 1, tzinfo=MOSCOW), 1),
        (datetime(2026, 12, 2, 23, 59, tzinfo=MOSCOW), 0),
        (datetime(2026, 12, 3, tzinfo=MOSCOW), -1),
        (datetime(2026, 11, 2, 12, tzinfo=MOSCOW), 30),
    ],
)
def test_days_until_the_deadline_are_counted_with_its_own_as_the_last(now, days):
    stands = Standing(None, NOV, datetime(2026, 12, 3, tzinfo=MOSCOW), False, ())
    assert stands.days_left(now) == days


def test_things_are_counted_by_how_they_stand():
    stands = told(READ, NOW)
    assert (stands.count(Stand.LATER), stands.count(Stand.THERE, Stand.PART)) == (1, 0)


def test_an_entity_that_is_none_is_refused():
    store = Some(registry=Some(entity=lambda _code: None))
    with pytest.raises(Refused, match="no such user code"):
        standing(Some(ledger=Some(reading=lambda: nullcontext(store))), "48", NOV, NOW)
