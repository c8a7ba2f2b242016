"""What every page is protected by, whatever it shows."""

import html
import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from ingest.web.account.pages import PAGES
from ingest.web.app import _PLAIN_AT_ONCE, Page, application
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from ingest.web.security import Crowded, SecurityHeaders, token_of
from ingest.web.site import KEPT, REFILL
from storage.faults import StoreUnavailable
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, PASSWORD
from tests.ingest.web.conftest import HIDDEN, HOSTILE
from tests.ingest.web.test_console import Crew

FORM = {"name": CODE, "password": PASSWORD}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/pages.css"])
def test_every_answer_has_the_headers(browser, path):
    headers = browser.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_only_the_answer_to_a_check_is_kept_by_the_browser_until_one_leaves(signed_in):
    assert signed_in.get("/").headers["cache-control"] == "no-store"
    checked = signed_in.post("/readings/enter", {"day": "2026-10-31", "step": "check"})
    assert checked.headers["cache-control"] == "private, no-cache"
    assert signed_in.post("/sign-out").headers["clear-site-data"] == '"cache"'


def test_behind_tls_cookies_belong_to_the_host_alone(world):
    browser = world.browser()
    browser.client.base_url = "https://localhost"
    answer = browser.sign_in()

    cookies = answer.headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("__Host-session="))
    for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
        assert part in session
    assert "Domain" not in session
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
     {"Origin": "https://evil.example"}, {"Origin": "null"}, {"X-Old-Browser": "2015"}],
)  # fmt: skip
def test_a_form_of_another_site_is_not_taken(world, headers):
    browser = world.browser(**headers)

    assert browser.post("/sign-in", FORM).status_code == 403
    assert not browser.is_in()


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://localhost"}]
)
def test_a_form_of_our_own_is_taken(world, headers):
    assert world.browser(**headers).post("/sign-in", FORM).status_code == 303


def test_a_browser_that_says_nothing_needs_the_token_of_its_own_form(world):
    old = world.browser(**{"X-Old-Browser": "2015"})
    token = old.get("/").text.split('name="csrf" value="')[1].split('"')[0]

    stranger = world.browser(**{"X-Old-Browser": "2015"})
    stranger.get("/")
    assert stranger.post("/sign-in", {**FORM, "csrf": token}).status_code == 403
    assert old.post("/sign-in", {**FORM, "csrf": token}).status_code == 303


def test_a_name_that_is_not_ours_is_not_answered(browser):
    assert browser.get("/", headers={"Host": "evil.example"}).status_code == 400


def test_what_was_typed_is_never_markup(browser):
    page = browser.sign_in(name=HOSTILE).text

    assert "<script>alert" not in page
    assert "<img" not in page


def test_a_database_away_is_a_page_that_says_so(world, signed_in, monkeypatch):
    def away(self):
        raise StoreUnavailable("down")

    monkeypatch.setattr(type(world.service.ledger), "reading", away)
    answer = signed_in.get("/")

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "30"
    assert "не отвечает" in answer.text


def test_a_fault_of_ours_tells_nothing_of_itself(world, signed_in, monkeypatch):
    def broken(self):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(world.service.ledger), "reading", broken)
    answer = signed_in.get("/")

    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_form_of_two_megabytes_is_too_large(browser):
    assert browser.post("/sign-in", {"name": "x" * 2**21}).status_code == 413


def test_forwarded_addresses_count_from_trusted_proxies_alone(world):
    browser = world.browser("203.0.113.9")
    for number in range(5):
        browser.client.headers["X-Forwarded-For"] = f"198.51.{number}.1"
        browser.sign_in(password="guess")
    browser.client.headers["X-Forwarded-For"] = "198.51.77.1"

    assert browser.sign_in().status_code == 422


def test_the_language_is_chosen_once_and_kept(browser):
    assert "Вход в личный кабинет" in browser.get("/").text
    assert "Sign in to your account" in browser.get("/?lang=en").text
    assert "Sign in to your account" in browser.get("/").text


ACTS = [page for page in (*PAGES, *CONSOLE_PAGES) if "POST" in page.methods]


def address(page, value="1"):
    """An address of a page, something in the places that it leaves open."""
    return re.sub(r"{\w+}", value, page.path)


def test_no_act_of_any_page_is_taken_from_another_site(world, signed_in):
    admin = Crew(world).enters(role=OperatorRole.ADMINISTERS)
    for page in ACTS:
        browser = admin if page.path.startswith("/console") else signed_in
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "none"}):
            answer = browser.post(address(page), headers=headers)
            assert answer.status_code in {401, 403}, page.path


TYPED = re.compile(r'<input (?![^>]*type="(?!text|email|number))[^>]*name="([^"]+)"')


def typed_into(page: str) -> dict[str, tuple[dict[str, str], dict[str, str]]]:
    """Forms on a page that somebody types texts into, other than passwords.

    By address: the fields that are typed, filled in, and those that are there already.
    """
    forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL)
    return {
        path: (
            {name: "2026-10" if name == "month" else "4711" for name in TYPED.findall(form)},
            dict(HIDDEN.findall(form)),
        )
        for path, form in forms
        if TYPED.search(form) and "password" not in form
    }


@pytest.fixture
def forms(world, browser):
    """Every form that text is typed into, with the browser that has it open."""
    crew = Crew(world)
    crew.receives()
    browser.sign_in()
    with world.service.ledger.transaction() as store:
        store.accounts.ask(CODE, "x@y.example", "192.0.2.0/24", world.now)
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    entity = f"/console/entities/{CODE}"
    paths = [
        (browser, ("/readings/enter", "/people")),
        (admin, ("/console", entity, f"{entity}/enter", "/console/import", "/console/export",
                 "/console/receipts/1/withdraw", "/console/operators")),
    ]  # fmt: skip
    found = {
        form: (of, *fields)
        for of, every in paths
        for path in every
        for form, fields in typed_into(of.get(path).text).items()
    }
    assert len(found) == 9, [*found]
    return found


def everything(world):
    """What the database holds but sessions: nothing may be done."""
    names = (
        "audit",
        "web_user",
        "web_token",
        "access_request",
        "letter",
        "submission",
        "suspicion",
        "operator",
    )
    with world.service.ledger.reading() as store:
        return [store.session.driver.all_rows(f"SELECT count(*) FROM {n}", {}) for n in names]


def comes_back_filled(page, typed):
    """Whether a form shows what was typed into it."""
    fields = (rf'name="{re.escape(name)}"[^>]* value="{typed[name]}"' for name in typed)
    return all(re.search(field, page) for field in fields)


def test_what_was_typed_into_a_form_outlives_its_session_and_does_nothing(world, forms):
    before = everything(world)
    for form, (browser, typed, hidden) in forms.items():
        over = world.browser().post(form, hidden | typed)
        assert over.status_code == 403, form
        assert 'class="languages"' not in over.text
        kept = dict(HIDDEN.findall(over.text))
        fields = {name.removeprefix(KEPT): kept[name] for name in kept if name.startswith(KEPT)}
        shown = browser.post(html.unescape(kept["kept_path"]), fields | {REFILL: "1"})
        assert comes_back_filled(shown.text, typed), form
    assert everything(world) == before


def test_the_page_behind_the_sign_in_leads_to_the_form_and_sends_nothing(world, browser):
    over = browser.post("/people/tokens", {"name": "4711", "days": "90"})
    again = browser.post("/sign-in", dict(HIDDEN.findall(over.text)) | FORM)

    assert dict(HIDDEN.findall(again.text)).items() >= {"name": "4711", REFILL: "1"}.items()
    assert 'action="/people/tokens"' in again.text


def test_a_form_of_an_earlier_session_of_an_old_browser_comes_back_filled(world, forms):
    before = everything(world)
    for form, (browser, typed, hidden) in forms.items():
        del browser.client.headers["Sec-Fetch-Site"]
        shown = browser.post(form, hidden | typed | {"csrf": token_of("an earlier session")})
        browser.client.headers["Sec-Fetch-Site"] = "same-origin"
        assert "ничего ещё не отправлено" in shown.text, form
        assert comes_back_filled(shown.text, typed), form
    assert everything(world) == before


def test_another_language_keeps_what_is_asked_for(world, signed_in):
    admin = Crew(world).enters(role=OperatorRole.ADMINISTERS)

    page = admin.get("/console/letters?state=refused&sender=a%26b").text
    assert 'href="?state=refused&amp;sender=a%26b&amp;lang=en"' in page
    # Below the answer to a form the link leads to the page that the form stands on.
    shown = {page.path for page in (*PAGES, *CONSOLE_PAGES) if "GET" in page.methods}
    for page in ACTS:
        if page.path in shown or page.asks:
            continue
        browser = admin if page.path.startswith("/console") else signed_in
        answer = browser.get(f"{address(page)}?lang=en")
        assert answer.status_code == 303, page.path
        assert answer.headers["location"].endswith("?lang=en")
        assert browser.get(answer.headers["location"]).status_code in {200, 404}, page.path


def test_who_comes_while_too_many_are_answered_is_told_when_to_come_again(world):
    full = TestClient(SecurityHeaders(Crowded(world.pages.app, most=0)))
    answer = full.get("/")

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "10")
    assert "content-security-policy" in answer.headers


def test_a_hostile_text_in_every_field_and_address_is_only_text(world, signed_in):
    admin = Crew(world).enters(role=OperatorRole.ADMINISTERS)
    names = {
        field
        for browser, paths in ((signed_in, ("/", "/readings/enter", "/people", "/documents")),
                               (admin, ("/console/letters", "/console/suspects", "/console/audit",
                                        "/console/export", f"/console/entities/{CODE}/enter",
                                        "/console/operators")))
        for path in paths
        for field in re.findall(r'name="([^"]+)"', browser.get(path).text)
    } | {"note"}  # fmt: skip
    for page in (*PAGES, *CONSOLE_PAGES):
        browser = admin if page.path.startswith("/console") else signed_in
        if page.path.endswith(("sign-in", "sign-out", "sessions")):
            continue
        for method in page.methods:
            form = dict.fromkeys(names, HOSTILE)
            options = {"data": form} if method == "POST" else {"params": form}
            answer = browser.client.request(method, address(page, "%3Cscript%3E"), **options)
            assert answer.status_code < 500, (method, page.path)
            assert "<script>alert" not in answer.text, (method, page.path)
            assert "<img" not in answer.text, (method, page.path)


def test_a_form_that_meets_a_database_away_is_kept_and_sent_again(world, signed_in, monkeypatch):
    form = {"day": "2026-10-31", "hour": "24", "step": "check", "1.A+.T1": "17,5"}

    def away(self):
        raise StoreUnavailable("down")

    with monkeypatch.context() as gone:
        gone.setattr(type(world.service.ledger), "reading", away)
        answer = signed_in.post("/readings/enter", form)

    assert answer.status_code == 503
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', answer.text))
    assert fields.items() >= form.items()
    assert signed_in.post("/readings/enter", fields).status_code != 503


@pytest.mark.parametrize(("size", "status"), [(2**20, 422), (2**20 + 1, 413)])
def test_a_form_without_a_file_is_of_a_megabyte_at_most(browser, size, status):
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    body = b"name=".ljust(size, b"x")
    assert browser.client.post("/sign-in", content=body, headers=kind).status_code == status


def test_a_few_pages_are_answered_side_by_side_and_the_others_wait(world):
    many = 3 * _PLAIN_AT_ONCE
    come, inside, may_end = Semaphore(0), Semaphore(0), Event()

    def slow(_visit):
        inside.release()
        assert may_end.wait(20)
        return PlainTextResponse("done")

    pages = application(world.pages._site, [Page("/slow", slow, needs=None)])

    async def counted(scope, receive, send):
        come.release()
        await pages(scope, receive, send)

    with TestClient(counted, base_url="http://localhost") as client:
        with ThreadPoolExecutor(many) as visitors:
            asked = [visitors.submit(client.get, "/slow") for _ in range(many)]
            # Once for the beginning of the application itself.
            assert all(come.acquire(timeout=20) for _ in range(many + 1))
            # Whoever came has been dealt with when this one, who needs no turn, is answered.
            assert all(inside.acquire(timeout=20) for _ in range(_PLAIN_AT_ONCE))
            assert client.get("/static/pages.css").status_code == 200
            is_full = not inside.acquire(blocking=False)
            may_end.set()
        assert {one.result().status_code for one in asked} == {200}
    assert is_full
