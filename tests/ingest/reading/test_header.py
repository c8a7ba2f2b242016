"""A letter that was too costly to be read whole is known by its header."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ingest.letters.letter import Limits
from ingest.reading.documents import HEADER_BYTES, read_header

HEAD = b"From: buh@primer.example\r\nSubject: x\r\nX: y"


@pytest.mark.parametrize("body", [b"", b"\r\n", b"\n\nbody", b"\r\n\r\nbody", b"y" * HEADER_BYTES])
def test_the_sender_is_known_also_without_an_empty_line(body: bytes) -> None:
    content = HEAD + body
    letter = read_header(content, len(content), Limits()).letter
    assert (letter.sender, letter.subject) == ("buh@primer.example", "x")
    assert (letter.size, letter.sha256) == (len(content), sha256(content).hexdigest())
    assert letter.documents == ()
