"""Signing in to the console."""

from __future__ import annotations

from starlette.responses import Response

from ingest.operations.console.operators import operator_of, sign_in
from ingest.web.account.entrance import attempt_of, begun, refused
from ingest.web.site import Visit


def enter(visit: Visit) -> Response:
    """A name, a password and a code were sent."""
    key = sign_in(visit.service, attempt_of(visit), visit.text("code"), visit.now)
    if key is None:
        return refused(visit)
    visit.operator = operator_of(visit.service.ledger, key, visit.now)
    return begun(visit, key, None, visit.me.actor)
