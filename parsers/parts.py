"""What the libraries do not tell of a workbook: merged cells, formulas never counted."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO

from lxml import etree

from parsers.grid import Merged
from parsers.trees import Element


@dataclass(frozen=True, slots=True)
class Part:
    """What the XML of one sheet says.

    Attributes:
        merged: Merged ranges.
        uncounted: Formulas without a kept value; one whose value is an empty
            text is not among them.
    """

    merged: tuple[Merged, ...] = ()
    uncounted: Mapping[tuple[int, int], str] = field(default_factory=dict)


_FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")
_MERGE = re.compile(rb"<(?:\w+:)?mergeCell [^>]*ref=\"([A-Z]{1,3})(\d+):([A-Z]{1,3})(\d+)\"")


def xlsx_parts(content: bytes) -> dict[str, Part]:
    """What each sheet's XML of an .xlsx says, by the sheet's name."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        names = archive.namelist()
        book = next(name for name in names if name.endswith("workbook.xml"))
        folder, _, file = book.rpartition("/")
        related = f"{folder}/_rels/{file}.rels".lstrip("/")
        if related not in names:
            return {}
        relations = _tree(archive.read(related)).iter("{*}Relationship")
        targets = {item.get("Id"): item.get("Target") or "" for item in relations}
        parts = {}
        for sheet in _tree(archive.read(book)).iter("{*}sheet"):
            path = _path(folder, targets.get(_relation(sheet), ""))
            if path in names:
                parts[sheet.get("name") or ""] = _xlsx_part(archive.read(path))
        return parts


def _tree(part: bytes) -> Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(part, parser)


def _relation(sheet: Element) -> str | None:
    # The prefix and even the namespace of this attribute differ between writers.
    ids = (value for name, value in sheet.attrib.items() if str(name).endswith("}id"))
    return next(map(str, ids), None)


def _path(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else f"{folder}/{target}".lstrip("/")


def _xlsx_part(part: bytes) -> Part:
    merged = tuple(
        Merged(int(top), _column(left.decode()), int(bottom), _column(right.decode()))
        for left, top, right, bottom in _MERGE.findall(part)
    )
    # Most sheets have no formula, and a search is quicker than a tree.
    uncounted = dict(_xlsx_uncounted(part)) if _FORMULA.search(part) else {}
    return Part(merged, uncounted)


_PLACE = re.compile(r"([A-Z]{1,3})(\d+)")


def _xlsx_uncounted(part: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    for formula in _tree(part).iter("{*}f"):
        cell = formula.getparent()
        place = _PLACE.fullmatch(cell.get("r") or "") if cell is not None else None
        if cell is None or place is None or cell.get("t") == "str" or cell.findtext("{*}v"):
            continue
        yield (int(place[2]), _column(place[1])), formula.text or ""


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"


def ods_parts(content: bytes) -> dict[str, Part]:
    """What each sheet's XML of an .ods says, by the sheet's name."""
    with zipfile.ZipFile(BytesIO(content)) as archive:
        part = archive.read("content.xml")
    if b"table:formula" not in part:
        return {}
    tables = _tree(part).iter(f"{_TABLE}table")
    return {
        table.get(f"{_TABLE}name") or "": Part(uncounted=dict(_ods_uncounted(table)))
        for table in tables
    }


def _ods_uncounted(table: Element) -> Iterator[tuple[tuple[int, int], str]]:
    row = 1
    for line in table.iter(f"{_TABLE}table-row"):
        column = 1
        for cell in line:
            formula = cell.get(f"{_TABLE}formula")
            if formula is not None and cell.get(f"{_OFFICE}value-type") is None:
                yield (row, column), formula.partition("=")[2]
            column += _repeated(cell, "columns")
        row += _repeated(line, "rows")


def _repeated(element: Element, what: str) -> int:
    text = element.get(f"{_TABLE}number-{what}-repeated") or "1"
    return int(text) if text.isascii() and text.isdigit() else 1
