"""Files that a program named like a workbook and that are something else."""

from __future__ import annotations

import re

from parsers.encodings import decode

_HEAD = 4096
_MARKS = b"\xef\xbb\xbf\xff\xfe"
_TABLE_2003 = re.compile(rb"schemas-microsoft-com:office:spreadsheet|progid=[\"']Excel\.Sheet")
_ARCHIVED_PAGE = re.compile(
    rb"^content-type:\s*(?:multipart/related|text/html)", re.IGNORECASE | re.MULTILINE
)
_HEADER = re.compile(rb"[A-Za-z-]{2,40}:[ \t]")
_PAGE = re.compile(
    rb"(?:<\?xml[^>]*>|<!--.*?-->|\s)*<(?:!doctype\s+html|(?:html|head|body|table|meta|style)[\s>])",
    re.IGNORECASE | re.DOTALL,
)
_FLAT = re.compile(rb"<office:document[\s>]")


def pretended(content: bytes) -> str | None:
    """What bytes are that a program takes for a workbook; None for anything else.

    One of `web-page`, `archived-page` (MHTML), `table-2003` (SpreadsheetML), `flat-ods`,
    `separated-values` (CSV, or tabs); as the reasons of `unreadable-document` are named.
    """
    # Without marks and zeros, UTF-16 begins like any other encoding.
    head = content[:_HEAD].lstrip(_MARKS).replace(b"\0", b"").lstrip()
    if not head.startswith(b"<"):
        if _HEADER.match(head) and _ARCHIVED_PAGE.search(head):
            return "archived-page"
        return "separated-values" if _is_separated(content) else None
    # A page that Excel has saved names the same namespaces as its table of 2003.
    if _PAGE.match(head):
        return "web-page"
    if _TABLE_2003.search(head):
        return "table-2003"
    return "flat-ods" if _FLAT.search(head) else None


_SEPARATORS = ";\t,"
_LINES_LEAST = 3


def _is_separated(content: bytes) -> bool:
    """Whether most lines of a text have the same separator."""
    decoded = decode(content[:_HEAD])
    lines = [line for line in decoded.text.splitlines() if line.strip()] if decoded else []
    if len(lines) < _LINES_LEAST:
        return False
    return any(2 * sum(sign in line for line in lines) > len(lines) for sign in _SEPARATORS)
