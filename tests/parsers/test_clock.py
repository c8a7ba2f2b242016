"""Local times as documents write them: every text is a time of the day or none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.layout import TimeFormat
from parsers.clock import clock, hours_at_once, minutes_at_once, read_local

MINUTES = TimeFormat("HHMM", {"hour": slice(0, 2), "minute": slice(2, 4)}, compact=True)
HOURS = TimeFormat(
    "YYYYMMDDHH",
    {"year": slice(0, 4), "month": slice(4, 6), "day": slice(6, 8), "hour": slice(8, 10)},
    compact=True,
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
