"""What every page is protected by, whatever it shows."""

import pytest

from storage.faults import StoreUnavailable
from tests.ingest.office import CODE, PASSWORD
from tests.ingest.web.conftest import HOSTILE

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
