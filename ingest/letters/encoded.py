"""Files that stand encoded in a letter's text: uuencode, yEnc, BinHex, ASCII armour, base64."""

from __future__ import annotations

import re
from collections.abc import Callable

from ingest.letters.decoding import (
    BASE64_LINES,
    BASE64_SIGNS,
    BASE64_STARTS,
    file_name,
    from_base64,
    from_uuencode,
    from_yenc,
    header_text,
    text_of,
)

FILES_MOST = 100
"""Files that are taken out of one body."""

TRIES_MOST = 1_000
"""Places of one body that begin like a file and are looked at, for each coding."""

Files = list[tuple[str, bytes]]
_Taken = Callable[[re.Match[bytes], str], tuple[str, bytes, int]]
"""Name and bytes of the file that begins at a match, and where the text goes on."""

# A line's begin is its line end before it: that is looked for ten times as fast as `^`.
_UUENCODED = re.compile(rb"\nbegin(-base64)? [0-7]{3,4} ([^\r\n]{1,400})\r?\n")
_UUENCODED_END = re.compile(rb"^(?:end|====)[ \t]*\r?$", re.MULTILINE)
# Where the last line is missing: all the lines that can be of such a file.
_UUENCODED_LINES = re.compile(rb"(?:[ -`]{1,85}\r?(?:\n|\Z))*")
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/=]{1,85}\r?(?:\n|\Z))*")
_YENC = re.compile(rb"\n=ybegin [^\r\n]{0,200}?name=([^\r\n]{1,400})\r?\n")
_YENC_PART = re.compile(rb"=ypart [^\r\n]{0,200}\r?\n")
_ARMOUR = re.compile(rb"\n-----BEGIN (?:PGP MESSAGE|CMS|PKCS7)-----")
_ARMOUR_END = re.compile(rb"^-----END [A-Z0-9 ]{1,20}-----[ \t]*\r?$", re.MULTILINE)
_BINHEX = re.compile(rb"\n\(This file must be converted with BinHex[^\r\n]{0,40}+\s{1,100}+:")
_BARE = re.compile(rb"\n(?=%s)%s" % (BASE64_STARTS, BASE64_LINES))
_BARE_LEAST = 200
_NAME = re.compile(rb"(?i)[;\s](?:file)?name=(\"[^\"\r\n]{1,400}\"|[^\s;]{1,400})")
_NAME_BEFORE = 1000
_GZIP = b"H4sI"
_ZIP_END = b"PK\5\6"
_TAG = re.compile(rb"<[^<>]{0,1000}>")
# As programs escape the signs that an encoded file is written in, the one in the others last.
_ENTITIES = {
    b"&lt;": b"<",
    b"&gt;": b">",
    b"&nbsp;": b" ",
    b"&quot;": b'"',
    b"&#34;": b'"',
    b"&#39;": b"'",
    b"&#x27;": b"'",
    b"&apos;": b"'",
    b"&amp;": b"&",
}


def cut_encoded(content: bytes, charset: str) -> tuple[Files, bytes]:
    """The files (name, bytes) that stand encoded in a body, and the text around them.

    Source: POSIX `uuencode`, its base64 form included; yEnc 1.3; RFC 4880, section 6.2.
    """
    files: Files = []
    content = b"\n" + content
    for signs, begins, taken in _CODINGS:
        at, rest = 0, []
        # A word is looked for many times as fast as a pattern.
        if not any(b"\n" + sign in content for sign in signs):
            continue
        for _ in range(TRIES_MOST):
            # The last one may have taken the line end before this one.
            start = max(at - 1, 0)
            begin = begins.search(content, start) if len(files) < FILES_MOST else None
            if begin is None:
                break
            name, packed, after = taken(begin, charset)
            rest.append(content[at : begin.start() + 1 if packed else after])
            files += [(name, packed)] if packed else []
            at = after
        content = b"".join([*rest, content[at:]])
    return files, content[1:]


def encoded_in_html(content: bytes, charset: str) -> Files:
    """The files that stand encoded in an HTML body."""
    signs = (sign for signs, *_ in _CODINGS for sign in signs)
    if not any(sign in content for sign in signs):
        return []
    lines = _TAG.sub(b"\n", content)
    for entity, sign in _ENTITIES.items():
        lines = lines.replace(entity, sign)
    return cut_encoded(lines, charset)[0]


def _uuencoded(begin: re.Match[bytes], charset: str) -> tuple[str, bytes, int]:
    content, start = begin.string, begin.end()
    following = _UUENCODED.search(content, start - 1)
    limit = following.start() + 1 if following else len(content)
    if end := _UUENCODED_END.search(content, start, limit):
        stop, after = end.span()
    else:
        lines = (_BASE64_LINES if begin[1] else _UUENCODED_LINES).match(content, start, limit)
        stop = after = lines.end() if lines else start
    inside = content[start:stop]
    packed = from_base64(inside) if begin[1] else from_uuencode(inside)
    return file_name(text_of(begin[2], charset)), packed, after


def _yenc(begin: re.Match[bytes], charset: str) -> tuple[str, bytes, int]:
    content, start = begin.string, begin.end()
    if part := _YENC_PART.match(content, start):
        start = part.end()
    stop = content.find(b"\n=yend ", start)
    stop = len(content) if stop < 0 else stop
    after = content.find(b"\n", stop + 1)
    name = file_name(text_of(begin[1].strip(), charset))
    return name, from_yenc(content[start:stop]), len(content) if after < 0 else after


def _armoured(begin: re.Match[bytes], _: str) -> tuple[str, bytes, int]:
    end = _ARMOUR_END.search(begin.string, begin.end())
    after = end.end() if end else len(begin.string)
    return "", begin.string[begin.start() + 1 : after], after


def _binhex(begin: re.Match[bytes], _: str) -> tuple[str, bytes, int]:
    """The file as it stands: it is told and not decoded."""
    end = begin.string.find(b":", begin.end())
    after = end + 1 if end >= 0 else len(begin.string)
    return "", begin.string[begin.start() + 1 : after], after


def _bare(begin: re.Match[bytes], _: str) -> tuple[str, bytes, int]:
    text, start = begin[0][1:], begin.start() + 1
    # The MIME header that a program has put into the text, if there is one.
    names = _NAME.findall(begin.string, max(begin.pos, start - _NAME_BEFORE), start)
    # Without one, what begins like gzip may be a token of a wrapped link.
    if len(text) < _BARE_LEAST or (not names and text.startswith(_GZIP)):
        return "", b"", begin.end()
    packed, lines = from_base64(text), text.rpartition(b"\n")[0]
    # A word on the line behind a full last line is no part of the file.
    if not _is_whole(packed) and _is_whole(without := from_base64(lines)):
        packed, text = without, lines
    return file_name(header_text(names[-1].strip(b'"')) if names else ""), packed, start + len(text)


def _is_whole(content: bytes) -> bool:
    """Whether bytes end as a file of their kind does: XML, ZIP or OLE."""
    if content.startswith(b"PK"):
        end = content.rfind(_ZIP_END)
        comment = int.from_bytes(content[end + 20 : end + 22], "little")
        return end >= 0 and end + 22 + comment == len(content)
    if content.startswith(b"\xd0\xcf"):
        return len(content) % 512 == 0
    return content.rstrip(b"\0\x1a \t\r\n").endswith(b">")


_CODINGS: tuple[tuple[tuple[bytes, ...], re.Pattern[bytes], _Taken], ...] = (
    ((b"begin ", b"begin-base64 "), _UUENCODED, _uuencoded),
    ((b"=ybegin ",), _YENC, _yenc),
    ((b"-----BEGIN ",), _ARMOUR, _armoured),
    ((b"(This file must be ",), _BINHEX, _binhex),
    (BASE64_SIGNS, _BARE, _bare),
)
