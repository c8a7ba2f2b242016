"""Every page of the service as one application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp

from ingest.operations.ports import Service
from ingest.web.account.pages import PAGES
from ingest.web.app import application
from ingest.web.site import Site


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


def pages(current: Callable[[], Service], clock: Callable[[], datetime] = now) -> ASGIApp:
    """The account as an ASGI application.

    Args:
        current: The service as it is wired now; a reload swaps it.
        clock: Now, aware.
    """
    return application(Site(current, clock), PAGES)
