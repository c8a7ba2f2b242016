"""Whether an interval series is plausible, by its point and by its history."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from layouts.findings import Code, Severity
from layouts.known import SeriesHistory
from layouts.parameters import Parameters
from layouts.rules.past import Past
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    LAYOUTS,
    MOSCOW,
    OWN,
    codes,
    daily,
    date,
    epoch,
    judged,
    known,
    monthly,
    moscow,
    past,
    point,
    profile,
    spans,
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


@pytest.mark.parametrize("hours", [24, 25, 30, 31])
def test_a_flat_run_is_told_whole_and_once(hours):
    (told,) = found([1000, 2000] + [30000] * hours + [1000]).findings
    assert (told.code, told.count, told.seen) == (Code.FLAT_PROFILE, hours, "30000")
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


@pytest.mark.parametrize(("share", "fires"), [(100, False), (86, False), (85, True)])
def test_a_working_week_that_avoids_the_peak_hours_is_told(share, fires):
    days = [value + 10 * n for n in range(5) for value in peaks(share)]
    monday = moscow(2026, 11, 9)
    checked = found(days, history(), start=monday)
    assert codes(checked) == ([Code.PEAK_DROP] if fires else [])
    assert all(
        (told.start, told.end) == (monday, monday + timedelta(days=5)) for told in checked.findings
    )


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


@pytest.mark.parametrize(("hours", "fires"), [(5, False), (6, True)])
def test_a_flat_run_is_as_long_as_its_parameter_says(hours, fires):
    for step, each in ((60, 1), (30, 2)):
        values = [30_000] * hours * each + [n * 1000 for n in range((24 - hours) * each)]
        document = daily(profile(values, step=step))
        found = codes(judged(document, known(point()), Parameters(flat_hours=6)))
        assert (Code.FLAT_PROFILE in found) is fires


def test_intervals_apart_are_neither_flat_nor_repeated_nor_out_of_line():
    values = [n * 1000 for n in LOAD] * 2
    for hours in ([25_000] * 48, values, [0] * 48, peaks(70) * 2):
        monday = moscow(2026, 11, 9)
        at = spans(*((n * 60, n * 60 + 60) for n in range(48)), start=monday)
        series = profile(hours, point=OWN, area=None, start=monday, step=60, spans=at)
        context = known(
            point(OWN, area=None),
            at=monday + timedelta(days=2),
            history={(None, OWN, "A+"): past(history(), monday)},
        )
        told = {Code.FLAT_PROFILE, Code.REPEATED_DAY, Code.ALL_ZERO, Code.HIGH_LOW, Code.PEAK_DROP}
        assert told.isdisjoint(codes(judged(monthly(series, created=None), context)))


@pytest.mark.parametrize(("different", "fires"), [(11, False), (12, True)])
def test_a_day_repeats_when_enough_different_values_stand_in_it(different, fires):
    day = [n % different * 1000 for n in range(24)]
    assert (Code.REPEATED_DAY in codes(found(day * 2))) is fires


@pytest.mark.parametrize(("days", "fires"), [(35, True), (36, False)])
def test_a_day_may_repeat_one_of_five_weeks_before(days, fires):
    day = [n * 1000 for n in LOAD]
    before = [day, *([n] * 24 for n in range(days - 1))]
    assert (Code.REPEATED_DAY in codes(found(day, before))) is fires
    for load in ("constant", "timed"):
        assert Code.REPEATED_DAY not in codes(found(day, before, load=load))


@pytest.mark.parametrize(
    ("factor", "fires"), [("0.002", True), ("0.0021", False), ("500", True), ("499", False),
                          ("2000", True), ("2001", False), ("0.0005", True), ("0.0004", False)],
)  # fmt: skip
def test_another_unit_is_a_factor_of_five_hundred_to_two_thousand(factor, fires):
    values = [int(Decimal(factor) * 1_000_000)] * 24
    days = [[1_000_000] * 24] * 28
    assert (Code.UNIT_SUSPECT in codes(found(values, days))) is fires


@pytest.mark.parametrize(("hours", "fires"), [(5, False), (6, True)])
def test_another_unit_is_told_of_six_hours_that_history_knows(hours, fires):
    before = history([1000] * 24)
    assert (Code.UNIT_SUSPECT in codes(found([1_000_000] * hours, before))) is fires


@pytest.mark.parametrize(("lacking", "fires"), [(0, True), (1, False)])
def test_a_level_is_known_by_a_whole_week(lacking, fires):
    week = past(history(weeks=1))
    covered = bytes([0] * lacking + [1] * (168 - lacking))
    context = known(
        point(OWN, area=None),
        at=DAY + timedelta(days=1),
        history={(None, OWN, "A+"): replace(week, whole=covered)},
    )
    checked = judged(hourly([value * 1000 for value in LOAD], created=None), context)
    assert (Code.UNIT_SUSPECT in codes(checked)) is fires


# Of twenty values the nineteenth is the 95th percentile: of 9000 eight times are 72000.
QUIET = [8000] * 18 + [9000]


@pytest.mark.parametrize(
    ("values", "about", "fires"),
    [
        ([*QUIET, 72_000], {}, False),
        ([*QUIET, 72_001], {}, True),
        # Too few to tell the percentile from the largest.
        ([*QUIET[1:], 72_001], {}, False),
        # At least twenty kilowatt-hours where the power is not known.
        ([1000] * 19 + [20_000], {}, False),
        ([1000] * 19 + [20_001], {}, True),
        # A twentieth of the permitted power where it is.
        ([1000] * 19 + [10_000], {"max_power_kw": Decimal(200)}, False),
        ([1000] * 19 + [10_001], {"max_power_kw": Decimal(200)}, True),
        # What history has had is none.
        ([*QUIET, 80_000], {"highest_w": 80_000}, False),
        ([*QUIET, 80_001], {"highest_w": 80_000}, True),
    ],
)
def test_a_spike_is_far_over_the_series_and_its_history_and_the_point(values, about, fires):
    assert (Code.SPIKE in codes(found(values, history(), **about))) is fires


def test_two_intervals_in_a_row_are_one_spike():
    (told,) = found([*QUIET, *QUIET, 73_000, 74_000], history()).findings
    assert (told.code, told.count, told.seen) == (Code.SPIKE, 2, "73000")
    assert told.detail["limit"] == "72000"


@pytest.mark.parametrize(
    ("start", "factor", "fires"),
    [
        # A Saturday of a tenth may have what five working days have, and no more.
        (moscow(2026, 11, 14), 50, False),
        (moscow(2026, 11, 14), 51, True),
        # A Monday that is a tenth of the other working days may not.
        (moscow(2026, 11, 9), 5, False),
        (moscow(2026, 11, 9), 6, True),
    ],
)
def test_a_day_off_may_have_what_working_days_have(start, factor, fires):
    # The day itself has a tenth of what the six after it have.
    days = [[value * (10 if n % 7 else 1) + n // 7 for value in LOAD] for n in range(28)]
    values = [value * factor for value in LOAD]
    assert (Code.HIGH_LOW in codes(found(values, days, start=start))) is fires


@pytest.mark.parametrize(("weeks", "fires"), [(1, False), (2, True)])
def test_the_peak_hours_of_a_weekday_are_known_by_two_of_it(weeks, fires):
    days = [value + 10 * n for n in range(5) for value in peaks(70)]
    checked = found(days, history(weeks=weeks), start=moscow(2026, 11, 23))
    assert (Code.PEAK_DROP in codes(checked)) is fires


@pytest.mark.parametrize(("off", "fires"), [(7, True), (8, False)])
def test_a_load_that_is_off_for_eight_hours_is_not_asked_of_its_peak(off, fires):
    def rested(load):
        return [0] * off + load[off:]

    days = [value and value + 10 * n for n in range(5) for value in rested(peaks(60))]
    found_ = codes(found(days, history(rested(LOAD)), start=moscow(2026, 11, 9)))
    assert (Code.PEAK_DROP in found_) is fires


@pytest.mark.parametrize("channel", ["A-", "R+", "R-"])
def test_capacity_is_paid_by_active_energy_that_is_taken(channel):
    monday = moscow(2026, 11, 9)
    days = [value + 10 * n for n in range(5) for value in peaks(70)]
    context = known(
        point(OWN, area=None),
        at=monday + timedelta(days=5),
        history={(None, OWN, channel): past(history(), monday)},
    )
    series = profile(days, point=OWN, area=None, start=monday, step=60, channel=channel)
    assert codes(judged(monthly(series, created=None), context)) == []


def test_a_day_on_record_without_energy_says_nothing_of_the_peak():
    days = [value + 10 * n for n in range(5) for value in peaks(70)]
    idle = history()
    idle[1] = [0] * 24
    assert Code.PEAK_DROP in codes(found(days, idle, start=moscow(2026, 11, 9)))


def test_each_weekday_has_its_own_peak():
    # Wednesdays alone work by night, ten times as much; the fourth of November was none.
    night = [90_000] * 6 + [100] * 17 + [90_000]
    start = moscow(2026, 11, 2)
    before = [night if n % 7 == 2 else day for n, day in enumerate(history())]
    days = [value + 10 * n for n in range(5) for value in (LOAD if n != 2 else [1] * 24)]
    assert Code.PEAK_DROP not in codes(found(days, before, start=start))


@pytest.mark.parametrize(("percent", "fires"), [(64, False), (63, True)])
def test_a_load_whose_days_differ_by_chance_must_drop_by_more(percent, fires):
    hours = Parameters().peak_hours.of(date(2026, 11, 9))
    # The peak hours have a fifth more on one day and a fifth less on the next.
    before = [
        [v * (100 + (20 if n % 2 else -20)) // 100 if h in hours else v for h, v in enumerate(LOAD)]
        for n in range(28)
    ]
    days = [value + 10 * n for n in range(5) for value in peaks(percent)]
    checked = codes(found(days, before, start=moscow(2026, 11, 9)))
    assert (Code.PEAK_DROP in checked) is fires


def test_hours_of_a_changeover_day_count_for_the_hour_that_the_clock_shows():
    berlin = ZoneInfo("Europe/Berlin")
    for first, hours, double in ((date(2026, 10, 25), 25, 2), (date(2026, 3, 29), 23, None)):
        start = datetime.combine(first, time(), berlin)
        energy = list(range(100, 100 + hours + 24))
        beside = Past(SeriesHistory(epoch(start), energy, bytes([1]) * len(energy)), berlin)
        assert [(day.date, day.last - day.first) for day in beside.days] == [
            (first, hours),
            (first + timedelta(days=1), 24),
        ]
        sums, dates = beside.by_hour_of_week
        sunday = dates[6 * 24 :]
        assert sunday == [
            2 if hour == double else 0 if hours == 23 and hour == 2 else 1 for hour in range(24)
        ]
        assert sums[6 * 24 + 23] == 100 + hours - 1
        assert sums[:24] == energy[hours:]


@pytest.mark.parametrize("other", range(24))
def test_a_run_with_another_value_anywhere_is_not_flat(other):
    values = [25_000] * other + [25_001] + [25_000] * (23 - other)
    assert Code.FLAT_PROFILE not in codes(found(values))


@pytest.mark.parametrize(("day", "told"), [(1, True), (8, False)])
def test_a_weekend_day_that_is_worked_by_decree_is_like_a_working_day(day, told):
    # 1 November 2025 was a Saturday that was worked; on the next one nobody does.
    saturday = moscow(2025, 11, day)
    days = [[0] * 24 if n % 7 in (0, 1) else [value + n for value in LOAD] for n in range(28)]
    checked = found([0] * 24, days, start=saturday)
    assert codes(checked) == ([Code.ALL_ZERO] if told else [])


def test_what_a_weekday_had_once_is_in_line():
    monday = moscow(2026, 11, 9)
    days = history()
    days[0] = [value // 10 for value in LOAD]
    for values, told in ((days[0], False), ([value // 11 for value in LOAD], True)):
        assert (Code.HIGH_LOW in codes(found(values, days, start=monday))) is told


@pytest.mark.parametrize(
    ("day", "fires"),
    [
        # A Wednesday off by decree is like a Sunday, another one like its own kind.
        (moscow(2026, 11, 4), True),
        (moscow(2026, 11, 11), True),
        (moscow(2026, 11, 13), False),
    ],
)
def test_another_unit_of_a_day_off_is_told_by_its_sundays(day, fires):
    first = (day.astimezone(MOSCOW) - timedelta(days=28)).weekday()
    # Fridays have ten times as much.
    before = [
        [value * (10 if (first + n) % 7 == 4 else 1) for value in load]
        for n, load in enumerate(history())
    ]
    assert (Code.UNIT_SUSPECT in codes(found([v * 1500 for v in LOAD], before, day))) is fires


def test_days_of_which_history_lacks_hours_are_no_days_of_the_peak():
    days = [value + 10 * n for n in range(5) for value in peaks(70)]
    monday = moscow(2026, 11, 23)
    whole = past(history(), monday)
    context = {"at": monday + timedelta(days=5), "history": {}}
    for weeks, fires in ((2, True), (3, False)):
        # The last two weeks of history, or the last one alone, have every hour.
        covered = bytes(([0] + [1] * 23) * (7 * weeks) + [1] * (24 * 7 * (4 - weeks)))
        context["history"] = {(None, OWN, "A+"): replace(whole, whole=covered)}
        checked = judged(
            hourly(days, monday, created=context["at"]), known(point(OWN, area=None), **context)
        )
        assert (Code.PEAK_DROP in codes(checked)) is fires


def test_an_empty_value_beside_one_over_the_power_is_not_over_it():
    values = [None, 11001, None, 40000, None]
    over = [one for one in found(values, max_power_kw=Decimal(10)).findings if one.start]
    told = {one.code: one.start for one in over}
    assert told[Code.ABOVE_PERMITTED_POWER] == DAY + timedelta(hours=1)
    assert told[Code.ABOVE_MAXIMUM_POWER] == DAY + timedelta(hours=3)


def test_the_last_days_of_history_are_those_before_its_end():
    zone = ZoneInfo("Europe/Moscow")
    start = DAY - timedelta(days=5)
    energy = list(range(5 * 24))
    whole = Past(SeriesHistory(epoch(start), energy, bytes([1]) * len(energy)), zone)
    two = whole.last(2)
    assert [day.date for day in two.days] == [date(2026, 10, 30), date(2026, 10, 31)]
    assert [two.values(day) for day in two.days] == [energy[72:96], energy[96:]]
    assert (two.end, two.highest_w) == (whole.end, whole.highest_w)
    assert (whole.last(5), whole.last(6)) == (whole, whole)


@pytest.mark.parametrize("step", [5, 15, 45, 90, 120, 480, 1440])
@pytest.mark.parametrize("share", [100, 60])
def test_a_layout_may_have_any_step_that_divides_a_day(monkeypatch, step, share):
    of_step = replace(LAYOUTS["52005"], step_minutes=(step,))
    monkeypatch.setitem(LAYOUTS, "52005", of_step)
    monday = moscow(2026, 11, 9)
    hours = [value + 10 * n for n in range(7) for value in peaks(share)]
    hours[150] = None
    minutes = [value and value / 60 for value in hours for _ in range(60)]
    values = [
        None if None in minutes[at : at + step] else round(sum(minutes[at : at + step]))
        for at in range(0, len(minutes), step)
    ]
    context = known(
        point(OWN, area=None),
        at=monday + timedelta(days=7),
        history={(None, OWN, "A+"): past(history(), monday)},
    )
    series = profile(values, point=OWN, area=None, start=monday, step=step)
    told = codes(judged(monthly(series, created=None), context))
    # The hours of the peak can be told apart where the step divides an hour.
    assert (Code.PEAK_DROP in told) is (share == 60 and step < 60 and 60 % step == 0)
    assert Code.WRONG_STEP not in told
