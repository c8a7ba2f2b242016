"""Months: who lacks what, reminded, closed and opened again."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from ingest.operations.closing import Closing, NotEnded, close
from ingest.operations.console.months import (
    SamePerson,
    last_change,
    matrix,
    reopen_by_another,
)
from ingest.operations.periods import lacking, remind, series_of
from ingest.operations.refused import Refused
from ingest.web.site import CONSOLE, Visit, fingerprint, month_in
from layouts.months import bounds, following, month_at, preceding

_ROWS_MOST = 500
_ENTITIES_A_PAGE = 25


def this_month(visit: Visit) -> Response:
    """On to the month whose readings are due now: the one before this."""
    return visit.go(f"{CONSOLE}/months/{preceding(month_at(visit.now)):%Y-%m}")


def one(visit: Visit, note: str = "", status: int = 200, asked: Closing | None = None) -> Response:
    """Everything that a month lacks, by entity and point.

    Args:
        visit: The request.
        note: A key of the words: what is told above the page; '' for nothing.
        status: Of the answer, an HTTP status.
        asked: What speaks against closing, when somebody wants to.
    """
    month = month_in(visit.part("month"))
    ledger = visit.service.ledger
    every = visit.site.lacks.of(ledger, month, visit.now)
    behind = visit.asked("after")[:100]
    found = [one for one in every if one.entity.user_code > behind]
    shown = found[:_ENTITIES_A_PAGE]
    rows = [row for lacks in shown for row in series_of(lacks)]
    next_page = shown[-1].entity.user_code if len(found) > len(shown) else None
    last = last_change(ledger, month)
    return visit.page(
        "console_month.html",
        status,
        month=month,
        entities=len(every),
        rows=rows[:_ROWS_MOST],
        more=max(0, len(rows) - _ROWS_MOST),
        behind=behind,
        next_page=next_page and urlencode({"after": next_page}),
        last=last,
        is_closed=last is not None and last.closed,
        has_ended=visit.now >= bounds(month)[1],
        asked=asked,
        mark=_mark(asked) if asked else "",
        before=preceding(month),
        after=following(month) if month < month_at(visit.now) else None,
        note=note or visit.asked("note"),
    )


def _mark(closing: Closing) -> str:
    """By what is missing and suspect."""
    return fingerprint((closing.lacks, [one.id for one in closing.suspects]))


def reminded(visit: Visit) -> Response:
    """Everybody who lacks something is owed a reminder, at most one a day."""
    month, service = month_in(visit.part("month")), visit.service
    policy, every = service.policy, lacking(service.ledger, month, visit.now)
    try:
        for _ in remind(every, service.ledger, month, visit.now, policy.replies, policy.layouts):
            pass
    except Refused:
        return one(visit, "is_closed", 409)
    return visit.go(f"{CONSOLE}/months/{month:%Y-%m}?note=reminded")


def closed(visit: Visit) -> Response:
    """Close, or tell first what is missing; what changed since it was told is told again."""
    month, ledger = month_in(visit.part("month")), visit.service.ledger
    seen = visit.text("mark")
    # Told first; with nothing missing it is closed by this already.
    try:
        asked = close(ledger, month, visit.me.actor, visit.now, anyway=False)
    except NotEnded:
        return one(visit, "not_ended", 422)
    if asked.snapshot is None and not asked.was_closed:
        if _mark(asked) != seen:
            return one(visit, "changed_list" if seen else "confirm", 422, asked)
        asked = close(ledger, month, visit.me.actor, visit.now, anyway=True)
    if asked.was_closed:
        return one(visit, "closed_before", 409)
    if asked.differences:
        return one(visit, "closed", 200, asked)
    return visit.go(f"{CONSOLE}/months/{month:%Y-%m}?note=closed")


def reopened(visit: Visit) -> Response:
    """Open again, by another person than the one who closed."""
    month = month_in(visit.part("month"))
    try:
        done = reopen_by_another(visit.service.ledger, month, visit.me.actor, visit.now)
    except SamePerson:
        return one(visit, "same_person", 403)
    if not done:
        return one(visit, "open_before", 409)
    return visit.go(f"{CONSOLE}/months/{month:%Y-%m}?note=reopened")


def matrix_of(visit: Visit) -> Response:
    """How whole every point has reported the month."""
    month, after = month_in(visit.part("month")), visit.asked("after")[:100]
    found = matrix(visit.service.ledger, month, visit.now, after, _ENTITIES_A_PAGE)
    more = None if found.after is None else urlencode({"after": found.after})
    return visit.page("console_matrix.html", month=month, rows=found.rows, after=after, more=more)
