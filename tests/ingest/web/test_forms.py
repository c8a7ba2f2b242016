"""Every form that lacks something comes back, says so by its status, and keeps what was typed."""

import html
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import date
from types import SimpleNamespace as Some

import pytest
from msgspec.structs import replace as changed

from ingest.operations.registry import Recomputed
from ingest.web.account import pages as account_pages
from ingest.web.console import entries, imports
from ingest.web.console import pages as console_pages
from ingest.web.security import token_of
from layouts.points import LegalEntity
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, HASH, PASSWORD, xml
from tests.ingest.web.conftest import World
from tests.ingest.web.test_account import field, hand_in, registers
from tests.ingest.web.test_console import Crew
from tests.registering import register


@pytest.fixture
def crew(world):
    return Crew(world)


@pytest.fixture
def mailing(world):
    """Links can be mailed: the pages know their own address."""
    web = changed(world.service.settings.web, public_url="http://localhost")
    world.service.settings = changed(world.service.settings, web=web)
    return world


def test_forms_of_the_account_that_lack_something_come_back(mailing, signed_in):
    changing = {"old": PASSWORD, "password": "Osen v parke 9", "again": "Osen v parke 9"}
    for path, form in (
        ("/people/users", {"role": "sends"}),
        ("/people/password", changing | {"again": "other"}),
        ("/people/password", changing | {"password": "", "again": ""}),
        ("/people/password", changing | {"old": "wrong"}),
        ("/people/password", changing | {"password": "12345", "again": "12345"}),
        ("/registration", {"code": CODE, "address": ""}),
        ("/registration", {"code": " ", "address": "a@b.ru"}),
        ("/registration", {"code": CODE, "address": "nobody"}),
        ("/sign-in", {"name": CODE, "password": "wrong"}),
        ("/documents", {}),
        ("/documents/hand-in", {"digest": "0" * 64}),
    ):
        answer = signed_in.post(path, form)
        assert answer.status_code == 422, (path, form)
        assert 'class="note bad"' in answer.text, (path, form)
    assert signed_in.post("/people/tokens", {"token": "x"}).status_code == 404
    asked = signed_in.post("/registration", {"code": CODE, "address": "a@b.ru"})
    assert (asked.status_code, "8 800 000-00-00" in asked.text) == (200, True)
    assert mailing.browser().sign_in().status_code == 303


def test_forms_of_the_console_that_lack_something_come_back(crew):
    crew.receives()
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    entity = f"/console/entities/{CODE}"
    taken = {"month": "2026-10", "grain": "billing", "kind": "csv"}
    for path, form, status in (
        ("/console/export", {}, 422),
        ("/console/export", taken | {"kind": "exe"}, 422),
        ("/console/export", taken | {"grain": "week"}, 422),
        ("/console/export", taken | {"month": "2026-13"}, 422),
        ("/console/export", taken | {"entity": "1"}, 422),
        ("/console/export", taken | {"since": "77"}, 422),
        ("/console/export", taken | {"since": "x"}, 404),
        ("/console/import", {}, 422),
        ("/console/import/apply", {"digest": "0" * 64}, 422),
        (f"{entity}/enter", {}, 422),
        (f"{entity}/enter/record", {"digest": "0" * 64, "reason": "x"}, 422),
        (f"{entity}/user-off", {"user": "77"}, 409),
        ("/console/operators", {"name": "", "role": "works"}, 422),
        ("/console/operators/off", {"name": "nobody"}, 409),
        ("/console/bounces/settle", {"address": "nobody"}, 409),
        ("/console/requests/answer", {"number": "77", "answer": "x"}, 409),
        ("/console/receipts/1/withdraw", {}, 422),
    ):
        answer = admin.post(path, form)
        assert answer.status_code == status, (path, form)
        assert status == 404 or 'class="note warn"' in answer.text, (path, form)
    # Whom an export is asked of stays asked of.
    again = admin.post("/console/export", taken | {"entity": "47", "since": "77"}).text
    assert 'name="entity" value="47"' in again
    assert 'name="since" value="77"' in again


def test_a_month_of_the_export_is_asked_for_or_typed(crew):
    admin = crew.enters()

    def month(page):
        return re.search(r'name="month"[^>]* value="(\d{4}-\d\d)"', page.text)[1]

    assert month(admin.get("/console/export")) == "2026-10"
    assert month(admin.get("/console/export?month=2026-03")) == "2026-03"
    wrong = {"month": "2026-02", "kind": "exe"}
    assert month(admin.post("/console/export?month=2026-03", wrong)) == "2026-02"
    unread = admin.get("/console/export?month=2026-13")
    assert (unread.status_code, month(unread)) == (422, "2026-10")


def test_an_export_is_a_zip_of_file_and_manifest_and_is_listed(crew):
    crew.receives()
    admin = crew.enters()
    form = {"month": "2026-11", "grain": "interval", "kind": "csv"}
    answer = admin.post("/console/export", form)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        table, manifest = sorted(packed.namelist(), key=lambda name: name.endswith(".json"))
        assert json.loads(packed.read(manifest))
        assert packed.read(table).count(b"\n") == 2
    assert "№ 1" in admin.get("/console/export?month=2026-11").text
    assert "№ 1" not in admin.get("/console/export").text


def test_the_point_of_a_withdrawal_is_asked_for_or_chosen(crew, monkeypatch):
    crew.receives()
    admin = crew.enters()
    path = "/console/receipts/1/withdraw"
    subject = entries.subject_of(crew.world.service.ledger, 1)
    other = (*next(iter(subject.points))[:2], "other")
    monkeypatch.setattr(
        entries, "subject_of", lambda *_: replace(subject, points=[*subject.points, other])
    )

    def chosen(page):
        return re.findall(r'<option value="([^"]*)" selected', page.text)

    assert chosen(admin.get(f"{path}?point=other")) == ["other"]
    assert chosen(admin.post(f"{path}?point=other", {"point": "", "reason": ""})) == ["other"]
    assert chosen(admin.post(f"{path}?point=other", {"point": CODE, "reason": ""})) == [CODE]
    assert chosen(admin.get(path)) == []
    told = admin.post(path, {"point": CODE, "reason": "x"})
    assert (told.status_code, chosen(told)) == (200, [CODE])
    assert "Что изменится" in told.text
    assert admin.post(path, {"point": "1", "reason": "x"}).status_code == 409


def test_a_note_of_the_address_is_told_and_that_of_an_act_comes_before_it(crew):
    number = crew.receives()
    admin = crew.enters()
    for path in ("/console", "/console/letters", f"/console/letters/{number}"):
        assert 'class="note good"' in admin.get(f"{path}?note=put_back").text, path
        assert 'class="note' not in admin.get(path).text, path
    wrong = admin.get("/console/letters?note=put_back&since=x").text
    assert 'class="note warn"' in wrong
    assert 'class="note good"' not in wrong
    # A question that is none finds nothing, not everything.
    assert f"/console/letters/{number}" not in wrong
    acted = admin.post("/console/letters/replay?note=put_back", {}).text
    assert 'class="note good"' not in acted
    assert 'class="note warn"' in acted


@pytest.mark.parametrize("who", ["nobody", "somebody"])
def test_a_form_that_needs_no_session_may_have_been_opened_before_one_began(mailing, who):
    old = mailing.browser(**{"X-Old-Browser": "2015"})
    opened = field(old.get("/registration").text, "csrf")
    if who == "somebody":
        old.sign_in(csrf=field(old.get("/").text, "csrf"))
        assert old.is_in()
    form = {"code": CODE, "address": "a@b.ru", "csrf": opened}
    assert old.post("/registration", form).status_code == 200
    # One that needs a session is of that session.
    reminded = old.post("/people/reminders", {"csrf": opened})
    assert reminded.status_code == 403
    assert old.post("/registration", form | {"csrf": token_of("another")}).status_code == 403


def test_only_by_its_own_names_is_the_service_asked(world):
    world.service.settings = changed(
        world.service.settings,
        web=changed(world.service.settings.web, public_url="https://meters.example:8443/"),
    )
    browser = World(world.service).browser()
    for host, status in (
        ("meters.example", 200), ("meters.example:8443", 200), ("localhost", 200),
        ("127.0.0.1:80", 200), ("example", 400), ("www.meters.example", 400),
    ):  # fmt: skip
        assert browser.get("/", headers={"Host": host}).status_code == status, host


def pages(of, **flags):
    """Addresses of the pages with such flags."""
    return {page.path for page in of.PAGES if all(getattr(page, k) == v for k, v in flags.items())}


def test_only_forms_with_a_document_may_be_large():
    assert pages(account_pages, upload=True) == {"/documents", "/api/v1/documents"}
    assert pages(console_pages, upload=True) == {
        "/console/import", "/console/entities/{code}/enter"
    }  # fmt: skip


def test_what_waits_for_a_child_or_a_mail_server_is_counted():
    assert pages(account_pages, heavy=True) == {
        "/readings/enter", "/documents", "/documents/hand-in",
        "/documents/marked/{digest}/{document}", "/api/v1/documents",
    }  # fmt: skip
    assert pages(console_pages, heavy=True) == {
        "/console/letters/replay", "/console/letters/{number}/replay",
        "/console/letters/{number}/parts", "/console/letters/{number}/source",
        "/console/import", "/console/import/apply", "/console/entities/{code}/enter",
        "/console/entities/{code}/enter/record", "/console/export", "/console/audit/verify",
    }  # fmt: skip


def test_a_link_of_registration_takes_two_equal_passwords(world, browser):
    with world.service.ledger.transaction() as store:
        store.accounts.ask(CODE, "x@y.example", "192.0.2.0/24", world.now)
    gone = browser.post("/registration/unknown", {"password": "a", "again": "a"})
    assert gone.status_code == 404
    assert browser.get("/registration/unknown").status_code == 404


def test_blank_workbooks_are_of_forms_that_have_one(signed_in, world):
    listed = re.findall(r'href="/templates/(\d+)\.xlsx"', signed_in.get("/templates").text)
    with_workbook = [n for n, one in sorted(world.service.layouts.items()) if one.workbook]
    assert sorted(set(listed)) == with_workbook
    without = next(n for n, one in world.service.layouts.items() if not one.workbook)
    for number, status in ((with_workbook[0], 200), (without, 404), ("1", 404)):
        assert signed_in.get(f"/templates/{number}.xlsx").status_code == status, number


def test_a_point_of_registers_alone_has_no_days_and_tells_its_readings(world, signed_in):
    page = signed_in.get("/readings/enter").text
    form = {"day": "2026-11-14", "hour": "10", "step": "check"}
    form |= dict(zip(registers(page), ("1000", "2000"), strict=True))
    checked = signed_in.post("/readings/enter", form).text
    signed_in.post("/readings/enter", form | {"checked": field(checked, "checked"), "step": "send"})
    hand_in(signed_in, xml("0.067"))
    every = signed_in.get("/readings").text
    choices = re.findall(r'<option value="(\d+\.[AR][^"]*)"', every)
    with_days = {}
    for choice in choices:
        days = signed_in.get("/readings", params={"of": html.unescape(choice), "by": "day"}).text
        with_days[choice] = ("<svg" in days, "12345678, T1" in days)
    assert sorted(with_days.values()) == [(False, True), (True, False)]
    assert signed_in.get("/readings?of=77.A%2B").status_code == 404
    assert signed_in.get("/readings?month=x").status_code == 404
    assert signed_in.get("/readings.pdf").status_code == 404


def test_of_an_entity_without_points_there_is_nothing_to_choose(world, browser):
    bare = LegalEntity("200000007777", "ООО «Пусто»", "3300000003", (), True, (), HASH)
    with world.service.ledger.transaction() as store:
        register(store.registry, [bare], "operator", world.now)
    assert browser.sign_in("200000007777").status_code == 303
    page = browser.get("/readings")
    assert (page.status_code, "<select" in page.text) == (200, False)


def test_days_of_a_month_are_compared_with_those_of_the_month_before(signed_in):
    hand_in(signed_in, xml("0.067", "0.066"))
    for month, this, before in (("2026-11", "133,000", None), ("2026-12", None, "133,000")):
        page = signed_in.get(f"/readings?month={month}&by=day").text
        facts = re.findall(r"<dt>[^<]*</dt><dd>(?:<strong>)?([\d,]+)?", page)
        assert [facts[0] or None, facts[1] or None] == [this, before], month


def test_the_language_is_taken_from_the_address_then_the_cookie_then_the_settings(world):
    browser = world.browser()
    english, russian = 'lang="en"', 'lang="ru"'
    assert russian in browser.get("/?lang=xx").text
    assert english in browser.get("/?lang=en").text
    assert english in browser.get("/?lang=xx").text
    assert russian in browser.get("/?lang=ru").text
    browser.client.cookies.set("language", "xx")
    assert russian in browser.get("/").text


def test_cookies_last_as_long_as_what_they_are_for(world):
    browser = world.browser()
    first = browser.get("/?lang=en").headers.get_list("set-cookie")
    kept = {cookie.partition("=")[0]: cookie for cookie in first}
    assert kept.keys() == {"browser", "language"}
    for cookie in kept.values():
        assert f"Max-Age={400 * 24 * 3600}" in cookie
        assert "HttpOnly" in cookie
        assert "Secure" not in cookie
    assert browser.get("/").headers.get_list("set-cookie") == []
    [session] = browser.sign_in().headers.get_list("set-cookie")
    assert session.startswith("session=")
    assert "Max-Age" not in session
    [ended] = browser.post("/sign-out").headers.get_list("set-cookie")
    assert ended.startswith('session=""')
    assert "Max-Age=0" in ended


def test_other_sites_and_roles_are_refused_before_and_after_a_program_is_known(world):
    client = world.browser(**{"Sec-Fetch-Site": "cross-site"}).client
    answer = client.get("/api/v1/months/2026-11", auth=(CODE, PASSWORD))
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign")
    answer = world.browser().client.get("/api/v1/months/2026-11", auth=(CODE, "wrong"))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthorized")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json()["title"] == "Unauthorized"


def test_a_month_s_change_of_nothing_but_what_is_thought_of_it_is_no_consumption():
    def one(before, after):
        sides = [None if side is None else Some(energy=side) for side in (before, after)]
        return Some(change=Some(before=sides[0], after=sides[1]))

    kept = [one(1, 2), one(1, None), one(None, 1), one(0, None)]
    left = [one(1, 1), one(None, None), one(0, 0)]
    assert entries._energies(Some(changes=[*kept, *left])) == kept
    assert len(entries._energies(Some(changes=[one(1, 2)] * 201))) == 200


def test_only_what_was_typed_waits_for_the_sign_in(world):
    browser = world.browser()
    form = {"day": "2026-11-14", "csrf": "x", "step": "send", "refill": "1"}
    for path, kept, kept_path in (
        ("/readings/enter", {"kept.day"}, "/readings/enter"),
        ("/readings/enter?lang=ru", {"kept.day"}, "/readings/enter?lang=ru"),
        # No page shows it filled: nothing of it is kept.
        ("/people/reminders", set(), ""),
    ):
        page = browser.post(path, form).text
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page))
        assert {name for name in hidden if name.startswith("kept.")} == kept, path
        assert hidden.get("kept_path", "") == kept_path, path
    wanted = re.search(r'name="next" value="([^"]*)"', browser.get("/?next=%2Freceipts").text)[1]
    assert wanted == "/receipts"


def test_where_one_wanted_to_go_is_kept_through_a_wrong_password(world):
    browser = world.browser()
    wrong = browser.sign_in(password="wrong", next="/receipts", **{"kept.day": "1", "x": "2"})
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', wrong.text))
    assert hidden.items() >= {"next": "/receipts", "kept.day": "1"}.items()
    assert "x" not in hidden
    assert browser.sign_in(next="/receipts").headers["location"] == "/receipts"
    admin = Crew(world).enters()
    wrong = admin.post(
        "/console/sign-in",
        {"name": "anna", "password": "x", "next": "/console/letters", "kept.a": "1", "x": "2"},
    )
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', wrong.text))
    assert (wrong.status_code, hidden["next"], hidden["kept.a"]) == (422, "/console/letters", "1")
    assert "x" not in hidden


def test_signing_out_without_a_session_is_no_fault(world):
    browser = world.browser()
    assert browser.post("/sign-out").headers["location"] == "/"
    assert browser.post("/console/sign-out").headers["location"] == "/console"


def test_an_import_says_how_many_months_more_it_changes(crew, monkeypatch):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    row = f"{CODE};ООО «Новое»;3300000001;buh@primer.example;1;{CODE};Цех;;900;;;;;;;A+;"
    head = (
        "user_code;name;inn;addresses;active;point;point_name;area;max_power_kw;meter;digits;"
        "decimals;ratio;installed;removed;channels;zones"
    )
    one = Recomputed(date(2026, 10, 1), CODE, "A+", "T0", ("actual", 5), None)
    told = imports._imported

    def imported(*given, **options):
        return replace(told(*given, **options), recomputed=(one, replace(one, point="2"), one))

    monkeypatch.setattr(imports, "_imported", imported)
    for most, more in ((1, "2"), (2, "1"), (3, None), (200, None)):
        monkeypatch.setattr(imports, "_SHOWN", most)
        page = admin.post(
            "/console/import",
            {"reason": " it was wrong "},
            files={"file": ("r.csv", f"{head}\n{row}\n".encode())},
        ).text
        shown = re.search(r"Ещё: (\d+)\.</p>\s*$|Ещё: (\d+)\.</p>", page)
        assert (shown and (shown[1] or shown[2])) == more, most
        assert 'name="reason" value="it was wrong"' in page
        assert page.count("октябрь 2026") >= 1
        mark = field(page, "mark")
    digest = field(page, "digest")
    # Of another list of changes than was seen nothing is done.
    monkeypatch.setattr(imports, "_imported", told)
    changed_list = admin.post("/console/import/apply", {"digest": digest, "mark": mark})
    assert (changed_list.status_code, 'class="note warn"' in changed_list.text) == (422, True)


def test_a_letter_whose_reply_was_dropped_is_told_without_it(crew):
    number = crew.receives()
    with crew.world.service.ledger.transaction() as store:
        store.session.connection.exec_driver_sql("UPDATE reply SET content = x''")
    page = crew.enters().get(f"/console/letters/{number}")
    assert page.status_code == 200
    owner = crew.world.browser()
    owner.sign_in()
    assert owner.get("/receipts/1").status_code == 200
    assert owner.get("/receipts/1/files/1").status_code == 404


def test_a_month_s_page_offers_what_can_be_done_with_it(crew):
    anna = crew.enters("anna", OperatorRole.ADMINISTERS)
    boris = crew.enters("boris", OperatorRole.ADMINISTERS)
    path = "/console/months/2026-10"

    def acts(page):
        return set(re.findall(rf'action="{path}/(\w+)"', page.text))

    assert acts(anna.get(path)) == {"close", "remind"}
    asked = anna.post(f"{path}/close")
    mark = re.search(r'name="mark" value="(\w+)"', asked.text)[1]
    anna.post(f"{path}/close", {"mark": mark})
    closed = anna.get(path)
    assert (acts(closed), '<span class="tag">' in closed.text) == ({"reopen"}, True)
    boris.post(f"{path}/reopen")
    opened = anna.get(f"{path}?note=reopened")
    assert acts(opened) == {"close", "remind"}
    assert '<span class="tag">' not in opened.text.split("</h1>")[0]
    assert anna.get("/console/months/x").status_code == 404


def test_every_page_without_a_number_in_its_address_is_shown(crew, signed_in):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    for of, browser in ((account_pages, signed_in), (console_pages, admin)):
        for page in of.PAGES:
            if "GET" in page.methods and "{" not in page.path and not page.asks:
                status = 303 if page.path == "/console/months" else 200
                assert browser.get(page.path).status_code == status, page.path


def test_what_was_typed_for_an_entity_stays_until_it_is_recorded(crew):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    path = f"/console/entities/{CODE}/enter"
    page = admin.get(path).text
    register = re.search(r'<option value="(\d+\.A\+\.T1)"', page)[1]
    form = {"register": register, "day": "2026-10-31", "hour": "7", "value": "12", "reason": "x"}
    checked = admin.post(path, form)
    assert checked.status_code == 200
    again = admin.post(path, form | {"reason": ""}).text
    for name, value in (("day", "2026-10-31"), ("value", "12")):
        assert re.search(rf'name="{name}"[^>]* value="{value}"', again), name
    assert re.search(r'<option value="7" selected', again)
    assert f'<option value="{register}" selected' in again
    assert re.search(r'<option value="24" selected', page)
    digest = field(checked.text, "digest")
    assert admin.post(f"{path}/record", {"digest": digest}).status_code == 422
    done = admin.post(f"{path}/record", {"digest": digest, "reason": "x"})
    assert done.headers["location"].endswith("?note=entered")
    with crew.world.service.ledger.reading() as store:
        [row] = store.letters.find()
    told = admin.get(f"/console/letters/{row.id}").text
    assert "31.10.2026" in told


def test_an_entity_that_was_switched_off_gets_no_entry(crew):
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    path = f"/console/entities/{CODE}/enter"
    with crew.world.service.ledger.transaction() as store:
        entity = store.registry.entity(CODE)
        register(store.registry, [replace(entity, active=False)], "operator", crew.world.now)
    answer = admin.post(path, {"reason": "x"}, files={"file": ("a.xml", xml("1.5"))})
    assert (answer.status_code, 'class="note warn"' in answer.text) == (409, True)
