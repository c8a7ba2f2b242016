"""Every address of the account."""

from __future__ import annotations

from starlette.responses import Response

from ingest.web.account import entrance
from ingest.web.app import Page
from ingest.web.site import Visit


def front(visit: Visit) -> Response:
    """This month, or the sign-in page."""
    if visit.visitor is None:
        return visit.sign_in_page()
    return visit.page("month.html")


PAGES = (
    Page("/", front, None),
    Page("/sign-in", entrance.enter, None, ("POST",)),
    Page("/sign-out", entrance.leave, None, ("POST",)),
)
