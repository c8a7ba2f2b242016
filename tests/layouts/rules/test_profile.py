"""Whether an interval series is plausible, by its point and by its history."""

from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.findings import Code, Severity
from layouts.parameters import Parameters
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    MOSCOW,
    OWN,
    codes,
    daily,
    date,
    judged,
    known,
    monthly,
    moscow,
    past,
    point,
    profile,
)

# A load that is the same on all days: less by night, more by day.
LOAD = [2000] * 6 + [7000, 8000] + [9100, 9300, 9200, 9400, 9000, 9050, 9150, 9250, 9500, 9350]
LOAD += [8000, 7000, 6000, 5000, 4000, 3000]


def history(load=LOAD, weeks=4):
    """As many weeks of the same day, each a little more or less, so that none is a copy."""
    return [
        [value and value + (3 if week % 2 else -3) for value in load]
        for week in range(weeks)
        for _ in range(7)
    ]


def hourly(values, start=DAY, **more):
    return monthly(profile(values, point=OWN, area=None, start=start, step=60), **more)


def midnight(moment):
    local = moment.astimezone(MOSCOW)
    return local.replace(hour=0)


def found(values, days=None, start=DAY, parameters=None, highest_w=None, **about):
    more = {} if highest_w is None else {"highest_w": highest_w}
    context = known(
        point(OWN, area=None, **about),
        at=start + timedelta(hours=len(values)),
        history={} if days is None else {(None, OWN, "A+"): past(days, midnight(start), **more)},
    )
    document = hourly(values, start, created=start + timedelta(hours=len(values)))
    return judged(document, context, parameters)


def test_energy_over_the_permitted_power_is_a_warning_and_far_over_it_an_error():
    power = Decimal(10)
    assert codes(found([11000], max_power_kw=power)) == []
    warned = found([5, 11001, 11002, 6], max_power_kw=power)
    (told,) = warned.findings
    assert (told.code, told.severity) == (Code.ABOVE_PERMITTED_POWER, Severity.WARNING)
    assert (told.count, told.detail["limit"], told.seen) == (2, "11000", "11002")
    assert warned.verdict is Verdict.ACCEPTED
    assert codes(found([30000], max_power_kw=power)) == [Code.ABOVE_PERMITTED_POWER]
    assert codes(found([30001], max_power_kw=power)) == [Code.ABOVE_MAXIMUM_POWER]
    assert found([30001], max_power_kw=power).verdict is Verdict.REJECTED


def test_half_an_hour_has_half_the_energy():
    context = known(point(max_power_kw=Decimal(10)))
    assert codes(judged(daily(profile([5500] + [1] * 47)), context)) == []
    assert codes(judged(daily(profile([5501] + [1] * 47)), context)) == [Code.ABOVE_PERMITTED_POWER]


def test_values_unfit_for_billing_are_not_judged_further():
    context = known(point(max_power_kw=Decimal(10)))
    values = [10**9, *range(1, 48)]
    flagged = profile(values, not_commercial=frozenset({0}))
    assert codes(judged(daily(flagged), context)) == [Code.NOT_COMMERCIAL]
    assert codes(judged(daily(profile(values)), context)) == [Code.ABOVE_MAXIMUM_POWER]


def test_reactive_energy_knows_no_permitted_power():
    context = known(point(max_power_kw=Decimal(1)))
    assert codes(judged(daily(profile([9000, 1] * 24, channel="R+")), context)) == []


@pytest.mark.parametrize(
    ("values", "fires"),
    [
        ([25000] * 24, True),
        ([25000] * 23 + [25001], False),
        ([7] + [25000] * 24 + [7], True),
        ([0] * 48, False),
        # 19 units of a series that counts in whole kilowatt-hours.
        ([19000] * 24, False),
        ([20000] * 24, True),
    ],
)
def test_a_day_of_equal_values_is_flat_unless_they_are_coarse(values, fires):
    assert (Code.FLAT_PROFILE in codes(found(values))) is fires


def test_a_flat_run_is_told_whole_and_once():
    (told,) = found([1000, 2000] + [30000] * 30 + [1000]).findings
    assert (told.code, told.count, told.seen) == (Code.FLAT_PROFILE, 30, "30000")
    assert told.start == DAY + timedelta(hours=2)


@pytest.mark.parametrize(
    ("evening", "start", "fires"),
    [(12, DAY, True), (11, DAY, False), (12, DAY + timedelta(hours=1), False)],
)
def test_a_flat_run_that_began_the_day_before_is_told_of_its_own_hours(evening, start, fires):
    before = [n * 1000 for n in range(24 - evening)] + [30_000] * evening
    values = [30_000] * 12 + [n * 1000 for n in range(11)]
    told = [(item.code, item.count, item.start) for item in found(values, [before], start).findings]
    assert told == ([(Code.FLAT_PROFILE, 12, DAY)] if fires else [])


def test_two_equal_days_are_a_repeated_day():
    (told,) = found([n * 1000 for n in LOAD] * 2).findings
    assert (told.code, told.count) == (Code.REPEATED_DAY, 24)
    assert told.start == DAY + timedelta(days=1)
    assert told.detail == {"repeats": "2026-11-01"}


def test_two_days_that_differ_or_are_coarse_or_constant_are_not_repeated():
    day = [n * 1000 for n in LOAD]
    assert codes(found([*day, *day[:-1], day[-1] + 1])) == []
    coarse = [1000, 3000] * 12
    assert codes(found(coarse * 2)) == []
    assert Code.REPEATED_DAY not in codes(found([5000] * 48))


def test_a_daily_profile_is_compared_with_the_day_before_it():
    values = [100_000 + n * 1000 for n in range(48)]
    for before, fires in ((values, True), (values[::-1], False), ((), False)):
        hours = [a + b for a, b in zip(before[::2], before[1::2], strict=True)]
        context = known(point(), history={("3300000001", "P1", "A+"): past([hours])})
        checked = judged(daily(profile(values)), context)
        assert (Code.REPEATED_DAY in codes(checked)) is fires


@pytest.mark.parametrize(("factor", "fires"), [(1000, True), (600, True), (100, False), (1, False)])
def test_a_total_a_thousand_times_its_history_has_another_unit(factor, fires):
    checked = found([value * factor for value in LOAD], history())
    assert (Code.UNIT_SUSPECT in codes(checked)) is fires
    if fires:
        assert codes(checked) == [Code.UNIT_SUSPECT]


def test_a_total_a_thousandth_of_its_history_has_another_unit():
    assert codes(found([value // 1000 for value in LOAD], history())) == [Code.UNIT_SUSPECT]


def test_an_interval_far_over_the_series_and_its_history_is_a_spike():
    values = [*LOAD[:-1], 90_000]
    (told,) = found(values, history()).findings
    assert (told.code, told.seen, told.count) == (Code.SPIKE, "90000", 1)
    assert codes(found(values, history(), highest_w=95_000)) == []
    assert codes(found([*LOAD[:-1], 70_000], history())) == []


def test_a_day_without_consumption_is_told_when_its_weekday_has_some():
    monday = moscow(2026, 11, 9)
    (told,) = found([0] * 48, history(), start=monday).findings
    assert (told.code, told.count) == (Code.ALL_ZERO, 48)
    idle = history([0] * 24)
    assert codes(found([0] * 48, idle, start=monday)) == []


@pytest.mark.parametrize(
    ("percent", "fires"), [(19, True), (20, False), (100, False), (500, False), (501, True)]
)
def test_a_day_far_from_its_weekday_s_history_is_high_or_low(percent, fires):
    monday = moscow(2026, 11, 9)
    values = [value * percent // 100 for value in LOAD]
    assert (Code.HIGH_LOW in codes(found(values, history(), start=monday))) is fires


def test_a_wrong_unit_is_told_on_a_public_holiday_too():
    holiday = moscow(2026, 11, 4)
    for factor, told in ((1000, [Code.UNIT_SUSPECT]), (1, [])):
        assert codes(found([v * factor for v in LOAD], history(), holiday)) == told


def test_a_public_holiday_is_not_like_its_weekday():
    assert codes(found([0] * 24, history(), start=moscow(2026, 11, 4))) == []
    assert codes(found([0] * 24, history(), start=moscow(2026, 11, 11))) == [Code.ALL_ZERO]


def test_a_part_of_a_day_is_not_compared_with_a_whole_one():
    assert codes(found([300] * 6, history(), start=moscow(2026, 11, 9))) == []


def test_two_weeks_are_not_enough_for_a_weekday_s_history():
    short = history(weeks=2)
    assert codes(found([0] * 24, short, start=moscow(2026, 11, 9))) == []


def peaks(share):
    """A working week in which the peak hours keep this share of their load."""
    hours = Parameters().peak_hours.of(date(2026, 11, 9))
    return [v * share // 100 if h in hours else v for h, v in enumerate(LOAD)]


@pytest.mark.parametrize(("share", "fires"), [(100, False), (90, False), (75, True)])
def test_a_working_week_that_avoids_the_peak_hours_is_told(share, fires):
    days = [value + 10 * n for n in range(5) for value in peaks(share)]
    checked = found(days, history(), start=moscow(2026, 11, 9))
    assert codes(checked) == ([Code.PEAK_DROP] if fires else [])


def test_a_night_load_that_was_always_one_is_ordinary():
    night = [9000] * 6 + [10] * 17 + [9000]
    days = [value + n for n in range(5) for value in night]
    assert codes(found(days, history(night), start=moscow(2026, 11, 9))) == []


@pytest.mark.parametrize(("days", "fires"), [(1, False), (4, True)])
def test_the_last_five_working_days_on_record_are_judged_together(days, fires):
    values = [value + 10 * n for n in range(days) for value in peaks(70)]
    checked = found(values, history(), start=moscow(2026, 11, 9))
    assert codes(checked) == ([Code.PEAK_DROP] if fires else [])


def test_a_weekend_tells_nothing_of_the_peak_hours():
    assert codes(found([n + 1 for n in peaks(70)], history(), start=moscow(2026, 11, 14))) == []


def test_without_history_nothing_is_said_about_it():
    for values in ([0] * 24, [value * 1000 for value in LOAD], [*LOAD[:-1], 900_000]):
        assert codes(found(values)) == []
        assert codes(found(values, [])) == []
