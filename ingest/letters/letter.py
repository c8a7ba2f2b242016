"""Mail bytes to a `Letter`: headers, credentials, documents. Pure and total."""

from __future__ import annotations

import contextlib
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from ingest.letters import mime
from ingest.letters.body import (
    LINES_MOST,
    TEXT_MOST,
    cut_xml,
    html_text,
    own_text,
    plain_text,
    storages,
)
from ingest.letters.bounce import bounce_in
from ingest.letters.credentials import find_credentials
from ingest.letters.decoding import ENCODED_WORD, from_base64, header_text, one_line, text_of
from ingest.letters.encoded import cut_encoded, encoded_in_html
from ingest.letters.terms import Attachment, Credential, Letter, Limits, Source
from ingest.letters.unpack import OverLimitError, Unpacker, WordsOnly
from ingest.letters.unread import Why
from layouts.findings import Code, Finding, finding

SUBJECT_MOST = 500
VALUE_MOST = 2000
RESULTS_MOST = 8000
"""The same of Authentication-Results: a letter of many signatures has many of them."""

VALUES_MOST = 20
"""Values of one header that are kept; a forged letter may have thousands."""

LIST_FIELDS = ("list-unsubscribe", "list-post", "list-help", "list-subscribe", "list-owner")
"""Fields of a mailing list beside its List-Id. Source: RFC 2369, section 3."""

HEADERS_KEPT = frozenset(
    {
        *("content-type", "list-id", *LIST_FIELDS, "precedence", "auto-submitted"),
        *("x-auto-response-suppress", "x-autoreply", "x-autorespond", "x-autoresponder"),
        *("x-failed-recipients", "authentication-results"),
    }
)
"""What the gate and the provenance of a letter ask for."""


def read_letter(content: bytes, limits: Limits) -> Letter:
    """The letter in `content`, whatever the bytes are.

    A letter over one of the limits has a finding and no documents: what cannot be
    taken whole is not taken in part. Only a `MemoryError` leaves this function.
    """
    if len(content) > limits.letter_bytes:
        return read_header_only(content, len(content), limits)
    unpacker = Unpacker(limits)
    found: tuple[Finding, ...] = ()
    try:
        unpacker.letter(content)
        _pasted(unpacker)
        unpacker.tell_unread()
    except OverLimitError as over:
        found = (over.found,)
        unpacker.documents.clear()
    return _letter(content, len(content), unpacker, (*unpacker.findings, *found))


def read_words_only(content: bytes, limits: Limits) -> Letter:
    """A letter's header and bodies, without its documents: what it says of its sender."""
    unpacker = WordsOnly(limits)
    with contextlib.suppress(OverLimitError):
        unpacker.letter(content)
    return _letter(content, len(content), unpacker, ())


def read_header_only(content: bytes, size: int, limits: Limits) -> Letter:
    """A letter over `letter_bytes`, of which `content` is at least the header.

    Its `sha256` is of the bytes given: the letter as a whole is never fetched.
    """
    too_large = finding(
        Code.LETTER_TOO_LARGE,
        size_mb=_megabytes(size),
        limit_mb=_megabytes(limits.letter_bytes),
    )
    return _letter(content, size, Unpacker(limits), (too_large,))


def _megabytes(size: int) -> str:
    return f"{size / (1024 * 1024):.1f}".removesuffix(".0")


def _letter(content: bytes, size: int, unpacker: Unpacker, findings: tuple[Finding, ...]) -> Letter:
    fields, _ = mime.split_header(content, 0, len(content))
    subject = _subject(fields)
    sender, is_certain = _author(fields.get("from", ()))
    return Letter(
        sha256=hashlib.sha256(content).hexdigest(),
        size=size,
        headers=_headers(fields),
        sender=sender,
        is_sender_certain=is_certain,
        reply_to=_author(fields.get("reply-to", ()))[0] or sender,
        return_path=_return_path(fields),
        subject=subject,
        message_id=next(iter(_message_ids(fields, "message-id")), ""),
        references=_message_ids(fields, "references", "in-reply-to"),
        credentials=(*_from_bodies(unpacker.texts), *find_credentials(subject, Source.SUBJECT)),
        documents=tuple(unpacker.documents),
        attachments=tuple(unpacker.attachments),
        findings=findings,
        wish=_wish(subject),
        bounce=bounce_in(content, fields),
    )


def _return_path(fields: mime.Fields) -> str | None:
    """The envelope's sender; only one that is stated to be nobody is ''."""
    stated = fields.get("return-path")
    if stated is None:
        return None
    is_null = header_text(stated[0], VALUE_MOST).replace(" ", "") in {"", "<>"}
    return "" if is_null else _author(stated[:1])[0] or None


def _headers(fields: mime.Fields) -> dict[str, tuple[str, ...]]:
    headers = {
        name: tuple(header_text(raw, VALUE_MOST) for raw in values[:VALUES_MOST])
        for name, values in fields.items()
        if name in HEADERS_KEPT
    }
    if results := fields.get("authentication-results"):
        headers["authentication-results"] = tuple(map(_as_it_stands, results[:VALUES_MOST]))
    return headers


def _as_it_stands(raw: bytes) -> str:
    # A server quotes addresses of the sender's here; an encoded word in them that
    # was read could write results of its own.
    text = raw[: RESULTS_MOST * 2].decode("ascii", "replace").replace("\ufffd", "?")
    return one_line(text)[:RESULTS_MOST]


def _subject(fields: mime.Fields) -> str:
    return header_text(fields.get("subject", [b""])[0], SUBJECT_MOST)


_DOMAIN_MOST = 190
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")


def header_of(header: bytes) -> Letter:
    """Who a letter claims to be from, and what mail servers say of that: nothing else of it.

    Args:
        header: The letter's header, or a part of it.
    """
    fields, end = mime.split_header(header, 0, len(header))
    sender, is_certain = _author(fields.get("from", ()))
    return Letter("", end, _headers(fields), sender=sender, is_sender_certain=is_certain)


_SENDERS_MOST = 3
_QUOTED = re.compile(r'"[^"]*"')
_COMMENT = re.compile(r"\([^()]*\)")


def _author(values: Sequence[bytes]) -> tuple[str, bool]:
    """The first address of a header in lower case, '' when there is none to write to.

    One in angle brackets goes before one in a display name, which says nothing. With it
    comes whether every program would find this address and no other: a server that
    checks senders may have looked at another one.
    """
    kept = values[:_SENDERS_MOST]
    # An encoded word is a word: what it spells names no address.
    texts = [" ".join(text_of(ENCODED_WORD.sub(b" ", v[:_FROM_MOST])).split()) for v in kept]
    found = dict.fromkeys(address for text in texts for address in _addresses(text))
    is_whole = kept == values and all(len(value) <= _FROM_MOST for value in kept)
    if usable := next(filter(None, found), ""):
        return usable, is_whole and len(found) == 1
    # Some programs encode the address, too.
    texts = [header_text(value, VALUE_MOST) for value in kept]
    usable = next((one for text in texts for one in _addresses(text) if one), "")
    return usable, not usable


_FROM_MOST = 4000


def _addresses(text: str) -> Iterator[str]:
    """Every address that a program may find; '' for one that nobody can write to.

    Programs part ways at a quote within a comment, or a comment within quotes.
    """
    is_odd = "\\" in text or text.count('"') % 2
    without_quoted = text if is_odd else _COMMENT.sub(" ", _QUOTED.sub(" ", text))
    without_comments = text if is_odd else _QUOTED.sub(" ", _COMMENT.sub(" ", text))
    for reading in {without_quoted: 0, without_comments: 0}:
        bare: list[str] = []
        for piece in re.split("[,;]", reading):
            bracketed = [one.partition(">")[0].strip() for one in piece.split("<")[1:]]
            if named := [one for one in bracketed if "@" in one]:
                yield from map(_usable, named)
            else:
                bare += (word for word in re.split(r"[\s<>():]+", piece) if "@" in word)
        yield from map(_usable, bare)


def _usable(word: str) -> str:
    name, _, domain = word.lower().rpartition("@")
    # The library's time grows with the square of a domain's length.
    if not word.isascii() and len(domain) <= _DOMAIN_MOST:
        # A domain in Cyrillic has its name in Latin letters. One that IDNA or lower case
        # makes another is no name of that other one.
        with contextlib.suppress(UnicodeError):
            latin = domain.encode("idna")
            is_plain = unicodedata.is_normalized("NFC", word) and latin.decode("idna") == domain
            domain = latin.decode("ascii") if is_plain else ""
    address = f"{name}@{domain}"
    return address if _ADDRESS.fullmatch(address) else ""


_REFERENCES_MOST = 50


def _message_ids(fields: mime.Fields, *names: str) -> tuple[str, ...]:
    """Message ids of headers, in their order; of a long thread the last ones."""
    values = [
        header_text(one, VALUE_MOST) for name in names for one in fields.get(name, [])[:VALUES_MOST]
    ]
    found = dict.fromkeys(one for value in values for one in mime.MESSAGE_ID.findall(value))
    return tuple(found)[-_REFERENCES_MOST:]


_WISH = re.compile(
    r"(?i)^\s*(?:(?:re|fwd?|ha|отв|на)\s?:\s*){0,5}"
    r"(?:(?:шаблон|template)\s+(?:макет\w?\s+|layout\s+)?(\d{5})(?!\d)|(статус|status)(?!\w))"
)


def _wish(subject: str) -> tuple[str, str] | None:
    match = _WISH.match(subject)
    if match is None:
        return None
    return ("template", match[1]) if match[1] else ("status", "")


def _from_bodies(texts: Sequence[mime.Part]) -> tuple[Credential, ...]:
    """Credentials of the letter's own body; then of what it forwards, if it has none.

    Levels are read from the outside in, until one of them names a password.
    """
    levels: defaultdict[int, list[mime.Part]] = defaultdict(list)
    for part in texts:
        levels[part.enclosed].append(part)
    found: list[Credential] = []
    lines = _Lines()
    for level in sorted(levels):
        found += _of_level(levels[level], lines)
        if any(one.password for one in found):
            break
    return tuple(dict.fromkeys(found))


class _Lines:
    """Bounds the lines of one letter that are searched."""

    def __init__(self) -> None:
        self._left = LINES_MOST

    def own(self, texts: Iterable[str]) -> str:
        """What the sender wrote in some bodies, as far as it is searched."""
        text = ""
        for one in texts:
            text += f"\n{one}" if text else one
            if len(text) > TEXT_MOST:
                break
        text = text[:TEXT_MOST]
        lines = text.split("\n", self._left)[: self._left] if text else []
        self._left -= len(lines)
        return own_text("\n".join(lines))


def _of_level(parts: Sequence[mime.Part], lines: _Lines) -> tuple[Credential, ...]:
    """Credentials of a plain body, or of the HTML one where that says more."""
    plain = lines.own(plain_text(p.content, p.charset) for p in parts if not p.is_html)
    from_plain = find_credentials(plain, Source.BODY)
    if any(one.password for one in from_plain):
        return from_plain
    rich = lines.own(html_text(p.content, p.charset) for p in parts if p.is_html)
    from_rich = find_credentials(rich, Source.BODY)
    if from_plain and not any(one.password for one in from_rich):
        return from_plain
    return from_rich


def _pasted(unpacker: Unpacker) -> None:
    """Take what stands in a body as text; what is around it stays there."""
    kept: list[mime.Part] = []
    with_files: set[int] = set()
    # Plain bodies first: an HTML variant holds the same files once more.
    for whole in sorted(unpacker.texts, key=lambda part: part.is_html):
        part, files = _without_encoded(whole)
        found = cut_xml(part.content, part.charset, is_html=part.is_html)
        if found is not None:
            files += [("", document) for document in found.documents]
            part = replace(part, content=found.rest, charset="utf-8", content_type="text/plain")
        kept.append(part)
        if not (whole.is_html and whole.enclosed in with_files):
            for name, content in files:
                unpacker.take(name, content, enclosed=whole.enclosed)
        for kind, picture in _pictures(whole):
            unpacker.take("", picture, kind, enclosed=whole.enclosed, is_inline=True)
        if files:
            with_files.add(whole.enclosed)
    unpacker.texts[:] = kept
    _linked(unpacker)


_PICTURE = re.compile(rb"data:(image/[a-z+.-]{2,20});base64,([A-Za-z0-9+/=\r\n]{4,})")
_PICTURES_MOST = 20


def _pictures(part: mime.Part) -> Iterator[tuple[str, bytes]]:
    """Type and bytes of the pictures that stand in an HTML body itself."""
    found = _PICTURE.finditer(part.content) if part.is_html else iter(())
    for one in islice(found, _PICTURES_MOST):
        yield one[1].decode("ascii"), from_base64(one[2])


def _without_encoded(part: mime.Part) -> tuple[mime.Part, list[tuple[str, bytes]]]:
    if part.is_html:
        return part, encoded_in_html(part.content, part.charset)
    files, rest = cut_encoded(part.content, part.charset)
    return replace(part, content=rest) if files else part, files


def _linked(unpacker: Unpacker) -> None:
    """Name the storages that the bodies link to: nobody opens what lies there."""
    hosts: dict[str, None] = {}
    for part in unpacker.texts:
        hosts |= dict.fromkeys(storages(part.content, part.charset, is_html=part.is_html))
    for host in hosts:
        unpacker.attachments.append(Attachment(host, "text/uri-list", 0, Why.LINK.value))
