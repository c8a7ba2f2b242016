"""Hostile bytes, read in child processes: what callers rely on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from ingest.letters.terms import Marked, Marks, RawLetter, Read

if TYPE_CHECKING:
    # It brings `logging`, which `check` does without.
    from concurrent.futures import Future


class ReaderFailed(Exception):  # noqa: N818 - a state of the reader
    """Our own code failed on a letter; its text names the kind and place only."""


class Reader(Protocol):
    """Reads hostile bytes in confined processes."""

    def read_together(self, letters: Sequence[RawLetter]) -> Sequence[Future[Read]]:
        """Begin to read letters, one after the other: a future for each, in their order.

        A future never raises for a fault of the sender: bytes that kill or
        exhaust their reader give a `Read` with the finding `too-costly`. Any
        other death of a child is a fault of time: `ConnectionError`.
        """

    def mark(self, raw: RawLetter, wanted: Marks) -> Mapping[str, Marked]:
        """The letter's workbooks with the findings marked in them.

        Args:
            raw: The letter once more.
            wanted: The findings.

        Returns:
            By SHA-256; without those that cannot be marked, or only at too high a cost.
        """

    def close(self) -> None:
        """End every child."""
