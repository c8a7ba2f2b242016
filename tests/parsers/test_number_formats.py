"""What a cell's number is shown as."""

from datetime import datetime, time, timedelta

import pytest

from parsers.grid import EPOCH_1900, EPOCH_1904
from parsers.number_formats import (
    BLACK,
    BUILT_IN,
    GENERAL,
    WHITE,
    Font,
    NumberFormat,
    Shape,
    cell_styles,
    number,
    number_format,
    read_text,
    typed,
)


def day(*parts):
    return datetime(*parts)  # noqa: DTZ001 - a workbook knows no zones


@pytest.mark.parametrize(
    ("code", "shape"),
    [
        ("General", Shape.NUMBER), ("Основной", Shape.NUMBER), ("0.00", Shape.NUMBER),
        ("# ##0,00", Shape.NUMBER), ("0%", Shape.PERCENT), ("dd.mm.yyyy", Shape.DATE),
        ("mmmm", Shape.DATE), ("yyyy", Shape.DATE), ("d", Shape.DATE), ("hh:mm", Shape.TIME),
        ("mm:ss", Shape.TIME), ("[h]:mm", Shape.ELAPSED), ("[mm]:ss", Shape.ELAPSED),
        ("[s]", Shape.ELAPSED), ('0.00"ч"', Shape.NUMBER), ('"day" 0', Shape.NUMBER),
        ("[Red]0", Shape.NUMBER), (r"0\d", Shape.NUMBER), ("0_d", Shape.NUMBER),
        ("0*d", Shape.NUMBER),
        ("0;dd", Shape.NUMBER), ("[$-419]d mmm;@", Shape.DATE), ("0", Shape.NUMBER),
        ("", Shape.NUMBER),
        (";0", Shape.UNSEEN), ("0;", Shape.NUMBER), ("0;;", Shape.NUMBER), (";;", Shape.UNSEEN),
        (";", Shape.UNSEEN), (";;;", Shape.BLANK), (" ; ; ; ", Shape.BLANK), (";;;@", Shape.UNSEEN),
        ("00", Shape.ZEROS), ("0" * 254 + "d", Shape.DATE), ("0" * 255 + "d", Shape.NUMBER),
    ],
)  # fmt: skip
def test_a_format_is_known_by_its_signs(code, shape):
    assert number_format(code).shape is shape


@pytest.mark.parametrize(("zeros", "digits"), [(2, 2), (12, 12), (255, 255), (256, 255)])
def test_zeros_alone_are_a_code_of_that_length(zeros, digits):
    assert number_format("0" * zeros).digits == digits


def test_built_in_formats_are_those_of_the_standard():
    found = {shape: {n for n, form in BUILT_IN.items() if form.shape is shape} for shape in Shape}
    assert found == {
        Shape.NUMBER: set(), Shape.ZEROS: set(), Shape.UNSEEN: set(), Shape.BLANK: set(),
        Shape.PERCENT: {9, 10}, Shape.ELAPSED: {46},
        Shape.TIME: {18, 19, 20, 21, 32, 33, 34, 35, 45, 47},
        Shape.DATE: {14, 15, 16, 17, 22, *range(27, 32), 36, *range(50, 59)},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("value", "shape", "cell"),
    [
        (7.0, Shape.NUMBER, 7), (7.5, Shape.NUMBER, 7.5), (0.25, Shape.PERCENT, 0.25),
        (46327.0, Shape.DATE, day(2026, 11, 1)), (46327.5, Shape.DATE, day(2026, 11, 1, 12)),
        (1.0, Shape.DATE, day(1899, 12, 31)), (0.5, Shape.DATE, time(12)),
        (0.0, Shape.DATE, time(0)),
        (46327.75, Shape.TIME, time(18)), (0.75, Shape.TIME, time(18)),
        (0.25 + 61 / 86_400, Shape.TIME, time(6, 1, 1)), (0.5 - 1 / 86_400, Shape.TIME,
         time(11, 59, 59)),
        (0.999999, Shape.TIME, time(0)), (1.25, Shape.ELAPSED, timedelta(hours=30)),
        (-1.0, Shape.DATE, -1), (2_900_000.0, Shape.DATE, 2_900_000),
        (2_899_999.0, Shape.DATE, EPOCH_1900 + timedelta(days=2_899_999)),
        (3_000_000.0, Shape.ELAPSED, 3_000_000), (-0.5, Shape.ELAPSED, -0.5),
        (42.0, Shape.ZEROS, "0042"), (12345.0, Shape.ZEROS, "12345"), (4.5, Shape.ZEROS, 4.5),
        (-4.0, Shape.ZEROS, -4), (0.0, Shape.ZEROS, "0000"), (float("inf"), Shape.DATE, "inf"),
        (float("nan"), Shape.NUMBER, "nan"),
    ],
)  # fmt: skip
def test_a_number_is_what_its_format_shows(value, shape, cell):
    found = typed(value, NumberFormat(shape, 4), EPOCH_1900)
    assert (found, type(found)) == (cell, type(cell))


def test_a_date_counts_from_its_workbook_s_first_day():
    assert typed(44865.0, NumberFormat(Shape.DATE), EPOCH_1904) == day(2026, 11, 1)


@pytest.mark.parametrize(
    ("text", "cell"),
    [("7", 7), ("7.0", 7), ("7.5", 7.5), ("1e3", 1000), ("", ""), ("x", "x"), ("1_000", "1_000"),
     ("inf", "inf"), ("nan", "nan"), ("-3", -3)],
)  # fmt: skip
def test_a_text_that_is_a_number_is_one(text, cell):
    assert read_text(text) == cell


@pytest.mark.parametrize(
    ("value", "whole"), [(1e15 - 1, True), (1e15, False), (1 - 1e15, True), (-1e15, False)]
)
def test_whole_numbers_have_fifteen_digits(value, whole):
    assert isinstance(number(value), int) is whole


def test_a_style_is_struck_by_the_font_that_it_names():
    looks = [(0, 0), (1, 0), (2, 0), (-1, 0)]
    struck, other = Font(is_struck=True), Font()
    assert cell_styles([GENERAL] * 4, looks, [struck, other], [WHITE]).struck == {0}
    assert cell_styles([GENERAL] * 4, looks, [other, struck], [WHITE]).struck == {1}


def test_a_style_shows_nothing_by_a_font_of_its_fill_or_a_format_of_no_parts():
    fonts, fills = [Font(), Font(colour=WHITE)], [WHITE, BLACK]
    looks = [(0, 0), (1, 0), (0, 1), (1, 1), (1, 9), (9, 9)]
    assert cell_styles([GENERAL] * 6, looks, fonts, fills).veiled == {1, 2, 4}
    assert cell_styles([GENERAL], [(0, 0)], [Font(colour=WHITE)], [BLACK]).veiled == set()
    forms = [number_format(";;;"), number_format(";;;@"), number_format("0;-0;;@")]
    assert cell_styles(forms, [(0, 0)] * 3, fonts, fills).veiled == {0}
