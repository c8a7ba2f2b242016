"""Documents read and checked offline: no database, no password, no mail."""

from __future__ import annotations

import hashlib
import os
import resource
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from ingest.letters.credentials import mask
from ingest.letters.terms import Letter, Limits
from ingest.letters.unpack import OverLimitError, Unpacker
from ingest.operations.told import finding_json
from layouts.findings import Code, Finding, finding
from layouts.layout import Layout
from layouts.rules import Parameters, check, merge_runs
from layouts.terms import (
    Checked,
    Document,
    Known,
    LegalEntity,
    Parsed,
    Series,
    Verdict,
)
from parsers import parse
from parsers.workbooks import is_workbook

MOSCOW = ZoneInfo("Europe/Moscow")


@dataclass(frozen=True, slots=True)
class Rules:
    """What documents are checked against.

    Attributes:
        registry: None leaves the rules of the register of points out.
        received_at: Aware; None leaves out what depends on the day of receipt.
        memory_mb: Of the process that reads a workbook.
    """

    layouts: Mapping[str, Layout]
    parameters: Parameters
    limits: Limits
    registry: Sequence[LegalEntity] | None = None
    received_at: datetime | None = None
    memory_mb: int = 384


@dataclass(frozen=True, slots=True)
class Result:
    """One document with its verdict."""

    file: str
    parsed: Parsed
    checked: Checked
    zone: ZoneInfo

    def as_json(self, language: str) -> dict[str, Any]:
        """The object of `check --json`."""
        header = self.parsed.header
        created = header.created.astimezone(self.zone).isoformat() if header.created else None
        unreadable = self.checked.verdict is Verdict.UNREADABLE
        return {
            "file": self.file,
            "layout": None if unreadable else self.parsed.layout,
            "verdict": self.checked.verdict.value,
            "sender": header.sender_code,
            "created": created,
            "series": [] if unreadable else [self._series(item) for item in self._told()],
            "findings": [
                finding_json(item, language) for item in merge_runs(self.checked.findings)
            ],
        }

    def _told(self) -> list[Series]:
        """The series of the document, without hours that have not happened yet."""
        taken = {_names_of(change.series): change.series for change in self.checked.changes}
        return [taken.get(_names_of(item), item) for item in self.parsed.series]

    def _series(self, item: Series) -> dict[str, Any]:
        return {
            "area": item.area,
            "point": item.point,
            "meter": item.meter,
            "channel": item.channel,
            "zone": item.zone,
            "kind": item.kind.value,
            "unit": item.unit,
            "start": item.start.astimezone(self.zone).isoformat(),
            "end": item.end.astimezone(self.zone).isoformat(),
            "step_minutes": item.step_minutes,
            "count": item.count,
            "total": str(item.total),
            "not_commercial": len(item.not_commercial),
        }


def _names_of(item: Series) -> tuple[object, ...]:
    return item.area, item.point, item.meter, item.channel, item.zone, item.start


def check_file(path: Path, rules: Rules) -> Iterator[Result]:
    """Every document in a file: itself, those of an archive, those of a letter.

    Raises:
        OSError: the file cannot be read.
    """
    letter, found = _opened(path, rules.limits)
    for item in found:
        about = Parsed(name=path.name, sha256="", size=0, findings=(item,))
        yield _checked(path.name, letter, about, rules)
    documents = letter.documents
    if not documents and not found:
        documents = (Document(path.name, path.read_bytes()),)
    for document in documents:
        for parsed in _masked(letter, _parsed(document, rules)):
            yield _checked(parsed.name or path.name, letter, parsed, rules)


def _parsed(document: Document, rules: Rules) -> tuple[Parsed, ...]:
    """What a document says; a workbook is read in a process that it may well kill."""
    if not is_workbook(document.content):
        return parse(document, rules.layouts)
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # A fork has the layouts already, and this process has no threads to lose.
    with ProcessPoolExecutor(1, get_context("fork"), _confine, (rules.memory_mb,)) as child:
        try:
            return child.submit(parse, document, rules.layouts).result()
        except (BrokenProcessPool, MemoryError):
            found = finding(Code.TOO_COSTLY, limit_mb=rules.memory_mb)
    digest = hashlib.sha256(document.content).hexdigest()
    return (Parsed(document.name, digest, len(document.content), findings=(found,)),)


def _confine(memory_mb: int) -> None:
    # A library that runs out of memory says so at length.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 1024 * 1024,) * 2)


def _opened(path: Path, limits: Limits) -> tuple[Letter, tuple[Finding, ...]]:
    """The file as a letter: one that is no letter is taken as its only attachment."""
    content = path.read_bytes()
    if path.suffix.lower() == ".eml":
        # Most files are none, and should be answered at once.
        from ingest.letters.letter import read_letter

        letter = read_letter(content, limits)
        return letter, letter.findings
    unpacker = Unpacker(limits)
    letter = Letter(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
    try:
        unpacker.take(path.name, content)
    except OverLimitError as over:
        return letter, (over.found,)
    return replace(letter, documents=tuple(unpacker.documents)), tuple(unpacker.findings)


def _masked(letter: Letter, parsed: tuple[Parsed, ...]) -> tuple[Parsed, ...]:
    return mask(letter, parsed)[1]


def _checked(file: str, letter: Letter, parsed: Parsed, rules: Rules) -> Result:
    layout = rules.layouts.get(parsed.layout or "")
    entity: LegalEntity | None = None
    others: Sequence[LegalEntity] = ()
    if rules.registry is not None and layout is not None:
        entity = _sender(letter, parsed, rules.registry)
        if entity is None:
            unknown = finding(Code.SENDER_MISMATCH, seen=parsed.header.sender_code)
            parsed = replace(parsed, findings=(*parsed.findings, unknown))
        others = [other for other in rules.registry if other is not entity]
    known = Known(foreign=frozenset(_names(others)) if entity else frozenset())
    checked = check(parsed, layout, entity, rules.received_at, lambda _: known, rules.parameters)
    return Result(file, parsed, checked, ZoneInfo(layout.zone) if layout else MOSCOW)


def _sender(letter: Letter, parsed: Parsed, registry: Sequence[LegalEntity]) -> LegalEntity | None:
    """By the document's user code, the letter's, or a taxpayer number only one has."""
    codes = [parsed.header.sender_code, *(item.user_code for item in letter.credentials)]
    code = next((code for code in codes if code), None)
    if code is None:
        same = [entity for entity in registry if entity.inn == parsed.header.sender_inn]
    else:
        same = [entity for entity in registry if entity.user_code == code] or [
            entity for entity in registry if entity.user_code.lstrip("0") == code.lstrip("0")
        ]
    return same[0] if len(same) == 1 else None


def _names(entities: Iterable[LegalEntity]) -> Iterator[str]:
    for entity in entities:
        for point in entity.points:
            yield point.code
            yield from (meter.number for meter in point.meters)
