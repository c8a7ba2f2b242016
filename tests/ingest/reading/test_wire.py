"""Nothing in a child's answer is longer, larger or further than what is read."""

import os
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from ingest.letters.terms import Attachment, Bounce, Credential, Letter, Read, Source
from ingest.reading.wire import (
    DIGITS_MOST,
    HEAD_BYTES,
    TEXT_MOST,
    Done,
    Failed,
    NonsenseError,
    answer_of,
    encoded,
    frames,
    put,
)
from layouts.document import Document, Header, Parsed, Places, Series
from layouts.figures import Figure, FigureKind
from layouts.findings import Code, Place, finding
from layouts.terms import Kind
from parsers.fields import WHOLE_DIGITS

AT = datetime(2026, 11, 1, tzinfo=UTC)
PLACE = Place("a.xlsx", 1, "Лист1", "C14")
FOUND = finding(Code.SPIKE, PLACE, seen="1", point="1", meter="2", start=AT, end=AT, limit="3")
WHOLE = Read(
    Letter(
        sha256="ab",
        size=9,
        headers={"list-id": ("<a>",)},
        sender="a@b.example",
        references=("<1@b.example>",),
        credentials=(Credential(Source.BODY, "200000001234", "Zima-2026"),),
        documents=(Document("a.xlsx", b"", "a.zip"),),
        attachments=(Attachment("b.rar", "a/b", 9, "archive", "a.zip"),),
        findings=(FOUND,),
        wish=("template", "52006"),
        bounce=Bounce(("<1@b.example>",), True, "5.1.1", "no such user", "a@b.example"),
    ),
    (
        Parsed(
            *("a.xlsx", "ab", 9, "a.zip", "Лист1", "52006"),
            header=Header("1", "200000001234", "7", "АО", "Zima-2026", AT, 1, AT, AT),
            series=(
                Series(Kind.INTERVAL, "a", "1", None, "A+", None, AT, 60, [1, None], power=3),
                Series(
                    *(Kind.INTERVAL, "a", "1", None, "A+", None, AT, 60, [1]),
                    spans=[(0, 3600)],
                    places=Places("Лист1", [16384]),
                ),
                Series(Kind.REGISTER, "a", "1", "2", "A+", "T1", AT, 0, (Decimal("12.5"),)),
            ),
            findings=(FOUND,),
            points=frozenset({("a", "1")}),
            figures=(
                Figure(
                    *(FigureKind.RATIO, Decimal(40), "1", "2", "A+", "T1", AT, AT),
                    place=PLACE,
                    seen="40",
                ),
            ),
        ),
    ),
)


def leaves(value: object, path: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inside:
        if isinstance(item, dict | list):
            yield from leaves(item, (*path, key))
        else:
            yield (*path, key)


def at(value, path):
    for key in path:
        value = value[key]
    return value


def with_leaf(path: tuple[object, ...], leaf: object) -> bytes:
    lying = deepcopy(PLAIN)
    at(lying, path[:-1])[path[-1]] = leaf
    return msgspec.msgpack.encode(lying)


PLAIN = msgspec.msgpack.decode(encoded(Done(WHOLE))[HEAD_BYTES:])
TEXTS = [path for path in leaves(PLAIN) if isinstance(at(PLAIN, path), str)]
# A decimal is a text on its way.
NUMBERS = [path for path in TEXTS if path[-2:] == ("values", 0) or path[-1] == "value"]
COLUMNS = [
    path
    for path in leaves(PLAIN)
    if {"values", "spans", "step_minutes", "power"} & set(path) and path not in NUMBERS
]


def test_what_honest_children_answer_arrives_as_it_was():
    assert answer_of(encoded(Done(WHOLE))[HEAD_BYTES:]) == WHOLE


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: ".".join(map(str, path)))
def test_no_text_is_longer_than_any_that_is_read(path):
    with pytest.raises(NonsenseError):
        answer_of(with_leaf(path, "9" * 10_000))


@pytest.mark.parametrize("number", ["1E+99999999999", "1E-99999999999", "NaN", "-Infinity", "sNaN"])
@pytest.mark.parametrize("path", NUMBERS, ids=lambda path: ".".join(map(str, path)))
def test_no_number_is_without_end(path, number):
    """`int(Decimal("1E+99999999999"))` never ends."""
    with pytest.raises(NonsenseError):
        answer_of(with_leaf(path, number))


@pytest.mark.parametrize("leaf", ["1.5", "1E+99999999999", -(2**62), 2**62, 2**64 - 1])
@pytest.mark.parametrize("path", COLUMNS, ids=lambda path: ".".join(map(str, path)))
def test_no_column_holds_what_no_database_could_keep(path, leaf):
    with pytest.raises(NonsenseError):
        answer_of(with_leaf(path, leaf))


def test_no_instant_is_without_a_zone():
    times = [path for path in leaves(PLAIN) if isinstance(at(PLAIN, path), datetime)]
    assert len(times) > 5
    for path in times:
        with pytest.raises(NonsenseError):
            answer_of(with_leaf(path, "2026-11-01T00:00:00"))


def test_where_our_own_code_failed_is_told_in_few_words():
    with pytest.raises(NonsenseError):
        answer_of(encoded(Failed("a" * 10_000))[HEAD_BYTES:])


SERIES = ("read", "parsed", 0, "series")
TEXT = ("read", "letter", "subject")
READING = (*SERIES, 2, "values", 0)


@pytest.mark.parametrize(
    ("path", "most", "over"),
    [
        (TEXT, "a" * TEXT_MOST, "a" * (TEXT_MOST + 1)),
        (READING, f"1E+{DIGITS_MOST}", f"1E+{DIGITS_MOST + 1}"),
        (READING, f"1E-{DIGITS_MOST}", f"1E-{DIGITS_MOST + 1}"),
        (READING, "0." + "1" * (2 * DIGITS_MOST - 2), "0." + "1" * (2 * DIGITS_MOST - 1)),
        ((*SERIES, 0, "step_minutes"), 31 * 24 * 60, 31 * 24 * 60 + 1),
        ((*SERIES, 0, "step_minutes"), 0, -1),
        ((*SERIES, 0, "values", 0), -(10**WHOLE_DIGITS), -(10**WHOLE_DIGITS) - 1),
        ((*SERIES, 0, "values", 0), 10**WHOLE_DIGITS, 10**WHOLE_DIGITS + 1),
        ((*SERIES, 0, "power"), 0, -1),
        ((*SERIES, 0, "power"), WHOLE_DIGITS, WHOLE_DIGITS + 1),
        ((*SERIES, 0, "not_commercial"), [0, 1], [2]),
        ((*SERIES, 0, "not_commercial"), [1], [-1]),
        ((*SERIES, 1, "spans"), [[0, 3600]], [[0, 3600]] * 2),
        ((*SERIES, 1, "places", "at"), [16384], [16384] * 2),
        ((*SERIES, 1, "spans", 0, 1), 250_000_000_000, 250_000_000_001),
        ((*SERIES, 1, "spans", 0, 0), -250_000_000_000, -250_000_000_001),
        ((*SERIES, 2, "values"), ["1"], ["1", "1"]),
        ((*SERIES, 2, "values"), ["1"], []),
        ((*SERIES, 2, "values"), ["1"], [None]),
        ((*SERIES, 0, "values", 0), 7, "7.5"),
    ],
    ids=lambda value: ".".join(map(str, value))[-30:] if isinstance(value, tuple) else "",
)
def test_the_last_that_is_taken_and_the_first_that_is_not(path, most, over):
    taken = answer_of(with_leaf(path, most))
    assert isinstance(taken, Read)
    with pytest.raises(NonsenseError):
        answer_of(with_leaf(path, over))


@pytest.mark.parametrize(
    ("change", "is_taken"),
    [
        ({}, True),
        ({"places": None}, True),
        ({"places": {"sheet": "Лист1", "at": [1, 2]}}, False),
        ({"places": {"sheet": "Лист1", "at": []}}, False),
        ({"spans": [[0, 3600]]}, False),
        ({"not_commercial": [0]}, False),
        ({"values": [1], "spans": [[0, 3600]], "not_commercial": [0]}, True),
        ({"values": [1, 2], "spans": [[0, 3600]]}, False),
    ],
)
def test_a_spoilt_series_has_one_place_alone_or_all_of_its_columns(change, is_taken):
    bare = at(PLAIN, (*SERIES, 1)) | {"values": [], "spans": None}
    lying = with_leaf(("read", "parsed", 0, "spoilt"), [bare | change])
    if is_taken:
        assert len(answer_of(lying).parsed[0].spoilt) == 1
    else:
        with pytest.raises(NonsenseError):
            answer_of(lying)


def test_frames_come_whole_through_a_pipe_until_it_is_closed():
    out, into = os.pipe()
    for message in (Failed("in a.py:1"), Failed("ы" * 20)):
        put(into, encoded(message))
    # The service ended within a frame: there is nothing to answer.
    os.write(into, encoded(Failed("x"))[:-1])
    os.close(into)
    bodies = list(frames(out))
    os.close(out)
    assert [answer_of(body) for body in bodies[:2]] == [Failed("in a.py:1"), Failed("ы" * 20)]
    assert not any(bodies[2:])
