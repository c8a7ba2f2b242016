"""A letter's bytes as a flat list of parts, whatever became of its MIME tree.

The standard library's parser recurses once for each level of a tree and compares
every line with every open boundary: a letter of 3,000 nested multiparts ends it,
and its header classes raise on hostile parameters. This reader finds boundaries by
searching, keeps to fixed bounds, and takes each part for what it still is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from ingest.letters.decoding import file_name, header_text, parameters, transferred

DEPTH_MOST = 50
"""Levels of multiparts and enclosed letters that are entered."""

PARTS_MOST = 1000
"""Parts of one letter that are looked at."""

HEADER_MOST = 1 << 20
"""Bytes of one header that are read; what follows is passed over."""

HEADERS_MOST = 1 << 18
"""Bytes that the headers of all parts of one letter may have together."""

SCANNED_MOST = 64 * 2**20
"""Bytes that are searched for boundaries, or decoded, on all levels of one letter together."""

FIELDS_MOST = 1000


class TooManyPartsError(ValueError):
    """A letter has more parts, levels or headers than any sender makes."""


_MARKUP = frozenset({"text/html", "text/enriched", "text/richtext"})


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a letter's tree.

    Attributes:
        content_type: Lower case; `text/plain` when none is stated.
        charset: As declared, '' when it is not.
        name: Its file name, '' when it has none.
        is_attached: Whether its disposition says `attachment`.
        content: The bytes, transfer encoding undone.
        enclosed: How many forwarded letters it stands in; 0 for the letter itself.
        is_inline: Whether the body shows it, as its disposition or Content-ID says.
    """

    content_type: str
    charset: str
    name: str
    is_attached: bool
    content: bytes = field(repr=False)
    enclosed: int = 0
    is_inline: bool = False

    @property
    def is_html(self) -> bool:
        """Whether it is HTML, or text with such tags, by its type or its first bytes."""
        start = self.content[:200].lstrip().lower()
        return self.content_type in _MARKUP or start.startswith((b"<html", b"<!doctype html"))


Fields = dict[str, list[bytes]]
"""Lower-case header names to their raw, unfolded values, in order."""

MESSAGE_ID = re.compile(r"<[!-;=?-~]{1,500}>")
"""One Message-ID with its angle brackets, in a header's text."""

_FIELD = re.compile(rb"([!-9;-~]{1,76})[ \t]*:")
_BLANK_LINE = re.compile(rb"\n\r?\n|\r\r")
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")


def split_header(buffer: bytes, start: int, end: int) -> tuple[Fields, int]:
    """The fields of the header at `start`, and where the body after it begins.

    A line inside the header that is no field belongs to the one before: programs
    that fold without a blank make such lines. When the very first line is none,
    there is no header at all.
    """
    if buffer.startswith((b"From ", b">From "), start, end):
        start = _next_line(buffer, start, end)
    if buffer.startswith((b"\n", b"\r\n"), start, end):
        return {}, _next_line(buffer, start, end)
    if not _FIELD.match(buffer, start, min(end, start + 100)):
        return {}, start
    head_end, body = _blank_line(buffer, start, end)
    return _fields(buffer[start : min(head_end, start + HEADER_MOST)]), body


def _blank_line(buffer: bytes, start: int, end: int) -> tuple[int, int]:
    """Where the first blank line begins and ends; `end` twice when there is none."""
    blank = _BLANK_LINE.search(buffer, start, min(end, start + HEADER_MOST))
    if blank:
        return blank.span()
    # A header of megabytes: there can be few of them, and a search for bytes is faster.
    after = min(end, start + HEADER_MOST - 2)
    found = [
        (at, at + len(one)) for one in _BLANK_LINES if (at := buffer.find(one, after, end)) >= 0
    ]
    return min(found, default=(end, end))


def _next_line(buffer: bytes, start: int, end: int) -> int:
    found = buffer.find(b"\n", start, end)
    return end if found < 0 else found + 1


def _fields(head: bytes) -> Fields:
    unfolded: list[list[bytes]] = []
    for line in head.splitlines():
        if unfolded and not _FIELD.match(line):
            unfolded[-1].append(line)
        elif len(unfolded) == FIELDS_MOST:
            break
        else:
            unfolded.append([line])
    fields: Fields = {}
    for lines in unfolded:
        name, _, value = b"\n".join(lines).partition(b":")
        fields.setdefault(name.strip().decode("ascii", "replace").lower(), []).append(value.strip())
    return fields


@dataclass(frozen=True, slots=True)
class _Node:
    """A range of bytes that is a part with its own header."""

    buffer: bytes
    start: int
    end: int
    depth: int
    enclosed: int
    default_type: str = "text/plain"


@dataclass(slots=True)
class Count:
    """What was met in one letter and the letters it encloses."""

    parts: int = 0
    headers: int = 0
    scanned: int = 0

    def part(self, header: int) -> None:
        """Count a part with a header of so many bytes; that of the letter itself is free.

        Raises:
            TooManyPartsError: there are more than `PARTS_MOST`, or their headers are too long.
        """
        self.headers += header if self.parts else 0
        self.parts += 1
        if self.parts > PARTS_MOST or self.headers > HEADERS_MOST:
            raise TooManyPartsError

    def scan(self, length: int) -> None:
        """Count bytes that are searched or decoded.

        Raises:
            TooManyPartsError: they are more than `SCANNED_MOST`.
        """
        self.scanned += length
        if self.scanned > SCANNED_MOST:
            raise TooManyPartsError


def walk(
    content: bytes,
    enclosed: int = 0,
    count: Count | None = None,
    heard: Callable[[Fields], None] | None = None,
) -> Iterator[Part]:
    """The leaves of a letter, in its order.

    Enclosed letters (message/rfc822) are walked through in their place.

    Args:
        content: The letter.
        enclosed: In how many others it stands already.
        count: Of the parts met so far.
        heard: Called with the header of each enclosed letter.

    Raises:
        TooManyPartsError: after the first `PARTS_MOST`.
    """
    waiting = [_Node(content, 0, len(content), 0, enclosed)]
    count = count or Count()
    while waiting:
        node = waiting.pop()
        fields, body = split_header(node.buffer, node.start, node.end)
        count.part(body - node.start)
        kind, about = parameters(_last(fields, "content-type"))
        kind = kind if "/" in kind else node.default_type
        inside = _Node(node.buffer, body, node.end, node.depth + 1, node.enclosed)
        if kind.startswith("multipart/"):
            count.scan(node.end - body)
        if node.depth >= DEPTH_MOST:
            yield _leaf(inside, kind, about, fields)
        elif kind == "message/rfc822":
            other = _enclosed(inside, fields, count)
            waiting.append(other)
            if heard is not None:
                heard(split_header(other.buffer, other.start, other.end)[0])
        elif kind.startswith("multipart/") and (children := _children(inside, kind, about)):
            waiting.extend(reversed(children))
        else:
            kind = "text/plain" if kind.startswith("multipart/") else kind
            yield _leaf(inside, kind, about, fields)


def _last(fields: Fields, name: str) -> bytes:
    """A field's value; gateways that correct a header append theirs."""
    return fields.get(name, [b""])[-1]


def _enclosed(inside: _Node, fields: Fields, count: Count) -> _Node:
    """The letter in a message/rfc822 part, which must not be encoded but often is."""
    encoding = _last(fields, "content-transfer-encoding").strip().lower()
    if encoding in {b"base64", b"quoted-printable"}:
        # Decoding takes twice the time of a search.
        count.scan(2 * (inside.end - inside.start))
        content = transferred(inside.buffer[inside.start : inside.end], encoding.decode("ascii"))
        inside = replace(inside, buffer=content, start=0, end=len(content))
    start = inside.start
    # Several programs put a blank line before the enclosed header.
    while inside.buffer.startswith((b"\n", b"\r\n"), start, inside.end):
        start = _next_line(inside.buffer, start, inside.end)
    return replace(inside, start=start, enclosed=inside.enclosed + 1)


def _children(inside: _Node, kind: str, about: Mapping[str, str]) -> list[_Node]:
    boundary = about.get("boundary", "").encode("utf-8", "replace").rstrip()
    boundary = boundary or _likely_boundary(inside)
    default = "message/rfc822" if kind == "multipart/digest" else "text/plain"
    children: list[_Node] = []
    open_at: int | None = None
    for begin, end, is_last in _delimiters(inside, boundary) if boundary else ():
        if open_at is not None:
            stop = begin - (2 if inside.buffer[begin - 2 : begin] == b"\r\n" else 1)
            children.append(
                replace(inside, start=open_at, end=max(stop, open_at), default_type=default)
            )
        if len(children) > PARTS_MOST:
            raise TooManyPartsError
        open_at = end
        if is_last:
            return children
    if open_at is not None:
        children.append(replace(inside, start=open_at, default_type=default))
    return children


def _likely_boundary(inside: _Node) -> bytes:
    """The first line that looks like a delimiter, where the header forgot to say."""
    # From the line end that its header ends with.
    match = _DELIMITER.search(inside.buffer, inside.start - 1, inside.end)
    return match[1] if match else b""


_DELIMITER = re.compile(rb"\n--([!-~]{1,70}+)[ \t]*+\r?(?=\n|\Z)")


def _delimiters(inside: _Node, boundary: bytes) -> Iterator[tuple[int, int, bool]]:
    """(start, end, is the last one) of every delimiter line."""
    buffer, mark, at, lookalikes = inside.buffer, b"--" + boundary, inside.start, 0
    while lookalikes < _LOOKALIKES_MOST:
        at = buffer.find(mark, at, inside.end)
        if at < 0:
            return
        rest = _REST.match(buffer, at + len(mark), inside.end)
        if rest and _begins_a_line(inside, at):
            yield at, rest.end(), bool(rest[1])
            at = rest.end()
        else:
            at += 1
            lookalikes += 1
    # An expression of its own takes as long to compile as a small letter to be read, but
    # passes over megabytes of what only looks like a delimiter.
    for found in re.compile(re.escape(mark) + _REST.pattern).finditer(buffer, at, inside.end):
        if _begins_a_line(inside, found.start()):
            yield found.start(), found.end(), bool(found[1])


_LOOKALIKES_MOST = 100
_REST = re.compile(rb"(--)?[ \t\r\v\f]*+(?:\n|\Z)")


def _begins_a_line(inside: _Node, at: int) -> bool:
    return at == inside.start or inside.buffer[at - 1] in b"\r\n"


def _leaf(inside: _Node, kind: str, about: Mapping[str, str], fields: Fields) -> Part:
    disposition, disposed = parameters(_last(fields, "content-disposition"))
    name = disposed.get("filename") or disposed.get("name") or about.get("name", "")
    encoding = header_text(_last(fields, "content-transfer-encoding"), 80)
    # Misspelt ones ("attachement") are in use.
    is_attached = disposition.startswith("att")
    return Part(
        content_type=kind,
        charset=about.get("charset", ""),
        name=file_name(name),
        is_attached=is_attached,
        content=transferred(inside.buffer[inside.start : inside.end], encoding),
        enclosed=inside.enclosed,
        is_inline=disposition == "inline" or ("content-id" in fields and not is_attached),
    )
