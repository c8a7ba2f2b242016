"""Mail servers on loopback that answer as a test says, right or wrong."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
from collections.abc import Callable, Iterator

from ingest.transports.imap.connect import ImapConfig
from tests.fakes import mail

Answer = Callable[[str], Iterator[bytes]]

LETTER = mail("first")
DATE = b'"10-Nov-2026 09:15:00 +0300"'


def literal(content: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(content), content)


class Listening:
    """Accepts connections, each served in a thread, until it is closed."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self._serve = serve
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for opened in (self._socket, *self._open):
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self._open.append(connection)
                threading.Thread(target=self._served, args=[connection], daemon=True).start()

    def _served(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            self._serve(connection)


class ScriptedSmtp(Listening):
    """Answers each line with what `answer` makes of its first word, '' for the greeting."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        super().__init__(self._converse)

    def _converse(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as lines:
            words = (line.decode().partition(" ")[0].strip() for line in lines)
            for word in itertools.chain([""], words):
                for piece in self._answer(word.upper()):
                    connection.sendall(piece)


class ScriptedImap(Listening):
    """One letter in INBOX, until an answer of the test's own takes a command's place.

    Args:
        answers: By the command (`UID SEARCH`, `SELECT`, `UID FETCH`, …): makes the
            untagged lines, as bytes with their ends.
        greeting: Makes the lines before the first command.
        capabilities: As the server lists them.
    """

    def __init__(
        self,
        answers: dict[str, Answer] | None = None,
        greeting: Callable[[], Iterator[bytes]] = lambda: iter([b"* OK ready\r\n"]),
        capabilities: bytes = b"IMAP4rev1 MOVE UIDPLUS",
    ) -> None:
        self.capabilities = capabilities
        self.commands: list[str] = []
        self._answers = answers or {}
        self._greeting = greeting
        super().__init__(self._converse)

    def config(self, **options) -> ImapConfig:
        given = {
            "name": "main",
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "user": "user",
            "password": "password",
            "timeout_seconds": 5.0,
        }
        return ImapConfig(**(given | options))

    def _converse(self, connection: socket.socket) -> None:
        for line in self._greeting():
            connection.sendall(line)
        with connection.makefile("rb") as lines:
            for line in lines:
                self._obey(connection, line.decode())

    def _obey(self, connection: socket.socket, line: str) -> None:
        tag, _, rest = line.strip().partition(" ")
        words = rest.split()
        command = " ".join(words[:2] if words[0] == "UID" else words[:1]).upper()
        self.commands.append(rest)
        for answer in self._answers.get(command, self._usual(command))(rest):
            connection.sendall(answer)
        connection.sendall(f"{tag} OK done\r\n".encode())

    def _usual(self, command: str) -> Answer:
        told = {
            "CAPABILITY": [b"* CAPABILITY %b\r\n" % self.capabilities],
            "SELECT": [
                b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 12] x\r\n",
                b"* OK [PERMANENTFLAGS (\\Deleted \\*)] x\r\n",
            ],
            "LIST": [b'* LIST () "/" "Processed"\r\n'],
            "UID SEARCH": [b"* SEARCH 11\r\n"],
            "LOGOUT": [b"* BYE\r\n"],
        }
        if command == "UID FETCH":
            return fetched
        return lambda _rest: iter(told.get(command, []))


def fetched(rest: str, date: bytes = DATE, content: bytes = LETTER) -> Iterator[bytes]:
    """What an ordinary server answers to FETCH for the one letter."""
    if "BODY.PEEK" in rest:
        yield b"* 1 FETCH (UID 11 BODY[]<0> " + literal(content) + b")\r\n"
    else:
        dated = b" INTERNALDATE " + date if "INTERNALDATE" in rest else b""
        yield b"* 1 FETCH (UID 11 RFC822.SIZE %d%b)\r\n" % (len(content), dated)
