"""Mail bytes to text: charsets, encoded words, parameters, transfer encodings.

Every function here is total: whatever the bytes, it gives a text or bytes back.
The standard library's decoders raise on hostile headers, stop at the first fault,
or leave undeclared Cyrillic as mojibake; accountants' mail programs make all three.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import contextlib
import encodings
import re
import string
import unicodedata
from encodings.aliases import aliases
from functools import lru_cache
from itertools import islice
from pkgutil import iter_modules
from urllib.parse import unquote_to_bytes

from parsers.encodings import likeliest

_CYRILLIC = ("cp1251", "koi8_r", "cp866", "mac_cyrillic", "iso8859_5")
"""What Russian mail is written in, the most frequent first."""

_SAYS_NOTHING = frozenset(
    {
        *("ascii", "iso8859-1", "cp1252", "iso8859-15"),
        *("utf-7", "unicode-escape", "raw-unicode-escape", "punycode", "idna"),
    }
)
"""Charsets that mail programs declare out of habit, and such as hide what they say.

Russian text cannot be in the first; the second spell any character, half ones
too, with plain letters.
"""

_WIDE = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32"})

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

NAME_MOST = 200
"""A file name is cut to this many characters, its ending kept."""


def text_of(content: bytes, charset: str | None = None) -> str:
    """The text in `content`, by its byte order mark, its charset, or a guess.

    Valid multi-byte UTF-8 is believed before any declared single-byte charset:
    no Cyrillic text looks like it by accident.
    """
    for mark, name in _BOMS:
        if content.startswith(mark):
            return content.decode(name, "replace").lstrip("\ufeff")
    declared = _codec(charset)
    # Russian in it is ASCII as well; what is only declared so has no zeros.
    is_wide = declared in _WIDE and b"\0" in content
    if content.isascii() and not is_wide:
        # ISO-2022 and the like are not sent by anybody who writes Russian.
        return content.decode("ascii")
    for likely in filter(None, (declared, "utf-8") if is_wide else ("utf-8", declared)):
        with contextlib.suppress(UnicodeError):
            return content.decode(likely)
    return content.decode(likeliest(content, _CYRILLIC, sample=_SAMPLE)[0], "replace")


_SAMPLE = 512
"""Bytes beyond ASCII by which a charset is guessed: a letter has a thousand names and values."""


def _codec(charset: str | None) -> str | None:
    """Python's name of a text charset, None when it is unknown or says nothing."""
    return _known_codec(charset[:40]) if charset else None


_CODECS = frozenset(aliases) | {module.name for module in iter_modules(encodings.__path__)}


@lru_cache(maxsize=256)
def _known_codec(charset: str) -> str | None:
    name = charset.strip().strip("\"'").strip().lower()
    # A search for one that is unknown looks for files.
    if not _CODECS.intersection(
        (plain := encodings.normalize_encoding(name), plain.replace(".", "_"))
    ):
        return None
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    # `codecs` also knows zlib and rot13, which are no charsets.
    is_text = getattr(info, "_is_text_encoding", True)
    return info.name if is_text and info.name not in _SAYS_NOTHING else None


ENCODED_WORD = re.compile(
    rb"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z-]{1,20})?\?([BbQq])\?([^?\r\n]*)\?="
)


_WORDS_MOST = 200


def header_text(raw: bytes, most: int = 2000) -> str:
    """A header's value as one line of text, at most `most` characters.

    Encoded words are read wherever they stand, also inside quotes and glued to
    other text. Neighbours of one charset are joined as bytes first, because many
    programs cut a letter of two bytes in half.

    Source: RFC 2047, and what senders make of it.
    """
    # An encoded word needs at most 12 bytes a character, and its wrapping some.
    raw = raw[: most * 16]
    if raw.isascii() and b"=?" not in raw:
        return one_line(raw.decode("ascii"))[:most]
    pieces: list[str] = []
    charset, pending, position = "", b"", 0
    for word in islice(ENCODED_WORD.finditer(raw), _WORDS_MOST):
        between = raw[position : word.start()]
        name = word[1].decode("ascii").lower()
        if between.strip() or name != charset:
            pieces.append(text_of(pending, charset))
            pending = b""
        if between.strip():
            pieces.append(text_of(between))
        charset, position = name, word.end()
        pending += _word_bytes(word[2], word[3])
    pieces.append(text_of(pending, charset))
    pieces.append(text_of(raw[position:]))
    return one_line("".join(pieces))[:most]


def _word_bytes(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"Bb":
        return from_base64(text)
    return binascii.a2b_qp(text.replace(b" ", b"_"), header=True)


def one_line(text: str) -> str:
    """`text` on one line, without control and direction characters.

    What stands in a header of ours or in a log can then neither end the line nor
    turn its reading direction.
    """
    joined = " ".join(text.split())
    # Nothing printable is among the unseen.
    if joined.isprintable():
        return joined
    return "".join(c for c in joined if unicodedata.category(c) not in _UNSEEN)


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

_PARAMETERS = frozenset({"boundary", "charset", "name", "filename"})
_PARAMETER_MOST = 10_000
_PIECES_MOST = 500
_PARAMETER = re.compile(rb';\s*([^=;"\s]{1,60})\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)', re.DOTALL)


def parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """A structured header's first word in lower case, and those parameters that count.

    Reads RFC 2231 (pieces, percent encoding, charsets), RFC 2047 where it must not
    be, unquoted blanks, and raw 8-bit text. Of equal names the first counts.
    """
    raw = raw[:16_384]
    first = text_of(raw.partition(b";")[0]).strip().strip('"').lower()
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, bytes]]] = {}
    for match in _PARAMETER.finditer(raw):
        name, _, rest = match[1].decode("ascii", "replace").lower().partition("*")
        if name not in _PARAMETERS or len(pieces.get(name, ())) > _PIECES_MOST:
            continue
        value = _unquoted(match[2].strip())
        if not rest and not match[1].endswith(b"*"):
            if name not in plain:
                plain[name] = header_text(value, _PARAMETER_MOST)
            continue
        number = rest.rstrip("*")
        order = int(number) if number.isdigit() else 0
        pieces.setdefault(name, []).append((order, match[1].endswith(b"*"), value))
    return one_line(first), plain | {name: _continued(found) for name, found in pieces.items()}


def _unquoted(value: bytes) -> bytes:
    if not value.startswith(b'"'):
        return value
    value = value[1:-1] if len(value) > 1 and value.endswith(b'"') else value[1:]
    # Old Windows programs send the whole path; its backslashes quote nothing.
    if re.match(rb"[A-Za-z]:\\|\\\\", value):
        return value
    return re.sub(rb"\\(.)", rb"\1", value)


def _continued(pieces: list[tuple[int, bool, bytes]]) -> str:
    """The text of one parameter's RFC 2231 pieces, whatever order they came in."""
    pieces.sort(key=lambda piece: piece[0])
    charset, joined = "", b""
    for index, (_, is_extended, text) in enumerate(pieces):
        value = text
        if is_extended and index == 0 and text.count(b"'") >= 2:
            name, _, value = text.split(b"'", 2)
            charset = name.decode("ascii", "replace")
        joined += unquote_to_bytes(value) if is_extended else value
    return header_text(joined) if b"=?" in joined else one_line(text_of(joined, charset))


def file_name(text: str) -> str:
    """A name to show and to log: no path, no control characters, bounded."""
    name = re.split(r"[/\\]", one_line(text).strip(' "'))[-1]
    if len(name) <= NAME_MOST:
        return name
    ending = name[name.rfind(".") :] if "." in name[-12:] else ""
    return name[: NAME_MOST - len(ending) - 1] + "…" + ending


_BASE64 = (string.ascii_letters + string.digits + "+/=").encode("ascii")
_NOT_BASE64 = bytes(set(range(256)) - set(_BASE64))
_STRAY_LINES_MOST = 100
"""Lines with stray signs that are looked at one by one; a footer has a few."""

_UU_LINES_MOST = 20_000
_UU_FAULTS_MOST = 100
"""Lines of a uuencoded file, and faulty ones among them; a workbook of 1 MB has 20,000."""

_BLANKS = b" \t\r\n\v\f\0"


def from_base64(content: bytes) -> bytes:
    """What a base64 text holds, as far as it goes.

    Stray signs within a line are passed over. The text ends at its padding, or at
    the first line that is none of it: virus scanners and lists append a footer.
    """
    packed = content.translate(None, _BLANKS)
    try:
        return base64.b64decode(packed, validate=True)
    except binascii.Error:
        packed = b"".join(_base64_lines(content))
    # A lone last character has too few bits for a byte.
    packed = packed[: len(packed) - (1 if len(packed) % 4 == 1 else 0)]
    return base64.b64decode(packed + b"=" * (-len(packed) % 4))


_CLEAN = (string.ascii_letters + string.digits + "+/" + string.whitespace).encode("ascii")


def _base64_lines(content: bytes) -> list[bytes]:
    stray = len(content) - len(content.lstrip(_CLEAN))
    start = content.rfind(b"\n", 0, stray) + 1
    kept = [clean] if (clean := content[:start].translate(None, _BLANKS)) else []
    for number, line in enumerate(
        re.split(rb"\r\n?|\n", content[start:], maxsplit=_STRAY_LINES_MOST)
    ):
        packed = line.translate(None, _NOT_BASE64)
        if kept and number < _STRAY_LINES_MOST and len(packed) < 0.9 * len(line.strip()):
            break
        body, padding, _ = packed.partition(b"=")
        kept.append(body)
        if padding:
            break
    return kept


BASE64_SIGNS = (
    *(b"UEsDB", b"0M8R4KGx", b"77u/PD94bWwg", b"PD94bWwg", b"PHBhY2thZ2Ug", b"UmFyIRoH"),
    *(b"N3q8rycc", b"H4sI", b"JVBERi0"),
)
"""How a document or an archive begins in base64."""

BASE64_STARTS = rb"(?:%s)" % b"|".join(BASE64_SIGNS)

BASE64_LINES = rb"(?:[A-Za-z0-9+/]{40,}+[ \t]*\r?\n)*+[A-Za-z0-9+/]*+={0,2}"
"""A file in base64 as programs wrap it: only its last line is short."""

_PACKED = re.compile(rb"\s{0,1000}(?=%s)%s\s*+" % (BASE64_STARTS, BASE64_LINES))
_NEVER_BASE64 = (b"<", b"\xef\xbb\xbf<", b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


def transferred(content: bytes, encoding: str) -> bytes:
    """A part's bytes with its Content-Transfer-Encoding undone.

    One that the bytes contradict is not believed: programs that state base64 send
    documents as they are, and those that state nothing send base64.
    """
    name = re.sub(r"[^a-z0-9]", "", encoding.lower()[:40])
    if name in {"base64", "b64"}:
        return content if content.lstrip().startswith(_NEVER_BASE64) else from_base64(content)
    if _PACKED.fullmatch(content):
        return from_base64(content)
    if name in {"quotedprintable", "qp"}:
        return binascii.a2b_qp(content)
    if name in {"xuuencode", "uuencode", "uue", "xuue"}:
        return from_uuencode(content)
    return content


_YENC = bytes((sign - 42) % 256 for sign in range(256))
_YENC_ESCAPES_FREE = 4_000
_YENC_ESCAPES = 16
"""Beyond the free ones, one sign of so many is escaped at most; in a packed file it is 1 of 64."""


def from_yenc(content: bytes) -> bytes:
    """What a text in yEnc holds, without its first and last line; b"" for what is none."""
    most = _YENC_ESCAPES_FREE + len(content) // _YENC_ESCAPES
    first, *escaped = content.translate(None, b"\r\n").split(b"=", most)
    if escaped and b"=" in escaped[-1]:
        return b""
    rest = (bytes([(one[0] - 106) % 256]) + one[1:].translate(_YENC) for one in escaped if one)
    return b"".join([first.translate(_YENC), *rest])


def from_uuencode(content: bytes) -> bytes:
    """What a uuencoded text holds, with or without its first and last line."""
    if content.count(b"\n") > _UU_LINES_MOST:
        return content
    kept: list[bytes] = []
    faults = 0
    lines = content.splitlines()
    start = next((n for n, line in enumerate(lines) if line.startswith(b"begin ")), -1)
    for line in lines[start + 1 :]:
        if line.strip() in {b"end", b"`"}:
            break
        if not line:
            # Of HTML; for the library it is one of 32 zeros.
            continue
        try:
            kept.append(binascii.a2b_uu(line))
        except binascii.Error:
            faults += 1
            if faults > _UU_FAULTS_MOST:
                return content
            # Some encoders pad their lines; the length says what counts.
            count = (((line[0] - 32) & 63) * 4 + 5) // 3
            try:
                kept.append(binascii.a2b_uu(line[:count]))
            except binascii.Error:
                continue
    return b"".join(kept)
