"""A server's front door that can be slammed, locked, or answered by nobody."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

from tests.end_to_end.servers import HOST


class Proxy:
    """Passes bytes to a server on loopback until told otherwise.

    Attributes:
        port: What clients connect to.
        is_open: While false, connections are taken and closed at once.
        is_silent: While true, connections are taken and nothing is ever said on them.
        cuts: How many connections were cut.
    """

    def __init__(self, target: int | Path, host: str = HOST) -> None:
        """`target` is a port on loopback or a socket in the file system."""
        self._target = target
        self._listener = socket.create_server((host, 0))
        self.port = int(self._listener.getsockname()[1])
        self.is_open = True
        self.is_silent = False
        self.cuts = 0
        self._lock = threading.Lock()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection, wherever it is."""
        with self._lock:
            pairs, self._pairs = self._pairs, []
        self.cuts += len(pairs)
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.is_open = False
        self.cut()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _reached(self) -> socket.socket:
        if isinstance(self._target, int):
            return socket.create_connection((HOST, self._target))
        server = socket.socket(socket.AF_UNIX)
        server.connect(str(self._target))
        return server

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if not self.is_open:
                client.close()
                continue
            if self.is_silent:
                with self._lock:
                    self._pairs.append((client, client))
                continue
            try:
                server = self._reached()
            except OSError:
                client.close()
                continue
            with self._lock:
                self._pairs.append((client, server))
            ended = threading.Barrier(2)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=_pass, args=[source, sink, ended], daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket, ended: threading.Barrier) -> None:
    with contextlib.suppress(OSError):
        while block := source.recv(65536):
            sink.sendall(block)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR)
    # Both directions have ended before either socket is closed.
    ended.wait()
    source.close()
