"""The pages served over HTTP by uvicorn."""

from __future__ import annotations

import select
import signal
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


def serve(
    app: ASGIApp, listening: socket.socket, hung_up: threading.Event, *, beside: bool
) -> None:
    """Serve until SIGTERM, SIGINT or SIGHUP.

    Args:
        app: What is served.
        listening: The socket that it is served on; it stays open, and who asks meanwhile waits.
        hung_up: Set by SIGHUP.
        beside: Say on standard output that it begins, with an empty line; end, too, when
            nobody reads that any more: `ingest run` has ended.
    """
    server = uvicorn.Server(configured(app))

    def hang_up(_number: int, _frame: object) -> None:
        hung_up.set()
        server.should_exit = True

    if beside:
        print(flush=True)
        threading.Thread(target=_end_unread, args=[server], daemon=True).start()
    else:
        signal.signal(signal.SIGHUP, hang_up)
        server.should_exit = hung_up.is_set()
    # Uvicorn closes what it is given.
    server.run(sockets=[listening.dup()])


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
