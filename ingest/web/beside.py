"""The pages as a process of their own beside the daemon, so that no letter waits for a visitor."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import socket

import structlog

from ingest.web.server import GRACE_SECONDS, opened

log = structlog.get_logger()

_NICENESS = 7
"""What letters need of the CPU is theirs before it is the pages'; a core that a process of
letters fills leaves a sixth to the pages: they still answer, slowly, at the turn of a month."""

_REST_SECONDS, _REST_MOST = 1.0, 60.0
"""How long after its end the process is started anew; twice as long after each time at which
it did not last for a minute."""


class Beside:
    """Keeps `ingest web` running on a socket of ours; who asks while it starts waits there.

    Args:
        command: Of `ingest web`.
        told: Called with the name of each event that it logs.

    Attributes:
        address: Where the pages are served; '' for nowhere.
    """

    def __init__(self, command: Sequence[str], told: Callable[[str], object]) -> None:
        self._command = command
        self._told = told
        self._listening: socket | None = None
        self._kept: _Kept | None = None
        self.address = ""

    def listen(self, address: str) -> None:
        """Serve at `host:port` from now on, by the configuration as it is now; '' serves nothing.

        The process before serves on until the next one does: a start that fails changes nothing.

        Raises:
            OSError: the address cannot be listened on; the one before is still served.
        """
        if address != self.address:
            listening = opened(address) if address else None
            if self._listening is not None:
                self._listening.close()
            self._listening, self.address = listening, address
        if self._listening is not None:
            self._kept = _Kept(self._command, self._listening, self._told, self._kept)
        elif self._kept is not None:
            self._kept.end()

    def close(self) -> None:
        """Serve nothing any more; pages in hand are finished first."""
        self.listen("")
        if self._kept is not None:
            self._kept.wait()


class _Kept:
    """One process after the other, until it is ended."""

    def __init__(
        self,
        command: Sequence[str],
        listening: socket,
        told: Callable[[str], object],
        before: _Kept | None,
    ) -> None:
        self._command = command
        # Of its own: the address may be given up before the last process has ended.
        self._listening = listening.dup()
        self._told = told
        self._before = before
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._process: subprocess.Popen[str] | None = None
        self._thread = threading.Thread(target=self._keep, name="web", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Have it end as SIGTERM does, and start no other."""
        with self._lock:
            self._over.set()
            if self._process is not None:
                self._process.terminate()
        self._end_before()

    def wait(self) -> None:
        """Wait for its end; what takes too long is killed."""
        self._thread.join(2 * GRACE_SECONDS)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _end_before(self) -> None:
        before, self._before = self._before, None
        if before is not None:
            before.end()

    def _keep(self) -> None:
        rest = _REST_SECONDS
        with self._listening:
            while not self._over.is_set():
                begun = time.monotonic()
                try:
                    self._run()
                except OSError as fault:
                    log.warning("pages.ended", error=str(fault))
                rest = (
                    min(2 * rest, _REST_MOST)
                    if time.monotonic() - begun < _REST_MOST
                    else _REST_SECONDS
                )
                self._over.wait(rest)

    def _run(self) -> None:
        with self._lock:
            if self._over.is_set():
                return
            # In a group of its own: Ctrl-C is for the daemon. Not in a session of its own: the
            # kernel may share the CPU out by sessions first, and niceness counts within one.
            self._process = process = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=self._listening.fileno(),
                stdout=subprocess.PIPE,
                text=True,
                process_group=0,
            )
        with process:
            with suppress(OSError):
                own = os.getpriority(os.PRIO_PROCESS, 0)
                os.setpriority(os.PRIO_PROCESS, process.pid, own + _NICENESS)
            for line in process.stdout or ():
                # An empty line: it serves.
                self._end_before()
                if name := line.strip():
                    self._told(name)
        if not self._over.is_set():
            log.warning("pages.ended", error=f"exit {process.returncode}")
