"""What children do in tests of the sandbox; importable by them."""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path

from ingest.letters.terms import RawLetter, Read
from ingest.reading.child import guarded, read_whole


def obey(raw: RawLetter) -> Read:
    """Do what the letter's subject says, under the sandbox's own guard."""
    for word, deed in _DEEDS.items():
        if word in raw.content:
            return guarded(partial(deed, raw))
    return read_whole(raw)


def _spin(_raw: RawLetter) -> Read:
    while True:
        pass


def _sleep(_raw: RawLetter) -> Read:
    time.sleep(3600)
    raise AssertionError


def _eat(_raw: RawLetter) -> Read:
    eaten = []
    while True:
        eaten.append(bytearray(8 * 1024 * 1024))


def _recurse(raw: RawLetter) -> Read:
    return _recurse(raw)


def _die(_raw: RawLetter) -> Read:
    os.kill(os.getpid(), signal.SIGSEGV)
    raise AssertionError


def _die_once(raw: RawLetter) -> Read:
    """Die, leaving a note; the next child finds it and reads."""
    note = Path(raw.content.partition(b"note=")[2].split()[0].decode())
    if note.exists():
        return read_whole(raw)
    note.touch()
    return _die(raw)


def _fail(_raw: RawLetter) -> Read:
    raise KeyError("password 12345")


_DEEDS = {
    b"please spin": _spin,
    b"please sleep": _sleep,
    b"please eat": _eat,
    b"please recurse": _recurse,
    b"please die once": _die_once,
    b"please die": _die,
    b"please fail": _fail,
}
