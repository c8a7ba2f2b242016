"""The log for people: one readable line per event, filtered, as it grows."""

from __future__ import annotations

import glob
import gzip
import json
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from layouts.months import MOSCOW

_FIRST = ("letter", "entity", "mailbox", "layouts", "values", "findings", "duration_ms")
_HIDDEN = {"timestamp", "level", "event", "exception"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are shown; an empty field lets everything pass.

    Attributes:
        entity: User code.
        verdict: Of a letter, such as `rejected`: the events `letter.rejected`.
        sender: A part of the address, in any case of its letters.
        since: Of that moment or later.
    """

    entity: str = ""
    verdict: str = ""
    sender: str = ""
    since: datetime | None = None

    def passes(self, event: dict[str, Any]) -> bool:
        """Whether an event is to be shown."""
        # A refused letter has no entity; it claims to be of one.
        if self.entity and self.entity not in {event.get("entity"), event.get("claimed")}:
            return False
        if self.sender and self.sender.casefold() not in str(event.get("sender", "")).casefold():
            return False
        if self.since is not None:
            moment = _moment(event)
            if moment is None or moment < self.since:
                return False
        return not self.verdict or event.get("event") == f"letter.{self.verdict}"


def history(path: Path, wanted: Filter, most: int | None) -> list[tuple[dict[str, Any], str]]:
    """The last events that pass, the oldest first, also of files that were rotated away.

    Args:
        path: The log file; beside it lie `NAME.1`, `NAME-20261127.gz` and the like.
        wanted: Which of them.
        most: At most so many; None: all.

    Raises:
        OSError: the log file itself cannot be read.
    """
    found: list[tuple[dict[str, Any], str]] = []
    for file in _newest_first(path):
        if most is not None and len(found) >= most:
            break
        lacking = None if most is None else most - len(found)
        with _opened(file) as source:
            found[:0] = deque(lines(source, wanted), maxlen=lacking)
        if wanted.since is not None and file.stat().st_mtime < wanted.since.timestamp():
            break
    return found


def piped(
    source: Iterable[str], wanted: Filter, most: int | None
) -> Iterable[tuple[dict[str, Any], str]]:
    """The events of a pipe that pass, as they come; the last ones at its end when bounded."""
    found = lines(source, wanted)
    return found if most is None else deque(found, maxlen=most)


def _newest_first(path: Path) -> list[Path]:
    rotated = [
        other
        for other in path.parent.glob(f"{glob.escape(path.name)}[.-]*")
        if re.fullmatch(r"[.-][\d-]+(?:\.gz)?", other.name.removeprefix(path.name))
    ]
    return [path, *sorted(rotated, key=lambda other: other.stat().st_mtime, reverse=True)]


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    return path.open(encoding="utf-8", errors="replace")


def lines(source: Iterable[str], wanted: Filter) -> Iterator[tuple[dict[str, Any], str]]:
    """The events of a JSON log that pass, each with its readable line.

    A line that is not an event, such as a traceback of the interpreter, passes as it
    is unless something is filtered.
    """
    for line in source:
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if isinstance(event, dict) and "event" in event:
            if wanted.passes(event):
                yield event, readable(event)
        elif line.strip() and wanted == Filter():
            yield {"text": line.rstrip("\n")}, line.rstrip("\n")


def readable(event: dict[str, Any]) -> str:
    """`2026-11-22 12:00:01 warning letter.rejected letter=17 entity=… …`, Moscow time."""
    fields = {k: v for k, v in event.items() if k not in _HIDDEN and v not in (None, "", [])}
    ordered = [k for k in _FIRST if k in fields] + [k for k in fields if k not in _FIRST]
    told = " ".join(f"{key}={_text(fields[key])}" for key in ordered)
    moment = _moment(event)
    when = moment.strftime("%Y-%m-%d %H:%M:%S") if moment else event.get("timestamp", "")
    head = f"{when} {event.get('level', '')!s:<7}"
    trace = f"\n{event['exception']}" if event.get("exception") else ""
    return f"{head} {event['event']!s:<24} {told}".rstrip() + trace


def _moment(event: dict[str, Any]) -> datetime | None:
    """When it was, in Moscow; None where that cannot be read."""
    try:
        moment = datetime.fromisoformat(str(event.get("timestamp", "")))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(MOSCOW)


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Quoted, a line end or a terminal's control sign in a value does no harm.
    is_plain = text.isprintable() and " " not in text
    return text if is_plain else json.dumps(text, ensure_ascii=not text.isprintable())


def follow(path: Path, *, begin: int = 0, pause_seconds: float = 0.5) -> Iterator[str]:
    """Every line of a file from a byte on and those still to come, also after a rotation."""
    while True:
        with path.open(encoding="utf-8", errors="replace") as file:
            file.seek(begin)
            begin = 0
            opened = os.fstat(file.fileno())
            part = ""
            while True:
                part += file.readline()
                if part.endswith("\n"):
                    yield part
                    part = ""
                    continue
                if _replaced(path, opened, file.tell()):
                    if part:
                        yield part
                    break
                time.sleep(pause_seconds)
        while not path.exists():
            time.sleep(pause_seconds)


def _replaced(path: Path, opened: os.stat_result, read: int) -> bool:
    """Whether another file stands there now, or this one was cut off."""
    try:
        now = path.stat()
    except FileNotFoundError:
        return True
    return now.st_ino != opened.st_ino or now.st_size < read
