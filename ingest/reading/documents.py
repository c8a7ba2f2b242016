"""What is read of a letter's bytes, and what is marked in its workbooks.

Pure functions from hostile bytes to values: they bound nothing but what `Limits`
counts, so that they are called in a confined child (`reading.child`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from ingest.letters.credentials import mask, secrets_of
from ingest.letters.letter import read_header_only, read_letter
from ingest.letters.terms import Marked, RawLetter, Read
from ingest.letters.unpack import Limits
from layouts.findings import Finding
from layouts.layout import Layout
from parsers import parse


def read_bytes(raw: RawLetter, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """A letter's bytes to what they say; its documents' bytes are dropped.

    Never raises for bad bytes, except for `MemoryError`.
    """
    if raw.header_only:
        letter = read_header_only(raw.content, raw.size, limits)
    else:
        letter = read_letter(raw.content, limits)
    parsed = tuple(item for document in letter.documents for item in parse(document, layouts))
    letter, parsed = mask(letter, parsed)
    emptied = tuple(replace(document, content=b"") for document in letter.documents)
    return Read(replace(letter, documents=emptied), parsed)


def mark_bytes(
    raw: RawLetter,
    limits: Limits,
    layouts: Mapping[str, Layout],
    wanted: Mapping[str, Sequence[Finding]],
    language: str,
) -> dict[str, Marked]:
    """The wanted documents of a letter as marked workbooks, by their SHA-256."""
    # What writes workbooks is needed by few letters.
    from ingest.replies.marked import mark

    letter = read_letter(raw.content, limits)
    parsed = [item for document in letter.documents for item in parse(document, layouts)]
    secrets = secrets_of(letter, parsed)
    marked = {}
    for document in letter.documents:
        sha256 = hashlib.sha256(document.content).hexdigest()
        if sha256 in wanted and sha256 not in marked:
            found = mark(document, wanted[sha256], secrets, language)
            if found is not None:
                marked[sha256] = found
    return marked


class DirectReader:
    """Reads in this very process, without limits of memory and time; for tests only."""

    def __init__(self, layouts: Mapping[str, Layout], limits: Limits | None = None) -> None:
        self._layouts = layouts
        self._limits = limits or Limits()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="reader")

    def read(self, raw: RawLetter) -> Future[Read]:
        """Begin to read a letter; whatever fails is raised by the future."""
        return self._thread.submit(read_bytes, raw, self._limits, self._layouts)

    def read_together(self, letters: Sequence[RawLetter]) -> list[Future[Read]]:
        """The same for several."""
        return [self.read(raw) for raw in letters]

    def mark(
        self, raw: RawLetter, wanted: Mapping[str, Sequence[Finding]], language: str
    ) -> Mapping[str, Marked]:
        """As `Reader.mark`, in this process."""
        return mark_bytes(raw, self._limits, self._layouts, wanted, language)

    def close(self) -> None:
        """End the thread that reads."""
        self._thread.shutdown(cancel_futures=True)
