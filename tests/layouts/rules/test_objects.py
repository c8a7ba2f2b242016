"""Rules about the structure of series and the looks of readings."""

from dataclasses import replace
from datetime import timedelta

import pytest

from layouts.document import Places
from layouts.findings import OVERRIDABLE, Code, Place, Severity, finding
from layouts.known import RecordedIntervals, RecordedReading
from layouts.rules import check
from layouts.rules.registers import MOST_TOLD, decimals
from tests.layouts.rules.build import (
    DAY,
    INN,
    LAYOUTS,
    NEXT,
    NOVEMBER,
    OWN,
    Decimal,
    codes,
    daily,
    epoch,
    judged,
    known,
    meter,
    monthly,
    point,
    profile,
    reading,
    readings,
    register,
    spans,
)


def hours(*pairs, values=None):
    at = spans(*((a * 60, b * 60) for a, b in pairs))
    return profile(values or [1000] * len(at), point=OWN, area=None, step=60, spans=at)


def month(series):
    return judged(monthly(series), known(point(OWN, area=None)))


@pytest.mark.parametrize("times", [2, 3])
def test_an_interval_told_again_is_a_duplicate_at_each_of_its_places(times):
    checked = month(hours((0, 1), *[(1, 2)] * times))
    assert codes(checked) == [Code.DUPLICATE_INTERVAL] * times
    assert checked.findings[0].start == DAY + timedelta(hours=1)


def test_the_same_channel_told_twice_is_a_duplicate():
    checked = judged(daily(profile(), profile()), known(point()))
    assert codes(checked) == [Code.DUPLICATE_INTERVAL] * 96


def test_an_interval_left_out_between_two_is_missing():
    (told,) = month(hours((0, 1), (1, 2), (4, 5))).findings
    assert (told.code, told.count) == (Code.MISSING_INTERVAL, 2)
    assert (told.start, told.end) == (DAY + timedelta(hours=2), DAY + timedelta(hours=4))


def test_intervals_in_any_order_are_not_missing():
    assert codes(month(hours((1, 2), (0, 1), (2, 3)))) == []


def test_a_month_may_stop_early_but_a_day_may_not():
    assert codes(month(profile([1] * 5, point=OWN, area=None, step=60))) == []
    (told,) = judged(daily(profile([1] * 46)), known(point())).findings
    assert (told.code, told.count) == (Code.MISSING_INTERVAL, 2)
    assert told.end == NEXT
    (told,) = judged(
        daily(profile([1] * 47, start=DAY + timedelta(minutes=30))), known(point())
    ).findings
    assert (told.code, told.start, told.count) == (Code.MISSING_INTERVAL, DAY, 1)


def test_a_day_of_hours_is_as_whole_as_one_of_half_hours():
    assert codes(judged(daily(profile([1] * 24, step=60)), known(point()))) == []


def test_a_step_that_the_layout_does_not_have_is_wrong():
    (told,) = judged(daily(profile([1] * 96, step=15)), known(point())).findings
    assert (told.code, told.seen, told.count) == (Code.WRONG_STEP, "15", 96)


def test_an_interval_longer_than_the_others_is_wrong():
    assert codes(month(hours((0, 1), (1, 3)))) == [Code.WRONG_STEP]


@pytest.mark.parametrize(
    ("newer", "first", "found"),
    [
        ([], 0, [Code.VALUE_CHANGED]),
        # A newer document brought the day in its own step, or this one brings a part of it.
        ([(0, 24)], 0, [Code.WRONG_STEP]),
        ([], -1, [Code.WRONG_STEP]),
    ],
)
def test_a_day_on_record_in_another_step_is_replaced_as_a_whole_or_not(newer, first, found):
    hour, start = 3600, epoch(DAY)
    in_force = RecordedIntervals(
        other=[(start + first * hour, start + (first + 1) * hour, 5)],
        newer=[(start + a * hour, start + b * hour) for a, b in newer],
    )
    context = known(point(), intervals={(INN, "P1", "A+"): in_force})
    assert codes(judged(daily(profile()), context)) == found


def test_beside_another_layout_the_step_is_not_told_but_the_overlap():
    there = (epoch(DAY), epoch(DAY) + 24 * 3600, "52005")
    in_force = RecordedIntervals([epoch(DAY)], [5], step_minutes=60, elsewhere=[there])
    context = known(point(), intervals={(INN, "P1", "A+"): in_force})
    assert codes(judged(daily(profile()), context)) == [Code.OVERLAP]


def test_intervals_that_partly_overlap_are_refused():
    assert codes(month(hours((0, 1), (1, 2), (1, 3)))) == [Code.WRONG_STEP, Code.OVERLAP]
    half = spans((0, 60), (30, 90))
    assert codes(month(profile([1, 2], point=OWN, area=None, step=60, spans=half))) == [
        Code.OVERLAP
    ]


def test_a_span_that_another_layout_has_brought_is_refused():
    for start, end, found in ((0, 1, [Code.OVERLAP]), (-2, 0, []), (24, 48, [])):
        at = (epoch(DAY) + start * 3600, epoch(DAY) + end * 3600, "52005")
        context = known(point(), intervals={(INN, "P1", "A+"): RecordedIntervals(elsewhere=[at])})
        assert codes(judged(daily(profile()), context)) == found


def test_a_reading_that_another_layout_has_brought_is_refused():
    key = (*register(), epoch(NOVEMBER))
    for layout, found in (("52006", []), ("51070", [Code.OVERLAP])):
        before = RecordedReading(Decimal("5"), newer=False, layout=layout)
        context = known(point("P1", meter()), readings={key: before})
        assert codes(judged(readings(reading("5")), context)) == found


def test_energy_below_zero_is_refused_value_by_value():
    checked = judged(daily(profile([0, -1, -2] + [0] * 45)), known(point()))
    assert codes(checked) == [Code.NEGATIVE_VALUE] * 2
    assert [item.seen for item in checked.findings] == ["-1", "-2"]
    assert codes(judged(daily(profile([0] * 48)), known(point()))) == []


def test_a_reading_below_zero_is_refused():
    context = known(point("P1", meter()))
    assert codes(judged(readings(reading("-0.01")), context)) == [Code.NEGATIVE_VALUE]
    assert codes(judged(readings(reading("0")), context)) == []


def test_more_decimals_than_the_meter_shows_are_refused():
    context = known(point("P1", meter(decimals=2)))
    assert codes(judged(readings(reading("1.234")), context)) == [Code.TOO_MANY_DECIMALS]
    assert codes(judged(readings(reading("1.230")), context)) == []
    unstated = known(point("P1", meter(decimals=None)))
    assert codes(judged(readings(reading("1.2345")), unstated)) == []


def test_two_values_for_one_register_and_instant_are_refused():
    context = known(point("P1", meter()))
    told = judged(readings(reading("1"), reading("2")), context).findings
    assert [(f.code, f.seen, f.detail["expected"]) for f in told] == [
        (Code.DUPLICATE_READING, "1", "2"),
        (Code.DUPLICATE_READING, "2", "1"),
    ]
    many = judged(readings(*(reading(str(n)) for n in range(3 * MOST_TOLD))), context)
    assert codes(many) == [Code.DUPLICATE_READING] * MOST_TOLD
    assert many.values == 0
    same = judged(readings(reading("1"), reading("1.0")), context)
    assert codes(same) == []
    assert same.values == 1


def test_values_unfit_for_billing_are_told_and_kept():
    series = profile([1] * 46 + [None, 7], not_commercial=frozenset({3, 46, 47}))
    checked = judged(daily(series), known(point()))
    assert codes(checked) == [Code.NOT_COMMERCIAL] * 2
    assert [item.count for item in checked.findings] == [1, 2]
    assert {item.severity for item in checked.findings} == {Severity.WARNING}
    assert checked.values == 47


@pytest.mark.parametrize(
    ("text", "places"),
    [("0", 0), ("0.00", 0), ("1", 0), ("100", 0), ("1E+2", 0), ("10.00", 0), ("1.10", 1),
     ("0.010", 2), ("-1.25", 2), ("100.001", 3)],
)  # fmt: skip
def test_zeros_at_the_end_are_no_decimals(text, places):
    assert decimals(Decimal(text)) == places


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        # Rows 2, 3 and 5 hold an hour each; that of row 4 could not be read, or another's.
        ((4,), 0),
        ((2, 5), 1),
        ((1, 6), 1),
        ((), 1),
    ],
)
@pytest.mark.parametrize("sheet", [None, "Лист1"])
def test_a_row_whose_time_could_not_be_read_is_no_gap(rows, missing, sheet):
    def at(row):
        return Place(line=row) if sheet is None else Place(sheet=sheet, cell=f"AB{row}:AC{row}")

    where = [2, 3, 5] if sheet is None else [Places.cell_at(row, 28) for row in (2, 3, 5)]
    series = replace(hours((0, 1), (1, 2), (3, 4)), places=Places(sheet, where))
    unread = [finding(Code.INVALID_TIME, at(row), point="other") for row in rows]
    told = codes(judged(monthly(series, findings=unread), known(point(OWN, area=None))))
    assert told.count(Code.MISSING_INTERVAL) == missing


@pytest.mark.parametrize(
    ("pairs", "told"),
    [
        ([(0, 60), (60, 120)], []),
        ([(0, 60), (0, 60)], [Code.DUPLICATE_INTERVAL] * 2),
        ([(0, 60), (59, 119)], [Code.OVERLAP]),
        ([(0, 60), (61, 121)], [Code.MISSING_INTERVAL]),
        # One that lies within another hides no overlap with what follows.
        ([(0, 120), (30, 60), (90, 150)], [Code.WRONG_STEP, Code.WRONG_STEP] + [Code.OVERLAP] * 2),
    ],
)
def test_each_interval_begins_where_the_one_before_ended(pairs, told):
    series = profile([1000] * len(pairs), point=OWN, area=None, step=60, spans=spans(*pairs))
    assert codes(month(series)) == told
    assert [one.count for one in month(series).findings] == [1] * len(told)


@pytest.mark.parametrize(
    ("first", "last", "told"),
    [(-1, 0, None), (-1, 1, (0, 1)), (23, 25, (23, 24)), (24, 25, None), (3, 5, (3, 5))],
)
def test_an_overlap_with_another_layout_is_told_as_far_as_the_document_goes(first, last, told):
    hour = 3600
    there = (epoch(DAY) + first * hour, epoch(DAY) + last * hour, "52005")
    context = known(point(), intervals={(INN, "P1", "A+"): RecordedIntervals(elsewhere=[there])})
    found = judged(daily(profile()), context).findings
    spans_ = [(one.start, one.end) for one in found]
    assert spans_ == ([tuple(DAY + timedelta(hours=n) for n in told)] if told else [])


@pytest.mark.parametrize(("value", "told"), [("99999.99", False), ("100000", True), ("0", False)])
def test_as_many_digits_as_the_meter_has_are_welcome(value, told):
    found = codes(judged(readings(reading(value)), known(point("P1", meter(digits=5)))))
    assert (Code.TOO_MANY_DIGITS in found) is told


@pytest.mark.parametrize("code", sorted(OVERRIDABLE))
def test_what_an_operator_decided_against_is_told_and_keeps_nothing_out(code):
    place = point("P1", meter(), max_power_kw=Decimal(1))
    rows = {register(): [(epoch(DAY) - 86400, Decimal(0))]}
    old = DAY - timedelta(days=200)
    document, context = {
        Code.TOO_OLD: (readings(reading("5", at=old)), known(place)),
        Code.ABOVE_PERMITTED_POWER: (
            daily(profile([551] + [1] * 47)),
            known(point(max_power_kw=Decimal(1))),
        ),
        Code.ABOVE_MAXIMUM_POWER: (readings(reading("50")), known(place, registers=rows)),
        Code.READING_WENT_BACK: (
            readings(reading("5")),
            known(place, registers={register(): [(rows[register()][0][0], Decimal(9))]}),
        ),
        Code.SUSPICIOUS_VERSION: (daily(profile(), number=5000), known(point(), highest=1)),
    }[code]
    for overrides, is_whole in (((), False), ({code}, True)):
        checked = check(
            document,
            LAYOUTS[document.layout],
            context.entity,
            context.received_at,
            lambda _: context.known,
            overrides=overrides,
        )
        told = next(one for one in checked.findings if one.code is code)
        assert ("overridden" in told.detail) is is_whole
        assert is_whole is (not told.is_error) or code in (
            Code.ABOVE_PERMITTED_POWER,
            Code.SUSPICIOUS_VERSION,
        )


def test_an_interval_of_another_length_is_told_with_its_minutes():
    pairs = [(0, 60), (60, 180), (180, 195)]
    series = profile([1000] * 3, point=OWN, area=None, step=60, spans=spans(*pairs))
    told = [one for one in month(series).findings if one.code is Code.WRONG_STEP]
    assert [(one.seen, one.detail["expected"]) for one in told] == [("120", "60"), ("15", "60")]
