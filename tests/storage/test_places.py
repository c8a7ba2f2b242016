"""Places of values in a few numbers a span, whole and one by one."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.document import Places, Series
from layouts.findings import Place
from layouts.terms import Kind
from storage.readings.places import carried, packed, place_at, unpacked

START = datetime(2026, 11, 1, tzinfo=UTC)
FIRST = int(START.timestamp())


def series(at, *, spans=None, sheet=None):
    return Series(
        Kind.INTERVAL,
        None,
        "P",
        None,
        "A+",
        None,
        START,
        60,
        list(range(len(at))),
        spans,
        places=Places(sheet, at),
    )


def test_a_month_of_lines_is_one_run():
    assert packed(Places(None, range(3, 747))) == "[null,[3,1,744]]"


def test_cells_say_their_sheet():
    cells = Places("Лист1", [Places.cell_at(14, column) for column in (3, 4, 5)])

    text = packed(cells)

    assert text == '["Лист1",[229378,1,3]]'
    assert place_at(text, 2) == Place(sheet="Лист1", cell="E14")


@pytest.mark.parametrize("sheet", [None, "1 \ud800"])
@given(at=st.lists(st.integers(1, 10**9)))
def test_every_place_comes_back(sheet, at):
    text = packed(Places(sheet, at))

    assert list(unpacked(text).at) == at
    whole = unpacked(text)
    assert [place_at(text, index) for index in range(len(at))] == [
        whole.place(index) for index in range(len(at))
    ]


def test_places_follow_time_where_the_document_does_not():
    spans = [(FIRST + 7200, FIRST + 10800), (FIRST, FIRST + 3600), (FIRST + 3600, FIRST + 7200)]

    assert carried(series([5, 8, 9], spans=spans)) == [
        (FIRST, FIRST + 10800, "[null,[8,1,2],[5,0,1]]")
    ]


def test_each_stretch_without_a_gap_is_a_span_with_its_own_places():
    spans = [(FIRST, FIRST + 3600), (FIRST + 7200, FIRST + 10800)]

    assert carried(series([5, 6], spans=spans)) == [
        (FIRST, FIRST + 3600, "[null,[5,0,1]]"),
        (FIRST + 7200, FIRST + 10800, "[null,[6,0,1]]"),
    ]


def test_what_the_reader_did_not_tell_is_not_known():
    assert packed(None) is None
    assert unpacked(None) is None
    assert place_at(None, 3) == Place()
    assert place_at("[null,[5,0,1]]", 7) == Place()
