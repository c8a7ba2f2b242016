"""The log for people: one readable line per event, filtered, as it grows."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

_FIRST = ("letter", "entity", "mailbox", "layouts", "values", "findings", "duration_ms")
_HIDDEN = {"timestamp", "level", "event", "exception"}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events are shown; an empty field lets everything pass.

    Attributes:
        entity: User code.
        verdict: Of a letter, such as `rejected`: the events `letter.rejected`.
    """

    entity: str = ""
    verdict: str = ""

    def passes(self, event: dict[str, Any]) -> bool:
        """Whether an event is to be shown."""
        if self.entity and event.get("entity") != self.entity:
            return False
        return not self.verdict or event.get("event") == f"letter.{self.verdict}"


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
    """`2026-11-22 12:00:01 warning letter.rejected letter=17 entity=… …`, local time."""
    fields = {k: v for k, v in event.items() if k not in _HIDDEN and v not in (None, "", [])}
    ordered = [k for k in _FIRST if k in fields] + [k for k in fields if k not in _FIRST]
    told = " ".join(f"{key}={_text(fields[key])}" for key in ordered)
    head = f"{_local(str(event.get('timestamp', '')))} {event.get('level', '')!s:<7}"
    trace = f"\n{event['exception']}" if event.get("exception") else ""
    return f"{head} {event['event']!s:<24} {told}".rstrip() + trace


def _local(timestamp: str) -> str:
    try:
        return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except ValueError:
        return timestamp


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    # Quoted, a line end or a terminal's control sign in a value does no harm.
    is_plain = text.isprintable() and " " not in text
    return text if is_plain else json.dumps(text, ensure_ascii=not text.isprintable())


def follow(path: Path, *, pause_seconds: float = 0.5) -> Iterator[str]:
    """Every line of a file and those still to come, also after it was rotated away."""
    while True:
        with path.open(encoding="utf-8", errors="replace") as file:
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
