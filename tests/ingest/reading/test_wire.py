"""Nothing in a child's answer is longer, larger or further than what is read."""

from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from ingest.letters.terms import Attachment, Bounce, Credential, Letter, Read, Source
from ingest.reading.wire import HEAD_BYTES, Done, Failed, NonsenseError, answer_of, encoded
from layouts.document import Document, Header, Parsed, Places, Series
from layouts.figures import Figure, FigureKind
from layouts.findings import Code, Place, finding
from layouts.terms import Kind

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
