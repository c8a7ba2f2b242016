"""The pages behind their real server, from a thread of the test's own process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from ingest.web.server import GRACE_SECONDS, configured, opened


@contextmanager
def served(app: ASGIApp, address: str = "127.0.0.1:0") -> Iterator[int]:
    """Served while entered; gives the port."""
    with opened(address) as listening:
        server = uvicorn.Server(configured(app))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True
        )
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(2 * GRACE_SECONDS)
