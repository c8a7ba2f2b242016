"""What a finding tells can be shown, stored and sent, whatever was found."""

import pytest

from layouts.findings import SEEN_MOST, Code, Findings, Place, finding, printable


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x07", "\u202e", "\u200b", "\ud800", "\uffff"])
def test_a_sign_that_is_invisible_or_steers_is_shown_as_one(sign):
    assert printable(f"12{sign}3") == "12\ufffd3"
    found = finding(
        Code.INVALID_NUMBER, Place(sheet=f"a{sign}"), seen=f"1{sign}", point=f"p{sign}", field=sign
    )
    told = (found.seen, found.point, found.place.sheet, found.detail["field"])
    assert told == ("1\ufffd", "p\ufffd", "a\ufffd", "\ufffd")


def test_blanks_are_ordinary_ones_and_letters_stay():
    assert printable("1\u00a0234,5\tкВт·ч\n№ 7") == "1 234,5 кВт·ч № 7"


def test_what_was_seen_is_cut():
    assert len(finding(Code.INVALID_NUMBER, seen="9" * 100_000).seen) == SEEN_MOST


@pytest.mark.parametrize("code", [Code.INVALID_NUMBER, Code.TOTAL_DIFFERS])
def test_what_is_not_kept_is_counted(code):
    found, kept = Findings(), 1000 if code is Code.INVALID_NUMBER else 100
    found.extend([finding(code)] * 1500)
    *first, last = found
    assert (len(first), last.detail) == (kept - 1, {"more": str(1500 - kept)})
    assert found.is_counted(code)
    assert found.total == 1501
