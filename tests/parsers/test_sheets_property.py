"""Whatever a sheet looks like: what is accepted is what its sender saw, or it is told.

`make sheets` tries thousands; here are some seconds of the same.
"""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from layouts.document import Document, Parsed, Series, cell_name
from layouts.findings import Code, Finding, Severity
from layouts.layout import load
from layouts.terms import Kind
from parsers import parse
from tests.parsers.forms import INSTANT, Form, Key, point_of, profiles, registers
from tests.parsers.pages import WRITERS, Spot

LAYOUTS = load()
EXAMPLES = int(os.environ.get("SHEETS_EXAMPLES", "60"))
settings.register_profile(
    "sheets",
    max_examples=EXAMPLES,
    derandomize="SHEETS_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SETTINGS = settings.get_profile("sheets")


def accepted(parsed: Parsed) -> dict[Key, str]:
    """Keys and values of what no error keeps out, as the rules of acceptance say."""
    errors = [found for found in parsed.findings if found.is_error]
    if any(found.point is None and found.meter is None for found in errors):
        return {}
    points = {found.point for found in errors if found.point is not None}
    meters = {found.meter for found in errors if found.meter is not None}
    stand = [s for s in parsed.series if s.point not in points and s.meter not in meters]
    return {key: value for one in stand for key, value in values_of(one)}


MOSCOW = timezone(timedelta(hours=3))


def values_of(series: Series) -> Iterator[tuple[Key, str]]:
    """Keys and values as a form's maker writes them: hours in kWh of the day."""
    if series.kind is Kind.REGISTER:
        # Where the current one is hidden, one of an earlier day by its own label is none.
        if series.start.astimezone(MOSCOW).date() != INSTANT:
            return
        key = (series.meter or "", series.channel, series.zone or "")
        yield key, plain(Decimal(series.values[0]))
        return
    for n, value in enumerate(series.values):
        moment = series.start + timedelta(minutes=n * series.step_minutes)
        if series.spans is not None:
            moment = datetime.fromtimestamp(series.spans[n][0], UTC)
        whose = series.point if series.point != point_of("") else ""
        key = (whose, series.channel, f"{moment.astimezone(MOSCOW):%d %H}")
        yield key, plain(Decimal(value) / 1000)


def plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


_CELL = re.compile(r"([A-Z]+)(\d+)")


def spot(text: str) -> Spot:
    letters, row = _CELL.fullmatch(text).groups()
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return int(row), column


def tells(found: Finding, at: Spot, meter: str) -> bool:
    """Whether a finding is about a reading: its cell, row or column, its meter or point."""
    if found.is_error and (found.point, found.meter) == (None, None):
        return True
    if found.is_error and found.point == point_of(meter):
        return True
    if meter and meter in (found.meter, *found.detail.get("meters", "").split()):
        return True
    if found.place.cell is None:
        return False
    first, _, last = found.place.cell.partition(":")
    (top, left), (bottom, right) = spot(first), spot(last or first)
    return top <= at[0] <= bottom or left <= at[1] <= right


def is_remark(parsed: Parsed) -> bool:
    """Whether a document is answered with more than notes."""
    return any(found.severity is not Severity.NOTE for found in parsed.findings)


def read(form: Form, container: str) -> tuple[Parsed, ...]:
    return parse(Document(f"a.{container}", WRITERS[container](form.pages)), LAYOUTS)


def faults(documents: tuple[Parsed, ...], form: Form) -> list[str]:
    """What is wrong with how a form was read; [] for nothing."""
    findings = [found for parsed in documents for found in parsed.findings]
    taken: dict[Key, str] = {}
    for parsed in documents:
        taken |= accepted(parsed)
    wrong = [f"{key} was never written" for key in taken.keys() - form.meant.keys()]
    for key, (at, value) in form.meant.items():
        is_told = any(tells(found, at, key[0]) for found in findings)
        if key in form.unseen:
            is_told = any(found.code is Code.HIDDEN_CONTENT for found in findings)
        if key in form.unseen and key in taken:
            wrong.append(f"{key} was read though hidden")
        if key in taken and taken[key] != value and not is_told:
            wrong.append(f"{key} is {taken[key]}, meant {value}")
        if key not in taken and not is_told:
            wrong.append(f"{key} is neither read nor told")
    if form.wrong is not None:
        told = {found.place.cell for found in findings}
        name = cell_name(*form.wrong)
        wrong += [] if name in told else [f"{name} holds an error and is not told"]
    return wrong


@SETTINGS
@given(st.one_of(registers(), profiles()), st.sampled_from(sorted(WRITERS)))
def test_what_is_accepted_is_what_was_meant_or_it_is_told(form, container):
    assert faults(read(form, container), form) == []


def test_a_sheet_with_nothing_wrong_is_accepted_whole_without_remarks():
    clean = []

    @SETTINGS
    @given(
        st.one_of(registers(plants=False), profiles(plants=False)), st.sampled_from(sorted(WRITERS))
    )
    def one(form, container):
        documents = read(form, container)
        whole = sum(len(accepted(parsed)) for parsed in documents) == len(form.meant)
        clean.append(whole and not any(map(is_remark, documents)))

    one()
    assert len(clean) >= EXAMPLES
    assert sum(clean) >= 0.95 * len(clean)
