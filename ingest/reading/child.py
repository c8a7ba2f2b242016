"""What a child process does: confine itself, say so, and answer one request after another."""

from __future__ import annotations

import gc
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path, PurePath
from typing import NoReturn

import msgspec

from ingest.letters.terms import Limits, Read
from ingest.reading.confine import (
    close_all_but,
    confine,
    end_with_parent,
    readable_paths,
)
from ingest.reading.documents import (
    mark_workbooks,
    read_bytes,
    read_file,
    read_header,
    read_too_large,
    read_words,
)
from ingest.reading.tables import first_sheet
from ingest.reading.wire import (
    Done,
    Exhausted,
    Failed,
    Given,
    MarkWorkbooks,
    ReadFile,
    ReadHeader,
    ReadLetters,
    ReadTable,
    Ready,
    Request,
    Table,
    Workbooks,
    encoded,
    frames,
    put,
    request_of,
)
from layouts.findings import Finding
from layouts.layout import Layout, load

TRIPS = 200
"""A child is replaced after so many requests: libraries leak, and heaps fragment."""


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """How many children read, and what each of them may cost.

    Attributes:
        workers: Children that read at the same time.
        memory_mb: Address space of one child, beyond what is loaded before it reads.
        seconds: CPU time for one letter; twice as much may pass on the wall.
        layouts_path: The retailer's own folder of definitions; '' for none.
        texts_path: The retailer's own texts, for remarks in workbooks; '' for none.
        require_confinement: Refuse to read where the kernel lacks a part of it.
        work: What a child does with a letter, as `module:function` of a `Given`; another
            one than `read_given` only in tests.
    """

    workers: int = 2
    memory_mb: int = 160
    seconds: float = 20.0
    limits: Limits = field(default_factory=Limits)
    layouts_path: str = ""
    texts_path: str = ""
    require_confinement: bool = False
    work: str = ""


Work = Callable[[Given, Limits, Mapping[str, Layout]], Read]


class Loaded:
    """What is loaded once, before children are made."""

    def __init__(self, config: SandboxConfig, layouts: Mapping[str, Layout] | None = None) -> None:
        self.config = config
        path = config.layouts_path
        self.layouts = load(Path(path) if path else None) if layouts is None else layouts
        self.readable = readable_paths(path)
        self.work: Work = read_given
        if config.work:
            module, _, function = config.work.partition(":")
            self.work = getattr(import_module(module), function)


def read_given(given: Given, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """A letter by as much of it as was fetched, or a file."""
    if given.header_only:
        return read_too_large(given.content, given.size, limits)
    if given.file_name:
        return read_file(given.file_name, given.content, limits, layouts)
    if given.words_only:
        return read_words(given.content, limits)
    return read_bytes(given.content, limits, layouts)


_EXHAUSTED = encoded(Exhausted())


def be_child(pipe: int, parent: int, loaded: Loaded) -> NoReturn:
    """What a process does after it was forked: it ends with its pipe, or with its parent."""
    try:
        end_with_parent(parent)
        _serve(pipe, loaded)
    finally:
        os._exit(os.EX_OK)


def _serve(pipe: int, loaded: Loaded) -> None:
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        # A terminal or systemd sends them to the children, too, which finish their letters
        # and end when their pipe is closed.
        signal.signal(number, signal.SIG_IGN)
    pipe = close_all_but(pipe)
    config = loaded.config
    cpu = int(config.seconds * TRIPS) + 1
    missing = confine(loaded.readable, config.memory_mb * 2**20, cpu)
    put(pipe, encoded(Ready(os.getpid(), missing)))
    # Collecting what was loaded before would only copy the pages that children share.
    gc.freeze()
    for body in frames(pipe):
        for answer in _answers(request_of(body), loaded):
            put(pipe, answer)


def _answers(request: Request, loaded: Loaded) -> Iterator[bytearray]:
    limits, layouts = loaded.config.limits, loaded.layouts
    match request:
        case ReadLetters(letters=letters):
            for given in letters:
                yield _guarded(lambda: Done(loaded.work(given, limits, layouts)))  # noqa: B023
        case ReadHeader(letter=given):
            yield _guarded(lambda: Done(read_header(given.content, given.size, limits)))
        case ReadFile(name=name, content=content):
            yield _guarded(lambda: Done(read_file(name, content, limits, layouts)))
        case ReadTable(content):
            yield _guarded(lambda: _table(content))
        case MarkWorkbooks(content, wanted, name):
            yield _guarded(lambda: Workbooks(mark_workbooks(content, limits, wanted, name)))


def _table(content: bytes) -> Table:
    found = first_sheet(content)
    return Table(found=found) if isinstance(found, Finding) else Table(found)


def _guarded(work: Callable[[], msgspec.Struct]) -> bytearray:
    """The work's answer; what it raises is told without a secret."""
    try:
        return encoded(work())
    except (MemoryError, RecursionError):
        return _EXHAUSTED
    except Exception as error:  # noqa: BLE001 - the child's edge
        # Our own fault, for the attempt to count; its text could hold what the letter held.
        return encoded(Failed(where_of(error)))


def where_of(error: Exception) -> str:
    """An exception's kind and place."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    path = "/".join(PurePath(frame.filename).parts[-2:])
    return f"{type(error).__name__} at {path}:{frame.lineno} {frame.name}"
