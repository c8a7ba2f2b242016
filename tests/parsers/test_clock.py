"""Local times as documents write them: every text is a time of the day or none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.layout import TimeFormat
from parsers.clock import clock, hours_at_once, minutes_at_once, read_local

MINUTES = TimeFormat("HHMM", {"hour": slice(0, 2), "minute": slice(2, 4)})
HOURS = TimeFormat(
    "YYYYMMDDHH",
    {"year": slice(0, 4), "month": slice(4, 6), "day": slice(6, 8), "hour": slice(8, 10)},
)
DAY = date(2026, 11, 20)
EVERY = [f"{number:04d}" for number in range(10_000)]


@pytest.mark.parametrize("closing", [False, True])
def test_of_all_four_digits_those_below_24_hours_and_60_minutes_are_times(closing):
    midnight = datetime(2026, 11, 20)  # noqa: DTZ001 - local, as written
    for text in EVERY:
        hour, minute = int(text[:2]), int(text[2:])
        is_time = (hour < 24 and minute < 60) or (closing and text == "2400")
        meant = 60 * hour + minute if is_time else None
        local = read_local(text, MINUTES, DAY, closing=closing)
        assert local == (None if meant is None else midnight + timedelta(minutes=meant)), text
        column = minutes_at_once([text], MINUTES, closing=closing)
        assert column == (None if meant is None else [meant]), text


@given(st.integers(1980, 2110), st.integers(0, 14), st.integers(0, 33), st.integers(0, 30))
def test_a_column_of_hours_says_what_each_of_its_texts_says(year, month, day, hour):
    text = f"{year:04d}{month:02d}{day:02d}{hour:02d}"
    local = read_local(text, HOURS)
    moscow = clock("Europe/Moscow")
    column = hours_at_once([text], HOURS, moscow)
    if local is None:
        # The column takes a closer look, and there it is none.
        assert column is None or year not in range(1990, 2101)
    elif column is not None:
        there = datetime.fromtimestamp(column[0], UTC).astimezone(ZoneInfo("Europe/Moscow"))
        assert there.replace(tzinfo=None) == local


@pytest.mark.parametrize("text", ["", "12", "12:0", "١٢٠٠", "-100", "1 00", "12000", "0x10"])
def test_other_signs_are_no_time(text):
    assert read_local(text, MINUTES, DAY) is None
    assert minutes_at_once([text], MINUTES) is None


BERLIN = clock("Europe/Berlin")
AT_TWO = datetime(2026, 10, 25, 2)  # noqa: DTZ001 - local, as written


@pytest.mark.parametrize(
    ("summers", "hours"),
    [
        # Unmarked: the first one written is the earlier one. Marked: summer time is.
        (None, [0, 1]),
        ([False, False], [0, 1]),
        ([True, False], [0, 1]),
        ([False, True], [1, 0]),
    ],
)
def test_of_an_hour_that_occurs_twice_the_document_says_which_is_meant(summers, hours):
    first = int(datetime(2026, 10, 25, 0, tzinfo=UTC).timestamp())
    found = BERLIN.epochs([AT_TWO, None, AT_TWO], summers and [summers[0], False, summers[1]])
    assert found == [first + 3600 * hours[0], None, first + 3600 * hours[1]]


def test_a_time_that_clocks_skip_is_none():
    assert BERLIN.epoch(datetime(2026, 3, 29, 2, 30)) is None  # noqa: DTZ001
    assert BERLIN.epoch(datetime(2026, 3, 29, 3)) is not None  # noqa: DTZ001
    assert BERLIN.epoch(datetime(9999, 12, 31, 23)) is not None  # noqa: DTZ001
    assert clock("Asia/Tokyo").epoch(datetime(1, 1, 1)) is None  # noqa: DTZ001


@pytest.mark.parametrize(
    ("day", "plain"),
    [(date(2026, 10, 25), False), (date(2026, 3, 29), False), (date(2026, 3, 28), True),
     (date(9999, 12, 31), False)],
)  # fmt: skip
def test_a_day_on_which_clocks_change_is_not_plain(day, plain):
    assert BERLIN.plain_midnight(day) == (BERLIN.midnight(day) if plain else None)
    text = f"{day:%Y%m%d}23"
    assert (hours_at_once([text], HOURS, BERLIN) is not None) is plain


@pytest.mark.parametrize("month", [1, 2, 11, 12])
def test_a_month_goes_from_its_first_midnight_to_the_next_one_s(month):
    moscow = clock("Europe/Moscow")
    start, end = moscow.month(date(2026, month, 17))
    zone = ZoneInfo("Europe/Moscow")
    following = date(2026 + month // 12, month % 12 + 1, 1)
    assert [datetime.fromtimestamp(at, zone).date() for at in (start, end)] == [
        date(2026, month, 1), following
    ]  # fmt: skip
    assert moscow.month(date(9999, 12, 1)) is None


WHOLE = TimeFormat(
    "DD.MM.YYYY HH:MM",
    {"day": slice(0, 2), "month": slice(3, 5), "year": slice(6, 10), "hour": slice(11, 13),
     "minute": slice(14, 16)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "closing", "local"),
    [
        ("01.11.2026 09:30", False, (2026, 11, 1, 9, 30)), (" 01.11.2026 ", False, (2026, 11, 1)),
        ("01.11.2026 24:00", True, (2026, 11, 2)), ("01.11.2026 24:00", False, None),
        ("01.11.2026 24:30", True, None), ("01-11-2026 09:30", False, None),
        ("01.11.1990", False, (1990, 11, 1)), ("01.11.1989", False, None),
        ("01.11.2100", False, (2100, 11, 1)), ("01.11.2101", False, None),
        ("31.11.2026", False, None), ("01.11.202", False, None), ("01.11.2026 9:30", False, None),
    ],
)  # fmt: skip
def test_a_local_time_is_read_as_its_form_says(text, closing, local):
    found = read_local(text, WHOLE, closing=closing)
    assert found == (local and datetime(*local))  # noqa: DTZ001


# Clocks skip the midnight of 1 August there.
CAIRO = clock("Africa/Cairo")
UNTIL, SINCE = date(2014, 7, 31), date(2014, 8, 1)


def test_a_day_whose_midnight_clocks_skip_has_no_beginning():
    assert CAIRO.midnight(SINCE) is None
    assert [CAIRO.plain_midnight(day) for day in (UNTIL, SINCE)] == [None, None]
    assert [CAIRO.month(date(2014, month, 17)) is None for month in (6, 7, 8, 9)] == [
        False, True, True, False
    ]  # fmt: skip
    first, one, last = CAIRO.hours(SINCE, [0, 1, 23])
    assert (first, last - one) == (None, 22 * 3600)
    assert CAIRO.hours(UNTIL, [23]) == [CAIRO.midnight(UNTIL) + 23 * 3600]


def test_hours_of_a_day_are_counted_from_its_midnight():
    plain, short = date(2026, 3, 28), date(2026, 3, 29)
    assert BERLIN.hours(None, [0, 7]) == [None, None]
    start = BERLIN.midnight(plain)
    assert BERLIN.hours(plain, [0, 7, 24]) == [start, start + 7 * 3600, start + 24 * 3600]
    # The hour after two is skipped.
    start = BERLIN.midnight(short)
    assert BERLIN.hours(short, [0, 1, 2, 3]) == [start, start + 3600, None, start + 2 * 3600]


@pytest.mark.parametrize(
    ("text", "is_read"),
    [("2026110100", True), ("٢٠٢٦١١٠١00", False), ("2026 10100", False), ("2026+10100", False),
     ("202611 100", False), ("2026110124", False), ("202611010", False), ("20261101000", False),
     ("2026W01100", False), ("", False), ("2026113100", False)],
)  # fmt: skip
def test_a_column_of_hours_is_of_digits_alone(text, is_read):
    moscow = clock("Europe/Moscow")
    assert (hours_at_once(["2026110101", text], HOURS, moscow) is not None) is is_read
    assert (read_local(text, HOURS) is not None) is is_read
    assert hours_at_once([text, None], HOURS, moscow) is None
    assert hours_at_once([text], WHOLE, moscow) is None
    assert minutes_at_once(["0100"], HOURS) is None


TYPED = TimeFormat(
    "YYYY-MM-DDTHH:MM",
    {"year": slice(0, 4), "month": slice(5, 7), "day": slice(8, 10), "hour": slice(11, 13),
     "minute": slice(14, 16)},
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "form", "is_read"),
    [("2026-11-01T09:30", TYPED, True), ("2026-11-01 09:30", TYPED, True),
     ("2026-11-01x09:30", TYPED, False), ("2026-11-01", TYPED, True), ("2026-11-01T", TYPED, False),
     ("2026 11-01T09:30", TYPED, False), ("01.11.2026 09:30", WHOLE, True),
     ("01.11.2026T09:30", WHOLE, False)],
)  # fmt: skip
def test_a_blank_may_stand_for_the_sign_before_the_hour(text, form, is_read):
    assert (read_local(text, form) is not None) is is_read
