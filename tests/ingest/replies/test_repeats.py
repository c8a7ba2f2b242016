"""Which findings are told as one, and what is told of them together."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from ingest.replies import repeats
from ingest.replies.repeats import Repeat, joined, shown
from layouts.findings import Code, Finding, Place, finding
from tests.ingest.replies.cases import OCTOBER

Span = tuple[int, int | None]


def at(cell: str | None = None, line: int | None = None) -> Place:
    return Place(sheet="Лист1" if cell else None, cell=cell, line=line)


def comma(place: Place | None = None, **about: object) -> Finding:
    return finding(Code.DECIMAL_COMMA, place or Place(), **about)  # type: ignore[arg-type]


def spans(given: list[Span]) -> list[Span]:
    """What is told of intervals and moments, in hours from the month's start."""
    hour = timedelta(hours=1)
    times = (
        {"start": OCTOBER + a * hour, "end": None if b is None else OCTOBER + b * hour}
        for a, b in given
    )
    (repeat,) = joined(comma(point="1", **one) for one in times)
    told = [(a - OCTOBER, None if b is None else b - OCTOBER) for a, b in repeat.spans]
    hours = [(a // hour, None if b is None else b // hour) for a, b in told]
    only = hours[0] if len(hours) == 1 else (None, None)
    both = repeat.finding.start, repeat.finding.end
    assert tuple(one and (one - OCTOBER) // hour for one in both) == only
    return hours


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ([(0, 1), (1, 2)], [(0, 2)]),
        ([(0, 1), (2, 3)], [(0, 1), (2, 3)]),
        ([(0, 1), (0, 1)], [(0, 1)]),
        ([(0, 3), (1, 2)], [(0, 3)]),
        ([(0, 2), (1, 3)], [(0, 3)]),
        ([(4, 5), (0, 1), (1, 2)], [(0, 2), (4, 5)]),
        ([(0, None), (0, None)], [(0, None)]),
        ([(0, None), (1, None)], [(0, None), (1, None)]),
        ([(0, None), (0, 1)], [(0, None), (0, 1)]),
        ([(0, 1), (1, None)], [(0, 1)]),
        ([(0, 1), (2, None)], [(0, 1), (2, None)]),
    ],
)
def test_neighbouring_times_are_told_as_one(found: list[Span], told: list[Span]) -> None:
    assert spans(found) == told


ONE, OTHER = {"point": "1", "channel": "A+"}, {"point": "2", "channel": "A+"}


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (comma(at("F8"), **ONE), comma(at("F9"), **OTHER), 1),
        (comma(at(line=8), **ONE), comma(at(line=9), **OTHER), 1),
        (comma(at("F8"), **ONE), comma(at(line=9), **OTHER), 1),
        (comma(at("F8"), **ONE), comma(**OTHER), 2),
        (comma(**ONE), comma(**OTHER), 2),
        (comma(**ONE), comma(**ONE), 1),
        # Intervals of several points are told apart, readings of one moment together.
        (comma(at("F8"), **ONE, start=OCTOBER), comma(at("F9"), **OTHER, start=OCTOBER), 2),
        (
            comma(at("F8"), **ONE, zone="T1", start=OCTOBER),
            comma(at("F9"), **OTHER, zone="T1", start=OCTOBER),
            1,
        ),
        (
            comma(at("F8"), **ONE, zone="T1", start=OCTOBER),
            comma(at("F9"), **OTHER, zone="T1", start=OCTOBER + timedelta(hours=1)),
            2,
        ),
        (comma(at("F8"), **ONE, limit="1"), comma(at("F9"), **OTHER, limit="2"), 2),
        (comma(at("F8"), **ONE, more="1"), comma(at("F9"), **OTHER), 1),
        *(
            (finding(code, at("F8"), **ONE), finding(code, at("F9"), **OTHER), 2)
            for code in (Code.SPIKE, Code.UNKNOWN_POINT)
        ),
    ],
)
def test_what_is_said_of_several_objects_is_one_when_their_places_tell_them(
    first: Finding, second: Finding, told: int
) -> None:
    assert len(joined([first, second])) == told


def test_what_is_told_of_several_is_what_all_of_them_have() -> None:
    names = ("area", "point", "meter", "channel", "zone")
    first = comma(at("F8"), seen="1,5", **dict.fromkeys(names, "1"))
    for name in names:
        second = comma(at("F9"), seen="1,5", **{**dict.fromkeys(names, "1"), name: "2"})
        (repeat,) = joined([first, second])
        told = {each: getattr(repeat.finding, each) for each in names}
        assert told == {**dict.fromkeys(names, "1"), name: None}
        assert repeat.points == (("1", "2") if name == "point" else ("1",))
        assert repeat.meters == ()
        assert (repeat.count, repeat.finding.seen, repeat.seen) == (2, "1,5", ("1,5",))


def test_meters_are_told_where_no_point_is_named_and_each_text_once() -> None:
    found = [
        comma(Place(file=f"{n}.xlsx", sheet="Лист1", cell="F8"), meter=f"{n}", seen=seen, count=n)
        for n, seen in ((1, "1,5"), (2, "2,5"), (3, "1,5"), (4, "3,5"), (5, "4,5"))
    ]
    (repeat,) = joined(found)
    assert repeat.meters == ("1", "2", "3", "4", "5")
    assert repeat.seen == ("1,5", "2,5", "3,5")
    assert repeat.finding.seen is None
    assert repeat.places == (at("F8"),)
    assert repeat.count == repeat.finding.count == 15


@pytest.mark.parametrize(
    ("number", "left"), [(0, None), (1, ""), (30, ""), (31, " (+1)"), (33, " (+3)")]
)
def test_points_left_out_are_one_list(number: int, left: str | None) -> None:
    found = [finding(Code.POINT_MISSING, point=f"{n}") for n in range(number)]
    told = [repeat.finding.detail["points"] for repeat in joined(found)]
    listed = ", ".join(f"{n}" for n in range(min(number, 30)))
    assert told == ([] if left is None else [f"{listed}{left}"])
    whole = finding(Code.POINT_MISSING, points="8, 9")
    assert len(joined([*found, whole])) == len(told) + 1


@pytest.mark.parametrize(
    ("places", "others", "told"),
    [
        ((at("F8"), at("F9")), ({"other": "F9"}, {"other": "F8"}), 1),
        ((at("F8"), at("F9")), ({"other": "F7"}, {"other": "F8"}), 2),
        ((at(line=8), at(line=9)), ({"line": "9"}, {"line": "8"}), 1),
        ((at(line=8), at(line=9)), ({"line": "7"}, {"line": "8"}), 2),
    ],
)
def test_of_two_readings_that_contradict_each_other_the_first_is_told(
    places: tuple[Place, ...], others: tuple[dict[str, str], ...], told: int
) -> None:
    def found(code: Code) -> list[Repeat]:
        pairs = zip(places, others, strict=True)
        return joined(finding(code, place, point="1", **other) for place, other in pairs)  # type: ignore[arg-type]

    assert len(found(Code.DUPLICATE_READING)) == told
    assert len(found(Code.DECIMAL_COMMA)) == 2


def test_errors_come_first_then_what_stands_first() -> None:
    codes = (Code.POINT_MISSING, Code.DECIMAL_COMMA, Code.INVALID_NUMBER, Code.INVALID_DATE)
    found = [finding(code, at("F8"), meter="1") for code in codes]
    severities = [repeat.finding.severity.value for repeat in joined(found)]
    assert severities == sorted(severities, key=["error", "warning", "note"].index)
    codes_told = [repeat.finding.code for repeat in joined(found) if repeat.finding.is_error]
    assert codes_told == [Code.INVALID_NUMBER, Code.INVALID_DATE]


@pytest.mark.parametrize(
    ("codes", "before", "told"),
    [
        ([Code.SPIKE] * 3, {}, 3),
        ([Code.SPIKE] * 3, {Code.SPIKE: repeats.SHOWN_MOST - 1}, 1),
        ([Code.SPIKE] * 3, {Code.SPIKE: repeats.SHOWN_MOST}, 0),
        ([Code.SPIKE] * 3, {Code.FLAT_PROFILE: repeats.SHOWN_MOST}, 3),
        ([Code.SPIKE] * 3, {Code.FLAT_PROFILE: 299}, 1),
        ([Code.SPIKE] * 3, {Code.FLAT_PROFILE: 300}, 0),
    ],
)
def test_what_a_reply_has_no_room_for_is_counted(
    codes: list[Code], before: dict[Code, int], told: int
) -> None:
    found = [finding(code, point=f"{n}", more=f"{n}") for n, code in enumerate(codes)]
    taken = Counter(before)
    kept, hidden = shown(found, taken)
    assert [repeat.finding.point for repeat in kept] == [f"{n}" for n in range(told)]
    assert all("more" not in repeat.finding.detail for repeat in kept)
    assert hidden == {Code.SPIKE: (0 + 1 + 2) + (len(codes) - told)}
    assert taken[Code.SPIKE] == before.get(Code.SPIKE, 0) + told
