"""One visit: what is asked for, and what an answer may be."""

from datetime import UTC, datetime

import pytest
from starlette.datastructures import FormData
from starlette.requests import Request

from ingest.web.site import Visit, is_console, ours, texts_of

NOW = datetime(2026, 11, 15, 9, tzinfo=UTC)


def visit(path="/", query="", **fields):
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(),
             "scheme": "https", "server": ("meters.example", 443), "headers": []}  # fmt: skip
    made = Visit(None, Request(scope), NOW, "ru", "browser")
    made.fields = FormData(fields)
    return made


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/", "/"),
        ("/receipts/1?lang=en", "/receipts/1?lang=en"),
        ("", "/"),
        ("receipts", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/a//b", "/a//b"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/a\u2028b", "/"),
    ],
)
def test_one_is_led_to_our_own_pages_alone(path, led):
    assert ours(path) == led


@pytest.mark.parametrize(
    ("path", "is_it"),
    [("/console", True), ("/console/letters", True), ("/consoles", False), ("/", False),
     ("/x/console", False)],
)  # fmt: skip
def test_the_console_is_what_lies_below_its_address(path, is_it):
    at = visit(path)
    assert is_console(at.request) is is_it
    assert (at.is_console, at.home) == (is_it, "/console" if is_it else "/")


def test_an_address_is_path_and_query():
    assert visit("/receipts").address == "/receipts"
    assert visit("/receipts", "before=3&lang=en").address == "/receipts?before=3&lang=en"


def test_the_same_page_in_another_language_keeps_every_other_question():
    of = visit("/x", "lang=ru&state=a%26b&state=c&lang=en")
    assert of.in_language("en") == "?state=a%26b&state=c&lang=en"


def test_a_field_or_a_question_that_is_absent_is_empty():
    of = visit("/", "a=1", b="2")
    assert (of.text("b"), of.text("a"), of.asked("a"), of.asked("b")) == ("2", "", "1", "")
    assert [*texts_of(of.fields)] == [("b", "2")]


def test_nobody_is_no_visitor_and_no_operator():
    for name in ("who", "me"):
        with pytest.raises(LookupError):
            getattr(visit(), name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("52006_1.xlsx", "52006_1.xlsx"),
        ("a-b.c", "a-b.c"),
        ("показания.xlsx", "_________.xlsx"),
        ('a"b\r\nc;d/e', "a_b__c_d_e"),
        ("１", "_"),
        ("", "file"),
        ("x" * 151, "x" * 150),
        ("x" * 150, "x" * 150),
    ],
)
def test_a_download_has_a_name_of_plain_characters(name, kept):
    answer = visit().file(b"content", name, "application/octet-stream")
    assert answer.headers["content-disposition"] == f'attachment; filename="{kept}"'
    assert (answer.body, answer.media_type) == (b"content", "application/octet-stream")
