"""How bytes become readings: exactly one layout may claim a document.

Bad bytes are normal here: whatever they are, the result is a `Parsed` with
findings, never an exception.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from layouts.layout import Layout
from layouts.terms import Document, Parsed
from parsers.sheet_reader import parse_workbook
from parsers.workbooks import is_workbook
from parsers.xml_reader import parse_xml

__all__ = ["looks_like_document", "parse"]


def parse(document: Document, layouts: Mapping[str, Layout]) -> tuple[Parsed, ...]:
    """What one file holds: one `Parsed`, or one for each sheet that is a document.

    A file that is no document gives one `Parsed` without a layout, and a finding
    that says why.

    Raises:
        MemoryError: the process has no memory left for it.
    """
    about = Parsed(
        name=document.name,
        sha256=hashlib.sha256(document.content).hexdigest(),
        size=len(document.content),
        container=document.container,
    )
    if is_workbook(document.content):
        return parse_workbook(about, document.content, layouts)
    return (parse_xml(about, document.content, layouts),)


_ENDINGS = (".xml", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_XML_STARTS = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe<\0", b"\xfe\xff\0<", b"<\0", b"\0<")


def looks_like_document(name: str, content: bytes) -> bool:
    """Whether a file may be a layout: by its first bytes, else by its name's ending."""
    start = content[:4096].lstrip(b" \t\r\n")
    if is_workbook(content) or start.startswith(_XML_STARTS):
        return not start[:15].lower().startswith((b"<!doctype html", b"<html"))
    return name.strip().lower().endswith(_ENDINGS)
