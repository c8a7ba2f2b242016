"""Why a file of a letter is not read: harmless beside readings, or to be named.

Files are told by their first bytes; name and type are only hints, as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from ingest.letters.signed import cms_message
from ingest.letters.terms import Attachment
from layouts.findings import Code, Finding, finding, printable
from parsers.pretenders import pretended


class Why(StrEnum):
    """Why a file was not read, as the replies' catalogues name it; '' is harmless."""

    HARMLESS = ""
    ARCHIVE = "archive"
    OUTLOOK = "outlook"
    PICTURE = "picture"
    PDF = "pdf"
    OFFICE = "office"
    SIGNATURE = "signature"
    TOO_DEEP = "too-deep"
    NO_FILES = "no-files"
    SHORTCUT = "shortcut"
    LINK = "link"
    PART = "part"
    OTHER_TABLE = "other-table"
    WEB_PAGE = "web-page"
    ARCHIVED_PAGE = "archived-page"
    TABLE_2003 = "table-2003"
    FLAT_ODS = "flat-ods"
    SEPARATED_VALUES = "separated-values"
    LOCK = "lock"
    EMPTY = "empty"
    OTHER = "other"


LOGO_MOST_BYTES = 100_000
"""A larger picture may be a photograph of a meter, whatever place the letter gives it."""

_TOLD_MOST = 10
"""Names of files of one kind that a letter without a document is told."""

_PIXEL_MOST_BYTES = 2_000
"""A smaller picture without a name is a tracking pixel."""

_ENDINGS = {
    Why.ARCHIVE: (".rar", ".7z", ".xz", ".bz2", ".cab", ".arj", ".lzh", ".lha", ".tar", ".ace"),
    Why.OUTLOOK: (".msg",),
    Why.SHORTCUT: (".lnk", ".url", ".webloc", ".desktop", ".gsheet", ".gdoc"),
    Why.OTHER_TABLE: (".mxl", ".numbers", ".dbf", ".gnumeric"),
    Why.PDF: (".pdf",),
    Why.OFFICE: (".doc", ".docx", ".rtf", ".odt", ".ppt", ".pptx", ".pages"),
    Why.PICTURE: (
        ".png",
        ".jpg",
        ".jpeg",
        ".gif",
        ".bmp",
        ".tif",
        ".tiff",
        ".webp",
        ".heic",
        ".svg",
    ),
}
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_OUTLOOK_STREAM = "__substg1.0_".encode("utf-16-le")

_CARD_TYPES = frozenset({"text/vcard", "text/x-vcard", "text/directory"})
_SEPARATED = (".csv", ".tsv", ".tab")
APPLE_DOUBLE = b"\0\x05\x16\x07"
"""What Apple keeps beside a file, under its name."""

_STARTS = {
    Why.HARMLESS: (
        APPLE_DOUBLE,
        *(b"BEGIN:VCARD", b"BEGIN:VCALENDAR", b"-----BEGIN PGP PUBLIC KEY BLOCK-----"),
    ),
    Why.SHORTCUT: (b"L\0\0\0\x01\x14\x02\0", b"[InternetShortcut]", b"[Desktop Entry]"),
    Why.OTHER_TABLE: (b"MOXCEL",),
    Why.OFFICE: (b"{\\rtf", b"PK\x03\x04"),
}
BY_TYPE = {"message/partial": Why.PART, "message/external-body": Why.LINK}
"""What only the type tells, whatever the content. Source: RFC 2046, sections 5.2.2 and 5.2.3."""

_SIGNATURE_TYPES = frozenset(
    {"application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature"}
)
_SIGNATURE_ENDINGS = (".sig", ".p7s", ".sgn", ".asc")
# The letter's own signature, which stands for all of it, and none of a file beside it.
_LETTER_SIGNATURES = frozenset({"smime.p7s", "signature.asc", "openpgp_signature.asc"})
# The same body in another form, and what programs tell one another.
_OTHER_FORMS = frozenset(
    {
        *("text/x-amp-html", "text/watch-html", "text/calendar", "text/rfc822-headers"),
        *("application/pgp-encrypted", "message/disposition-notification"),
        "message/delivery-status",
    }
)
_LOGO = re.compile(
    r"(?i)(?:image\d{1,4}|.*(?:logo|логотип|banner|баннер|подпись|signature).*)\.\w+"
)
# Exchange makes such files of text that stands behind an attachment.
_REST_OF_BODY = re.compile(r"(?i)att\d{1,6}\.(?:txt|html?)")
_REST_MOST_BYTES = 2000


def why_unread(name: str, content: bytes, content_type: str, *, is_inline: bool = False) -> Why:
    """Why a file that is no document is not read.

    Args:
        name: As decoded, '' when it has none.
        content: Its bytes.
        content_type: As the letter states it, in lower case.
        is_inline: Whether the letter shows it in its body.
    """
    why = BY_TYPE.get(content_type) or _kind(name.lower(), content, content_type)
    if why is Why.PICTURE and len(content) <= LOGO_MOST_BYTES:
        is_pixel = not name and len(content) <= _PIXEL_MOST_BYTES
        return Why.HARMLESS if is_inline or is_pixel or _LOGO.fullmatch(name) else why
    if why is Why.SIGNATURE and not name and content_type in _SIGNATURE_TYPES:
        return Why.HARMLESS
    if why is Why.SIGNATURE and name.lower() in _LETTER_SIGNATURES:
        return Why.HARMLESS
    if why in {Why.OTHER, Why.WEB_PAGE} and _is_harmless(name, content, content_type):
        return Why.HARMLESS
    return Why.EMPTY if name and not content and why else why


def _kind(name: str, content: bytes, content_type: str) -> Why:
    starts = content[:200].lstrip()
    begun = next((why for why, begins in _STARTS.items() if starts.startswith(begins)), None)
    named = next((why for why, endings in _ENDINGS.items() if name.endswith(endings)), Why.OTHER)
    if named is Why.OTHER_TABLE:
        return named
    if begun is not None:
        return begun
    kind = pretended(content)
    if kind is not None and (kind != Why.SEPARATED_VALUES or name.endswith(_SEPARATED)):
        return Why(kind)
    if content.startswith(_OLE_MAGIC):
        is_letter = name.endswith(".msg") or _OUTLOOK_STREAM in content
        return Why.OUTLOOK if is_letter else Why.OFFICE
    if name.endswith(_SIGNATURE_ENDINGS) or content_type in _SIGNATURE_TYPES:
        return Why.SIGNATURE
    if cms_message(content) is not None:
        return Why.SIGNATURE
    if content[257:262] == b"ustar":
        return Why.ARCHIVE
    return Why.PICTURE if content_type.startswith("image/") else named


def _is_harmless(name: str, content: bytes, content_type: str) -> bool:
    if content_type in _CARD_TYPES:
        return True
    if content_type in _OTHER_FORMS and not name:
        return True
    if _REST_OF_BODY.fullmatch(name) and len(content) <= _REST_MOST_BYTES:
        return True
    return not content.strip() and not name


def no_documents(attachments: Iterable[Attachment]) -> tuple[Finding, ...]:
    """What a letter without a document is told: of each kind of its files why it is not read."""
    alike: dict[tuple[str, str | None], list[Attachment]] = {}
    for one in attachments:
        if one.why:
            alike.setdefault((one.why, one.container), []).append(one)
    if not alike:
        return (finding(Code.NO_DOCUMENTS),)
    return tuple(_no_document(files) for files in alike.values())


def _no_document(files: Sequence[Attachment]) -> Finding:
    # A part of a letter has no name, and its type says nothing to its sender.
    names = (one.name or ("" if one.content_type in BY_TYPE else one.content_type) for one in files)
    told = list(filter(None, names))
    rest = max(len(told) - _TOLD_MOST, 0)
    about: dict[str, Any] = {"container": files[0].container} if files[0].container else {}
    about |= {"rest": str(rest)} if rest else {}
    found = finding(Code.NO_DOCUMENTS, reason=files[0].why, **about)
    if not told:
        return found
    listed = "\n".join(dict.fromkeys(map(printable, told[:_TOLD_MOST])))
    return replace(found, detail={**found.detail, "name": listed})
