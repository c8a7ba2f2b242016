"""Mail servers on loopback that answer as a test says, right or wrong."""

from __future__ import annotations

import contextlib
import itertools
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ingest.transports.imap.connect import ImapConfig
from tests.fakes import mail

Answer = Callable[[str], Iterator[bytes]]

LETTER = mail("first")
DATE = b'"10-Nov-2026 09:15:00 +0300"'


def literal(content: bytes) -> bytes:
    return b"{%d}\r\n%b" % (len(content), content)


class RefusedError(Exception):
    """Raised by an answer to refuse its command: `NO [OVERQUOTA] full`."""


class Listening:
    """Accepts connections, each served in a thread, until it is closed.

    Args:
        serve: Converses over one connection.
        context: For TLS from the first byte on; without it nothing is encrypted.
    """

    def __init__(
        self, serve: Callable[[socket.socket], None], context: ssl.SSLContext | None = None
    ) -> None:
        self._serve = serve
        self._context = context
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
                # An answer of several pieces would wait for the other side's acknowledgement.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._open.append(connection)
                threading.Thread(target=self._served, args=[connection], daemon=True).start()

    def _served(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context:
                connection = self._context.wrap_socket(connection, server_side=True)
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
        context: For TLS from the first byte on.
    """

    def __init__(
        self,
        answers: dict[str, Answer] | None = None,
        greeting: Callable[[], Iterator[bytes]] = lambda: iter([b"* OK ready\r\n"]),
        capabilities: bytes = b"IMAP4rev1 MOVE UIDPLUS",
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.capabilities = capabilities
        self.commands: list[str] = []
        self._answers = answers or {}
        self._greeting = greeting
        super().__init__(self._converse, context)

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
                command = line
                if b" AUTHENTICATE " in line:
                    connection.sendall(b"+ \r\n")
                    command = line.strip() + b" " + lines.readline()
                while announced := re.search(rb"\{(\d+)\}\r\n$", command):
                    connection.sendall(b"+ go on\r\n")
                    command += lines.read(int(announced[1])) + lines.readline()
                self._obey(connection, command.decode(errors="replace"))

    def _obey(self, connection: socket.socket, line: str) -> None:
        tag, _, rest = line.strip().partition(" ")
        words = rest.split() or [""]
        command = " ".join(words[:2] if words[0] == "UID" else words[:1]).upper()
        self.commands.append(rest or tag)
        said = "OK done"
        try:
            for answer in (self._answers.get(command) or self._usual(command))(rest):
                connection.sendall(answer)
        except RefusedError as refused:
            said = str(refused)
        connection.sendall(f"{tag} {said}\r\n".encode())

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


class PlainImap(ScriptedImap):
    """Folders of letters behind RFC 3501 alone: it knows neither MOVE nor UIDPLUS.

    Attributes:
        folders: Letters and their flags by UID, of each folder.
        copied: Called after each COPY: what another client does meanwhile.

    Args:
        letters: In INBOX, from UID 11 on.
        keeps_keywords: Whether clients may set keywords of their own.
    """

    copied: Callable[[], object] = staticmethod(lambda: None)

    def __init__(self, *letters: bytes, keeps_keywords: bool = True) -> None:
        inbox = {uid: (letter, set[str]()) for uid, letter in enumerate(letters, 11)}
        self.folders = {"INBOX": inbox}
        self._selected = inbox
        self._flags = b"\\Deleted \\*" if keeps_keywords else b"\\Deleted"
        answers = {
            "SELECT": self._select,
            "LIST": self._list,
            "CREATE": self._create,
            "APPEND": self._append,
            "EXPUNGE": self._expunge,
            "UID SEARCH": self._search,
            "UID FETCH": self._fetch,
            "UID COPY": self._copy,
            "UID STORE": self._store,
        }
        super().__init__(answers, capabilities=b"IMAP4rev1")

    def contents(self, folder: str) -> list[bytes]:
        return [letter for letter, _ in self.folders[folder].values()]

    def _usual(self, command: str) -> Answer:
        if command in {"CAPABILITY", "LOGIN", "LOGOUT", "SUBSCRIBE"}:
            return super()._usual(command)
        raise RefusedError(f"BAD {command} is no command of RFC 3501")

    def _named(self, rest: str) -> dict[int, tuple[bytes, set[str]]]:
        name = rest.split('"')[1]
        if name not in self.folders:
            raise RefusedError("NO [TRYCREATE] there is no such folder")
        return self.folders[name]

    def _select(self, rest: str) -> Iterator[bytes]:
        self._selected = self._named(rest)
        yield b"* %d EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n" % len(self._selected)
        yield b"* OK [PERMANENTFLAGS (%b)] x\r\n" % self._flags

    def _list(self, rest: str) -> Iterator[bytes]:
        wanted = rest.split('"')[-2]
        if wanted in self.folders:
            yield b'* LIST () "/" "%b"\r\n' % wanted.encode()

    def _create(self, rest: str) -> Iterator[bytes]:
        self.folders[rest.split('"')[1]] = {}
        return iter(())

    def _append(self, rest: str) -> Iterator[bytes]:
        folder = self._named(rest)
        content = rest.partition("}\r\n")[2].encode()
        flags = set(rest.partition("(")[2].partition(")")[0].split())
        folder[max(folder, default=10) + 1] = content, flags
        return iter(())

    def _expunge(self, _rest: str) -> Iterator[bytes]:
        for uid in [uid for uid, (_, flags) in self._selected.items() if "\\Deleted" in flags]:
            del self._selected[uid]
        return iter(())

    def _search(self, rest: str) -> Iterator[bytes]:
        found = set(self._selected)
        if "DELETED" in rest:
            found = {uid for uid in found if "\\Deleted" in self._selected[uid][1]}
        if within := re.search(r"SINCE (\S+) BEFORE (\S+)", rest):
            since, before = (parsedate_to_datetime(f"{day} 00:00 +0000") for day in within.groups())
            found = found if since <= datetime(2026, 11, 10, tzinfo=UTC) < before else set()
        if "UNKEYWORD" in rest:
            keyword = rest.rsplit(maxsplit=1)[-1]
            found = {uid for uid in found if keyword not in self._selected[uid][1]}
        yield b"* SEARCH " + b" ".join(b"%d" % uid for uid in sorted(found)) + b"\r\n"

    def _fetch(self, rest: str) -> Iterator[bytes]:
        for uid in map(int, rest.split()[2].split(",")):
            for line in fetched(rest, content=self._selected[uid][0]):
                yield line.replace(b"UID 11", b"UID %d" % uid)

    def _copy(self, rest: str) -> Iterator[bytes]:
        folder = self._named(rest)
        for uid in map(int, rest.split()[2].split(",")):
            folder[max(folder, default=10) + 1] = self._selected[uid][0], set()
        self.copied()
        return iter(())

    def _store(self, rest: str) -> Iterator[bytes]:
        _, _, uids, change, flags = rest.split(maxsplit=4)
        for uid in map(int, uids.split(",")):
            held, named = self._selected[uid][1], flags.strip("()").split()
            held.update(named) if change.startswith("+") else held.difference_update(named)
        return iter(())


def fetched(rest: str, date: bytes = DATE, content: bytes = LETTER) -> Iterator[bytes]:
    """What an ordinary server answers to FETCH for the one letter."""
    if "BODY.PEEK" in rest:
        part = b"<0>" if "<0." in rest else b""
        yield b"* 1 FETCH (UID 11 BODY[]" + part + b" " + literal(content) + b")\r\n"
    else:
        dated = b" INTERNALDATE " + date if "INTERNALDATE" in rest else b""
        yield b"* 1 FETCH (UID 11 RFC822.SIZE %d%b)\r\n" % (len(content), dated)
