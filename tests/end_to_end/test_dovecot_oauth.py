"""Mailboxes signed in to by token, on Dovecot's oauth2 passdb."""

import time
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from ingest.engine.daemon import Daemon, Parts
from ingest.transports import oauth
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.login import Token
from ingest.transports.oauth import OAuthAccount, OAuthConfig
from ingest.transports.ports import MailboxUnavailable
from storage.ledger import Ledger
from tests.end_to_end.servers import Dovecot
from tests.fakes import FakeIntake, FakePostman, FakeReader, mail
from tests.identity import identity_provider

MECHANISMS = ["XOAUTH2", "OAUTHBEARER"]


@pytest.fixture(scope="module")
def provider():
    with identity_provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def dovecot_by_token(provider):
    server = Dovecot(introspection=f"{provider.url}/introspect")
    try:
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture
def account(dovecot_by_token, provider):
    """A mailbox whose tokens the provider gives."""
    account = dovecot_by_token.account()
    provider.user = account.user
    provider.answers.clear()
    return account


def office(provider):
    return OAuthAccount(
        OAuthConfig("office", "client_credentials", f"{provider.url}/token", "client", "secret")
    )


def mailbox(account, token):
    return ImapMailbox(account.config(password="", token=token))


@pytest.fixture(params=MECHANISMS)
def mechanism(request, monkeypatch):
    """The server offers this one alone."""
    known = IMAPClient.has_capability
    other = {*MECHANISMS} - {request.param}

    def has(client, capability):
        return capability not in {f"AUTH={name}" for name in other} and known(client, capability)

    monkeypatch.setattr(IMAPClient, "has_capability", has)
    return request.param


@pytest.mark.usefixtures("mechanism")
def test_letters_are_read_and_filed_by_a_token(account, provider):
    account.append(b"Subject: one\r\n\r\nText\r\n")
    box = mailbox(account, office(provider).token)
    _, uids = box.uids()
    (batch,) = box.fetch(uids)
    assert [letter.content for letter in batch] == [b"Subject: one\r\n\r\nText\r\n"]
    box.file(uids, "accepted")
    box.close()
    assert account.count("Processed") == 1


@pytest.mark.usefixtures("mechanism")
@pytest.mark.parametrize("wrong", ["expired", "of another mailbox"])
def test_a_token_that_the_server_refuses_is_told_with_what_to_do(account, provider, wrong):
    if wrong == "of another mailbox":
        provider.user = "somebody"
        token = office(provider).token
    else:
        token = lambda _user: Token("expired", time.monotonic() + 3600)  # noqa: E731
    with pytest.raises(MailboxUnavailable, match="refused the token of") as raised:
        mailbox(account, token).uids()
    assert "mailbox's own account" in raised.value.advice
    assert "expired" not in str(raised.value)


def test_a_token_is_asked_for_at_every_connect(account, provider):
    box = mailbox(account, office(provider).token)
    asked = len(provider.asked)
    box.uids()
    box.uids()
    assert len(provider.asked) == asked + 1
    box.close()
    box.uids()
    assert len(provider.asked) == asked + 2
    box.close()


def test_a_session_is_renewed_before_its_token_ends(account, provider):
    ends = iter([time.monotonic() - 1, time.monotonic() + 3600])
    good = office(provider).token
    box = mailbox(account, lambda user: Token(good(user).value, next(ends)))
    box.uids()
    box.uids()
    box.close()
    assert next(ends, None) is None


def test_a_provider_that_refuses_makes_a_fault_of_the_mailbox(account, provider):
    provider.answers = [(400, b'{"error": "invalid_grant"}')]
    told = r"mailbox main: oauth\.office: .*invalid_grant"
    with pytest.raises(MailboxUnavailable, match=told) as e:
        mailbox(account, office(provider).token).uids()
    assert "ingest oauth" in e.value.advice


@pytest.fixture
def ledger(tmp_path):
    ledger = Ledger(f"sqlite:///{tmp_path}/ingest.db")
    ledger.migrate()
    yield ledger
    ledger.close()


@pytest.mark.parametrize("broken", ["invalid_grant", "silent"])
def test_a_broken_account_stops_nothing_else_of_the_running_daemon(
    dovecot_by_token, provider, ledger, broken, monkeypatch
):
    monkeypatch.setattr(oauth, "ANSWER_SECONDS", 2.0)
    well = dovecot_by_token.account()
    well.append(mail("first"), at=datetime.now(UTC))
    provider.user = well.user
    with identity_provider() as other:
        other.answers = [(400, b'{"error": "invalid_grant"}')] * 1000
        other.drips = 0.1
        if broken == "silent":
            other.answers = []
        ill, works = office(other), office(provider)
        boxes = [
            ImapMailbox(well.config(name=name, password="", token=account.token))
            for name, account in (("ill", ill), ("well", works))
        ]
        postman = FakePostman()
        parts = Parts(
            boxes, [], FakeReader(), ledger, FakeIntake(), postman, [ill, works],
            lambda: datetime.now(UTC), 0.2, lambda: None,
        )  # fmt: skip
        with Daemon(parts):
            wait_until(lambda: postman.sent and not well.count("INBOX"))
            if broken == "invalid_grant":
                wait_until(lambda: "mailbox ill" in failing(ledger))
            # The next one as well, while the other account still fails.
            well.append(mail("second"), at=datetime.now(UTC))
            wait_until(lambda: len(postman.sent) == 2)
        assert not failing(ledger) - {"mailbox ill"}


def failing(ledger):
    with ledger.reading() as store:
        servers = store.installation.status(datetime.now(UTC)).servers
    return {server.name for server in servers if server.failing_since}


def wait_until(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)
