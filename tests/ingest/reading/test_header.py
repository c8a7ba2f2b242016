"""A letter that was too costly to be read whole is known by its header."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ingest.letters.terms import Limits
from ingest.reading.documents import HEADER_BYTES, read_bytes, read_header

HEAD = b"From: buh@primer.example\r\nSubject: x\r\nX: y"


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\n\nbody", b"\r\n\r\nbody", b"y" * HEADER_BYTES])
def test_the_sender_is_known_also_without_an_empty_line(body: bytes) -> None:
    content = HEAD + body
    letter = read_header(content, len(content), Limits()).letter
    assert (letter.sender, letter.subject) == ("buh@primer.example", "x")
    assert (letter.size, letter.sha256) == (len(content), sha256(content).hexdigest())
    assert letter.documents == ()


@pytest.mark.parametrize(
    ("content", "cut"),
    [
        (HEAD + b"\r\n\r\nbody\n\nmore", HEAD + b"\r\n"),
        (HEAD + b"\n\nbody\r\n\r\nmore", HEAD + b"\n"),
        (HEAD + b"\n\r\nbody", HEAD + b"\n"),
        (HEAD + b"\r\n", HEAD + b"\r\n"),
        (HEAD, HEAD),
        (b"x" * HEADER_BYTES, b"x" * HEADER_BYTES),
        (b"x" * (HEADER_BYTES + 1), b"x" * HEADER_BYTES),
        (b"x" * HEADER_BYTES + b"\n\nbody", b"x" * HEADER_BYTES),
        (b"", b""),
    ],
    ids=range(9),
)
def test_nothing_behind_the_first_empty_line_is_read(monkeypatch, content, cut) -> None:
    given = []

    def read(head, limits, layouts):
        given.append((head, layouts))
        return read_bytes(head, limits, layouts)

    monkeypatch.setattr("ingest.reading.documents.read_bytes", read)
    letter = read_header(content, 7, Limits()).letter
    assert given == [(cut, {})]
    assert (letter.size, letter.sha256) == (7, sha256(content).hexdigest())
