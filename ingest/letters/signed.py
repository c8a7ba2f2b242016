"""What an opaque CMS signature (S/MIME, .p7m, .sig) holds, and whether there is one.

The signature itself is not verified: who a sender is, the password says. BER is read
here, as asn1crypto takes a minute for 20 MB that are sent in small pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingest.letters.decoding import from_base64

_SIGNED = bytes.fromhex("2a864886f70d010702")
_ENVELOPED = (bytes.fromhex("2a864886f70d010703"), bytes.fromhex("2a864886f70d0109100117"))
_DATA = bytes.fromhex("2a864886f70d010701")
_DEEP = 8
ELEMENTS_MOST = 250_000
"""Steps over elements of one message: one in pieces takes seven a piece, and 25 MB in pieces
of 1,000 bytes need 175,000."""

ELEMENT_BYTES = 36
"""A message has fewer of them than one for so many bytes: pieces have 256 bytes and more."""

_ELEMENTS_FREE = 200

_ARMOUR = re.compile(rb"\s{0,1000}-----BEGIN [A-Z0-9# ]{1,40}-----")
# A SEQUENCE in base64 begins so, whatever its length.
_BARE = re.compile(rb"(?:\xef\xbb\xbf)?\s{0,1000}(M[A-P][A-Za-z0-9+/=\s]*+)\Z")
_SIGNATURE_ENDINGS = re.compile(r"(?i)(?:\.(?:p7m|p7s|p7|pkcs7|sig|sgn|sign|cms|pem))+$")


class _NotBerError(ValueError):
    """The bytes are not BER, or not of a shape that is read here."""


def cms_message(content: bytes) -> bytes | None:
    """The CMS message that a file is: as it stands, in PEM, or in bare base64.

    Signing programs write all three, under any name and type.
    """
    if _is_cms(content):
        return content
    if begin := _ARMOUR.match(content):
        message = from_base64(content[begin.end() :].partition(b"-----END")[0])
    else:
        bare = _BARE.match(content)
        message = from_base64(bare[1]) if bare else b""
    return message if _is_cms(message) else None


def _is_cms(content: bytes) -> bool:
    start = content[:32]
    return start[:1] == b"0" and any(b"\x06" + bytes([len(oid)]) + oid in start for oid in _KINDS)


_KINDS = (_SIGNED, *_ENVELOPED)


def name_without_signature(name: str) -> str:
    """The name that a file had before it was signed."""
    return _SIGNATURE_ENDINGS.sub("", name)


def signed_content(message: bytes) -> bytes | None:
    """What a CMS SignedData carries; None when it is encrypted, too costly or something else.

    Source: RFC 5652, sections 3, 5.1 and 5.2; X.690 for indefinite lengths, which
    Outlook uses.
    """
    ber = _Ber(message)
    try:
        kind, inside = ber.pair(ber.sequence(message))
        if kind != _SIGNED:
            return None
        for tag, value in ber.elements(ber.sequence(inside)):
            if tag == 0x30:
                inner_kind, carried = ber.pair(value)
                return ber.octets(carried) if inner_kind == _DATA else None
    except _NotBerError:
        pass
    return None


def is_encrypted(message: bytes) -> bool:
    """Whether a CMS message is enveloped, so that only its recipient can read it."""
    ber = _Ber(message)
    try:
        return ber.pair(ber.sequence(message))[0] in _ENVELOPED
    except _NotBerError:
        return False


class _Ber:
    """Reads elements of one message, and counts them."""

    def __init__(self, message: bytes) -> None:
        self._left = min(ELEMENTS_MOST, _ELEMENTS_FREE + len(message) // ELEMENT_BYTES)

    def sequence(self, data: bytes) -> bytes:
        """The content of the first element, which is a SEQUENCE."""
        tag, value = next(self.elements(data), (0, b""))
        if tag != 0x30:
            raise _NotBerError
        return value

    def pair(self, data: bytes) -> tuple[bytes, bytes]:
        """An object identifier and the explicitly tagged element after it."""
        elements = self.elements(data)
        kind, tagged = next(elements, None), next(elements, None)
        if kind is None or tagged is None or kind[0] != 0x06 or tagged[0] != 0xA0:
            raise _NotBerError
        return kind[1], tagged[1]

    def octets(self, data: bytes, depth: int = 0) -> bytes:
        """An OCTET STRING, also one sent in pieces."""
        if depth > _DEEP:
            raise _NotBerError
        kept: list[bytes] = []
        for tag, value in self.elements(data):
            if tag == 0x04:
                kept.append(value)
            elif tag == 0x24:
                kept.append(self.octets(value, depth + 1))
        return b"".join(kept)

    def elements(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(tag, content) of the elements that stand side by side in `data`."""
        at = 0
        while at + 2 <= len(data) and data[at : at + 2] != b"\0\0":
            tag, start, end, after = self._element(data, at)
            yield tag, data[start:end]
            at = after

    def _element(self, data: bytes, at: int, depth: int = 0) -> tuple[int, int, int, int]:
        """Tag of the element at `at`, start and end of its content, and what is after it."""
        self._left -= 1
        if at + 2 > len(data) or depth > _DEEP or self._left < 0:
            raise _NotBerError
        tag, length, start = data[at], data[at + 1], at + 2
        if length == 0x80:
            inside = start
            while data[inside : inside + 2] != b"\0\0":
                inside = self._element(data, inside, depth + 1)[3]
            return tag, start, inside, inside + 2
        if length > 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[start : start + size], "big")
            start += size
        if start + length > len(data):
            raise _NotBerError
        return tag, start, start + length, start + length
