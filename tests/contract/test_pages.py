"""Every page and the API answer on both databases, with hostile names in what they tell."""

import io
import re
import zipfile
from urllib.parse import quote

import pytest

from ingest.web.account.pages import PAGES
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from storage.records.access import OperatorRole
from tests.direct_reader import DirectReader
from tests.ingest.office import CODE, PASSWORD, mail, xml
from tests.ingest.web.conftest import World, service_on
from tests.ingest.web.test_console import Crew, hostile_letter

NAMED = {
    "/receipts/{number}": "/receipts/1",
    "/receipts/{number}/80021.xml": "/receipts/1/80021.xml",
    "/readings.{kind}": "/readings.csv?month=2026-11",
    "/templates/{number}.xlsx": "/templates/52006.xlsx",
    "/api/v1/receipts/{number}": "/api/v1/receipts/1",
    "/api/v1/months/{month}": "/api/v1/months/2026-11",
    "/api/v1/readings": "/api/v1/readings?month=2026-11",
    "/console/letters/{number}": "/console/letters/1",
    "/console/months/{month}": "/console/months/2026-11",
    "/console/months/{month}/matrix": "/console/months/2026-11/matrix",
    "/console/entities/{code}": f"/console/entities/{CODE}",
    "/console/entities/{code}/enter": f"/console/entities/{CODE}/enter",
    "/console/receipts/{number}/withdraw": "/console/receipts/1/withdraw",
}
ELSEWHERE = {
    "/documents/marked/{digest}/{document}", "/receipts/{number}/files/{file}",
    "/console/letters/{number}/replies/{reply}.eml", "/registration/{secret}",
    "/console/letters/{number}/replies/{reply}/{file}", "/console/suspects/{number}",
}  # fmt: skip
"""Pages whose addresses hold what only another page tells; their own tests ask for them."""


@pytest.fixture
def crew(database_url):
    service = service_on(database_url)
    service.reader = lambda: DirectReader(service.layouts)
    world = World(service)
    yield Crew(world)
    world.pages.close()
    service.ledger.close()


def addresses(pages):
    """The address of each page that is asked for."""
    asked = [page.path for page in pages if "GET" in page.methods and page.path not in ELSEWHERE]
    return [NAMED.get(path, path) for path in asked]


def test_every_page_answers_and_shows_no_markup_of_others(crew):
    crew.receives(mail(xml(*["1.5"] * 24)))
    crew.receives(hostile_letter())
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    owner = crew.world.browser()
    owner.sign_in()
    program = crew.world.browser()
    program.client.auth = (CODE, PASSWORD)
    for browser, pages in ((owner, PAGES), (admin, CONSOLE_PAGES)):
        for path in addresses(pages):
            answer = (program if path.startswith("/api/") else browser).get(path)
            assert answer.status_code in {200, 303}, (path, answer.status_code)
            assert "{" not in path
            if "html" in answer.headers.get("content-type", ""):
                assert "<script>alert" not in answer.text, path
                assert not re.search(r"<img\b", answer.text), path


@pytest.mark.parametrize("text", ["a\0b", "я" * 100, "9" * 40, "\u202e%_\\'\""])
def test_a_text_that_no_database_keeps_is_only_text_in_every_field_and_address(crew, text):
    crew.receives(mail(xml(*["1.5"] * 24)))
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    owner = crew.world.browser()
    owner.sign_in()
    for browser, pages in ((owner, PAGES), (admin, CONSOLE_PAGES)):
        shown = [browser.get(path).text for path in addresses(pages)]
        names = {name for page in shown for name in re.findall(r'name="([^"]+)"', page)}
        names |= {"month", "note", "by", "of", "before", "after", "users", "tokens", "since"}
        for page in pages:
            if page.path.endswith(("sign-in", "sign-out", "/off")) or page.asks:
                continue
            path = re.sub(r"{\w+}", quote(text[:200], safe=""), page.path)
            for place in {path, NAMED.get(page.path, path)}:
                for method in page.methods:
                    form = dict.fromkeys(names, text)
                    sent = {"data": form} if method == "POST" else {"params": form}
                    answer = browser.client.request(method, place, **sent)
                    assert answer.status_code < 500, (method, page.path)
                    browser.client.cookies.pop("language", None)


def test_a_program_whose_name_no_database_keeps_is_nobody(crew):
    program = crew.world.browser().client
    answer = program.get("/api/v1/receipts/1", auth=("a\0b", "\0"))

    assert answer.status_code == 401


def test_a_month_is_exported_under_a_number_and_the_next_time_only_what_changed(crew):
    crew.receives(mail(xml(*["1.5"] * 24)))
    anna = crew.enters()
    form = {"month": "2026-11", "grain": "billing", "kind": "csv"}
    first = anna.post("/console/export", form)
    number = re.search(r"-(\d+)\.zip", first.headers["content-disposition"])[1]
    crew.receives(mail(xml(*["2.5"] * 24, created="20261114193233")))
    second = anna.post("/console/export", form | {"since": number})

    with zipfile.ZipFile(io.BytesIO(second.content)) as archive:
        names = sorted(archive.namelist())
        rows = archive.read(names[0]).decode().splitlines()
        assert [name.rpartition(".")[2] for name in names] == ["csv", "json"]
    assert [row.split(",")[0] for row in rows] == ["change", "old", "new"]
    assert f"№ {number}" in anna.get("/console/export?month=2026-11").text
    assert anna.post("/console/export", form | {"since": "99"}).status_code == 422
    assert anna.post("/console/export", form | {"entity": "nobody"}).status_code == 422
    assert anna.post("/console/export", form | {"month": "x"}).status_code == 422


def test_the_audit_is_read_page_by_page_and_its_seals_are_verified(crew):
    anna = crew.enters()
    with crew.world.service.ledger.transaction() as store:
        for number in range(60):
            store.audit.add(crew.world.now, "root", "test", str(number), before=None, after={})
    first = anna.get("/console/audit?what=test").text
    more = re.search(r'href="(/console/audit\?[^"]*before=\d+)"', first)[1].replace("&amp;", "&")
    keys = re.findall(r'test<span class="hint">(\d+)<', first + anna.get(more).text)

    assert keys == [str(number) for number in reversed(range(60))]
    assert anna.get("/console/audit?who=operator:anna").text.count("sign-in") == 1
    assert "Всё цело" in anna.post("/console/audit/verify").text
