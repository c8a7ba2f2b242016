"""Time columns of XML rows: as a column at once, or each row for itself, with the same outcome."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from layouts.findings import Code, Findings
from layouts.layout import TimeFormat, load
from parsers.clock import clock
from parsers.times import RowTimes

LAYOUTS = load()
DAY = date(2026, 11, 9)
FORM = LAYOUTS["80020"].xml.forms[0]
HOURLY = LAYOUTS["52005"].xml.forms[0]
CLOSED = TimeFormat(
    "YYYYMMDDHH",
    {"year": slice(0, 4), "month": slice(4, 6), "day": slice(6, 8), "hour": slice(8, 10)},
)


def times(cells, day=DAY, form=FORM, zone="Europe/Moscow", number="80020", keys=None):
    layout = replace(LAYOUTS[number], zone=zone)
    lines = range(10, 10 + len(next(iter(cells.values()))))
    return RowTimes(layout, form, day, cells, lines, keys or {}, Findings())


def told(made: RowTimes) -> list[tuple]:
    return [
        (one.code, one.place.line, one.seen, one.detail["field"], one.detail["expected"])
        for one in made.findings
    ]


def minutes(moments, zone="Europe/Moscow", day=DAY) -> list[int | None]:
    midnight = clock(zone).midnight(day)
    return [None if at is None else (at - midnight) // 60 for at in moments]


@pytest.mark.parametrize(
    ("start", "end", "length"),
    [("0000", "0030", 30), ("2330", "0000", 30), ("2330", "2400", 30), ("0000", "0000", 1440),
     ("0100", "0030", 1410), ("0000", "2400", 1440), ("2300", "2330", 30)],
)  # fmt: skip
@pytest.mark.parametrize("blank", ["", " "])
def test_an_interval_ends_at_its_end_or_a_day_later(start, end, length, blank):
    # With a blank before it no column is read at once.
    made = times({"start": [blank + start], "end": [end]})
    moments = made.read()
    (at,) = minutes(moments.starts)
    assert at == int(start[:2]) * 60 + int(start[2:])
    assert minutes(moments.ends) == [at + length]
    assert (told(made), list(moments.skipped)) == ([], [])


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"start": ["0000", "2400"], "end": ["0030", "0030"]},
         [(Code.INVALID_TIME, 11, "2400", "start", "HHMM")]),
        ({"start": ["0000", None], "end": ["?  x", "0030"]},
         [(Code.MISSING_FIELD, 11, None, "start", "HHMM"),
          (Code.INVALID_TIME, 10, "? x", "end", "HHMM")]),
        ({"start": ["0000", "0030"], "end": ["0030", " "]},
         [(Code.MISSING_FIELD, 11, None, "end", "HHMM")]),
    ],
)  # fmt: skip
def test_what_is_no_time_is_told_in_its_row_and_column(cells, found):
    made = times(cells, keys={"area": "7", "point": "9", "meter": "5", "channel": "A+"})
    moments = made.read()
    wrong = {(line, field) for _, line, _, field, _ in found}
    assert [at is None for at in moments.starts] == [(n, "start") in wrong for n in (10, 11)]
    assert [at is None for at in moments.ends] == [
        (n, "start") in wrong or (n, "end") in wrong for n in (10, 11)
    ]
    assert told(made) == found
    for one in made.findings:
        assert (one.area, one.point, one.meter, one.channel) == ("7", "9", None, "A+") or one.meter


@pytest.mark.parametrize("day", [DAY, None])
def test_without_the_day_of_the_document_no_time_is_read_or_told(day):
    made = times({"start": ["0000"], "end": ["0030"]}, day)
    moments = made.read()
    assert (moments.starts == [None], moments.ends == [None]) == (day is None, day is None)
    assert told(made) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [("2026110100", None), ("20261101", None), ("2026110124", Code.INVALID_TIME),
     ("2026113100", Code.INVALID_DATE), ("20261131", Code.INVALID_DATE), ("x", Code.INVALID_DATE),
     ("20261101x", Code.INVALID_TIME), ("", Code.MISSING_FIELD), (None, Code.MISSING_FIELD)],
)  # fmt: skip
def test_a_date_or_an_hour_is_what_is_wrong(text, code):
    made = times({"start": ["2026110123", text]}, None, HOURLY, number="52005")
    moments = made.read()
    first = clock("Europe/Moscow").midnight(date(2026, 11, 1))
    assert moments.starts == [first + 23 * 3600, None if code else first]
    assert moments.ends is None
    assert [one[0] for one in told(made)] == ([code] if code else [])


BERLIN = "Europe/Berlin"
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


@pytest.mark.parametrize(
    ("starts", "ends", "summers", "read"),
    [
        # Clocks go from two to three; a row may end in the time of its start, or in the new one.
        (["0130"], ["0200"], None, [(90, 120)]), (["0130"], ["0300"], None, [(90, 120)]),
        (["0300"], ["0330"], None, [(120, 150)]), (["0200"], ["0230"], None, [(None, None)]),
        (["0100"], ["0300"], None, [(60, 120)]), (["0100"], ["0345"], None, [(60, 225)]),
        (["0130"], ["0230"], None, [(90, 150)]), (["2330"], ["0000"], None, [(1350, 1380)]),
    ],
)  # fmt: skip
def test_intervals_across_the_hour_that_clocks_skip(starts, ends, summers, read):
    made = times({"start": starts, "end": ends}, SPRING, zone=BERLIN)
    moments = made.read()
    both = zip(*(minutes(of, BERLIN, SPRING) for of in moments[:2]), strict=True)
    assert list(both) == read
    skipped = [n for n, (start, _) in enumerate(read) if start is None]
    assert (told(made), list(moments.skipped)) == ([], skipped)
    made.tell_skipped(moments.skipped)
    assert told(made) == [(Code.INVALID_TIME, 10 + n, starts[n], "start", "") for n in skipped]


@pytest.mark.parametrize(
    ("starts", "ends", "summers", "read"),
    [
        (["0200", "0230", "0200", "0230"], ["0230", "0300", "0230", "0300"], None,
         [(120, 150), (150, 180), (180, 210), (210, 240)]),
        (["0200", "0200"], ["0230", "0230"], [None, " 1 "], [(180, 210), (120, 150)]),
        (["0200", "0200"], ["0230", "0230"], ["0", "0"], [(120, 150), (180, 210)]),
        (["0130"], ["0200"], None, [(90, 120)]), (["0300"], ["0330"], None, [(240, 270)]),
    ],
)  # fmt: skip
def test_intervals_across_the_hour_that_occurs_twice(starts, ends, summers, read):
    cells = {"start": starts, "end": ends} | ({"summer": summers} if summers else {})
    made = times(cells, AUTUMN, zone=BERLIN)
    moments = made.read()
    both = zip(*(minutes(of, BERLIN, AUTUMN) for of in moments[:2]), strict=True)
    assert (list(both), told(made)) == (read, [])


def test_ends_may_have_dates_of_their_own():
    form = replace(FORM, start_format=CLOSED, end_format=CLOSED)
    made = times({"start": ["2026110923", "2026110901"], "end": ["2026111000", "2026110924"]},
                 None, form)  # fmt: skip
    moments = made.read()
    assert minutes(moments.starts) == [23 * 60, 60]
    assert minutes(moments.ends) == [24 * 60, 24 * 60]
    assert told(made) == []


def test_an_instant_is_told_as_such():
    form = LAYOUTS["52006"].xml.forms[0]
    made = times({"instant": ["2026110100", "?"]}, None, form, number="52006")
    moments = made.read()
    assert moments.starts[0] == datetime(2026, 10, 31, 21, tzinfo=UTC).timestamp()
    assert told(made) == [(Code.INVALID_DATE, 11, "?", "instant", "YYYYMMDDHH")]
