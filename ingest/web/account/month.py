"""What this month asks for, and the workbooks to fill in."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.responses import Response

from ingest.operations.account.standing import Stand, standing
from ingest.operations.letters import template
from ingest.web.site import Visit, month_in
from layouts.months import bounds, following, month_at, preceding

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ROWS_MOST = 300
_ORDER = (Stand.REFUSED, Stand.MISSING, Stand.PART, Stand.LATER, Stand.THERE)


def month(visit: Visit) -> Response:
    """This month, or another one; the sign-in page for who is not signed in."""
    if visit.visitor is None:
        return visit.sign_in_page(note="changed" if visit.asked("note") == "changed" else "")
    chosen = visit.asked("month")
    wanted = month_in(chosen) if chosen else None
    told = standing(visit.service, visit.who.entity, wanted, visit.now)
    rows = sorted(told.asked, key=lambda one: _ORDER.index(one.stand))
    return visit.page(
        "month.html",
        told=told,
        rows=rows[:_ROWS_MOST],
        more=max(0, len(rows) - _ROWS_MOST),
        month_start=bounds(told.month)[0],
        days_left=told.days_left(visit.now),
        before=preceding(told.month),
        after=following(told.month) if told.month < month_at(visit.now) else None,
    )


def templates(visit: Visit) -> Response:
    """The workbooks that there are."""
    forms = [layout for _, layout in sorted(visit.service.layouts.items()) if layout.workbook]
    return visit.page("templates.html", forms=forms)


def workbook(visit: Visit) -> Response:
    """A workbook with the entity's points and meters."""
    number = visit.part("number")
    layout = visit.service.layouts.get(number)
    if layout is None or layout.workbook is None:
        raise HTTPException(404)
    content = template(visit.service, number, visit.who.entity, visit.language)
    if content is None:
        raise HTTPException(404)
    return visit.file(content, f"{number}_{visit.who.entity}.xlsx", XLSX)
