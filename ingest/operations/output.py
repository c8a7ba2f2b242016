"""Files that operators take away: private, whole or not there, and no formula in a cell."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# At the begin of a text, and where a program that expects another separator would cut it.
_CUT = r"(?:\A|(?<=[;,|\t\r\n]))"
_BEGINS_FORMULA = r"(?=\s*['=+\-@\t\r\uff1d\uff0b\uff0d\uff20])"
_WOULD_BE_ONE = re.compile(_CUT + _BEGINS_FORMULA)
_WAS_ONE = re.compile(f"{_CUT}'{_BEGINS_FORMULA}")


def plain_cell(text: str) -> str:
    """Text for a cell of a CSV file, which a spreadsheet must not take for a formula.

    An apostrophe comes before what would begin one, also behind a comma or semicolon within
    the text: Excel cuts at the one that its country uses. `cell_text` takes it away again.
    Only for text: a number may begin with a minus.

    Source: OWASP, CSV Injection.
    """
    return _WOULD_BE_ONE.sub("'", text)


def cell_text(text: str) -> str:
    """What `plain_cell` was given."""
    return _WAS_ONE.sub("", text)


@contextmanager
def private_file(path: Path) -> Iterator[Path]:
    """A new file to write that only its owner may read, and that becomes `path` at the end.

    It is written beside `path`, renamed at the end, and removed when writing fails.

    Raises:
        OSError: it cannot be made, or a link, device, pipe or folder stands at `path`.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link", str(path))
    if path.exists() and not path.is_file():
        # A device would be replaced by the file, for every program of the machine.
        raise OSError(errno.EEXIST, "it is no ordinary file", str(path))
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
