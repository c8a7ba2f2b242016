"""Sends complete mails over one SMTP connection, and tells whose a refusal is."""

from __future__ import annotations

import io
import math
import re
import smtplib
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ingest.transports.advice import LOGIN, OAUTH, advice, reason
from ingest.transports.bounds import Bounds, Exceeded, Meter
from ingest.transports.login import Security, Token, certificate_ends, checked, initial_response
from ingest.transports.ports import (
    Deferred,
    OutboxUnavailable,
    RecipientRefused,
    TokenUnavailable,
    TooLarge,
)
from storage.records.replies import OwedReply

RESTED_SECONDS = 20.0
"""Many servers close a connection that said nothing for longer."""

ANSWER_BYTES = 1024 * 1024
"""What the answer to one command may come to; an ordinary one has a few lines."""


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """Where replies are handed in.

    Attributes:
        token: Gives an access token for the user, in place of a password.
        sender: The bare address that mail is from, for the envelope.
        timeout_seconds: For every packet of the server.
        answer_seconds: For the whole answer to one command; RFC 5321 has clients wait up
            to ten minutes for the last one of a mail.

    Raises:
        ValueError: the security named is unknown, or unsafe for that host.
    """

    host: str
    port: int = 587
    security: str = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    token: Callable[[str], Token] | None = field(default=None, repr=False)
    sender: str = ""
    timeout_seconds: float = 30.0
    answer_seconds: float = 600.0

    def __post_init__(self) -> None:
        checked(self.security, self.host, "smtp")


class _Closing(OutboxUnavailable):
    """The server ends this connection (421)."""


class SmtpPostman:
    """Hands complete mails to one SMTP server over one open connection."""

    def __init__(self, config: SmtpConfig, context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._context = context or ssl.create_default_context()
        self._server: smtplib.SMTP | None = None
        self._used_at = 0.0
        self._token_ends = math.inf
        self._certificate_ends: datetime | None = None
        # Mails sent over this connection.
        self._taken = 0

    def send(self, reply: OwedReply) -> None:
        """Hand one reply to the server.

        Raises:
            OutboxUnavailable: no connection; try all of them later.
            Deferred: this one later.
            TooLarge: this one never, but perhaps a smaller one.
            RecipientRefused: this one never.
        """
        was_used = self._taken > 0
        try:
            self._send(reply)
        except _Closing:
            if not was_used:
                raise
            # Servers bound what goes over one connection; the next one starts anew.
            self._send(reply)

    def _send(self, reply: OwedReply) -> None:
        with self._told():
            self._hand_in(self._connected(), reply)
            self._used_at = time.monotonic()
            self._taken += 1

    def greet(self) -> str:
        """Connect and log in, and send nothing: what the server was found to be.

        Raises:
            OutboxUnavailable: it cannot be reached, or refused us.
        """
        with self._told():
            self._connected().noop()
        config = self._config
        return f"{config.host}:{config.port} answers, {config.security}, as {config.sender}"

    def certificate_ends(self) -> datetime | None:
        """When the server's certificate does, as it was at the last connect; None without TLS."""
        return self._certificate_ends

    def close(self) -> None:
        """Quit, quietly."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _hand_in(self, server: smtplib.SMTP, reply: OwedReply) -> None:
        sender, recipient, content = self._config.sender, reply.recipient, _wire(reply.content)
        options = f" size={len(content)}" if server.has_extn("size") else ""
        if not recipient.isascii():
            if not server.has_extn("smtputf8"):
                raise RecipientRefused("the server takes no addresses beyond ASCII")
            options += " SMTPUTF8"
        if re.search(r"[\s<>]", recipient):
            raise RecipientRefused("the address is malformed")
        _begin(server, sender, recipient, options)
        server.send(_as_data(content))
        code, answer = server.getreply()
        if code != 250:
            _reset(server)
            raise smtplib.SMTPDataError(code, answer)

    def _connected(self) -> smtplib.SMTP:
        is_over = time.monotonic() > self._token_ends
        if self._server is not None and (is_over or self._server.sock is None):
            self._drop()
        if self._server is not None and time.monotonic() - self._used_at > RESTED_SECONDS:
            try:
                self._server.noop()
            except (smtplib.SMTPException, OSError):
                self._drop()
        if self._server is None:
            self._taken = 0
            self._server, self._token_ends = _connect(self._config, self._context)
            self._certificate_ends = certificate_ends(self._server.sock)
        return self._server

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise smtplib's exceptions as those of `transports.ports`, by who can put it right."""
        where = f"SMTP server {self._config.host}:{self._config.port}"
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            what, told = ("token", OAUTH) if self._config.token else ("user or the password", LOGIN)
            raise OutboxUnavailable(
                f"{where} refused the {what} of {self._config.user}", told
            ) from error
        except TokenUnavailable as error:
            raise OutboxUnavailable(f"SMTP: {error}", error.advice) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._verdict(where, code, text) from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code in {421, 552} or (self._config.token and error.smtp_code == 530):
                raise self._verdict(where, error.smtp_code, error.smtp_error) from error
            # Every reply has this sender: it is the configuration, not the letter.
            self._drop()
            answer = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise OutboxUnavailable(
                f"{where} refused the sender {self._config.sender}: {answer}",
                "set [smtp] sender to an address that this account may send as",
            ) from error
        except smtplib.SMTPDataError as error:
            raise self._verdict(where, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # ValueError: an answer that is no text, or no number where one belongs.
            self._drop()
            told = f"{where} cannot be used: {_reason(error)}"
            raise OutboxUnavailable(told, advice(error)) from error

    def _verdict(self, where: str, code: int, text: bytes | str) -> Exception:
        answer = f"{code} {_text(text)}"
        if code in {421, 530}:
            # 530: the login has ended, as one by a token does.
            self._drop()
            return _Closing(f"{where} is closing: {answer}")
        if code == 552:
            return TooLarge(answer)
        return Deferred(answer) if code < 500 else RecipientRefused(answer)


class _Bounded(smtplib.SMTP):
    """Bounds each command's answer in bytes and seconds."""

    def __init__(self, config: SmtpConfig, **options: Any) -> None:
        self._meter = Meter(Bounds(ANSWER_BYTES, config.answer_seconds))
        super().__init__(config.host, config.port, timeout=config.timeout_seconds, **options)
        if self.sock is not None:
            # Else the end of a mail would wait for the acknowledgement of what comes before it.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def getreply(self) -> tuple[int, bytes]:
        self._meter.begin()
        if self.file is None and self.sock is not None:
            self.file = _Lines(self.sock.makefile("rb"), self._meter)
        return super().getreply()


class _BoundedTls(_Bounded, smtplib.SMTP_SSL):
    pass


class _Lines:
    """The file that smtplib reads answers from, with their bounds."""

    def __init__(self, file: io.BufferedReader, meter: Meter) -> None:
        self._file = file
        self._meter = meter

    def readline(self, _most: int) -> bytes:
        try:
            return self._meter.line(self._file)
        except Exceeded as over:
            # What smtplib takes for a connection that ended.
            raise OSError(str(over)) from over

    def close(self) -> None:
        self._file.close()


def _connect(config: SmtpConfig, context: ssl.SSLContext) -> tuple[smtplib.SMTP, float]:
    """A connection that has logged in, and the `time.monotonic()` at which its login ends."""
    token = config.token(config.user) if config.token else None
    if config.security == Security.TLS:
        server: smtplib.SMTP = _BoundedTls(config, context=context)
    else:
        server = _Bounded(config)
    try:
        if config.security == Security.STARTTLS:
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if token is not None:
            _login_by_token(server, config, token)
        elif config.user:
            _login(server, config)
    except (smtplib.SMTPException, OSError, ValueError):
        server.close()
        raise
    return server, token.ends if token else math.inf


def _begin(server: smtplib.SMTP, sender: str, recipient: str, options: str) -> None:
    """MAIL, RCPT and DATA: together where the server takes that (RFC 2920), two round trips less.

    Raises:
        smtplib.SMTPException: the first of them that was refused; or the connection ended.
    """
    commands = f"mail FROM:<{sender}>{options}", f"rcpt TO:<{recipient}>", "data"
    groups = [commands] if server.has_extn("pipelining") else [(one,) for one in commands]
    answers: list[tuple[int, bytes]] = []
    for group in groups:
        server.send("".join(f"{command}\r\n" for command in group).encode())
        lost: smtplib.SMTPServerDisconnected | None = None
        try:
            for _ in group:
                answers.append(server.getreply())  # noqa: PERF401 - those before the end count
        except smtplib.SMTPServerDisconnected as ended:
            # Perhaps after a refusal, which says more.
            lost = ended
        for (code, text), taken, refusal in zip(answers, _TAKEN, _REFUSALS, strict=False):
            if code not in taken:
                _reset(server, is_open=answers[-1][0] == 354)
                raise refusal(code, text, sender, recipient)
        if lost is not None:
            raise lost


_TAKEN = (250,), (250, 251), (354,)
_REFUSALS: tuple[Callable[[int, bytes, str, str], smtplib.SMTPException], ...] = (
    lambda code, text, sender, _: smtplib.SMTPSenderRefused(code, text, sender),
    lambda code, text, _, recipient: smtplib.SMTPRecipientsRefused({recipient: (code, text)}),
    lambda code, text, *_: smtplib.SMTPDataError(code, text),
)


def _reset(server: smtplib.SMTP, *, is_open: bool = False) -> None:
    """Have the server forget a mail that was refused; where it waits for its text, hang up."""
    if is_open:
        server.close()
        return
    with suppress(smtplib.SMTPException):
        server.rset()


def _login_by_token(server: smtplib.SMTP, config: SmtpConfig, token: Token) -> None:
    bearer = "OAUTHBEARER" in server.esmtp_features.get("auth", "").split()
    first = initial_response(config.user, config.host, config.port, token, bearer=bearer)
    # A refusal comes as a challenge that wants an answer before the server says 535.
    last = "\x01" if bearer else ""
    server.auth(
        "OAUTHBEARER" if bearer else "XOAUTH2",
        lambda challenge=None: first if challenge is None else last,
    )


def _login(server: smtplib.SMTP, config: SmtpConfig) -> None:
    if (config.user + config.password).isascii():
        server.login(config.user, config.password)
        return
    # smtplib's own login carries ASCII only; PLAIN carries UTF-8.
    secret = b64encode(f"\0{config.user}\0{config.password}".encode()).decode()
    code, answer = server.docmd("AUTH", f"PLAIN {secret}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _wire(content: bytes) -> bytes:
    """The mail with the line ends that SMTP asks for."""
    ends = content.count(b"\r\n")
    if ends == content.count(b"\n") == content.count(b"\r"):
        return content
    return re.sub(rb"\r\n|\r|\n", b"\r\n", content)


def _as_data(content: bytes) -> bytes:
    """A mail with the dots and the end that DATA asks for."""
    if content.startswith(b".") or b"\n." in content:
        content = re.sub(rb"(?m)^\.", b"..", content)
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:300]


def _reason(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return reason(error)
