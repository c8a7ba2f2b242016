"""The SMTP adapter on a real server."""

from __future__ import annotations

import ssl
import threading
from functools import partial

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword
from structlog.testing import capture_logs

from ingest.engine import jobs
from ingest.engine.daemon import Daemon, Parts
from ingest.transports.ports import Deferred, OutboxUnavailable, RecipientRefused, TooLarge
from ingest.transports.smtp import SmtpConfig, SmtpPostman
from storage.ledger import Ledger
from storage.records.replies import OwedReply
from tests.end_to_end.scripted import ScriptedSmtp
from tests.end_to_end.servers import HOST, free_port, make_certificate, trusting
from tests.fakes import FakeClock, FakeIntake, FakeReader, owed

SECRET = "Пароль-почты"


class Server:
    """Answers as told; keeps what it took, and how many connections it saw."""

    def __init__(self):
        self.rcpt = self.data = "250 OK"
        self.mails = []
        self.connections = 0

    async def handle_EHLO(self, server, session, envelope, hostname, responses):  # noqa: N802
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.rcpt.startswith("2"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.data.startswith("2"):
            self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return self.data


def authenticator(server, session, envelope, mechanism, data):
    known = isinstance(data, LoginPassword) and data.password == SECRET.encode()
    return AuthResult(success=known, handled=False)


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def smtp(server):
    """Start it with these options; gives the port."""
    started = []

    def start(**options):
        port = free_port()
        controller = Controller(server, hostname=HOST, port=port, enable_SMTPUTF8=True, **options)
        controller.start()
        started.append(controller)
        return port

    yield start
    for controller in started:
        controller.stop()


def postman(port, **options):
    given = {"host": HOST, "port": port, "security": "none", "sender": "meters@retailer.example"}
    context = options.pop("context", None)
    return SmtpPostman(SmtpConfig(**(given | options), timeout_seconds=5), context)


def reply(recipient="buh@primer.example", content=b"Subject: Hi\n\nOne\n.\nTwo\r\n"):
    return OwedReply(1, recipient, "Hi", "<1@retailer.example>", content)


def test_a_reply_arrives_as_it_was_made(server, smtp):
    sender = postman(smtp())
    sender.send(reply())
    sender.close()
    assert server.mails == [
        (
            "meters@retailer.example",
            ["buh@primer.example"],
            b"Subject: Hi\r\n\r\nOne\r\n.\r\nTwo\r\n",
        )
    ]


def test_many_replies_leave_over_one_connection(server, smtp):
    sender = postman(smtp())
    for _ in range(5):
        sender.send(reply())
    sender.close()
    assert len(server.mails) == 5
    assert server.connections == 1


def test_a_russian_address_is_served(server, smtp):
    sender = postman(smtp())
    sender.send(reply("бухгалтер@пример.example"))
    sender.close()
    assert server.mails[0][1] == ["бухгалтер@пример.example"]


@pytest.mark.parametrize("where", ["rcpt", "data"])
@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("550 no such user", RecipientRefused),
        ("450 busy, come again", Deferred),
        ("421 closing", OutboxUnavailable),
    ],
)
def test_answers_tell_whether_to_try_again(server, smtp, where, answer, verdict):
    sender = postman(smtp())
    setattr(server, where, answer)
    with pytest.raises(verdict, match=answer):
        sender.send(reply())
    setattr(server, where, "250 OK")
    sender.send(reply())
    sender.close()
    assert len(server.mails) == 1


@pytest.mark.parametrize("word", ["MAIL", "RCPT", "DATA", "."])
def test_a_server_that_ends_each_connection_after_a_few_mails_gets_them_all(word):
    """421 in the middle of a session: the next connection goes on, nobody is blamed."""
    taken = []

    class Sparing(ScriptedSmtp):
        def _converse(self, connection):
            left = iter([True, True])
            self._answer = partial(self._sparing, left)
            super()._converse(connection)

        def _sparing(self, left, said):
            if said == word and not next(left, False):
                yield b"421 4.7.0 too many messages over this connection\r\n"
                return
            if said == ".":
                taken.append(1)
            if said in {"", "EHLO", "MAIL", "RCPT", "DATA", ".", "NOOP", "QUIT"}:
                yield {"": b"220 hi\r\n", "DATA": b"354 go on\r\n"}.get(said, b"250 fine\r\n")

    server = Sparing(lambda said: iter([]))
    sender = postman(server.port)
    for number in range(7):
        sender.send(reply(content=b"Subject: %d\n" % number))
    sender.close()
    server.close()
    assert len(taken) >= 7


def test_while_mail_is_leaving_the_rests_after_a_broken_session_do_not_grow(tmp_path, monkeypatch):
    """It takes one mail a connection, and turns the one after it away."""
    monkeypatch.setattr(jobs, "FIRST_REST_SECONDS", 0.1)
    taken, turned_away = [], []

    class Grudging(ScriptedSmtp):
        def _converse(self, connection):
            self._answer = partial(self._grudging, iter([b"220 hi\r\n"]), iter([True]))
            super()._converse(connection)

        def _grudging(self, greeting, left, said):
            # Lines of a mail are no commands.
            answers = {"": next(greeting, b"") if said == "" else b"", "DATA": b"354 go on\r\n"}
            answers |= dict.fromkeys(("EHLO", "MAIL", "RCPT", ".", "NOOP", "QUIT"), b"250 fine\r\n")
            answer = answers.get(said, b"")
            is_next = said == "" and answer and len(turned_away) % 2
            if is_next or (said == "MAIL" and not next(left, False)):
                turned_away.append(said)
                answer = b"421 4.7.0 come back later\r\n"
            taken.extend([said] if said == "." else [])
            yield answer

    ledger = Ledger(f"sqlite:///{tmp_path}/ingest.db")
    ledger.migrate()
    with ledger.transaction() as store:
        for number in range(4):
            store.outbox.owe(owed(None, "x", message_id=f"<{number}@x>"), FakeClock()())
    server = Grudging(lambda said: iter([]))
    parts = Parts(
        mailboxes=[],
        bells=[],
        reader=FakeReader(),
        ledger=ledger,
        intake=FakeIntake(),
        postman=postman(server.port),
        accounts=(),
        clock=FakeClock(),
        every_seconds=3600,
        close=ledger.close,
    )
    with capture_logs() as logs, Daemon(parts):
        assert until(lambda: len(taken) == 4)
    server.close()
    rests = [line["retry_seconds"] for line in logs if line["event"] == "outbox.failed"]
    assert len(rests) == 3
    assert max(rests) <= 0.1


def until(condition):
    tried = threading.Event()
    return any(condition() or tried.wait(0.01) for _ in range(2000))


def test_a_server_that_ends_every_connection_at_once_is_away(server, smtp):
    closing = ScriptedSmtp(lambda said: iter([b"421 4.3.2 closed for today\r\n"]))
    with pytest.raises(OutboxUnavailable):
        postman(closing.port).send(reply())
    closing.close()


@pytest.mark.parametrize("where", ["rcpt", "data"])
def test_a_mail_that_is_too_large_is_told_as_such(server, smtp, where):
    sender = postman(smtp())
    setattr(server, where, "552 5.3.4 message too big")
    with pytest.raises(TooLarge, match="552"):
        sender.send(reply())
    sender.close()


def test_a_mail_over_the_size_that_the_server_announces_is_told_as_such(server, smtp):
    sender = postman(smtp(data_size_limit=2000))
    with pytest.raises(TooLarge, match="552"):
        sender.send(reply(content=b"Subject: Hi\n\n" + b"x" * 3000))
    sender.send(reply())
    sender.close()
    assert len(server.mails) == 1


@pytest.mark.parametrize("address", ["a@b\r\nRCPT TO:<c@d>", "a b@c", "<a@b>"])
def test_an_address_that_could_carry_a_command_is_refused(server, smtp, address):
    sender = postman(smtp())
    with pytest.raises(RecipientRefused, match="malformed"):
        sender.send(reply(address))
    sender.close()
    assert server.mails == []


def test_a_server_that_is_not_there_is_named():
    port = free_port()
    with pytest.raises(OutboxUnavailable, match=f"SMTP server 127.0.0.1:{port} cannot be used"):
        postman(port).send(reply())


def test_a_connection_that_was_lost_is_made_anew(server, smtp):
    sender = postman(smtp())
    sender.send(reply())
    sender._server.sock.shutdown(2)
    with pytest.raises(OutboxUnavailable):
        sender.send(reply())
    sender.send(reply())
    sender.close()
    assert len(server.mails) == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_name("key.pem"))
    return context


def test_starttls_and_a_password_beyond_ascii(server, smtp, server_tls, certificate):
    port = smtp(
        tls_context=server_tls,
        require_starttls=True,
        authenticator=authenticator,
        auth_required=True,
    )
    trusted = trusting(certificate)
    sender = postman(port, security="starttls", user="meters", password=SECRET, context=trusted)
    sender.send(reply())
    sender.close()
    assert len(server.mails) == 1


def test_a_wrong_password_is_told_as_such_and_never_shown(smtp, server_tls, certificate):
    port = smtp(tls_context=server_tls, authenticator=authenticator, auth_required=True)
    trusted = trusting(certificate)
    sender = postman(port, security="starttls", user="meters", password="wrong", context=trusted)
    with pytest.raises(OutboxUnavailable, match="refused the user or the password") as told:
        sender.send(reply())
    assert "wrong" not in str(told.value)


def test_a_certificate_that_nobody_vouches_for_is_refused(server, smtp, server_tls):
    sender = postman(smtp(tls_context=server_tls), security="starttls")
    with pytest.raises(OutboxUnavailable, match="certificate verify failed"):
        sender.send(reply())
    assert server.mails == []


def test_no_letter_travels_in_the_clear_when_starttls_is_asked_for(server, smtp):
    sender = postman(smtp(), security="starttls")
    with pytest.raises(OutboxUnavailable, match="STARTTLS"):
        sender.send(reply())
    assert server.mails == []
