"""Letters from files instead of a server: .eml, Maildir, mbox."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.ports import RawLetter
from storage.records import Location

BATCH_LETTERS = 50


class NoLettersError(ValueError):
    """A path that holds no letters, said in one sentence."""


@dataclass(frozen=True, slots=True)
class _Source:
    """One letter: how it is called, where it lies, and what is known of its delivery."""

    name: str
    path: Path
    number: int = 1
    key: Any = ""
    kind: str = "eml"


class FileMailbox:
    """The letters under one path, as if they lay in an IMAP folder; nothing is moved.

    Args:
        path: An .eml file, a folder of them, a Maildir or an mbox.
        received_at: Moment of receipt of letters that do not carry a delivery time.
        letter_bytes: Of a larger letter only the header is read.

    Raises:
        NoLettersError: there is no such path, or no letter in it.
    """

    name = "files"

    def __init__(self, path: Path, received_at: datetime | None, letter_bytes: int) -> None:
        self._path = path
        self._received_at = received_at
        self._letter_bytes = letter_bytes
        self._sources = list(_sources(path))
        if not self._sources:
            raise NoLettersError(f"{path}: there are no letters in it")

    @property
    def folder(self) -> str:
        """The path, absolute: where the ledger says the letters came from."""
        return str(self._path.resolve())

    def uids(self) -> tuple[int, Sequence[int]]:
        """Numbers of the letters, from 1, in the order of their names."""
        return 0, range(1, len(self._sources) + 1)

    def source(self, uid: int) -> str:
        """How the letter of a number is called."""
        return self._sources[uid - 1].name

    def fetch(self, uids: Sequence[int]) -> Iterator[list[RawLetter]]:
        """The letters, fifty at a time."""
        for first in range(0, len(uids), BATCH_LETTERS):
            yield [self._raw(uid) for uid in uids[first : first + BATCH_LETTERS]]

    def file(self, uids: Sequence[int], outcome: str) -> None:
        """Files stay where they are."""

    def wait(self, timeout_seconds: float) -> bool:  # noqa: ARG002 - the port's
        """Nothing ever arrives."""
        return False

    def close(self) -> None:
        """Nothing is open."""

    def _raw(self, uid: int) -> RawLetter:
        source = self._sources[uid - 1]
        content, delivered = _read(source)
        header_only = len(content) > self._letter_bytes
        return RawLetter(
            location=Location(self.name, self.folder, 0, uid),
            content=_header(content) if header_only else content,
            size=len(content),
            received_at=delivered or self._received_at or datetime.now(UTC),
            header_only=header_only,
        )


def _header(content: bytes) -> bytes:
    ends = [end for end in (content.find(b"\n\r\n"), content.find(b"\n\n")) if end >= 0]
    return content[: min(ends) + 1] if ends else content[: 1 << 20]


def _sources(path: Path) -> Iterator[_Source]:
    if path.is_dir() and (path / "cur").is_dir():
        for key in sorted(mailbox.Maildir(path, create=False).keys()):
            yield _Source(f"{path.name}/{key}", path, key=key, kind="maildir")
    elif path.is_dir():
        for file in sorted(path.glob("*.eml")):
            yield _Source(file.name, file)
    elif not path.is_file():
        raise NoLettersError(f"{path}: there is no such file or folder")
    elif path.suffix != ".eml" and _is_mbox(path):
        for number, key in enumerate(_mbox(path).keys(), 1):
            yield _Source(f"{path.name}#{number}", path, number, key, "mbox")
    else:
        yield _Source(path.name, path)


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _mbox(path: Path) -> mailbox.mbox:
    return mailbox.mbox(path, create=False)


def _read(source: _Source) -> tuple[bytes, datetime | None]:
    """A letter's bytes, and its delivery time where the mailbox knows it."""
    if source.kind == "maildir":
        box = mailbox.Maildir(source.path, create=False)
        message = box.get_message(source.key)
        return box.get_bytes(source.key), datetime.fromtimestamp(message.get_date(), UTC)
    if source.kind == "mbox":
        with closing(_mbox(source.path)) as file:
            content = file.get_bytes(source.key)
            return content, _from_line(file.get_bytes(source.key, from_=True))
    return source.path.read_bytes(), None


def _from_line(content: bytes) -> datetime | None:
    """The delivery time of an mbox's `From ` line: `From a@b Sun Nov  1 09:15:00 2026`, UTC."""
    words = content.split(b"\n", 1)[0].decode("ascii", "replace").split()
    try:
        return datetime.strptime(" ".join([*words[-4:], "+0000"]), "%b %d %H:%M:%S %Y %z")
    except ValueError:
        return None
