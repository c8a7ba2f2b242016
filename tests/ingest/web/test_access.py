"""Registration, new passwords, invited users, tokens: who gets in, and what nobody is told."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from email import message_from_bytes
from email.policy import default
from itertools import chain

import pytest
from msgspec.structs import replace

from ingest.operations.status import status
from ingest.web.account.pages import PAGES
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from storage.records.access import OperatorRole, Role
from tests.ingest.office import CODE, NOW, PASSWORD, xml
from tests.ingest.web.conftest import OTHER, OTHER_PASSWORD, walked
from tests.ingest.web.test_console import Crew

KNOWN = "buh@primer.example"
NEW = "Osen v parke 9"


@pytest.fixture(autouse=True)
def _has_an_address(world):
    web = replace(world.service.settings.web, public_url="http://localhost")
    world.service.settings = replace(world.service.settings, web=web)


def mails(world) -> list[tuple[str, str]]:
    """Recipient and text of every mail that is owed."""
    with world.service.ledger.transaction() as store:
        owed = store.outbox.lease(limit=50)
    return [
        (one.recipient, message_from_bytes(one.content, policy=default).get_content())
        for one in owed
    ]


def link_in(text: str) -> str:
    return re.search(r"http://localhost(/registration/\S+)", text)[1]


def ask(browser, code: str = CODE, address: str = KNOWN) -> str:
    return browser.post("/registration", {"code": code, "address": address}).text


def requests(world) -> list[str]:
    with world.service.ledger.reading() as store:
        return [one.address for one in store.accounts.requests()]


def test_a_known_address_gets_a_link_behind_which_a_password_is_chosen(world, browser):
    ask(browser)
    [(recipient, text)] = mails(world)
    path = link_in(text)
    assert recipient == KNOWN
    assert "и для писем" in browser.get(path).text

    done = browser.post(path, {"password": NEW, "again": NEW})
    assert "Пароль изменён" in done.text
    assert browser.sign_in(password=NEW).status_code == 303
    assert world.browser("198.51.100.7").sign_in(password=PASSWORD).status_code == 422
    [(told, notice)] = mails(world)
    assert told == KNOWN
    assert "изменён" in notice


def test_the_new_password_is_that_of_letters_too(world, browser):
    ask(browser)
    browser.post(link_in(mails(world)[0][1]), {"password": NEW, "again": NEW})
    with world.service.ledger.reading() as store:
        known = store.registry.entity(CODE).password_hash

    assert world.service.guard.passwords.verify(known, NEW, world.now)


def test_a_password_is_made_for_who_wants_none_of_their_own(world, browser):
    ask(browser)
    page = browser.post(link_in(mails(world)[0][1]), {"make": "1"}).text
    made = re.search(r"<code>([^<]+)</code>", page)[1]

    assert browser.sign_in(password=made).status_code == 303


def test_nothing_tells_whether_a_code_or_an_address_is_known(world):
    pairs = [(CODE, KNOWN), (CODE, "x@y.example"), ("404404", KNOWN), ("404404", "x@y.example")]
    told = {
        re.sub(r'value="[^"]*"', "", ask(world.browser(f"198.51.{n}.1"), *pair))
        for n, pair in enumerate(pairs)
    }

    assert len(told) == 1
    assert [recipient for recipient, _ in mails(world)] == [KNOWN]


def test_an_unknown_address_is_a_request_that_status_tells(world, browser):
    ask(browser, address="new@primer.example")
    ask(browser)

    assert requests(world) == ["new@primer.example"]
    told = status(world.service, world.now)
    assert told.known.asking == 1
    assert any("requests for access: 1" in reason for reason in told.needs_a_person)


def test_a_link_is_good_once_and_for_half_an_hour(world, browser):
    ask(browser)
    path = link_in(mails(world)[0][1])
    world.later(minutes=31)
    assert browser.get(path).status_code == 404
    assert browser.post(path, {"password": NEW, "again": NEW}).status_code == 404

    ask(browser)
    path = link_in(mails(world)[-1][1])
    assert browser.post(path, {"password": NEW, "again": NEW}).status_code == 200
    assert (
        browser.post(path, {"password": "Zima-2027-x", "again": "Zima-2027-x"}).status_code == 404
    )


def test_taking_one_link_ends_the_others(world, browser):
    ask(browser)
    ask(browser)
    first, second = (link_in(text) for _, text in mails(world))
    browser.post(second, {"password": NEW, "again": NEW})

    assert browser.get(first).status_code == 404


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [("short", "short", "короче 10"), (CODE, CODE, "совпадает с кодом"), ("", "", "Введите"),
     ("1234567890", "1234567890", "распространён"), (NEW, NEW + "x", "не совпадают")],
)  # fmt: skip
def test_a_password_that_is_no_good_is_told_and_the_link_stays(
    world, browser, password, again, told
):
    ask(browser)
    path = link_in(mails(world)[0][1])
    answer = browser.post(path, {"password": password, "again": again})

    assert answer.status_code == 422
    assert told in answer.text
    assert browser.post(path, {"password": NEW, "again": NEW}).status_code == 200


def test_asking_again_and_again_mails_nobody_out(world):
    for number in range(12):
        ask(world.browser(f"198.51.{number // 6}.1"))

    assert len(mails(world)) == 3


def test_a_network_that_asks_for_everybody_is_not_heard_for_an_hour(world, browser):
    for number in range(9):
        ask(browser, code=str(number), address=f"a{number}@x.example")

    assert len(requests(world)) == 5


def invited(world, signed_in, role: str, address: str = "anna@primer.example"):
    """A browser of a user who took an invitation."""
    signed_in.post("/people/users", {"address": address, "role": role})
    path = link_in(next(text for recipient, text in mails(world) if recipient == address))
    user = world.browser("198.51.100.9")
    assert user.post(path, {"password": NEW, "again": NEW}).status_code == 200
    assert user.sign_in(address, NEW).status_code == 303
    return user


def test_an_invited_user_signs_in_with_an_address_and_a_password_of_their_own(world, signed_in):
    user = invited(world, signed_in, "sends")

    assert "anna@primer.example" in user.get("/").text
    assert signed_in.is_in()
    assert user.get("/readings/enter").status_code == 200
    page = user.post("/documents", files={"file": ("z.xml", xml("0.067"), "text/xml")}).text
    digest = re.search(r'name="digest" value="(\w+)"', page)[1]
    assert user.post("/documents/hand-in", {"digest": digest}).headers["location"] == "/receipts/1"
    assert "anna@primer.example" in signed_in.get("/receipts/1").text


def test_a_role_that_only_looks_can_do_nothing_else(world, signed_in):
    user = invited(world, signed_in, "reads")

    assert user.get("/receipts").status_code == 200
    assert user.get("/readings/enter").status_code == 403
    for path in ("/documents", "/documents/hand-in", "/readings/enter", "/people/users",
                 "/people/tokens", "/people/reminders"):  # fmt: skip
        assert user.post(path).status_code == 403
    assert "/people/users" not in user.get("/people").text
    basic = user.client.post("/api/v1/documents", content=b"x", auth=("anna@primer.example", NEW))
    assert basic.status_code == 403


def test_switching_a_user_off_ends_their_session(world, signed_in):
    user = invited(world, signed_in, "sends")
    number = re.search(r'name="user" value="(\d+)"', signed_in.get("/people").text)[1]
    signed_in.post("/people/users", {"user": number, "role": "sends"})

    assert not user.is_in()
    assert user.sign_in("anna@primer.example", NEW).status_code == 422


def test_another_entitys_users_and_tokens_are_out_of_reach(world, signed_in):
    user = invited(world, signed_in, "reads")
    signed_in.post("/people/tokens", {"name": "ASKUE", "days": "30"})
    page = signed_in.get("/people").text
    number = re.search(r'name="user" value="(\d+)"', page)[1]
    token = re.search(r'name="token" value="(\d+)"', page)[1]
    other = world.browser()
    other.sign_in(OTHER, OTHER_PASSWORD)
    other.post("/people/users", {"user": number, "role": "sends"})
    other.post("/people/tokens", {"token": token})

    assert user.is_in()
    assert user.get("/readings/enter").status_code == 403
    assert re.search(r'name="token" value="(\d+)"', signed_in.get("/people").text)
    mails(world)
    taken = other.post("/people/users", {"address": "anna@primer.example", "role": "sends"})
    assert "Приглашение отправлено" in taken.text
    assert mails(world) == []


def test_a_token_is_shown_once_and_works_until_it_is_ended(world, signed_in):
    page = signed_in.post("/people/tokens", {"name": "<b>ASKUE", "days": "30"}).text
    secret = re.search(r"<code>([^<]+)</code>", page)[1]
    assert secret not in signed_in.get("/people").text
    assert "<b>" not in page
    program = world.browser().client
    headers = {"Authorization": f"Bearer {secret}"}
    assert program.get("/api/v1/months/2026-11", headers=headers).status_code == 200

    token = re.search(r'name="token" value="(\d+)"', signed_in.get("/people").text)[1]
    signed_in.post("/people/tokens", {"token": token})
    assert program.get("/api/v1/months/2026-11", headers=headers).status_code == 401


def test_the_other_sessions_are_ended_at_once(world, signed_in):
    second = world.browser()
    second.sign_in()
    assert signed_in.get("/people").text.count("192.0.2.0/24") == 2
    signed_in.post("/people/sessions")

    assert not second.is_in()
    assert signed_in.is_in()


def test_changing_the_password_needs_the_old_one_and_ends_every_session(world, signed_in):
    form = {"old": "wrong", "password": NEW, "again": NEW}
    assert signed_in.post("/people/password", form).status_code == 422
    second = world.browser()
    second.sign_in()
    answer = signed_in.post("/people/password", form | {"old": PASSWORD})

    assert answer.headers["location"] == "/?note=changed"
    assert not signed_in.is_in()
    assert not second.is_in()
    assert signed_in.sign_in(password=NEW).status_code == 303


def test_reminders_are_switched_off_and_on(world, signed_in):
    def wanted() -> bool:
        with world.service.ledger.reading() as store:
            return store.accounts.reminders(CODE)

    assert wanted()
    signed_in.post("/people/reminders")
    assert not wanted()
    signed_in.post("/people/reminders", {"reminders": "1"})
    assert wanted()


def test_thousands_of_users_and_hundreds_of_tokens_are_told_page_by_page(world, signed_in):
    addresses = sorted(f"u{number}@primer.example" for number in range(3000))
    with world.service.ledger.transaction() as store:
        for address in addresses:
            store.accounts.invite(CODE, address, Role.READS, NOW)
        for number in range(300):
            digest, ends = f"digest {number}", NOW + timedelta(days=30)
            store.accounts.make_token(CODE, f"token {number}", digest, "owner", NOW, ends)
    users = walked(signed_in, "/people", "users", r'class="label">([^<]+)')
    tokens = walked(signed_in, "/people", "tokens", r'scope="row">(token \d+)')

    assert [*chain(*users)] == addresses
    assert [*chain(*tokens)] == [f"token {number}" for number in reversed(range(300))]
    assert max(map(len, users + tokens)) <= 50
    assert re.findall(r'class="label">([^<]+)', signed_in.get("/people?users=U777").text)[0] == (
        "u777@primer.example"
    )
    operator = Crew(world).enters(role=OperatorRole.LOOKS)
    path = f"/console/entities/{CODE}"
    listed = walked(operator, f"{path}?users={addresses[2880]}", "users", r"<span>(u\d+@\S+) ")
    assert [*chain(*listed)] == addresses[2880:]


def test_a_user_who_is_changed_is_shown_again_with_those_around(world, signed_in):
    with world.service.ledger.transaction() as store:
        for number in range(120):
            user = store.accounts.invite(CODE, f"u{number:03}@primer.example", Role.READS, NOW)
    page = signed_in.get("/people?users=u100").text
    action = html.unescape(re.search(r'action="([^"]+)" class="line person"', page)[1])
    answer = signed_in.post(action, {"user": str(user), "role": "sends", "active": "1"})

    assert answer.headers["location"] == "/people?users=u100#users"
    page = signed_in.get(answer.headers["location"]).text
    assert re.findall(r'class="label">([^<]+)', page) == [
        f"u{number}@primer.example" for number in range(100, 120)
    ]


BEYOND = [page for page in PAGES if page.needs in {Role.SENDS, Role.OWNER}]
BEYOND_LOOKING = [page for page in CONSOLE_PAGES if page.needs not in {None, OperatorRole.LOOKS}]


def test_every_page_download_and_call_is_refused_to_a_role_too_low(world, signed_in):
    reader, looks = invited(world, signed_in, "reads"), Crew(world).enters(role=OperatorRole.LOOKS)
    auth = {"auth": ("anna@primer.example", NEW)}
    assert len(BEYOND) > 8
    assert len(BEYOND_LOOKING) > 15
    for browser, pages in ((reader, BEYOND), (looks, BEYOND_LOOKING)):
        for page in pages:
            for method in page.methods:
                options = auth if page.asks else {}
                answer = browser.client.request(method, re.sub(r"{\w+}", "1", page.path), **options)
                assert answer.status_code == 403, (method, page.path)


@pytest.mark.parametrize(
    ("days", "lasts"), [("30", 30), ("90", 90), ("365", 365), ("7", 30), ("x", 30), ("", 30)]
)
def test_a_token_lasts_as_long_as_one_of_the_choices(world, signed_in, days, lasts):
    page = signed_in.post("/people/tokens", {"name": "ASKUE", "days": days}).text
    secret = re.search(r"<code>([^<]+)</code>", page)[1]
    with world.service.ledger.reading() as store:
        [token] = store.accounts.tokens(CODE)
    assert (token.ends_at - token.made_at).days == lasts
    assert secret


@pytest.mark.parametrize(
    ("role", "is_sending"), [("sends", True), ("reads", False), ("owner", False), ("", False)]
)
def test_whoever_is_invited_sends_only_where_that_is_chosen(world, signed_in, role, is_sending):
    user = invited(world, signed_in, role)
    assert (user.get("/readings/enter").status_code == 200) is is_sending


def test_what_was_typed_stays_until_it_is_done(signed_in):
    form = {"address": "nobody", "role": "sends", "name": "ASKUE", "days": "90"}
    assert 'value="nobody"' in signed_in.post("/people/users", form).text
    done = signed_in.post("/people/tokens", form).text
    assert 'value="ASKUE"' not in done
    invited_page = signed_in.post("/people/users", form | {"address": "a@primer.example"}).text
    assert 'value="a@primer.example"' not in invited_page
