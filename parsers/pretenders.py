"""Which kind of file bytes are: a workbook, or what only has a workbook's name."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from parsers.encodings import decode
from parsers.workbooks_zip import DAMAGES, Package

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

_MAGIC: Mapping[str, Sequence[bytes]] = {
    "archive": (
        *(b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c", b"\xfd7zXZ\0", b"BZh", b"MSCF"),
        *(b"\x60\xea", b"\x28\xb5\x2f\xfd", b"\x1f\x9d", b"\x1f\xa0"),
        b"(This file must be converted with BinHex",
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


def is_workbook(content: bytes) -> bool:
    """Whether bytes are a workbook, also an encrypted or damaged one."""
    return container_of(content) is not None


def container_of(content: bytes) -> str | None:
    """`xlsx`, `xlsb`, `ods`, `xls`, `encrypted`, `damaged`, or None for no workbook."""
    if content.startswith(_OLE):
        if _named("EncryptedPackage") in content:
            return "encrypted"
        # A text or a presentation may hold a workbook inside.
        other = _named("WordDocument") in content or _named("PowerPoint Document") in content
        own = _named("Workbook") in content or _named("Book") in content
        return "xls" if own and not other else None
    if not content.startswith(_ZIP):
        return None
    try:
        return Package(content).container()
    except DAMAGES:
        # Without its directory a cut-off workbook still begins like one.
        return "damaged" if b"[Content_Types].xml" in content[:64] else None


def _named(stream: str) -> bytes:
    # Names in an OLE directory are UTF-16 and end with a zero.
    return stream.encode("utf-16-le") + b"\0\0"


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
