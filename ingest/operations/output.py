"""Files that operators take away: private, whole or not there, and no formula in a cell."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_BEGINS_FORMULA = re.compile(r"\s*['=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
_WAS_ONE = re.compile(rf"\A'(?={_BEGINS_FORMULA.pattern})")


def plain_cell(text: str) -> str:
    """Text for a cell of a CSV file, which a spreadsheet must not take for a formula.

    An apostrophe comes before what would begin one; `cell_text` takes it away again.
    Only for text: a number may begin with a minus.

    Source: OWASP, CSV Injection.
    """
    return f"'{text}" if _BEGINS_FORMULA.match(text) else text


def cell_text(text: str) -> str:
    """What `plain_cell` was given."""
    return _WAS_ONE.sub("", text, count=1)


@contextmanager
def private_file(path: Path) -> Iterator[Path]:
    """A new file to write that only its owner may read, and that becomes `path` at the end.

    Nobody ever takes half of it for the whole: it lies beside, and is gone when writing fails.

    Raises:
        OSError: it cannot be made, or a symbolic link stands at `path`.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link", str(path))
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    # O_EXCL: whatever stands there already, a link too, is not written to.
    try:
        os.close(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as fault:
        raise OSError(fault.errno, fault.strerror, str(path)) from None
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
