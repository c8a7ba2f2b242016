"""Signing in to the console, and out of it."""

from __future__ import annotations

import structlog
from starlette.responses import Response

from ingest.operations.account.sessions import digest, end_session
from ingest.operations.console.operators import operator_of, sign_in
from ingest.web.account.entrance import attempt_of, onward
from ingest.web.app import cookie_name, set_cookie
from ingest.web.site import CONSOLE, KEPT, Visit, ours, texts_of

log = structlog.get_logger()


def enter(visit: Visit) -> Response:
    """A name, a password and a code were sent."""
    attempt = attempt_of(visit)
    key = sign_in(visit.service, attempt, visit.text("code"), visit.now)
    if key is None:
        log.info("session.refused", network=attempt.network)
        return visit.page(
            "console_sign_in.html",
            422,
            note="refused",
            name=attempt.name,
            next=ours(visit.text("next")),
            kept=[field for field in texts_of(visit.fields) if field[0].startswith(KEPT)],
            kept_path=visit.text("kept_path"),
        )
    visit.key = key
    visit.operator = operator_of(visit.service.ledger, key, visit.now)
    log.info("session.begun", entity=None, who=visit.me.actor)
    answer = onward(visit)
    set_cookie(visit.request, answer, "operator", key, 0)
    return answer


def leave(visit: Visit) -> Response:
    """Sign out."""
    if visit.key:
        end_session(visit.service.ledger, digest(visit.key))
    answer = visit.go(CONSOLE)
    answer.delete_cookie(
        cookie_name(visit.request, "operator"),
        secure=visit.request.url.scheme == "https",
        httponly=True,
        samesite="lax",
    )
    return answer
