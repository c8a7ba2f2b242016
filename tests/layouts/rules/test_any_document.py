"""What holds for any document, however odd."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from layouts.document import Series
from layouts.findings import Code
from layouts.terms import Kind, Verdict
from tests.layouts.rules.build import (
    INN,
    NOON,
    NOVEMBER,
    Beside,
    daily,
    date,
    epoch,
    judged,
    known,
    meter,
    monthly,
    past,
    point,
    profile,
    readings,
    register,
)

HOURS = st.integers(-600_000, 70_000_000)
INSTANTS = HOURS.map(lambda n: datetime.fromtimestamp(n * 3600, UTC)) | st.just(NOON)
NAMES = st.sampled_from([None, "P1", "1", "P2", "0001", "99", ""])
CHANNELS = st.sampled_from(["A+", "A-", "R+", "B+", ""])
ENERGY = st.none() | st.integers(-(10**3), 10**12)


@st.composite
def interval_series(draw):
    values = draw(st.lists(ENERGY, max_size=60))
    start, step = draw(INSTANTS), draw(st.sampled_from([15, 30, 60]))
    spans = None
    if values and draw(st.booleans()):
        first = epoch(start)
        offsets = st.integers(-100, 100)
        spans = [
            (first + at * 900, first + (at + length) * 900)
            for at, length in draw(
                st.lists(
                    st.tuples(offsets, st.integers(1, 8)),
                    min_size=len(values),
                    max_size=len(values),
                )
            )
        ]
    flagged = draw(st.frozensets(st.integers(0, max(len(values) - 1, 0)), max_size=3))
    return profile(
        values,
        draw(NAMES),
        draw(CHANNELS),
        draw(st.sampled_from([None, INN, "A"])),
        start,
        step,
        spans=spans,
        not_commercial=flagged if values else frozenset(),
    )


REGISTERS = st.builds(
    lambda *parts: Series(Kind.REGISTER, None, *parts[:5], 0, [parts[5]]),
    NAMES,
    st.sampled_from(["07512345", "7512345", "22", "99"]),
    CHANNELS,
    st.sampled_from(["T0", "T1", "T2", "T4"]),
    INSTANTS,
    st.decimals(-10, 10**9, places=3),
)
PLACES = (
    point("P1", meter(zones=("T1", "T2")), max_power_kw=Decimal(10)),
    point("0001", meter("22", removed=date(2026, 1, 1), decimals=None, digits=None), area=None),
    point("P2", area="A", channels=("A+",)),
)
HISTORY = {
    (INN, "P1", "A+"): past([[9] * 24] * 28),
    (None, "0001", "A+"): past([[0] * 24] * 28),
}
ROWS = {register(zone=zone): [(0, Decimal(5)), (epoch(NOON), Decimal(9))] for zone in ("T0", "T1")}
CONTEXTS = st.sampled_from(
    [
        Beside(),
        known(*PLACES),
        known(*PLACES, history=HISTORY, registers=ROWS, closed=frozenset({date(2026, 11, 1)})),
        known(*PLACES, at=None, foreign=frozenset({"99"})),
    ]
)


def is_explained(checked, series):
    """Whether a series is recorded, or an error or its emptiness says why not."""
    if any(item.is_error for item in checked.findings) or not series.values:
        return True
    if series.kind is Kind.REGISTER:
        return any(change.series.reading == series.reading for change in checked.changes)
    return any(change.series.channel == series.channel for change in checked.changes)


def is_padding(series):
    """Whether a series only fills up a month's form: nothing but empty or 0, and all to come."""
    ends = (series.span(index)[1] for index in range(len(series.values)))
    return all(not value and end > NOON for value, end in zip(series.values, ends, strict=True))


@settings(max_examples=100, deadline=timedelta(seconds=2))
@given(st.lists(interval_series(), max_size=4), CONTEXTS, st.sampled_from([daily, monthly]))
@example(
    [profile([None], None, "A+", None, NOVEMBER, 60), profile([None], None, "A-", None, NOON, 15)],
    Beside(),
    monthly,
)
def test_a_document_of_intervals_is_judged_and_every_series_accounted_for(series, context, form):
    checked = judged(form(*series), context)
    told = [item for item in series if not (form is monthly and is_padding(item))]
    assert all(is_explained(checked, item) for item in told)
    assert (checked.verdict is Verdict.ACCEPTED) is not any(f.is_error for f in checked.findings)
    assert bool(checked.changes) is (checked.verdict is not Verdict.REJECTED)


@settings(max_examples=100, deadline=timedelta(seconds=2))
@given(st.lists(REGISTERS, max_size=6), CONTEXTS)
def test_a_document_of_registers_is_judged_and_every_reading_accounted_for(series, context):
    checked = judged(readings(*series, created=None), context)
    assert all(is_explained(checked, item) for item in series)
    assert bool(checked.changes) is (checked.verdict is not Verdict.REJECTED)
    if not series:
        assert [item.code for item in checked.findings] == [Code.NOTHING_TO_RECORD]
