"""Documents read and checked offline: no database, no password, no mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from ingest.intake.judge import against_each_other, judge, without_secrets
from ingest.letters.secrets import secrets_of
from ingest.letters.terms import Letter, Read
from layouts.adjoining import merge_adjoining
from layouts.document import Parsed, Series
from layouts.findings import Code, Finding, finding
from layouts.known import Checked, Known
from layouts.layout import Layout
from layouts.months import MOSCOW
from layouts.parameters import Parameters
from layouts.points import LegalEntity
from layouts.terms import Kind, Verdict


@dataclass(frozen=True, slots=True)
class Rules:
    """What documents are checked against.

    Attributes:
        read_file: Reads a file by its name and bytes: `Sandbox.read_file`.
        registry: None leaves the rules of the register of points out.
        received_at: Aware; None leaves out what depends on the day of receipt.
    """

    layouts: Mapping[str, Layout]
    parameters: Parameters
    read_file: Callable[[str, bytes], Read]
    registry: Sequence[LegalEntity] | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ToldSeries:
    """A series of a document; its fields are the keys of `check --json`.

    Attributes:
        start: In the zone that the layout names, as `end`.
        end: Of the last interval; of a register reading its instant, as `start`.
        count: Values present, commercial or not.
        total: Sum of all of them; of a register reading its value.
    """

    area: str | None
    point: str | None
    meter: str | None
    channel: str
    zone: str | None
    kind: Kind
    unit: str
    start: datetime
    end: datetime
    step_minutes: int | None
    count: int
    total: Decimal
    not_commercial: int


@dataclass(frozen=True, slots=True)
class ToldDocument:
    """A document as `check` tells it; its fields are the keys of `check --json`.

    Attributes:
        layout: None of one that cannot be read, which has no series either.
        sender: A user code.
        sender_inn: What an 80020 names instead.
        created: In the zone that the layout names.
    """

    file: str
    layout: str | None
    verdict: Verdict
    sender: str | None
    sender_inn: str | None
    created: datetime | None
    series: tuple[ToldSeries, ...]
    findings: tuple[Finding, ...]


def unreadable(file: str, findings: Sequence[Finding]) -> ToldDocument:
    """A file in which there is no document, as `check` tells it."""
    return ToldDocument(file, None, Verdict.UNREADABLE, None, None, None, (), tuple(findings))


@dataclass(frozen=True, slots=True)
class Result:
    """One document with its verdict."""

    file: str
    parsed: Parsed
    checked: Checked
    zone: ZoneInfo

    @property
    def told(self) -> ToldDocument:
        """The document as `check` tells it."""
        header = self.parsed.header
        created = header.created.astimezone(self.zone) if header.created else None
        unreadable = self.checked.verdict is Verdict.UNREADABLE
        return ToldDocument(
            file=self.file,
            layout=None if unreadable else self.parsed.layout,
            verdict=self.checked.verdict,
            sender=header.sender_code,
            sender_inn=header.sender_inn,
            created=created,
            series=() if unreadable else tuple(self._series(item) for item in self._taken()),
            findings=tuple(merge_adjoining(self.checked.findings)),
        )

    def _taken(self) -> list[Series]:
        """The series of the document, without hours that have not happened yet."""
        taken = {_names_of(change.series): change.series for change in self.checked.changes}
        return [taken.get(_names_of(item), item) for item in self.parsed.series]

    def _series(self, item: Series) -> ToldSeries:
        return ToldSeries(
            area=item.area,
            point=item.point,
            meter=item.meter,
            channel=item.channel,
            zone=item.zone,
            kind=item.kind,
            unit=item.unit,
            start=item.start.astimezone(self.zone),
            end=item.end.astimezone(self.zone),
            step_minutes=item.step_minutes,
            count=item.count,
            total=Decimal(item.total),
            not_commercial=len(item.not_commercial),
        )


def _names_of(item: Series) -> tuple[object, ...]:
    return item.area, item.point, item.meter, item.channel, item.zone, item.start


def check_file(path: Path, rules: Rules) -> Iterator[Result]:
    """Every document in a file: itself, those of an archive, those of a letter.

    It is read as a letter is, in a confined child and within the same limits.

    Raises:
        OSError: the file cannot be read, or no child can be had.
    """
    read = rules.read_file(path.name, path.read_bytes())
    for item in read.letter.findings:
        about = Parsed(name=path.name, sha256="", size=0, findings=(item,))
        yield _checked(path.name, read.letter, about, rules)
    for parsed in against_each_other(read.parsed, rules.layouts):
        yield _checked(parsed.name or path.name, read.letter, parsed, rules)


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
    checked = judge(
        parsed, rules.layouts, rules.parameters, entity, rules.received_at, lambda _: known
    )
    parsed, checked = without_secrets(parsed, checked, entity, secrets_of(letter, [parsed]))
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
