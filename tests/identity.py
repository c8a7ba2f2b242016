"""An identity provider of the tests' own, on loopback."""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import parse_qs, urlsplit


@dataclass
class Provider:
    """What it gives, how it misbehaves, and what it was asked.

    Attributes:
        rotates: Each refresh token is good for one use; the one before the last is refused.
        clients: Mailboxes of clients that have one of their own, by the client's id.
        users: The mailbox that each access token is of.
        answers: Given in turn, in place of what it would answer: (status, body).
        drips: A piece of the answer every so many seconds, for ever.
    """

    user: str = "meters@example.ru"
    clients: dict[str, str] = field(default_factory=dict)
    expires_in: object = 3600
    rotates: bool = True
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    drips: float = 0
    asked: list[dict[str, str]] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)
    good: set[str] = field(default_factory=lambda: {"refresh-0"})
    pending: int = 0
    port: int = 0
    _numbers: count = field(default_factory=lambda: count(1))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        with self._lock:
            number = next(self._numbers)
            grant = form.get("grant_type", "")
            if grant == "refresh_token" and form["refresh_token"] not in self.good:
                return 400, {"error": "invalid_grant"}
            if grant.endswith("device_code") and self.pending:
                self.pending -= 1
                return 400, {"error": "authorization_pending"}
            access = f"access-{number}"
            self.users[access] = self.clients.get(form.get("client_id", ""), self.user)
            answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.expires_in}
            if grant in {"refresh_token", "authorization_code"} or grant.endswith("device_code"):
                answer["refresh_token"] = f"refresh-{number}"
                # As providers do: the token before stays good until the new one was used.
                before = form.get("refresh_token")
                self.good = {f"refresh-{number}", *([before] if before else [])}
                if not self.rotates:
                    answer.pop("refresh_token")
            return 200, answer

    def introspect(self, token: str) -> dict[str, object]:
        """RFC 7662, as Dovecot asks."""
        user = self.users.get(token)
        return {"active": "true", "email": user} if user else {"active": "false"}


class _Handler(BaseHTTPRequestHandler):
    provider: Provider

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(body).items()}
        provider = self.provider
        if self.path == "/introspect":
            self._answer(200, provider.introspect(form["token"]))
            return
        provider.asked.append(form)
        if provider.answers:
            status, content = provider.answers.pop(0)
            self._send(status, content)
        elif provider.drips:
            self._drip()
        elif self.path == "/device":
            self._answer(200, {
                "device_code": "device-secret", "user_code": "ABCD-EFGH", "interval": 1,
                "verification_uri": f"{provider.url}/agree", "expires_in": 600,
            })  # fmt: skip
        else:
            self._answer(*provider.token(form))

    def do_GET(self):
        token = parse_qs(urlsplit(self.path).query).get("token", [""])[0]
        self._answer(200, self.provider.introspect(token))

    def _answer(self, status, told):
        self._send(status, json.dumps(told).encode())

    def _send(self, status, content):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        try:
            while True:
                self.wfile.write(b" ")
                self.wfile.flush()
                time.sleep(self.provider.drips)
        except OSError:
            pass

    def log_message(self, *_args):
        pass


@contextmanager
def identity_provider():
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    provider.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
