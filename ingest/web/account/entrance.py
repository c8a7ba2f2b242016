"""Signing in and out."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from ingest.operations.account.sessions import Attempt, digest, end_session, sign_in, visitor
from ingest.web.app import cookie_name, set_cookie
from ingest.web.site import KEPT, REFILL, Visit, ours, texts_of

log = structlog.get_logger()


def attempt_of(visit: Visit) -> Attempt:
    """The name and password that were sent, and where from."""
    return Attempt(
        name=visit.text("name"),
        password=visit.text("password"),
        network=visit.network,
        browser=visit.browser,
        agent=visit.request.headers.get("user-agent", ""),
    )


def enter(visit: Visit) -> Response:
    """A name and a password were sent."""
    attempt = attempt_of(visit)
    key = sign_in(visit.service, attempt, visit.now)
    if key is None:
        log.info("session.refused", network=attempt.network)
        return _again(visit)
    visit.key, visit.visitor = key, visitor(visit.service.ledger, key, visit.now)
    log.info("session.begun", entity=visit.who.entity, who=visit.who.who)
    answer = onward(visit)
    set_cookie(visit.request, answer, "session", key, 0)
    return answer


def _again(visit: Visit) -> Response:
    return visit.page(
        "sign_in.html",
        422,
        note="refused",
        name=visit.text("name"),
        next=ours(visit.text("next")),
        kept=[field for field in texts_of(visit.fields) if field[0].startswith(KEPT)],
        kept_path=visit.text("kept_path"),
    )


def onward(visit: Visit) -> Response:
    """Where one wanted to go, or the form that a session's end interrupted."""
    path = ours(visit.text("kept_path"))
    if path == "/":
        wanted = ours(visit.text("next"))
        return visit.go(visit.home if wanted == "/" else wanted)
    kept = [
        (name.removeprefix(KEPT), value)
        for name, value in texts_of(visit.fields)
        if name.startswith(KEPT)
    ]
    return visit.page("continue.html", action=path, kept=kept, refill=REFILL)


def leave(visit: Visit) -> Response:
    """Sign out."""
    if visit.key:
        end_session(visit.service.ledger, digest(visit.key))
    answer = visit.go("/")
    # Checks are kept by the browser for its way back.
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.delete_cookie(
        cookie_name(visit.request, "session"),
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
