"""Access tokens for mail accounts (RFC 6749), asked for at every connect.

Three grants: client credentials (Microsoft 365), a service account's signed assertion
(Google, RFC 7523), and a refresh token that a person obtained once (Yandex, Mail.ru).
"""

from __future__ import annotations

import fcntl
import json
import os
import ssl
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from config.addresses import is_loopback
from ingest.transports.login import Ending, Token
from ingest.transports.ports import TokenUnavailable
from ingest.transports.whole import write_whole

ANSWER_BYTES = 256 * 1024
ANSWER_SECONDS = 30.0
"""What an identity provider may take for one answer, and how large that may be."""

LIFE_SECONDS = (60.0, 24 * 3600.0)
"""Bounds of `expires_in`, whatever the provider claims."""

LOCK_SECONDS = 90.0
"""How long the lock of a token file is waited for."""

ASSERTION_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


class Grant(StrEnum):
    """How an account gets its tokens."""

    CLIENT_CREDENTIALS = "client_credentials"
    SERVICE_ACCOUNT = "service_account"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant


@dataclass(frozen=True, slots=True)
class OAuthConfig:
    """One account at an identity provider.

    Attributes:
        name: As the configuration calls it, for what is told.
        certificate: Path of a PEM file with private key and certificate, in place of a
            client secret.
        service_account: Path of the JSON file that Google gives for a service account.
        token_file: Where the refresh token is kept; readable by its owner alone.
        expires: The day on which the client secret ends, as the provider's page tells it.
        silence_days: After so many days without use the provider drops a refresh token.

    Raises:
        ValueError: an address of the provider is not HTTPS and not on loopback, or the
            grant lacks what it is proved by.
    """

    name: str
    grant: str
    token_url: str
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    certificate: str = ""
    service_account: str = ""
    scope: str = ""
    token_file: str = ""
    device_url: str = ""
    authorize_url: str = ""
    redirect_uri: str = ""
    expires: date | None = None
    silence_days: int = 90

    def __post_init__(self) -> None:
        for url in (self.token_url, self.device_url, self.authorize_url):
            parts = httpx2.URL(url)
            if url and parts.scheme != "https" and not is_loopback(parts.host):
                raise ValueError(f"oauth.{self.name}: {url} is not https://")
        is_proved = self.client_secret or self.certificate
        if self.grant == Grant.CLIENT_CREDENTIALS and not is_proved:
            raise ValueError(f"oauth.{self.name}: client_secret_file or certificate_file is needed")


@dataclass(frozen=True, slots=True)
class DevicePrompt:
    """What a person is asked to do to grant us the mailbox (RFC 8628)."""

    address: str
    code: str
    interval_seconds: float
    ends: float
    device_code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Kept:
    """The token file."""

    refresh_token: str = field(repr=False)
    refreshed_at: float


class OAuthAccount:
    """Gives access tokens of one account; several threads and processes may ask."""

    def __init__(self, config: OAuthConfig, transport: httpx2.BaseTransport | None = None) -> None:
        self._config = config
        self._transport = transport

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        return self._config.name

    @property
    def has_device_page(self) -> bool:
        """Whether a person agrees by a device code."""
        return self._config.grant == Grant.REFRESH_TOKEN and bool(self._config.device_url)

    @property
    def has_code_page(self) -> bool:
        """Whether a person is shown a code to paste."""
        return self._config.grant == Grant.REFRESH_TOKEN and bool(self._config.authorize_url)

    def token(self, user: str) -> Token:
        """A fresh access token.

        Args:
            user: The mailbox it is for; a service account acts on its behalf.

        Raises:
            TokenUnavailable: the provider is away, or refuses us; says what to do.
        """
        grant = self._config.grant
        if grant == Grant.REFRESH_TOKEN:
            return self._refreshed()
        with self._told(), self._client() as client:
            if grant == Grant.SERVICE_ACCOUNT:
                assertion = self._assertion(user)
                answer = client.fetch_token(grant_type=ASSERTION_GRANT, assertion=assertion)
            else:
                answer = client.fetch_token(grant_type=Grant.CLIENT_CREDENTIALS.value)
            return _token(answer)

    def keep_alive(self) -> None:
        """Use a refresh token that was not used for a day: providers drop unused ones.

        Raises:
            TokenUnavailable: the provider is away, or refuses us.
        """
        if self._config.grant != Grant.REFRESH_TOKEN:
            return
        with self._told():
            age_seconds = time.time() - self._read().refreshed_at
        # A negative age: it was written before the clock was set back.
        if not 0 <= age_seconds <= timedelta(days=1).total_seconds():
            self._refreshed()

    def endings(self) -> Iterator[Ending]:
        """When secret, certificate and silence end; what cannot be read is left out."""
        config = self._config
        if config.expires:
            at = datetime(config.expires.year, config.expires.month, config.expires.day, tzinfo=UTC)
            yield Ending(self.name, "client secret", at)
        with suppress(OSError, ValueError):
            if config.certificate:
                certificate = x509.load_pem_x509_certificate(Path(config.certificate).read_bytes())
                yield Ending(self.name, "certificate", certificate.not_valid_after_utc)
        with suppress(TokenUnavailable, OSError, ValueError):
            if config.grant == Grant.REFRESH_TOKEN:
                refreshed_at = datetime.fromtimestamp(
                    min(self._read().refreshed_at, time.time()), UTC
                )
                silent_at = refreshed_at + timedelta(days=config.silence_days)
                yield Ending(self.name, "unused refresh token", silent_at)

    # Set up by a person.

    def ask_device(self) -> DevicePrompt:
        """Begin a grant by device code: what to show to the person.

        Raises:
            TokenUnavailable: the provider is away, or refuses us.
        """
        config = self._config
        with self._told(), self._client() as client:
            sent = {"client_id": config.client_id, "scope": config.scope}
            answer = client.request(
                "POST", config.device_url, data=sent, withhold_token=True
            ).json()
            if "error" in answer:
                raise AuthlibBaseError(answer["error"], answer.get("error_description"))
            return DevicePrompt(
                address=str(answer.get("verification_uri") or answer["verification_url"]),
                code=str(answer["user_code"]),
                interval_seconds=_bounded(answer.get("interval"), 5, 1, 60),
                ends=time.monotonic() + _bounded(answer.get("expires_in"), 600, 60, 3600),
                device_code=str(answer["device_code"]),
            )

    def wait_for_device(
        self, prompt: DevicePrompt, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """Wait until the person has agreed, and keep the refresh token.

        Raises:
            TokenUnavailable: they refused, took too long, or the provider is away.
        """
        interval_seconds = prompt.interval_seconds
        while time.monotonic() < prompt.ends:
            sleep(interval_seconds)
            try:
                with self._client() as client:
                    answer = client.fetch_token(
                        grant_type=DEVICE_GRANT,
                        device_code=prompt.device_code,
                        client_id=self._config.client_id,
                    )
            except AuthlibBaseError as error:
                if error.error == "slow_down":
                    interval_seconds += 5
                elif error.error != "authorization_pending":
                    raise self._unavailable(error) from error
                continue
            except _FAULTS as error:
                raise self._unavailable(error) from error
            self._keep_first(answer)
            return
        raise TokenUnavailable(f"oauth.{self.name}: nobody agreed in time", "run it again")

    def address_for_code(self) -> str:
        """The page on which a person agrees and is shown a code."""
        with self._client() as client:
            url, _ = client.create_authorization_url(
                self._config.authorize_url, access_type="offline", prompt="consent"
            )
            return str(url)

    def take_code(self, code: str) -> None:
        """Exchange the code that a person was shown for a refresh token, and keep it.

        The address of the page they were sent to, with the code in it, will do.

        Raises:
            TokenUnavailable: it is wrong or used up, or the provider is away.
        """
        with self._told(), self._client() as client:
            shown = parse_qs(urlsplit(code.strip()).query).get("code", [code.strip()])[0]
            self._keep_first(client.fetch_token(grant_type="authorization_code", code=shown))

    def _keep_first(self, answer: dict[str, Any]) -> None:
        with self._told(), self._locked():
            if not answer.get("refresh_token"):
                raise TokenUnavailable(
                    f"oauth.{self.name}: the provider gave no refresh token",
                    "ask for offline access in [oauth] scope",
                )
            self._write(_Kept(str(answer["refresh_token"]), time.time()))

    # Tokens.

    def _refreshed(self) -> Token:
        """An access token by the refresh token; a rotated refresh token is saved first."""
        with self._told(), self._locked():
            kept = self._read()
            with self._client() as client:
                answer = client.fetch_token(
                    grant_type=Grant.REFRESH_TOKEN.value, refresh_token=kept.refresh_token
                )
            rotated = answer.get("refresh_token")
            is_one = isinstance(rotated, str) and rotated
            # Also when the access token is malformed: the old refresh token may be void.
            self._write(_Kept(rotated if is_one else kept.refresh_token, time.time()))
            return _token(answer)

    def _assertion(self, user: str) -> str:
        """A service account's signed claim that it acts for a mailbox.

        Source: RFC 7523.
        """
        told = json.loads(_private(self._config.service_account))
        return str(
            sign_jwt_bearer_assertion(
                RSAKey.import_key(told["private_key"]),
                issuer=told["client_email"],
                audience=self._config.token_url,
                subject=user,
                claims={"scope": self._config.scope},
                header={"alg": "RS256", "kid": told.get("private_key_id", "")},
            )
        )

    def _client(self) -> OAuth2Client:
        config = self._config
        secret: Any = config.client_secret or None
        # None of them: a public client names itself in the body.
        method: Any = "client_secret_post" if secret else "none"
        if config.certificate:
            pem = _private(config.certificate)
            secret = RSAKey.import_key(pem)
            thumbprint = _thumbprint(x509.load_pem_x509_certificate(pem))
            method = PrivateKeyJWT(config.token_url, headers={"x5t#S256": thumbprint}, alg="PS256")
        return OAuth2Client(
            client_id=config.client_id,
            client_secret=secret,
            token_endpoint=config.token_url,
            token_endpoint_auth_method=method,
            scope=config.scope or None,
            redirect_uri=config.redirect_uri or None,
            transport=_Bounded(self._transport or httpx2.HTTPTransport(verify=_trusted())),
            follow_redirects=False,
        )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except _FAULTS as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> TokenUnavailable:
        """The fault as a sentence, without anything that was sent or answered."""
        where = f"oauth.{self.name}"
        if isinstance(error, AuthlibBaseError):
            return TokenUnavailable(
                f"{where}: the identity provider refuses: {str(error.error)[:100]}",
                _ADVICE.get(str(error.error), "look at the account at the identity provider"),
            )
        if isinstance(error, OSError) and error.filename:
            told = f"{where}: {error.filename} cannot be used: {error.strerror}"
            return TokenUnavailable(told, f"run `ingest oauth {self.name}`, or restore the file")
        if isinstance(error, httpx2.HTTPError | OSError):
            told = str(error)[:200] or type(error).__name__
            return TokenUnavailable(
                f"{where}: the identity provider cannot be reached: {told}",
                "check token_url and the way to the provider",
            )
        return TokenUnavailable(
            f"{where}: no token can be had: {type(error).__name__}",
            "the provider's answer, or a file of this account, is not what it should be",
        )

    # The token file.

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; a lock ends with the process that holds it."""
        path = f"{self._config.token_file}.lock"
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            ends = time.monotonic() + LOCK_SECONDS
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > ends:
                        raise TokenUnavailable(
                            f"oauth.{self.name}: another process holds {path}", "look who does"
                        ) from None
                    time.sleep(0.05)
            yield
        finally:
            os.close(lock)

    def _read(self) -> _Kept:
        told = json.loads(_private(self._config.token_file))
        return _Kept(str(told["refresh_token"]), float(told["refreshed_at"]))

    def _write(self, kept: _Kept) -> None:
        """On disk, whole, before it returns."""
        content = json.dumps(asdict(kept)).encode()
        write_whole(Path(self._config.token_file), content, 0o600)


_FAULTS = (
    AuthlibBaseError,
    JoseError,
    httpx2.HTTPError,
    OSError,
    # An answer, or a file, of another shape than agreed.
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
)

_ADVICE = {
    "invalid_grant": "the grant has ended or was withdrawn: run `ingest oauth NAME` again",
    "invalid_client": "check client_id, and whether the secret or certificate has ended",
    "unauthorized_client": "have the account's administrator allow this client the mailbox",
    "invalid_scope": "check [oauth] scope",
    "access_denied": "the person at the provider's page did not agree",
    "expired_token": "nobody agreed in time: run it again",
}


class _Bounded(httpx2.BaseTransport):
    """Bounds an answer in bytes and seconds."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        ends = time.monotonic() + ANSWER_SECONDS
        answer = self._inner.handle_request(request)
        content = bytearray()
        try:
            for piece in answer.stream:  # type: ignore[union-attr]
                content += piece
                if len(content) > ANSWER_BYTES or time.monotonic() > ends:
                    raise httpx2.ReadError("the answer is too long")
        finally:
            answer.close()
        headers = [(k, v) for k, v in answer.headers.raw if k.lower() != b"transfer-encoding"]
        return httpx2.Response(answer.status_code, headers=headers, content=bytes(content))

    def close(self) -> None:
        self._inner.close()


@cache
def _trusted() -> ssl.SSLContext:
    """The system's authorities; reading them takes a fifth of a second."""
    return ssl.create_default_context()


def _token(answer: dict[str, Any]) -> Token:
    """The token of a provider's answer, its life within `LIFE_SECONDS`.

    Raises:
        ValueError: it is no token.
    """
    value = answer["access_token"]
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise ValueError("the access token is no token")
    least, most = LIFE_SECONDS
    return Token(value, time.monotonic() + _bounded(answer.get("expires_in"), 3600, least, most))


def _bounded(told: Any, default: float, least: float, most: float) -> float:
    try:
        seconds = float(told)
    except (TypeError, ValueError):
        return default
    return min(max(seconds, least), most) if seconds == seconds else default  # noqa: PLR0124 - NaN


def _private(name: str) -> bytes:
    """A file with a secret.

    Raises:
        OSError: it cannot be read, or everybody on the machine can read it.
    """
    with Path(name).open("rb") as file:
        # Not the group's bits: an access list, as on systemd's credentials, shows there.
        if os.fstat(file.fileno()).st_mode & 0o007:
            raise PermissionError(0, "others may read it: chmod 600", name)
        return file.read(ANSWER_BYTES)


def _thumbprint(certificate: x509.Certificate) -> str:
    digest = sha256(certificate.public_bytes(Encoding.DER)).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()
