"""Signing in: who gets in, for how long, and what everybody else is told."""

import re

import pytest

from ingest.operations.account.sessions import digest
from layouts.points import LegalEntity
from tests.ingest.office import CODE, GUARD, HASH, NOW, PASSWORD
from tests.ingest.web.conftest import OTHER
from tests.registering import register


def test_the_code_and_password_of_the_letters_open_the_account(browser):
    answer = browser.sign_in()

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "ООО «Пример»" in browser.get("/").text


def test_a_code_that_lost_its_zeros_is_still_that_code(world, browser):
    assert browser.sign_in(name=f"  {CODE} ").status_code == 303


@pytest.mark.parametrize(
    ("name", "password"),
    [(CODE, "wrong"), ("404404404404", PASSWORD), ("nobody@example.org", PASSWORD), (CODE, ""),
     ("", ""), (CODE, "x" * 5000), ("\0\ud800", "\0"), (OTHER, PASSWORD)],
)  # fmt: skip
def test_every_failure_is_told_in_the_same_words(browser, name, password):
    told = [
        re.sub(r'value="[^"]*"| autofocus', "", browser.sign_in(*pair).text)
        for pair in ((CODE, "also wrong"), (name.encode("utf-8", "replace").decode(), password))
    ]

    assert told[0] == told[1]
    assert not browser.is_in()


def test_every_failure_costs_one_verification(world, browser, monkeypatch):
    costs = []
    verify = GUARD.passwords.__class__.verify
    monkeypatch.setattr(
        GUARD.passwords.__class__,
        "verify",
        lambda self, known, *rest: costs.append(known is None) or verify(self, known, *rest),
    )
    for name in (CODE, "404404404404", "nobody@example.org"):
        browser.sign_in(name, "wrong")

    assert len(costs) == 3


def test_only_the_digest_of_a_sessions_id_is_kept(world, signed_in):
    key = signed_in.client.cookies["session"]
    with world.service.ledger.reading() as store:
        assert store.accounts.session_of(digest(key)) is not None
        rows = store.session.driver.all_rows("SELECT * FROM web_session", {})
    assert key not in str(rows)
    assert len(key) >= 43


def test_a_session_ends_when_it_is_idle_for_half_an_hour(world, signed_in):
    for _ in range(3):
        world.later(minutes=29)
        assert signed_in.is_in()
    world.later(minutes=31)

    assert not signed_in.is_in()


def test_a_session_ends_after_twelve_hours_however_busy(world, signed_in):
    for _ in range(24):
        world.later(minutes=29)
        assert signed_in.is_in()
    for _ in range(2):
        world.later(minutes=29)
        signed_in.get("/")

    assert not signed_in.is_in()


def test_a_session_ends_with_signing_out_also_for_a_copy_of_its_cookie(world, signed_in):
    key = signed_in.client.cookies["session"]
    assert signed_in.post("/sign-out").status_code == 303
    thief = world.browser()
    thief.client.cookies.set("session", key)

    assert not thief.is_in()


def test_a_session_ends_with_another_password_wherever_it_was_given(world, signed_in):
    with world.service.ledger.transaction() as store:
        store.registry.set_password(CODE, GUARD.passwords.hash("Vesna-2027"), "root", world.now)

    assert not signed_in.is_in()


def test_another_hash_of_the_same_password_ends_no_session(world, signed_in):
    service = world.service
    with service.ledger.transaction() as store:
        before = store.registry.entity(CODE).password_hash
        store.registry.renew_hash(CODE, before, service.guard.passwords.hash(PASSWORD))

    assert signed_in.is_in()
    assert world.browser().sign_in().status_code == 303


def test_a_session_ends_with_switching_the_entity_off(world, signed_in):
    with world.service.ledger.transaction() as store:
        store.session.connection.exec_driver_sql("UPDATE legal_entity SET active = 0")

    assert not signed_in.is_in()


def test_guessing_locks_a_network_out_and_no_letter(world):
    thief = world.browser("203.0.113.9")
    for _ in range(5):
        thief.sign_in(password="guess")

    assert thief.sign_in().status_code == 422
    assert world.browser("203.0.113.200").sign_in().status_code == 422
    assert world.browser("198.51.100.1").sign_in().status_code == 303
    with world.service.ledger.reading() as store:
        assert store.senders.locked_until(CODE, "buh@primer.example", world.now) is None
        assert store.senders.waits_until(CODE, "x@y.example", world.now, 1) is None


def test_many_networks_share_twenty_guesses_an_hour_and_keep_out_no_known_browser(world, signed_in):
    for number in range(25):
        world.browser(f"203.0.{number}.9").sign_in(password="guess")

    assert world.browser("198.51.100.77").sign_in().status_code == 422
    signed_in.post("/sign-out")
    assert signed_in.sign_in().status_code == 303
    world.later(minutes=61)
    assert world.browser("198.51.100.77").sign_in().status_code == 303


def test_guesses_are_counted_by_the_account_however_its_name_is_written(world):
    code = "000000004711"
    with world.service.ledger.transaction() as store:
        register(
            store.registry, [LegalEntity(code, "ООО", "1", (), True, (), HASH)], "operator", NOW
        )
    thief = world.browser("203.0.113.9")
    for name in (code, "4711", "04711", " 4711 ", "0004711"):
        thief.sign_in(name=name, password="guess")
    assert thief.sign_in(name=code).status_code == 422
    assert world.browser("198.51.100.1").sign_in(name="4711").status_code == 303


def test_addresses_of_ipv6_are_counted_by_their_site(world):
    for number in range(5):
        world.browser(f"2001:db8:1:{number}::1").sign_in(password="guess")

    assert world.browser("2001:db8:1:ffff::2").sign_in().status_code == 422
    assert world.browser("2001:db8:2::2").sign_in().status_code == 303


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "x"])
def test_signing_in_leads_to_no_other_site(browser, to):
    assert browser.sign_in(next=to).headers["location"] == "/"


def test_one_comes_to_the_page_that_one_wanted(world, browser):
    assert browser.sign_in(next="/receipts?a=1").headers["location"] == "/receipts?a=1"
