"""The application: routes to pages, one visit each, and what a fault looks like."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import quote, urlsplit

import structlog
from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from ingest.operations.account.sessions import Visitor, new_secret, visitor
from ingest.operations.console.operators import operator_of
from ingest.operations.refused import NotThere
from ingest.web.security import Crowded, SecurityHeaders, TooLarge, bounded, fits_secret, is_our_own
from ingest.web.site import REFILL, STATIC, Site, Visit, is_console, texts_of
from layouts.terms import LANGUAGES
from storage.records.access import OperatorRole, Role

log = structlog.get_logger()

FORM_BYTES = 1024 * 1024
"""A form without a file; one of hundreds of registers has some tens of kB."""

_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_IN_MEMORY = 1024 * 1024
_FORM_SECONDS, _UPLOAD_SECONDS = 30, 600
_HEAVY_AT_ONCE = 4
_PLAIN_AT_ONCE = 4
"""Pages answered side by side: more would take the cores and PostgreSQL from letters."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BROWSER_SECONDS = 400 * 24 * 3600
_NUL = "\0"


@dataclass(frozen=True, slots=True)
class Page:
    """One address: what answers it, and who may ask.

    Attributes:
        answer: A plain function; it runs in a thread and may wait for the database.
        needs: The least role of who may ask, an entity's or an operator's; None: anybody.
        methods: Those that it answers to.
        upload: Its form may hold a document.
        heavy: It waits for a child that reads documents; only a few do at once.
        keeps: Shows its form filled with what was sent: when the session ended meanwhile, or
            was another one when the form was opened.
        asks: Says who asks where no session does: a program of the API.
    """

    path: str
    answer: Callable[[Visit], Response]
    needs: Role | OperatorRole | None = Role.READS
    methods: Sequence[str] = ("GET",)
    upload: bool = False
    heavy: bool = False
    keeps: Callable[[Visit], Response] | None = None
    asks: Callable[[Visit], Visitor] | None = None


def application(site: Site, pages: Sequence[Page]) -> ASGIApp:
    """The pages as an ASGI application.

    Args:
        site: What each of them has.
        pages: Every one; the sign-in page answers `/` for who is not signed in.
    """
    plain, heavy = CapacityLimiter(_PLAIN_AT_ONCE), CapacityLimiter(_HEAVY_AT_ONCE)
    routes: list[BaseRoute] = [*_led_back(pages)]
    routes += [
        Route(
            page.path,
            _endpoint(site, page, heavy if page.heavy else plain),
            methods=[*page.methods],
        )
        for page in pages
    ]
    routes.append(Mount("/static", _Static(directory=STATIC)))
    service = site.current()
    hosts = ["localhost", "127.0.0.1", "[::1]"]
    if service.public_url:
        hosts.append(urlsplit(service.public_url).hostname or "")
    told = partial(_fault, site)
    inner = Starlette(
        routes=routes,
        exception_handlers=dict.fromkeys(
            (HTTPException, ConnectionError, NotThere, Exception), told
        ),
    )
    # Against DNS rebinding: another site's name may resolve to our address.
    named = TrustedHostMiddleware(inner, allowed_hosts=hosts, www_redirect=False)
    guarded: Any = SecurityHeaders(Crowded(named))
    # Uvicorn's types of ASGI are its own.
    whole: Any = ProxyHeadersMiddleware(guarded, trusted_hosts=list(service.trusted_proxies))
    return cast("ASGIApp", whole)


def _led_back(pages: Sequence[Page]) -> Iterator[Route]:
    """Routes from addresses that only take forms to the page that the form stands on.

    One comes there by choosing another language below an answer to a form.
    """
    shown = {page.path for page in pages if "GET" in page.methods}
    for page in pages:
        if page.path not in shown and page.asks is None:
            back = page.path
            while back not in shown:
                back = back.rpartition("/")[0] or "/"
            parts = len(back.rstrip("/").split("/"))
            yield Route(page.path, partial(_go_back, parts), methods=["GET"])


async def _go_back(parts: int, request: Request) -> Response:
    path = "/".join(request.url.path.split("/")[:parts]) or "/"
    return RedirectResponse(request.url.replace(scheme="", netloc="", path=path), 303)


class _Static(StaticFiles):
    """Our own files; an address names its content, so browsers keep them."""

    def file_response(self, *args: object, **options: object) -> Response:
        """The file, kept for a year."""
        answer = super().file_response(*args, **options)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return answer


def _endpoint(
    site: Site, page: Page, at_once: CapacityLimiter
) -> Callable[[Request], Awaitable[Response]]:
    async def answered(request: Request) -> Response:
        visit = _visit(site, request)
        try:
            if _NUL in request.url.path or any(map(_has_nul, request.query_params.multi_items())):
                raise HTTPException(404)
            if request.method not in _SAFE:
                await _read_form(visit, page)
            return await to_thread.run_sync(partial(_answer, visit, page), limiter=at_once)
        except ClientDisconnect:
            # Cut off or too slow: nothing was recorded, and nobody listens.
            return Response(status_code=408)
        finally:
            await visit.fields.close()

    return answered


async def _read_form(visit: Visit, page: Page) -> None:
    most = visit.service.upload_bytes + FORM_BYTES if page.upload else FORM_BYTES
    seconds = _UPLOAD_SECONDS if page.upload else _FORM_SECONDS
    request = bounded(visit.request, most, seconds)
    is_form = request.headers.get("content-type", "").startswith(_FORMS)
    if page.upload and not is_form:
        visit.fields = FormData([("file", await _body(request))])
        return
    try:
        visit.fields = await request.form(max_files=1, max_fields=5000, max_part_size=FORM_BYTES)
    except TooLarge:
        raise
    except HTTPException:
        # What Starlette says of a form that is none is for programmers.
        raise HTTPException(400, "no-form") from None
    if any(map(_has_nul, visit.fields.multi_items())):
        visit.fields = FormData(
            [
                (name.replace(_NUL, ""), one.replace(_NUL, "") if isinstance(one, str) else one)
                for name, one in visit.fields.multi_items()
            ]
        )
    if page.keeps is not None:
        # With the database away the form is sent again from the page that says so.
        visit.request.state.kept = [*texts_of(visit.fields)]


def _has_nul(field: tuple[str, object]) -> bool:
    """Whether a name or its text holds a character that no keyboard has and PostgreSQL refuses."""
    return any(isinstance(one, str) and _NUL in one for one in field)


async def _body(request: Request) -> UploadFile:
    """A body that is a file itself; a large one is on the disk, not in memory."""
    file = SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed with the form's fields
    try:
        async for chunk in request.stream():
            file.write(chunk)
    except BaseException:
        # Raised again: an upload that broke off leaves no file open.
        file.close()
        raise
    file.seek(0)
    return UploadFile(cast("BinaryIO", file))


def _visit(site: Site, request: Request) -> Visit:
    cookies = request.cookies
    asked = request.query_params.get("lang", "")
    chosen = asked if asked in LANGUAGES else cookies.get("language", "")
    return Visit(
        site,
        request,
        site.clock(),
        chosen if chosen in LANGUAGES else site.current().language,
        cookies.get(cookie_name(request, "browser"), ""),
        # The console has a cookie of its own: one browser may be signed in to both.
        cookies.get(cookie_name(request, session_cookie(request)), ""),
    )


def session_cookie(request: Request) -> str:
    """What the session's cookie is called: that of the account, or the console's."""
    return "operator" if is_console(request) else "session"


def cookie_name(request: Request, name: str) -> str:
    """A cookie's name: over TLS one that no other host or path can set."""
    return f"__Host-{name}" if request.url.scheme == "https" else name


def _answer(visit: Visit, page: Page) -> Response:
    """The page's answer, for who may see it; the cookies that it needs."""
    if page.asks is not None:
        return _for_program(visit, page, page.asks)
    is_new = not visit.browser
    visit.browser = visit.browser or new_secret()
    if visit.key and visit.is_console:
        visit.operator = operator_of(visit.service.ledger, visit.key, visit.now)
    elif visit.key:
        visit.visitor = visitor(visit.service.ledger, visit.key, visit.now)
    answer = _allowed(visit, page)
    if answer is None:
        again = page.keeps if visit.is_again else None
        answer = (again or page.answer)(visit)
    if is_new:
        set_cookie(visit.request, answer, "browser", visit.browser, _BROWSER_SECONDS)
    if visit.asked("lang") in LANGUAGES:
        set_cookie(visit.request, answer, "language", visit.language, _BROWSER_SECONDS)
    return answer


def _for_program(visit: Visit, page: Page, asks: Callable[[Visit], Visitor]) -> Response:
    """The answer for who shows a token or a password in the request itself; no cookies."""
    # Browsers send a cached Basic password with forms of other sites, too (CSRF).
    if is_our_own(visit.request, visit.service.public_url) is False:
        raise HTTPException(403, "foreign")
    visit.visitor = asks(visit)
    if page.needs is not None and not _may(visit, page.needs):
        raise HTTPException(403, "role")
    return page.answer(visit)


def _allowed(visit: Visit, page: Page) -> Response | None:
    """Why the page does not answer; None when it does."""
    if visit.request.method not in _SAFE:
        ours = _is_own_form(visit, page)
        if ours is False or (ours is None and page.keeps is None):
            raise HTTPException(403, "foreign")
        visit.is_again = page.keeps is not None and (ours is None or bool(visit.text(REFILL)))
    if page.needs is None:
        return None
    may = _may(visit, page.needs)
    if may is None:
        return _sign_in_first(visit, page)
    if not may:
        raise HTTPException(403, "role")
    return None


def _is_own_form(visit: Visit, page: Page) -> bool | None:
    """Whether a form is ours; None: of a browser that does not say, and not of this session."""
    ours = is_our_own(visit.request, visit.service.public_url)
    if ours is not None:
        return ours
    # A form that needs no session may have been opened before this one began.
    secrets = [visit.key or visit.browser, *([] if page.needs else [visit.browser])]
    return any(fits_secret(visit.fields.get("csrf"), secret) for secret in secrets) or None


def _may(visit: Visit, needs: Role | OperatorRole) -> bool | None:
    """Whether who is signed in has a role; None: nobody is. The one place that tells."""
    if isinstance(needs, OperatorRole):
        return None if visit.operator is None else visit.operator.may(needs)
    return None if visit.visitor is None else visit.visitor.may(needs)


def _sign_in_first(visit: Visit, page: Page) -> Response:
    """On to the sign-in page; a form that was sent is kept in it, and comes back filled."""
    if visit.request.method in _SAFE:
        path, home = visit.address, visit.home
        return visit.go(home if path == home else f"{home}?next={quote(path, safe='')}")
    keep = page.keeps is not None
    note = "session_over" if keep else "session_over_again"
    return visit.sign_in_page(403, note="session_over_file" if visit.has_file else note, keep=keep)


def set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    """Give the browser a cookie that scripts cannot read and other sites do not send.

    Args:
        request: Says whether it came over TLS.
        answer: That carries it.
        name: How it is called.
        value: What it holds.
        seconds: How long it is kept.
    """
    is_language = name == "language"
    answer.set_cookie(
        name if is_language else cookie_name(request, name),
        value,
        max_age=seconds or None,
        httponly=True,
        secure=request.url.scheme == "https",
        samesite="lax",
    )


async def _fault(site: Site, request: Request, fault: Exception) -> Response:
    """What a fault looks like to who met it; our own are logged."""
    status, reason, headers = 500, "ours", {}
    if isinstance(fault, HTTPException):
        status, reason = fault.status_code, fault.detail
        headers = dict(fault.headers or {})
    elif isinstance(fault, NotThere):
        status, reason = 404, "missing"
    elif isinstance(fault, ConnectionError):
        status, reason, headers = 503, "away", {"Retry-After": "30"}
        log.warning("page.unavailable", path=request.url.path, error=str(fault))
    else:
        log.error("page.failed", path=request.url.path, error=f"{type(fault).__name__}: {fault}")
    if isinstance(fault, TooLarge):
        reason = "too_large"
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        reason = "method"
    visit = _visit(site, request)
    name = reason if reason in _TOLD else "missing"
    if request.url.path.startswith("/api/"):
        return _problem(visit, status, reason, name, headers)
    section = "console_fault" if visit.is_console else "fault"
    kept = getattr(request.state, "kept", ()) if reason == "away" else ()
    answer = visit.page("fault.html", status, section=section, name=name, status=status, kept=kept)
    answer.headers.update(headers)
    return answer


_TOLD = frozenset({"foreign", "role", "away", "ours", "too_large", "unauthorized"})
"""Reasons that pages have words for; every other one is that there is no such page."""


def _problem(
    visit: Visit, status: int, reason: str, name: str, headers: dict[str, str]
) -> Response:
    """A fault for programs.

    Source: RFC 9457.
    """
    known = reason in visit.words.texts["problem"]
    told = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": visit.words(f"problem.{reason}" if known else f"fault.{name}"),
        "code": reason if " " not in reason else "missing",
    }
    return JSONResponse(told, status, headers, "application/problem+json")
