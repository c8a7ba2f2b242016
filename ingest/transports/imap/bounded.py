"""An IMAP client that bounds each command's answer in bytes and seconds."""

from __future__ import annotations

import imaplib
import io
from typing import Any, cast

from imapclient import IMAPClient
from imapclient.imap4 import IMAP4WithTimeout
from imapclient.tls import IMAP4_TLS

from ingest.transports.bounds import Bounds, Exceeded, Meter


class _Bounded(imaplib.IMAP4):
    """Counts what is read since the last command was sent, the greeting included."""

    def __init__(self, bounds: Bounds, *args: Any) -> None:
        self._meter = Meter(bounds)
        super().__init__(*args)

    def send(self, data: Any) -> None:
        self._meter.begin()
        super().send(data)

    def read(self, size: int) -> bytes:
        try:
            return self._meter.literal(cast("io.BufferedReader", self.file), size)
        except Exceeded as over:
            raise self.abort(str(over)) from over

    def readline(self) -> bytes:
        try:
            return self._meter.line(cast("io.BufferedReader", self.file))
        except Exceeded as over:
            raise self.abort(str(over)) from over


class _Plain(_Bounded, IMAP4WithTimeout):  # type: ignore[misc]
    pass


class _Tls(_Bounded, IMAP4_TLS):  # type: ignore[misc]
    pass


class BoundedIMAPClient(IMAPClient):  # type: ignore[misc]
    """IMAPClient over a connection that is bounded, from the greeting on."""

    def __init__(self, host: str, bounds: Bounds, **options: Any) -> None:
        self._bounds = bounds
        super().__init__(host, **options)

    def _create_IMAP4(self) -> imaplib.IMAP4:  # noqa: N802 - the library's name
        seconds = self._timeout.connect
        if self.ssl:
            return _Tls(self._bounds, self.host, self.port, self.ssl_context, seconds)
        return _Plain(self._bounds, self.host, self.port, seconds)
