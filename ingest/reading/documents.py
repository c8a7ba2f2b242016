"""What is read of a letter or a file, and what is marked in its workbooks.

Pure functions from hostile bytes to values. They bound nothing but what `Limits`
counts, so that they are called in a confined child (`reading.child`). None raises for
bad bytes; each may raise `MemoryError`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ingest.letters.secrets import mask
from ingest.letters.terms import Letter, Limits, Marked, Marks, Read
from ingest.letters.unpack import OverLimitError, Unpacker
from layouts.document import Document, Parsed
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from parsers import Spent, parse, parsed_of
from parsers.assemble import MOST_MISTAKES, MOST_SERIES
from parsers.grid import Cell, ErrorCell, StruckCell

DOCUMENTS_MOST = 2
"""All documents of a letter may cost as much as so many of the largest ones."""

HEADER_BYTES = 256 * 1024
"""What is read again of a letter that was too costly to be read whole."""


def read_bytes(content: bytes, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """A whole letter; its documents' bytes are dropped."""
    # Late, so that a file that is no letter is read without it.
    from ingest.letters.letter import read_letter

    return _with_documents(read_letter(content, limits), layouts)


def read_words(content: bytes, limits: Limits) -> Read:
    """A letter by its header and bodies: who it says it is from; no document is opened."""
    from ingest.letters.letter import read_words_only

    return _with_documents(read_words_only(content, limits), {})


def read_too_large(content: bytes, size: int, limits: Limits) -> Read:
    """A letter over the limit by its header, which is all that was fetched of it."""
    from ingest.letters.letter import read_header_only

    return _with_documents(read_header_only(content, size, limits), {})


def read_header(content: bytes, size: int, limits: Limits) -> Read:
    """A letter that was too costly to be read whole, by its header alone."""
    head = content[:HEADER_BYTES]
    end = re.search(rb"\n(?=\r?\n)", head)
    read = read_bytes(head[: end.end()] if end else head, limits, {})
    return Read(replace(read.letter, size=size, sha256=hashlib.sha256(content).hexdigest()))


def read_file(name: str, content: bytes, limits: Limits, layouts: Mapping[str, Layout]) -> Read:
    """A file as a letter whose only attachment it is; an .eml is that letter itself.

    A file that is no document and holds none is taken as one, so that a finding says why.

    Args:
        name: Says of what kind it is.
        content: Its bytes.
        limits: Of size and depth.
        layouts: The forms, by their numbers.
    """
    if name.lower().endswith(".eml"):
        read = read_bytes(content, limits, layouts)
        if read.parsed or read.letter.findings:
            return read
        return _with_documents(replace(read.letter, documents=(Document(name, content),)), layouts)
    return _with_documents(_file_as_letter(name, content, limits), layouts)


def _file_as_letter(name: str, content: bytes, limits: Limits) -> Letter:
    """A letter whose only attachment the file is."""
    unpacker = Unpacker(limits)
    letter = Letter(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    try:
        unpacker.take(name, content)
        unpacker.tell_unread()
    except OverLimitError as over:
        return replace(letter, findings=(over.found,))
    documents, findings = tuple(unpacker.documents), tuple(unpacker.findings)
    if not documents and not findings:
        documents = (Document(name, content),)
    return replace(letter, documents=documents, findings=findings)


def _with_documents(letter: Letter, layouts: Mapping[str, Layout]) -> Read:
    letter, parsed = mask(letter, tuple(_parsed(letter.documents, layouts)))
    emptied = tuple(replace(document, content=b"") for document in letter.documents)
    return Read(replace(letter, documents=emptied), parsed)


def _parsed(documents: Sequence[Document], layouts: Mapping[str, Layout]) -> Iterator[Parsed]:
    """What each document holds; after `DOCUMENTS_MOST` no other is opened."""
    cost = 0.0
    for document in documents:
        if cost >= DOCUMENTS_MOST:
            found = finding(Code.TOO_COSTLY, limit=str(DOCUMENTS_MOST))
            yield replace(parsed_of(document), findings=(found,))
            continue
        spent = Spent()
        items = parse(document, layouts, spent)
        cost += max(spent.share, _share(items))
        yield from items


def _share(items: Sequence[Parsed]) -> float:
    """How much of what one document may cost was spent on what was read."""
    found = [one for item in items for one in item.findings]
    if any(one.code is Code.TOO_COSTLY for one in found):
        return 1.0
    mistakes = sum(1 + int(one.detail.get("more", 0)) for one in found)
    series = sum(len(item.series) + len(item.spoilt) for item in items)
    return mistakes / MOST_MISTAKES + series / MOST_SERIES


def mark_workbooks(
    content: bytes, limits: Limits, wanted: Marks, file_name: str = ""
) -> dict[str, Marked]:
    """The wanted documents of a letter as marked workbooks, by their SHA-256.

    Args:
        content: The letter's bytes, or a file's.
        limits: What it may cost to unpack.
        wanted: The findings.
        file_name: Of a file that came without a letter.
    """
    # Late: few letters need what writes workbooks.
    from ingest.letters.letter import read_letter
    from ingest.replies.marked import mark

    is_file = file_name and not file_name.lower().endswith(".eml")
    letter = (
        _file_as_letter(file_name, content, limits) if is_file else read_letter(content, limits)
    )
    marked = {}
    for document in letter.documents:
        sha256 = hashlib.sha256(document.content).hexdigest()
        if sha256 in wanted.findings and sha256 not in marked:
            findings = wanted.findings[sha256]
            found = mark(document, findings, wanted.secrets, wanted.language, written_in)
            if found is not None:
                marked[sha256] = found
    return marked


def _as_written(cell: Cell) -> object:
    if isinstance(cell, StruckCell):
        return cell.cell
    return cell.text if isinstance(cell, ErrorCell) else cell


def written_in(content: bytes) -> Mapping[str, Mapping[int, Mapping[int, object]]] | None:
    """What is written on a workbook's visible sheets, by row and column; None if it is none."""
    from parsers.workbooks import open_workbook

    sheets = open_workbook(content)
    if isinstance(sheets, Finding):
        return None
    return {
        sheet.name: {
            row: {
                column: _as_written(value)
                for column, value in (
                    sheet.unseen.get(row, {}) | dict(sheet.rows.get(row, {}))
                ).items()
            }
            for row in sorted({*sheet.rows, *sheet.unseen})
        }
        for sheet in sheets
        if sheet.is_visible
    }
