"""Which metering point and meter a series belongs to."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.document import Places
from layouts.findings import Code, Place, finding
from layouts.points import PointRow
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    INN,
    NOVEMBER,
    OWN,
    codes,
    daily,
    date,
    judged,
    known,
    meter,
    moscow,
    point,
    profile,
    reading,
    readings,
)


def test_a_point_that_the_sender_does_not_have_is_unknown():
    assert codes(judged(daily(profile(point="P9")), known(point()))) == [
        Code.UNKNOWN_POINT,
        Code.POINT_MISSING,
    ]


def test_an_unknown_point_is_told_once_and_not_for_each_channel():
    document = daily(*(profile(point="P9", channel=c) for c in ("A+", "A-", "R+", "R-")))
    checked = judged(document, known(point("P9", area="B")))
    assert codes(checked) == [Code.UNKNOWN_POINT]
    assert checked.findings[0].channel is None
    assert checked.changes == ()


def test_a_point_in_another_area_is_unknown_and_one_without_an_area_fits_all():
    document = daily(profile(area="7700000000"))
    assert Code.UNKNOWN_POINT in codes(judged(document, known(point())))
    assert codes(judged(document, known(point(area=None)))) == []


def test_a_document_without_areas_finds_the_point_in_its_area():
    document = readings(reading("1"))
    checked = judged(document, known(point("P1", meter())))
    assert checked.changes[0].series.area == INN


def test_a_point_of_another_sender_is_foreign_to_us_and_unknown_to_the_sender():
    context = known(point(), foreign=frozenset({"P9"}))
    told = judged(daily(profile(point="P9")), context).findings[0]
    assert told.code is Code.FOREIGN_POINT
    assert told.public_code is Code.UNKNOWN_POINT


@given(first=st.integers(1, 28), days=st.integers(1, 28))
def test_a_profile_is_the_senders_when_the_point_was_theirs_all_the_while(first, days):
    """Another held it from the 5th up to the 20th of October."""
    rows = (
        PointRow(None, OWN, INN),
        PointRow(date(2026, 10, 5), "200000005678", INN),
        PointRow(date(2026, 10, 20), OWN, INN),
    )
    start = moscow(2026, 10, first)
    series = profile([1] * 48 * days, start=start)
    document = daily(series, period_start=start, period_end=start + timedelta(days=days))
    is_foreign = Code.FOREIGN_POINT in codes(judged(document, known(point(rows=rows))))
    assert is_foreign == any(5 <= first + n < 20 for n in range(days))


def test_a_meter_that_the_sender_does_not_have_is_unknown():
    context = known(point("P1", meter()))
    assert codes(judged(readings(reading("1", meter="99")), context)) == [Code.UNKNOWN_METER]
    assert codes(judged(readings(reading("1")), context)) == []


def test_a_foreign_meter_named_without_a_point_is_unknown_to_the_sender():
    context = known(point("P1", meter()), foreign=frozenset({"99"}))
    checked = judged(readings(reading("1", meter="99", point=None), reading("2")), context)
    assert checked.findings[0].public_code is Code.UNKNOWN_METER
    assert checked.verdict is Verdict.PARTLY_ACCEPTED


def test_a_meter_without_a_point_is_found_by_its_number():
    context = known(point("P1", meter()), point("P2", meter("09")))
    checked = judged(readings(reading("1", meter="09", point=None), reading("1")), context)
    assert codes(checked) == []
    assert checked.changes[0].point.code == "P2"


def test_a_meter_at_another_point_is_not_at_this_one():
    context = known(point("P1", meter()), point("P2", meter("09")))
    found = judged(readings(reading("1", meter="09"), reading("1", point="P2")), context)
    assert codes(found) == [Code.METER_NOT_AT_POINT, Code.METER_NOT_AT_POINT]
    assert found.findings[0].detail["expected"] == "P2"


@pytest.mark.parametrize(
    ("installed", "removed", "fits"),
    [
        (None, None, True),
        (date(2026, 11, 1), None, True),
        (date(2026, 11, 2), None, False),
        (None, date(2026, 11, 1), True),
        # Midnight still belongs to the day that it ends.
        (None, date(2026, 10, 31), True),
        (None, date(2026, 10, 30), False),
    ],
)
def test_a_meter_is_read_only_while_it_is_installed(installed, removed, fits):
    context = known(point("P1", meter(installed=installed, removed=removed)))
    found = codes(judged(readings(reading("1")), context))
    assert found == ([] if fits else [Code.METER_NOT_AT_POINT])


def test_both_meters_of_a_replacement_are_read_in_one_document():
    change = moscow(2026, 10, 15, 11)
    old = meter("07512345", removed=date(2026, 10, 15))
    new = meter("22", installed=date(2026, 10, 15))
    document = readings(
        reading("900.1", at=change), reading("0", meter="22", at=change), reading("7", meter="22")
    )
    checked = judged(document, known(point("P1", old, new)))
    assert codes(checked) == []
    assert checked.values == 3


def test_one_number_at_two_points_needs_the_point():
    context = known(point("P1", meter()), point("P2", meter()))
    found = judged(readings(reading("1", point=None)), context)
    assert codes(found) == [Code.MISSING_FIELD]
    assert found.findings[0].detail == {"field": "point"}
    moved = known(point("P1", meter(removed=date(2026, 10, 1))), point("P2", meter()))
    assert judged(readings(reading("1", point=None)), moved).changes[0].point.code == "P2"


def test_leading_zeros_that_a_workbook_lost_are_given_back():
    context = known(point("0042", meter()))
    checked = judged(readings(reading("1", meter="7512345", point="42")), context)
    assert codes(checked) == [Code.LEADING_ZEROS_LOST, Code.LEADING_ZEROS_LOST]
    assert checked.verdict is Verdict.ACCEPTED
    (change,) = checked.changes
    assert (change.series.point, change.series.meter) == ("0042", "07512345")


def test_leading_zeros_are_not_given_back_when_two_meters_would_fit():
    context = known(point("P1", meter("075"), meter("0075")))
    assert codes(judged(readings(reading("1", meter="75")), context)) == [Code.UNKNOWN_METER]


IN_A_SHEET = Places(
    "Показания", [Places.cell_at(7, 6)], {"point": 2, "meter": 3, "channel": 4, "zone": 5}
)


@pytest.mark.parametrize(
    ("wrong", "code", "cell"),
    [
        ({"point": "P9"}, Code.UNKNOWN_POINT, "B7"),
        ({"point": "42"}, Code.LEADING_ZEROS_LOST, "B7"),
        ({"meter": "99"}, Code.UNKNOWN_METER, "C7"),
        ({"meter": "7512345"}, Code.LEADING_ZEROS_LOST, "C7"),
        ({"meter": "8"}, Code.METER_NOT_AT_POINT, "C7"),
        ({"channel": "R+"}, Code.UNKNOWN_CHANNEL, "D7"),
        ({"zone": "T3"}, Code.UNKNOWN_CHANNEL, "E7"),
    ],
)
def test_a_wrong_name_in_a_sheet_is_told_in_its_own_cell(wrong, code, cell):
    only = meter(channels=("A+",), zones=("T1",))
    context = known(point("0042", only), point("P1", only), point("P8", meter("8")))
    series = replace(reading("1", **wrong), places=IN_A_SHEET)
    told = {one.code: one.place.cell for one in judged(readings(series), context).findings}
    assert told[code] == cell


def test_a_wrong_name_in_xml_is_told_in_the_line_of_its_value():
    series = replace(reading("1", meter="99"), places=Places(None, [12]))
    (found,) = judged(readings(series), known(point("P1", meter()))).findings[:1]
    assert (found.code, found.place) == (Code.UNKNOWN_METER, Place(line=12))


def test_a_channel_outside_the_four_is_unknown_even_offline():
    assert codes(judged(daily(profile(channel="B+"), profile()))) == [Code.UNKNOWN_CHANNEL]


def test_a_meter_without_reactive_energy_has_no_such_channel():
    context = known(point("P1", meter(channels=("A+",))))
    assert codes(judged(readings(reading("1", channel="R+"), reading("1")), context)) == [
        Code.UNKNOWN_CHANNEL
    ]


def test_a_total_is_welcome_from_a_meter_of_zones():
    context = known(point("P1", meter(zones=("T1", "T2"))))
    three = readings(*(reading(v, zone=z) for z, v in (("T0", "3"), ("T1", "1"), ("T2", "2"))))
    assert codes(judged(three, context)) == []


def test_zones_left_out_are_told():
    context = known(point("P1", meter(zones=("T1", "T2", "T3"))))
    (told,) = judged(readings(reading("1", zone="T1")), context).findings
    assert (told.code, told.detail["missing"]) == (Code.ZONES_MISSING, "T2 T3")
    unstated = known(point("P1", meter()))
    assert codes(judged(readings(reading("1", zone="T1")), unstated)) == []


def test_other_points_with_meters_are_missed_in_a_document_of_registers():
    bare = point("P3")
    gone = point("P4", meter("44", removed=date(2020, 1, 1)))
    context = known(point("P1", meter()), point("P2", meter("09")), bare, gone)
    (told,) = judged(readings(reading("1")), context).findings
    assert (told.code, told.point) == (Code.POINT_MISSING, "P2")


def test_other_points_of_the_same_area_are_missed_in_a_daily_document():
    context = known(point("P1"), point("P2"), point("P3", area="B"), point(OWN, area=None))
    (told,) = judged(daily(profile()), context).findings
    assert (told.code, told.point) == (Code.POINT_MISSING, "P2")


def test_a_meter_of_the_same_number_elsewhere_does_not_stand_for_a_point():
    context = known(point("P1", meter("5")), point("P2", meter("5")))
    (told,) = judged(readings(reading("1", "5", "P1")), context).findings
    assert (told.code, told.point) == (Code.POINT_MISSING, "P2")


def test_a_point_whose_meter_was_not_there_is_not_missed_as_well():
    gone = meter("6", removed=date(2026, 1, 1))
    context = known(point("P1", meter("5")), point("P2", meter("7"), gone))
    document = readings(reading("1", "5"), reading("1", "6", None))
    assert codes(judged(document, context)) == [Code.METER_NOT_AT_POINT]


def test_a_point_that_is_there_with_mistakes_is_not_missed():
    document = daily(profile(), points={(INN, "P1"), (INN, "P2")})
    assert codes(judged(document, known(point("P1"), point("P2")))) == []
    assert NOVEMBER + timedelta(0) == NOVEMBER


@pytest.mark.parametrize(
    ("series", "code"),
    [
        (reading("1", meter="99", point=None), Code.FOREIGN_POINT),
        (reading("1", meter="99"), Code.UNKNOWN_METER),
        (reading("1", meter="98", point=None), Code.UNKNOWN_METER),
        (reading("1", point="P9"), Code.FOREIGN_POINT),
        (reading("1", point="P8"), Code.UNKNOWN_POINT),
        (reading("1", meter="22"), Code.METER_NOT_AT_POINT),
    ],
)
def test_only_operators_hear_that_a_point_or_a_meter_named_alone_is_another_s(series, code):
    foreign = frozenset({"99", "P9", "22"})
    context = known(point("P1", meter()), point("P2", meter("22")), foreign=foreign)
    assert codes(judged(readings(series), context))[0] is code


@pytest.mark.parametrize(
    ("about", "missing"),
    [
        ({"meter": "07512345"}, False), ({"meter": "99"}, True),
        ({"meter": "07512345", "zone": "T1"}, True),
        ({"meter": "07512345", "code": Code.DECIMAL_COMMA}, True),
    ],
)  # fmt: skip
def test_beside_a_reading_of_an_unknown_zone_no_zone_is_missing(about, missing):
    wrong = finding(about.pop("code", Code.INVALID_CODE), point="P1", **about)
    context = known(point("P1", meter(zones=("T1", "T2"))))
    told = codes(judged(readings(reading("1", zone="T1"), findings=[wrong]), context))
    assert (Code.ZONES_MISSING in told) is missing
