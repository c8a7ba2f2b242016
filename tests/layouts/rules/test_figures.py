"""Figures beside a reading, against the meter and the readings on record."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.figures import Figure, FigureKind
from layouts.findings import Code, Place
from tests.layouts.rules.build import (
    DAY,
    codes,
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

SEPTEMBER, OCTOBER, LATER = moscow(2026, 9, 1), moscow(2026, 10, 1), moscow(2026, 12, 1)
KINDS = FigureKind
RATIO, PREVIOUS, CONSUMPTION = Code.RATIO_DIFFERS, Code.PREVIOUS_DIFFERS, Code.CONSUMPTION_DIFFERS


def figure(kind, value, since=None, **more):
    """Beside the reading of 1 November."""
    names = {"point": "P1", "meter": "07512345", "channel": "A+", "zone": "T0", "instant": DAY}
    where = {"place": Place(cell="F9"), "seen": f"{value} kWh"}
    return Figure(kind, Decimal(value), **{**names, **where, "since": since, **more})


def found(*figures, value="150", row=((SEPTEMBER, "70"), (OCTOBER, "100")), **about):
    """What is found beside a reading of a meter with a ratio of 40."""
    rows = [(epoch(at), Decimal(text)) for at, text in row]
    place = point("P1", meter(ratio=Decimal(40), **about))
    context = known(place, registers={register(): rows} if rows else {})
    return judged(replace(readings(reading(value)), figures=figures), context)


@pytest.mark.parametrize(
    ("kind", "right", "wrong", "code", "expected"),
    [
        (KINDS.RATIO, "40", "30", RATIO, "40"),
        (KINDS.PREVIOUS, "100", "101", PREVIOUS, "100"),
        (KINDS.DIFFERENCE, "50", "51", CONSUMPTION, "50"),
        (KINDS.CONSUMPTION, "2000", "50", CONSUMPTION, "2000"),
        (KINDS.USAGE, "50", "51", CONSUMPTION, "2000"),
        (KINDS.USAGE, "2000", "2001", CONSUMPTION, "2000"),
        (KINDS.SCALED, "6000", "6001", CONSUMPTION, "2000"),
    ],
)
def test_a_figure_that_is_not_what_it_stands_for_is_told_with_what_it_should_be(
    kind, right, wrong, code, expected
):
    assert codes(found(figure(kind, right))) == []
    [told] = found(figure(kind, wrong)).findings
    assert (told.code, told.detail["expected"], told.seen) == (code, expected, f"{wrong} kWh")
    assert (told.place.cell, told.start, told.end) == ("F9", DAY, DAY)
    names = {"point": "P1", "meter": "07512345", "channel": "A+", "zone": "T0"}
    assert {name: getattr(told, name) for name in names} == names


def test_a_previous_reading_that_differs_is_told_with_its_instant():
    [told] = found(figure(KINDS.PREVIOUS, "99")).findings
    assert told.detail["other_at"] == OCTOBER.isoformat()


@pytest.mark.parametrize(
    ("since", "previous"),
    [
        (None, "100"),
        (OCTOBER, "100"),
        (SEPTEMBER, "70"),
        # Between two on record: the last one is meant.
        (SEPTEMBER + timedelta(days=3), "100"),
        # Before all that is on record: nothing is known of it.
        (SEPTEMBER - timedelta(seconds=1), None),
    ],
)
def test_a_figure_goes_back_to_the_reading_of_the_date_beside_it(since, previous):
    for text in ("70", "100", "5"):
        told = codes(found(figure(KINDS.PREVIOUS, text, since)))
        assert told == ([] if previous in (text, None) else [PREVIOUS])


@pytest.mark.parametrize(
    "row", [(), ((LATER, "400"),), ((DAY, "150"),)], ids=["none", "later", "its own"]
)
def test_without_a_reading_before_it_only_a_ratio_can_differ(row):
    every = [figure(kind, "7") for kind in KINDS]
    assert [code for code in codes(found(*every, row=row)) if code in (PREVIOUS, CONSUMPTION)] == []
    assert RATIO in codes(found(*every, row=row))


@pytest.mark.parametrize(
    "other",
    [{"point": "P2"}, {"meter": "7"}, {"channel": "A-"}, {"zone": "T1"}, {"instant": OCTOBER}],
    ids=str,
)
def test_a_figure_beside_another_reading_is_not_compared(other):
    assert codes(found(figure(KINDS.RATIO, "7"), figure(KINDS.RATIO, "7", **other))) == [RATIO]


def test_a_figure_beside_a_meter_that_is_not_registered_is_not_compared():
    told = codes(found(figure(KINDS.RATIO, "7"), figure(KINDS.DIFFERENCE, "7"), number="1"))
    assert {RATIO, CONSUMPTION}.isdisjoint(told)
    assert told


@pytest.mark.parametrize(("digits", "told"), [(5, []), (6, [CONSUMPTION]), (None, [])])
def test_the_difference_over_the_last_digit_is_known_by_the_digits(digits, told):
    row = ((OCTOBER, "99990"),)
    checked = found(figure(KINDS.DIFFERENCE, "15"), value="5", row=row, digits=digits)
    assert [item.code for item in checked.findings if item.code is CONSUMPTION] == told


def test_what_should_be_there_is_told_without_zeros_behind_it():
    for row, expected in ((((OCTOBER, "100.50"),), "49.5"), (((OCTOBER, "50"),), "100")):
        [told] = found(figure(KINDS.DIFFERENCE, "1"), row=row).findings
        assert told.detail["expected"] == expected


@pytest.mark.parametrize("kind", [KINDS.CONSUMPTION, KINDS.DIFFERENCE])
def test_what_nothing_tells_is_told_as_nothing_or_not_at_all(kind):
    # The register went back, and without digits nobody knows by how much.
    row = ((OCTOBER, "99990"),)
    checked = found(figure(kind, "15"), value="5", row=row, digits=None)
    assert all(one.detail["expected"] == "" for one in checked.findings if one.code is CONSUMPTION)
