"""What hostile letters are made with, and the list that they enter."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from layouts.findings import Code

MB = 1024 * 1024

CODE, PASSWORD, SENDER = "200000001234", "Zima-2026", "buh@primer.example"
DECLARATION = b'<?xml version="1.0"?>\n'
LOGIN = f"Код: {CODE}\r\nПароль: {PASSWORD}\r\n".encode()


@dataclass(frozen=True)
class Hostile:
    """One letter and what may be told of it.

    Attributes:
        told: Codes of which one at least is a finding of the letter or of a document
            in it; empty: it is harmless, once it is read with care.
    """

    name: str
    make: Callable[[], bytes]
    told: frozenset[Code]

    def __str__(self) -> str:
        return self.name


CORPUS: list[Hostile] = []


def hostile(*told: Code) -> Callable[[Callable[[], bytes]], Callable[[], bytes]]:
    """Enter a letter into the corpus under its function's name."""

    def enter(make: Callable[[], bytes]) -> Callable[[], bytes]:
        CORPUS.append(Hostile(make.__name__.replace("_", "-"), make, frozenset(told)))
        return make

    return enter


# Letters.


def header(subject: bytes = b"hostile", extra: bytes = b"", sender: str = SENDER) -> bytes:
    return (
        b"From: " + sender.encode() + b"\r\nTo: meters@retailer.example\r\nSubject: " + subject
        # Where there is none, the ledger and the replies need none either.
        + b"\r\nMIME-Version: 1.0\r\n" + extra
    )  # fmt: skip


def plain(body: bytes, kind: bytes = b"text/plain", subject: bytes = b"hostile") -> bytes:
    """A letter that is nothing but a body."""
    return (
        header(subject) + b"Content-Type: " + kind + b"; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: 8bit\r\n\r\n" + body
    )


def several(*parts: bytes, extra: bytes = b"") -> bytes:
    """A letter of parts that have their own headers."""
    inside = b"".join(b"--b\r\n" + part + b"\r\n" for part in parts)
    head = header(extra=extra) + b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
    return head + inside + b"--b--\r\n"


BODY = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + LOGIN


def attached(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """A part that carries a file."""
    coded = base64.encodebytes(content)
    return (
        f'Content-Type: {kind}; name="{name}"\r\n'
        f'Content-Disposition: attachment; filename="{name}"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + coded


def carrying(name: str, content: bytes, kind: str = "application/octet-stream") -> bytes:
    """A letter with credentials and one file."""
    return several(BODY, attached(name, content, kind))


def ordinary(number: int = 0) -> bytes:
    """A letter as all should be, with a reading that no other one has."""
    instant = datetime(2026, 10, 1) + timedelta(hours=number)  # noqa: DTZ001 - local time
    document = (
        '<package class="52006" version="1" sender_code="200000001234" created="20261120091500">'
        '<meter number="07512345" point="200000001234-01"><reading channel="A+" zone="T1" '
        f'date_time="{instant:%Y%m%d%H}" value="12345.67"/></meter></package>'
    )
    return carrying("52006.xml", document.encode(), "text/xml")


# Archives.


def zipped(*files: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, how, 9)
    return packed.getvalue()


def deflated(pieces: Iterator[bytes]) -> tuple[bytes, int, int]:
    """A raw deflate stream, its CRC and how much it unpacks to; nothing is kept whole."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    crc = size = 0
    packed = bytearray()
    for piece in pieces:
        crc, size = zlib.crc32(piece, crc), size + len(piece)
        packed += packer.compress(piece)
    packed += packer.flush()
    return bytes(packed), crc, size


def archive(*entries: tuple[str, bytes, int, int], copies: int = 1) -> bytes:
    """A zip of streams that are packed already; with copies every name shares one stream."""
    made, directory = bytearray(), bytearray()
    for name, packed, crc, size in entries:
        about = struct.pack("<5H3L", 20, 0, 8, 0, 33, crc, len(packed), size & 0xFFFFFFFF)
        at = len(made)
        made += b"PK\3\4" + about + struct.pack("<2H", len(name), 0) + name.encode() + packed
        for _ in range(copies):
            directory += b"PK\1\2" + struct.pack("<H", 20) + about
            directory += struct.pack("<5H2L", len(name), 0, 0, 0, 0, 0, at) + name.encode()
    count = len(entries) * copies
    end = struct.pack("<4H2LH", 0, 0, count, count, len(directory), len(made), 0)
    return bytes(made + directory + b"PK\5\6" + end)


def repeated(piece: bytes, times: int) -> tuple[bytes, int, int]:
    """The same for one piece again and again, packed only once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(piece, crc)
    return packed * times + packer.flush(), crc, len(piece) * times


def zeros(megabytes: int) -> tuple[bytes, int, int]:
    return repeated(bytes(MB), megabytes)
