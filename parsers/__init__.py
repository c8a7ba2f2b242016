"""How bytes become readings: exactly one layout may claim a document.

Bad bytes are normal here: whatever they are, the result is a `Parsed` with
findings, never an exception.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace

from layouts.document import Document, Parsed
from layouts.findings import Code, finding, printable
from layouts.layout import Layout
from parsers.grid_draft import Spent
from parsers.pretenders import is_workbook, pretended
from parsers.xml_reader import parse_xml

__all__ = ["Spent", "looks_like_document", "parse", "parsed_of"]


def parsed_of(document: Document) -> Parsed:
    """A document of which nothing was read yet."""
    return Parsed(
        name=document.name,
        sha256=hashlib.sha256(document.content).hexdigest(),
        size=len(document.content),
        container=document.container,
    )


def parse(
    document: Document, layouts: Mapping[str, Layout], spent: Spent | None = None
) -> tuple[Parsed, ...]:
    """What one file holds: one `Parsed`, or one for each sheet that is a document.

    A file that is no document gives one `Parsed` without a layout, and a finding
    that says why. What a workbook costs is counted in `spent`.

    Raises:
        MemoryError: the process has no memory left for it.
    """
    about = parsed_of(document)
    if is_workbook(document.content):
        # Half of all parsers' modules, which an XML document does not need.
        from parsers.sheets.book import parse_workbook

        return tuple(map(_printable, parse_workbook(about, document.content, layouts, spent)))
    reason = pretended(document.content)
    if reason is not None:
        return (replace(about, findings=(finding(Code.UNREADABLE_DOCUMENT, reason=reason),)),)
    return (_printable(parse_xml(about, document.content, layouts)),)


def _printable(parsed: Parsed) -> Parsed:
    """The document with names that every terminal, database and reply can take."""
    part, version = parsed.part, parsed.header.version
    if part is not None:
        part = printable(part)
    if version is not None:
        version = printable(version[:_VERSION_MOST])
    return replace(parsed, part=part, header=replace(parsed.header, version=version))


_VERSION_MOST = 40


_ENDINGS = (".xml", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
_ROOT = re.compile(
    rb"\s*(?:<\?.*?\?>\s*|<!--.*?-->\s*)*<(?:!doctype\s+)?([^\s/>\[]+)", re.DOTALL | re.IGNORECASE
)

# Roots of what stands beside documents in a letter: its text as HTML, a logo.
_OTHER_ROOTS = frozenset(
    b"html head body div p span table br font meta style title center svg".split()
)


def looks_like_document(name: str, content: bytes) -> bool:
    """Whether a file may be a layout: by its first bytes, else by its name's ending."""
    if is_workbook(content) or name.strip().lower().endswith(_ENDINGS):
        return True
    # Without marks and zeros, UTF-16 begins like any other encoding.
    start = content[:4096].lstrip(b"\xef\xbb\xbf\xff\xfe").replace(b"\0", b"")
    root = _ROOT.match(start)
    return root is not None and root[1].lower() not in _OTHER_ROOTS
