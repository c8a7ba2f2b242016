"""Register readings beside the ones before and after them."""

from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.findings import Code, Severity
from layouts.known import RecordedReading
from layouts.points import Meter, MeterRow
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    NOON,
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


def days_before(*pairs):
    """Readings on record so many days before that of 1 November."""
    return [(DAY - timedelta(days=days), value) for days, value in pairs]


# Ten kilowatt-hours a day.
LEVEL = days_before((30, "0"), (20, "100"), (10, "200"))
# The same through a rollover; it has stood in the last tenth of its range.
ROLLED = days_before((30, "99900"), (20, "0"), (10, "100"))
# 204 a day.
NEAR_THE_END = days_before((30, "85720"), (20, "87760"), (10, "89800"))


@pytest.mark.parametrize(
    ("row", "last_in_line", "first_out_of_it"),
    [
        # A fifth of the level and five times it, over ten days.
        (LEVEL, "220", "219.99"),
        (LEVEL, "700", "700.01"),
        (ROLLED, "600", "600.01"),
        # What the register did before is in line: a hundred on one day, one on another.
        (days_before((100, "0"), (99, "100"), (20, "179"), (10, "189")), "1189", "1189.01"),
        (days_before((31, "0"), (30, "1"), (20, "150"), (10, "301")), "311", "310.99"),
        # The last reading is less than a week old, or just that.
        ([*LEVEL, *days_before((6, "240"))], "700", "700.01"),
        ([*LEVEL, *days_before((7, "230"))], "580", "580.01"),
        # A level of a week, and of less.
        (days_before((17, "0"), (13, "40"), (10, "70")), "570", "570.01"),
        (days_before((16, "0"), (13, "40"), (10, "70")), "5000", None),
        # Fewer than two steps.
        (LEVEL[1:], "5000", None),
    ],
)
def test_a_register_far_from_its_own_level_of_a_year_is_high_or_low(
    row, last_in_line, first_out_of_it
):
    assert codes(found(last_in_line, *row)) == []
    if first_out_of_it:
        assert codes(found(first_out_of_it, *row)) == [Code.REGISTER_HIGH_LOW]


def test_what_a_register_went_on_by_is_told_beside_what_was_expected():
    [told] = found("700.01", *LEVEL).findings
    assert (told.seen, told.detail["expected"]) == ("500.01", "100.00")


def test_a_step_back_counts_for_no_level_where_the_digits_are_not_known():
    # Two hundred in thirty days.
    row = days_before((40, "500"), (30, "600"), (20, "0"), (10, "100"))
    assert codes(found("433.33", *row, digits=None)) == []
    assert codes(found("433.34", *row, digits=None)) == [Code.REGISTER_HIGH_LOW]
    row = [*days_before((30, "5000"), (20, "5100"), (10, "5200"), (3, "10"))]
    assert codes(found("20", *row, digits=None)) == []
    assert codes(found("20", *row)) == [Code.REGISTER_HIGH_LOW]


def test_a_reading_between_two_on_record_is_judged_and_not_the_later_one():
    after = (DAY + timedelta(days=20), "9000")
    assert codes(found("300", *LEVEL, after)) == []
    assert codes(found("900", *LEVEL, after)) == [Code.REGISTER_HIGH_LOW]


@pytest.mark.parametrize(
    ("channel", "told"), [("A+", True), ("R+", True), ("R-", True), ("A-", False)]
)
def test_what_is_given_back_has_no_level(channel, told):
    rows = {register(channel=channel): [(epoch(at), Decimal(value)) for at, value in LEVEL]}
    checked = judged(
        readings(reading("9000", channel=channel)), known(point("P1", meter()), registers=rows)
    )
    assert codes(checked) == ([Code.REGISTER_HIGH_LOW] if told else [])


def test_the_permitted_power_bounds_active_energy_alone():
    for channel, found in (("R+", []), ("A-", [Code.ABOVE_MAXIMUM_POWER])):
        rows = {register(channel=channel): [(epoch(OCTOBER), Decimal(0))]}
        place = point("P1", meter(), max_power_kw=POWER)
        document = readings(reading("9000", channel=channel))
        assert codes(judged(document, known(place, registers=rows))) == found


@pytest.mark.parametrize(
    ("row", "value", "code"),
    [
        # In the last tenth of its range, or just before it and without a level.
        (days_before((10, "90000")), "100", Code.REGISTER_ROLLOVER),
        (days_before((10, "89999.99")), "100", Code.READING_WENT_BACK),
        # Five times its level, or more; half a turn at most.
        (NEAR_THE_END, "0", Code.REGISTER_ROLLOVER),
        (NEAR_THE_END, "0.01", Code.READING_WENT_BACK),
        (days_before((30, "30000"), (20, "40000"), (10, "50000")), "0", Code.REGISTER_ROLLOVER),
        (days_before((30, "30000"), (20, "40000"), (10, "50000")), "1", Code.READING_WENT_BACK),
    ],
)
def test_a_rollover_is_believed_by_the_register_s_own_level_or_near_its_end(row, value, code):
    assert codes(found(value, *row, power=Decimal(1_000_000))) == [code]


def test_a_reading_that_a_newer_document_has_replaced_is_compared_with_nothing():
    newer = RecordedReading(Decimal(150), newer=True, layout="52006")
    rows = {register(): [(epoch(OCTOBER), Decimal(100)), (epoch(DAY), Decimal(150))]}
    context = known(
        point("P1", meter()), registers=rows, readings={(*register(), epoch(DAY)): newer}
    )
    assert codes(judged(readings(reading("5")), context)) == [Code.OLDER_VERSION]


EXCHANGED = date(2026, 10, 15)
FIFTEENTH, SIXTEENTH = moscow(2026, 10, 15), moscow(2026, 10, 16)
# The end of 2 November, when the readings of October are due.
DUE = moscow(2026, 11, 3)
SECOND = timedelta(seconds=1)
BOTH = [("first", "22"), ("last", "07512345")]
OLD, NEW = register(), register("22", installed=EXCHANGED)


def exchange(at, *rows, received=NOON, number="22", apart=0, place=None):
    """What is told missing when a meter is read that has replaced another, or was replaced.

    Args:
        at: Instant of the reading.
        rows: Readings on record: of a register, at an instant.
        received: When the document came.
        number: Of the meter that is read.
        apart: Days from the old one's removal to the new one's installation.
        place: Instead of the point of the two.
    """
    removed = EXCHANGED - timedelta(days=apart)
    two = point("P1", meter(removed=removed), meter("22", installed=EXCHANGED), meter("33"))
    on_record = {}
    for key, moment in rows:
        on_record.setdefault(key, []).append((epoch(moment), Decimal(0)))
    context = known(place or two, at=received, registers=on_record)
    checked = judged(readings(reading("7", meter=number, at=at), created=None), context)
    told = [one for one in checked.findings if one.code is Code.REPLACEMENT_INCOMPLETE]
    return [(one.detail["missing"], one.detail["other"]) for one in told]


@pytest.mark.parametrize(
    ("at", "received", "told"),
    [
        # Readings of a later day are there.
        (SIXTEENTH + SECOND, SIXTEENTH + SECOND, [("last", "07512345"), ("first", "22")]),
        # Those of the day itself, before the month's are overdue and from then on.
        (FIFTEENTH - SECOND, DUE - SECOND, []),
    ],
)
def test_an_exchange_is_incomplete_once_a_later_day_was_read_or_the_month_is_overdue(
    at, received, told
):
    number = "22" if at > FIFTEENTH else "07512345"
    assert sorted(exchange(at, received=received, number=number)) == sorted(told)
    if not told:
        assert sorted(exchange(at, received=DUE, number=number)) == BOTH


def test_a_reading_at_the_end_of_the_day_of_an_exchange_is_of_no_later_day():
    assert exchange(SIXTEENTH, received=SIXTEENTH) == []
    assert exchange(SIXTEENTH, received=DUE) == [("last", "07512345")]


@pytest.mark.parametrize(
    ("days", "number", "told"),
    [(62, "22", BOTH), (63, "22", []), (-62, "07512345", BOTH), (-63, "07512345", [])],
)
def test_an_exchange_asks_for_two_months_before_and_behind_it(days, number, told):
    at = FIFTEENTH + timedelta(days=days, hours=1)
    received = max(at, DUE) + timedelta(days=1)
    assert sorted(exchange(at, received=received, number=number)) == told


@pytest.mark.parametrize(
    ("apart", "told"), [(-1, True), (0, True), (1, True), (-2, False), (2, False)]
)
def test_a_meter_that_came_within_a_day_of_another_s_end_has_replaced_it(apart, told):
    assert sorted(exchange(DAY, apart=apart)) == (BOTH if told else [])


def test_a_meter_beside_an_exchange_is_not_asked():
    assert exchange(DAY, number="33") == []


@pytest.mark.parametrize(
    ("rows", "missing"),
    [
        ([(NEW, FIFTEENTH)], ["last"]),
        ([(NEW, SIXTEENTH)], ["last"]),
        ([(OLD, FIFTEENTH)], ["first"]),
        ([(OLD, SIXTEENTH), (NEW, SIXTEENTH)], []),
        ([(OLD, FIFTEENTH - SECOND), (NEW, SIXTEENTH + SECOND)], ["first", "last"]),
        ([(register("33"), FIFTEENTH)], ["first", "last"]),
    ],
)
def test_a_reading_of_the_day_of_the_exchange_is_not_missing(rows, missing):
    assert sorted(which for which, _ in exchange(DAY, *rows)) == missing


def test_the_document_s_own_reading_of_the_day_is_not_missing():
    assert [which for which, _ in exchange(FIFTEENTH, received=DUE)] == ["last"]


@pytest.mark.parametrize(("ratio", "told"), [(40, [("boundary", "7")]), (1, [])])
def test_other_transformers_ask_for_a_reading_of_their_day(ratio, told):
    rows = MeterRow(None, "7", Decimal(1)), MeterRow(EXCHANGED, "7", Decimal(ratio))
    place = point("P1", Meter("7", digits=5, decimals=2, rows=rows))
    assert exchange(DAY, number="7", place=place) == told


def zones_found(mine, *, on_record=(), at=DAY, newer=(), stated=("T1", "T2")):
    """What is found of zones beside those on record; `newer` are ones that stay."""
    rows = {register(zone=zone): [(epoch(at), Decimal(value))] for zone, value in on_record}
    there = {
        (*register(zone=zone), epoch(DAY)): RecordedReading(Decimal(value), zone in newer, "52006")
        for zone, value in on_record
    }
    context = known(point("P1", meter(zones=stated)), registers=rows, readings=there)
    document = readings(*(reading(value, zone=zone) for zone, value in mine.items()))
    told = codes(judged(document, context))
    return [code for code in told if code in (Code.ZONE_SUM_MISMATCH, Code.NO_CONSUMPTION)]


MISMATCH = [Code.ZONE_SUM_MISMATCH]


def test_zones_are_summed_with_those_on_record_of_the_same_instant():
    mine, night = {"T0": "30", "T1": "10"}, [("T2", "25")]
    assert zones_found(mine, on_record=night) == MISMATCH
    assert zones_found(mine, on_record=[("T2", "20")]) == []
    for beside in (-SECOND, SECOND):
        assert zones_found(mine, on_record=night, at=DAY + beside) == []


def test_a_zone_that_a_newer_document_has_counts_as_it_has_it():
    mine = {"T0": "30", "T1": "10", "T2": "25"}
    assert zones_found(mine, on_record=[("T2", "20")]) == MISMATCH
    assert zones_found(mine, on_record=[("T2", "20")], newer=("T2",)) == []
    every = [("T0", "1"), ("T1", "2"), ("T2", "3")]
    assert zones_found(mine, on_record=every, newer=("T0", "T1", "T2")) == []


@pytest.mark.parametrize(
    ("mine", "stated", "rests"),
    [
        ({"T0": "30", "T1": "10", "T2": "20"}, ("T1", "T2"), True),
        # The total rests or it does not, whatever a zone does.
        ({"T0": "31", "T1": "10", "T2": "21"}, ("T1", "T2"), False),
        # Without a total, every zone that the meter has.
        ({"T1": "10", "T2": "20"}, ("T1", "T2"), True),
        ({"T1": "10"}, ("T1", "T2"), False),
        ({"T1": "10"}, (), True),
        ({"T1": "10", "T2": "21"}, (), False),
    ],
)
def test_a_meter_rests_when_its_total_does_or_all_of_its_zones(mine, stated, rests):
    row = [("T0", "30"), ("T1", "10"), ("T2", "20")]
    found = zones_found(mine, on_record=row, at=OCTOBER, stated=stated)
    assert found == ([Code.NO_CONSUMPTION] if rests else [])


def test_a_register_that_rests_is_not_low_as_well():
    assert codes(found("200", *LEVEL)) == [Code.NO_CONSUMPTION]
    rows = {register(channel="R+"): [(epoch(at), Decimal(value)) for at, value in LEVEL]}
    context = known(point("P1", meter()), registers=rows)
    assert codes(judged(readings(reading("200", channel="R+")), context)) == []
