"""The fork server of the children: one process with every module loaded that reads no letter.

It is started with an empty environment, so that no child finds the service's secrets
there, and forks a child for each pipe it is sent. It never sees a letter's byte.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import msgspec

from ingest.reading.child import Loaded, SandboxConfig, be_child
from ingest.reading.confine import keep_memory_private, load_seccomp
from ingest.replies.own import read_texts
from ingest.replies.wording import use_texts
from parsers.sheets.book import forms_of

_LATE = (
    "lxml.etree",
    "openpyxl",
    "striprtf.striprtf",
    "tnefparse.tnef",
    "ingest.replies.marked",
)
_START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]);"
    "from ingest.reading.fork_server import main; main(sys.argv[2])"
)


def command(config: SandboxConfig) -> list[str]:
    """How it is started; standard input is the socket that pipes come through."""
    paths = msgspec.json.encode([entry for entry in sys.path if entry]).decode()
    return [sys.executable, "-I", "-c", _START, paths, msgspec.json.encode(config).decode()]


def main(config: str) -> None:
    """Load what children need, then make one for each pipe, until the socket closes."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # Children are not waited for: the service sees their end at their pipes.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    keep_memory_private()
    control = socket.socket(fileno=os.dup(0))
    loaded = Loaded(msgspec.json.decode(config, type=SandboxConfig))
    texts = loaded.config.texts_path
    use_texts(read_texts(Path(texts)) if texts else {})
    for name in _LATE:
        import_module(name)
    forms_of(loaded.layouts)
    with suppress(OSError):
        load_seccomp()
    gc.collect()
    gc.freeze()
    parent = os.getpid()
    while pipes := socket.recv_fds(control, 1, 1)[1]:
        # When no process can be made the pipe is closed, which the service sees.
        with suppress(OSError):
            if os.fork() == 0:
                be_child(pipes[0], parent, loaded)
        os.close(pipes[0])
