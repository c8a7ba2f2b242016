"""Who can put a fault right, and what of it may be logged.

| who can put it right | form | what happens |
|---|---|---|
| the sender | `Finding`, never an exception | recorded, replied, filed |
| time | `ConnectionError`, or the machine is out of something | the pass ends; next pass |
| us | any other exception, caught in `attempt` | counted; the third time a person must look |
| the recipient's server | `RecipientRefused`, in `engine.send` | the reply is undeliverable |
"""

from __future__ import annotations

import errno
import traceback
from pathlib import PurePath
from typing import Any

from ingest.reading import ReaderFailed

MOST_ATTEMPTS = 3
"""After so many attempts without a verdict a person must look."""

_OUT_OF = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN}


class LetterMissing(Exception):  # noqa: N818 - a state of the letter
    """The server names the letter and gives no bytes for it."""


class NoVerdict(Exception):  # noqa: N818 - a state of the letter
    """Every attempt ended with the whole process."""


def is_of_time(error: Exception) -> bool:
    """Whether waiting can mend it: a server away, or this machine out of something."""
    if isinstance(error, ConnectionError):
        return True
    return isinstance(error, OSError) and error.errno in _OUT_OF


def described(error: Exception) -> dict[str, Any]:
    """An exception for log and database: its kind and places, never its values.

    Its own text could hold parts of the letter, a password too.
    """
    frames = traceback.extract_tb(error.__traceback__)
    stack = [f"{'/'.join(PurePath(f.filename).parts[-2:])}:{f.lineno} {f.name}" for f in frames]
    told = isinstance(error, ReaderFailed | LetterMissing | NoVerdict)
    text = str(error) if told else type(error).__name__
    where = f" at {stack[-1]}" if stack and not told else ""
    return {"error": text + where, "frames": stack}
