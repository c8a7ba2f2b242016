"""A folder that files are put into: which are whole, their bytes, the verdicts beside them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path

from ingest.letters.terms import Arrival, RawLetter
from ingest.transports.ports import Dropped, DropUnavailable, UnreadableFile
from ingest.transports.whole import write_whole

VERDICT = ".verdict.json"
"""The ending of the file that is written last: with it beside it a file is done."""

VERDICT_MODE = 0o640
"""For the group that puts files into the folder."""

REST_SECONDS = 60.0
"""A file that was not changed for so long is whole."""

SETTLE_SECONDS = 2.0
"""The same for a file that was renamed after the last write to it."""

HEADER_BYTES = 1 << 20

_HALF_WRITTEN = re.compile(r"^\.|~$|\.(part|partial|tmp|temp|filepart|crdownload)$", re.IGNORECASE)
_LAID_BESIDE = re.compile(r"\.verdict(-\d+)?\.(json|xml|xlsx)$")


class DropFolder:
    """The files in one folder; nothing is moved or removed.

    Args:
        name: As the configuration calls it.
        path: The folder.
        letter_bytes: Of a larger letter only the header is read, of a larger file nothing.
        are_letters: Whether an .eml counts as a letter that came by mail; else it is a file.
    """

    def __init__(self, name: str, path: Path, letter_bytes: int, *, are_letters: bool) -> None:
        self.name = name
        self.source = f"drop {name}"
        self._path = path.absolute()
        self._letter_bytes = letter_bytes
        self._are_letters = are_letters

    def files(self, now: datetime) -> list[Dropped]:
        """The files that are whole and have no verdict beside them, the oldest first.

        A file is taken when it was renamed into place, which changes its inode after the
        last write to it, or when it has been at rest for a minute. Names that programs give
        to half-written files wait for their real name. A verdict that is older than the
        file is of another one of that name.

        Raises:
            DropUnavailable: the folder cannot be read, or nothing can be laid in it.
        """
        if not os.access(self._path, os.R_OK | os.W_OK | os.X_OK):
            told = f"the folder {self._path} is not there, or cannot be read and written"
            advice = "make it, and give the service's user read and write access"
            raise DropUnavailable(told, advice)
        try:
            with os.scandir(self._path) as entries:
                whole = sorted(self._whole(entries, now.timestamp()), key=itemgetter(0))
        except OSError as fault:
            raise DropUnavailable(f"{self._path}: {fault.strerror}") from None
        return [dropped for _, dropped in whole]

    def _whole(
        self, entries: Iterator[os.DirEntry[str]], now: float
    ) -> Iterator[tuple[tuple[int, str], Dropped]]:
        for entry in entries:
            if _HALF_WRITTEN.search(entry.name) or _LAID_BESIDE.search(entry.name):
                continue
            # It may be gone by now.
            with suppress(FileNotFoundError):
                found = entry.stat(follow_symlinks=False)
                is_whole = not stat.S_ISDIR(found.st_mode) and _is_whole(found, now)
                if is_whole and not self._is_told(entry.name, found):
                    key = self._key(entry.name, found)
                    dropped = Dropped(entry.name, key, found.st_size)
                    yield (found.st_mtime_ns, entry.name), dropped

    def _is_told(self, name: str, found: os.stat_result) -> bool:
        try:
            verdict = (self._path / f"{name}{VERDICT}").lstat()
        except OSError:
            return False
        return stat.S_ISREG(verdict.st_mode) and verdict.st_mtime_ns > found.st_ctime_ns

    def _key(self, name: str, found: os.stat_result) -> str:
        which = f"{found.st_ino}.{found.st_mtime_ns}.{found.st_size}"
        # A name need not be Unicode.
        path = os.fsencode(self._path / name).decode("utf-8", "backslashreplace")
        return f"{path}@{which}#1"

    def take(self, dropped: Dropped) -> RawLetter | None:
        """The file's bytes; None when it is gone, or another one by now.

        It was received when its inode last changed, which no sender can set.

        Raises:
            UnreadableFile: it is no plain file, or may not be read.
        """
        path = self._path / dropped.name
        try:
            # Not waiting for the other end of a pipe.
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        except OSError as fault:
            if path.is_symlink():
                raise UnreadableFile("a symbolic link is not followed") from None
            raise UnreadableFile(f"it cannot be read: {fault.strerror}") from None
        try:
            before = os.fstat(handle)
            if not stat.S_ISREG(before.st_mode):
                raise UnreadableFile("it is no plain file")
            is_letter = self._are_letters and dropped.name.lower().endswith(".eml")
            is_large = before.st_size > self._letter_bytes
            most = (HEADER_BYTES if is_letter else 0) if is_large else before.st_size + 1
            with os.fdopen(handle, "rb", closefd=False) as file:
                content = file.read(most)
            if self._key(dropped.name, os.fstat(handle)) != dropped.key:
                return None
        finally:
            os.close(handle)
        received_at = datetime.fromtimestamp(before.st_ctime, UTC)
        return RawLetter(
            Arrival(self.source, dropped.key, received_at, before.st_size),
            content,
            header_only=is_large,
            file_name="" if is_letter else dropped.name,
        )

    def put_back(
        self, keys: Collection[str], reopen: Callable[[Collection[str]], None]
    ) -> set[str]:
        """Have files taken once more: those that still lie there, by their keys.

        Args:
            keys: Of the files.
            reopen: Called with the keys of those that were found, before their verdicts go.

        Raises:
            DropUnavailable: the folder cannot be read, or a verdict cannot be removed.
        """
        there = dict[str, Path]()
        try:
            with os.scandir(self._path) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        key = self._key(entry.name, entry.stat(follow_symlinks=False))
                        if key in keys:
                            there[key] = self._path / f"{entry.name}{VERDICT}"
            if there:
                reopen(set(there))
            for told in there.values():
                told.unlink(missing_ok=True)
        except OSError as fault:
            raise DropUnavailable(f"{self._path}: {fault.strerror}") from None
        return set(there)

    def lay(self, name: str, files: Mapping[str, bytes]) -> None:
        """Lay files beside one, each whole or not at all; what lay there is replaced.

        Args:
            name: Of the file they are about.
            files: By what is put behind its name, such as `.verdict.json`.

        Raises:
            DropUnavailable: one of them cannot be written.
        """
        for ending, content in files.items():
            try:
                write_whole(self._path / f"{name}{ending}", content, VERDICT_MODE)
            except OSError as fault:
                told = f"{self._path}: {name}{ending} cannot be written: {fault.strerror}"
                raise DropUnavailable(told) from None


def _is_whole(found: os.stat_result, now: float) -> bool:
    unchanged_seconds = now - found.st_ctime
    was_renamed = found.st_ctime_ns > found.st_mtime_ns and found.st_size > 0
    return unchanged_seconds >= (SETTLE_SECONDS if was_renamed else REST_SECONDS)
