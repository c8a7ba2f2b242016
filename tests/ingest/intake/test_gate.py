"""Which letters are ignored, recorded, and answered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.intake.gate import Gate, may_answer
from ingest.intake.provenance import provenance
from ingest.letters.letter import HEADERS_KEPT, read_letter
from ingest.letters.terms import Limits

OURS = frozenset({"meters@retailer.example"})


def gate(header: str, *, has_document: bool = False, own_id: str = "") -> Gate:
    fields = {"From": "buh@primer.example", "Subject": "Показания"}
    named = {line.partition(":")[0].lower() for line in header.splitlines()}
    lines = [header] if header else []
    lines += [f"{name}: {value}" for name, value in fields.items() if name.lower() not in named]
    content = ("\r\n".join(lines) + "\r\n\r\nтекст\r\n").encode()
    letter = read_letter(content, Limits())
    return may_answer(letter, has_document, OURS, lambda message_id: message_id == own_id)


@pytest.mark.parametrize("has_document", [True, False])
@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-replied (vacation)",
        "auto-submitted: AUTO-REPLIED; owner-email=x@y.example",
        "Auto-Submitted: auto-notified",
        "Return-Path: <>",
        "Return-Path:",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=x",
        "List-Id: Новости <news.example>",
        "From: Meters <METERS@retailer.example>",
        "From: meters+1@retailer.example",
        "Return-Path: <meters@retailer.example>",
        "Return-Path: <meters+1@retailer.example>",
        "From: MAILER-DAEMON@primer.example",
        "X-Failed-Recipients: someone@primer.example",
        "X-Autoreply: yes",
    ],
)
def test_a_letter_of_the_never_answered_kind_is_ignored_even_with_a_document(
    header: str, has_document: bool
) -> None:
    found = gate(header, has_document=has_document)
    assert (found.record, found.answer) == (False, False)
    assert found.reason


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated",
        "Precedence: bulk",
        "Precedence: Junk",
        "List-Unsubscribe: <mailto:stop@news.example>",
        "List-Post: NO",
        "List-Help: <https://news.example>",
        "X-Auto-Response-Suppress: All",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Subject: Автоматический ответ: показания приняты",
    ],
)
def test_a_machine_letter_is_ignored_without_a_document_and_recorded_with_one(header: str) -> None:
    assert not gate(header).record
    found = gate(header, has_document=True)
    assert (found.record, found.answer, found.only_authenticated) == (True, True, True)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Auto-Submitted: no",
        "Precedence: normal",
        "Return-Path: <buh@primer.example>",
        "Return-Path: <бухгалтерия at primer>",
        "X-Auto-Response-Suppress: None",
        "In-Reply-To: <ours@retailer.example>",
    ],
)
def test_an_ordinary_letter_is_recorded_and_answered(header: str) -> None:
    assert gate(header, own_id="<ours@retailer.example>") == Gate(record=True, answer=True)


def test_a_letter_with_a_message_id_of_ours_has_come_back_to_us() -> None:
    found = gate("Message-ID: <1@retailer.example>", own_id="<1@retailer.example>")
    assert not found.record


@pytest.mark.parametrize("header", ["From: undisclosed", "Reply-To: meters@retailer.example"])
def test_a_letter_that_has_nobody_to_answer_to_is_recorded_without_an_answer(header: str) -> None:
    found = gate(header, has_document=True)
    assert (found.record, found.answer) == (True, False)


def test_what_is_asked_of_a_letter_is_what_is_kept_of_its_header() -> None:
    asked: set[str] = set()

    class Asked(dict[str, tuple[str, ...]]):
        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            asked.add(name)
            return default

    letter = replace(read_letter(b"From: buh@primer.example\r\n\r\n", Limits()), headers=Asked())
    assert may_answer(letter, True, OURS, lambda _: False) == Gate(record=True, answer=True)
    provenance(letter, "mx.retailer.example")
    assert asked == HEADERS_KEPT


GROUP = frozenset({"meters.retailer.example"})


def through(list_id: str, head: str = "", *, has_document: bool = True) -> Gate:
    """A letter through a list, for a retailer whose intake address is a group."""
    content = f"From: buh@primer.example\r\nList-Id: {list_id}\r\n{head}\r\nтекст\r\n".encode()
    letter = read_letter(content, Limits())
    return may_answer(letter, has_document, OURS, lambda _: False, GROUP)


@pytest.mark.parametrize(
    "list_id",
    [
        "<meters.retailer.example>",
        "Показания <meters.retailer.example>",
        '"a <b> c" <Meters.Retailer.Example>',
        "meters.retailer.example",
    ],
)
@pytest.mark.parametrize("head", ["", "Precedence: list\r\n", "X-Auto-Response-Suppress: All\r\n"])
def test_a_letter_through_our_own_group_is_taken_from_who_proves_to_be_its_sender(
    list_id: str, head: str
) -> None:
    told = through(list_id, head)
    assert (told.record, told.answer, told.only_authenticated) == (True, True, True)


@pytest.mark.parametrize(
    "list_id", ["<news.retailer.example>", "<meters.retailer.example> <x>", "<>", "?"]
)
def test_a_letter_through_any_other_list_is_ignored(list_id: str) -> None:
    assert through(list_id) == Gate(record=False, answer=False, reason="mailing list")


def test_a_group_that_writes_its_own_address_into_from_is_answered_at_reply_to() -> None:
    head = "From: Ivan <meters@retailer.example>\r\nReply-To: buh@primer.example\r\n"
    content = f"List-Id: <meters.retailer.example>\r\n{head}\r\nx\r\n".encode()
    letter = read_letter(content, Limits())
    assert may_answer(letter, True, OURS, lambda _: False, GROUP).answer
    without = content.replace(b"Reply-To: buh@primer.example\r\n", b"")
    told = may_answer(read_letter(without, Limits()), True, OURS, lambda _: False, GROUP)
    assert told.reason == "our own address"


@pytest.mark.parametrize("head", ["Return-Path: <>\r\n", "Auto-Submitted: auto-replied\r\n"])
def test_bounces_and_robots_of_our_group_are_ignored(head: str) -> None:
    assert not through("<meters.retailer.example>", head).record


def test_what_our_group_passes_on_without_a_document_is_ignored() -> None:
    assert not through("<meters.retailer.example>", has_document=False).record
