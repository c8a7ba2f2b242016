"""Replies as mail: no text of a letter can inject a header, and bytes are reproducible."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.base64mime import header_encode
from email.headerregistry import Address
from email.utils import encode_rfc2231, format_datetime, parseaddr
from functools import lru_cache
from zoneinfo import ZoneInfo

from ingest.letters.terms import Letter
from ingest.replies.own import Signature
from ingest.replies.wording import MOSCOW
from layouts.known import Receipt
from storage.records.replies import OwedReply

XLSX = ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")
"""Main type and subtype of a workbook."""

_FOLD = "\r\n"
_SUBJECT_MOST = 200
_REFERENCES_MOST = 20
_ID = re.compile(r"<[^<>\s@\x00-\x1f\x7f-\uffff]{1,200}@[^<>\s@\x00-\x1f\x7f-\uffff]{1,200}>")
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_DOMAIN = re.compile(r"(?=.{1,253}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})*")
_OWN = re.compile(r"<([a-z]+)\.(\d+(?:-\d+)?)\.([0-9a-f]{32})@[^<>@\s]+>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


def _unknown(_: Receipt) -> datetime | None:
    return None


@dataclass(frozen=True, slots=True)
class ReplySettings:
    """How replies are written.

    Attributes:
        sender: The From header, `Name <address>`.
        language: `ru` or `en`.
        key: Secret of the installation that fixes the replies' Message-IDs.
        zone: Time zone in which moments are told.
        deadline_of: The moment before which a document had to be here, None where
            that is not known.
        register_deadline_day: Day of the next month by whose end a month's register
            readings are due.
        run: How often the letter in hand was replayed: each run has its own reply.
        public_url: Where receipts have their pages; '' where there are none.
        signature: Under every mail but those to strangers.
    """

    sender: str
    language: str = "ru"
    key: bytes = field(default=b"", repr=False)
    zone: ZoneInfo = MOSCOW
    deadline_of: Callable[[Receipt], datetime | None] = _unknown
    register_deadline_day: int = 2
    run: int = 0
    public_url: str = ""
    signature: Signature = field(default_factory=Signature)


@dataclass(frozen=True, slots=True)
class File:
    """Something to attach."""

    name: str
    content: bytes = field(repr=False)
    maintype: str
    subtype: str

    def mapped(self, change: Callable[[str], str]) -> File:
        """The file with its name, and the text of an XML, changed."""
        content = self.content
        if self.subtype == "xml":
            content = change(content.decode("utf-8")).encode("utf-8")
        return replace(self, name=change(self.name), content=content)


def own_message_id(letter_number: int, kind: str, settings: ReplySettings) -> str:
    """The Message-ID of a reply: the same each time it is made again."""
    number = f"{letter_number}-{settings.run}" if settings.run else f"{letter_number}"
    mark = _mark(number, kind, settings)
    return f"<{kind}.{number}.{mark}@{_address(settings.sender).domain}>"


def is_own_message_id(message_id: str, settings: ReplySettings) -> bool:
    """Whether this installation wrote the mail with that Message-ID."""
    match = _OWN.fullmatch(message_id)
    if match is None:
        return False
    expected = _mark(match[2], match[1], settings)
    return hmac.compare_digest(expected, match[3])


def recipient(address: str) -> Address | None:
    """An address that mail can go to, its domain in ASCII; None when it is not one."""
    local, at, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    fits = at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)
    if not fits or local.startswith(".") or local.endswith(".") or ".." in local:
        return None
    return Address(username=local, domain=domain)


@dataclass(frozen=True, slots=True)
class Answered:
    """Whom a mail goes to, and what it hangs below.

    Attributes:
        to: The only recipient; '' for none.
        number: Fixes the mail's Message-ID: the letter's number in the ledger, or one
            of the occasion's own.
        letter: The letter's number in the ledger; None when no letter is answered.
        message_id: Of what is answered, '' for nothing.
        references: The ids before it in the thread.
    """

    to: str
    number: int
    letter: int | None = None
    message_id: str = ""
    references: tuple[str, ...] = ()

    @classmethod
    def of(cls, letter: Letter, number: int) -> Answered:
        """A letter with its number in the ledger."""
        return cls(letter.reply_to, number, number, letter.message_id, letter.references)


def compose(
    answered: Answered,
    kind: str,
    subject: str,
    bodies: tuple[str, str],
    files: Sequence[File],
    now: datetime,
    settings: ReplySettings,
) -> OwedReply:
    """The complete mail, of the same bytes each time.

    Its recipient is '' and it has no content when there is no address to go to.

    Args:
        answered: Whom it goes to and what it hangs below.
        kind: What reply it is, such as `reply` or `refusal`; lower-case letters.
        subject: Bounded and put on one line here.
        bodies: The same in text and in HTML; '' for text alone.
        files: Attachments, in their order.
        now: The Date header.
        settings: How replies are written.
    """
    message_id = own_message_id(answered.number, kind, settings)
    subject = one_line(subject, _SUBJECT_MOST)
    to = recipient(answered.to)
    if to is None:
        return OwedReply(answered.letter, "", subject, message_id, b"")
    headers = {
        "From": _from(settings),
        "To": to.addr_spec,
        "Subject": _encoded(subject),
        "Date": format_datetime(now.astimezone(settings.zone)),
        "Message-ID": message_id,
        **_thread(answered),
        "Auto-Submitted": "auto-replied" if answered.letter is not None else "auto-generated",
        # Outlook and Exchange would answer with out-of-office notes otherwise.
        "X-Auto-Response-Suppress": "All",
    }
    content = _head(headers) + _body(bodies, files, _mark(str(answered.number), kind, settings))
    return OwedReply(answered.letter, to.addr_spec, subject, message_id, content)


def one_line(text: str, most: int) -> str:
    """Text without line breaks and control signs, shortened to `most` characters."""
    text = " ".join(_CONTROL.sub(" ", text).split())
    # A lone surrogate is a byte that nobody could decode; no header may carry it.
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _head(headers: Mapping[str, str]) -> bytes:
    # Not left to EmailMessage, which loses blanks between the encoded words of a
    # long subject (CPython issue 92081), breaks up long message ids and takes
    # four times as long. Every value is ASCII by now, and only this module's own
    # folds have line breaks.
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def _encoded(text: str) -> str:
    return text if text.isascii() and len(text) < 60 else _in_words(text)


_WORD_BYTES = 42
"""Of UTF-8 in one encoded word, which may have 75 characters with all around it."""


def _in_words(text: str) -> str:
    """Encoded words, one on a line; no letter is cut in half.

    The library's `Header` takes ten times as long to fold them more evenly.
    """
    content = text.encode("utf-8")
    words, start = [], 0
    while start < len(content):
        end = min(start + _WORD_BYTES, len(content))
        while end < len(content) and content[end] & 0xC0 == 0x80:
            end -= 1
        words.append(header_encode(content[start:end], "utf-8"))
        start = end
    return f"{_FOLD} ".join(words)


def _from(settings: ReplySettings) -> str:
    sender = _address(settings.sender)
    if not sender.display_name:
        return sender.addr_spec
    return f"{_in_words(sender.display_name)} <{sender.addr_spec}>"


def _thread(answered: Answered) -> dict[str, str]:
    """Hang the reply below its letter; malformed ids are left out."""
    if not _ID.fullmatch(answered.message_id):
        return {}
    earlier = [item for item in answered.references if _ID.fullmatch(item)]
    earlier = [item for item in dict.fromkeys(earlier) if item != answered.message_id]
    # The first one names the thread, the last ones the branch.
    if len(earlier) >= _REFERENCES_MOST:
        earlier = [earlier[0], *earlier[-(_REFERENCES_MOST - 2) :]]
    return {
        "In-Reply-To": answered.message_id,
        "References": f"{_FOLD} ".join([*earlier, answered.message_id]),
    }


def _body(bodies: tuple[str, str], files: Sequence[File], mark: str) -> bytes:
    if not bodies[1]:
        return b"MIME-Version: 1.0\r\n" + _text_leaf(bodies[0])
    text, html = (body.replace("\n", _FOLD).encode("utf-8", "replace") for body in bodies)
    both = _multipart(
        "alternative",
        f"=_{mark}_a",
        [
            _leaf('text/plain; charset="utf-8"', text),
            _leaf('text/html; charset="utf-8"', html),
        ],
    )
    attached = [_leaf(f"{file.maintype}/{file.subtype}", file.content, file.name) for file in files]
    whole = _multipart("mixed", f"=_{mark}_m", [both, *attached]) if attached else both
    return b"MIME-Version: 1.0\r\n" + whole


def _text_leaf(text: str) -> bytes:
    """Text in the charset that takes the fewest bytes: Cyrillic in UTF-8 takes two a letter."""
    for charset in ("us-ascii", "windows-1251"):
        with suppress(UnicodeEncodeError):
            content = text.replace("\n", _FOLD).encode(charset)
            return _leaf(f'text/plain; charset="{charset}"', content)
    return _leaf(
        'text/plain; charset="utf-8"', text.replace("\n", _FOLD).encode("utf-8", "replace")
    )


def _multipart(subtype: str, boundary: str, parts: Sequence[bytes]) -> bytes:
    # "=_" stands in no base64 text, so this boundary cannot occur in a part.
    head = f'Content-Type: multipart/{subtype}; boundary="{boundary}"\r\n'.encode()
    told = [b"\r\n--" + boundary.encode() + b"\r\n" + part for part in parts]
    return b"".join([head, *told, b"\r\n--" + boundary.encode() + b"--\r\n"])


def _leaf(content_type: str, content: bytes, name: str = "") -> bytes:
    headers = {"Content-Type": content_type, "Content-Transfer-Encoding": "base64"}
    if name:
        headers["Content-Disposition"] = f"attachment; {_filename(name)}"
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    return b"".join((_head(headers), b"\r\n", encoded))


def _filename(name: str) -> str:
    """A file name as RFC 2231 writes it, which Outlook and webmail read."""
    safe = one_line(name, 120).replace("/", "_").replace("\\", "_") or "file"
    if re.fullmatch(r"[\w.-]+", safe, re.ASCII):
        return f'filename="{safe}"'
    return f"filename*={encode_rfc2231(safe, 'utf-8')}"


def _mark(number: str, kind: str, settings: ReplySettings) -> str:
    named = f"{kind}.{number}".encode()
    return hmac.new(settings.key, named, hashlib.sha256).hexdigest()[:32]


@lru_cache(maxsize=8)
def _address(sender: str) -> Address:
    name, address = parseaddr(sender)
    parsed = recipient(address)
    if parsed is None:
        raise ValueError(f"sender {sender!r} names no address")
    return Address(display_name=name, username=parsed.username, domain=parsed.domain)
