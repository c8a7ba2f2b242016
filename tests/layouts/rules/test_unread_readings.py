"""A register's reading that cannot be read is told once, and blames nothing beside it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.letters.terms import Letter, Read
from ingest.reading.wire import HEAD_BYTES, Done, NonsenseError, answer_of, encoded
from layouts.document import Document, Parsed
from layouts.findings import Code
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.rules import check
from parsers import parse
from tests.layouts.rules import build
from tests.layouts.rules.build import moscow

LAYOUTS = load()
CODE = "200000001234"
ZONES = ("T1", "T2", "T3")
POINTS = (
    MeteringPoint("P-1", meters=(Meter("07512345", digits=6, decimals=2, zones=ZONES),)),
    MeteringPoint("P-2", meters=(Meter("07512346", digits=6, decimals=2, zones=("T0",)),)),
)
ENTITY = LegalEntity(CODE, "", "", (), True, POINTS)
GOOD = {"T0": "60", "T1": "10", "T2": "20", "T3": "30"}
WRONG = ["", "нет данных", "12 тыс.", "#N/A"]


def read(zones: dict[str, str], other: str = "5.5") -> Parsed:
    rows = "".join(
        f'<reading date_time="2026110100" channel="A+" zone="{zone}" value="{value}"/>'
        for zone, value in zones.items()
    )
    beside = f'<reading date_time="2026110100" channel="A+" value="{other}"/>'
    (parsed,) = parse(
        Document(
            "z.xml",
            f'<?xml version="1.0" encoding="utf-8"?><package class="52006" version="1"'
            f' sender_code="{CODE}" created="20261101093000">'
            f'<meter number="07512345">{rows}</meter>'
            f'<meter number="07512346">{beside}</meter></package>'.encode(),
        ),
        LAYOUTS,
    )
    return parsed


def told(parsed: Parsed) -> list[Code]:
    return [
        found.code
        for found in check(parsed, LAYOUTS["52006"], ENTITY, moscow(2026, 11, 1, 10)).findings
    ]


@pytest.mark.parametrize("zone", GOOD)
@pytest.mark.parametrize("value", WRONG)
def test_it_is_neither_left_out_nor_summed_up(zone, value):
    (code,) = told(read({**GOOD, zone: value}))
    assert code in {Code.INVALID_NUMBER, Code.MISSING_FIELD}


@pytest.mark.parametrize("value", WRONG)
def test_the_point_of_a_meter_that_is_named_alone_is_not_missing(value):
    (code,) = told(read(GOOD, other=value))
    assert code in {Code.INVALID_NUMBER, Code.MISSING_FIELD}


@pytest.mark.parametrize("left_out", ZONES[1:])
def test_another_zone_that_is_left_out_is_told_beside_it(left_out):
    zones = {**GOOD, "T1": "нет данных"}
    del zones[left_out]
    assert set(told(read(zones))) == {Code.INVALID_NUMBER, Code.ZONES_MISSING}


def test_a_sum_that_does_not_fit_is_still_told_where_all_could_be_read():
    assert Code.ZONE_SUM_MISMATCH in told(read({**GOOD, "T1": "11"}))


def test_the_other_meters_readings_are_recorded():
    parsed = read({**GOOD, "T1": "нет данных"})
    checked = check(parsed, LAYOUTS["52006"], ENTITY, moscow(2026, 11, 1, 10))
    assert {change.series.point for change in checked.changes} == {"P-2"}


def sent(parsed: Parsed) -> Parsed:
    """A document as it comes from a child."""
    read_again = answer_of(encoded(Done(Read(Letter("", 0), (parsed,))))[HEAD_BYTES:])
    assert isinstance(read_again, Read)
    return read_again.parsed[0]


def hours_without_a_date() -> Parsed:
    rows = "".join(f'<consumption date_time="202611330{hour}" energy="1"/>' for hour in range(3))
    head = f'<package class="52005" version="2" sender_code="{CODE}" created="20261102093000">'
    document = f'{head}<point code="P-1" channel="R+">{rows}</point></package>'
    (parsed,) = parse(Document("z.xml", document.encode()), LAYOUTS)
    return parsed


SPOILT = [read({**GOOD, "T1": "нет данных"}), hours_without_a_date()]


@pytest.mark.parametrize("parsed", SPOILT)
def test_what_could_not_be_read_comes_from_a_child_as_it_is(parsed):
    assert len(parsed.spoilt) == 1
    assert sent(parsed).spoilt == parsed.spoilt


@pytest.mark.parametrize("parsed", SPOILT)
def test_one_without_a_value_is_never_taken_among_the_others(parsed):
    with pytest.raises(NonsenseError):
        sent(replace(parsed, series=parsed.spoilt))


@pytest.mark.parametrize(("point", "told"), [("P1", False), (None, False), ("P2", True)])
def test_a_spoilt_zone_hides_a_sum_of_its_own_point_alone(point, told):
    document = build.readings(
        *(
            build.reading(value, zone=zone)
            for zone, value in (("T0", "9"), ("T1", "1"), ("T2", "2"))
        )
    )
    spoilt = replace(build.reading("1", zone="T3", point=point), values=())
    place = build.point("P1", build.meter(zones=("T1", "T2")))
    found = build.judged(replace(document, spoilt=(spoilt,)), build.known(place))
    assert (Code.ZONE_SUM_MISMATCH in build.codes(found)) is told
