"""The audit: who changed what, and whether its seals are whole."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import Response

from ingest.operations.audit import Verified, audit_page, verify
from ingest.web.site import Visit

_A_PAGE = 50


def listing(visit: Visit, told: Verified | None = None) -> Response:
    """Changes by who, what and which, the latest first."""
    asked = {name: visit.asked(name).strip()[:200] for name in ("who", "what", "key")}
    before = visit.asked_number("before")
    entries, behind = audit_page(visit.service.ledger, before, _A_PAGE, **asked)
    query = {name: value for name, value in asked.items() if value}
    return visit.page(
        "console_audit.html",
        asked=asked,
        entries=entries,
        first=urlencode(query) if before is not None else None,
        more=urlencode({**query, "before": behind}) if behind is not None else None,
        told=told,
    )


def verified(visit: Visit) -> Response:
    """Every seal is looked at, which takes its time."""
    return listing(visit, verify(visit.service.ledger))
