"""All mistakes at once: a document with several of several kinds is mended in one round."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from layouts.document import Document
from layouts.layout import load
from layouts.points import LegalEntity, MeteringPoint
from layouts.rules import check
from parsers import parse
from tests.layouts.rules.build import moscow

ROOT = Path(__file__).parents[3]
LAYOUTS = load()
CODE = "200000001234"
ENTITY = LegalEntity(CODE, "", "", (), True, (MeteringPoint(CODE, channels=("A+",)),))


def row(hour, energy):
    return f'<consumption date_time="20261101{hour:02}" energy="{energy}"/>'


def document(planted):
    rows = {hour: row(hour, f"0.{hour + 100}") for hour in range(24)}
    body = "\n".join(line for line in (rows | planted).values() if line)
    return (
        f'<package class="52005" version="1" sender_code="{CODE}" created="20261102093000">\n'
        f"{body}\n</package>"
    ).encode()


MISTAKES = {
    "invalid-number": (3, row(3, "abc")),
    "negative-value": (5, row(5, "-5")),
    "missing-interval": (8, ""),
    "duplicate-interval": (11, row(11, "1.5") + "\n" + row(11, "1.6")),
    "too-many-decimals": (13, row(13, "0.1234567")),
    "reading-in-future": (17, '<consumption date_time="2026113017" energy="7"/>\n' + row(17, "1")),
    "invalid-date": (20, '<consumption date_time="2026113320" energy="7"/>\n' + row(20, "1")),
}


def found(planted):
    content = document(dict(MISTAKES[name] for name in planted))
    (parsed,) = parse(Document("z.xml", content), LAYOUTS)
    return check(parsed, LAYOUTS["52005"], ENTITY, moscow(2026, 11, 3))


@pytest.mark.parametrize("planted", list(combinations(MISTAKES, 4)), ids=" ".join)
def test_any_four_mistakes_of_four_kinds_are_told_in_one_round(planted):
    checked = found(planted)
    told = {item.code.value for item in checked.findings}
    assert set(planted) <= told
    assert checked.changes == ()


def test_without_a_mistake_nothing_is_told():
    assert found(()).findings == ()


def test_what_is_shown_as_written_is_what_was_written_in_the_senders_unit():
    (told,) = (item for item in found(["negative-value"]).findings if item.is_error)
    assert told.seen == "-5"
    assert told.place.line == 7


def test_a_gap_is_told_at_the_line_before_it():
    (told,) = (item for item in found(["missing-interval"]).findings if item.is_error)
    assert told.place.line == 9


@pytest.mark.parametrize("left_out", [range(3), range(45, 48), [*range(2), 47]])
def test_what_is_missing_at_the_edge_of_a_day_is_told_at_the_value_beside_it(left_out):
    lines = (ROOT / "samples/80020/day.xml").read_bytes().splitlines(keepends=True)
    periods = [n for n, line in enumerate(lines) if b"<period" in line][:48]
    for n in sorted((periods[at] for at in left_out), reverse=True):
        del lines[n]
    (parsed,) = parse(Document("day.xml", b"".join(lines)), LAYOUTS)
    checked = check(parsed, LAYOUTS["80020"])
    told = [item.place.line for item in checked.findings if item.code.value == "missing-interval"]
    first = periods[0] + 1
    last = first + 47 - len(left_out)
    assert told == [line for at, line in ((0, first), (47, last)) if at in left_out]


@pytest.mark.parametrize("time", ["2026113306", "2026110127", "", "yesterday"])
def test_a_line_whose_time_cannot_be_read_is_no_gap_beside_a_real_one(time):
    planted = {6: f'<consumption date_time="{time}" energy="0.1"/>', 15: ""}
    (parsed,) = parse(Document("z.xml", document(planted)), LAYOUTS)
    checked = check(parsed, LAYOUTS["52005"], ENTITY, moscow(2026, 11, 3))
    gaps = [item.place.line for item in checked.findings if item.code.value == "missing-interval"]
    assert gaps == [16]
