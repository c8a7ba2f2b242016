"""Figures for monitoring: what the log tells, counted; what the database holds, asked.

`/metrics` is in the form of Prometheus. `/healthz` answers 200 while the database
answers, no mail server fails and every mailbox was read through lately, else 503 with
the reasons.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, Counter, Histogram, make_wsgi_app
from prometheus_client.core import GaugeMetricFamily, Metric

from ingest.operations.status import Status
from storage.records.running import ServerState

State = Callable[[], Status]
"""How the service stands; raises `ConnectionError` when the database is away."""


_ALARMING = ("letter.failed", "letter.quarantined", "reply.bounced", "reply.undeliverable")


class Metrics:
    """Counts events of the log; a processor of structlog, and a WSGI application."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._registry = CollectorRegistry()
        self._events = Counter(
            "ingest_events", "Events of the log, as docs/events.md names them.",
            ["event"], registry=self._registry,
        )  # fmt: skip
        for event in _ALARMING:
            # A series that begins with its first event shows no increase.
            self._events.labels(event)
        self._seconds = Histogram(
            "ingest_letter_seconds", "From a letter's claim to its commit.",
            registry=self._registry,
            buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60),
        )  # fmt: skip
        self._values = Counter(
            "ingest_values", "Values accepted, changed or not.", registry=self._registry
        )
        self._registry.register(_State(state))
        self._metrics = make_wsgi_app(self._registry)

    def __call__(self, _logger: object, _method: str, event: Any) -> Any:
        """Count one event and pass it on as it is."""
        name = str(event.get("event"))
        self._events.labels(name).inc()
        if name.startswith("letter.") and "values" in event:
            self._seconds.observe(event["duration_ms"] / 1000)
            self._values.inc(event["values"])
        return event

    def application(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        """Both pages; every other path is 404."""
        path = environ.get("PATH_INFO")
        if path == "/metrics":
            pages: Iterable[bytes] = self._metrics(environ, start)
            return pages
        if path == "/healthz":
            reasons = self._reasons()
            start(
                "503 Service Unavailable" if reasons else "200 OK",
                [("Content-Type", "text/plain; charset=utf-8")],
            )
            return ["\n".join(reasons or ["ok"]).encode() + b"\n"]
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"/metrics or /healthz\n"]

    def _reasons(self) -> list[str]:
        try:
            return list(self._state().faults)
        except ConnectionError as fault:
            return [str(fault)]


class _State:
    """What the database holds, asked at each scrape; nothing while it is away."""

    def __init__(self, state: State) -> None:
        self._state = state

    def collect(self) -> Iterator[Metric]:
        """One gauge for each figure."""
        try:
            state = self._state()
        except ConnectionError:
            return
        for key, text in _GAUGES.items():
            yield GaugeMetricFamily(f"ingest_{key}", text, getattr(state.known, key))
        yield GaugeMetricFamily(
            "ingest_faults", "How many faults /healthz tells.", len(state.faults)
        )
        passes = GaugeMetricFamily(
            "ingest_last_pass_timestamp_seconds",
            "When a mailbox was last read through.",
            labels=["mailbox"],
        )
        for name, moment in state.mailboxes.items():
            if moment:
                passes.add_metric([name], moment.timestamp())
        yield passes
        yield from _servers(state.servers)
        since = state.known.oldest_unanswered
        yield GaugeMetricFamily(
            "ingest_oldest_unanswered_seconds",
            "Age of the oldest reply that is still owed.",
            (datetime.now(UTC) - since).total_seconds() if since else 0,
        )
        ends = GaugeMetricFamily(
            "ingest_oauth_ends_timestamp_seconds",
            "When a secret, a certificate or an unused refresh token ends.",
            labels=["account", "what"],
        )
        for ending in state.endings:
            ends.add_metric([ending.account, ending.what], ending.at.timestamp())
        yield ends


def _servers(servers: Sequence[ServerState]) -> Iterator[Metric]:
    failing = GaugeMetricFamily(
        "ingest_server_failing", "1 while a mail server fails.", labels=["server"]
    )
    since = GaugeMetricFamily(
        "ingest_server_failing_since_timestamp_seconds",
        "Since when a mail server fails.",
        labels=["server"],
    )
    for server in servers:
        failing.add_metric([server.name], int(server.failing_since is not None))
        if server.failing_since is not None:
            since.add_metric([server.name], server.failing_since.timestamp())
    yield failing
    yield since


_GAUGES = {
    "queue": "Letters without a verdict yet.",
    "quarantined": "Letters that a person must look at.",
    "owed": "Replies that wait to leave.",
    "undeliverable": "Replies that will never leave, and that no operator has settled.",
    "bounced": "Replies that came back, and that no operator has settled.",
    "asking": "Requests for access that nobody has answered.",
    "waiting": "Letters not tried yet, as their user code was guessed at too often.",
}


class Figures:
    """Serves `/metrics` and `/healthz` at one address at a time, from threads."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._server: _Server | None = None
        self.address = ""

    @property
    def port(self) -> int:
        """The port listened on; 0 while nothing is served."""
        return self._server.server_port if self._server else 0

    def listen(self, address: str) -> None:
        """Serve at `host:port` from now on, and nowhere else; '' serves nothing.

        Raises:
            OSError: the address cannot be listened on; the one before is still served.
        """
        if address == self.address:
            return
        server = _started(address, self._metrics) if address else None
        self.close()
        self._server, self.address = server, address

    def close(self) -> None:
        """Serve nothing any more."""
        server, self._server, self.address = self._server, None, ""
        if server is not None:
            server.shutdown()
            server.server_close()


def _started(address: str, metrics: Metrics) -> _Server:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    kind = _Server6 if ":" in host else _Server
    server = make_server(host, int(port), metrics.application, kind, handler_class=_Quiet)
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server


class _Server(ThreadingMixIn, WSGIServer):
    """A thread for each connection: one slow client holds up neither others nor the end."""

    timeout = 5
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


class _Server6(_Server):
    """The same at an address of IPv6."""

    address_family = socket.AF_INET6


class _Quiet(WSGIRequestHandler):
    """Request handler that does not log requests."""

    timeout = 5

    def log_message(self, *_args: object) -> None:
        """Log nothing: a monitor asks every few seconds."""
