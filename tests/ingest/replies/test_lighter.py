"""A reply that a server refused as too large, without its workbooks."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from ingest.letters.terms import Marked
from ingest.replies.answers import ATTACHED_MOST_BYTES, reply
from ingest.replies.lighter import _NOTE, lighter
from ingest.replies.message import XLSX, Answered, File, compose
from ingest.replies.wishes import standing
from ingest.replies.wording import wording
from layouts.completeness import MonthState, RegisterMonth
from tests.ingest.replies.cases import (
    ENTITY,
    LETTER,
    NOW,
    STANDING,
    STANDING_ENTITY,
    accepted_receipt,
    settings,
)
from tests.ingest.replies.renew import body, opened

BOOK = File("a.xlsx", b"x" * 3000, *XLSX)
XML = File("80021_1.xml", b"<a/>", "application", "xml")
NAMED = File("note.txt", b"a text", "text", "plain")
PAGE = File("page.html", b"<body>a page</body>", "text", "html")


def mail(*files: File, html: str = "<html><body>да</body></html>") -> bytes:
    to = Answered("a@b.example", 1, 1)
    bodies = ("да\n", html)
    return compose(to, "reply", "Тема", bodies, files, NOW, settings()).content


def parts(content: bytes) -> dict[str, bytes]:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    leaves = [one for one in message.walk() if not one.is_multipart()]
    return {
        one.get_filename() or one.get_content_type(): one.get_payload(decode=True)  # type: ignore[misc]
        for one in leaves
    }


@pytest.mark.parametrize("files", [(), (XML,), (NAMED, PAGE)])
def test_a_reply_without_a_workbook_cannot_be_made_lighter(files: tuple[File, ...]) -> None:
    assert lighter(mail(*files)) is None
    assert lighter(mail(*files, html="")) is None


@pytest.mark.parametrize("files", [(BOOK,), (BOOK, XML), (NAMED, BOOK, PAGE, BOOK)])
def test_its_texts_say_so_and_its_other_files_stay_as_they_are(files: tuple[File, ...]) -> None:
    whole = mail(*files)
    smaller = lighter(whole)
    assert smaller is not None
    assert smaller.partition(b"\r\n\r\n")[0] == whole.partition(b"\r\n\r\n")[0]
    left = parts(smaller)
    assert left["text/plain"].decode() == f"да\r\n\r\n{_NOTE}\r\n"
    assert left["text/html"].decode() == f"<html><body>да<p>{_NOTE}</p></body></html>"
    assert {name: left[name] for name in left.keys() - {"text/plain", "text/html"}} == {
        one.name: one.content for one in files if one is not BOOK
    }


def test_a_page_without_an_end_says_so_at_its_end() -> None:
    smaller = lighter(mail(BOOK, html="<p>да"))
    assert smaller is not None
    assert parts(smaller)["text/html"].decode() == f"<p>да<p>{_NOTE}</p>"


def test_what_promised_the_workbook_is_taken_out() -> None:
    book = Marked(b"x" * (ATTACHED_MOST_BYTES // 2), ("formats",))
    owed = reply(
        LETTER, ENTITY, [accepted_receipt()], NOW, settings(), letter_number=1, marked={0: book}
    )
    words = wording("ru")
    promise = words.say("attached_marked", name="52006.xlsx")
    assert promise in body(opened(owed), "plain")
    smaller = lighter(owed.content)
    assert smaller is not None
    told = parts(smaller)
    lost = words.say("lost", what=words.word("lost", "formats"))
    for kind in ("text/plain", "text/html"):
        assert promise not in told[kind].decode()
        assert lost not in told[kind].decode()
        assert "квитанция № 1024" in told[kind].decode()


@pytest.mark.parametrize(("registers", "more"), [(150, 0), (151, 1), (200, 50)])
def test_of_a_month_so_many_readings_are_listed_and_the_others_counted(
    registers: int, more: int
) -> None:
    [(at, value)] = STANDING.registers[1, "A+", "T1"].readings
    state = MonthState(
        STANDING.month, registers={(1, "A+", "T1"): RegisterMonth(((at, value),) * registers)}
    )
    owed = standing(LETTER, STANDING_ENTITY, state, NOW, settings(), letter_number=1)
    text = body(opened(owed), "plain")
    words = wording("ru")
    told = words.say("rows_more", count=words.count(more, "row")) if more else ""
    assert told in text
    assert text.count(words.number(value)) == min(registers, 150)
