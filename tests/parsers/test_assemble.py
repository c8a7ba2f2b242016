"""Columns as read to series: what is kept, what is told, and what is counted on the way."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from layouts.document import UNDATED, Header, Parsed, Places
from layouts.findings import NOWHERE, Code, Place, finding
from layouts.layout import load
from parsers import assemble
from parsers.assemble import Column, Draft, Reading, finished
from parsers.clock import clock
from parsers.grid_draft import TooCostlyError

LAYOUTS = load()
MOSCOW = clock("Europe/Moscow")
START = MOSCOW.midnight(date(2026, 11, 1))
HOUR = 3600


def hours(*numbers: int | None) -> list[int | None]:
    """Moments so many hours behind the first one of November."""
    return [None if number is None else START + HOUR * number for number in numbers]


def column(*at: int | None, values=None, **about) -> Column:
    facts = {"area": None, "point": "1", "channel": "A+", "named": True, "ends": None,
             "places": [100 + n for n in range(len(at))]} | about  # fmt: skip
    return Column(starts=hours(*at), values=values or ["1"] * len(at), **facts)


def draft(*columns: Column, number: str = "52005", **about) -> Draft:
    layout = LAYOUTS[number]
    made = Draft(layout, None, layout.unit)
    for name, value in about.items():
        setattr(made, name, value)
    for one in columns:
        made.add_column(one)
    return made


def told(made: Draft) -> list[tuple]:
    return [(one.code, one.place.line, one.count) for one in made.findings]


# Columns.


@pytest.mark.parametrize("ends", [None, (1, 2)])
def test_a_series_goes_on_with_all_that_its_values_have(ends):
    first = column(0, 1, flagged={1}, empty={5: 6}, ends=ends and hours(*ends))
    first.extend(column(2, 3, flagged={0}, empty={7: 8}, values=["2", "3"],
                        ends=ends and hours(3, 4)))  # fmt: skip
    assert (first.starts, first.values) == (hours(0, 1, 2, 3), ["1", "1", "2", "3"])
    assert (first.flagged, first.empty) == ({1, 2}, {5: 6, 7: 8})
    assert (first.ends, first.places) == (ends and hours(1, 2, 3, 4), [100, 101, 100, 101])


@pytest.mark.parametrize("ends", [None, (1, 2, 3, 4)])
def test_of_a_column_what_is_kept_keeps_its_facts(ends):
    made = column(0, 1, 2, 3, flagged={0, 2, 3}, values=["1", "2", "3", "4"],
                  ends=ends and hours(*ends))  # fmt: skip
    made.keep([1, 2])
    assert (made.starts, made.values, made.places) == (hours(1, 2), ["2", "3"], [101, 102])
    assert (made.flagged, made.ends) == ({1}, ends and hours(2, 3))


@pytest.mark.parametrize(
    ("values", "skipped", "kept", "told_"),
    [
        (["1", "0", "3"], [1], ["1", "3"], []), (["1", "2", "3"], [1], ["1", "2", "3"], [1]),
        (["0", "0,0", "x", "0"], [1, 2], ["0", "x", "0"], [2]), (["0"], [], ["0"], []),
    ],
)  # fmt: skip
def test_zeros_of_hours_that_clocks_skip_are_left_out(values, skipped, kept, told_):
    made = column(*range(len(values)), values=values)
    assert made.leave_out_skipped(skipped) == told_
    assert made.values == kept


# What is counted.


@pytest.mark.parametrize("what", ["idle", "readings", "mistakes"])
def test_rows_are_counted_after_their_turn(what, monkeypatch):
    names = {"idle": "MOST_IDLE", "readings": "MOST_SERIES", "mistakes": "MOST_MISTAKES"}
    monkeypatch.setattr(assemble, names[what], 3)
    made, turns = draft(), 0

    def take() -> None:
        if what == "readings":
            made.readings.append(Reading("1", "7", "A+", "T0", START, "1", 1))
        elif what == "mistakes":
            made.findings.add(finding(Code.INVALID_NUMBER))
            made.add_column(column(turns))

    rows = made.counted(range(10))
    for _ in range(4):
        assert next(rows) == turns
        turns += 1
        take()
    with pytest.raises(TooCostlyError, match="3"):
        next(rows)
    assert made.idle == (4 if what == "idle" else 0)


def test_a_row_without_a_reading_is_idle_wherever_it_stands():
    made = draft()
    for at in made.counted(range(5)):
        if at in (1, 3):
            made.readings.append(Reading("1", "7", "A+", "T0", START, "1", at))
            made.add_column(column(at))
    assert (made.idle, made.added) == (3, 2)


def test_a_row_that_begins_or_goes_on_with_a_series_is_not_idle():
    made = draft()
    for at in made.counted(range(4)):
        if at in (1, 2):
            made.add_column(column(at))
    assert (made.idle, made.added) == (2, 2)
    assert [one.starts for one in made.columns.values()] == [hours(1, 2)]


@pytest.mark.parametrize("count", [3, 4])
def test_series_are_counted_when_they_are_begun(count, monkeypatch):
    monkeypatch.setattr(assemble, "MOST_SERIES", 3)
    made = draft(*(column(n, point=str(n)) for n in range(3)), column(9, point="0"))
    if count > 3:
        with pytest.raises(TooCostlyError, match="3"):
            made.add_column(column(9, point="9"))
    else:
        assert len(made.columns) == 3


@pytest.mark.parametrize("count", [3, 4])
def test_mistakes_are_counted_when_they_are_told(count, monkeypatch):
    monkeypatch.setattr(assemble, "MOST_MISTAKES", 3)
    made = draft(column(*range(count), values=["x"] * count))
    if count > 3:
        with pytest.raises(TooCostlyError, match="3"):
            assemble.assemble(made)
    else:
        assert assemble.assemble(made) == ()
        assert (made.mistakes, len(told(made))) == (3, 3)


def test_a_table_s_keys_are_those_of_the_rows_and_columns_that_a_value_stands_in():
    made = draft(sheet="Лист")
    made.keys = [(range(2, 4), range(1, 4), {"point": 1}), (range(2, 4), range(4, 9), {"point": 4})]
    for spot, key in (((2, 1), 1), ((3, 3), 1), ((3, 4), 4), ((4, 1), None), ((3, 9), None)):
        found = made.places([Places.cell_at(*spot)], {1: 2})
        assert (found.keys.get("point"), found.empty) == (key, {1: 2})
    assert (made.places([]).keys, made.places([]).empty) == ({}, {})
    made.keys = [(range(1), range(1), {"point": 7})]
    assert made.places([]).keys == {"point": 7}


# The month.


@pytest.mark.parametrize(
    ("columns", "month", "outside"),
    [
        ([(0, 1)], 11, []), ([(-1, -2)], 10, []), ([(719, 718)], 11, []), ([(-1, 0, 1)], 11, [100]),
        ([(-2, -1, 0)], 10, [102]), ([(-1,), (0,), (0,)], 11, [100]), ([(-1,), (-1,), (0,)], 10,
         [100]),
        ([(0, 720, 1)], 11, [101]), ([(0, None, 1)], 11, []),
        ([(-1, 0, -2, -3, 1)], 10, [101, 104]),
        ([(0, 1, 720, 721, 722)], 12, [100]),
    ],
)  # fmt: skip
def test_a_document_is_for_the_month_that_most_of_it_lies_in(columns, month, outside):
    made = draft(*(column(*at, point=str(n)) for n, at in enumerate(columns)))
    assemble.assemble(made)
    header = made.header
    start = header.period_start.astimezone(MOSCOW.zone)
    end = header.period_end.astimezone(MOSCOW.zone)
    assert [(start.month, start.day, start.hour), (end.month, end.day, end.hour)] == [
        (month, 1, 0), (month % 12 + 1, 1, 0)
    ]  # fmt: skip
    lines = [one.place.line for one in made.findings if one.code is Code.INVALID_DATE]
    assert lines == outside
    wrong = [one.detail.get("expected", "") for one in made.findings]
    assert not [expected for expected in wrong if expected not in {f"2026-{month}", ""}]


def test_a_month_that_the_document_states_is_that_month():
    october = (MOSCOW.midnight(date(2026, 10, 1)), START)
    made = draft(column(0, 1, -1), month=october)
    assert assemble.assemble(made) == ()
    (found,) = made.findings
    about = (found.code, found.seen, found.count, found.detail["expected"], found.detail["reason"])
    assert about == (Code.INVALID_DATE, "01.11.2026", 2, "2026-10", "other-month")
    made = draft(column(-1, 0, 5))
    assemble.assemble(made)
    (found,) = made.findings
    assert (found.seen, found.count, "reason" in found.detail) == ("31.10.2026", 1, False)


def test_without_a_time_or_a_beginning_there_is_no_month():
    made = draft(column(None, None))
    assert assemble.assemble(made) == ()
    assert made.header.period_start is None
    assert [(one.start, one.values) for one in made.spoilt] == [(UNDATED, ())]
    # Clocks skip the beginning of August in Cairo.
    made = draft(layout=replace(LAYOUTS["52005"], zone="Africa/Cairo"))
    cairo = clock("Africa/Cairo").midnight(date(2014, 7, 30))
    made.add_column(Column(None, "1", "A+", True, [cairo], None, ["1"], [1]))
    (series,) = assemble.assemble(made)
    assert (made.header.period_start, list(series.values)) == (None, [1_000_000])
    day = draft(column(0), number="80020", header=Header())
    assert (len(assemble.assemble(day)), day.header.period_start) == (1, None)


# Values.


def test_what_is_spoilt_is_kept_apart_and_what_is_empty_is_nothing():
    bad, good = column(0, 1, values=["1", "x"], point="2"), column(0, 1, point="3")
    none = column(1, values=["0"], point="4")
    now = Header(created=datetime.fromtimestamp(START + HOUR, UTC))
    made = draft(bad, good, none, header=now)
    # Hours to come are padding where they are zero; of the others it is told.
    assert [one.point for one in assemble.assemble(made)] == []
    assert [(one.point, list(one.values)) for one in made.spoilt] == [
        ("2", [1_000_000]), ("3", [1_000_000])
    ]  # fmt: skip
    assert [(one.code, one.point) for one in made.findings] == [
        (Code.INVALID_NUMBER, "2"), (Code.READING_IN_FUTURE, "3")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("created", "future_zero", "kept"),
    [(None, True, 3), (1, True, 1), (2, True, 2), (3, True, 3), (0, True, 0), (0, False, 3)],
)
def test_an_hour_counts_when_it_has_ended(created, future_zero, kept):
    layout = replace(LAYOUTS["52005"], future_zero=future_zero)
    at = None if created is None else datetime.fromtimestamp(START + HOUR * created, UTC)
    made = draft(column(0, 1, 2, values=["0", "0", "0"]), layout=layout, header=Header(created=at))
    series = assemble.assemble(made)
    assert [len(one.values) for one in series] == ([kept] if kept else [])
    assert [one.code for one in made.findings] == ([] if kept else [Code.NOTHING_TO_RECORD])


def test_only_what_was_wrong_or_nothing_at_all_is_told_as_nothing():
    made = draft()
    assert assemble.assemble(made) == ()
    assert [one.code for one in made.findings] == [Code.NOTHING_TO_RECORD]
    made = draft()
    made.findings.add(finding(Code.SKIPPED_ELEMENT))
    assemble.assemble(made)
    assert [one.code for one in made.findings] == [Code.SKIPPED_ELEMENT, Code.NOTHING_TO_RECORD]


def test_a_value_without_a_time_is_looked_at_for_its_sign():
    values = ["-1", "-2", "0", "x", "3", "-4"]
    made = draft(column(None, 0, None, None, 1, None, values=values))
    assert assemble.assemble(made) == ()
    assert told(made) == [
        (Code.INVALID_NUMBER, 103, 1), (Code.NEGATIVE_VALUE, 100, 1), (Code.NEGATIVE_VALUE, 105, 1)
    ]  # fmt: skip
    (series,) = made.spoilt
    assert list(series.values) == [-2_000_000, 3_000_000]
    ends = column(0, 1, ends=[START + HOUR, None], values=["1", "-1"])
    made = draft(ends)
    assert assemble.assemble(made) == ()
    assert told(made) == [(Code.NEGATIVE_VALUE, 101, 1)]
    assert [list(one.values) for one in made.spoilt] == [[1_000_000]]


def test_a_finding_says_what_it_is_about():
    made = draft(column(0, 1, 2, values=["1", "?", "3"], area="7"))
    assemble.assemble(made)
    (found,) = made.findings
    assert (found.area, found.point, found.channel, found.seen) == ("7", "1", "A+", "?")
    assert [found.start.timestamp(), found.end.timestamp()] == hours(1, 2)
    made = draft(column(0, values=["?"], named=False))
    assemble.assemble(made)
    assert [one.point for one in made.findings] == [None]


@pytest.mark.parametrize(
    ("at", "ends", "spans", "step"),
    [
        ((0, 1, 2), None, None, 60), ((0, 1, 2), (1, 2, 3), None, 60), ((0,), (3,), None, 180),
        ((0, 2), None, [(0, 1), (2, 3)], 60), ((1, 0), None, [(1, 2), (0, 1)], 60),
        ((0, 0), None, [(0, 1), (0, 1)], 60), ((0, 2, 4), (2, 4, 6), None, 120),
        ((0, 2, 4), (2, 4, 5), [(0, 2), (2, 4), (4, 5)], 120),
        ((0, 1, 2), (2, 2, 3), [(0, 2), (1, 2), (2, 3)], 60),
        ((0, 1, 2), (1, 2, 4), [(0, 1), (1, 2), (2, 4)], 60),
    ],
)  # fmt: skip
def test_spans_are_kept_where_hours_do_not_follow_one_another(at, ends, spans, step):
    made = draft(column(*at, ends=ends and hours(*ends)))
    (series,) = assemble.assemble(made)
    assert series.step_minutes == step
    assert series.start.timestamp() == START + HOUR * min(at)
    assert series.spans == (spans and [tuple(hours(*span)) for span in spans])


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [("MWh", "0.000001", 1), ("MWh", "0.0000001", None), ("kWh", "0.001", 1),
     ("kWh", "0.0001", None),
     ("Wh", "1", 1), ("Wh", "0.1", None)],
)  # fmt: skip
def test_a_document_s_own_unit_allows_as_many_decimals_as_make_a_watt_hour(unit, text, value):
    for texts in ([text], [f"+{text}"]):
        made = draft(column(0, values=texts), unit=unit)
        series = assemble.assemble(made)
        assert [list(one.values) for one in series] == ([[value]] if value else [])
    assert assemble._decimals(LAYOUTS["80020"], 0) == 0
    assert assemble._decimals(LAYOUTS["80020"], 6) == 3


@pytest.mark.parametrize(("sheet", "code"), [("Лист", None), (None, Code.INVALID_NUMBER)])
def test_an_exponent_is_a_workbook_s_way_of_writing(sheet, code):
    for made in (draft(column(0, values=["1e-3"]), sheet=sheet),
                 draft(number="52006", sheet=sheet, readings=[reading("1e3")])):  # fmt: skip
        series = assemble.assemble(made)
        assert [one.code for one in made.findings] == ([code] if code else [])
        assert len(series) == (0 if code else 1)


# Readings.


def reading(value, **about) -> Reading:
    facts = {"point": "1", "meter": "7", "channel": "A+", "zone": "T1", "instant": START,
             "value": value, "place": 5} | about  # fmt: skip
    return Reading(**facts)


@pytest.mark.parametrize(
    ("value", "code", "number"),
    [("12,5", Code.DECIMAL_COMMA, "12.5"), ("12.5", None, "12.5"), ("", Code.MISSING_FIELD, None),
     ("?", Code.INVALID_NUMBER, None), ("1" * 13, Code.TOO_MANY_DIGITS, None),
     ("0.0000001", Code.TOO_MANY_DECIMALS, None), ("1" * 12, None, "1" * 12)],
)  # fmt: skip
def test_a_reading_is_the_number_on_the_face(value, code, number):
    made = draft(number="52006", readings=[reading(value)])
    series = assemble.assemble(made)
    assert [str(one.reading) for one in series] == ([number] if number else [])
    assert [one.values for one in made.spoilt] == ([] if number else [()])
    assert [one.code for one in made.findings] == ([code] if code else [])
    for one in made.findings:
        assert (one.place.line, one.seen) == (5, value)
        assert (one.point, one.meter, one.channel, one.zone) == ("1", "7", "A+", "T1")
        assert one.start.timestamp() == START


@pytest.mark.parametrize("lacks", ["instant", "zone", None])
def test_a_reading_without_its_time_or_zone_is_spoilt(lacks):
    made = draft(number="52006", readings=[reading("5", **({lacks: None} if lacks else {}))])
    series = assemble.assemble(made)
    (one,) = made.spoilt if lacks else series
    assert (len(series), len(made.spoilt)) == ((0, 1) if lacks else (1, 0))
    assert one.start == (UNDATED if lacks == "instant" else datetime.fromtimestamp(START, UTC))
    assert (one.values, one.zone) == ((Decimal(5),), None if lacks == "zone" else "T1")


@pytest.mark.parametrize(
    ("unit", "own", "number", "power"),
    [("kWh", None, "5", 0), ("MWh", None, "5000", 3), ("Wh", None, "0.005", -3),
     ("kWh", "MWh", "5000", 3), ("MWh", "kWh", "5", 0)],
)  # fmt: skip
def test_a_reading_is_in_the_unit_of_its_column_or_of_the_document(unit, own, number, power):
    made = draft(number="52006", unit=unit, readings=[reading("5", unit=own, dated=9)])
    (series,) = assemble.assemble(made)
    assert (str(series.reading), series.power, series.places.dated) == (number, power, 9)


# The order of findings.


def test_findings_stand_in_the_order_of_their_places():
    places = [
        Place(sheet="1"), Place(sheet="1", cell="B2"), Place(sheet="1", cell="AA2"),
        Place(sheet="1", cell="A3"), Place(sheet="1", cell="A10"),
    ]  # fmt: skip
    lines = [Place(line=2), Place(line=10), NOWHERE]
    for wanted in (places, lines):
        made = draft()
        for place in wanted[::-1]:
            made.findings.add(finding(Code.INVALID_NUMBER, place))
        about = Parsed(name="x", sha256="", size=0, container=None,
                       findings=(finding(Code.ENCODING_GUESSED),))  # fmt: skip
        first, *found = finished(made, about, ()).findings
        assert first.code is Code.ENCODING_GUESSED
        assert [one.place for one in found] == wanted
