"""Register readings beside the ones before and after them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.findings import Code, Severity
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    codes,
    date,
    epoch,
    judged,
    known,
    meter,
    moscow,
    point,
    reading,
    readings,
    register,
)

OCTOBER = moscow(2026, 10, 1)
LATER = moscow(2026, 12, 1)
# Times 1.1 and the 744 hours of October: 8184 kWh.
POWER = Decimal(10)


def beside(*recorded, zone="T0", power=None, **about):
    """A context in which the register has been read at these instants."""
    rows = [(epoch(at), Decimal(value)) for at, value in recorded]
    place = point("P1", meter(**about), max_power_kw=power)
    return known(place, registers={register(zone=zone): rows})


def found(value, *recorded, **about):
    return judged(readings(reading(value)), beside(*recorded, **about))


def test_a_first_reading_has_no_predecessor():
    assert codes(found("0", power=POWER)) == []


def test_a_reading_less_than_the_last_one_went_back():
    checked = found("99.99", (OCTOBER, "100"))
    assert codes(checked) == [Code.READING_WENT_BACK]
    assert checked.verdict is Verdict.REJECTED
    assert checked.findings[0].detail["other"] == "100"
    assert codes(found("100.01", (OCTOBER, "100"))) == []


def test_a_reading_between_two_recorded_ones_must_fit_both():
    before, after = (OCTOBER, "100"), (LATER, "300")
    assert codes(found("200", before, after)) == []
    assert codes(found("301", before, after)) == [Code.READING_WENT_BACK]
    assert codes(found("99", before, after)) == [Code.READING_WENT_BACK]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        # 99950 -> 08134 are just the 8184 kWh that the power allows.
        ("8134", Code.REGISTER_ROLLOVER),
        ("8135", Code.READING_WENT_BACK),
        ("99949", Code.READING_WENT_BACK),
    ],
)
def test_a_rollover_is_believed_only_as_far_as_the_power_allows(value, code):
    assert codes(found(value, (OCTOBER, "99950"), power=POWER)) == [code]


def test_a_rollover_is_a_warning():
    checked = found("49", (OCTOBER, "99950"), power=POWER)
    assert checked.findings[0].severity is Severity.WARNING
    assert checked.verdict is Verdict.ACCEPTED


def test_nearly_a_whole_turn_is_no_rollover_whatever_the_power():
    large = {"power": Decimal(1_000_000)}
    assert codes(found("4.99", (OCTOBER, "5"), **large)) == [Code.READING_WENT_BACK]
    assert codes(found("49999", (OCTOBER, "99999"), **large)) == [Code.REGISTER_ROLLOVER]
    assert codes(found("50000", (OCTOBER, "99999"), **large)) == [Code.READING_WENT_BACK]


def test_without_digits_or_power_a_rollover_is_not_believed():
    went_back = [Code.READING_WENT_BACK]
    assert codes(found("49", (OCTOBER, "99950"), power=POWER, digits=None)) == went_back
    assert codes(found("49", (OCTOBER, "99950"))) == went_back


def test_consumption_over_the_permitted_power_is_refused():
    assert codes(found("8184", (OCTOBER, "0"), power=POWER)) == []
    checked = found("8184.01", (OCTOBER, "0"), power=POWER)
    assert codes(checked) == [Code.ABOVE_MAXIMUM_POWER]
    assert checked.findings[0].detail["limit"] == "8184.00"


def test_the_ratio_multiplies_consumption():
    about = {"power": POWER, "ratio": Decimal(40)}
    assert codes(found("204.6", (OCTOBER, "0"), **about)) == []
    assert codes(found("204.61", (OCTOBER, "0"), **about)) == [Code.ABOVE_MAXIMUM_POWER]


def test_two_readings_of_one_document_are_compared_with_each_other():
    document = readings(reading("100", at=OCTOBER), reading("99"))
    context = known(point("P1", meter()), at=DAY + timedelta(hours=12))
    assert Code.READING_WENT_BACK in codes(judged(document, context))


def test_a_correction_is_not_compared_with_what_it_replaces():
    assert codes(found("50", (OCTOBER, "10"), (DAY, "500"))) == []


def test_a_new_meter_does_not_go_on_from_the_old_one():
    change = moscow(2026, 10, 15, 11)
    old = meter(removed=date(2026, 10, 15))
    new = meter("22", installed=date(2026, 10, 15))
    rows = {register(): [(epoch(OCTOBER), Decimal(900))]}
    context = known(point("P1", old, new), registers=rows)
    document = readings(
        reading("950", at=change), reading("0", meter="22", at=change), reading("7", meter="22")
    )
    assert codes(judged(document, context)) == []


def test_meters_of_one_number_at_two_points_are_two():
    places = point("P1", meter(zones=("T1",))), point("P2", meter(zones=("T1",)))
    rows = {
        register(point=code): [(epoch(OCTOBER), Decimal(value))]
        for code, value in (("P1", 900), ("P2", 5))
    }
    document = readings(
        *(
            reading(value, zone=zone, point=code)
            for code, value in (("P1", "950"), ("P2", "7"))
            for zone in ("T0", "T1")
        )
    )
    assert codes(judged(document, known(*places, registers=rows))) == []
    document = readings(reading("950"), reading("5", point="P2"))
    [rests] = [
        item
        for item in judged(document, known(*places, registers=rows)).findings
        if item.code is Code.NO_CONSUMPTION
    ]
    assert rests.point == "P2"


def test_a_meter_that_came_back_begins_anew():
    gone = meter(installed=date(2020, 1, 1), removed=date(2026, 10, 5))
    back = meter(installed=date(2026, 10, 20))
    rows = {register(installed=gone.installed): [(epoch(OCTOBER), Decimal(900))]}
    context = known(point("P1", gone, back), registers=rows)
    assert codes(judged(readings(reading("3")), context)) == []


@pytest.mark.parametrize(
    ("zones", "wrong"),
    [
        ({"T0": "30.02", "T1": "10", "T2": "20"}, False),
        ({"T0": "30.03", "T1": "10", "T2": "20"}, True),
        ({"T0": "29.98", "T1": "10", "T2": "20"}, False),
        ({"T0": "29.97", "T1": "10", "T2": "20"}, True),
        ({"T0": "50", "T1": "10"}, False),
    ],
)
def test_zones_sum_up_to_the_total_but_for_their_last_digits(zones, wrong):
    context = known(point("P1", meter(zones=("T1", "T2"))))
    document = readings(*(reading(value, zone=zone) for zone, value in zones.items()))
    assert (Code.ZONE_SUM_MISMATCH in codes(judged(document, context))) is wrong


def test_without_stated_decimals_the_values_tell_the_last_digit():
    context = known(point("P1", meter(decimals=None)))
    zones = {"T0": "32", "T1": "10", "T2": "20"}
    document = readings(*(reading(value, zone=zone) for zone, value in zones.items()))
    assert codes(judged(document, context)) == []
    zones["T0"] = "33"
    document = readings(*(reading(value, zone=zone) for zone, value in zones.items()))
    assert codes(judged(document, context)) == [Code.ZONE_SUM_MISMATCH]


def test_a_register_that_rests_is_told():
    assert codes(found("100", (OCTOBER, "100"))) == [Code.NO_CONSUMPTION]
    assert codes(found("100.01", (OCTOBER, "100"))) == []


def test_a_reactive_register_may_rest():
    rows = {register(channel="R+"): [(epoch(OCTOBER), Decimal(5))]}
    context = known(point("P1", meter()), registers=rows)
    assert codes(judged(readings(reading("5", channel="R+")), context)) == []


@pytest.mark.parametrize(("night", "rests"), [("20", True), ("21", False)])
def test_a_zone_may_rest_but_not_all_of_them(night, rests):
    rows = {
        register(zone=zone): [(epoch(OCTOBER), Decimal(value))]
        for zone, value in (("T1", "10"), ("T2", "20"))
    }
    context = known(point("P1", meter(zones=("T1", "T2"))), registers=rows)
    document = readings(reading("10", zone="T1"), reading(night, zone="T2"))
    assert codes(judged(document, context)) == ([Code.NO_CONSUMPTION] if rests else [])


def test_more_digits_than_the_register_has_are_refused():
    context = known(point("P1", meter(digits=5)))
    assert codes(judged(readings(reading("100000")), context)) == [Code.TOO_MANY_DIGITS]
    assert codes(judged(readings(reading("99999.99")), context)) == []
