"""What children do in tests of the sandbox; importable by them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping

from ingest.letters.terms import Limits, Read
from ingest.reading.child import read_given
from ingest.reading.wire import Given
from layouts.layout import Layout

OBEY = "tests.readers:obey"
"""`SandboxConfig.work` of children that do what letters say."""


def obey(given: Given, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """Do what the letter's subject says, under the child's own guard."""
    for word, deed in _DEEDS.items():
        if word in given.content:
            deed(given)
    return read_given(given, limits, layouts)


def _spin(_given: Given) -> None:
    while True:
        pass


def _sleep(_given: Given) -> None:
    time.sleep(3600)


def _eat(_given: Given) -> None:
    eaten = []
    while True:
        eaten.append(bytearray(8 * 1024 * 1024))


def _recurse(given: Given) -> None:
    _recurse(given)


def _nap(_given: Given) -> None:
    time.sleep(0.5)


def _die(_given: Given) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _fail(_given: Given) -> None:
    raise KeyError("password 12345")


_DEEDS = {
    b"please spin": _spin,
    b"please sleep": _sleep,
    b"please nap": _nap,
    b"please eat": _eat,
    b"please recurse": _recurse,
    b"please die": _die,
    b"please fail": _fail,
}
