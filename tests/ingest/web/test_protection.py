"""What every page is protected by, whatever it shows."""

import re

import pytest

from ingest.web.account.pages import PAGES
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from storage.faults import StoreUnavailable
from storage.records.access import OperatorRole
from tests.ingest.office import CODE, PASSWORD
from tests.ingest.web.conftest import HOSTILE
from tests.ingest.web.test_console import Crew

FORM = {"name": CODE, "password": PASSWORD}


@pytest.mark.parametrize("path", ["/", "/sign-in", "/nowhere", "/static/pages.css"])
def test_every_answer_has_the_headers(browser, path):
    headers = browser.get(path).headers

    assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


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


def typed_into(page: str) -> set[str]:
    """Addresses of the forms on a page that somebody types texts into, other than passwords."""
    forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page, re.DOTALL)
    typed = re.compile(r"<textarea|<input (?![^>]*type=\"(?!text|email|number))")
    return {path for path, form in forms if typed.search(form) and "password" not in form}


def test_a_form_that_text_is_typed_into_comes_back_when_its_session_has_ended(world, signed_in):
    own = [signed_in.get(path).text for path in ("/readings/enter", "/people")]
    crew = Crew(world)
    crew.receives()
    with world.service.ledger.transaction() as store:
        store.accounts.ask(CODE, "x@y.example", "192.0.2.0/24", world.now)
    admin = crew.enters(role=OperatorRole.ADMINISTERS)
    entity = f"/console/entities/{CODE}"
    paths = ("/console", entity, f"{entity}/enter", "/console/receipts/1/withdraw")
    found = set().union(*map(typed_into, [*own, *(admin.get(path).text for path in paths)]))

    assert len(found) >= 6
    for form in found:
        [page] = [one for one in ACTS if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one.path), form)]
        assert page.keeps, form


def test_a_hostile_text_in_every_field_and_address_is_only_text(world, signed_in):
    admin = Crew(world).enters(role=OperatorRole.ADMINISTERS)
    names = {
        field
        for browser, paths in ((signed_in, ("/", "/readings/enter", "/people", "/documents")),
                               (admin, ("/console/letters", "/console/suspects", "/console/audit",
                                        "/console/export", f"/console/entities/{CODE}/enter")))
        for path in paths
        for field in re.findall(r'name="([^"]+)"', browser.get(path).text)
    }  # fmt: skip
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
