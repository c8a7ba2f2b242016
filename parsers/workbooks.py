"""Bytes of a workbook to sheets of cells, the same for every format of file."""

from __future__ import annotations

import struct

from layouts.findings import Code, Finding, finding
from parsers.grid import Sheet
from parsers.grid_draft import Spent, TooCostlyError
from parsers.workbooks_ods import read_ods
from parsers.workbooks_xls import EncryptedError, read_xls
from parsers.workbooks_xlsb import read_xlsb
from parsers.workbooks_xlsx import read_xlsx
from parsers.workbooks_zip import DAMAGES, Package

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIPPED = {"xlsx": read_xlsx, "xlsb": read_xlsb, "ods": read_ods}


def is_workbook(content: bytes) -> bool:
    """Whether bytes are a workbook, also an encrypted or damaged one."""
    return _container(content) is not None


def _container(content: bytes) -> str | None:
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


def open_workbook(content: bytes, spent: Spent | None = None) -> list[Sheet] | Finding:
    """Every sheet of a workbook, or the finding that says why there are none.

    What it costs is counted in `spent`.
    """
    spent = spent or Spent()
    container = _container(content)
    if container == "encrypted":
        return finding(Code.ENCRYPTED_DOCUMENT)
    try:
        if container == "xls":
            return read_xls(content, spent)
        package = Package(content, spent)
        return package.refusal() or _ZIPPED[container or ""](package)
    except EncryptedError:
        return finding(Code.ENCRYPTED_DOCUMENT)
    except TooCostlyError as error:
        return finding(Code.TOO_COSTLY, limit=str(error))
    except (*DAMAGES, struct.error):
        return finding(Code.UNREADABLE_DOCUMENT, reason="damaged-workbook")
