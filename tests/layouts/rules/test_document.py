"""Rules about the document as a whole."""

from datetime import timedelta

from layouts.findings import Code, finding
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    NOON,
    NOVEMBER,
    OWN,
    codes,
    daily,
    judged,
    known,
    meter,
    monthly,
    point,
    profile,
    reading,
    readings,
)


def hourly(values=(1000,) * 24, **more):
    return profile(values, **{"point": OWN, "area": None, "step": 60, **more})


def test_another_user_code_in_the_document_is_a_sender_mismatch():
    checked = judged(monthly(hourly(), sender_code="200000009999"), known(point(OWN, area=None)))
    assert codes(checked) == [Code.SENDER_MISMATCH]
    assert checked.verdict is Verdict.REJECTED


def test_a_user_code_that_lost_its_zeros_is_forgiven():
    context = known(point("P1", meter()), code="0020")
    document = readings(reading("1"), sender_code="20")
    checked = judged(document, context)
    assert codes(checked) == [Code.LEADING_ZEROS_LOST]
    assert checked.verdict is Verdict.ACCEPTED


def test_another_inn_is_a_sender_mismatch_and_none_is_not():
    assert codes(judged(daily(profile(), sender_inn="7700000000"), known(point()))) == [
        Code.SENDER_MISMATCH
    ]
    assert codes(judged(daily(profile(), sender_inn=None), known(point()))) == []


def test_created_more_than_a_day_after_receipt_is_an_invalid_date():
    received = DAY + timedelta(hours=36)
    for hours, found in ((24, []), (25, [Code.INVALID_DATE])):
        document = daily(profile(), created=received + timedelta(hours=hours))
        assert codes(judged(document, known(point(), at=received))) == found


def test_a_document_without_values_has_nothing_to_record():
    checked = judged(daily(), known(point()))
    assert codes(checked) == [Code.NOTHING_TO_RECORD]
    assert checked.verdict is Verdict.REJECTED


def test_a_document_whose_mistakes_are_told_is_not_also_empty():
    wrong = finding(Code.INVALID_NUMBER, point="P1")
    checked = judged(daily(findings=[wrong]), known(point()))
    assert codes(checked) == [Code.INVALID_NUMBER]


def test_a_reading_from_the_future_is_refused():
    context = known(point("P1", meter()), at=NOVEMBER)
    assert codes(judged(readings(reading("1"), created=None), context)) == []
    later = reading("1", at=NOVEMBER + timedelta(hours=1))
    assert codes(judged(readings(later, created=None), context)) == [Code.READING_IN_FUTURE]


def test_a_daily_profile_received_before_the_day_has_ended_is_refused():
    document = daily(profile())
    (told,) = judged(document, known(point(), at=DAY + timedelta(hours=23))).findings
    assert (told.code, told.count) == (Code.READING_IN_FUTURE, 2)
    assert told.start == DAY + timedelta(hours=23)


def test_offline_the_moment_of_making_stands_for_the_receipt():
    made = DAY + timedelta(hours=12)
    assert codes(judged(daily(profile(), created=made))) == [Code.READING_IN_FUTURE]
    assert codes(judged(daily(profile(), created=None))) == []


def test_zeros_for_hours_to_come_are_no_readings_in_a_workbook_without_a_date():
    values = [500] * 12 + [0] * 12
    document = monthly(hourly(values), created=None)
    context = known(point(OWN, area=None), at=DAY + timedelta(hours=12))
    checked = judged(document, context)
    assert codes(checked) == []
    assert checked.values == 12
    wrong = monthly(hourly([500] * 12 + [0, 7] + [0] * 10), created=None)
    assert Code.READING_IN_FUTURE in codes(judged(wrong, context))


def test_a_month_of_zeros_to_come_has_nothing_to_record():
    document = monthly(hourly([0] * 24), created=None)
    context = known(point(OWN, area=None), at=DAY)
    assert codes(judged(document, context)) == [Code.NOTHING_TO_RECORD]


def test_a_month_is_judged_by_its_own_clock_when_that_is_ahead_of_ours():
    made = DAY + timedelta(hours=24)
    document = monthly(hourly(), created=made)
    context = known(point(OWN, area=None), at=made - timedelta(minutes=10))
    assert codes(judged(document, context)) == []


def test_a_series_without_a_point_belongs_to_the_sender_as_a_whole():
    checked = judged(monthly(hourly(point=None)), known(point(OWN, area=None)))
    assert [c.series.point for c in checked.changes] == [OWN]
    assert NOON > DAY
