"""A mailbox's settings, and a connection that has logged in by them."""

from __future__ import annotations

import imaplib
import math
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import LoginError

from ingest.transports.advice import reason
from ingest.transports.bounds import Bounds
from ingest.transports.imap.bounded import BoundedIMAPClient
from ingest.transports.login import Security, Token, checked, initial_response

ANSWER_BYTES = 100 * 1024 * 1024
"""What the answers to one command may come to; a batch or a letter is far less."""


@dataclass(frozen=True, slots=True)
class ImapConfig:
    """Where a mailbox is, and how much is taken from it at once.

    Attributes:
        name: As the operator calls it; the first part of the ledger's key.
        user: '' logs in to nothing, for servers that need no login.
        token: Gives an access token for the user, in place of a password.
        batch: Letters in one batch.
        batch_bytes: Half of it for one batch, by RFC822.SIZE, as the next one is fetched
            while it is read; a larger letter comes alone.
        letter_bytes: Of a larger letter only the header is read.
        timeout_seconds: For every packet of the server.
        command_seconds: For everything that one command is answered with.
        look_seconds: How long one IDLE lasts while waiting for mail, before a NOOP asks
            for news that the server has held back; 0: as long as the wait.
        since: Letters that arrived before this day are not seen.
        files: Whether letters are moved; else they stay where they lie.

    Raises:
        ValueError: the security named is unknown, or unsafe for that host.
    """

    name: str
    host: str
    port: int = 993
    security: str = Security.TLS
    user: str = ""
    password: str = field(default="", repr=False)
    token: Callable[[str], Token] | None = field(default=None, repr=False)
    folder: str = "INBOX"
    processed: str = "Processed"
    ignored: str = "Ignored"
    quarantine: str = "Quarantine"
    batch: int = 50
    batch_bytes: int = 32 * 1024 * 1024
    letter_bytes: int = 25 * 1024 * 1024
    timeout_seconds: float = 30.0
    command_seconds: float = 600.0
    look_seconds: float = 0.0
    since: date | None = None
    files: bool = True

    def __post_init__(self) -> None:
        checked(self.security, self.host, f"mailbox {self.name}")

    def folder_for(self, outcome: str) -> str:
        """The folder that letters of this outcome are filed in."""
        return {"ignored": self.ignored, "quarantined": self.quarantine}.get(
            outcome, self.processed
        )


def connect(config: ImapConfig, context: ssl.SSLContext) -> tuple[IMAPClient, float]:
    """A connection that has logged in, and the `time.monotonic()` at which its login ends.

    With verified TLS unless on loopback.
    """
    token = config.token(config.user) if config.token else None
    client = BoundedIMAPClient(
        config.host,
        Bounds(max(ANSWER_BYTES, 4 * config.letter_bytes), config.command_seconds),
        port=config.port,
        ssl=config.security == Security.TLS,
        ssl_context=context,
        timeout=SocketTimeout(config.timeout_seconds, config.timeout_seconds),
    )
    # Else IMAPClient formats every letter twice for a debug log that is off.
    client._imap.debug = 0  # noqa: SLF001
    try:
        client.normalise_times = False
        if config.security == Security.STARTTLS:
            client.starttls(context)
        if token is not None:
            _login_by_token(client, config, token)
        elif config.user:
            _login(client, config)
    except (imaplib.IMAP4.error, OSError, ValueError):
        with suppress(imaplib.IMAP4.error, OSError):
            client.shutdown()
        raise
    return client, token.ends if token else math.inf


def _login_by_token(client: IMAPClient, config: ImapConfig, token: Token) -> None:
    """AUTHENTICATE with OAUTHBEARER (RFC 7628) or, as all providers have it, XOAUTH2."""
    bearer = client.has_capability("AUTH=OAUTHBEARER")
    first = [initial_response(config.user, config.host, config.port, token, bearer=bearer)]
    # A refusal comes as a challenge that wants an answer before the server says NO.
    last = b"\x01" if bearer else b""

    def answer(_challenge: bytes) -> bytes:
        return first.pop().encode() if first else last

    try:
        client.sasl_login("OAUTHBEARER" if bearer else "XOAUTH2", answer)
    except imaplib.IMAP4.abort:
        raise
    except imaplib.IMAP4.error as error:
        raise LoginError(reason(error)) from error


def _login(client: IMAPClient, config: ImapConfig) -> None:
    if (config.user + config.password).isascii():
        client.login(config.user, config.password)
    else:
        # LOGIN carries ASCII only; PLAIN carries UTF-8.
        client.plain_login(config.user, config.password)
