"""The parts of a zipped workbook, found by what refers to them and read as streams."""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import IO
from urllib.parse import unquote

from lxml import etree

from layouts.findings import Code, Finding, finding
from parsers.grid_draft import Spent
from parsers.trees import Element

MOST_UNPACKED = 64 * 2**20
"""A workbook whose parts are larger than this together is `too-costly`."""

_PIECE = 1 << 20
_HEAD = 65_536
_ENCRYPTED_ENTRY = 1
_TYPES = "[content_types].xml"


@dataclass(frozen=True, slots=True)
class Relation:
    """What one part says of another; `kind` is the last word of its type."""

    kind: str
    path: str


class Package:
    """A zip file whose parts refer to each other.

    Names of parts are compared as the standard says: in any case; and as some
    programs write them: with backslashes, too.

    Attributes:
        spent: What was read of it so far.

    Raises:
        zipfile.BadZipFile: it is none.
    """

    def __init__(self, content: bytes, spent: Spent | None = None) -> None:
        self._archive = zipfile.ZipFile(BytesIO(content))
        self._entries = {_plain(info.filename): info for info in self._archive.infolist()}
        self.spent = spent or Spent()

    def __contains__(self, path: str) -> bool:
        return path in self._entries

    def open(self, path: str) -> IO[bytes]:
        """A part as a stream.

        Raises:
            KeyError: there is no such part.
        """
        return self._archive.open(self._entries[path])

    def refusal(self) -> Finding | None:
        """What keeps it from being read at all."""
        if sum(entry.file_size for entry in self._entries.values()) > MOST_UNPACKED:
            return finding(Code.TOO_COSTLY, limit=f"{MOST_UNPACKED // 2**20} MB")
        if any(entry.flag_bits & _ENCRYPTED_ENTRY for entry in self._entries.values()):
            return finding(Code.ENCRYPTED_DOCUMENT)
        for path in self._entries:
            if path.endswith((".xml", ".rels")):
                head = self._head(path)
                if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
                    return finding(Code.FORBIDDEN_CONTENT, seen="<!DOCTYPE")
                # An .ods encrypts its parts one by one and says so here.
                if path == "meta-inf/manifest.xml" and b"encryption-data" in head:
                    return finding(Code.ENCRYPTED_DOCUMENT)
        return None

    def _head(self, path: str) -> bytes:
        with self.open(path) as part:
            # In UTF-16 every other byte of a tag is a zero.
            return part.read(_HEAD).replace(b"\0", b"")

    def container(self) -> str | None:
        """`xlsx`, `xlsb`, `ods`, or None for no workbook."""
        if {"mimetype", "content.xml"} <= self._entries.keys():
            return "ods" if b"spreadsheet" in self._head("mimetype") else None
        types = self._head(_TYPES) if _TYPES in self else b""
        if b"ms-excel.sheet.binary" in types:
            return "xlsb"
        if b"spreadsheetml" in types and b"main+xml" in types:
            return "xlsx"
        for path in self._entries:
            if path in {"xl/workbook.bin", "workbook.bin"}:
                return "xlsb"
            if path in {"xl/workbook.xml", "workbook.xml"}:
                return "xlsx"
        return None

    def book(self) -> str:
        """The part that lists the sheets.

        Raises:
            KeyError: nothing refers to one.
        """
        stated = [item.path for item in self.relations("").values() if _is_book(item)]
        usual = ("xl/workbook.xml", "xl/workbook.bin", "workbook.xml", "workbook.bin")
        found = next((path for path in (*stated, *usual) if path in self), None)
        if found is None:
            raise KeyError("no workbook part")
        return found

    def relations(self, path: str) -> Mapping[str, Relation]:
        """What a part refers to, by the name that it uses for it."""
        folder, _, file = path.rpartition("/")
        about = _plain(f"{folder}/_rels/{file}.rels")
        if about not in self:
            return {}
        found = {}
        for item in self.elements(about, "Relationship"):
            target = unquote(item.get("Target") or "").replace("\\", "/")
            if item.get("TargetMode") != "External":
                where = _plain(posixpath.normpath(posixpath.join(f"/{folder}", target)))
                kind = (item.get("Type") or "").rpartition("/")[2]
                found[item.get("Id") or ""] = Relation(kind, where)
        return found

    def elements(self, path: str, *names: str) -> Iterator[Element]:
        """Elements of a part in the order of their ends, whatever their namespace.

        Each one is emptied when the next is asked for.

        Raises:
            KeyError: there is no such part.
            SyntaxError: it is not XML.
            TooCostlyError: the workbook has more of them, or of tags, than any form has.
        """
        return self._counted(path, names, self.spent.element)

    def texts(self, path: str, *names: str) -> Iterator[Element]:
        """As `elements`, of texts that cells share: a workbook may have as many as cells."""
        return self._counted(path, names, self.spent.text)

    def _counted(
        self, path: str, names: Sequence[str], count: Callable[[], None]
    ) -> Iterator[Element]:
        self._count_tags(path)
        with self.open(path) as part:
            for element in stream(part, *names):
                count()
                yield element

    def _count_tags(self, path: str) -> None:
        for piece in self.pieces(path):
            self.spent.sign(piece.count(b"<"))

    def pieces(self, path: str) -> Iterator[bytes]:
        """A part, a megabyte at a time."""
        with self.open(path) as part:
            while piece := part.read(_PIECE):
                yield piece


def _plain(name: str) -> str:
    return name.replace("\\", "/").lstrip("/").lower()


def _is_book(relation: Relation) -> bool:
    return relation.kind == "officeDocument"


def stream(part: IO[bytes], *names: str) -> Iterator[Element]:
    """Elements of XML in the order of their ends, each emptied after its turn.

    Raises:
        SyntaxError: it is not XML.
        MemoryError: the process has no memory left for it.
    """
    wanted = [f"{{*}}{name}" for name in names]
    try:
        for _, element in etree.iterparse(
            part,
            events=("end",),
            tag=wanted,
            resolve_entities=False,
            no_network=True,
            remove_comments=True,
            remove_pis=True,
        ):
            yield element
            _forget(element)
    except etree.XMLSyntaxError as error:
        # The stubs do not know the code of an error.
        if error.code == etree.ErrorTypes.ERR_NO_MEMORY:  # type: ignore[attr-defined]
            raise MemoryError from error
        raise


def _forget(element: Element) -> None:
    """Empty an element that was read, and drop those before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def relation_of(element: Element) -> str:
    """The name of the relation that an element refers by."""
    # The prefix and even the namespace of this attribute differ between writers.
    ids = (value for name, value in element.attrib.items() if str(name).endswith("}id"))
    return next(map(str, ids), "")


DAMAGES = (
    zipfile.BadZipFile,
    zlib.error,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
    EOFError,
    SyntaxError,
    NotImplementedError,
    RuntimeError,
    AssertionError,
)
"""What reading a damaged workbook raises: zipfile and xlrd document nothing narrower."""
