"""What a reply says, as plain values for both templates."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain

from ingest.letters.terms import Letter
from ingest.replies.repeats import Repeat, joined, shown, weight
from ingest.replies.texts import advice, seen, sentence, title
from ingest.replies.wording import Wording
from layouts.document import Series
from layouts.findings import COMPUTED, Code, Finding, Severity
from layouts.known import Change, Checked, Receipt
from layouts.points import LegalEntity
from layouts.terms import Kind, Verdict

ROWS_MOST = 300
"""Recorded series that a reply's tables show; the rest is counted."""

_SPANS_MOST = 6
_NAMES_MOST = 10
_BESIDE_MOST = 30
_REGISTER_COLUMNS = ("register", "moment", "reading")
_PROFILE_COLUMNS = ("profile", "period", "count", "sum")
TOLD_ELSEWHERE = frozenset({Code.VALUE_CHANGED, Code.DUPLICATE_DOCUMENT, Code.LATE_SUBMISSION})
"""Findings that the reply tells in words of its own."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under headings; `numeric` are the columns that align right."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int]
    more: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """What repeated findings say, ready to be read."""

    severity: str
    mark: str
    title: str
    sentence: str
    advice: str
    where: str
    when: str
    seen: str
    count: str


@dataclass(frozen=True, slots=True)
class Group:
    """The problems of one point, meter and channel, or of the whole document."""

    heading: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class DocumentView:
    """What became of one document.

    Attributes:
        refused_beside: What was not recorded for a mistake in something else of its
            point; '' for nothing.
        link: Of the receipt's page; '' where there are no pages.
    """

    heading: str
    verdict: str
    tone: str
    tables: tuple[Table, ...] = ()
    changes: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    refused_beside: str = ""
    hidden: tuple[str, ...] = ()
    link: str = ""

    @property
    def has_errors(self) -> bool:
        """Whether something in it must be mended."""
        return _has_errors(self.groups)


@dataclass(frozen=True, slots=True)
class ReplyView:
    """A whole reply.

    Attributes:
        tone: `good`, `partly`, `bad` or `plain`; decides the colour.
        lead: A sentence under the headline, '' for none.
        groups: What is wrong with the letter itself.
    """

    headline: str
    tone: str
    lead: str = ""
    entity: str = ""
    groups: tuple[Group, ...] = ()
    documents: tuple[DocumentView, ...] = ()
    closing: tuple[str, ...] = ()

    @property
    def has_errors(self) -> bool:
        """Whether something in the letter itself must be mended."""
        return _has_errors(self.groups)


_TONES = {
    "accepted": "good",
    "remarks": "good",
    "duplicate": "good",
    "partly_accepted": "partly",
    "rejected": "bad",
    "unreadable": "bad",
}


def document_view(
    receipt: Receipt, words: Wording, taken: Counter[Code], rows_most: int = ROWS_MOST
) -> DocumentView:
    """One receipt as it is told; `taken` counts the findings shown so far.

    Args:
        receipt: The verdict with its number.
        words: Of the reply's language.
        taken: Is counted up.
        rows_most: Rows of what was recorded.
    """
    checked = receipt.checked
    repeats, hidden = shown(listed(checked.findings), taken)
    outcome = outcome_of(receipt)
    first = ""
    if checked.duplicate_of:
        number, moment = checked.duplicate_of
        first = words.say("first_receipt", number=number, moment=words.moment(moment))
    return DocumentView(
        heading=_document_heading(receipt, words),
        verdict=words.word("document", outcome).format(first=first),
        tone=_TONES[outcome],
        tables=_recorded(checked.changes, words, rows_most),
        changes=tuple(_changes(checked, words, rows_most)),
        groups=groups(repeats, words, whole=words.say("whole_document")),
        refused_beside=_refused_beside(receipt, words),
        hidden=hidden_told(hidden, words),
    )


def listed(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that stand in a reply's lists."""
    return [item for item in findings if item.code not in TOLD_ELSEWHERE]


def outcome_of(receipt: Receipt) -> str:
    """A document's verdict, an acceptance with remarks told apart."""
    checked = receipt.checked
    warned = any(item.severity is Severity.WARNING for item in listed(checked.findings))
    if checked.verdict is Verdict.ACCEPTED and warned:
        return "remarks"
    return checked.verdict.value


def tone_of(outcome: str) -> str:
    """The colour of an outcome."""
    return _TONES.get(outcome, "bad")


def groups(repeats: Sequence[Repeat], words: Wording, whole: str) -> tuple[Group, ...]:
    """Runs grouped by point, meter and channel; what concerns no point comes first."""
    by_object: dict[str, list[Problem]] = {}
    for repeat in sorted(repeats, key=_urgency):
        heading = _objects_heading(repeat, words) or _object_heading(repeat.finding, words) or whole
        by_object.setdefault(heading, []).append(_problem(repeat, words))
    return tuple(Group(heading, tuple(items)) for heading, items in by_object.items())


def _urgency(repeat: Repeat) -> tuple[int, bool]:
    return weight(repeat.finding.severity), repeat.finding.point is not None


def letter_groups(findings: Iterable[Finding], words: Wording) -> tuple[Group, ...]:
    """What is wrong with the letter itself, and with files that no document came of."""
    by_file: dict[str | None, list[Finding]] = {}
    for item in findings:
        by_file.setdefault(item.place.file, []).append(item)
    told: list[Group] = []
    for file, items in by_file.items():
        whole = words.say("document", name=file) if file else words.say("letter")
        told.extend(groups(joined(items), words, whole))
    return tuple(told)


def must_be_mended(receipt: Receipt) -> bool:
    """Whether a corrected document should follow; of a closed month none is taken."""
    errors = (item for item in receipt.checked.findings if item.is_error)
    return any(item.code is not Code.PERIOD_CLOSED for item in errors)


def hidden_told(hidden: Mapping[Code, int], words: Wording) -> tuple[str, ...]:
    """How many findings of each code are not shown."""
    return tuple(
        words.say("hidden", title=title(code, words.language), count=words.count(n, "finding"))
        for code, n in hidden.items()
    )


def timeliness(receipt: Receipt, deadline: datetime | None, words: Wording) -> str:
    """Whether a document came in time; '' when its deadline is not known.

    Of one that is not accepted: until when a corrected one is in time.
    """
    verdict, name = receipt.checked.verdict, document_name(receipt, words)
    if verdict in {Verdict.UNREADABLE, Verdict.DUPLICATE}:
        return ""
    late = (item.detail.get("deadline") for item in receipt.checked.findings if _is_late(item))
    if told := next(filter(None, late), None):
        deadline = datetime.fromisoformat(told)
    if deadline is None:
        return ""
    is_in_time = receipt.received_at < deadline and not told
    if verdict is Verdict.REJECTED:
        key = "in_time_until" if is_in_time else ""
    else:
        key = "in_time" if is_in_time else "late"
    return words.say(key, name=name, deadline=words.until(deadline)) if key else ""


def _is_late(item: Finding) -> bool:
    return item.code is Code.LATE_SUBMISSION


def document_name(receipt: Receipt, words: Wording) -> str:
    """A document's name as the sender knows it."""
    return receipt.parsed.name or words.say("nameless")


def entity_line(entity: LegalEntity, words: Wording) -> str:
    """Whom the reply takes the sender for."""
    return words.say("entity", name=entity.name or "—", code=entity.user_code)


def attachment_names(letter: Letter, words: Wording) -> str:
    """What else was attached, for a letter without a document; '' for nothing."""
    if any(item.why for item in letter.attachments):
        # They are told with the reason.
        return ""
    names = [words.quoted(item.name[:60]) for item in letter.attachments if item.name]
    return words.say("seen_attachments", names=words.listed(names, _NAMES_MOST)) if names else ""


def _has_errors(told: Iterable[Group]) -> bool:
    return any(p.severity == Severity.ERROR for group in told for p in group.problems)


def _document_heading(receipt: Receipt, words: Wording) -> str:
    parsed = receipt.parsed
    about = [words.say("document", name=parsed.name) if parsed.name else words.say("nameless")]
    if parsed.part:
        about.append(words.say("part", part=parsed.part))
    if parsed.container:
        about.append(words.say("container", container=parsed.container))
    if parsed.layout:
        about.append(words.say("layout", layout=parsed.layout))
    about.append(words.say("receipt", numbers=receipt.number))
    return ", ".join(about)


def _objects_heading(repeat: Repeat, words: Wording) -> str:
    """Several points, or several meters where no points are named; '' for one or none."""
    for key, names in (("points", repeat.points), ("meters", repeat.meters)):
        if len(names) > 1:
            return words.say(key, names=words.listed(names, _NAMES_MOST))
    return ""


def _object_heading(item: Finding, words: Wording) -> str:
    about = []
    if item.point is not None:
        about.append(words.say("point", point=item.point))
    if item.meter is not None:
        about.append(words.say("meter" if about else "meter_alone", meter=item.meter))
    if item.area is not None and about:
        about.append(words.say("area", area=item.area))
    if item.channel is not None and about:
        about.append(words.say("channel", channel=item.channel))
    if item.zone is not None and about:
        about.append(words.say("zone", zone=item.zone))
    return ", ".join(about)


def _problem(repeat: Repeat, words: Wording) -> Problem:
    item = repeat.finding
    code, language = item.public_code, words.language
    # An amount belongs into the sentence, text of the document beside its place.
    computed = code in COMPUTED and item.seen is not None
    told = sentence(item if computed else replace(item, seen=None), language, words)
    several = len(repeat.spans) > 1
    spans = [words.period(*span) for span in repeat.spans] if several else []
    return Problem(
        severity=item.severity.value,
        mark=words.say(item.severity.value),
        title=title(code, language),
        sentence=told,
        advice=advice(code, language),
        where=_where(repeat, words),
        when=words.listed(spans, _SPANS_MOST),
        seen="" if computed else ", ".join(seen(item, text, words) for text in repeat.seen),
        count=words.say("times", count=words.number(repeat.count)) if repeat.count > 1 else "",
    )


def _where(repeat: Repeat, words: Wording) -> str:
    """The places; of values that were put together before only the first one is known."""
    told = words.places(repeat.places)
    together = repeat.count > 1 and len(repeat.places) == 1 and told
    return words.say("onwards", place=told) if together else told


def _refused_beside(receipt: Receipt, words: Wording) -> str:
    """What no finding is about and was not recorded either: a point is taken or left whole."""
    checked = receipt.checked
    if checked.verdict is not Verdict.PARTLY_ACCEPTED and checked.verdict is not Verdict.REJECTED:
        return ""
    of_meter, of_point = defaultdict(list), defaultdict(list)
    for item in checked.findings:
        # A reading of no zone became no series.
        if item.is_error and item.detail.get("field") != "zone":
            of_meter[_bare(item.meter)].append(item)
            of_point[_bare(item.point)].append(item)
    recorded = Counter(_key(change.series) for change in checked.changes)
    left: list[str] = []
    for series in receipt.parsed.series:
        if recorded[_key(series)] > 0:
            recorded[_key(series)] -= 1
            continue
        if meter := _bare(series.meter):
            near = chain(of_meter[meter], of_meter[""])
        elif point := _bare(series.point):
            near = chain(of_point[point], of_point[""])
        else:
            near = chain(*of_point.values())
        if not any(_concerns(item, series) for item in near):
            left.append(_named(series, words))
    return words.say("refused_beside", names=words.listed(left, _BESIDE_MOST, "; ")) if left else ""


def _key(series: Series) -> tuple[object, ...]:
    """What tells a series, before and after the register of points has named it."""
    return _bare(series.meter or series.point), series.channel, series.zone, series.start


def _bare(name: str | None) -> str:
    return (name or "").lstrip("0")


def _concerns(item: Finding, series: Series) -> bool:
    pairs = (
        (_bare(item.point), _bare(series.point)),
        (_bare(item.meter), _bare(series.meter)),
        (item.channel, series.channel),
        (item.zone, series.zone),
    )
    return all(not mine or not its or mine == its for mine, its in pairs)


def _named(series: Series, words: Wording) -> str:
    about = [series.point] if series.point else []
    if series.kind is Kind.REGISTER:
        about += [words.say("meter", meter=series.meter)] if series.meter else []
        return f"{', '.join([*about, series.channel])} {series.zone or 'T0'}"
    return ", ".join([*about, series.channel])


def _recorded(changes: Sequence[Change], words: Wording, rows_most: int) -> tuple[Table, ...]:
    if not changes:
        return ()
    registers = changes[0].series.kind is Kind.REGISTER
    if registers:
        # What a newer reading or an operator's keeps out is told below the table.
        changes = [change for change in changes if not change.stayed]
        if not changes:
            return ()
    row = _register_row if registers else _profile_row
    rows = [row(change, words) for change in changes[:rows_most]]
    return (table(rows, len(changes), words, registers=registers),)


def table(
    rows: Sequence[tuple[str, ...]], all_rows: int, words: Wording, *, registers: bool
) -> Table:
    """What is recorded: register readings, or profiles, under their headings.

    Args:
        rows: Those that are shown.
        all_rows: How many there are.
        words: Of the reply's language.
        registers: Whether they are register readings.
    """
    names = _REGISTER_COLUMNS if registers else _PROFILE_COLUMNS
    more = all_rows - len(rows)
    return Table(
        title=words.say("recorded_registers" if registers else "recorded_profiles"),
        headings=tuple(words.say(f"{name}_column") for name in names),
        rows=tuple(rows),
        numeric=frozenset({2}) if registers else frozenset({2, 3}),
        more=words.say("rows_more", count=words.count(more, "row")) if more else "",
    )


def _point_name(change: Change) -> str:
    if change.point is not None:
        return change.point.code
    return change.series.point or "—"


def _meter_number(change: Change) -> str:
    return change.meter.number if change.meter else change.series.meter or "—"


def _register_row(change: Change, words: Wording) -> tuple[str, ...]:
    series = change.series
    reading = f"{words.number(series.reading)} {words.word('unit', series.unit)}"
    names = _point_name(change), _meter_number(change), series.channel, series.zone or "T0"
    return register_name(*names, words), words.until(series.start), reading


def register_name(point: str, meter: str, channel: str, zone: str, words: Wording) -> str:
    """A register in one cell: a phone has no room for more beside a moment and a reading.

    Args:
        point: Its code.
        meter: Its number.
        channel: Such as A+.
        zone: The tariff zone.
        words: Of the reply's language.
    """
    return f"{point}, {words.say('meter', meter=meter)}, {channel} {zone}"


def _profile_row(change: Change, words: Wording) -> tuple[str, ...]:
    series = change.series
    unit = words.word("unit", series.unit)
    count = words.number(series.count)
    if series.not_commercial:
        count += f" ({words.say('flagged', count=len(series.not_commercial))})"
    total = f"{words.energy(int(series.total))} {unit}"
    period = words.period(series.start, series.end)
    return (f"{_point_name(change)}, {series.channel}", period, count, total)


def _changes(checked: Checked, words: Wording, rows_most: int) -> Iterable[str]:
    held = [item for item in checked.findings if item.code is Code.HELD_BY_OPERATOR]
    operators = {(i.point, i.meter, i.channel, i.zone, at) for i in held for at in (i.start, None)}
    for change in checked.changes[:rows_most]:
        if not (change.replaced or change.stayed or change.kept):
            continue
        series = _series_name(change, words)
        if change.replaced:
            yield _replaced(change, series, words)
        if change.stayed:
            count = words.count(change.stayed, "value")
            one = change.series
            at = one.start if one.kind is Kind.REGISTER else None
            is_held = (one.point, one.meter, one.channel, one.zone, at) in operators
            yield words.say("held" if is_held else "stayed", series=series, count=count)
        if change.kept and change.series.kind is Kind.INTERVAL:
            yield words.say("kept", series=series, count=words.count(change.kept, "value"))


def _replaced(change: Change, series: str, words: Wording) -> str:
    if change.series.kind is Kind.REGISTER:
        before, after = (words.number(v) for v in (change.before, change.after))
        return words.say("replaced_reading", series=series, before=before, after=after)
    before, after = (words.energy(int(v)) for v in (change.before, change.after))
    unit = words.word("unit", change.series.unit)
    count = words.count(len(change.replaced), "value")
    return words.say("replaced", series=series, count=count, before=before, after=after, unit=unit)


def _series_name(change: Change, words: Wording) -> str:
    about = [_point_name(change)]
    if change.series.kind is Kind.REGISTER:
        about += [words.say("meter", meter=_meter_number(change)), change.series.zone or "T0"]
    return ", ".join([*about, change.series.channel])
