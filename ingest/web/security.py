"""What every page is protected by: headers, bounded bodies, same origin, counted networks."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from hashlib import sha256
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""What a page may load: our own files, and nothing written into the page itself."""

_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HSTS = "max-age=31536000"

AT_ONCE_MOST = 400
_FULL = """Сейчас обращений слишком много. Повторите через десять секунд: введённое на прежней \
странице сохранится, если вернуться на неё.

Too many requests at the moment. Try again in ten seconds; going back keeps what you typed.
"""

_DRAINED_MOST = 256 * 1024 * 1024
"""So much of a body that is too large is read and dropped, for its sender to see the answer."""


class SecurityHeaders:
    """Adds the headers that hold for every answer; what may be kept says so itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with the headers."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", _HSTS)
            await send(message)

        await self._app(scope, receive, sent)


class Crowded:
    """Answers 503 to whoever comes while so many requests are in hand that more would only wait."""

    def __init__(self, app: ASGIApp, most: int = AT_ONCE_MOST) -> None:
        self._app = app
        self._most = most
        self._in_hand = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, while there is room."""
        if self._in_hand >= self._most:
            await PlainTextResponse(_FULL, 503, {"Retry-After": "10"})(scope, receive, send)
            return
        self._in_hand += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_hand -= 1


class TooLarge(HTTPException):
    """A request's body is larger than what is asked for may be."""

    def __init__(self, most: int) -> None:
        super().__init__(413)
        self.most = most


def bounded(request: Request, most: int, seconds: float) -> Request:
    """The request, with a body of at most so many bytes that comes within so many seconds.

    Reading it raises `TooLarge`, or `ClientDisconnect` when it is too slow or cut off.
    """
    chunks = _chunks(request, most, seconds)

    async def receive() -> Message:
        try:
            return await anext(chunks)
        except StopAsyncIteration:
            return {"type": "http.disconnect"}

    return Request(request.scope, receive)


async def _chunks(request: Request, most: int, seconds: float) -> AsyncIterator[Message]:
    announced = Headers(scope=request.scope).get("content-length", "")
    size, is_over = 0, announced.isdecimal() and int(announced) > most
    if is_over and int(announced) > _DRAINED_MOST:
        raise TooLarge(most)
    end = asyncio.get_running_loop().time() + seconds
    while True:
        try:
            async with asyncio.timeout_at(end):
                message = await request.receive()
        except TimeoutError:
            raise ClientDisconnect from None
        if message["type"] != "http.request":
            yield message
            return
        size += len(message.get("body", b""))
        is_over = is_over or size > most
        if not is_over:
            yield message
        elif size > _DRAINED_MOST or not message.get("more_body"):
            raise TooLarge(most)
        if not message.get("more_body"):
            return


def network_of(request: Request) -> str:
    """The network that a request's attempts are counted for: an IPv4 /24 or an IPv6 /48."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return "unknown"
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))


def token_of(secret: str) -> str:
    """The CSRF token of a browser's forms, derived from the secret in its cookie."""
    return hmac.new(secret.encode(), b"form", sha256).hexdigest()


def is_our_own(request: Request, public_url: str) -> bool | None:
    """Whether a request is same-origin; None where the browser does not say.

    Source: Fetch Metadata Request Headers (W3C), `Sec-Fetch-Site`; RFC 6454, section 7.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin")
    if origin is None:
        return None
    parts = urlsplit(public_url) if public_url else urlsplit(str(request.url))
    asked = urlsplit(str(request.url))
    return origin in {f"{p.scheme}://{p.netloc}" for p in (parts, asked)}


def fits_secret(token: object, secret: str) -> bool:
    """Whether a form's CSRF token was derived from this browser's secret."""
    if not isinstance(token, str) or not secret:
        return False
    return hmac.compare_digest(token.encode("utf-8", "replace"), token_of(secret).encode())
