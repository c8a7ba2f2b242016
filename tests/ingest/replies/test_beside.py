"""What lies beside a file in a folder: its verdict, its receipts, the marked workbook."""

import json
from dataclasses import replace

import pytest
from lxml import etree

from ingest.letters.terms import Marked
from ingest.replies.beside import unread, verdict
from layouts.findings import Code, finding
from storage.records.letters import LetterDetails, LetterSummary, SubmissionDetails
from tests.ingest.replies.cases import RECEIVED

SUMMARY = LetterSummary(
    7, RECEIVED, "done", "accepted", "200000001234", "", "", 2, 5, None, 1
)  # fmt: skip
FIRST, SECOND = (
    SubmissionDetails(
        receipt, f"{name}.xlsx", None, None, name * 64, 9, "52006", None, "accepted", 0, receipt
    )
    for receipt, name in ((11, "a"), (12, "b"))
)
DETAILS = LetterDetails(
    SUMMARY, "0" * 64, 99, "", RECEIVED, RECEIVED, (), (finding(Code.NO_DOCUMENTS),),
    (FIRST, SECOND), (),
)  # fmt: skip


@pytest.mark.parametrize(
    ("is_second", "outcome", "told"),
    [
        (False, "accepted", "accepted"), (False, "rejected", "rejected"), (False, None, None),
        (True, "accepted", "duplicate"), (True, None, "duplicate"),
    ],
)  # fmt: skip
def test_the_verdict_is_the_letter_s_or_that_it_came_before(is_second, outcome, told):
    details = replace(DETAILS, summary=replace(SUMMARY, outcome=outcome))
    files = verdict("z.xlsx", details, "ru", {}, is_second=is_second)
    found = json.loads(files[".verdict.json"])
    assert (found["outcome"], found["letter"], found["source"]) == (told, 7, "z.xlsx")
    assert [one["receipt"] for one in found["documents"]] == [11, 12]
    assert [one["code"] for one in found["findings"]] == ["no-documents"]


@pytest.mark.parametrize("marked", ["", "a", "b", "ab"])
def test_each_receipt_and_each_workbook_that_was_marked_has_its_file(marked):
    books = {name * 64: Marked(name.encode()) for name in marked}
    files = verdict("z.zip", DETAILS, "en", books, is_second=False)
    numbers = {"a": 11, "b": 12}
    assert {ending: files[ending] for ending in files if ending.endswith(".xlsx")} == {
        f".verdict-{numbers[name]}.xlsx": name.encode() for name in marked
    }
    roots = {n: etree.fromstring(files[f".verdict-{n}.xml"]) for n in (11, 12)}
    assert {n: root.get("id") for n, root in roots.items()} == {11: "11", 12: "12"}
    # It is laid last, and people read it.
    assert list(files)[-1] == ".verdict.json"
    assert files[".verdict.json"].startswith(b'{\n "source": "z.zip"')


def test_a_file_that_was_not_taken_has_its_reason_beside_it_in_its_language():
    (content,) = unread("письмо.xml", "Это папка").values()
    assert json.loads(content) == {
        "source": "письмо.xml", "error": "Это папка", "letter": None, "outcome": "unread",
    }  # fmt: skip
    assert "письмо".encode() in content
