"""Deadlines, closed months and age; working days and peak hours."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from layouts.calendar import CalendarError, load_calendar, load_peak_hours
from layouts.findings import Code
from layouts.known import RecordedIntervals, RecordedReading
from layouts.parameters import Parameters
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    OWN,
    codes,
    daily,
    date,
    epoch,
    judged,
    known,
    meter,
    monthly,
    moscow,
    point,
    profile,
    reading,
    readings,
    register,
    spans,
)


def october():
    series = profile([1] * 744, point=OWN, area=None, start=moscow(2026, 10, 1), step=60)
    return monthly(series, created=None)


@pytest.mark.parametrize(
    ("document", "context", "deadline"),
    [
        # Registers of midnight on 1 November close October: until the end of 2 November.
        (readings(reading("1")), (point("P1", meter()),), moscow(2026, 11, 3)),
        (october(), (point(OWN, area=None),), moscow(2026, 11, 3)),
        # Sunday 1 November: Monday, Tuesday, a holiday on Wednesday, Thursday.
        (daily(profile()), (point(),), moscow(2026, 11, 6)),
    ],
)
def test_what_comes_after_its_deadline_is_late(document, context, deadline):
    before = known(*context, at=deadline - timedelta(seconds=1))
    assert Code.LATE_SUBMISSION not in codes(judged(document, before))
    checked = judged(document, known(*context, at=deadline))
    assert codes(checked) == [Code.LATE_SUBMISSION]
    assert checked.verdict is Verdict.ACCEPTED
    told = datetime.fromisoformat(checked.findings[0].detail["deadline"])
    assert (told, told.utcoffset()) == (deadline, timedelta(hours=3))


def test_a_cumulative_month_sent_on_its_way_is_not_late():
    series = profile([1] * 24, point=OWN, area=None, step=60)
    context = known(point(OWN, area=None), at=moscow(2026, 11, 20))
    assert codes(judged(monthly(series), context)) == []


def test_a_closed_month_takes_nothing_more():
    closed = frozenset({date(2026, 10, 1)})
    context = known(point("P1", meter()), closed=closed)
    # The reading of 1 November, midnight, is October's.
    checked = judged(readings(reading("1")), context)
    assert codes(checked) == [Code.PERIOD_CLOSED]
    assert checked.findings[0].detail == {"month": "2026-10"}
    later = readings(reading("1", at=DAY + timedelta(hours=1)))
    assert codes(judged(later, context)) == []
    assert codes(judged(daily(profile()), known(point(), closed=closed))) == []
    november = known(point(), closed=frozenset({date(2026, 11, 1)}))
    assert codes(judged(daily(profile()), november)) == [Code.PERIOD_CLOSED]


def test_what_is_older_than_the_limit_is_refused():
    for days, found in ((92, False), (93, True)):
        at = DAY + timedelta(days=1 + days)
        checked = judged(daily(profile()), known(point(), at=at))
        assert (Code.TOO_OLD in codes(checked)) is found


def test_the_days_off_of_known_years_are_those_of_the_government_s_orders():
    calendar = load_calendar()
    off = {
        date(2024, 4, 29),
        date(2024, 12, 31),
        date(2025, 1, 8),
        date(2025, 5, 8),
        date(2025, 6, 13),
        date(2025, 11, 3),
        date(2026, 1, 9),
        date(2026, 3, 9),
        date(2026, 5, 11),
        date(2026, 11, 4),
        date(2026, 12, 31),
    }
    assert not any(calendar.is_working(day) for day in off)
    working = {
        date(2024, 4, 27),
        date(2024, 11, 2),
        date(2025, 2, 24),
        date(2025, 3, 10),
        date(2025, 11, 1),
        date(2026, 1, 12),
        date(2026, 5, 12),
    }
    assert all(calendar.is_working(day) for day in working)


@pytest.mark.parametrize(("year", "expected"), [(2024, 248), (2025, 247), (2026, 247)])
def test_a_year_has_as_many_working_days_as_its_published_calendar(year, expected):
    calendar = load_calendar()
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    assert sum(calendar.is_working(day) for day in days if day.year == year) == expected


def test_a_year_without_an_order_follows_the_law():
    calendar = load_calendar()
    assert not calendar.is_working(date(2027, 5, 3))
    assert not calendar.is_working(date(2027, 6, 14))
    assert calendar.is_working(date(2027, 1, 11))


def test_peak_hours_of_a_month_may_be_given_exactly(tmp_path):
    file = tmp_path / "peak.toml"
    file.write_text('[months]\n11 = [8]\n[exact]\n"2026-11" = [17, 18]\n')
    hours = load_peak_hours(file)
    assert hours.of(date(2026, 11, 5)) == {17, 18}
    assert hours.of(date(2025, 11, 5)) == {8}
    assert hours.of(date(2025, 12, 5)) == set()
    assert load_peak_hours().of(date(2026, 6, 1)) == {9, 10, 11, 12, 13, 14}


@pytest.mark.parametrize(
    "text", ["", "months = 1", "[months]\n11 = [24]", "[months]\n11 = 8", "no toml"]
)
def test_a_wrong_file_of_peak_hours_is_named(tmp_path, text):
    file = tmp_path / "peak.toml"
    file.write_text(text)
    with pytest.raises(CalendarError, match=r"peak\.toml: "):
        load_peak_hours(file)


@pytest.mark.parametrize(
    "text",
    [
        "",
        'holidays = ["13-01"]',
        "holidays = [1]",
        'holidays = ["01-01"]\nmoved = [{ from = 2026-01-01 }]',
        'holidays = ["01-01"]\nmoved = [{ from = "2026-01-01", to = "2026-01-02" }]',
    ],
)
def test_a_wrong_calendar_is_named(tmp_path, text):
    file = tmp_path / "days.toml"
    file.write_text(text)
    with pytest.raises(CalendarError, match=r"days\.toml: "):
        load_calendar(file)


@pytest.mark.parametrize(
    "wrong",
    [
        {"oldest_days": 0},
        {"register_deadline_day": 29},
        {"peak_drop_share": Decimal("1.1")},
        {"low_factor": Decimal(-1)},
        {"maximum_power_factor": Decimal(1)},
        {"spike_factor": 8.5},
        {"flat_hours": True},
        {"low_factor": Decimal("NaN")},
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        Parameters(**wrong)


def test_a_deadline_follows_its_parameter():
    late = known(point("P1", meter()), at=moscow(2026, 11, 4))
    patient = Parameters(register_deadline_day=5)
    assert codes(judged(readings(reading("1")), late, patient)) == []


@pytest.mark.parametrize(
    ("hours", "ahead"),
    [
        # The hour that ends at the moment of receipt has come; the zeros behind it are none.
        ([5, 0, 0, 0], []),
        ([5, 0, 0, None], []),
        ([5, 7, 0, 0], []),
        ([5, 7, 1, 0], [2]),
        # A zero before a value is told with it.
        ([5, 7, 0, 1], [2]),
    ],
)
def test_only_zeros_and_nothing_may_stand_for_hours_to_come(hours, ahead):
    series = profile(hours, point=OWN, area=None, step=60)
    context = known(point(OWN, area=None), at=DAY + timedelta(hours=2))
    checked = judged(monthly(series, created=None), context)
    told = [one for one in checked.findings if one.code is Code.READING_IN_FUTURE]
    assert [one.start for one in told] == [DAY + timedelta(hours=n) for n in ahead]
    if not ahead:
        assert [len(change.series.values) for change in checked.changes] == [2]


def test_flags_go_with_the_values_that_are_kept():
    series = profile([5, 7, 0], point=OWN, area=None, step=60, not_commercial=frozenset({1, 2}))
    context = known(point(OWN, area=None), at=DAY + timedelta(hours=2))
    (change,) = judged(monthly(series, created=None), context).changes
    assert (change.series.values, change.series.not_commercial) == ([5, 7], {1})


@pytest.mark.parametrize(("seconds", "told"), [(-1, True), (0, False)])
def test_a_reading_of_the_moment_of_receipt_is_not_of_the_future(seconds, told):
    context = known(point("P1", meter()), at=DAY + timedelta(seconds=seconds))
    found = codes(judged(readings(reading("1"), created=None), context))
    assert (Code.READING_IN_FUTURE in found) is told


@pytest.mark.parametrize(("seconds", "told"), [(-1, True), (0, False)])
def test_a_reading_of_the_moment_of_making_may_be_in_the_document(seconds, told):
    document = readings(reading("1"), created=DAY + timedelta(seconds=seconds))
    found = codes(judged(document, known(point("P1", meter()))))
    assert (Code.READING_BEFORE_ITS_MOMENT in found) is told


OCTOBER, NOVEMBER_ = date(2026, 10, 1), date(2026, 11, 1)


@pytest.mark.parametrize(
    ("on_record", "closed", "told"),
    [
        # A closed month takes no other value, and the one that it has.
        ({DAY: "5"}, OCTOBER, ["2026-10"]),
        ({DAY: "1"}, OCTOBER, []),
        ({}, OCTOBER, ["2026-10"]),
        # The reading of its beginning decides its consumption as well.
        ({moscow(2026, 12, 1): "9"}, NOVEMBER_, ["2026-11"]),
        ({DAY: "5", moscow(2026, 12, 1): "9"}, NOVEMBER_, ["2026-11"]),
        ({DAY: "1", moscow(2026, 12, 1): "9"}, NOVEMBER_, []),
        ({DAY: "5"}, NOVEMBER_, []),
    ],
)
def test_a_reading_may_not_change_what_a_closed_month_was_billed_by(on_record, closed, told):
    key = register()
    there = {
        (*key, epoch(at)): RecordedReading(Decimal(value), newer=False, layout="52006")
        for at, value in on_record.items()
    }
    rows = {key: [(epoch(at), Decimal(value)) for at, value in on_record.items()]}
    context = known(
        point("P1", meter()), readings=there, registers=rows, closed=frozenset({closed})
    )
    checked = judged(readings(reading("1")), context)
    found = [one.detail["month"] for one in checked.findings if one.code is Code.PERIOD_CLOSED]
    assert found == told


@pytest.mark.parametrize(
    ("first", "changed", "told"),
    [
        # Twelve hours of October and twelve of November, by which of them changes.
        (-12, [0], ["2026-10"]),
        (-12, [11], ["2026-10"]),
        (-12, [12], []),
        (-12, [], []),
        (0, [0], []),
    ],
)
def test_a_profile_changes_a_closed_month_by_the_values_that_lie_in_it(first, changed, told):
    start = DAY + timedelta(hours=first)
    starts = [epoch(start) + 3600 * n for n in range(24)]
    there = RecordedIntervals(
        starts, [n + (9 if n in changed else 0) for n in range(24)], step_minutes=60
    )
    series = profile(range(24), point=OWN, area=None, start=start, step=60)
    context = known(
        point(OWN, area=None), intervals={(None, OWN, "A+"): there}, closed=frozenset({OCTOBER})
    )
    checked = judged(monthly(series, created=None), context)
    found = [one.detail["month"] for one in checked.findings if one.code is Code.PERIOD_CLOSED]
    assert found == told


def test_intervals_apart_keep_their_own_spans_without_the_padding():
    at = spans((0, 60), (120, 180), (60, 120), (180, 240))
    series = profile([5, 0, 7, 0], point=OWN, area=None, step=60, spans=at)
    context = known(point(OWN, area=None), at=DAY + timedelta(hours=2))
    checked = judged(monthly(series, created=None), context)
    (change,) = checked.changes
    assert (change.series.values, change.series.spans) == ([5, 7], (at[0], at[2]))
    assert codes(checked) == []
