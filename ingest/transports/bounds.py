"""Bounds in bytes and seconds for a mail server's answer to one command.

imaplib reads a literal of whatever size is announced, smtplib any number of lines, and
both wait for each packet anew.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass

LINE_BYTES = 1_000_000
"""The longest line; imaplib has the same bound."""

LINE_COSTS = 256
"""Bytes counted for each line beside its own: for the objects that libraries make of it."""

_PIECE = 64 * 1024


class Exceeded(Exception):  # noqa: N818 - a state of the answer
    """An answer went over its bounds; the connection cannot be used any more."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the answers to one command may come to.

    Attributes:
        most_bytes: Of lines and literals together.
        seconds: From the command to the end of its answer.
    """

    most_bytes: int
    seconds: float


class Meter:
    """Reads lines and literals, and counts them since `begin`."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self.begin()

    def begin(self) -> None:
        """A new command: what came before does not count."""
        self._left = self._bounds.most_bytes
        self._end = time.monotonic() + self._bounds.seconds

    def line(self, buffer: io.BufferedReader) -> bytes:
        """A line up to its end, or up to where the server stopped.

        Raises:
            Exceeded: the line, or all that was read, is over the bounds.
        """
        self._take(LINE_COSTS)
        line = bytearray()
        while not line.endswith(b"\n"):
            there = buffer.peek(1)
            piece = buffer.read(there.find(b"\n") + 1 or len(there))
            if not piece:
                break
            line += piece
            self._take(len(piece))
            if len(line) > LINE_BYTES:
                raise Exceeded(f"a line is longer than {LINE_BYTES} bytes")
        return bytes(line)

    def literal(self, buffer: io.BufferedReader, size: int) -> bytes:
        """So many bytes, or up to where the server stopped; counted before they are read.

        Raises:
            Exceeded: as `line`.
        """
        self._take(size)
        pieces = bytearray()
        while len(pieces) < size:
            self._take(0)
            piece = buffer.read1(min(size - len(pieces), _PIECE))
            if not piece:
                break
            pieces += piece
        return bytes(pieces)

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Exceeded(f"the answer is longer than {self._bounds.most_bytes} bytes")
        if time.monotonic() > self._end:
            raise Exceeded(f"the answer took longer than {self._bounds.seconds:g} seconds")
