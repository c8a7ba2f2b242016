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
    assert BERLIN.is_plain(day) is plain
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
