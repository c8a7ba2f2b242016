"""What is read of a letter or a file, and how much all of its documents may cost."""

import io
import zipfile
from hashlib import sha256
from types import SimpleNamespace as Some

import pytest
from openpyxl import Workbook, load_workbook

from ingest.letters.terms import Limits, Marks
from ingest.reading import documents
from ingest.reading.documents import _parsed, _share, mark_workbooks, read_file, written_in
from layouts.document import Document
from layouts.findings import Code, Finding, Severity
from layouts.layout import load
from parsers import parsed_of
from parsers.assemble import MOST_MISTAKES, MOST_SERIES
from tests.ingest.office import mail, xml

LAYOUTS = load()
LIMITS = Limits()


def codes(findings):
    return [str(found.code) for found in findings]


def read(name, content):
    return read_file(name, content, LIMITS, LAYOUTS)


LETTER = mail(xml("1.5"))
EMPTY = b"From: a@b.example\r\n\r\nhello"


@pytest.mark.parametrize(
    ("name", "content", "sender", "documents", "layouts"),
    [
        ("z.xml", xml("1.5").encode(), "", ["z.xml"], ["52005"]),
        ("a.eml", LETTER, "buh@primer.example", ["0.xml"], ["52005"]),
        ("A.EML", LETTER, "buh@primer.example", ["0.xml"], ["52005"]),
        # A letter that holds no document is itself taken as one, so that a finding says why.
        ("a.eml", EMPTY, "a@b.example", ["a.eml"], [None]),
        ("a.emlx", EMPTY, "", ["a.emlx"], [None]),
        ("a.txt", b"hello", "", ["a.txt"], [None]),
    ],
)
def test_a_file_is_a_letter_or_its_only_attachment(name, content, sender, documents, layouts):
    found = read(name, content)
    assert (found.letter.sender or "") == sender
    assert [document.name for document in found.letter.documents] == documents
    assert [parsed.layout for parsed in found.parsed] == layouts
    assert all(document.content == b"" for document in found.letter.documents)
    assert (found.letter.sha256, found.letter.size) == (sha256(content).hexdigest(), len(content))


def test_an_archive_with_nothing_in_it_is_told_and_is_no_document():
    content = b"PK\x05\x06" + bytes(18)
    found = read("a.zip", content)
    assert bool(found.letter.findings) != bool(found.letter.documents)


def test_a_file_that_unpacks_too_large_is_told():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", bytes(3 * 2**20))
    limits = Limits(unpacked_bytes=2**20)
    found = read_file("a.zip", packed.getvalue(), limits, LAYOUTS)
    assert len(found.letter.findings) == 1
    assert found.letter.documents == ()


def item(*findings, series=0, spoilt=0):
    return Some(findings=findings, series=(1,) * series, spoilt=(1,) * spoilt)


ONE = Finding(Code.SPIKE, Severity.ERROR)
MANY = Finding(Code.SPIKE, Severity.ERROR, detail={"more": "9"})
COSTLY = Finding(Code.TOO_COSTLY, Severity.ERROR)


@pytest.mark.parametrize(
    ("items", "share"),
    [
        ([], 0),
        ([item()], 0),
        ([item(ONE)], 1 / MOST_MISTAKES),
        ([item(ONE, MANY), item(ONE)], 12 / MOST_MISTAKES),
        ([item(series=2, spoilt=3), item(series=1)], 6 / MOST_SERIES),
        ([item(ONE, series=1)], 1 / MOST_MISTAKES + 1 / MOST_SERIES),
        ([item(COSTLY)], 1),
        ([item(ONE), item(COSTLY, series=2)], 1),
    ],
)
def test_what_was_read_is_a_share_of_what_one_document_may_cost(items, share):
    assert _share(items) == pytest.approx(share)


@pytest.mark.parametrize(
    ("shares", "opened"),
    [
        ([0, 0, 0, 0], 4),
        ([1, 1, 0, 0], 2),
        ([1, 0.99, 0.01, 0], 3),
        ([0.5, 0.5, 0.5, 0.5], 4),
        ([2, 0, 0, 0], 1),
    ],
)
@pytest.mark.parametrize("is_told_by_findings", [True, False])
def test_after_the_cost_of_two_documents_no_other_is_opened(
    monkeypatch, shares, opened, is_told_by_findings
):
    left = iter(shares)
    asked = []

    def parse(document, _layouts, spent):
        asked.append(document.name)
        share = next(left)
        monkeypatch.setattr(
            type(spent), "share", property(lambda _: 0 if is_told_by_findings else share)
        )
        monkeypatch.setattr(documents, "_share", lambda _: share if is_told_by_findings else 0)
        return [parsed_of(document)]

    monkeypatch.setattr(documents, "parse", parse)
    given = [Document(f"{number}.xml", b"x") for number in range(4)]
    found = list(_parsed(given, {}))
    assert asked == [document.name for document in given[:opened]]
    told = [codes(one.findings) for one in found]
    assert told == [[]] * opened + [["too-costly"]] * (4 - opened)
    assert all(one.findings[0].detail["limit"] == "2" for one in found[opened:])


def workbook(**cells):
    book = Workbook()
    for at, value in cells.items():
        book.active[at] = value
    hidden = book.create_sheet("hidden")
    hidden["A1"] = "x"
    hidden.sheet_state = "hidden"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_what_is_written_is_that_of_visible_sheets():
    found = written_in(workbook(A1="a", B2=7))
    assert [*found] == ["Sheet"]
    values = {str(value) for row in found["Sheet"].values() for value in row.values() if value}
    assert values == {"a", "7"}
    assert written_in(b"no workbook") is None


BOOK = workbook(A1="a", B2=7)
WANTED = {sha256(BOOK).hexdigest(): [ONE]}


@pytest.mark.parametrize(
    ("name", "content", "is_marked"),
    [
        ("a.xlsx", BOOK, True),
        ("", mail("x").replace(b'name="0.xml"', b'name="0.bin"'), False),
        ("a.eml", mail(xml("1.5")), False),
    ],
)
def test_only_wanted_workbooks_are_marked(name, content, is_marked):
    found = mark_workbooks(content, LIMITS, Marks(WANTED, set(), "ru"), name)
    assert bool(found) is is_marked
    other = Marks({"0" * 64: [ONE]}, set(), "ru")
    assert mark_workbooks(content, LIMITS, other, name) == {}
    for one in found.values():
        assert load_workbook(io.BytesIO(one.content)).sheetnames[0] == "Замечания"
