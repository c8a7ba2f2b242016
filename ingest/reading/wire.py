"""What goes between the service and its children: MessagePack, checked by a schema.

Nothing a child sends is trusted: it may have been taken over by what it read. No byte
of it is unpickled, its length is bounded before it is read, and every field is checked
for its type before a value is made of it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import chain
from threading import Lock
from typing import Annotated, Any, get_type_hints

import msgspec
from msgspec.structs import asdict

from ingest.letters.terms import Letter, Marked, Marks, Read
from layouts.document import Parsed, Series
from layouts.findings import Finding
from layouts.terms import Kind
from parsers.fields import WHOLE_DIGITS

ANSWER_BYTES = 16 * 2**20
"""The longest answer of a child: five times that of the largest letter that is read."""

MARKED_BYTES = 64 * 2**20
"""The same for marked workbooks."""

TEXT_MOST = 8000
"""Signs of the longest text in an answer, which is an Authentication-Results."""

DIGITS_MOST = 1000
"""The same for a number's digits before its point, and twice that altogether."""

_ENERGY_MOST = 10**WHOLE_DIGITS
_STEP_MOST = 31 * 24 * 60
_FAR = 250_000_000_000
"""Seconds from 1970 to about the year 9892: beyond, calendars end."""

_COLUMNS = frozenset({"spans", "at", "empty", "not_commercial"})

HEAD_BYTES = 8
"""A frame is its length, so many bytes, the lowest first, and that many bytes."""


class NonsenseError(Exception):
    """A child sent what is no answer."""


# What a child is asked.


class Given(msgspec.Struct, frozen=True, array_like=True):
    """One letter's bytes, or a file's; `size` is that of the whole letter."""

    content: bytes
    size: int
    header_only: bool = False
    file_name: str = ""
    words_only: bool = False


class ReadLetters(msgspec.Struct, frozen=True, tag=True):
    """Read each of them; an answer for each, in their order."""

    letters: list[Given]


class ReadHeader(msgspec.Struct, frozen=True, tag=True):
    """Read the header of a letter and nothing else."""

    letter: Given


class ReadFile(msgspec.Struct, frozen=True, tag=True):
    """Read a file that came without a letter."""

    name: str
    content: bytes


class MarkWorkbooks(msgspec.Struct, frozen=True, tag=True):
    """Mark the findings in a letter's workbooks, or in a file's."""

    content: bytes
    wanted: Marks
    file_name: str = ""


class ReadTable(msgspec.Struct, frozen=True, tag=True):
    """Read the first sheet of a workbook as lines of texts."""

    content: bytes


Request = ReadLetters | ReadHeader | ReadFile | MarkWorkbooks | ReadTable

# What it answers.


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The child is confined and waits; `missing` are the parts the kernel lacks."""

    pid: int
    missing: list[str]


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Our own code failed, at this place."""

    where: str


class Exhausted(msgspec.Struct, frozen=True, tag=True):
    """The child ran out of memory, and ends."""


class Done(msgspec.Struct, frozen=True, tag=True):
    """A child's `Read`; see `_DoneData` for how it is taken."""

    read: Read


class Workbooks(msgspec.Struct, frozen=True, tag=True):
    """Marked workbooks, by the SHA-256 of what was marked."""

    marked: dict[str, Marked]


class Table(msgspec.Struct, frozen=True, tag=True):
    """The filled rows of a sheet with their numbers; else why there are none."""

    lines: list[tuple[int, list[str]]] = []
    found: Finding | None = None


Answer = Read | Mapping[str, Marked] | Failed | Exhausted | Table


_ENCODER = msgspec.msgpack.Encoder()


def encoded(message: msgspec.Struct) -> bytearray:
    """A message as a frame."""
    frame = bytearray(HEAD_BYTES)
    _ENCODER.encode_into(message, frame, HEAD_BYTES)
    frame[:HEAD_BYTES] = (len(frame) - HEAD_BYTES).to_bytes(HEAD_BYTES, "little")
    return frame


def request_of(body: bytes | bytearray) -> Request:
    """What the service asks; called in the child."""
    request: Request = msgspec.msgpack.decode(body, type=Request)
    return request


def ready_of(body: bytes | bytearray) -> Ready:
    """The first answer of a child.

    Raises:
        NonsenseError: it is none.
    """
    try:
        return msgspec.msgpack.decode(body, type=Ready)
    except (msgspec.MsgspecError, ValueError) as error:
        raise NonsenseError(type(error).__name__) from None


def answer_of(body: bytes | bytearray) -> Answer:
    """What a child answers, checked.

    Raises:
        NonsenseError: it is no answer, or one whose parts do not fit together.
    """
    try:
        answer = _answers().decode(body)
        _bounded(answer)
        return _read(answer.read) if isinstance(answer, _Done) else _plain(answer)
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError) as error:
        raise NonsenseError(type(error).__name__) from None


def frames(pipe: int) -> Iterator[bytes | bytearray]:
    """What the service asks, frame by frame, until it closes the pipe; for the child."""
    while head := _exactly(pipe, HEAD_BYTES):
        yield _exactly(pipe, int.from_bytes(head, "little"))


def put(pipe: int, frame: bytes | bytearray) -> None:
    """Write a frame whole; for the child, whose system calls are few."""
    rest = memoryview(frame)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _exactly(pipe: int, count: int) -> bytearray:
    """So many bytes; fewer when the pipe is closed."""
    got = bytearray()
    while len(got) < count:
        piece = os.read(pipe, min(count - len(got), 2**20))
        if not piece:
            return bytearray()
        got += piece
    return got


# The schema of a `Read`, made of its own dataclasses: a field that they gain travels, too.
# Only a `Series` is restated, as its values are of two kinds.


def _mirror(kind: type, **instead: object) -> type[msgspec.Struct]:
    hints = get_type_hints(kind)
    named = [(field.name, instead.get(field.name, hints[field.name])) for field in fields(kind)]
    return msgspec.defstruct(f"{kind.__name__}Data", named, frozen=True)


class _Done(msgspec.Struct, frozen=True, tag="Done"):
    """A `Done` as it is taken: its `Read` is still to be made."""

    read: Any


_ONE_AT_A_TIME = Lock()


def _answers() -> msgspec.msgpack.Decoder[Any]:
    # msgspec shows a type to other threads before it is whole: two that make the decoder at
    # once end in a segmentation fault.
    with _ONE_AT_A_TIME:
        return _decoder()


@cache
def _decoder() -> msgspec.msgpack.Decoder[Any]:
    seconds = Annotated[int, msgspec.Meta(ge=-_FAR, le=_FAR)]
    series = _mirror(
        Series,
        values=list[
            Annotated[int, msgspec.Meta(ge=-_ENERGY_MOST, le=_ENERGY_MOST)] | Decimal | None
        ],
        spans=list[tuple[seconds, seconds]] | None,
        step_minutes=Annotated[int, msgspec.Meta(ge=0, le=_STEP_MOST)],
        power=Annotated[int, msgspec.Meta(ge=0, le=WHOLE_DIGITS)],
    )
    parsed = _mirror(Parsed, series=list[series], spoilt=list[series])  # type: ignore[valid-type]
    read = _mirror(Read, parsed=list[parsed])  # type: ignore[valid-type]
    done = msgspec.defstruct("Done", [("read", read)], bases=(_Done,), tag="Done", frozen=True)
    return msgspec.msgpack.Decoder(done | Workbooks | Failed | Exhausted | Table)


def _plain(answer: Any) -> Answer:
    if isinstance(answer, Workbooks):
        return answer.marked
    kept: Failed | Exhausted | Table = answer
    return kept


def _read(data: Any) -> Read:
    letter: Letter = data.letter
    return Read(letter, tuple(map(_parsed, data.parsed)))


def _parsed(data: Any) -> Parsed:
    made = {"series": tuple(map(_series, data.series)), "spoilt": tuple(map(_spoilt, data.spoilt))}
    return Parsed(**asdict(data) | made)


def _spoilt(data: Any) -> Series:
    """As `_series`, where a register's reading, or undated intervals, may be left out."""
    if not data.values:
        if data.spans or data.not_commercial or (data.places and len(data.places.at) != 1):
            raise ValueError("more than a place without a value")
        return Series(**asdict(data) | {"values": ()})
    return _series(data)


def _series(data: Any) -> Series:
    """One series, whose columns are of one length.

    Raises:
        ValueError: they are not, or a reading is no number.
    """
    values = data.values
    columns = [column for column in (data.spans, data.places and data.places.at) if column]
    if any(len(column) != len(values) for column in columns):
        raise ValueError("columns of different lengths")
    if any(not 0 <= index < len(values) for index in data.not_commercial):
        raise ValueError("a flag without a value")
    if data.kind is Kind.REGISTER:
        if len(values) != 1 or not isinstance(values[0], Decimal):
            raise ValueError("a register without its reading")
        return Series(**asdict(data) | {"values": tuple(values)})
    if Decimal in set(map(type, values)):
        raise ValueError("interval energy that is no whole number")
    return Series(**asdict(data) | {"values": values})


def _bounded(value: object) -> None:
    """Hold texts, numbers and instants against their bounds, however deep they stand.

    Columns are bounded by their types alone.

    Raises:
        ValueError: one of them is longer, larger or further than any that is read.
    """
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            is_bounded = len(value) <= TEXT_MOST
        elif isinstance(value, Decimal):
            is_bounded = value.is_finite() and abs(value.adjusted()) <= DIGITS_MOST
            # Its exponent says nothing of the digits behind the point.
            is_bounded = is_bounded and len(str(value)) <= 2 * DIGITS_MOST
        elif isinstance(value, datetime):
            is_bounded = value.tzinfo is not None and abs(value.timestamp()) <= _FAR
        else:
            waiting += _inside(value)
            continue
        if not is_bounded:
            raise ValueError(f"a {type(value).__name__} without bound")


_PLAIN = frozenset({int, bool, float, bytes, type(None)})
"""Types of what is bounded by itself, as are a document's thousands of values."""


def _inside(value: object) -> Iterable[object]:
    """What a value holds that is to be looked at."""
    if value is None or isinstance(value, int | float | bytes):
        return ()
    if isinstance(value, list | tuple | frozenset):
        return [item for item in value if type(item) not in _PLAIN]
    if isinstance(value, Mapping):
        return chain(value.keys(), value.values())
    kind: Any = type(value)
    items = [getattr(value, name) for name in _names(kind)]
    return [item for item in items if type(item) not in _PLAIN]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of value that are looked at."""
    is_struct = issubclass(kind, msgspec.Struct)
    names = kind.__struct_fields__ if is_struct else [field.name for field in fields(kind)]
    return tuple(name for name in names if name not in _COLUMNS)
