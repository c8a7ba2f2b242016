"""Results as JSON: one function, whatever they are."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pkgutil import resolve_name
from typing import ClassVar, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from ingest.operations.told import MERGED, Keys, as_json, attribute
from ingest.replies.told import NAMED
from layouts.findings import Code, finding


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    first: int
    second: int


@dataclass(frozen=True, slots=True)
class Inner:
    number: int
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Outer:
    KEYS: ClassVar[Keys] = {
        "name": "title",
        MERGED: "inner",
        "deep": "other.number",
        "twice": lambda o: [o.title] * 2,
    }

    title: str
    inner: Inner
    other: Inner | None = None
    secret: str = "not told"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (Colour.RED, "red"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.100"), "0.100"),
        (date(2026, 11, 1), "2026-11-01"),
        (datetime(2026, 11, 22, 9, tzinfo=UTC), "2026-11-22T12:00:00+03:00"),
        (
            datetime(2026, 11, 22, 9, tzinfo=ZoneInfo("Europe/Samara")),
            "2026-11-22T09:00:00+04:00",
        ),
        ((1, (2, 3)), [1, [2, 3]]),
        (Pair(1, 2), {"first": 1, "second": 2}),
        ({Colour.RED: Inner(1)}, {"red": {"number": 1, "text": None}}),
    ],
)
def test_a_value_has_one_form(value, told):
    assert as_json(value) == told


def test_keys_rename_merge_reach_in_and_leave_out():
    told = as_json(Outer("a", Inner(1, "b")))
    assert told == {"name": "a", "number": 1, "text": "b", "deep": None, "twice": ["a", "a"]}
    assert as_json(Outer("a", Inner(1), Inner(2)))["deep"] == 2


def test_a_finding_is_told_in_the_language_asked_for():
    item = finding(Code.UNKNOWN_POINT, seen="1")
    messages = {as_json([item], language)[0]["message"] for language in ("ru", "en")}
    assert len(messages) == 2
    assert as_json(item)["seen"] == "1"


def test_what_has_no_form_in_json_is_refused():
    with pytest.raises(TypeError, match="object has no form"):
        as_json({"a": object()})


def test_a_path_ends_at_the_first_none():
    assert attribute(Outer("a", Inner(1)), "other.number") is None
    assert attribute(Outer("a", Inner(1)), "inner.number") == 1


@pytest.mark.parametrize("name", NAMED)
def test_keys_belong_to_a_class_that_exists_under_that_name(name):
    kind = resolve_name(name)
    assert f"{kind.__module__}.{kind.__name__}" == name
