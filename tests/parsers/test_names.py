"""A file's name beside what the document says: each part of it, agreed or not."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from layouts.document import Header
from layouts.findings import Code, Severity
from layouts.layout import NamePattern, load
from parsers.names import name_findings

PATTERN = re.compile(
    r"(?P<class>\d+)_(?P<sender_code>\d+)_(?P<sender_inn>\d+)_(?P<created>\d{14})_(?P<day>\d{8})"
    r"_(?P<number>\d+)(?:_(?P<area>.+))?",
    re.IGNORECASE,
)
FORM = replace(load()["80020"], file_name=NamePattern(PATTERN, frozenset(("sender_inn", "number"))))
HEADER = Header(
    sender_code="12", sender_inn="34", created=datetime(2026, 11, 9, 21, 0, 5, tzinfo=UTC),
    period_start=datetime(2026, 11, 8, 21, tzinfo=UTC), number=37,
)  # fmt: skip
PARTS = {"class": "80020", "sender_code": "12", "sender_inn": "34", "created": "20261110000005",
         "day": "20261109", "number": "37"}  # fmt: skip


def named(ending: str = ".xml", **parts: str) -> str:
    return "_".join((PARTS | parts).values()) + ending


def found(name: str, header=HEADER, areas=("7", "Завод"), form=FORM) -> list[tuple]:
    return [
        (one.detail["field"], one.seen, one.detail["expected"])
        for one in name_findings(name, form, "80020", header, areas)
    ]


@pytest.mark.parametrize("part", PARTS)
def test_each_part_that_contradicts_is_told_with_what_is_stated(part):
    other = "1" * len(PARTS[part])
    assert found(named(**{part: other})) == [(part, other, PARTS[part])]
    (told,) = name_findings(named(**{part: other}), FORM, "80020", HEADER, ())
    is_error = part in FORM.file_name.errors
    assert (told.code, told.place.line) == (Code.NAME_MISMATCH, None)
    assert told.severity is (Severity.ERROR if is_error else Severity.WARNING)


@pytest.mark.parametrize(
    "name",
    [
        named(), named(".XML"), named(""), named(" (2).xml"), named("(12).xml"),
        named(" - копия.xml"), named(" - Копия (2).xml"), named(" copy.xml"), named(".xlsx"),
        "папка/" + named(), "C:\\" + named(), named(number="0037"), named(area="7"),
        named(area="завод"), named(" .xml"), " " + named(), named(".документ"), "отчёт.xml", "",
        named(number="x"), named(day="1"),
    ],
)  # fmt: skip
def test_a_copy_a_folder_an_ending_or_another_form_say_nothing(name):
    # An ending has five signs at most; what is longer is of another form.
    assert found(name) == []


@pytest.mark.parametrize(
    ("area", "areas", "told"),
    [("8", ("7", "9"), [("area", "8", "7, 9")]), ("8", (), []), ("7", ("7",), []),
     ("8", ("4", "3", "2", "1"), [("area", "8", "1, 2, 3")]), ("ЗАВОД", ("Завод",), [])],
)  # fmt: skip
def test_an_area_is_one_of_the_document_s(area, areas, told):
    assert found(named(area=area), areas=areas) == told


@pytest.mark.parametrize(
    "field", ["sender_code", "sender_inn", "created", "period_start", "number"]
)
def test_what_the_document_does_not_say_contradicts_no_name(field):
    part = "day" if field == "period_start" else field
    silent = replace(HEADER, **{field: None})
    assert found(named(**{part: "1" * len(PARTS[part])}), silent) == []


def test_a_layout_without_a_form_of_names_takes_every_name():
    assert found(named(number="99"), form=replace(FORM, file_name=None)) == []
    zero = replace(HEADER, number=0)
    assert found(named(number="1"), zero) == [("number", "1", "0")]
    assert found(named(number="000"), zero) == []
