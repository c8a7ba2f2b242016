"""Every page of the service as one application."""

from __future__ import annotations

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Thread

from starlette.types import ASGIApp

from ingest.operations.account.desk import Desk
from ingest.operations.console.needs import needs
from ingest.operations.ports import Service
from ingest.web.account.pages import PAGES
from ingest.web.app import application
from ingest.web.console.pages import PAGES as CONSOLE_PAGES
from ingest.web.site import Site

_LOOK_SECONDS = 60.0


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
        self._site = Site(current, clock, self._desk)
        self._over = Event()
        self.app: ASGIApp = application(self._site, (*PAGES, *CONSOLE_PAGES))

    def look_ahead(self) -> None:
        """Have what the console's first page tells worked out before somebody asks for it.

        Who lacks what of a month takes seconds after a start, or a change of the register.
        """
        Thread(target=self._look_ahead, name="look-ahead", daemon=True).start()

    def _look_ahead(self) -> None:
        is_over = False
        while not is_over:
            needs(self._site.current(), self._site.lacks, self._site.clock())
            if gc.get_freeze_count() == 0:
                # The program itself: a full collection would walk through it for a tenth of a
                # second, in the midst of some page.
                gc.collect()
                gc.freeze()
            is_over = self._over.wait(_LOOK_SECONDS)

    def close(self) -> None:
        """End what reads uploads."""
        self._over.set()
        self._desk.close()
