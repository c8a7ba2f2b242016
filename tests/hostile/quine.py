"""A zip archive that holds itself, so that opening everything in it never ends.

After the idea of Russ Cox, "Zip Files All The Way Down" (2010): a deflate stream of
literals (L) and repeats (R) prints the archive that it stands in. Each instruction is
5 bytes long, so that five, four or one of them can be printed by another. The checksum
of a file that holds its own checksum is found by solving for it: CRC-32 is linear.
"""

from __future__ import annotations

import struct
import zlib
from itertools import count

NAME = b"readings-for-november-2026.zip"
# With this the part after the stream is as long as one match of deflate reaches.
COMMENT = b".".ljust(155, b".")


def quine() -> bytes:
    """The archive; its only file is the archive."""
    for moment in count():
        # Not every matrix can be solved; another time makes another one.
        checksum = _fixed_point(moment)
        if checksum is not None:
            return _archive(moment, checksum)
    raise AssertionError


def _archive(moment: int, checksum: int) -> bytes:
    stream = _stream(b"\0" * (30 + len(NAME)), b"\0" * (46 + len(NAME) + 22 + len(COMMENT)))
    packed = len(stream)
    size = packed + 30 + 46 + 2 * len(NAME) + 22 + len(COMMENT)
    about = struct.pack("<5H3L", 20, 0, 8, moment, 33, checksum, packed, size)
    before = b"PK\3\4" + about + struct.pack("<2H", len(NAME), 0) + NAME
    directory = b"PK\1\2" + struct.pack("<H", 20) + about
    directory += struct.pack("<5H2L", len(NAME), 0, 0, 0, 0, 0, 0) + NAME
    end = struct.pack("<4H2LH", 0, 0, 1, 1, len(directory), len(before) + packed, len(COMMENT))
    after = directory + b"PK\5\6" + end + COMMENT
    return before + _stream(before, after) + after


def _stream(before: bytes, after: bytes) -> bytes:
    """The deflate stream that prints `before`, itself and `after`."""
    p, s = len(before) + 5, len(after) + 5
    l_p, l_s, l_0, l_1, l_4 = map(_literal, (p, s, 0, 5, 20))
    r_p, r_s, r_4 = _repeat(p), _repeat(s, is_last=True), _repeat(20)
    rows = (
        (l_p, before, l_p),
        (r_p,),
        (l_1, r_p),
        (l_1, l_1),
        (l_4, r_p, l_1, l_1, l_4),
        (r_4,),
        (l_4, r_4, l_4, r_4, l_4),
        (r_4,),
        (l_4, r_4, l_0, l_0, l_s),
        (r_4,),
        (l_0, l_0, l_s, r_s, after),
        (r_s,),
    )
    return b"".join(b"".join(row) for row in rows)


def _literal(size: int) -> bytes:
    """A stored block's head (RFC 1951, 3.2.4); as many bytes as `size` follow it."""
    return struct.pack("<BHH", 0, size, size ^ 0xFFFF)


# Size of a repeat to its matches in (value, bits): code and extra of the length, code and
# extra of the distance (RFC 1951, 3.2.5 and 3.2.6). Other sizes do not come to 40 bits.
_MATCHES = {
    20: 2 * ((0b0001000, 7), (0, 0), (0b01000, 5), (20 - 17, 3)),
    65: ((0b0010100, 7), (65 - 59, 3), (0b01100, 5), (65 - 65, 5)),
    258: ((0b11000101, 8), (0, 0), (0b10000, 5), (258 - 257, 7)),
}


def _repeat(size: int, *, is_last: bool = False) -> bytes:
    """Five bytes that print the last `size` bytes once more."""
    bits: list[int] = []
    codes = iter(_MATCHES[size])
    bits += (0, 1, 0)
    for (code, length), (extra, more) in zip(codes, codes, strict=True):
        # Codes begin with their highest bit, numbers with their lowest.
        bits += [code >> n & 1 for n in reversed(range(length))]
        bits += [extra >> n & 1 for n in range(more)]
    bits += [0] * 7
    while len(bits) < 40:
        # A block that holds nothing.
        bits += (int(is_last), 1, 0, *[0] * 7)
    return bytes(sum(bit << n for n, bit in enumerate(bits[at : at + 8])) for at in range(0, 40, 8))


def _fixed_point(moment: int) -> int | None:
    """The checksum c with crc(archive with c) = c, None when there is no single one."""
    base = zlib.crc32(_archive(moment, 0))
    rows = []
    for bit in range(32):
        moved = zlib.crc32(_archive(moment, 1 << bit)) ^ base ^ (1 << bit)
        rows.append((moved, 1 << bit))
    # Gauss, over two elements: which bits together move the checksum by `base`?
    wanted, chosen = base, 0
    for place in reversed(range(32)):
        pivot = next((row for row in rows if row[0] >> place & 1), None)
        if pivot is None:
            return None
        rows.remove(pivot)
        rows = [
            (row[0] ^ pivot[0], row[1] ^ pivot[1]) if row[0] >> place & 1 else row for row in rows
        ]
        if wanted >> place & 1:
            wanted, chosen = wanted ^ pivot[0], chosen ^ pivot[1]
    return chosen
