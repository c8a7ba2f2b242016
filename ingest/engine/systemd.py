"""What systemd is told of the service, and the watchdog that real progress feeds.

Source: sd_notify(3), whose protocol is one datagram of `NAME=value` lines; a library of its
own would be longer than this file.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import structlog

log = structlog.get_logger()

LOOKED_EVERY_SECONDS = 5.0
"""Seconds between looks for stuck threads, unless systemd's WatchdogSec asks for less."""


class Notify:
    """Tells systemd; without its socket in the environment everything is a no-op."""

    def __init__(self, environment: Mapping[str, str] = os.environ) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # An abstract address begins with NUL, which no variable can hold.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        is_for_us = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        wanted = environment.get("WATCHDOG_USEC", "")
        self.watchdog_seconds = int(wanted) / 1e6 if wanted.isdigit() and is_for_us else 0.0

    def tell(self, *lines: str) -> None:
        """Send lines such as `READY=1`; a fault is none of the service."""
        if self._address:
            with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
                out.settimeout(1)
                out.sendto("\n".join(lines).encode(), self._address)

    def ready(self) -> None:
        """Send READY=1."""
        self.tell("READY=1", "STATUS=reads and answers")

    def reloading(self) -> None:
        """Send RELOADING=1; `ready` follows."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """Send STOPPING=1."""
        self.tell("STOPPING=1", "STATUS=finishes the letters in hand")


class Watchdog:
    """Feeds systemd's watchdog from a thread of its own, as long as nothing is stuck.

    Args:
        notify: Tells systemd.
        stuck: What shows no progress; asked again and again.
    """

    def __init__(self, notify: Notify, stuck: Callable[[], Sequence[str]]) -> None:
        self._notify = notify
        self._stuck = stuck
        self._ended = threading.Event()
        self._told: Sequence[str] = ()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def close(self) -> None:
        """Stop the thread."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        wanted = self._notify.watchdog_seconds
        pause = min(LOOKED_EVERY_SECONDS, wanted / 3 or LOOKED_EVERY_SECONDS)
        while not self._ended.wait(pause):
            stuck = self._stuck()
            if stuck and stuck != self._told:
                log.error("service.stuck", jobs=list(stuck))
            self._told = stuck
            if not stuck and wanted:
                self._notify.tell("WATCHDOG=1")
