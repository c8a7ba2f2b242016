"""Letters and expectations that many samples are made of."""

from __future__ import annotations

from pathlib import Path

from making import (
    SOKOLOVA,
    THUNDERBIRD,
    doc,
    expect,
    file_part,
    hello,
    mail,
    next_reading,
    part,
    several,
    text_part,
)

SAMPLES = Path(__file__).parent
XML_NAME = "z52006.xml"

GOOD = doc("52006")

STRANGER = "stranger@nowhere.example"


def good(
    *, source: str = "body", findings: tuple[str, ...] = (), code: str = SOKOLOVA
) -> dict[str, object]:
    """A letter whose one 52006 is accepted."""
    return expect("accepted", doc("52006", "accepted", *findings), source=source, entity=code)


def refused(finding: str, source: str | None = "body") -> dict[str, object]:
    """A letter that proves no sender."""
    return expect("refused", findings=(finding,), source=source)


def ignored(source: str | None = None) -> dict[str, object]:
    """A letter that is never answered."""
    return expect("ignored", source=source)


def attached(
    content: bytes | None = None, *, body: str | None = None, code: str = SOKOLOVA, **about: str
) -> bytes:
    """An ordinary letter: a body, and an .xml file."""
    document = next_reading() if content is None else content
    parts = several(text_part(body or hello(code)), file_part(XML_NAME, document, "text/xml"))
    return mail(parts, code=code, **about)


def with_head(head: str, coding: str = "base64") -> bytes:
    """A letter whose attachment has the given header."""
    return mail(several(text_part(hello()), part(head, next_reading(), coding)), extra=THUNDERBIRD)
