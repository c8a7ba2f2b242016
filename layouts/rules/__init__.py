"""The rules: one document in, its verdict, findings and changes out.

`ORDER` below is the one table that says which rule runs when. Each rule is a pure
function over a `Case`; what it refuses is told with everything else that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from layouts.document import Parsed
from layouts.findings import (
    OVERRIDABLE,
    UNKNOWN_OBJECTS,
    UNREADABLE,
    Code,
    Finding,
    Findings,
    Stage,
    Status,
    finding,
)
from layouts.known import Assigned, Checked, Known, Wants
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.points import LegalEntity
from layouts.rules import (
    assign,
    consumption,
    document,
    figures,
    intervals,
    period,
    profile,
    registers,
    together,
    versions,
)
from layouts.rules.acceptance import standing, status_of, verdict_of
from layouts.rules.case import Case, Rule
from layouts.rules.neighbours import against_each_other
from layouts.rules.versions import version_of
from layouts.rules.wants import wants
from layouts.terms import Kind, Verdict

__all__ = [
    "ORDER",
    "against_each_other",
    "check",
    "judge",
    "status_of",
    "version_of",
    "wants",
]

ORDER: tuple[tuple[Stage, tuple[Rule, ...]], ...] = (
    (
        Stage.FORMAT,
        (
            document.sender_mismatch,
            document.created_ahead,
            document.nothing_to_record,
            versions.suspicious_version,
        ),
    ),
    (
        Stage.ASSIGNMENT,
        (
            assign.objects_known,
            assign.channels_known,
            assign.zones_missing,
            assign.points_missing,
        ),
    ),
    (
        Stage.OBJECT,
        (
            period.reading_in_future,
            period.period_closed,
            period.too_old,
            intervals.wrong_step,
            intervals.timeline,
            intervals.recorded_elsewhere,
            intervals.negative_value,
            intervals.not_commercial,
            registers.negative_reading,
            registers.too_many_digits,
            registers.too_many_decimals,
            registers.duplicate_reading,
            registers.read_elsewhere,
        ),
    ),
    (
        Stage.PLAUSIBILITY,
        (
            period.late_submission,
            period.reading_before_its_moment,
            profile.above_power,
            profile.unit_suspect,
            profile.spike,
            profile.flat_profile,
            profile.repeated_day,
            profile.days_out_of_line,
            profile.peak_drop,
            consumption.between_readings,
            consumption.high_low,
            consumption.zone_sum,
            consumption.no_consumption,
            consumption.replacement_incomplete,
            figures.figures_that_prove,
            together.profile_against_registers,
        ),
    ),
)
"""Rules by stage, in their order."""

_NOT_THEIRS = frozenset({Code.SENDER_MISMATCH})
_ENDS: Mapping[Stage, frozenset[Code]] = {
    Stage.FORMAT: _NOT_THEIRS,
    Stage.ASSIGNMENT: _NOT_THEIRS,
    Stage.OBJECT: _NOT_THEIRS
    | UNKNOWN_OBJECTS
    | {
        Code.WRONG_STEP,
        Code.DUPLICATE_INTERVAL,
        Code.OVERLAP,
        Code.NEGATIVE_VALUE,
        Code.DUPLICATE_READING,
    },
    Stage.PLAUSIBILITY: frozenset(),
}
"""After which errors of it and of earlier stages later ones can say nothing of a series."""

RESOLVED: tuple[Rule, ...] = (
    versions.older_version,
    versions.values_zeroed,
    versions.held_by_operator,
    versions.value_changed,
)
"""Rules about what recording would change; they come last, when versions are resolved."""

_DEFAULTS = Parameters()


def check(
    parsed: Parsed,
    layout: Layout | None,
    entity: LegalEntity | None = None,
    received_at: datetime | None = None,
    know: Callable[[Wants], Known] = lambda _: Known(),
    parameters: Parameters = _DEFAULTS,
    overrides: Collection[Code] | None = None,
) -> Checked:
    """The verdict on one document, and what recording it will change.

    Args:
        parsed: As read.
        layout: The one that claims it.
        entity: Its sender; None offline, without a register of points.
        received_at: None offline. What is not known silences the rules that need it.
        know: Tells what is on record; offline nothing is.
        parameters: The bounds by which readings are judged.
        overrides: Of an operator's document: the codes decided against; what operators
            entered before does not hold against it. None: the entity's own document.
    """
    if layout is None or any(item.code in UNREADABLE for item in parsed.findings):
        return Checked(Verdict.UNREADABLE, Status.UNREADABLE, parsed.findings)
    wanted = wants(parsed, layout, entity, received_at, parameters)
    known = know(wanted)
    if overrides is not None:
        known = _held_against_nobody(known)
    case = Case(
        parsed,
        layout,
        parameters,
        entity,
        received_at,
        held=wanted.assigned,
        unread=wanted.unread,
        overrides=OVERRIDABLE.intersection(overrides or ()),
    )
    checked = judge(case, known)
    if wanted.version is None:
        return checked
    if Code.SUSPICIOUS_VERSION in case.overrides:
        return replace(checked, version=wanted.version)
    return replace(checked, version=versions.counted(wanted.version, parsed, known, parameters))


def judge(case: Case, known: Known) -> Checked:
    """The verdict on a document whose series have their points, beside what is on record."""
    if known.duplicate_of is not None:
        return _duplicate(*known.duplicate_of)
    return _judge(replace(case, known=known))


def _held_against_nobody(known: Known) -> Known:
    """The same without what operators entered or withdrew: another operator's act replaces it."""
    return replace(
        known,
        intervals={key: replace(of, held=()) for key, of in known.intervals.items()},
        readings={
            key: replace(of, held=False, holders=frozenset())
            for key, of in known.readings.items()
            if of.value is not None
        },
    )


def _told(rules: Sequence[Rule], case: Case) -> Iterator[Finding]:
    """What the rules find, as the operator decided about it."""
    for rule in rules:
        for item in rule(case):
            yield item.overridden() if item.code in case.overrides else item


def _recordable(case: Case, errors: Sequence[Finding]) -> tuple[Assigned, ...]:
    """The series that stand, without those that could not be read whole."""
    spoilt = {
        (series.area, series.point, series.channel)
        for series in case.parsed.spoilt
        if series.kind is Kind.INTERVAL
    }
    return tuple(
        item
        for item in standing(case, errors)
        if (item.original.area, item.original.point, item.original.channel) not in spoilt
    )


def _duplicate(number: int, moment: datetime) -> Checked:
    told = finding(Code.DUPLICATE_DOCUMENT, receipt=number, received=moment.isoformat())
    return Checked(Verdict.DUPLICATE, Status.ACCEPTED, (told,), (), (number, moment))


def _judge(case: Case) -> Checked:
    """What all stages tell, and what stands after them.

    All mistakes are told at once: what one rule refuses is still put before every other
    one that can judge it, and so is a reading that could not be read whole.
    """
    found, whole = Findings(), replace(case, held=versions.resolve(case.held, case))
    case = whole.with_held((*whole.held, *whole.unread))
    found.extend(case.parsed.findings)
    errors = [item for item in case.parsed.findings if item.is_error]
    for stage, rules in ORDER:
        if stage is not Stage.FORMAT and not case.held:
            break
        told = list(_told(rules, case))
        found.extend(told)
        errors += [item for item in told if item.is_error]
        ends = [item for item in errors if item.code in _ENDS[stage]]
        case = case.with_held(standing(case, ends))
        if stage is Stage.OBJECT:
            read = tuple(item for item in case.held if not item.series.is_unread)
            case = case.with_held(registers.without_repeats(read))
    final = whole.with_held(registers.without_repeats(_recordable(whole, errors)))
    if final.held:
        told = list(_told(RESOLVED, final))
        found.extend(told)
        final = final.with_held(standing(final, told))
    findings = tuple(found)
    changes = tuple(item.change for item in final.held if item.change is not None)
    return Checked(verdict_of(findings, changes), status_of(findings), findings, changes)
