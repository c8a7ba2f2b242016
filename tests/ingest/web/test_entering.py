"""What is typed into the form for readings, taken apart."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest

from ingest.operations.account.registers import Register
from ingest.web.account.entering import (
    Row,
    Typed,
    _consumed,
    _created,
    _usual_moment,
    _with_problems,
    hour_of,
    moment_of,
    number_of,
)
from layouts.findings import Code, Finding, Severity
from layouts.months import MOSCOW

NOW = datetime(2026, 11, 15, 9, tzinfo=UTC)
ONE = Register(7, "12345678", "1", "", "A+", "T1", Decimal(40), Decimal(100), NOW)


@pytest.mark.parametrize(
    ("text", "hour"),
    [("0", 0), ("7", 7), ("24", 24), ("25", 24), ("", 24), ("x", 24), ("-1", 24), ("1000", 24),
     ("0001000", 24), ("١", 24), ("1.0", 24)],
)  # fmt: skip
def test_an_hour_is_one_of_the_list_or_the_end_of_the_day(text, hour):
    assert hour_of(text) == hour


@pytest.mark.parametrize(
    ("day", "hour", "at"),
    [
        ("2026-11-30", 0, datetime(2026, 11, 30, tzinfo=MOSCOW)),
        ("2026-11-30", 24, datetime(2026, 12, 1, tzinfo=MOSCOW)),
        ("30.11.2026", 10, datetime(2026, 11, 30, 10, tzinfo=MOSCOW)),
        ("1.2.2026", 0, datetime(2026, 2, 1, tzinfo=MOSCOW)),
        ("2026-2-1", 0, datetime(2026, 2, 1, tzinfo=MOSCOW)),
        ("9999-12-31", 23, datetime(9999, 12, 31, 23, tzinfo=MOSCOW)),
        ("9999-12-31", 24, None),
        ("2026-02-29", 0, None),
        ("29.02.2028", 0, datetime(2028, 2, 29, tzinfo=MOSCOW)),
        ("2026-13-01", 0, None),
        ("0000-01-01", 0, None),
        ("30/11/2026", 0, None),
        ("2026-11-30 ", 0, None),
        ("２０２６-11-30", 0, None),
        ("", 0, None),
    ],
)
def test_a_day_is_read_in_either_form(day, hour, at):
    assert moment_of(day, hour) == at


@pytest.mark.parametrize(
    ("text", "number"),
    [("1 234,5", "1234.5"), ("1\u00a0234\u202f567", "1234567"), (" 7\t", "7"), ("1.5", "1.5"),
     ("x", "x"), ("", "")],
)  # fmt: skip
def test_a_number_loses_its_blanks_and_has_a_point(text, number):
    assert number_of(text) == number


@pytest.mark.parametrize(
    ("text", "consumed"),
    [
        ("100", 0),
        ("100,5", 20),
        ("101", 40),
        ("99,999", None),
        ("", None),
        (" ", None),
        ("x", None),
        ("NaN", None),
        ("Infinity", None),
        ("1e12", (10**12 - 100) * 40),
        ("1e13", None),
        ("1e999999", None),
        ("-5", None),
    ],
)
def test_what_was_consumed_is_told_where_it_can_be(text, consumed):
    assert _consumed(ONE, text) == consumed
    assert _consumed(replace(ONE, last=None), text) is None


@pytest.mark.parametrize(
    ("after", "is_taken"),
    [
        (timedelta(0), True),
        (timedelta(seconds=1), False),
        (timedelta(seconds=-1), True),
        (timedelta(days=-1, seconds=1), True),
        (timedelta(days=-1), False),
        (timedelta(days=-2), False),
    ],
)
def test_a_form_was_shown_within_a_day_or_is_shown_now(after, is_taken):
    shown = NOW + after
    assert _created(str(int(shown.timestamp())), NOW) == (shown if is_taken else NOW)


@pytest.mark.parametrize("text", ["", "x", "-1", "9" * 12, "9" * 40, "1e9"])
def test_a_moment_that_cannot_be_is_now(text):
    assert _created(text, NOW) == NOW


@pytest.mark.parametrize(
    ("now", "day", "hour"),
    [
        (datetime(2026, 11, 1, 0, 30, tzinfo=MOSCOW), date(2026, 10, 31), 24),
        (datetime(2026, 11, 10, 23, 59, tzinfo=MOSCOW), date(2026, 10, 31), 24),
        (datetime(2026, 11, 11, 0, 30, tzinfo=MOSCOW), date(2026, 11, 11), 0),
        (datetime(2026, 11, 29, 13, 59, tzinfo=MOSCOW), date(2026, 11, 29), 13),
        (datetime(2026, 11, 30, 8, 0, tzinfo=MOSCOW), date(2026, 11, 30), 24),
        # By Moscow's clock it is December already.
        (datetime(2026, 11, 30, 21, 0, tzinfo=UTC), date(2026, 11, 30), 24),
        (datetime(2027, 1, 5, 9, 0, tzinfo=UTC), date(2026, 12, 31), 24),
    ],
)
def test_the_moment_that_is_proposed_is_the_month_s_end_or_this_hour(now, day, hour):
    assert _usual_moment(now) == (day, hour)


def typed(*rows, day="2026-11-30", hour=24):
    return Typed(day, hour, moment_of(day, hour), NOW, rows)


def test_empty_fields_and_a_day_that_is_none_are_no_readings():
    rows = Row(ONE, "1 000,5"), Row(replace(ONE, zone="T2"), " ")
    [reading] = typed(*rows).readings
    assert (reading.meter, reading.value, reading.zone) == ("12345678", "1000.5", "T1")
    assert typed(*rows, day="tomorrow").readings == []


def test_a_check_is_of_day_hour_and_every_field():
    rows = Row(ONE, "1"), Row(replace(ONE, zone="T2"), "2")
    changed = [
        typed(*rows),
        typed(*rows, day="2026-11-29"),
        typed(*rows, hour=23),
        typed(Row(ONE, "3"), rows[1]),
        typed(rows[0], Row(replace(ONE, zone="T2"), "3")),
        typed(rows[0], Row(replace(ONE, zone="T3"), "2")),
    ]
    assert len({one.digest for one in changed}) == len(changed)
    assert typed(*rows).digest == typed(*rows).digest


def problems_of(*findings):
    """What stands at the fields of two zones of one channel."""
    rows = typed(Row(ONE), Row(replace(ONE, zone="T2")), Row(replace(ONE, channel="A-")))
    receipt = SimpleNamespace(checked=SimpleNamespace(findings=findings))
    done = SimpleNamespace(handled=SimpleNamespace(receipts=[receipt]))
    return [
        [severity for severity, _ in row.problems] for row in _with_problems(rows, done, "ru").rows
    ]


@pytest.mark.parametrize(
    ("severity", "meter", "zone", "shown"),
    [
        (Severity.ERROR, "12345678", "T1", [["error"], [], []]),
        (Severity.ERROR, "12345678", "T2", [[], ["error"], []]),
        (Severity.ERROR, "12345678", None, [["error"], ["error"], []]),
        (Severity.WARNING, "12345678", "T1", [["warning"], [], []]),
        (Severity.WARNING, "12345678", None, [[], [], []]),
        (Severity.ERROR, "87654321", "T1", [[], [], []]),
        (Severity.ERROR, None, None, [[], [], []]),
    ],
)
def test_a_finding_stands_at_the_registers_that_it_is_of(severity, meter, zone, shown):
    finding = Finding(Code.SPIKE, severity, meter=meter, channel="A+", zone=zone)
    assert problems_of(finding) == shown


def test_errors_come_first_at_a_field():
    of = {"meter": "12345678", "channel": "A+", "zone": "T1"}
    warning = Finding(Code.SPIKE, Severity.WARNING, **of)
    error = Finding(Code.INVALID_NUMBER, Severity.ERROR, **of)
    assert problems_of(warning, error)[0] == ["error", "warning"]
