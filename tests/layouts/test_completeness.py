"""What of a month is missing, told from the register of points and what is in force."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from layouts.completeness import (
    Lack,
    MonthState,
    ProfileMonth,
    RegisterMonth,
    expected_readings,
    missing,
    register_deadline,
)
from layouts.consumed import consumed_wh, is_rollover
from layouts.months import bounds, month_at, parse_month, preceding
from layouts.points import Meter, MeteringPoint

NOVEMBER = date(2026, 11, 1)
START, END = bounds(NOVEMBER)
FIRST, LAST = int(START.timestamp()), int(END.timestamp())
DAY = 86400
NOON_OF_THE_4TH = START + timedelta(days=3, hours=12)
AFTER = END + timedelta(hours=1)

PROFILE = MeteringPoint("P", channels=("A+",), id=1)
METER = Meter("M", channels=("A+",), zones=("T1", "T2"), id=10)
METERED = MeteringPoint("Q", meters=(METER,), id=2)


def with_profile(*spans, point=1, channel="A+", ever=()):
    return MonthState(
        NOVEMBER,
        profiles={(point, channel): ProfileMonth(spans, values=1)} if spans else {},
        ever=frozenset({(point, channel), *ever}) if spans else frozenset(ever),
    )


def with_readings(*readings, meter=10):
    """Readings as (zone, seconds after the month's start)."""
    return MonthState(
        NOVEMBER,
        registers={
            (meter, "A+", zone): RegisterMonth(((FIRST + at, Decimal(5)),)) for zone, at in readings
        },
        read=frozenset({meter}),
    )


def told(points, state, now):
    return [(item.kind, item.channel, item.zones) for item in missing(points, state, now)]


def spans(item):
    return [(int(a.timestamp()) - FIRST, int(b.timestamp()) - FIRST) for a, b in item.spans]


def test_a_point_that_sent_nothing_lacks_every_whole_day_so_far():
    (item,) = missing([PROFILE], MonthState(NOVEMBER), NOON_OF_THE_4TH)

    assert (item.kind, item.whole) == (Lack.PROFILE, True)
    assert spans(item) == [(0, 3 * DAY)]


def test_gaps_are_told_as_spans_and_what_touches_is_no_gap():
    state = with_profile((FIRST, FIRST + 3600), (FIRST + 3600, FIRST + 7200), (FIRST + DAY, LAST))

    (item,) = missing([PROFILE], state, NOON_OF_THE_4TH)

    assert spans(item) == [(7200, DAY)]
    assert not item.whole


def test_a_profile_reported_to_the_last_midnight_is_whole():
    assert missing([PROFILE], with_profile((FIRST, FIRST + 3 * DAY)), NOON_OF_THE_4TH) == ()


def test_a_month_that_has_ended_lacks_nothing_beyond_its_end():
    (item,) = missing([PROFILE], MonthState(NOVEMBER), END + timedelta(days=40))

    assert spans(item) == [(0, LAST - FIRST)]


def test_nothing_is_missing_before_the_month_begins():
    assert missing([PROFILE, METERED], MonthState(NOVEMBER), START - timedelta(days=5)) == ()


def test_a_point_with_a_meter_owes_no_profile_until_it_has_sent_one():
    assert told([METERED], MonthState(NOVEMBER), NOON_OF_THE_4TH) == []

    once = with_profile(ever=[(2, "R+")])
    assert told([METERED], once, NOON_OF_THE_4TH) == [(Lack.PROFILE, "R+", ())]


def test_a_point_that_sends_profiles_and_was_never_read_owes_no_readings():
    once = with_profile((FIRST, LAST), point=2)

    assert told([METERED], once, AFTER) == []


def test_channels_that_are_not_registered_are_those_ever_sent():
    bare = MeteringPoint("P", id=1)

    assert told([bare], MonthState(NOVEMBER), AFTER) == [(Lack.PROFILE, "A+", ())]
    ever = with_profile(ever=[(1, "R-"), (1, "A-")])
    assert told([bare], ever, AFTER) == [(Lack.PROFILE, "A-", ()), (Lack.PROFILE, "R-", ())]


def test_closing_readings_are_asked_for_when_the_month_has_ended():
    assert told([METERED], MonthState(NOVEMBER), END - timedelta(seconds=1)) == []
    assert told([METERED], MonthState(NOVEMBER), END) == [(Lack.READING, "A+", ("T1", "T2"))]


@pytest.mark.parametrize("at", [1, 25 * DAY, LAST - FIRST])
def test_any_reading_after_the_start_and_until_the_end_is_the_months(at):
    assert told([METERED], with_readings(("T1", at), ("T2", at)), AFTER) == []


def test_the_reading_at_the_months_start_is_that_of_the_month_before():
    state = MonthState(
        NOVEMBER,
        registers={(10, "A+", "T1"): RegisterMonth(before=(FIRST, Decimal(5)))},
        read=frozenset({10}),
    )

    (item,) = missing([METERED], state, AFTER)
    assert (item.zones, item.whole) == (("T1", "T2"), True)


def test_a_zone_left_out_is_told_by_its_name():
    (item,) = missing([METERED], with_readings(("T1", LAST - FIRST)), AFTER)

    assert (item.zones, item.whole) == (("T2",), False)


def test_zones_that_are_not_registered_are_those_ever_read_else_the_total():
    bare = MeteringPoint("Q", meters=(Meter("M", id=10),), id=2)

    assert told([bare], MonthState(NOVEMBER), AFTER) == [(Lack.READING, "A+", ("T0",))]
    known = MonthState(NOVEMBER, registers={(10, "R+", "T3"): RegisterMonth()})
    assert told([bare], known, AFTER) == [(Lack.READING, "R+", ("T3",))]


def test_a_meter_replaced_in_the_month_needs_its_last_and_the_new_one_its_first_reading():
    old = Meter("OLD", removed=date(2026, 11, 10), channels=("A+",), zones=("T0",), id=11)
    new = Meter("NEW", installed=date(2026, 11, 10), channels=("A+",), zones=("T0",), id=12)
    point = MeteringPoint("Q", meters=(old, new), id=2)

    found = missing([point], MonthState(NOVEMBER), AFTER)

    assert [(item.kind, item.meter.number) for item in found] == [
        (Lack.LAST_READING, "OLD"),
        (Lack.FIRST_READING, "NEW"),
        (Lack.READING, "NEW"),
    ]


def test_a_new_meters_first_reading_does_not_stand_for_the_months():
    new = Meter("M", installed=date(2026, 11, 10), channels=("A+",), zones=("T0",), id=10)
    point = MeteringPoint("Q", meters=(new,), id=2)

    state = with_readings(("T0", 9 * DAY + 3600))

    assert told([point], state, AFTER) == [(Lack.READING, "A+", ("T0",))]


@pytest.mark.parametrize(
    "meter",
    [
        Meter("M", removed=date(2026, 10, 31)),
        Meter("M", installed=date(2026, 12, 1)),
    ],
)
def test_a_meter_that_was_not_there_in_the_month_is_not_asked_for(meter):
    assert list(expected_readings(meter, NOVEMBER)) == []


def test_readings_are_due_at_the_end_of_the_second_day_of_the_next_month():
    assert register_deadline(NOVEMBER).isoformat() == "2026-12-03T00:00:00+03:00"


def test_a_month_is_a_moscow_month():
    assert bounds(parse_month("2026-11")) == (START, END)
    assert START.astimezone(UTC) == datetime(2026, 10, 31, 21, tzinfo=UTC)
    assert month_at(datetime(2026, 10, 31, 21, tzinfo=UTC)) == NOVEMBER
    assert preceding(date(2026, 1, 15)) == date(2025, 12, 1)


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "٢٠٢٦-11"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(ValueError, match="not a month like 2026-11"):
        parse_month(text)


@pytest.mark.parametrize(
    ("before", "after", "ratio", "digits", "wh"),
    [
        ("12345.67", "12468.90", "40", 6, 4_929_200),
        ("999999.50", "0.25", "1", 6, 750),
        ("100", "99", "1", None, None),
        ("0", "0.0005", "1", None, 1),
        ("0", "0.0004999", "1", None, 0),
        ("0", "999999999999.999999", "120000.5", None, 120000500000000000_000 - 120),
        ("1.1", "1.1", "1.5", 5, 0),
    ],
)
def test_consumption_is_the_difference_times_the_ratio_in_whole_watt_hours(
    before, after, ratio, digits, wh
):
    args = Decimal(before), Decimal(after)
    assert consumed_wh(*args, Decimal(ratio), digits) == wh


def test_a_register_that_shows_less_has_rolled_over_when_its_digits_are_known():
    assert is_rollover(Decimal(9), Decimal(1), 4)
    assert not is_rollover(Decimal(9), Decimal(1), None)
    assert not is_rollover(Decimal(1), Decimal(9), 4)
