"""Files with a workbook's name that are web pages, archives, CSV and the like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from parsers.encodings import decode

_MAGIC: Mapping[str, Sequence[bytes]] = {
    "archive": (
        *(b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"BZh", b"MSCF"),
        *(b"\x60\xea", b"\x28\xb5\x2f\xfd", b"\x1f\x9d", b"\x1f\xa0"),
    ),
    "pdf": (b"%PDF",),
    "picture": (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"),
}
_LOCK_BYTES = (55, 165)
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


def other_kind(content: bytes) -> str | None:
    """Which kind of file without readings it is by its first bytes: archive, pdf, picture."""
    found = (kind for kind, starts in _MAGIC.items() if content.startswith(tuple(starts)))
    return next(found, None)


def pretended(content: bytes) -> str | None:
    """What bytes are that are named like a workbook; None for anything else.

    One of `web-page`, `archived-page` (MHTML), `table-2003` (SpreadsheetML), `flat-ods`,
    `separated-values` (CSV, or tabs), `lock` and those of `other_kind`; as the reasons of
    `unreadable-document` are named.
    """
    kind = other_kind(content)
    if kind is not None or _is_lock(content):
        return kind or "lock"
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


def _is_lock(content: bytes) -> bool:
    """Whether it is the small file that Excel or Word keeps beside an open one (`~$...`).

    It holds the user's name, after its length and padded with blanks or zeros.
    """
    if len(content) not in _LOCK_BYTES or not 0 < content[0] < _LOCK_BYTES[0]:
        return False
    return not content[1 + content[0] : _LOCK_BYTES[0]].strip(b"\0 ")


_SEPARATORS = ";\t,"
_LINES_LEAST = 3


def _is_separated(content: bytes) -> bool:
    """Whether most lines of a text have the same separator."""
    decoded = decode(content[:_HEAD])
    lines = [line for line in decoded.text.splitlines() if line.strip()] if decoded else []
    if len(lines) < _LINES_LEAST:
        return False
    return any(2 * sum(sign in line for line in lines) > len(lines) for sign in _SEPARATORS)
