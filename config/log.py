"""The log: structlog events as JSON lines or for a terminal, to a file or stderr.

Their names and fields are documented in `docs/events.md`.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
from contextlib import suppress
from io import FileIO, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO, cast

import structlog
from structlog.typing import Processor


def set_up(
    format: Literal["json", "console"] = "json",  # noqa: A002 - the setting's name
    level: str = "info",
    file: str = "",
    observe: Processor | None = None,
) -> None:
    """Send every event, also those of the libraries, where the settings say.

    Args:
        format: JSON lines, or lines for a terminal.
        level: The lowest one that is told.
        file: Opened for appending; '' for standard error.
        observe: Sees every event of ours, whatever its level, before it is written.

    Raises:
        OSError: the file cannot be opened for appending.
    """
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    handler = _handler(file)
    render = _renderer(format, colors=not file and sys.stderr.isatty())
    lines = _Lines(handler)
    structlog.configure(
        processors=[*([observe] if observe else []), _only_from(level), *shared, render],
        wrapper_class=structlog.make_filtering_bound_logger("debug"),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _library_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    _take_over(handler, level)


def _only_from(level: str) -> Processor:
    """Drops what weighs less, behind the observer: counters do not depend on the level."""
    weights = logging.getLevelNamesMapping()
    least = weights[level.upper()]

    def dropped(
        _logger: object, method: str, event: structlog.typing.EventDict
    ) -> structlog.typing.EventDict:
        if weights[method.upper()] < least:
            raise structlog.DropEvent
        return event

    return dropped


class _Lines:
    """Writes our own events to where the libraries' are written, as they are rendered.

    The way through the standard library's records takes twice as long for the same line.
    """

    def __init__(self, handler: _Handler) -> None:
        self._handler = handler

    def _write(self, line: str) -> None:
        handler = self._handler
        handler.acquire()
        try:
            if isinstance(handler, _PrivateFile):
                handler.follow()
            handler.stream.write(f"{line}\n")
            handler.flush()
            handler.is_failing = False
        except (OSError, ValueError):
            # A full disk must not stop the work that is told of.
            handler.handleError(logging.makeLogRecord({"msg": line}))
        finally:
            handler.release()

    debug = info = warning = error = critical = _write


def _take_over(handler: logging.Handler, level: str) -> None:
    """Make it the only way out for our events and those of the libraries."""
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        # What it could not write for want of space, it cannot write now.
        with suppress(OSError):
            old.close()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Schedulers announce every run, and clients every command: neither is news.
    talkers = ("apscheduler", "imapclient", "asyncio", "pymap", "mail.log", "alembic")
    for name in (*talkers, "procrastinate"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Handler(logging.StreamHandler[Any]):
    """Says once that events cannot be written, where the standard library prints each traceback."""

    is_failing = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - overridden
        """Say it on standard error, unless nothing was written since it was said."""
        fault = sys.exc_info()[1]
        if self.is_failing:
            return
        self.is_failing = True
        reason = getattr(fault, "strerror", None) or fault
        # Standard error may lie on the same disk.
        with suppress(OSError, ValueError):
            where = getattr(self, "baseFilename", "standard error")
            sys.stderr.write(f"ingest: the log, {where}: {reason}; events are lost until it can\n")


def _handler(file: str) -> _Handler:
    return _PrivateFile(file, encoding="utf-8") if file else _StandardError()


class _StandardError(_Handler):
    """Wherever standard error leads now: the one of the start may be closed by then."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


class _PrivateFile(_Handler, logging.handlers.WatchedFileHandler):
    """A file for its owner's eyes; opened anew after logrotate has moved it away."""

    def follow(self) -> None:
        """Open the file of that name, if it is another one by now, or could not be opened."""
        self.reopenIfNeeded()
        if self.stream is None:
            self.stream = self._open()

    def _open(self) -> TextIOWrapper:
        # Addresses stand in it. A file that is there already keeps the mode it was given.
        Path(self.baseFilename).touch(mode=0o600)
        # Without a buffer: what a full disk refuses would be refused again when it is closed.
        file = FileIO(self.baseFilename, "a")
        return TextIOWrapper(
            cast("BinaryIO", file), "utf-8", errors="backslashreplace", write_through=True
        )


def _renderer(format: str, *, colors: bool) -> Processor:  # noqa: A002 - as above
    if format == "console":
        return structlog.dev.ConsoleRenderer(colors=colors, event_key="event")
    return _as_json


def _as_json(_logger: object, _name: str, event: structlog.typing.EventDict) -> str:
    return _JSON.encode(event)


_JSON = json.JSONEncoder(ensure_ascii=False, default=repr)


def _library_event(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """A library's sentence becomes `library.message`, so that names stay few."""
    event["text"] = event.get("event")
    event["library"] = event["_record"].name
    event["event"] = "library.message"
    return event
