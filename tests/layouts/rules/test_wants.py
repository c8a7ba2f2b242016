"""What the rules want to know of what is on record."""

from datetime import timedelta

import pytest

from layouts.parameters import Parameters
from layouts.rules import wants
from tests.layouts.rules.build import (
    DAY,
    LAYOUTS,
    NEXT,
    NOON,
    daily,
    date,
    epoch,
    known,
    meter,
    moscow,
    point,
    profile,
    reading,
    readings,
    register,
)


def wanted(document, *points, parameters=None):
    entity = known(*points).entity
    layout = LAYOUTS[document.layout]
    return wants(document, layout, entity, NOON, parameters or Parameters())


def test_a_number_is_no_surprise_when_one_so_far_below_was_reached():
    patient = Parameters(number_ahead=10)
    assert wanted(daily(profile(), number=1006)).high_enough == 6
    assert wanted(daily(profile(), number=1006), parameters=patient).high_enough == 996
    assert wanted(daily(profile(), number=None)).high_enough is None
    assert wanted(readings(reading("1"))).high_enough is None


def test_of_registers_a_year_is_wanted_and_of_a_profile_its_own_time():
    place = point("P1", meter(id=3), id=7)
    asked = wanted(readings(reading("1")), place).registers
    assert (asked.first, asked.last) == (epoch(DAY - timedelta(days=366)), epoch(DAY))
    asked = wanted(daily(profile()), place).registers
    assert (asked.first, asked.last) == (epoch(DAY), epoch(NEXT))
    assert wanted(daily(profile()), point(id=7)).registers is None


# Sixty-two days before the reading of 1 November, Moscow's time; in UTC it is still October.
LAST_EXCHANGE = date(2026, 8, 30)


@pytest.mark.parametrize(
    ("other", "is_wanted"),
    [
        ({}, False),
        ({"installed": LAST_EXCHANGE}, True),
        ({"installed": LAST_EXCHANGE - timedelta(days=1)}, False),
        ({"removed": LAST_EXCHANGE}, True),
        ({"removed": LAST_EXCHANGE - timedelta(days=1)}, False),
    ],
)
def test_beside_the_meter_that_is_read_those_of_an_exchange_are_wanted(other, is_wanted):
    place = point("P1", meter(id=3), meter("22", id=4, **other), meter("33"), id=7)
    asked = wanted(readings(reading("1")), place).registers
    assert set(asked.meters) == ({3, 4} if is_wanted else {3})
    assert asked.meters[3] == register()[0]
    # A profile is held against every meter of its point.
    assert set(wanted(daily(profile()), place).registers.meters) == {3, 4}


def test_sums_are_wanted_between_all_instants_of_a_register():
    place = point("P1", meter(id=3), id=7)
    later = moscow(2026, 11, 2, 12)
    asked = wanted(readings(reading("1"), reading("2", at=later), created=None), place).sums
    (sums,) = asked.values()
    assert (sums.first, sums.last) == (epoch(DAY), epoch(later))
    assert sums.instants == {epoch(DAY), epoch(later)}
    assert wanted(readings(reading("1")), point("P1", meter(id=3))).sums == {}


def test_of_names_that_are_not_the_entity_s_it_is_asked_whose_they_are():
    document = readings(
        reading("1"), reading("1", point="P9"), reading("1", meter="99", point=None)
    )
    asked = wanted(document, point("P1", meter(id=3), id=7))
    assert asked.unknown == ("07512345", "99", "P9")
