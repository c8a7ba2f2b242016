"""The pages served over HTTP, by uvicorn in a thread of its own or in the main one."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 5
_CONNECTIONS_MOST = 400


def serve(app: ASGIApp, address: str) -> None:
    """Serve at `host:port` until SIGTERM or SIGINT.

    Raises:
        OSError: the address cannot be listened on.
    """
    with _listening(address) as listening:
        uvicorn.Server(_config(app)).run(sockets=[listening])


@contextmanager
def served(app: ASGIApp, address: str) -> Iterator[int]:
    """Served from a thread while entered; gives the port.

    Raises:
        OSError: the address cannot be listened on.
    """
    with _listening(address) as listening:
        server = uvicorn.Server(_config(app))
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listening]}, name="web", daemon=True
        )
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(2 * _GRACE_SECONDS)


@contextmanager
def _listening(address: str) -> Iterator[socket.socket]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(128)
        yield listening


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        # The application itself decides whose forwarded addresses count.
        proxy_headers=False,
        server_header=False,
        date_header=True,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_keep_alive=15,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        limit_concurrency=_CONNECTIONS_MOST,
        h11_max_incomplete_event_size=32 * 1024,
    )
