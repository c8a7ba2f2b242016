"""The rules: one document in, its verdict, findings and changes out.

`ORDER` below is the one table that says which rule runs when. Each rule is a pure
function over a `Case`; what fails at one stage is not looked at by the next.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from layouts.findings import UNREADABLE, Code, Finding, Findings, Stage, Status, finding
from layouts.layout import Layout
from layouts.rules import (
    assign,
    consumption,
    document,
    intervals,
    period,
    profile,
    registers,
    together,
    versions,
)
from layouts.rules.acceptance import standing, status_of, verdict_of
from layouts.rules.case import Case, Rule
from layouts.rules.parameters import Parameters
from layouts.rules.period import deadline
from layouts.rules.runs import merge_runs
from layouts.rules.versions import version_of
from layouts.rules.wants import wants
from layouts.terms import Checked, Known, LegalEntity, Parsed, Verdict, Wants

__all__ = [
    "ORDER",
    "Parameters",
    "check",
    "deadline",
    "judge",
    "merge_runs",
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
            profile.above_power,
            profile.unit_suspect,
            profile.spike,
            profile.flat_profile,
            profile.repeated_day,
            profile.days_out_of_line,
            profile.peak_drop,
            consumption.between_readings,
            consumption.zone_sum,
            consumption.no_consumption,
            together.profile_against_registers,
        ),
    ),
)
"""Rules by stage, in their order."""

RESOLVED: tuple[Rule, ...] = (
    versions.older_version,
    versions.values_zeroed,
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
) -> Checked:
    """The verdict on one document, and what recording it will change.

    Args:
        parsed: As read.
        layout: The one that claims it.
        entity: Its sender; None offline, without a register of points.
        received_at: None offline. What is not known silences the rules that need it.
        know: Tells what is on record; offline nothing is.
        parameters: The bounds by which readings are judged.
    """
    if layout is None or any(item.code in UNREADABLE for item in parsed.findings):
        return Checked(Verdict.UNREADABLE, Status.UNREADABLE, parsed.findings)
    wanted = wants(parsed, layout, entity, received_at, parameters)
    case = Case(parsed, layout, parameters, entity, received_at, held=wanted.assigned)
    return replace(judge(case, know(wanted)), version=wanted.version)


def judge(case: Case, known: Known) -> Checked:
    """The verdict on a document whose series have their points, beside what is on record."""
    if known.duplicate_of is not None:
        return _duplicate(*known.duplicate_of)
    return _judge(replace(case, known=known))


def _duplicate(number: int, moment: datetime) -> Checked:
    told = finding(Code.DUPLICATE_DOCUMENT, receipt=number, received=moment.isoformat())
    return Checked(Verdict.DUPLICATE, Status.ACCEPTED, (told,), (), (number, moment))


def _judge(case: Case) -> Checked:
    found = Findings()
    case = _after(case, case.parsed.findings, found)
    # The document's own faults are all told at once, also when it fails already.
    for stage, rules in ORDER:
        if stage is Stage.FORMAT or case.held:
            case = _run(case, rules, found)
        if stage is Stage.OBJECT:
            held = registers.without_repeats(case.held)
            case = replace(case, held=versions.resolve(held, case))
    if case.held:
        case = _run(case, RESOLVED, found)
    findings = tuple(found)
    changes = tuple(item.change for item in case.held if item.change is not None)
    return Checked(verdict_of(findings, changes), status_of(findings), findings, changes)


def _run(case: Case, rules: Sequence[Rule], found: Findings) -> Case:
    """What stands after these rules."""
    told = [item for rule in rules for item in rule(case)]
    return _after(case, told, found)


def _after(case: Case, told: Sequence[Finding], found: Findings) -> Case:
    found.extend(told)
    held = standing(case, told)
    return case if held is case.held else replace(case, held=held)
