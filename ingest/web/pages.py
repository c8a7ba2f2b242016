"""Every page of the service as one application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from starlette.types import ASGIApp

from ingest.operations.account.desk import Desk
from ingest.operations.ports import Service
from ingest.web.account.pages import PAGES
from ingest.web.app import application
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from ingest.web.site import Site


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


class Pages:
    """The account and the console, and what it has to close at the end.

    Args:
        current: The service as it is wired now; a reload swaps it.
        clock: Now, aware.

    Attributes:
        app: The ASGI application.
    """

    def __init__(self, current: Callable[[], Service], clock: Callable[[], datetime] = now) -> None:
        self._desk = Desk(current)
        self.app: ASGIApp = application(Site(current, clock, self._desk), (*PAGES, *CONSOLE_PAGES))

    def close(self) -> None:
        """End what reads uploads."""
        self._desk.close()
