"""Mail servers signed in to by token: Dovecot's oauth2 passdb, and an SMTP server."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from imapclient import IMAPClient

from ingest.engine.daemon import Daemon, Parts
from ingest.transports import oauth
from ingest.transports.imap.mailbox import ImapMailbox
from ingest.transports.login import Token
from ingest.transports.oauth import OAuthAccount, OAuthConfig
from ingest.transports.ports import MailboxUnavailable, OutboxUnavailable
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.ledger import Ledger
from storage.records.replies import OwedReply
from tests.end_to_end.servers import HOST, Dovecot, free_port
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


class Server:
    """Takes mail from whom a token of the provider signs in."""

    def __init__(self, provider, mechanisms):
        self.provider = provider
        self.mails = []
        self.ended = False
        for name in mechanisms:
            setattr(self, f"auth_{name}", self._authenticated)

    async def _authenticated(self, server, args):
        told = base64.b64decode(args[1]).decode()
        value = told.partition("auth=Bearer ")[2].partition("\x01")[0]
        user = self.provider.users.get(value)
        if user and (f"user={user}\x01" in told or f"a={user}," in told):
            return AuthResult(success=True)
        await server.challenge_auth(json.dumps({"status": "401"}))
        return AuthResult(success=False, handled=False)

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.ended or not session.authenticated:
            self.ended = False
            return "530 5.7.57 Client not authenticated to send mail"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.mails.append(envelope.content)
        return "250 OK"


@pytest.fixture(params=MECHANISMS)
def smtp(request, provider):
    server = Server(provider, [request.param])
    port = free_port()
    controller = Controller(
        server, hostname=HOST, port=port, auth_require_tls=False,
        auth_exclude_mechanism=["PLAIN", "LOGIN"],
    )  # fmt: skip
    controller.start()
    server.port = port
    yield server
    controller.stop()


def postman(smtp, provider, user="meters"):
    config = SmtpConfig(
        HOST, smtp.port, "none", user, token=office(provider).token, sender="meters@x.example"
    )
    return SmtpPostman(config)


def reply(number):
    content = f"Subject: {number}\r\n\r\nText\r\n".encode()
    return OwedReply(number, "buh@primer.example", "Hi", f"<{number}@x.example>", content)


def test_replies_leave_by_a_token(smtp, provider):
    provider.user = "meters"
    sender = postman(smtp, provider)
    sender.send(reply(1))
    sender.close()
    assert len(smtp.mails) == 1


def test_a_wrong_token_is_told_by_the_outbox(smtp, provider):
    provider.user = "somebody"
    with pytest.raises(OutboxUnavailable, match="refused the token of meters") as raised:
        postman(smtp, provider).send(reply(1))
    assert "mailbox's own account" in raised.value.advice


def test_a_login_that_ended_in_the_middle_of_a_session_is_no_fault(smtp, provider):
    provider.user = "meters"
    sender = postman(smtp, provider)
    sender.send(reply(1))
    smtp.ended = True
    sender.send(reply(2))
    sender.close()
    assert len(smtp.mails) == 2
