"""History with gaps is less history, and never a reason to alarm."""

import random
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.calendar import load_calendar
from layouts.findings import Code
from layouts.known import SeriesHistory
from tests.layouts.rules.build import (
    OWN,
    codes,
    date,
    epoch,
    judged,
    known,
    meter,
    monthly,
    moscow,
    point,
    profile,
    reading,
    readings,
    register,
)

MONDAY = date(2026, 11, 9)
CALENDAR = load_calendar()
OF_HISTORY = {
    Code.UNIT_SUSPECT, Code.SPIKE, Code.ALL_ZERO, Code.HIGH_LOW, Code.PEAK_DROP,
    Code.REPEATED_DAY, Code.FLAT_PROFILE,
}  # fmt: skip
OF_REGISTERS = {
    Code.READING_WENT_BACK, Code.REGISTER_ROLLOVER, Code.ABOVE_MAXIMUM_POWER, Code.NO_CONSUMPTION,
}  # fmt: skip


def works(day, hour):
    """Nearly nothing at night and on days off."""
    return 2_000_000 if CALENDAR.is_working(day) and 7 <= hour < 18 else 1000


def lamps(_day, hour):
    return 150_000 if hour >= 17 or hour < 6 else 0


def shop(_day, hour):
    return 60_000 + 90_000 * (9 <= hour < 21)


def drawn(load, day):
    """Hours of a day in Wh."""
    chance = random.Random(f"{load.__name__}{day}")
    return [int(load(day, hour) * chance.uniform(0.9, 1.1)) for hour in range(24)]


def history(load, gaps):
    """28 days without the hours that `gaps` tells by date and hour."""
    days = [MONDAY - timedelta(days=n) for n in range(28, 0, -1)]
    hours = [(day, hour, value) for day in days for hour, value in enumerate(drawn(load, day))]
    whole = [not gaps(day, hour) for day, hour, _ in hours]
    energy = [value * is_there for (_, _, value), is_there in zip(hours, whole, strict=True)]
    return SeriesHistory(epoch(moscow(2026, 10, 12)), energy, bytes(whole), max(energy))


def told(load, days, gaps):
    values = [v for n in range(days) for v in drawn(load, MONDAY + timedelta(days=n))]
    start = moscow(2026, 11, 9)
    made = start + timedelta(hours=len(values))
    series = profile(values, OWN, area=None, start=start, step=60)
    context = known(
        point(OWN, area=None), at=made, history={(None, OWN, "A+"): history(load, gaps)}
    )
    return OF_HISTORY.intersection(codes(judged(monthly(series, created=made), context)))


@settings(max_examples=150, deadline=None)
@given(
    load=st.sampled_from([works, lamps, shop]),
    days=st.integers(1, 7),
    dates=st.sets(st.integers(1, 28)),
    weekdays=st.sets(st.integers(0, 6)),
    hours=st.sets(st.integers(0, 23)),
    cells=st.sets(st.integers(0, 28 * 24 - 1), max_size=200),
)
def test_an_honest_load_is_never_alarming_whatever_history_lacks(
    load, days, dates, weekdays, hours, cells
):
    def gaps(day, hour):
        back = (MONDAY - day).days
        is_lost = back in dates or day.weekday() in weekdays or hour in hours
        return is_lost or (back - 1) * 24 + hour in cells

    assert told(load, days, gaps) == set()


@pytest.mark.parametrize(
    "gaps",
    [
        lambda day, _: CALENDAR.is_working(day),
        lambda _, hour: 7 <= hour < 18,
    ],
    ids=["only days off are known", "only nights are known"],
)
def test_hours_are_compared_with_their_like(gaps):
    assert told(works, 1, gaps) == set()


MONTHS = [moscow(2026 + n // 12, n % 12 + 1, 1) for n in range(12)]


@settings(max_examples=150, deadline=None)
@given(
    begins=st.integers(0, 99_999),
    went=st.lists(st.integers(1, 4000), min_size=12, max_size=12),
    recorded=st.sets(st.integers(0, 11)),
    arrives=st.integers(0, 11),
)
def test_an_honest_reading_fits_whichever_others_are_recorded(begins, went, recorded, arrives):
    counts = [begins + sum(went[:n]) for n in range(12)]
    rows = [(epoch(MONTHS[n]), Decimal(counts[n] % 100_000)) for n in sorted(recorded - {arrives})]
    context = known(
        point("P1", meter(digits=5), max_power_kw=Decimal(10)),
        at=None,
        registers={register(): rows},
    )
    brought = reading(str(counts[arrives] % 100_000), at=MONTHS[arrives])
    document = readings(brought, created=MONTHS[arrives])
    before = max((n for n in recorded if n < arrives), default=arrives)
    after = min((n for n in recorded if n > arrives), default=arrives)
    turns = [counts[n] // 100_000 for n in (before, arrives, after)]
    rolled = [Code.REGISTER_ROLLOVER for a, b in pairwise(turns) if a != b]
    assert [c for c in codes(judged(document, context)) if c in OF_REGISTERS] == rolled
