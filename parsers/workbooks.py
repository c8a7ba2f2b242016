"""Bytes of a workbook to sheets of cells, the same for every format of file."""

from __future__ import annotations

import struct

from layouts.findings import Code, Finding, finding
from parsers.grid import Sheet
from parsers.grid_draft import Spent, TooCostlyError
from parsers.pretenders import container_of
from parsers.workbooks_ods import read_ods
from parsers.workbooks_xls import EncryptedError, read_xls
from parsers.workbooks_xlsb import read_xlsb
from parsers.workbooks_xlsx import read_xlsx
from parsers.workbooks_zip import DAMAGES, Package

_ZIPPED = {"xlsx": read_xlsx, "xlsb": read_xlsb, "ods": read_ods}


def open_workbook(content: bytes, spent: Spent | None = None) -> list[Sheet] | Finding:
    """Every sheet of a workbook, or the finding that says why there are none.

    What it costs is counted in `spent`.
    """
    spent = spent or Spent()
    container = container_of(content)
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
