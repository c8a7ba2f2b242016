"""Attached files to documents: archives, forwarded letters and winmail.dat opened.

Pure and bounded. Sizes that a container states of itself are never believed: the
bytes are counted as they come out.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from ingest.letters import mime
from ingest.letters.decoding import file_name, text_of
from ingest.letters.signed import (
    cms_message,
    is_encrypted,
    name_without_signature,
    signed_content,
)
from ingest.letters.terms import Attachment, Limits
from ingest.letters.unread import APPLE_DOUBLE, BY_TYPE, Why, why_unread
from layouts.document import Document
from layouts.findings import Code, Finding, Findings, Place, finding
from parsers import looks_like_document
from parsers.encodings import likeliest
from parsers.pretenders import pretended

if TYPE_CHECKING:
    from tnefparse.tnef import TNEF, TNEFAttachment


class OverLimitError(Exception):
    """A limit was reached; nothing of the letter is taken."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.code.value)
        self.found = found


FILE_MOST = 32 * 2**20
"""What one file in an archive may unpack to: no document is half as large."""

ENTRIES_MOST = 2000
"""Files of one letter, those in archives and the parts of workbooks among them."""

CONTAINERS_MOST = 200
"""Archives, signed files and enclosed letters that are opened: four a document."""

BODIES_MOST = 50
"""Bodies of one letter that are read, those of enclosed letters included."""

RTF_MOST = 131_072
"""Bytes of all the RTF of one letter that are read: its readers are slow Python."""

BODY_BYTES_MOST = 4 * 2**20
"""A body after so many bytes of others is not read."""

TAGS_MOST = 20_000
"""Tags of all the HTML bodies of one letter that are read."""

BODY_LINES_MOST = 500_000
"""Lines of all the bodies of one letter that are read: a file of 25 MB in base64 has 350,000."""

DEPTH_MOST = 4
"""Containers within one another that are opened; a deeper one is an attachment."""

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class _File:
    """One file to be kept or opened, and how deep it lies."""

    name: str
    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"
    container: str | None = None
    depth: int = 0
    enclosed: int = 0
    is_inline: bool = False


@dataclass(slots=True)
class Unpacker:
    """Collects what the parts of one letter hold.

    Attributes:
        nodes: How many parts were met, enclosed letters' included.
        texts: Bodies of the letter, of the letters it encloses, and of winmail.dat.
    """

    limits: Limits
    documents: list[Document] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    findings: Findings = field(default_factory=lambda: Findings(most=20))
    texts: list[mime.Part] = field(default_factory=list)
    nodes: mime.Count = field(default_factory=mime.Count)
    _spent: int = 0
    _entries: int = 0
    _containers: int = 0
    _body_bytes: int = 0
    _rtf: int = 0
    _left: dict[bytes, int] = field(
        default_factory=lambda: {b"\n": BODY_LINES_MOST, b"<": TAGS_MOST, b">": 2 * TAGS_MOST}
    )

    def letter(self, content: bytes, enclosed: int = 0, depth: int = 0) -> None:
        """Take every part of a letter.

        Raises:
            OverLimitError: it is over one of the limits.
        """
        try:
            for part in mime.walk(content, enclosed, self.nodes):
                self._part(part, depth)
        except mime.TooManyPartsError:
            raise self._too_many(None) from None

    def _part(self, part: mime.Part, depth: int) -> None:
        if part.content_type in _BODIES and not part.name and not part.is_attached:
            self._body(part)
            return
        self.take(
            part.name,
            part.content,
            part.content_type,
            depth=depth,
            enclosed=part.enclosed,
            is_inline=part.is_inline,
        )

    def _body(self, part: mime.Part) -> None:
        if len(self.texts) == BODIES_MOST or self._body_bytes > BODY_BYTES_MOST:
            return
        self._body_bytes += len(part.content)
        if part.content.startswith(_RTF_MAGIC):
            # Late: a file that is no letter is read without it.
            from ingest.letters.body import rtf_text

            plain = rtf_text(part.content[: self._of_rtf(len(part.content))])
            part = replace(part, content=plain, content_type="text/plain", charset="utf-8")
        for sign in (b"\n", b"<", b">") if part.is_html else (b"\n",):
            part = replace(part, content=self._with_few(sign, part.content))
        self.texts.append(part)

    def _of_rtf(self, wanted: int) -> int:
        """How many more bytes of RTF are read."""
        given = min(wanted, RTF_MOST - self._rtf)
        self._rtf += given
        return given

    def _with_few(self, sign: bytes, content: bytes) -> bytes:
        """A body up to the last line or tag that is read: credentials stand near its beginning."""
        left, count = self._left[sign], content.count(sign)
        self._left[sign] = max(0, left - count)
        if count <= left:
            return content
        within = re.compile(rb"(?:[^%s]*+%s){%d}[^%s]*+" % (sign, sign, left, sign)).match(content)
        return within[0] if within else content

    def take(
        self,
        name: str,
        content: bytes,
        content_type: str = "application/octet-stream",
        *,
        container: str | None = None,
        depth: int = 0,
        enclosed: int = 0,
        is_inline: bool = False,
    ) -> None:
        """Keep one file as a document or an attachment, or open it.

        Args:
            name: As decoded, '' when it has none.
            content: Its bytes, transfer encoding undone.
            content_type: As stated, in lower case.
            container: Name of the archive that it came in.
            depth: How many containers it stands in.
            enclosed: How many forwarded letters it stands in.
            is_inline: Whether the body shows it.

        Raises:
            OverLimitError: it is over one of the limits.
        """
        inner = _File(name, content, content_type, container, depth, enclosed, is_inline)
        # Before a directory is read: each entry of it costs time and memory.
        is_zip = content.startswith(_ZIP_MAGIC)
        self._entries += 1 + (content.count(b"PK\x01\x02") if is_zip else 0)
        if self._entries > ENTRIES_MOST:
            raise self._too_many(container or name)
        match _kind(inner):
            case _ if content_type in BY_TYPE:
                self._set_aside(inner)
            case _Kind.LOCKED:
                self._locked(inner, name)
            case _Kind.PLAIN if looks_like_document(name, content):
                self._keep(Document(name, content, container))
            case kind if kind in _CONTAINERS and depth < DEPTH_MOST:
                self._open(kind, inner)
            case kind if kind in _CONTAINERS:
                self._set_aside(inner, Why.TOO_DEEP)
            case _:
                self._set_aside(inner)

    def _open(self, kind: _Kind, inner: _File) -> None:
        self._containers += 1
        if self._containers > CONTAINERS_MOST:
            raise self._too_many(inner.container or inner.name)
        match kind:
            case _Kind.ZIP:
                self._zip(inner)
            case _Kind.GZIP:
                self._gzip(inner)
            case _Kind.TNEF:
                self._tnef(inner)
            case _Kind.SIGNED:
                self._signed(inner)
            case _:
                self.letter(inner.content, inner.enclosed + 1, inner.depth + 1)

    def _keep(self, document: Document) -> None:
        if len(self.documents) >= self.limits.documents:
            raise self._too_many(document.container)
        self.documents.append(document)

    def _set_aside(self, inner: _File, why: Why | None = None) -> None:
        if len(self.attachments) == _NAMED_MOST:
            return
        if why is None:
            about = (inner.name, inner.content, inner.content_type)
            why = why_unread(*about, is_inline=inner.is_inline)
        size = len(inner.content)
        self.attachments.append(
            Attachment(inner.name, inner.content_type, size, why.value, inner.container)
        )

    def tell_unread(self) -> None:
        """Name what was not read beside a document; alone, the reply lists what there was."""
        names = {document.name for document in self.documents}
        for one in self.attachments if self.documents else ():
            # The lock of a workbook that is here itself is no more than that.
            is_beside = one.why == Why.LOCK and one.name.removeprefix(_LOCK_NAME) in names
            if one.why and not is_beside:
                told = finding(Code.ATTACHMENT_NOT_READ, reason=one.why, name=one.name)
                inside = {"container": one.container} if one.container else {}
                self.findings.add(replace(told, detail={**told.detail, **inside}))

    def _zip(self, inner: _File) -> None:
        try:
            archive = zipfile.ZipFile(io.BytesIO(inner.content))
        except _DAMAGED:
            self._unreadable(inner)
            return
        with archive:
            # A stated size may refuse a file, and is never relied upon: bytes are counted below.
            if (
                self._spent + sum(info.file_size for info in archive.infolist())
                > self.limits.unpacked_bytes
            ):
                raise self._too_large(inner, self.limits.unpacked_bytes)
            # `ZipInfo.is_dir` raises IndexError on an empty name.
            infos = [
                info
                for info in archive.infolist()
                if not info.filename.endswith(("/", "\\")) and not _JUNK.search(zip_name(info))
            ]
            for info in infos:
                self._entry(archive, info, inner)
        if not infos:
            self._set_aside(inner, Why.NO_FILES)

    def _entry(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, outer: _File) -> None:
        name = file_name(zip_name(info))
        if info.flag_bits & 1:
            self._locked(outer, name)
            return
        # The other methods unpack in one piece, however large that is.
        if info.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            self._unreadable(outer, "packing")
            return
        try:
            # A stated size may refuse a file, and is never relied upon: bytes are counted below.
            if info.file_size > FILE_MOST:
                raise self._too_large(outer, FILE_MOST)
            with archive.open(info) as stream:
                content = self._counted(iter(lambda: stream.read(_CHUNK), b""), outer)
        except _DAMAGED:
            self._unreadable(outer)
        else:
            self._inner(outer, name, content)

    def _locked(self, outer: _File, name: str) -> None:
        """One finding for an archive, however many of its files are encrypted."""
        place = Place(file=outer.name or None)
        if not any(
            found.code is Code.ENCRYPTED_DOCUMENT and found.place == place
            for found in self.findings
        ):
            self.findings.add(finding(Code.ENCRYPTED_DOCUMENT, place, entry=name))

    def _gzip(self, inner: _File) -> None:
        try:
            content = self._counted(_gunzipped(inner.content), inner)
        except _DAMAGED:
            self._unreadable(inner)
            return
        self._inner(inner, re.sub(r"(?i)\.gz$", "", inner.name), content)

    def _inner(self, outer: _File, name: str, content: bytes) -> None:
        # Outlook's winmail.dat is a wrapping that its sender never saw.
        is_archive = not outer.content.startswith(_TNEF_MAGIC)
        container = (outer.name or outer.container or "") if is_archive else outer.container
        self.take(
            name,
            content,
            container=container,
            depth=outer.depth + 1,
            enclosed=outer.enclosed,
        )

    def _signed(self, inner: _File) -> None:
        message = cms_message(inner.content) or b""
        content = signed_content(message)
        if content is None:
            if is_encrypted(message):
                self._locked(inner, inner.name)
            else:
                self._set_aside(inner)
        elif mime.split_header(content, 0, len(content))[0].keys() & _LETTER_FIELDS:
            self.letter(content, inner.enclosed, inner.depth + 1)
        else:
            name = name_without_signature(inner.name)
            self.take(
                name,
                content,
                container=inner.container,
                depth=inner.depth + 1,
                enclosed=inner.enclosed,
            )

    def _tnef(self, inner: _File) -> None:
        files = _tnef_files(inner.content, self._of_rtf)
        if files is None:
            self._unreadable(inner)
            return
        body, attached = files
        if body:
            self._body(mime.Part("text/plain", "", "", False, body, inner.enclosed))
        for name, content in attached:
            self._counted(iter([content]), inner)
            self._inner(inner, name, content)

    def _counted(self, chunks: Iterator[bytes], inner: _File) -> bytes:
        """The chunks of a file joined, as long as it, and the letter, stay within their limits."""
        kept = bytearray()
        for chunk in chunks:
            self._spent += len(chunk)
            kept += chunk
            if self._spent > self.limits.unpacked_bytes:
                raise self._too_large(inner, self.limits.unpacked_bytes)
            if len(kept) > FILE_MOST:
                raise self._too_large(inner, FILE_MOST)
        return bytes(kept)

    def _too_large(self, inner: _File, most: int) -> OverLimitError:
        limit = most // (1024 * 1024)
        place = Place(file=inner.name or None)
        return OverLimitError(finding(Code.UNPACKS_TOO_LARGE, place, limit_mb=limit))

    def _too_many(self, name: str | None) -> OverLimitError:
        place = Place(file=name or None)
        return OverLimitError(finding(Code.TOO_MANY_DOCUMENTS, place, limit=self.limits.documents))

    def _unreadable(self, inner: _File, reason: str = "damaged-file") -> None:
        place = Place(file=inner.name or None)
        self.findings.add(finding(Code.UNREADABLE_DOCUMENT, place, reason=reason))


class WordsOnly(Unpacker):
    """Collects a letter's bodies; every file is passed over unopened."""

    def take(self, *_given: object, **_more: object) -> None:
        """Nothing is kept."""


_BODIES = frozenset(
    {
        *("text/plain", "text/html", "text/enriched", "text/richtext"),
        *("text/rtf", "application/rtf"),
    }
)
_LOCK_NAME = "~$"
_LETTER_FIELDS = frozenset({"content-type", "mime-version"})
_NAMED_MOST = 100
_MEMBERS_MOST = 100
_JUNK = re.compile(r"(?:^|[/\\])(?:__MACOSX[/\\]|\.DS_Store$|Thumbs\.db$|desktop\.ini$)")

# What zipfile, zlib and tnefparse raise for bytes that are no archive, or a
# damaged one; a MemoryError is not among them and ends the reading.
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NameError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK")
_OLE_MAGIC = b"\xd0\xcf\x11\xe0"
_GZIP_MAGIC = b"\x1f\x8b"
_TNEF_MAGIC = b"\x78\x9f\x3e\x22"
_RTF_MAGIC = b"{\\rtf"
_PGP_MAGIC = b"-----BEGIN PGP MESSAGE-----"


class _Kind(StrEnum):
    """What a file is, by its first bytes; its name and type are only hints."""

    ZIP = "zip"
    GZIP = "gzip"
    TNEF = "tnef"
    SIGNED = "signed"
    LOCKED = "locked"
    LETTER = "letter"
    OTHER = "other"
    PLAIN = "plain"


def _kind(inner: _File) -> _Kind:
    content = inner.content
    if content.startswith(_ZIP_MAGIC):
        return _zip_kind(content)
    if content.startswith(_GZIP_MAGIC):
        return _Kind.GZIP
    if content.startswith(_TNEF_MAGIC):
        return _Kind.TNEF
    if content.startswith(_OLE_MAGIC):
        return _Kind.PLAIN if _is_old_workbook(inner) else _Kind.OTHER
    if _is_no_document(inner):
        return _Kind.OTHER
    if content.startswith(_PGP_MAGIC) or inner.name.lower().endswith((".gpg", ".pgp")):
        return _Kind.LOCKED
    if cms_message(content) is not None:
        return _Kind.SIGNED
    is_letter = inner.content_type == "message/rfc822" or inner.name.lower().endswith(".eml")
    return _Kind.LETTER if is_letter and content else _Kind.PLAIN


def _is_no_document(inner: _File) -> bool:
    """Whether a file that has a document's name or XML in it is something else."""
    if inner.content.startswith(APPLE_DOUBLE):
        return True
    if inner.name.startswith(_LOCK_NAME) and pretended(inner.content) == Why.LOCK:
        return True
    if inner.content_type == "image/svg+xml" or inner.name.lower().endswith((".svg", ".webloc")):
        return True
    return inner.content_type.startswith("image/") and not looks_like_document("", inner.content)


_CONTAINERS = frozenset({_Kind.ZIP, _Kind.GZIP, _Kind.TNEF, _Kind.SIGNED, _Kind.LETTER})

_WORKBOOK_PARTS = ("xl/", "content.xml")
_WORKBOOK_STREAMS = ("Workbook", "Book", "EncryptedPackage")
_OFFICE_PARTS = ("[Content_Types].xml", "_rels/", "docProps/", "mimetype", *_WORKBOOK_PARTS)


def _zip_kind(content: bytes) -> _Kind:
    """Whether a zip is an archive of files, a workbook, or another office file.

    A damaged one is told by its first entry: a workbook cut off in the middle goes
    to the parsers, which say so.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            # Some programs part their names by backslashes.
            names = [name.replace("\\", "/") for name in archive.namelist()]
    except _DAMAGED:
        first = content[30:60].decode("latin-1").replace("\\", "/")
        return _Kind.PLAIN if first.startswith(_OFFICE_PARTS) else _Kind.ZIP
    if "Index/Document.iwa" in names or "Index.zip" in names:
        return _Kind.OTHER
    if "[Content_Types].xml" not in names and "mimetype" not in names:
        return _Kind.ZIP
    # Parts may be named in other ways, and a mimetype may be packed or stand last.
    is_workbook = any(name.startswith("xl/") for name in names)
    return _Kind.PLAIN if is_workbook or looks_like_document("", content) else _Kind.OTHER


def _is_old_workbook(inner: _File) -> bool:
    """Whether an OLE file is a workbook: Word's and Outlook's files look alike.

    An encrypted workbook of any age is one, too; the parsers say that it is locked.
    """
    if inner.name.lower().endswith((".xls", ".xlsx", ".xlsm", ".xlsb")):
        return True
    if inner.name.lower().endswith((".doc", ".docx", ".ppt", ".pptx", ".msg")):
        return False
    return any(name.encode("utf-16-le") in inner.content for name in _WORKBOOK_STREAMS)


def zip_name(info: zipfile.ZipInfo) -> str:
    """An archived file's name as it was meant.

    Without the UTF-8 flag `zipfile` reads names as CP437. Windows writes CP866
    here, some programs windows-1251, and macOS UTF-8 without saying so.
    """
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeError:
        return info.filename
    if raw.isascii():
        return info.filename
    try:
        return raw.decode("utf-8")
    except UnicodeError:
        pass
    return raw.decode(likeliest(raw, ("cp866", "cp1251"))[0], "replace")


def _gunzipped(content: bytes) -> Iterator[bytes]:
    """The uncompressed bytes of every member, in chunks."""
    waiting, at, members = b"", 0, 0
    stream = zlib.decompressobj(wbits=31)
    while waiting or at < len(content):
        if len(waiting) < 2:
            waiting += content[at : at + _CHUNK]
            at += _CHUNK
        if stream.eof:
            members += 1
            # What follows the last member is padding, or garbage that gzip ignores as well.
            if not waiting.startswith(_GZIP_MAGIC):
                return
            if members == _MEMBERS_MOST:
                raise EOFError
            stream = zlib.decompressobj(wbits=31)
        yield stream.decompress(waiting, _CHUNK)
        waiting = stream.unused_data if stream.eof else stream.unconsumed_tail
    if not stream.eof:
        raise EOFError


_TNEF_OBJECTS_MOST = 2000


def _tnef_files(
    content: bytes, of_rtf: Callable[[int], int]
) -> tuple[bytes, list[tuple[str, bytes]]] | None:
    """The body and the files in a winmail.dat; None when it is damaged.

    Args:
        content: Its bytes.
        of_rtf: How many more bytes of RTF are read.
    """
    # Late, as few letters need it.
    from tnefparse.tnef import TNEF

    if not _tnef_is_small(content):
        return None
    try:
        tnef = TNEF(content, do_checksum=False)
        return _tnef_body(tnef, of_rtf), [
            (file_name(_tnef_name(attached)), bytes(attached.data)) for attached in tnef.attachments
        ]
    except _DAMAGED:
        return None


def _tnef_body(tnef: TNEF, of_rtf: Callable[[int], int]) -> bytes:
    """The plain body, else the one in HTML, else the one in RTF; b"" without one."""
    for body in (tnef.body, tnef.htmlbody):
        packed = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
        if packed.strip(b"\0\r\n\t "):
            return packed
    size = len(tnef._rtfbody or b"")  # noqa: SLF001 - before it is unpacked
    if of_rtf(size) < size:
        return b""
    return bytes(tnef.rtfbody or b"")


def _tnef_name(attached: TNEFAttachment) -> str:
    try:
        name = attached.long_filename()
    except UnicodeError:
        # Names in the sender's code page are taken for UTF-8.
        name = attached._name  # noqa: SLF001 - as it stands in the file
    return name if isinstance(name, str) else text_of(bytes(name), attached.codepage)


def _tnef_is_small(content: bytes) -> bool:
    """Whether it has few objects: the library copies the rest of the file for each."""
    at = 6
    for _ in range(_TNEF_OBJECTS_MOST):
        if at + 11 > len(content):
            return True
        at += int.from_bytes(content[at + 5 : at + 9], "little") + 11
    return False
