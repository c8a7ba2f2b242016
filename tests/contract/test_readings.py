"""What billing reads: the verb's rows and the database's views, on both databases."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.operations.export import columns, readings_sheet, write_csv
from layouts.document import Header
from layouts.points import LegalEntity, Meter, MeteringPoint
from storage.billed.billing import Grain
from tests.contract.documents import (
    ENTITY,
    MONTH,
    NOW,
    OTHER,
    document,
    hand_in,
    hand_in_to,
    hours,
    import_all,
    reading,
    rolled_back,
    rows,
)

NOVEMBER = date(2026, 11, 1)
FIRST = int(MONTH.timestamp())
DAY = 86400


METER = ENTITY.points[1].meters[0]


def registered_with(ledger, meter=METER):
    """The usual entities; the metered point with a power that lets its register roll over."""
    point = replace(ENTITY.points[1], max_power_kw=Decimal(100_000), meters=(meter,))
    import_all(ledger, replace(ENTITY, points=(ENTITY.points[0], point, ENTITY.points[2])), OTHER)


@pytest.fixture(autouse=True)
def registered(ledger):
    registered_with(ledger)


def told(ledger, grain=Grain.INTERVAL, month=NOVEMBER, entity=None, **options):
    with ledger.reading() as store:
        return list(store.billing.values(month, grain, entity, **options))


def view(ledger, name, *names):
    selected = ", ".join(names)
    return [tuple(row) for row in rows(ledger, f"SELECT {selected} FROM {name}")]


def month_of_everything(ledger):
    """Profiles with flags and gaps, registers with a rollover, replaced values."""
    hand_in(ledger, document(hours(10, None, 30, 40, flagged=[1, 3]), created=0))
    hand_in(ledger, document(hours(5, 6, day=1), created=1))
    hand_in(ledger, document(hours(11, day=0), created=2))
    halves = hours(*range(1, 49), point="332070000107101", area="3300000001", step=30, channel="R+")
    hand_in(ledger, document(halves, layout="80020", number=1))
    for value, days in (("999990.50", -30), ("999999.99", 0), ("12.25", 10)):
        at = MONTH + timedelta(days=days)
        series = reading(value, at=at, zone="T2")
        hand_in(ledger, document(series, layout="52006", created=days))
    hand_in(ledger, document(reading("7.5", at=MONTH + timedelta(days=10)), layout="52006"))
    again = reading("8.5", at=MONTH + timedelta(days=10))
    hand_in(ledger, document(again, layout="52006", created=3))


def test_each_value_is_a_row_in_the_order_of_point_channel_and_time(ledger):
    hand_in(ledger, document(hours(10, None, 30, flagged=[2])))

    found = told(ledger)

    assert [(row.start - FIRST, row.energy, row.billed) for row in found] == [
        (0, 10, 10),
        (3600, None, None),
        (7200, 30, None),
    ]
    assert [row.not_commercial_count for row in found] == [0, 0, 1]
    assert [row.missing_count for row in found] == [0, 1, 0]
    first = found[0]
    assert (first.kind, first.entity, first.point) == ("interval", ENTITY.user_code, "200000001234")
    assert (first.unit, first.step_minutes, first.receipt, first.letter) == ("Wh", 60, 1, 1)
    assert first.received_at == int(NOW.timestamp())


def test_days_and_months_sum_what_the_intervals_are(ledger):
    month_of_everything(ledger)
    intervals = [row for row in told(ledger) if row.kind == "interval"]

    for grain in (Grain.DAY, Grain.MONTH):
        sums = [row for row in told(ledger, grain) if row.kind == "interval"]
        assert sum(row.energy for row in sums) == sum(row.energy or 0 for row in intervals)
        assert sum(row.billed for row in sums) == sum(row.billed or 0 for row in intervals)
        assert sum(row.value_count for row in sums) == sum(r.value_count for r in intervals)
    days = [r for r in told(ledger, Grain.DAY) if r.point == ENTITY.user_code]
    assert [(r.start - FIRST, r.energy, r.billed, r.missing_count) for r in days] == [
        (0, 81, 41, 21),
        (DAY, 11, 11, 22),
    ]
    (month,) = [r for r in told(ledger, Grain.MONTH) if r.point == ENTITY.user_code]
    assert (month.energy, month.billed, month.missing_count) == (92, 52, 715)
    assert (month.end - month.start, month.not_commercial_count) == (30 * DAY, 2)


def test_consumption_is_the_difference_times_the_ratio_also_past_the_last_digit(ledger):
    month_of_everything(ledger)

    registers = [row for row in told(ledger) if row.kind == "register"]

    assert [(r.zone, r.reading, r.previous_reading, r.energy, r.remark) for r in registers] == [
        ("T1", Decimal("8.5"), None, None, "first"),
        ("T2", Decimal("12.25"), Decimal("999999.99"), 490_400, "rollover"),
    ]
    assert registers[1].start == FIRST
    assert registers[1].ratio == 40
    (october,) = [r for r in told(ledger, month=date(2026, 10, 1)) if r.remark is None]
    assert (october.end, october.energy) == (FIRST, 379_600)


def test_a_new_meters_first_reading_has_nothing_before_it(ledger):
    old = Meter("OLD", ratio=Decimal(20), removed=date(2026, 11, 5), channels=("A+",))
    new = Meter("NEW", ratio=Decimal(30), installed=date(2026, 11, 5), channels=("A+",))
    import_all(ledger, LegalEntity("777", points=(MeteringPoint("777-1", meters=(old, new)),)))
    sender = LegalEntity("777")
    for number, value, days in (
        ("OLD", "100", 0),
        ("OLD", "110", 4.5),
        ("NEW", "0.4", 4.5),
        ("NEW", "5.4", 30),
    ):
        series = reading(value, meter=number, zone="T0", at=MONTH + timedelta(days=days))
        at = max(NOW, series.start + timedelta(hours=1))
        receipt = hand_in(ledger, document(series, layout="52006"), sender=sender, at=at)
        assert receipt.checked.changes

    found = told(ledger, entity="777")

    assert [(r.meter, r.energy, r.remark) for r in found] == [
        ("OLD", 200_000, None),
        ("NEW", None, "first"),
        ("NEW", 150_000, None),
    ]


def test_history_adds_what_was_replaced_with_who_and_when(ledger):
    month_of_everything(ledger)

    found = told(ledger, history=True)

    replaced = [row for row in found if row.state == "replaced"]
    assert [(r.kind, r.energy, r.reading, r.billed) for r in replaced] == [
        ("interval", 10, None, None),
        ("register", None, Decimal("7.5"), None),
    ]
    first = replaced[0]
    assert (first.receipt, first.replaced_by, first.replaced_by_letter) == (1, 3, 3)
    assert first.replaced_at == int(NOW.timestamp())
    assert found[found.index(first) + 1]._replace(state=None) == told(ledger)[0]
    in_force = [row._replace(state=None, place=None) for row in found if row.state == "in-force"]
    assert in_force == told(ledger)


def test_only_the_entity_asked_for_is_told(ledger):
    month_of_everything(ledger)

    assert told(ledger, entity=OTHER.user_code) == []
    assert told(ledger, entity=ENTITY.user_code) == told(ledger)


def test_days_of_a_changeover_month_are_as_long_as_they_were(ledger):
    # Moscow went from summer time, UTC+4, to UTC+3 on 26 October 2014 at two o'clock.
    start = datetime(2014, 10, 25, 20, tzinfo=UTC)
    values = tuple(range(1, 26))
    series = replace(hours(*values, point="332070000107101", area="3300000001"), start=start)
    received = datetime(2014, 10, 28, tzinfo=UTC)
    parsed = replace(document(series, layout="80020"), header=Header(created=received, number=1))
    hand_in(ledger, parsed, at=received)

    (day,) = told(ledger, Grain.DAY, date(2014, 10, 1))

    assert (day.energy, day.value_count, day.missing_count) == (sum(values), 25, 0)
    assert day.end - day.start == 25 * 3600


INTERVAL = ("point", "channel", "start_epoch", "unit", "energy", "billed", "receipt", "letter")


def test_the_view_of_intervals_agrees_with_the_verb(ledger):
    month_of_everything(ledger)
    verb = [
        (r.point, r.channel, r.start, r.unit, r.energy, r.billed, r.receipt, r.letter)
        for r in told(ledger)
        if r.kind == "interval"
    ]

    assert sorted(view(ledger, "billing_interval", *INTERVAL), key=str) == sorted(verb, key=str)


@pytest.mark.parametrize(
    ("name", "grain", "form"),
    [("billing_day", Grain.DAY, "%Y-%m-%d"), ("billing_month", Grain.MONTH, "%Y-%m")],
)
def test_the_views_of_sums_agree_with_the_verb_to_the_watt_hour(ledger, name, grain, form):
    month_of_everything(ledger)
    verb = [
        (
            row.point,
            row.channel,
            (datetime.fromtimestamp(row.start, UTC) + timedelta(hours=3)).strftime(form),
            row.energy,
            row.billed,
            row.value_count,
            row.not_commercial_count,
            row.receipt,
        )
        for row in told(ledger, grain)
        if row.kind == "interval"
    ]
    span = name.removeprefix("billing_")
    counts = ("value_count", "not_commercial_count", "receipt")

    found = view(ledger, name, "point", "channel", span, "energy", "billed", *counts)

    assert sorted(found) == sorted(verb)


@pytest.mark.parametrize("ratio", ["1", "40", "0.5", "1.000001", "120.333333", "66000"])
def test_the_view_of_registers_agrees_with_the_verb_to_the_watt_hour(ledger, ratio):
    registered_with(ledger, replace(METER, ratio=Decimal(ratio)))
    month_of_everything(ledger)
    verb = [
        (r.meter, r.zone, r.end, r.energy, r.billed, r.remark, r.receipt, r.reading, r.ratio)
        for month in (date(2026, 10, 1), NOVEMBER)
        for r in told(ledger, month=month)
        if r.kind == "register"
    ]
    names = ("meter", "zone", "end_epoch", "energy", "billed", "remark", "receipt")

    found = [
        (*row[:-2], Decimal(row[-2]).normalize(), Decimal(row[-1]).normalize())
        for row in view(ledger, "billing_register", *names, "reading", "ratio")
    ]

    assert [row[:6] for row in sorted(found, key=str)] == [row[:6] for row in sorted(verb, key=str)]
    assert {row[-2:] for row in found} == {row[-2:] for row in verb}


def test_the_views_tell_months_and_moments_in_moscow_time(ledger):
    month_of_everything(ledger)

    months = {row[0] for row in view(ledger, "billing_interval", "month")}
    assert months == {"2026-11"}
    registers = view(ledger, "billing_register", "month", "zone")
    assert ("2026-10", "T2") in registers
    (first,) = {row[0] for row in view(ledger, "billing_interval", "min(start_at)")}
    moment = datetime.fromisoformat(first) if isinstance(first, str) else first
    assert moment == MONTH


def test_the_view_of_history_agrees_with_the_verb(ledger):
    month_of_everything(ledger)
    verb = [
        (r.kind, r.point, r.energy, r.receipt, r.replaced_by, r.replaced_by_letter, r.replaced_who)
        for r in told(ledger, history=True)
        if r.state == "replaced"
    ]
    names = ("kind", "point", "energy", "receipt", "replaced_by", "replaced_by_letter")

    assert sorted(view(ledger, "billing_history", *names, "replaced_who")) == sorted(verb)


def test_csv_says_what_the_rows_are(ledger):
    month_of_everything(ledger)
    out = io.StringIO(newline="")
    write_csv(readings_sheet(told(ledger), history=False), out)

    lines = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))

    assert tuple(lines[0]) == columns(history=False)
    assert sum(int(line["billed"] or 0) for line in lines) == sum(
        row.billed or 0 for row in told(ledger)
    )
    assert lines[0]["start"] == "2026-11-01T00:00:00+03:00"
    assert lines[-1]["reading"] == "12.25"


SENT = st.tuples(
    st.integers(0, 5),
    st.integers(0, 40),
    st.lists(st.integers(0, 100), min_size=1, max_size=6),
    st.booleans(),
)
"""When it was made, its first hour, its values, and whether its first one is flagged."""


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(SENT, min_size=1, max_size=6))
def test_in_any_order_of_arrival_the_sums_are_those_of_the_newest_documents(ledger, documents):
    newest: dict[int, tuple[int, int, int, bool]] = {}
    for arrival, (created, first, values, flag) in enumerate(documents):
        for hour, value in enumerate(values, first):
            sent = created, arrival, value, flag and hour == first
            newest[hour] = max(newest.get(hour, sent), sent)

    with rolled_back(ledger) as store:
        for arrival, (created, first, values, flag) in enumerate(documents):
            series = hours(*values, hour=first, flagged=[0] if flag else ())
            hand_in_to(
                store, document(series, created=created), at=NOW + timedelta(seconds=arrival)
            )
        found = {grain: list(store.billing.values(NOVEMBER, grain)) for grain in Grain}

    in_force = newest.values()
    for rows_of_grain in found.values():
        assert sum(row.energy for row in rows_of_grain) == sum(sent[2] for sent in in_force)
        assert sum(row.billed or 0 for row in rows_of_grain) == sum(
            value for _, _, value, flagged in in_force if not flagged
        )
        assert sum(row.value_count for row in rows_of_grain) == len(newest)
