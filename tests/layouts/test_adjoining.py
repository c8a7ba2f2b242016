"""Runs of one finding told as one."""

from datetime import timedelta

from layouts.adjoining import merge_adjoining
from layouts.findings import Code, Place, finding
from tests.layouts.rules.build import DAY


def at(hour, code=Code.NEGATIVE_VALUE, **about):
    start = DAY + timedelta(hours=hour)
    place = Place(line=10 + hour)
    about = {"point": "P1", "channel": "A+", **about}
    return finding(code, place, start=start, end=start + timedelta(hours=1), **about)


def test_adjoining_intervals_become_one_range_with_the_first_place():
    (told,) = merge_adjoining([at(3), at(4), at(5), at(6)])
    assert (told.count, told.place.line) == (4, 13)
    assert (told.start, told.end) == (DAY + timedelta(hours=3), DAY + timedelta(hours=7))


def test_a_gap_another_channel_or_another_code_begins_a_new_range():
    told = merge_adjoining([at(1), at(3), at(4, channel="R+"), at(4, code=Code.OVERLAP)])
    assert [item.count for item in told] == [1, 1, 1, 1]


def test_two_channels_told_in_turns_give_one_range_each():
    told = merge_adjoining([at(1), at(1, channel="R+"), at(2), at(2, channel="R+")])
    assert [(item.channel, item.count) for item in told] == [("A+", 2), ("R+", 2)]


def test_findings_of_one_instant_or_of_no_time_stay_apart():
    instant = finding(Code.READING_WENT_BACK, point="P1", start=DAY, end=DAY)
    bare = finding(Code.INVALID_NUMBER, point="P1")
    assert len(merge_adjoining([instant, instant, bare, bare])) == 4


def test_values_that_cannot_be_read_keep_each_its_own_place_and_text():
    texts = ("abc", "12Ы", "12Ы")
    told = merge_adjoining(
        at(3 + n, Code.INVALID_NUMBER, seen=text) for n, text in enumerate(texts)
    )
    assert [(item.place.line, item.seen) for item in told] == [
        (13, "abc"),
        (14, "12Ы"),
        (15, "12Ы"),
    ]
