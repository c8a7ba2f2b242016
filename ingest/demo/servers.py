"""The demo's mail servers: pymap for IMAP and aiosmtpd for SMTP, both on loopback."""

from __future__ import annotations

import asyncio
import socket
import threading
from argparse import Namespace
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any, Self

from aiosmtpd.controller import Controller
from proxyprotocol.sock import SocketInfoLocal
from pymap.backend.dict import DictBackend
from pymap.imap import IMAPServer
from pysasl.hashing import BuiltinHash

HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on at the moment."""
    with socket.socket() as listening:
        listening.bind((HOST, 0))
        return int(listening.getsockname()[1])


USER = "meters@retailer.example"
PASSWORD = "demo"  # noqa: S105 - of a server that lives on loopback for a minute


class ImapServer:
    """One empty IMAP account in memory, served from a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="demo-imap", daemon=True)
        self._ready = threading.Event()
        self._stop = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(timeout=10):
            raise ConnectionError("the demo's IMAP server did not start within 10 seconds")
        return self

    def __exit__(self, *_exc: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=10)

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._run())

    async def _run(self) -> None:
        args = Namespace(
            debug=False, host=HOST, port="0", cert=None, key=None, tls=False,
            proxy_protocol=None, inherited_sockets=None, passlib_cfg=None,
            demo_data=False, demo_user=USER, demo_password=PASSWORD,
        )  # fmt: skip
        # By default each login costs a quarter of a second of hashing.
        backend, config = await DictBackend.init(args, hash_context=BuiltinHash(rounds=1))
        config.apply_context()
        async with AsyncExitStack() as stack:
            await backend.start(stack)
            imap = IMAPServer(backend.login, config)

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                # asyncio keeps this task as long as the connection. pymap's own way, through
                # ProxyProtocolReader, starts a task that nobody keeps: since Python 3.13 the
                # garbage collector ends a connection that waits for its next command.
                await imap(reader, writer, SocketInfoLocal(writer))

            server = await asyncio.start_server(serve, HOST, 0)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()
            await self._stop.wait()
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()


class SmtpServer:
    """Takes every mail; what becomes of it is the caller's.

    Args:
        deliver: Called with recipient and content of each mail, in the server's thread.
    """

    def __init__(self, deliver: Callable[[str, bytes], None]) -> None:
        self._deliver = deliver
        self._controller = _Controller(self, hostname=HOST, port=0)

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self._controller.port)

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Called by aiosmtpd once a mail is complete."""
        loop = asyncio.get_running_loop()
        for recipient in envelope.rcpt_tos:
            await loop.run_in_executor(None, self._deliver, recipient, envelope.content)
        return "250 OK"


class _Controller(Controller):
    """Learns its port from the system: port 0 is no address to connect to."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]
