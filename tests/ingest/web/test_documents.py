"""Files that are sent: how large, under which name, and what of them comes back."""

import io
import re
import zipfile

import pytest
from openpyxl import load_workbook

from ingest.web.account.documents import plain_name
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, xml
from tests.ingest.web.test_account import field, hand_in, registers, upload
from tests.ingest.web.test_api import basic
from tests.ingest.web.test_console import Crew

MOST = len(xml("0.067"))


@pytest.fixture
def crew(world):
    return Crew(world)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("z.xml", "z.xml"),
        ("C:\\Users\\anna\\z.xml", "z.xml"),
        ("/home/anna/z.xml", "z.xml"),
        ("a\\b/c\\z.xml", "z.xml"),
        ("folder/", ""),
        ("", ""),
        ("x" * 201, "x" * 200),
    ],
)
def test_a_file_s_name_is_without_its_path_and_bounded(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(("more", "is_taken"), [(0, True), (1, False)])
def test_a_file_of_the_largest_size_is_taken_and_one_byte_more_is_not(
    crew, signed_in, monkeypatch, more, is_taken
):
    world = crew.world
    monkeypatch.setattr(type(world.service), "upload_bytes", MOST - more)
    document = xml("0.067").encode()
    files = {"file": ("z.xml", document)}
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    program = world.browser()
    form = program.post("/api/v1/documents?dry_run=1", files=files, headers=basic())
    body = program.client.post("/api/v1/documents?dry_run=1", content=document, headers=basic())
    pages = [
        upload(signed_in, document),
        admin.post("/console/import", files={"file": ("r.csv", document)}),
        admin.post(f"/console/entities/{CODE}/enter", {"reason": "x"}, files=files),
    ]

    assert [form.status_code, body.status_code] == [200, 200] if is_taken else [413, 413]
    told = [page.text.replace("hidden>Файл слишком", "") for page in pages]
    assert ["Файл слишком" in text for text in told] == [not is_taken] * 3
    expected = [200, 422, 200] if is_taken else [413, 413, 422]
    assert [page.status_code for page in pages] == expected


def test_an_empty_file_is_told_by_each_way(crew, signed_in):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    files = {"file": ("z.xml", b"")}
    answer = crew.world.browser().post("/api/v1/documents", files=files, headers=basic())

    assert (answer.status_code, answer.json()["code"]) == (400, "empty")
    assert upload(signed_in, b"").status_code == 422
    answer = admin.post("/console/import", files=files)
    assert (answer.status_code, "Файл пуст" in answer.text) == (422, True)


@pytest.mark.parametrize(
    ("sent", "asked", "named"),
    [
        ("a/b/z.xml", "", "z.xml"),
        (None, "b.xml", "b.xml"),
        (None, "", "document"),
        (None, "folder/", "document"),
    ],
)
def test_a_document_without_a_name_gets_that_which_is_asked_for(world, sent, asked, named):
    client = world.browser().client
    document = xml("0.067").encode()
    given = {"files": {"file": (sent, document)}} if sent else {"content": document}
    params = {"name": asked} if asked else {}
    answer = client.post("/api/v1/documents", headers=basic(), params=params, **given)
    assert answer.json()["file"] == named


@pytest.mark.parametrize(
    ("dry_run", "is_dry"),
    [("1", True), ("true", True), ("0", False), ("false", False), ("", False)],
)
def test_a_dry_run_is_what_is_not_switched_off(world, dry_run, is_dry):
    client, document = world.browser().client, xml("0.067").encode()
    path = f"/api/v1/documents?dry_run={dry_run}"
    answer = client.post(path, content=document, headers=basic())
    assert answer.status_code == (200 if is_dry else 201)
    assert ("location" in answer.headers) is not is_dry
    with world.service.ledger.reading() as store:
        assert bool(store.letters.find()) is not is_dry


@pytest.mark.parametrize(
    ("accept", "is_xml"),
    [("application/xml", True), ("text/xml", True), ("", False), ("*/*", False),
     ("text/html,application/xhtml+xml,application/xml;q=0.9", False)],
)  # fmt: skip
def test_xml_is_for_who_asks_for_it_and_is_no_browser(world, accept, is_xml):
    client, document = world.browser().client, xml("0.067").encode()
    headers = basic() | {"Accept": accept}
    made = client.post("/api/v1/documents", content=document, headers=headers)
    again = client.get("/api/v1/receipts/1", headers=headers)
    kind = "application/xml" if is_xml else "application/json"
    assert [one.headers["content-type"] for one in (made, again)] == [kind] * 2
    # What was only checked has no receipt that could be told as XML.
    tried = client.post("/api/v1/documents?dry_run=1", content=document + b"\n", headers=headers)
    assert tried.headers["content-type"] == "application/json"


def packed():
    """An archive of two documents."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("a.xml", xml("0.067"))
        archive.writestr("b.xml", xml("0.068", created="20261114193233"))
    return made.getvalue()


def test_two_documents_of_one_file_are_told_as_two(world):
    headers = basic() | {"Accept": "application/xml"}
    params = {"name": "both.zip"}
    client = world.browser().client
    answer = client.post("/api/v1/documents", content=packed(), params=params, headers=headers)

    assert answer.status_code == 201
    assert [one["receipt"] for one in answer.json()] == [1, 2]
    assert "location" not in answer.headers


def test_two_documents_of_one_upload_are_told_on_one_page_with_their_receipts(signed_in):
    page = hand_in(signed_in, packed(), "both.zip")
    assert page.status_code == 200
    assert re.findall(r'href="/receipts/(\d)"', page.text) == ["1", "2"]


@pytest.mark.parametrize("by_mail", [True, False])
def test_the_reply_is_mailed_too_where_that_is_wanted(world, signed_in, by_mail):
    wanted = {"by_mail": "1"} if by_mail else {}
    page = upload(signed_in, xml("0.067")).text
    signed_in.post("/documents/hand-in", {"digest": field(page, "digest"), **wanted})

    page = signed_in.get("/readings/enter").text
    form = {"day": "2026-11-14", "hour": "10", "step": "check", **wanted}
    form |= dict(zip(registers(page), ("1000", "2000"), strict=True))
    checked = signed_in.post("/readings/enter", form).text
    assert ('name="by_mail" value="1" checked' in checked) is by_mail
    form |= {"step": "send", "checked": field(checked, "checked")}
    assert signed_in.post("/readings/enter", form).status_code == 303
    with world.service.ledger.reading() as store:
        assert store.installation.status(world.now).owed == (2 if by_mail else 0)


def test_what_was_checked_alone_is_well_or_not_and_is_recorded_by_the_other_button(
    world, signed_in
):
    page = signed_in.get("/readings/enter").text
    names = registers(page)
    form = {"day": "2026-11-14", "hour": "10", names[0]: "1000", names[1]: "2000"}
    well = signed_in.post("/readings/enter", form).text
    bad = signed_in.post("/readings/enter", form | {names[1]: "x"}).text
    assert 'class="note good"' in well
    assert 'class="note bad"' in bad

    # The button that checks again, though nothing was changed behind the check.
    checked = {"checked": field(well, "checked"), "step": "check"}
    assert signed_in.post("/readings/enter", form | checked).status_code == 200
    with world.service.ledger.reading() as store:
        assert store.letters.find() == []


@pytest.mark.parametrize("path", ["0" * 64 + "/x", "{digest}/x"])
def test_a_marked_copy_of_nothing_is_no_page(signed_in, path):
    digest = field(upload(signed_in, xml("0.067", "much")).text, "digest")
    assert signed_in.get(f"/documents/marked/{path.format(digest=digest)}").status_code == 404


@pytest.mark.parametrize(
    ("name", "kept"), [("a.b.xlsx", "a.b_marked.xlsx"), ("a.XLSX", "a_marked.xlsx")]
)
def test_a_marked_workbook_is_called_as_what_was_sent(signed_in, name, kept):
    book = load_workbook(io.BytesIO(signed_in.get("/templates/52006.xlsx").content))
    for line in book.worksheets[0].iter_rows():
        if any(cell.value == "12345678" for cell in line):
            for cell in line:
                cell.value = cell.value or "abc"
    changed = io.BytesIO()
    book.save(changed)
    page = upload(signed_in, changed.getvalue(), name).text
    link = re.search(r'href="(/documents/marked/[^"]+)"', page)[1]
    disposition = signed_in.get(link).headers["content-disposition"]
    assert disposition == f'attachment; filename="{kept}"'
