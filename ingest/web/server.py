"""The pages served over HTTP by uvicorn."""

from __future__ import annotations

import select
import socket
import sys
import threading

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 5


def given() -> socket.socket | None:
    """The listening socket that is standard input, as `ingest run` starts `ingest web`."""
    try:
        found = socket.socket(fileno=0)
    except OSError:
        return None
    if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return found
    found.detach()
    return None


def serve(app: ASGIApp, listening: socket.socket, *, beside: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    Args:
        app: What is served.
        listening: The socket that it is served on.
        beside: Say on standard output that it begins, with an empty line; end, too, when
            nobody reads that any more: `ingest run` has ended.
    """
    server = uvicorn.Server(configured(app))
    if beside:
        print(flush=True)
        threading.Thread(target=_end_unread, args=[server], daemon=True).start()
    server.run(sockets=[listening])


def _end_unread(server: uvicorn.Server) -> None:
    output = select.poll()
    output.register(sys.stdout.fileno(), 0)
    output.poll()
    server.should_exit = True


def opened(address: str) -> socket.socket:
    """A socket that listens at `host:port`.

    Raises:
        OSError: the address cannot be listened on.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio sends small answers at once only where it reads it there,
    # and otherwise each page waits some 40 ms for the browser's acknowledgement of its head.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, int(port)))
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


def configured(app: ASGIApp) -> uvicorn.Config:
    """How uvicorn serves the pages."""
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
        timeout_graceful_shutdown=GRACE_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
    )
