"""An IMAP client that reads no more, and no longer, than one command can be worth.

imaplib reads a literal of whatever size the server announces, any number of lines,
and waits for each byte anew.
"""

from __future__ import annotations

import imaplib
import io
import time
from dataclasses import dataclass
from typing import Any, cast

from imapclient import IMAPClient
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

LINE_BYTES = 1_000_000
"""The longest line; imaplib has the same bound."""

LINE_COSTS = 256
"""Bytes that a line counts for beside its own: what the objects made of it take."""

_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the answers to one command may come to.

    Attributes:
        most_bytes: Of lines and literals together.
        seconds: From the command to the end of its answer.
    """

    most_bytes: int
    seconds: float


class _Bounded(imaplib.IMAP4):
    """Counts what is read since the last command was sent, the greeting included."""

    bounds: Bounds

    def open(self, *args: Any, **options: Any) -> None:
        self._begin()
        super().open(*args, **options)

    def send(self, data: Any) -> None:
        self._begin()
        super().send(data)

    def _begin(self) -> None:
        self._left = self.bounds.most_bytes
        self._end = time.monotonic() + self.bounds.seconds

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort(f"the answer is longer than {self.bounds.most_bytes} bytes")
        if time.monotonic() > self._end:
            raise self.abort(f"the answer took longer than {self.bounds.seconds:g} seconds")

    @property
    def _buffer(self) -> io.BufferedReader:
        return cast("io.BufferedReader", self.file)

    def read(self, size: int) -> bytes:
        """A literal; what was announced is counted before it is read."""
        self._take(size)
        pieces = bytearray()
        while len(pieces) < size:
            self._take(0)
            piece = self._buffer.read1(min(size - len(pieces), _PIECE))
            if not piece:
                break
            pieces += piece
        return bytes(pieces)

    def readline(self) -> bytes:
        """A line up to its end, or up to where the server stopped."""
        self._take(LINE_COSTS)
        line = bytearray()
        while not line.endswith(b"\n"):
            there = self._buffer.peek(1)
            piece = self._buffer.read(there.find(b"\n") + 1 or len(there))
            if not piece:
                break
            line += piece
            self._take(len(piece))
            if len(line) > LINE_BYTES:
                raise self.abort(f"a line is longer than {LINE_BYTES} bytes")
        return bytes(line)


class _Plain(_Bounded, IMAP4WithTimeout):  # type: ignore[misc]
    def __init__(self, bounds: Bounds, *args: Any) -> None:
        self.bounds = bounds
        super().__init__(*args)


class _Tls(_Bounded, IMAP4_TLS):  # type: ignore[misc]
    def __init__(self, bounds: Bounds, *args: Any) -> None:
        self.bounds = bounds
        super().__init__(*args)


class BoundedIMAPClient(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection that is bounded, from the greeting on."""

    def __init__(self, host: str, bounds: Bounds, **options: Any) -> None:
        self._bounds = bounds
        super().__init__(host, **options)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - the library's name
        seconds = self._timeout.connect
        if self.ssl:
            return _Tls(self._bounds, self.host, self.port, self.ssl_context, seconds)
        return _Plain(self._bounds, self.host, self.port, seconds)
