"""Who may use the console: added with a role, and switched off."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from ingest.operations.console.operators import (
    NAME_MOST,
    Added,
    BadName,
    NameTaken,
    StaysIn,
    add,
    every,
    switch_off_another,
)
from ingest.web.site import CONSOLE, Visit
from storage.records.access import OperatorRole

_A_PAGE = 50


def listing(visit: Visit, note: str = "", status: int = 200, made: Added | None = None) -> Response:
    """A page of operators, those switched off too.

    Args:
        visit: The request.
        note: A key of the words: what is told above the page; '' for nothing.
        status: Of the answer, an HTTP status.
        made: Who was just added; its password and second factor are shown this once.
    """
    since = visit.asked("since").strip()[:NAME_MOST]
    found = every(visit.service.ledger, since, _A_PAGE + 1)
    more = found[_A_PAGE].operator.name if len(found) > _A_PAGE else None
    return visit.page(
        "console_operators.html",
        status,
        operators=found[:_A_PAGE],
        since=since,
        more=more and urlencode({"since": more}),
        roles=tuple(OperatorRole),
        made=made,
        typed={name: "" if made else visit.text(name) for name in ("name", "role")},
        name_most=NAME_MOST,
        note=note,
    )


def added(visit: Visit) -> Response:
    """An operator more, with a second factor; one that is let in stays as it is."""
    role = visit.text("role")
    try:
        made = add(
            visit.service,
            visit.text("name").strip(),
            OperatorRole(role) if role in [*OperatorRole] else OperatorRole.LOOKS,
            visit.me.actor,
            visit.now,
            anew=False,
        )
    except BadName:
        return listing(visit, "bad_name", 422)
    except NameTaken:
        return listing(visit, "name_taken", 409)
    return listing(visit, made=made)


def off(visit: Visit) -> Response:
    """An operator is let in no more."""
    try:
        done = switch_off_another(visit.service.ledger, visit.text("name"), visit.me, visit.now)
    except StaysIn:
        return listing(visit, "stays_in", 409)
    return visit.go(f"{CONSOLE}/operators") if done else listing(visit, "done_before", 409)
