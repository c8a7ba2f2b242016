"""How a mail server is reached: with verified TLS, or on loopback without."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from config.addresses import is_loopback


class Security(StrEnum):
    """What protects a connection to a mail server."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


def checked(security: str, host: str, section: str) -> Security:
    """The security that a configuration names, when it is safe for that host.

    Raises:
        ValueError: it is unknown, or would send letters in the clear past this
            machine; the sentence names `section` and says what to write instead.
    """
    if security not in set(Security):
        raise ValueError(f'{section}: security = "{security}" is not tls, starttls or none')
    if security == Security.NONE and not is_loopback(host):
        raise ValueError(
            f'{section}: security = "none" is for loopback only, and {host} is not: '
            'write "tls" or "starttls"'
        )
    return Security(security)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token that signs in to a mail account.

    Attributes:
        ends: `time.monotonic()` at which it is no longer relied upon.
    """

    value: str = field(repr=False)
    ends: float


def initial_response(user: str, host: str, port: int, token: Token, *, bearer: bool) -> str:
    """SASL's initial response, before its Base64.

    Args:
        user: The mail account.
        host: The server's name, as it was connected to.
        port: The server's.
        token: Of the account.
        bearer: Whether OAUTHBEARER is spoken; else XOAUTH2.

    Source: RFC 7628 for OAUTHBEARER; else Google's XOAUTH2, which all providers know.
    """
    if bearer:
        name = user.replace("=", "=3D").replace(",", "=2C")
        return f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token.value}\x01\x01"
    return f"user={user}\x01auth=Bearer {token.value}\x01\x01"


def certificate_ends(connection: object) -> datetime | None:
    """When the certificate of the other side ends, in UTC; None where there is no TLS."""
    if not isinstance(connection, ssl.SSLSocket):
        return None
    told = (connection.getpeercert() or {}).get("notAfter")
    if not isinstance(told, str):
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(told), UTC)


@dataclass(frozen=True, slots=True)
class Ending:
    """Something of our own that ends, and must be renewed by a person.

    Attributes:
        account: Its name in the configuration.
        kind: `oauth`, `mailbox` or `smtp`.
    """

    account: str
    what: str
    at: datetime
    kind: str = "oauth"

    @property
    def owner(self) -> str:
        """The table of the configuration that it belongs to."""
        return f"{self.kind} {self.account}".rstrip()


def authority_ends(ca_file: str, kind: str, account: str) -> Iterator[Ending]:
    """When the first certificate of an authority's file ends; nothing if it cannot be read."""
    with suppress(OSError, ValueError):
        found = x509.load_pem_x509_certificates(Path(ca_file).read_bytes())
        first = min(certificate.not_valid_after_utc for certificate in found)
        yield Ending(account, "authority (ca_file)", first, kind)


def trusting(ca_file: str, section: str) -> ssl.SSLContext:
    """A TLS context that trusts the system's authorities and those of a file.

    Args:
        ca_file: Certificates in PEM form; '' for none.
        section: Of the configuration, for the error.

    Raises:
        ValueError: the file cannot be read, or holds no certificate.
    """
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError:
            raise ValueError(f"{section}: ca_file: {ca_file} holds no certificate (PEM)") from None
        except OSError as fault:
            told = f"{section}: ca_file: {ca_file} cannot be read: {fault.strerror}"
            raise ValueError(told) from None
    return context
