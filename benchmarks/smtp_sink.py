"""An SMTP server in a process of its own: takes every mail and writes down when.

Run as `python -m benchmarks.smtp_sink FILE`; the first line of FILE is the port,
then comes one line for each mail: the moment, the letter it answers.
"""

from __future__ import annotations

import re
import signal
import sys
import time
from pathlib import Path

from aiosmtpd.controller import Controller

_ANSWERED = re.compile(rb"^In-Reply-To:\s*(\S+)", re.MULTILINE | re.IGNORECASE)


class Sink:
    """Keeps nothing but the moment and In-Reply-To; takes commands together, as servers do."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)

    async def handle_EHLO(self, _server, session, _envelope, hostname, answers) -> list[str]:  # noqa: N802
        """Called by aiosmtpd with its answers to EHLO."""
        session.host_name = hostname
        return [answers[0], "250-PIPELINING", *answers[1:]]

    async def handle_DATA(self, _server, _session, envelope) -> str:  # noqa: N802
        """Called by aiosmtpd once a mail is complete."""
        answered = _ANSWERED.search(envelope.content)
        self._file.write(b"%.6f %s\n" % (time.time(), answered[1] if answered else b"-"))
        return "250 OK"


class _Controller(Controller):
    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def main() -> None:
    path = Path(sys.argv[1])
    controller = _Controller(Sink(path), hostname="127.0.0.1", port=0)
    controller.start()
    part = path.with_suffix(".part")
    part.write_text(str(controller.port))
    part.rename(path.with_suffix(".port"))
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    controller.stop()


if __name__ == "__main__":
    main()
