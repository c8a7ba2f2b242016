"""Letters from files instead of a server: .eml, Maildir, mbox."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from ingest.letters.terms import Arrival, NoLettersError, RawLetter
from layouts.sequences import pieces

BATCH_LETTERS = 50


@dataclass(frozen=True, slots=True)
class _Source:
    """One letter: how it is called, and what gives its bytes and moment of delivery."""

    name: str
    read: Callable[[], tuple[bytes, datetime | None]]


class LettersInFiles:
    """The letters under one path; nothing is moved.

    Args:
        path: An .eml file, a folder of them, a Maildir or an mbox.
        received_at: Moment of receipt of letters that do not carry a delivery time.
        letter_bytes: Of a larger letter only the header is read.

    Raises:
        NoLettersError: there is no such path, or no letter in it.
    """

    source = "files"

    def __init__(self, path: Path, received_at: datetime | None, letter_bytes: int) -> None:
        self._received_at = received_at
        self._letter_bytes = letter_bytes
        # The ledger knows a letter by the absolute path and its number there.
        self._sources = {
            f"{path.resolve()}#{number}": source for number, source in enumerate(_sources(path), 1)
        }
        if not self._sources:
            raise NoLettersError(f"{path}: there are no letters in it")

    @property
    def all_keys(self) -> Sequence[str]:
        """Keys of the letters, in the order of their names."""
        return list(self._sources)

    def name_of(self, key: str) -> str:
        """How the letter of a key is called."""
        return self._sources[key].name

    def fetch(self, keys: Sequence[str]) -> Iterator[list[RawLetter]]:
        """The letters, fifty at a time."""
        for piece in pieces(keys, BATCH_LETTERS):
            yield [self._raw(key) for key in piece]

    def _raw(self, key: str) -> RawLetter:
        content, delivered = self._sources[key].read()
        header_only = len(content) > self._letter_bytes
        received_at = delivered or self._received_at or datetime.now(UTC)
        return RawLetter(
            Arrival(self.source, key, received_at, len(content)),
            _header(content) if header_only else content,
            header_only=header_only,
        )


def _header(content: bytes) -> bytes:
    ends = [end for end in (content.find(b"\n\r\n"), content.find(b"\n\n")) if end >= 0]
    return content[: min(ends) + 1] if ends else content[: 1 << 20]


def _sources(path: Path) -> Iterator[_Source]:
    if path.is_dir() and (path / "cur").is_dir():
        yield from _in_maildir(path)
    elif path.is_dir():
        for file in sorted(path.iterdir()):
            if _is_eml(file) and file.is_file():
                yield _Source(file.name, partial(_file, file))
    elif not path.is_file():
        raise NoLettersError(f"{path}: there is no such file or folder")
    elif not _is_eml(path) and _is_mbox(path):
        yield from _in_mbox(path)
    else:
        yield _Source(path.name, partial(_file, path))


def _is_eml(path: Path) -> bool:
    return path.suffix.lower() == ".eml"


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _file(path: Path) -> tuple[bytes, None]:
    return path.read_bytes(), None


def _in_maildir(path: Path) -> Iterator[_Source]:
    """Every letter of a Maildir, read or not; what follows the colon are flags."""
    files = [file for part in ("new", "cur") for file in path.glob(f"{part}/[!.]*")]
    for file in sorted(files, key=lambda one: one.name):
        yield _Source(f"{path.name}/{file.name.partition(':')[0]}", partial(_of_maildir, file))


def _of_maildir(path: Path) -> tuple[bytes, datetime]:
    # Its file was last changed when it was delivered.
    return path.read_bytes(), datetime.fromtimestamp(path.stat().st_mtime, UTC)


_DELIVERY = re.compile(rb"From .*\d\d:\d\d.*\d{4}\s*")
"""The line before each letter of an mbox; a text may well begin with "From " too."""


def _in_mbox(path: Path) -> Iterator[_Source]:
    begins: list[int] = []
    at, after_blank = 0, True
    with path.open("rb") as file:
        for line in file:
            if after_blank and (not begins or _DELIVERY.fullmatch(line)):
                begins.append(at)
            after_blank = not line.strip()
            at += len(line)
    for number, (start, end) in enumerate(pairwise([*begins, at]), 1):
        yield _Source(f"{path.name}#{number}", partial(_of_mbox, path, start, end))


def _of_mbox(path: Path, start: int, end: int) -> tuple[bytes, datetime | None]:
    with path.open("rb") as file:
        file.seek(start)
        delivery = file.readline()
        content = file.read(end - file.tell())
    # The blank line that ends it is the mailbox's, not the letter's.
    return content.removesuffix(b"\n").removesuffix(b"\r"), _delivered(delivery)


def _delivered(line: bytes) -> datetime | None:
    """The moment in `From a@b Sun Nov  1 09:15:00 2026`, UTC."""
    words = line.decode("ascii", "replace").split()
    try:
        return datetime.strptime(" ".join([*words[-4:], "+0000"]), "%b %d %H:%M:%S %Y %z")
    except ValueError:
        return None
