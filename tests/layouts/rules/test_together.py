"""Profile and registers of one point, whichever arrives second."""

from dataclasses import replace
from decimal import Decimal

import pytest

from layouts.findings import Code, Severity
from layouts.known import ProfileSum, RecordedIntervals, RecordedReading, SumsWanted
from layouts.parameters import Parameters
from layouts.rules import wants
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    INN,
    LAYOUTS,
    NEXT,
    codes,
    daily,
    date,
    epoch,
    judged,
    known,
    meter,
    moscow,
    point,
    profile,
    reading,
    readings,
    register,
)

FIRST, LAST = epoch(DAY), epoch(NEXT)
KEY = (INN, "P1", "A+")
REGISTER = register()
READ = ((FIRST, Decimal(100)), (LAST, Decimal(148)))


def profile_arrives(values, read=READ, sums=(), place=None, **more):
    context = known(
        place or point("P1", meter()), registers={REGISTER: read}, profiles={KEY: sums}, **more
    )
    return judged(daily(profile(values)), context)


def registers_arrive(value, sums, **about):
    context = known(
        point("P1", meter(**about)), registers={REGISTER: READ[:1]}, profiles={KEY: sums}
    )
    return judged(readings(reading(value, at=NEXT), created=None), context)


def whole(energy):
    return [ProfileSum(FIRST, LAST, energy, 86400)]


@pytest.mark.parametrize(
    ("value", "fires"), [(1000, False), (1009, False), (991, False), (1012, True), (988, True)]
)
def test_a_profile_that_arrives_second_is_held_against_the_registers(value, fires):
    values = [value] * 47 + [value + 1]
    checked = profile_arrives(values)
    assert codes(checked) == ([Code.PROFILE_REGISTER_MISMATCH] if fires else [])
    if fires:
        (told,) = checked.findings
        assert (told.severity, told.start, told.end) == (Severity.WARNING, DAY, NEXT)
        assert told.detail == {
            "profile": str(sum(values)),
            "registers": "48000",
            "unit": "Wh",
        }
        assert checked.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(("value", "fires"), [("148", False), ("149", True), ("147", True)])
def test_a_reading_that_arrives_second_is_held_against_the_profile(value, fires):
    found = codes(registers_arrive(value, whole(48000)))
    assert found == ([Code.PROFILE_REGISTER_MISMATCH] if fires else [])


def test_the_ratio_multiplies_what_the_registers_say():
    assert codes(registers_arrive("148", whole(1_920_000), ratio=Decimal(40))) == []
    assert codes(registers_arrive("148", whole(48000), ratio=Decimal(40))) == [
        Code.PROFILE_REGISTER_MISMATCH
    ]


def test_two_last_digits_are_in_doubt():
    # A hundredth of a kilowatt-hour twice, times 40, is 800 Wh: far over one per cent here.
    assert codes(registers_arrive("100.1", whole(4800), ratio=Decimal(40))) == []
    assert codes(registers_arrive("100.1", whole(4801), ratio=Decimal(40))) == [
        Code.PROFILE_REGISTER_MISMATCH
    ]


def test_a_profile_with_gaps_is_not_compared():
    half = [ProfileSum(FIRST, LAST, 5, 43200)]
    assert codes(registers_arrive("148", half)) == []
    assert codes(registers_arrive("148", [])) == []
    two_days = (READ[0], (LAST + 86400, Decimal(500)))
    assert codes(profile_arrives([1000, 1001] * 24, two_days)) == []


@pytest.mark.parametrize(("value", "fires"), [(1000, False), (1100, True)])
def test_a_day_that_comes_anew_in_another_step_is_held_against_the_registers(value, fires):
    hours = [(at, at + 3600, 7) for at in range(FIRST, LAST, 3600)]
    context = known(
        point("P1", meter()),
        registers={REGISTER: READ},
        profiles={KEY: [ProfileSum(FIRST, LAST, 24 * 7, 86400)]},
        intervals={KEY: RecordedIntervals(other=hours)},
    )
    found = codes(judged(daily(profile([value] * 47 + [value + 1])), context))
    assert (Code.PROFILE_REGISTER_MISMATCH in found) is fires


def test_two_steps_in_one_span_are_added_up_and_held_against_the_registers():
    two_days = ((FIRST - 86400, Decimal(0)), (LAST, Decimal(96)))
    for value, fires in ((1000, False), (1100, True)):
        # Yesterday stands in hours, today comes in half-hours.
        sums = [ProfileSum(FIRST - 86400, FIRST, 48000, 86400)]
        found = codes(profile_arrives([value] * 48, two_days, sums))
        assert (Code.PROFILE_REGISTER_MISMATCH in found) is fires


def test_what_is_in_force_and_what_arrives_are_added_up():
    two_days = ((FIRST - 86400, Decimal(0)), (LAST, Decimal(96)))
    sums = [ProfileSum(FIRST - 86400, LAST, 48000, 86400)]
    assert codes(profile_arrives([1000, 1001] * 24, two_days, sums)) == []
    wrong = [replace(sums[0], energy=96000)]
    assert codes(profile_arrives([1000, 1001] * 24, two_days, wrong)) == [
        Code.PROFILE_REGISTER_MISMATCH
    ]


def test_a_correction_counts_by_its_difference():
    starts = [FIRST + 1800 * n for n in range(48)]
    before = RecordedIntervals(starts, [5000] * 48, step_minutes=30)
    checked = profile_arrives([1000, 1001] * 24, sums=whole(240_000), intervals={KEY: before})
    assert codes(checked) == [Code.VALUE_CHANGED]


def test_zones_stand_for_the_total_when_all_of_them_are_there():
    place = point("P1", meter(zones=("T1", "T2")))
    rows = {
        register(zone="T1"): [(FIRST, Decimal(1)), (LAST, Decimal(31))],
        register(zone="T2"): [(FIRST, Decimal(2)), (LAST, Decimal(20))],
    }
    for factor, fires in ((1, False), (2, True)):
        document = daily(profile([1000 * factor, 1001 * factor] * 24))
        found = codes(judged(document, known(place, registers=rows)))
        assert (Code.PROFILE_REGISTER_MISMATCH in found) is fires
    del rows[register(zone="T2")]
    assert codes(judged(daily(profile([1, 2] * 24)), known(place, registers=rows))) == []


def test_a_rollover_is_counted_on():
    rolled = ((FIRST, Decimal(99990)), (LAST, Decimal(38)))
    assert codes(profile_arrives([1000, 1001] * 24, rolled)) == []


def test_a_span_with_two_meters_is_not_compared():
    half = date(2026, 11, 1)
    for place in (
        point("P1", meter(), meter("22", installed=half)),
        point("P1", meter(removed=date(2026, 10, 31)), meter("22")),
    ):
        assert codes(profile_arrives([9000, 9001] * 24, place=place)) == []
    gone = point("P1", meter(), meter("22", removed=date(2026, 10, 31)))
    assert Code.PROFILE_REGISTER_MISMATCH in codes(profile_arrives([9000, 9001] * 24, place=gone))


def asked_for(document, context):
    layout = LAYOUTS[document.layout]
    return wants(document, layout, context.entity, context.received_at, Parameters()).sums


def test_the_store_is_told_between_which_readings_sums_are_wanted():
    place = point("P1", meter(), meter("22"), id=7)
    meters = frozenset({register()[0], register("22")[0]})
    brought = {"longest": 63 * 86400, "point": 7, "meters": meters}

    asked = asked_for(daily(profile()), known(place))
    assert asked == {KEY: SumsWanted(instants=frozenset(), first=FIRST, last=LAST, **brought)}

    asked = asked_for(readings(reading("148", at=NEXT)), known(place))
    assert asked == {KEY: SumsWanted(instants=frozenset({LAST}), first=LAST, last=LAST, **brought)}
    assert asked_for(daily(profile()), known(point(id=7))) == {}


def test_readings_three_months_apart_are_not_compared():
    far = ((epoch(moscow(2026, 8, 1)), Decimal(0)), (LAST, Decimal(1)))
    longer = [ProfileSum(far[0][0], LAST, 7, LAST - far[0][0])]
    assert codes(profile_arrives([1000, 1001] * 24, far, longer)) == []
    near = ((LAST - 63 * 86400, Decimal(0)), (LAST, Decimal(1)))
    shorter = [ProfileSum(near[0][0], LAST, 10**9, 63 * 86400)]
    starts = range(FIRST, LAST, 1800)
    in_force = {KEY: RecordedIntervals(starts, [1000, 1001] * 24, step_minutes=30)}
    told = codes(profile_arrives([1000, 1001] * 24, near, shorter, intervals=in_force))
    assert told == [Code.PROFILE_REGISTER_MISMATCH]


def test_a_span_is_added_up_where_other_registers_were_read_within_it():
    noon = (FIRST + LAST) // 2
    pieces = [ProfileSum(FIRST, noon, 24_000, 43200), ProfileSum(noon, LAST, 24_000, 43200)]
    assert codes(registers_arrive("148", pieces)) == []
    assert codes(registers_arrive("160", pieces)) == [Code.PROFILE_REGISTER_MISMATCH]


@pytest.mark.parametrize(
    ("decimals", "value", "energy", "fires"),
    [
        # Of whole kilowatt-hours two are in doubt, times the ratio.
        (0, "101", 120_000, False),
        (0, "101", 120_001, True),
        # Not known: each reading's own, of which 100 has none.
        (None, "100.1", 84_000, False),
        (None, "100.1", 84_001, True),
    ],
)
def test_the_doubt_is_two_of_the_last_digit_as_far_as_it_is_known(decimals, value, energy, fires):
    found = codes(registers_arrive(value, whole(energy), ratio=Decimal(40), decimals=decimals))
    assert found == ([Code.PROFILE_REGISTER_MISMATCH] if fires else [])


def test_of_two_zones_twice_as_much_is_in_doubt():
    place = point("P1", meter(zones=("T1", "T2"), decimals=0))
    rows = {
        register(zone=zone): [(FIRST, Decimal(0)), (LAST, Decimal(24))] for zone in ("T1", "T2")
    }
    for above, fires in ((4000, False), (4001, True)):
        values = [1000] * 47 + [1000 + above]
        found = codes(judged(daily(profile(values)), known(place, registers=rows)))
        assert (Code.PROFILE_REGISTER_MISMATCH in found) is fires


@pytest.mark.parametrize("days", [-1, 1])
def test_a_span_beside_the_profile_is_not_held_against_it(days):
    aside = [(at + days * 86400, value) for at, value in READ]
    sums = [ProfileSum(FIRST + days * 86400, LAST + days * 86400, 7, 86400)]
    assert codes(profile_arrives([1000, 1001] * 24, aside, sums)) == []


def test_a_register_that_went_back_without_known_digits_is_not_compared():
    back = ((FIRST, Decimal(148)), (LAST, Decimal(100)))
    place = point("P1", meter(digits=None))
    assert codes(profile_arrives([1000, 1001] * 24, back, place=place)) == []


@pytest.mark.parametrize(
    "about", [{"installed": date(2026, 11, 2)}, {"removed": date(2026, 10, 31)}]
)
def test_a_meter_that_was_there_at_one_end_alone_is_not_compared(about):
    key = register(installed=about.get("installed"))
    reads = {key: [(FIRST, Decimal(100)), (LAST, Decimal(148))]}
    context = known(point("P1", meter(**about)), registers=reads)
    assert codes(judged(daily(profile([9000, 9001] * 24)), context)) == []


@pytest.mark.parametrize(
    ("before", "fires"), [(None, False), (7, False), (48_007, True)], ids=["empty", "same", "other"]
)
def test_hours_that_a_day_in_half_hours_replaces_count_no_more(before, fires):
    # Of the hour before the day, and the one behind it, nothing is replaced in the span.
    hours = [(at, at + 3600, before) for at in range(FIRST, LAST, 3600)]
    covered = 86400 if before is not None else 0
    sums = [ProfileSum(FIRST, LAST, 24 * 7, covered)]
    context = known(
        point("P1", meter()),
        registers={REGISTER: READ},
        profiles={KEY: sums},
        intervals={KEY: RecordedIntervals(other=hours)},
    )
    found = codes(judged(daily(profile([1000] * 47 + [1001])), context))
    assert (Code.PROFILE_REGISTER_MISMATCH in found) is fires


def test_a_reading_that_stays_away_does_not_count():
    newer = {(*REGISTER, LAST): RecordedReading(Decimal(148), newer=True, layout="52006")}
    context = known(
        point("P1", meter()),
        registers={REGISTER: READ},
        readings=newer,
        profiles={KEY: whole(48000)},
    )
    document = readings(reading("999", at=NEXT), reading("5", channel="R+", at=NEXT), created=None)
    assert Code.PROFILE_REGISTER_MISMATCH not in codes(judged(document, context))


def test_a_reading_of_the_meter_that_follows_tells_nothing_of_the_one_before():
    old, new = meter("22", removed=date(2026, 11, 2)), meter("23", installed=date(2026, 11, 2))
    keys = register("22"), register("23", installed=date(2026, 11, 2))
    context = known(point("P1", old, new), registers={keys[0]: READ}, profiles={KEY: whole(96_000)})
    arrives = readings(reading("5", meter="23", at=NEXT), created=None)
    assert Code.PROFILE_REGISTER_MISMATCH not in codes(judged(arrives, context))
    mine = readings(reading("148", meter="22", at=NEXT), created=None)
    context = known(
        point("P1", old, new), registers={keys[0]: READ[:1]}, profiles={KEY: whole(96_000)}
    )
    assert Code.PROFILE_REGISTER_MISMATCH in codes(judged(mine, context))


@pytest.mark.parametrize(
    ("first", "last"), [(LAST, LAST + 86400), (FIRST - 86400, FIRST), (FIRST + 1800, LAST + 1800)]
)
def test_what_lies_outside_of_a_span_is_no_part_of_its_sum(first, last):
    aside = ProfileSum(first, last, 7, last - first)
    assert codes(registers_arrive("148", [aside])) == []
    assert codes(registers_arrive("148", [*whole(48_000), aside])) == []
    found = codes(registers_arrive("148", [*whole(96_000), aside]))
    assert found == [Code.PROFILE_REGISTER_MISMATCH]


def test_a_span_that_two_series_have_a_part_in_is_told_once():
    noon = (FIRST + LAST) // 2
    halves = [profile([2000] * 24), profile([2000] * 24, start=DAY.fromtimestamp(noon, DAY.tzinfo))]
    context = known(point("P1", meter()), registers={REGISTER: READ})
    found = codes(judged(daily(*halves), context))
    assert found.count(Code.PROFILE_REGISTER_MISMATCH) == 1
