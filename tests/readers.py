"""What children do in tests of the sandbox; importable by them."""

from __future__ import annotations

import _thread
import ctypes
import os
import pickle
import resource
import signal
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ingest.letters.terms import Limits, Read
from ingest.reading.child import read_given
from ingest.reading.wire import Given, put
from layouts.layout import Layout

OBEY = "tests.readers:obey"
"""`SandboxConfig.work` of children that do what letters say."""


def obey(given: Given, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """Do what the letter's subject says, under the child's own guard."""
    for name, act in ACTS.items():
        if f"please {name}.".encode() in given.content:
            act()
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


def _answer(body: bytes, announced: int | None = None) -> None:
    """Write a frame of one's own choice into the pipe to the service."""
    length = len(body) if announced is None else announced
    put(3, length.to_bytes(8, "little") + body)


def _garbage(_given: Given) -> None:
    _answer(bytes(range(256)) * 4)


def _pickle(_given: Given) -> None:
    _answer(pickle.dumps(_Harmful()))


def _gigabyte(_given: Given) -> None:
    _answer(bytes(1024), announced=2**30)
    while True:
        put(3, bytes(2**20))


class _Harmful:
    """What runs code where it is unpickled."""

    def __reduce__(self) -> tuple[Callable[[int], None], tuple[int]]:
        return os._exit, (3,)


# What a child must not be able to do, by the name of the act.


def _trace() -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(16, os.getppid(), None, None) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")


def _raise_limit() -> None:
    most = 2**40
    try:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    except ValueError as error:
        # Python's way to say EPERM here.
        raise PermissionError from error


def _use_another_descriptor() -> None:
    found = []
    for number in range(4, 64):
        try:
            os.fstat(number)
        except OSError:
            continue
        found.append(number)
    if not found:
        raise PermissionError


def _find_environment() -> None:
    if not set(os.environ) - {"LC_CTYPE"}:
        raise PermissionError


ACTS: dict[str, Callable[[], object]] = {
    "read a file": lambda: Path("/etc/passwd").read_bytes(),
    "read what lies beside our packages": lambda: Path(__file__).read_bytes(),
    "read its environment": lambda: Path("/proc/self/environ").read_bytes(),
    "read the environment of its parent": lambda: Path(
        f"/proc/{os.getppid()}/environ"
    ).read_bytes(),
    "find an environment": _find_environment,
    "write a file": lambda: Path("/tmp/written").write_bytes(b"x"),
    "write into a package": lambda: Path(__file__).write_bytes(b""),
    "make a folder": lambda: Path("/tmp/made").mkdir(),
    "take a file away": lambda: Path(__file__).with_name("nothing").unlink(),
    "open a socket": lambda: socket.socket(socket.AF_INET),
    "open a pipe": socket.socketpair,
    "fork": os.fork,
    "start a thread": lambda: _thread.start_new_thread(print, ()),
    "run a program": lambda: os.execv("/bin/true", ["true"]),
    "kill its parent": lambda: os.kill(os.getppid(), signal.SIGKILL),
    "trace its parent": _trace,
    "raise a limit": _raise_limit,
    "use another descriptor": _use_another_descriptor,
}


class AllRefusedError(Exception):
    """No forbidden act succeeded."""


def _try_all(_given: Given) -> None:
    """Raise an exception that names the acts which succeeded."""
    done = [name for name, act in ACTS.items() if not _is_refused(act)]
    if done:
        raise type(f"Did {', '.join(done)}", (Exception,), {})
    raise AllRefusedError


def _is_refused(act: Callable[[], object]) -> bool:
    try:
        act()
    except (OSError, RuntimeError):
        return True
    return False


_DEEDS = {
    b"please answer garbage": _garbage,
    b"please answer a pickle": _pickle,
    b"please answer a gigabyte": _gigabyte,
    b"please try all": _try_all,
    b"please spin": _spin,
    b"please sleep": _sleep,
    b"please nap": _nap,
    b"please eat": _eat,
    b"please recurse": _recurse,
    b"please die": _die,
    b"please fail": _fail,
}
