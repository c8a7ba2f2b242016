"""Doubtful values: looked at, accepted with a reason, or their receipt withdrawn."""

from __future__ import annotations

from starlette.responses import Response

from ingest.operations.console.suspects import around
from ingest.operations.refused import Refused
from ingest.operations.suspects import accept, suspects_page
from ingest.operations.told import title
from ingest.web.charts import columns
from ingest.web.site import CONSOLE, Visit, number_in
from layouts.findings import Code

_SHOWN = 100
_REASON_MOST = 1000


def _why(visit: Visit, code: str) -> str:
    """What a code says, in the visit's language; '' for one of another version."""
    return title(Code(code), visit.language) if code in set(map(str, Code)) else ""


def listing(visit: Visit, note: str = "", status: int = 200) -> Response:
    """What is suspect, in the order it was raised."""
    after = visit.asked_number("after") or 0
    found, following = suspects_page(visit.service.ledger, after, _SHOWN)
    return visit.page(
        "console_suspects.html",
        status,
        found=[(one, _why(visit, one.code)) for one in found],
        after=after,
        next=following,
        reason=visit.text("reason"),
        chosen=visit.fields.getlist("suspect"),
        note=note or visit.asked("note"),
    )


def accepted(visit: Visit) -> Response:
    """Values are taken for true."""
    chosen = [value for value in visit.fields.getlist("suspect") if isinstance(value, str)]
    numbers = [number_in(value) for value in chosen]
    reason = visit.text("reason").strip()[:_REASON_MOST]
    if not reason or not numbers:
        return listing(visit, "reason", 422)
    try:
        done = accept(visit.service.ledger, numbers, visit.me.actor, reason, visit.now)
    except Refused:
        return listing(visit, "unknown", 409)
    if not done.now:
        return listing(visit, "done_before", 409)
    return visit.go(f"{CONSOLE}/suspects?note=accepted")


def one(visit: Visit) -> Response:
    """A value, its neighbours and its history."""
    found = around(visit.service.ledger, visit.number(), visit.now)
    write = visit.words.writing.number
    name = "%-d" if found.is_by_day else "%m.%y"
    chart = columns(found.amounts, lambda a: f"{a.start:{name}}", write) if found.amounts else None
    return visit.page(
        "console_suspect.html",
        one=found.suspect,
        why=_why(visit, found.suspect.code),
        around=found,
        chart=chart,
        shown=_SHOWN,
    )
