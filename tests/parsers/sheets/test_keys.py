"""Keys of rows: ditto marks, numbers among words, meters that are written once."""

import pytest

from parsers.fields import shown
from parsers.grid import EPOCH_1900
from parsers.sheets.keys import Keys, has_digits, is_code, is_ditto, meter_number, point_code
from tests.parsers.sheets.made import sheet


@pytest.mark.parametrize(
    ("cell", "ditto"),
    [
        ('"', True), ('-"-', True), ("—//—", True), ("’’", True), (",,", True), ("||", True),
        ("То же", True), ("т о ж е.", True), ("ditto", True), ("же", False), ("-", False),
        ("", False), (None, False), (7, False), ('1"', False), ('"7"', False),
        ('"' + " " * 19, True), ('"' + " " * 20, False),
    ],
)  # fmt: skip
def test_a_ditto_mark_says_nothing_else(cell, ditto):
    assert is_ditto(cell) is ditto


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("07512345", "07512345"), ("7 512 345", "7512345"), ("75 12345", "75 12345"),
        ("Меркурий 230 №07512345", "07512345"), ("зав. № 07512345", "07512345"),
        ("заводской номер 0751-А", "0751-А"), ("N 0751", "0751"), ("зав. 0751", "0751"),
        ("№ 0751 № 0752", "№ 0751 № 0752"), ("№ 0751, 0752", "№ 0751, 0752"), ("№ АБВ", "№ АБВ"),
        ("№", "№"), ("пломба № 0751", "пломба № 0751"), ("договор №7", "договор №7"),
    ],
)  # fmt: skip
def test_the_number_of_a_meter_stands_among_its_words_or_is_left_as_it_is(text, number):
    assert meter_number(text) == number


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("200000001234 - 01", "200000001234-01"), ("200000001234 -01", "200000001234-01"),
        ("200 000 001 234", "200000001234"), ("2000 00", "2000 00"), ("ТП - 1", "ТП - 1"),
        ("а - б", "а - б"), (" - ", " - "),
    ],
)  # fmt: skip
def test_the_code_of_a_point_has_no_blanks_around_its_hyphens(text, code):
    assert point_code(text) == code


@pytest.mark.parametrize(
    ("cell", "digits", "code"),
    [
        ("0751", True, True), (751, True, True), ("СЕ-102", True, True), ("Иванов", False, False),
        ("", False, False), (None, False, False), ("01.11.2026", True, False),
        (EPOCH_1900, True, False), ("45000", True, True),
    ],
)  # fmt: skip
def test_a_code_has_digits_and_is_no_day(cell, digits, code):
    assert (has_digits(cell), is_code(cell)) == (digits, code or cell is EPOCH_1900)


def read(rows, columns, seen=None):
    made = sheet(rows)
    keys = Keys(made)
    found = []
    for row in seen or range(1, len(rows) + 1):
        keys.go_to(row, columns)
        found.append("/".join(shown(keys.at(column)) for column in columns.values()))
    assert keys.at(99) is None
    return found


METER_AND_ZONE = {"meter": 1, "zone": 2}


@pytest.mark.parametrize(
    ("rows", "keys"),
    [
        ([["7", "T1"], ["", "T2"], ["", "T3"]], ["7/T1", "7/T2", "7/T3"]),
        # The same zone again is another meter's.
        ([["7", "T1"], ["", "T2"], ["", "T2"]], ["7/T1", "7/T2", "/T2"]),
        ([["7", "T1"], ["", "T1"]], ["7/T1", "/T1"]),
        ([["7", "T1"], ["", ""]], ["7/T1", "/"]),
        ([["7", "T1"], ["8", "T1"], ["", "T2"]], ["7/T1", "8/T1", "8/T2"]),
        ([["7", "T2"], ["8", "T1"], ["", "T2"]], ["7/T2", "8/T1", "8/T2"]),
        ([["", "T1"], ["", "T2"]], ["/T1", "/T2"]),
        ([["7", "T1"], ['"', "T2"]], ["7/T1", "7/T2"]), ([['"', "T1"]], ['"/T1']),
        ([["7", "T1"], ['"', '"']], ["7/T1", "7/T1"]),
    ],
)  # fmt: skip
def test_a_meter_that_is_written_once_is_that_of_its_other_zones(rows, keys):
    assert read(rows, METER_AND_ZONE) == keys


def test_a_meter_goes_on_in_the_very_next_row_alone():
    rows = [["7", "T1"], [], ["", "T2"]]
    assert read(rows, METER_AND_ZONE, [1, 3]) == ["7/T1", "/T2"]
    assert read([["T1"], ["T2"]], {"zone": 1}) == ["T1", "T2"]
    assert read([["7"], [""]], {"meter": 1}) == ["7", ""]


def test_point_and_meter_go_on_together():
    columns = {"point": 1, "meter": 2, "channel": 3}
    rows = [["1", "7", "A+"], ["", "", "R+"], ["2", "", "A+"], ["", "", "R+"]]
    assert read(rows, columns) == ["1/7/A+", "1/7/R+", "2//A+", "2//R+"]
