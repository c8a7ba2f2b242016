"""Which of a document's values come into force, whatever the order of arrival."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.findings import Code, Severity
from layouts.known import RecordedIntervals, RecordedReading
from layouts.points import PointRow
from layouts.rules import version_of
from layouts.rules.assign import Assigned
from layouts.rules.versions import change_of_intervals
from layouts.terms import Verdict
from tests.layouts.rules.build import (
    DAY,
    INN,
    LAYOUTS,
    NOON,
    OWN,
    Decimal,
    codes,
    daily,
    date,
    epoch,
    judged,
    known,
    meter,
    monthly,
    point,
    profile,
    reading,
    readings,
    register,
)

HOUR = 3600
FIRST = epoch(DAY)


def month(values, created=NOON, flagged=(), first=0):
    start = DAY + timedelta(hours=first)
    series = profile(
        values, point=OWN, area=None, start=start, step=60, not_commercial=frozenset(flagged)
    )
    return monthly(series, created=created)


def in_force(values, **more):
    starts = [FIRST + hour * HOUR for hour in range(len(values))]
    recorded = RecordedIntervals(starts, values, **{"step_minutes": 60, **more})
    return known(point(OWN, area=None), intervals={(None, OWN, "A+"): recorded})


def change_of(document, context):
    (change,) = judged(document, context).changes
    return change


def test_a_first_document_adds_all_that_it_carries():
    change = change_of(month([1, 2, 3]), known(point(OWN, area=None)))
    assert list(change.added) == [0, 1, 2]
    assert (change.kept, change.stayed, list(change.replaced)) == (0, 0, [])


def test_the_next_day_of_a_cumulative_month_adds_only_what_is_new():
    change = change_of(month([1, 2, 3, 4]), in_force([1, 2]))
    assert (list(change.added), change.kept, list(change.replaced)) == ([2, 3], 2, [])


def test_a_correction_replaces_what_differs_and_tells_the_sums():
    checked = judged(month([1, 20, 3]), in_force([1, 2]))
    (change,) = checked.changes
    assert (list(change.added), list(change.replaced), change.kept) == ([2], [1], 1)
    assert (change.before, change.after) == (2, 20)
    (told,) = checked.findings
    assert (told.code, told.severity, told.count) == (Code.VALUE_CHANGED, Severity.NOTE, 1)
    assert told.detail == {"before": "2", "after": "20", "unit": "Wh"}


def test_a_value_that_only_lost_its_flag_is_replaced():
    flagged = in_force([1, 2], not_commercial=frozenset({FIRST}))
    assert list(change_of(month([1, 2]), flagged).replaced) == [0]
    assert change_of(month([1, 2], flagged=[0]), flagged).kept == 2


def test_values_that_become_zero_are_warned_of():
    checked = judged(month([0, 0, 3]), in_force([1, 0, 3]))
    assert codes(checked) == [Code.VALUES_ZEROED, Code.VALUE_CHANGED]
    assert checked.findings[0].count == 1
    assert Code.VALUES_ZEROED not in codes(judged(month([2, 0, 3]), in_force([1, 0, 3])))


def test_an_older_document_adds_only_what_no_newer_one_carries():
    context = in_force([5, 6], newer=[(FIRST, FIRST + 2 * HOUR)])
    change = change_of(month([1, 2, 3]), context)
    assert (list(change.added), change.stayed, list(change.replaced)) == ([2], 2, [])


def test_an_older_document_that_adds_nothing_is_refused():
    context = in_force([5, 6], newer=[(FIRST, FIRST + 2 * HOUR)])
    checked = judged(month([1, 2]), context)
    assert codes(checked) == [Code.OLDER_VERSION]
    assert checked.verdict is Verdict.REJECTED
    assert checked.changes == ()


def test_an_older_document_that_confirms_a_value_is_accepted():
    context = in_force([5, 6], newer=[(FIRST, FIRST + HOUR)])
    checked = judged(month([1, 6]), context)
    assert checked.verdict is Verdict.ACCEPTED


@pytest.mark.parametrize(
    ("value", "newer", "found"),
    [
        ("7", False, []),
        ("8", False, [Code.VALUE_CHANGED]),
        ("8", True, [Code.OLDER_VERSION]),
    ],
)
def test_a_register_reading_follows_the_same_order(value, newer, found):
    key = (*register(), FIRST)
    context = known(
        point("P1", meter()), readings={key: RecordedReading(Decimal(7), newer, "52006")}
    )
    assert codes(judged(readings(reading(value)), context)) == found


def test_80020_is_ordered_by_its_number_and_then_by_its_timestamp():
    layout = LAYOUTS["80020"]
    first = version_of(daily(profile(), number=9), layout, NOON, 1)
    resend = version_of(daily(profile(), number=10), layout, NOON - timedelta(days=1), 2)
    same = version_of(daily(profile(), number=9, created=NOON), layout, NOON, 3)
    assert first < resend
    assert first < same
    assert same < resend


def test_a_workbook_is_ordered_by_its_receipt_and_ties_go_to_the_later():
    layout = LAYOUTS["52006"]
    book = readings(reading("1"), created=None)
    written = readings(reading("1"), created=NOON)
    assert version_of(written, layout, NOON, 1) < version_of(
        book, layout, NOON + timedelta(seconds=1), 2
    )
    assert version_of(book, layout, NOON, 1) < version_of(book, layout, NOON, 2)


DOCUMENTS = st.lists(
    st.tuples(
        st.integers(0, 6),
        st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    ),
    min_size=1,
    max_size=5,
)


class Memory:
    """The smallest store: what is in force, and which documents carry it."""

    def __init__(self):
        self.values = {}
        self.carried = {}

    def context(self, document, version):
        (series,) = document.series
        starts = range(epoch(series.start), epoch(series.end), HOUR)
        known_starts = [at for at in starts if at in self.values]
        newer = [(at, at + HOUR) for at in starts if self.carried.get(at, 0) > version]
        recorded = RecordedIntervals(
            known_starts,
            [self.values[at][0] for at in known_starts],
            frozenset(at for at in known_starts if self.values[at][1]),
            newer,
            step_minutes=60,
        )
        return known(
            point(OWN, area=None),
            at=NOON + timedelta(days=9),
            intervals={(None, OWN, "A+"): recorded},
        )

    def take(self, document, version):
        checked = judged(document, self.context(document, version))
        for change in checked.changes:
            first = epoch(change.series.start)
            for index in (*change.added, *change.replaced):
                flagged = index in change.series.not_commercial
                self.values[first + index * HOUR] = (change.series.values[index], flagged)
            for index in range(len(change.series.values)):
                at = first + index * HOUR
                self.carried[at] = max(self.carried.get(at, 0), version)
        return checked


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, st.data())
def test_in_any_order_of_arrival_each_value_is_the_newest_document_s(contents, data):
    documents = [
        (
            version,
            month(
                [value for value, _ in values],
                created=NOON + timedelta(hours=version),
                flagged=[i for i, (_, flag) in enumerate(values) if flag],
                first=first,
            ),
        )
        for version, (first, values) in enumerate(contents, 1)
    ]
    memory = Memory()
    for version, document in data.draw(st.permutations(documents)):
        checked = memory.take(document, version)
        assert checked.verdict is Verdict.ACCEPTED or Code.OLDER_VERSION in codes(checked)
    expected = {}
    for first, values in contents:
        for index, value in enumerate(values):
            expected[FIRST + (first + index) * HOUR] = value
    assert memory.values == expected


def test_a_point_without_an_area_has_its_values_in_whatever_area_they_come():
    recorded = RecordedIntervals([FIRST], [1000], step_minutes=30)
    context = known(point(area=None), intervals={(None, "P1", "A+"): recorded})
    assert judged(daily(profile()), context).changes[0].kept == 1


def test_a_number_far_ahead_is_told_with_the_one_that_was_expected():
    (told,) = (
        found
        for found in judged(daily(number=1006), known(point(), highest=5)).findings
        if found.code is Code.SUSPICIOUS_VERSION
    )
    assert (told.seen, told.detail) == ("1006", {"other": "5", "expected": "6"})


@pytest.mark.parametrize(
    ("number", "highest", "told"), [(1005, 5, False), (1006, 5, True), (1000, None, False)]
)
def test_a_number_is_far_ahead_by_more_than_its_parameter(number, highest, told):
    checked = judged(daily(profile(), number=number), known(point(), highest=highest))
    assert (Code.SUSPICIOUS_VERSION in codes(checked)) is told
    # It counts as the one that was expected, so that corrections are newer than it.
    assert checked.version.first == (6 if told else number)


HELD = [(FIRST, FIRST + HOUR)]


@pytest.mark.parametrize(
    ("values", "more", "change"),
    [
        # What holds stays against other values and is confirmed by its own.
        ([1, 6], {"held": HELD}, ([], [], 1, 1)),
        ([5, 6], {"held": HELD}, ([], [], 2, 0)),
        ([5, 6], {"newer": HELD}, ([], [], 1, 1)),
        ([1, 6, 7], {"held": HELD}, ([2], [], 1, 1)),
        ([1, 7], {"held": [(FIRST + HOUR, FIRST + 2 * HOUR)]}, ([], [0], 0, 1)),
        ([None, 6], {}, ([], [0], 1, 0)),
    ],
)
def test_an_operator_s_values_hold_and_a_newer_document_s_stay(values, more, change):
    checked = judged(month(values), in_force([5, 6], **more))
    (found,) = checked.changes
    assert (list(found.added), list(found.replaced), found.kept, found.stayed) == change
    held = [one for one in checked.findings if one.code is Code.HELD_BY_OPERATOR]
    differ = found.stayed if "held" in more else 0
    assert [one.count for one in held] == [differ] * bool(differ)


@pytest.mark.parametrize(
    ("mine", "on_record", "told"),
    [
        ("0", "7", [Code.VALUES_ZEROED, Code.VALUE_CHANGED]),
        ("1", "7", [Code.VALUE_CHANGED]),
        ("7", "0", [Code.VALUE_CHANGED]),
        ("0", "0", []),
    ],
)
def test_a_reading_that_becomes_zero_is_warned_of(mine, on_record, told):
    key = (*register(), FIRST)
    before = RecordedReading(Decimal(on_record), newer=False, layout="52006")
    context = known(point("P1", meter()), readings={key: before})
    checked = judged(readings(reading(mine)), context)
    assert codes(checked) == told
    if told:
        assert checked.findings[-1].detail == {"before": on_record, "after": mine, "unit": "kWh"}


@pytest.mark.parametrize(("mine", "kept"), [("7", 1), ("8", 0)])
def test_a_reading_that_holds_is_confirmed_or_stays(mine, kept):
    key = (*register(), FIRST)
    before = RecordedReading(Decimal(7), newer=False, layout="52006", held=True)
    checked = judged(readings(reading(mine)), known(point("P1", meter()), readings={key: before}))
    (change,) = checked.changes
    assert (change.kept, change.stayed) == (kept, 1 - kept)
    assert codes(checked) == [Code.HELD_BY_OPERATOR] * (1 - kept)
    assert [one.detail["expected"] for one in checked.findings] == ["7"] * (1 - kept)


def test_what_comes_in_another_step_replaces_the_sum_of_what_was_there():
    hours = [(at, at + HOUR, 2000) for at in range(FIRST, FIRST + 24 * HOUR, HOUR)]
    context = known(point(), intervals={(INN, "P1", "A+"): RecordedIntervals(other=hours)})
    values = [None, *range(1000, 1047)]
    (told,) = (
        one
        for one in judged(daily(profile(values)), context).findings
        if one.code is Code.VALUE_CHANGED
    )
    after = str(sum(values[1:]))
    assert told.count == 24
    assert told.detail == {"before": "48000", "after": after, "unit": "Wh"}


def test_the_same_values_an_hour_later_are_other_ones():
    change = change_of(month([5, 6], first=1), in_force([5, 6]))
    assert (list(change.added), list(change.replaced), change.kept) == ([1], [0], 0)


@pytest.mark.parametrize(
    ("held", "holders", "value", "told"),
    [
        (False, {"200000005678"}, "8", [Code.HELD_BY_HOLDER]), (False, {"200000005678"}, "7", []),
        (True, set(), "8", [Code.HELD_BY_OPERATOR]), (False, {OWN}, "8", [Code.VALUE_CHANGED]),
    ],
)  # fmt: skip
def test_on_the_day_of_a_change_neither_holder_replaces_the_other_s_reading(
    held, holders, value, told
):
    rows = PointRow(None, "200000005678", INN), PointRow(date(2026, 11, 1), OWN, INN)
    before = RecordedReading(Decimal(7), False, "52006", held, frozenset(holders))
    place = point("P1", meter(), rows=rows)
    context = known(place, readings={(*register(), FIRST): before})
    assert codes(judged(readings(reading(value)), context)) == told


def test_a_value_in_force_that_is_empty_is_replaced_and_counts_for_nothing():
    change = change_of(month([1, 2]), in_force([None, 2]))
    assert (list(change.replaced), change.before, change.after) == ([0], 0, 1)


def test_what_a_newer_document_brought_in_another_step_is_not_displaced():
    newer = [(FIRST, FIRST + HOUR)]
    recorded = RecordedIntervals(other=[(FIRST, FIRST + HOUR, 2000)], newer=newer)
    series = profile([1000] * 48)
    change = change_of_intervals(Assigned(series, series), recorded)
    assert (list(change.displaced), change.before, change.stayed) == ([], 0, 2)
    assert list(change.added) == [*range(2, 48)]


@pytest.mark.parametrize(("first", "count", "told"), [(0, 48, False), (0, 47, True), (1, 47, True)])
def test_hours_are_replaced_by_half_hours_of_their_whole_day_alone(first, count, told):
    hours = [(FIRST + 10 * HOUR, FIRST + 11 * HOUR, 2000)]
    context = known(point(), intervals={(INN, "P1", "A+"): RecordedIntervals(other=hours)})
    series = profile([1000] * count, start=DAY + timedelta(minutes=30 * first))
    assert (Code.WRONG_STEP in codes(judged(daily(series), context))) is told
