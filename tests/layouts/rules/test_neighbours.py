"""Two documents of one letter that say different things of one place: neither is believed."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from layouts.document import Header, Places
from layouts.findings import Code
from layouts.layout import load
from layouts.rules import against_each_other
from layouts.rules.neighbours import MOST_TOLD
from tests.layouts.rules.build import DAY, monthly, profile, reading, readings

LAYOUTS = load()
EARLY, LATE = Header(created=DAY), Header(created=DAY + timedelta(hours=1))


def sheet(*series, name="Лист1", file="a.xlsx", header=None, make=readings):
    at = Places(name, [Places.cell_at(8, 6)] * max(len(s.values) for s in series))
    placed = [replace(one, places=at) for one in series]
    return replace(make(*placed), name=file, part=name, header=header or Header())


def told(*documents):
    """Code, text seen and the other place of what each document is told."""
    return [
        [(f.code, f.seen, f.detail.get("other"), f.count) for f in parsed.findings]
        for parsed in against_each_other(documents, LAYOUTS)
    ]


def test_two_sheets_with_different_readings_are_told_at_both_places():
    one, two = sheet(reading("5")), sheet(reading("6"), name="Лист2")
    assert told(one, two) == [
        [(Code.DUPLICATE_READING, "5", "Лист2!F8", 1)],
        [(Code.DUPLICATE_READING, "6", "Лист1!F8", 1)],
    ]


def test_of_three_sheets_all_are_told_whichever_two_agree():
    sheets = [sheet(reading(value), name=name) for value, name in zip("565", "абв", strict=True)]
    assert [[seen for _, seen, _, _ in found] for found in told(*sheets)] == [["5"], ["6"], ["5"]]


def test_another_file_is_named():
    one, two = sheet(reading("5")), sheet(reading("6"), file="b.xlsx")
    assert [found[0][2] for found in told(one, two)] == ["b.xlsx, Лист1!F8", "a.xlsx, Лист1!F8"]


@pytest.mark.parametrize(
    "other",
    [
        reading("5.0"),
        reading("6", zone="T1"),
        reading("6", channel="R+"),
        reading("6", meter="99"),
        reading("6", point="P2"),
        reading("6", at=DAY - timedelta(days=31)),
    ],
)
def test_the_same_value_again_and_other_registers_are_no_contradiction(other):
    assert told(sheet(reading("5")), sheet(other, name="Лист2")) == [[], []]


def test_a_number_that_lost_its_zeros_is_the_same_meter():
    found = told(sheet(reading("5", meter="0751")), sheet(reading("6", meter="751"), name="Б"))
    assert [len(one) for one in found] == [1, 1]


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (EARLY, LATE, 0),
        (EARLY, EARLY, 1),
        (EARLY, None, 1),
        (None, None, 1),
    ],
)
def test_only_versions_that_documents_state_decide_between_them(first, second, count):
    one, two = sheet(reading("5"), header=first), sheet(reading("6"), header=second, file="b.xlsx")
    assert [len(found) for found in told(one, two)] == [count, count]


def test_different_hours_are_told_once_with_their_number():
    hours = profile([1, 2, 3, 4], step=60)
    other = replace(hours, values=[1, 9, 3, 8])
    one, two = sheet(hours, make=monthly), sheet(other, name="Лист2", make=monthly)
    assert told(one, two) == [
        [(Code.DUPLICATE_INTERVAL, None, "Лист2!F8", 2)],
        [(Code.DUPLICATE_INTERVAL, None, "Лист1!F8", 2)],
    ]


def test_sheets_of_days_that_follow_each_other_do_not_contradict():
    first = profile([1, 2, 3, 4], step=60)
    second = replace(first, start=first.end)
    assert told(sheet(first, make=monthly), sheet(second, name="2", make=monthly)) == [[], []]


def test_so_many_contradictions_that_they_are_not_listed_refuse_the_document():
    many = [reading("5", meter=str(n)) for n in range(1, MOST_TOLD + 20)]
    others = [replace(one, values=(Decimal(6),)) for one in many]
    (first, _) = against_each_other((sheet(*many), sheet(*others, name="Б")), LAYOUTS)
    assert len(first.findings) == MOST_TOLD + 1
    assert (first.findings[-1].point, first.findings[-1].meter) == (None, None)


def test_a_document_of_no_layout_contradicts_nothing():
    one, two = sheet(reading("5")), replace(sheet(reading("6")), layout=None)
    assert told(one, two) == [[], []]


def test_the_hours_that_differ_are_told_from_the_first_to_the_last():
    hours = profile([1, 2, 3, 4, 5], step=60)
    one = sheet(hours, make=monthly)
    two = sheet(replace(hours, values=[1, 9, 3, 8, 5]), name="2", make=monthly)
    (found,) = against_each_other((one, two), LAYOUTS)[0].findings
    assert (found.start, found.end) == (DAY + timedelta(hours=1), DAY + timedelta(hours=4))


def test_sheets_of_days_that_overlap_are_compared_where_both_have_values():
    first = profile([1, 2, 3, 4], step=60)
    second = replace(first, start=DAY + timedelta(hours=2), values=[3, 9, 5, 6])
    assert told(sheet(first, make=monthly), sheet(second, name="2", make=monthly)) == [
        [(Code.DUPLICATE_INTERVAL, None, "2!F8", 1)],
        [(Code.DUPLICATE_INTERVAL, None, "Лист1!F8", 1)],
    ]
