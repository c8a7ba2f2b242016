"""An SMTP server signed in to by token."""

import base64
import json

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from ingest.transports.oauth import OAuthAccount, OAuthConfig
from ingest.transports.ports import OutboxUnavailable
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.records.replies import OwedReply
from tests.end_to_end.servers import HOST, free_port
from tests.identity import identity_provider


@pytest.fixture(scope="module")
def provider():
    with identity_provider() as provider:
        yield provider


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


@pytest.fixture(params=["XOAUTH2", "OAUTHBEARER"])
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
    account = OAuthAccount(
        OAuthConfig("office", "client_credentials", f"{provider.url}/token", "client", "secret")
    )
    config = SmtpConfig(
        HOST, smtp.port, "none", user, token=account.token, sender="meters@x.example"
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
