"""SMTP: replies that are owed leave, in a job of their own, until none is due."""

from __future__ import annotations

import re
import smtplib
import ssl
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from ingest.intake.ports import Deferred, OutboxUnavailable, Postman, RecipientRefused
from ingest.transports.login import Security, checked
from storage.records import OwedReply

log = structlog.get_logger()

FIRST_RETRY = timedelta(seconds=10)
LONGEST_RETRY = timedelta(hours=1)
GIVEN_UP_AFTER = timedelta(days=3)
LEASE = timedelta(seconds=60)

AT_ONCE = 8
"""Replies whose attempt is counted in one commit, and which one crash may send again."""

RESTED_SECONDS = 20.0
"""Many servers close a connection that said nothing for longer."""


@dataclass(frozen=True, slots=True)
class SmtpConfig:
    """Where replies are handed in.

    Attributes:
        sender: The bare address that mail is from, for the envelope.
        timeout_seconds: For every answer of the server.

    Raises:
        ValueError: the security named is unknown, or unsafe for that host.
    """

    host: str
    port: int = 587
    security: str = Security.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    timeout_seconds: float = 30.0

    def __post_init__(self) -> None:
        checked(self.security, self.host, "smtp")


class SmtpPostman:
    """Hands complete mails to one SMTP server over one open connection."""

    def __init__(self, config: SmtpConfig, context: ssl.SSLContext | None = None) -> None:
        self._config = config
        self._context = context or ssl.create_default_context()
        self._server: smtplib.SMTP | None = None
        self._used_at = 0.0

    def send(self, reply: OwedReply) -> None:
        """Hand one reply to the server.

        Raises:
            OutboxUnavailable: no connection; try all of them later.
            Deferred: this one later.
            RecipientRefused: this one never.
        """
        with self._told():
            self._hand_in(self._connected(), reply)
            self._used_at = time.monotonic()

    def greet(self) -> str:
        """Connect and log in, and send nothing: what the server was found to be.

        Raises:
            OutboxUnavailable: it cannot be reached, or refused us.
        """
        with self._told():
            self._connected().noop()
        config = self._config
        return f"{config.host}:{config.port} answers, {config.security}, as {config.sender}"

    def close(self) -> None:
        """Quit, quietly."""
        server, self._server = self._server, None
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _hand_in(self, server: smtplib.SMTP, reply: OwedReply) -> None:
        options = []
        if not reply.recipient.isascii():
            if not server.has_extn("smtputf8"):
                raise RecipientRefused("the server takes no addresses beyond ASCII")
            options.append("SMTPUTF8")
        if re.search(r"[\s<>]", reply.recipient):
            raise RecipientRefused("the address is malformed")
        server.sendmail(self._config.sender, [reply.recipient], _wire(reply.content), options)

    def _connected(self) -> smtplib.SMTP:
        if self._server is not None and time.monotonic() - self._used_at > RESTED_SECONDS:
            try:
                self._server.noop()
            except (smtplib.SMTPException, OSError):
                self._drop()
        if self._server is None:
            self._server = _connect(self._config, self._context)
        return self._server

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn smtplib's many exceptions into whose turn it is now."""
        where = f"SMTP server {self._config.host}:{self._config.port}"
        try:
            yield
        except smtplib.SMTPAuthenticationError as error:
            self._drop()
            raise OutboxUnavailable(
                f"{where} refused the user or the password of {self._config.user}"
            ) from error
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._verdict(where, code, text) from error
        except smtplib.SMTPSenderRefused as error:
            if error.smtp_code == 552:
                raise self._verdict(where, 552, error.smtp_error) from error
            # Every reply has this sender: it is the configuration, not the letter.
            self._drop()
            answer = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise OutboxUnavailable(
                f"{where} refused the sender {self._config.sender}: {answer}"
            ) from error
        except smtplib.SMTPDataError as error:
            raise self._verdict(where, error.smtp_code, error.smtp_error) from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise OutboxUnavailable(f"{where} cannot be used: {_reason(error)}") from error

    def _verdict(self, where: str, code: int, text: bytes | str) -> Exception:
        answer = f"{code} {_text(text)}"
        if code == 421:
            self._drop()
            return OutboxUnavailable(f"{where} is closing: {answer}")
        return Deferred(answer) if code < 500 else RecipientRefused(answer)


def _connect(config: SmtpConfig, context: ssl.SSLContext) -> smtplib.SMTP:
    if config.security == Security.TLS:
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            config.host, config.port, timeout=config.timeout_seconds, context=context
        )
    else:
        server = smtplib.SMTP(config.host, config.port, timeout=config.timeout_seconds)
    try:
        if config.security == Security.STARTTLS:
            server.starttls(context=context)
        server.ehlo_or_helo_if_needed()
        if config.user:
            _login(server, config)
    except (smtplib.SMTPException, OSError):
        server.close()
        raise
    return server


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


def _text(answer: bytes | str) -> str:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split())[:300]


def _reason(error: BaseException) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return str(error).strip().rstrip(".") or type(error).__name__


class Outbox(Protocol):
    """What the database does for sending, inside one transaction."""

    def lease_replies(
        self, now: datetime, *, limit: int = 1, lease: timedelta = LEASE
    ) -> list[OwedReply]:
        """Replies that are due, the oldest first, their attempt counted.

        Nobody else gets them until the lease has run out.
        """

    def reply_sent(self, number: int, now: datetime) -> None:
        """It has left."""

    def reply_deferred(self, number: int, next_at: datetime, error: str) -> None:
        """It is due again later."""

    def reply_undeliverable(self, number: int, error: str, now: datetime) -> None:
        """It will never leave."""

    def release_replies(self, numbers: Sequence[int]) -> None:
        """Give leased replies back, their attempt not counted."""


class OutboxLedger(Protocol):
    """Opens transactions on the outbox."""

    def transaction(self) -> AbstractContextManager[Outbox]:
        """Commits at its end, rolls back on an exception."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What one drain of the outbox did."""

    sent: int = 0
    deferred: int = 0
    undeliverable: int = 0


def drain(
    ledger: OutboxLedger,
    postman: Postman,
    clock: Callable[[], datetime],
    stop: Callable[[], bool] = lambda: False,
) -> Drained:
    """Send every reply that is due, one after the other.

    The attempt is committed before the reply is sent: after a crash between
    sending and the note of it, the reply goes out again under the same
    Message-ID, and its attempts tell. That note is made for a few replies at once.

    Raises:
        OutboxUnavailable: the server is away; the replies wait.
        StoreUnavailable: the database is away.
    """
    done = Drained()
    sent: list[OwedReply] = []
    while True:
        # One commit notes what was sent and leases what comes next.
        with ledger.transaction() as outbox:
            for reply in sent:
                outbox.reply_sent(reply.id, clock())
            leased = [] if stop() else outbox.lease_replies(clock(), limit=AT_ONCE, lease=LEASE)
        if not leased:
            return done
        sent, done = _deliver(ledger, postman, clock, leased, stop, done)


def _deliver(
    ledger: OutboxLedger,
    postman: Postman,
    clock: Callable[[], datetime],
    leased: Sequence[OwedReply],
    stop: Callable[[], bool],
    done: Drained,
) -> tuple[list[OwedReply], Drained]:
    """Replies that have left, which the caller notes; the others are noted here."""
    sent: list[OwedReply] = []
    waiting = deque(leased)
    until = time.monotonic() + LEASE.total_seconds() / 2
    try:
        while waiting:
            reply = waiting.popleft()
            try:
                _send(postman, reply)
            except OutboxUnavailable:
                # The whole outbox waits, this one with the others.
                waiting.appendleft(reply)
                raise
            except (Deferred, RecipientRefused) as answer:
                # What has left is noted first, so that no fault of this note repeats it.
                _settle(ledger, clock, sent)
                done = _not_taken(ledger, clock(), reply, answer, done)
            else:
                sent.append(reply)
                done = replace(done, sent=done.sent + 1)
            if stop() or time.monotonic() > until:
                break
    except BaseException:
        _settle(ledger, clock, sent, waiting)
        raise
    if waiting:
        # A stop.
        _settle(ledger, clock, sent, waiting)
    return sent, done


def _settle(
    ledger: OutboxLedger,
    clock: Callable[[], datetime],
    sent: list[OwedReply],
    waiting: Sequence[OwedReply] = (),
) -> None:
    """Note what has left, which is forgotten here; what waits is due at once."""
    if not sent and not waiting:
        return
    with ledger.transaction() as outbox:
        for reply in sent:
            outbox.reply_sent(reply.id, clock())
        if waiting:
            outbox.release_replies([reply.id for reply in waiting])
    sent.clear()


def _send(postman: Postman, reply: OwedReply) -> None:
    started = time.monotonic()
    postman.send(reply)
    log.info(
        "reply.sent",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        duration_ms=round((time.monotonic() - started) * 1000),
    )


def _not_taken(
    ledger: OutboxLedger,
    now: datetime,
    reply: OwedReply,
    answer: Deferred | RecipientRefused,
    done: Drained,
) -> Drained:
    if isinstance(answer, RecipientRefused):
        return _give_up(ledger, now, reply, str(answer), done)
    return _defer(ledger, now, reply, str(answer), done)


def _defer(
    ledger: OutboxLedger, now: datetime, reply: OwedReply, answer: str, done: Drained
) -> Drained:
    if reply.owed_at is not None and now - reply.owed_at >= GIVEN_UP_AFTER:
        return _give_up(ledger, now, reply, f"after 3 days: {answer}", done)
    next_at = now + retry_delay(reply.attempts)
    with ledger.transaction() as outbox:
        outbox.reply_deferred(reply.id, next_at, answer)
    log.warning(
        "reply.deferred",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        error=answer,
        next_at=next_at.isoformat(),
    )
    return replace(done, deferred=done.deferred + 1)


def _give_up(
    ledger: OutboxLedger, now: datetime, reply: OwedReply, answer: str, done: Drained
) -> Drained:
    with ledger.transaction() as outbox:
        outbox.reply_undeliverable(reply.id, answer, now)
    log.error(
        "reply.undeliverable",
        letter=reply.letter,
        reply=reply.id,
        message_id=reply.message_id,
        attempts=reply.attempts,
        error=answer,
    )
    return replace(done, undeliverable=done.undeliverable + 1)


def retry_delay(attempts: int) -> timedelta:
    """How long a reply rests after its n-th attempt: 10 s, doubling to an hour."""
    return min(FIRST_RETRY * (1 << min(max(attempts - 1, 0), 12)), LONGEST_RETRY)
