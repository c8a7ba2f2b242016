"""Signing in to the account; signing out of it, or of the console."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from ingest.operations.account.sessions import Attempt, digest, end_session, sign_in, visitor
from ingest.web.app import cookie_name, session_cookie, set_cookie
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
    key = sign_in(visit.service, attempt_of(visit), visit.now)
    if key is None:
        return refused(visit)
    visit.visitor = visitor(visit.service.ledger, key, visit.now)
    return begun(visit, key, visit.who.entity, visit.who.who)


def refused(visit: Visit) -> Response:
    """The sign-in page once more, with what it was sent but the password."""
    log.info("session.refused", network=visit.network)
    return visit.page(
        "sign_in.html",
        422,
        note="refused",
        name=visit.text("name"),
        next=ours(visit.text("next")),
        kept=[field for field in texts_of(visit.fields) if field[0].startswith(KEPT)],
        kept_path=visit.text("kept_path"),
    )


def begun(visit: Visit, key: str, entity: str | None, who: str) -> Response:
    """Onward, with the id of a new session in its cookie.

    Args:
        visit: The request that has signed in.
        key: The session's id.
        entity: User code of the entity whose account it is; None for the console.
        who: How the log names who has signed in.
    """
    visit.key = key
    log.info("session.begun", entity=entity, who=who)
    answer = onward(visit)
    set_cookie(visit.request, answer, session_cookie(visit.request), key, 0)
    return answer


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
    answer = visit.go(visit.home)
    # Checks are kept by the browser for its way back.
    answer.headers["Clear-Site-Data"] = '"cache"'
    answer.delete_cookie(
        cookie_name(visit.request, session_cookie(visit.request)),
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
