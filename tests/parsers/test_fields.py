"""One text or cell to a number, a code, a day, a month, an hour, a unit: each form at its edge."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest

from layouts.findings import Code
from parsers.fields import (
    CODE_LENGTH,
    Fault,
    Number,
    energies_at_once,
    energy,
    fitting,
    is_blank,
    is_zero,
    label,
    mended_code,
    month_number,
    names_unit,
    read_code,
    read_hour,
    read_moment,
    read_month,
    read_number,
    read_unit,
    shown,
)
from parsers.grid import EPOCH_1904, ErrorCell, StruckCell, Uncounted


def day(*parts):
    return datetime(*parts)  # noqa: DTZ001 - local, as written


def code_of(result):
    return result.code if isinstance(result, Fault) else result


NO_NUMBER, NO_CODE, NO_DATE = Code.INVALID_NUMBER, Code.INVALID_CODE, Code.INVALID_DATE
UNCOUNTED = Code.FORMULA_WITHOUT_VALUE


@pytest.mark.parametrize(
    ("cell", "value", "comma"),
    [
        (7, "7", False), (7.25, "7.25", False), (0.1 + 0.2, "0.3", False), ("7", "7", False),
        ("7,5", "7.5", True), ("+7.5", "7.5", False), ("−7", "-7", False), ("'7", "7", False),
        (" 7 ", "7", False), ("1 234 567,8", "1234567.8", True), ("1\u00a0234", "1234", False),
        ("7.", "7", False), (".5", "0.5", False), ("1e5", "100000", False),
        ("1.5E+3", "1500", False), ("1e19", "1" + 19 * "0", False),
        ("1e99", "1" + 99 * "0", False), ("1,50e1", "15.0", True), ("1e-5", "0.00001", False),
        ("9" * 500, "9" * 500, False), ("0." + "1" * 500, "0." + "1" * 500, False),
    ],
)  # fmt: skip
def test_a_number_is_read_exactly(cell, value, comma):
    number = read_number(cell)
    assert (str(number.value), number.comma) == (value, comma)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (True, NO_NUMBER), (None, NO_NUMBER), ("", NO_NUMBER), ("7x", NO_NUMBER),
        ("1 23", NO_NUMBER), ("1234 567", NO_NUMBER), ("1 234\n567", NO_NUMBER),
        ("1.2.3", NO_NUMBER), ("٧", NO_NUMBER), ("9" * 501, NO_NUMBER),
        ("0." + "1" * 501, NO_NUMBER), ("1e100", NO_NUMBER), (float("inf"), NO_NUMBER),
        (float("nan"), NO_NUMBER), (Uncounted("=A1"), UNCOUNTED), (StruckCell(7), NO_NUMBER),
        (ErrorCell("#N/A"), NO_NUMBER), (day(2026, 1, 1), NO_NUMBER),
    ],
)  # fmt: skip
def test_what_is_no_number_is_told(cell, code):
    assert code_of(read_number(cell)) is code


def test_a_struck_number_is_told_as_such_and_an_exponent_is_a_workbook_s():
    assert read_number(StruckCell(7)).about() == {"reason": "struck"}
    assert code_of(read_number("1e3", exponents=False)) is NO_NUMBER
    assert read_number("1000", exponents=False) == Number(Decimal(1000))
    assert code_of(read_number("1E3", exponents=False)) is NO_NUMBER
    assert read_number("+1,5", exponents=False) == Number(Decimal("1.5"), comma=True)


@pytest.mark.parametrize(
    ("fault", "about"),
    [
        (Fault(NO_DATE), {}), (Fault(NO_DATE, "x"), {"expected": "x"}),
        (Fault(NO_DATE, either="a or b"), {"reason": "day-or-month", "either": "a or b"}),
        (Fault(NO_DATE, "x", reason="y"), {"expected": "x", "reason": "y"}),
    ],
)  # fmt: skip
def test_a_fault_says_what_it_knows(fault, about):
    assert fault.about() == about


@pytest.mark.parametrize(
    ("cell", "zero"), [("0", True), ("0,00", True), (0.0, True), (1, False), ("", False)]
)
def test_zero_is_zero_however_it_is_written(cell, zero):
    assert is_zero(cell) is zero


@pytest.mark.parametrize(
    ("value", "whole", "decimals", "fault"),
    [
        ("999.99", 3, 2, None), ("1000", 3, 2, Code.TOO_MANY_DIGITS), ("0", 0, 0, None),
        ("0.000", 0, 2, None), ("9.991", 3, 2, Code.TOO_MANY_DECIMALS), ("9.990", 3, 2, None),
        ("-1000", 3, 2, Code.TOO_MANY_DIGITS), ("1E+3", 3, 2, Code.TOO_MANY_DIGITS),
        ("1E+2", 3, 2, None), ("0.1", 3, 0, Code.TOO_MANY_DECIMALS), ("5.0", 1, 0, None),
        ("0E+99", 0, 0, None), ("1." + "0" * 40 + "1", 3, 2, Code.TOO_MANY_DECIMALS),
        ("1." + "0" * 40, 3, 0, None), ("0.01", 3, 2, None), ("1E-3", 3, 2, Code.TOO_MANY_DECIMALS),
    ],
)  # fmt: skip
def test_a_number_fits_by_its_places_before_and_behind_the_point(value, whole, decimals, fault):
    assert code_of(fitting(Decimal(value), whole, decimals)) is fault


@pytest.mark.parametrize(
    ("value", "power", "decimals", "energy_"),
    [
        ("1.5", 3, 3, 1500), ("0.001", 3, 3, 1), ("0.0001", 3, 3, Code.TOO_MANY_DECIMALS),
        ("999999999999", 3, 3, 999_999_999_999_000), ("1000000000000", 3, 3, Code.TOO_MANY_DIGITS),
        ("999999999", 6, 6, 999_999_999_000_000), ("1000000000", 6, 6, Code.TOO_MANY_DIGITS),
        ("-2", 6, 6, -2_000_000),
    ],
)  # fmt: skip
def test_energy_is_whole_watt_hours_of_fifteen_digits(value, power, decimals, energy_):
    assert code_of(energy(Decimal(value), power, decimals)) == energy_
    at_once = energies_at_once([value], power, decimals)
    assert at_once == (None if isinstance(energy_, Code) else [energy_])


@pytest.mark.parametrize(
    ("texts", "power", "found"),
    [
        (["1", "2"], 3, [1000, 2000]), (["1.5", "2.25"], 3, [1500, 2250]),
        (["1.5", "2.5"], 3, [1500, 2500]), (["1.125", "2.250"], 3, [1125, 2250]),
        (["-1.5", "2.0"], 3, [-1500, 2000]), (["1", "2.5"], 3, [1000, 2500]), (["1\n2"], 3, None),
        (["1", None], 3, None), (["1", ""], 3, None), (["1", "2,5"], 3, None),
        (["1.5000"], 3, None), (["+1"], 3, None), (["1.5\n2.5"], 3, None), (["1\n2.5"], 3, None),
        (["1.5", "2\n3"], 3, None), (["1.5", "22.5", "-0.25"], 3, [1500, 22500, -250]),
        ([], 3, None), (["-"], 3, None), (["9" * 13], 3, None),
        (["9" * 12], 3, [999_999_999_999_000]),
    ],
)  # fmt: skip
def test_a_column_of_plain_numbers_is_read_at_once_or_not_at_all(texts, power, found):
    assert energies_at_once(texts, power, 3) == found


def test_a_column_of_whole_numbers_has_no_decimals():
    assert energies_at_once(["1", "2"], 3, 0) == [1000, 2000]
    assert energies_at_once(["1", "2.0"], 3, 0) is None


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (0, "0"), (42, "42"), (-1, NO_CODE), (42.0, "42"), (42.5, NO_CODE), (-1.0, NO_CODE),
        (0.0, "0"), (999_999_999_999_999.0, "9" * 15), (1e15, NO_CODE), (True, NO_CODE),
        (None, None), ("", None), (" ", None), ("'0042", "0042"), (" 00 42 ", "00 42"),
        ("x" * CODE_LENGTH, "x" * CODE_LENGTH), ("x" * (CODE_LENGTH + 1), NO_CODE),
        ("a\x07", NO_CODE), (Uncounted("=A1"), UNCOUNTED), (day(2026, 1, 1), NO_CODE),
        ("12–3", "12-3"),
    ],
)  # fmt: skip
def test_a_code_is_a_text_or_a_whole_number(cell, code):
    assert code_of(read_code(cell)) == code


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("42.0", "42"), ("42,00", "42"), ("42.01", "42.01"), ("007.0", "007"),
        ("2.00000001234E+11", "200000001234"), ("2,00000001234E+11", "200000001234"),
        ("1.5e1", "15"), ("1.5e2", NO_CODE), ("1E+5", NO_CODE), ("7e0", "7"), ("A1", "A1"),
        (None, None), (-1, NO_CODE), ("x" * 65, NO_CODE), (42.0, "42"),
        ("1.50e1", "15"), ("1.55e1", NO_CODE),
    ],
)  # fmt: skip
def test_a_code_that_a_workbook_wrote_as_a_number_is_mended_while_it_is_whole(cell, code):
    assert code_of(mended_code(cell)) == code


@pytest.mark.parametrize(
    ("cell", "moment"),
    [
        ("01.11.2026", day(2026, 11, 1)), ("1/11/26", day(2026, 11, 1)),
        ("1.1.00", day(2000, 1, 1)),
        ("1.1.99", day(2099, 1, 1)), ("2026-11-01", day(2026, 11, 1)),
        ("20261101", day(2026, 11, 1)),
        ("1 ноября 2026 г.", day(2026, 11, 1)), ("«01» ноября 2026 года", day(2026, 11, 1)),
        ("01.11.2026 9:05", day(2026, 11, 1, 9, 5)),
        ("01.11.2026T09:05:07.0", day(2026, 11, 1, 9, 5, 7)),
        ("01.11.2026 24:00", day(2026, 11, 2)), ("31.12.2026 24:00:00", day(2027, 1, 1)),
        ("01.11.2026 24:01", NO_DATE), ("01.11.2026 24:00:01", NO_DATE),
        ("01.11.2026 9:60", NO_DATE),
        ("31.11.2026", NO_DATE), ("ноябрь 2026", NO_DATE), ("01.11", NO_DATE), ("", NO_DATE),
        ("01.01.1990", day(1990, 1, 1)), ("31.12.1989", NO_DATE),
        ("31.12.2100", day(2100, 12, 31)), ("01.01.2101", NO_DATE),
        (46327, day(2026, 11, 1)), (46327.5, day(2026, 11, 1, 12)), ("46327", day(2026, 11, 1)),
        (32874, day(1990, 1, 1)), (32873, NO_DATE), (20_000, NO_DATE), (73_415, day(2100, 12, 31)),
        (80_000, NO_DATE), ("4632", NO_DATE), ("463270", NO_DATE), (float("inf"), NO_DATE),
        (True, NO_DATE), (date(2026, 11, 1), day(2026, 11, 1)), (time(1), NO_DATE),
        ("На 01.11.2026", day(2026, 11, 1)), ("на 1 ноября 2026", day(2026, 11, 1)),
        ("наа 01.11.2026", NO_DATE), ("абвгд", NO_DATE), ("٤٦٣٢٧", NO_DATE), ("1.1.1", NO_DATE),
        (46327.75, day(2026, 11, 1, 18)), (46327.999999, day(2026, 11, 2)), (-1, NO_DATE),
        (float("nan"), NO_DATE), (1e9, NO_DATE), (1e300, NO_DATE), ("01.01.0026", NO_DATE),
        ("01.01.0100", NO_DATE), ("1 квартала 2026", NO_DATE), ("1.11.2026 г", day(2026, 11, 1)),
        (Uncounted("=A1"), UNCOUNTED),
    ],
)  # fmt: skip
def test_a_date_is_read_in_any_of_its_forms(cell, moment):
    assert code_of(read_moment(cell)) == moment


def test_a_serial_counts_from_its_workbook_s_first_day():
    assert read_moment(44865, EPOCH_1904) == day(2026, 11, 1)


@pytest.mark.parametrize(
    ("cell", "month"),
    [
        ("ноябрь 2026", date(2026, 11, 1)), ("11.2026", date(2026, 11, 1)),
        ("2026-11", date(2026, 11, 1)), ("202611", date(2026, 11, 1)),
        ("11/2026 г.", date(2026, 11, 1)), (11.2026, date(2026, 11, 1)), (1.199, date(1990, 1, 1)),
        (1.1989, NO_DATE), (12.21, date(2100, 12, 1)), (12.2101, NO_DATE), (13.2026, NO_DATE),
        (0.2026, NO_DATE), ("00.2026", NO_DATE), ("13.2026", NO_DATE), ("11.1989", NO_DATE),
        ("01.11.2026", date(2026, 11, 1)), (day(2026, 11, 30), date(2026, 11, 1)),
        ("ноябрь", NO_DATE), ("квартал 2026", NO_DATE), (46327.5, date(2026, 11, 1)),
        (2026.11, NO_DATE), (float("nan"), NO_DATE), ("1 ноября 2026", date(2026, 11, 1)),
    ],
)  # fmt: skip
def test_a_month_is_read_in_any_of_its_forms(cell, month):
    assert code_of(read_month(cell)) == month


def test_months_are_known_by_how_they_begin():
    words = ["январь", "февраля", "март", "апр", "мая", "июнь"]
    words += ["июля", "август", "сент", "октября", "ноябрь", "декабря"]
    assert [month_number(word) for word in words] == list(range(1, 13))
    assert month_number("квартал") is None


@pytest.mark.parametrize(
    ("cell", "hours"),
    [
        (0, (0, None)), (24, (24, None)), (25, None), (-1, None), (0.5, (12, None)),
        (1.0, (1, None)),
        (1 / 24, (1, None)), (0.51, None), (1.5, None), (True, None), (None, None),
        (timedelta(hours=24), (24, None)), (timedelta(hours=25), None), (time(5), (5, None)),
        (time(5, 1), None), (day(1899, 12, 31), (0, None)), ("5", (5, None)), ("05:00", (5, None)),
        ("5.00 ч.", (5, None)), ("час 5", (5, None)), ("5 час", (5, None)), ("5:30", None),
        ("0-1", (0, 1)), ("23:00-24:00", (23, 0)), ("с 1 до 2", (1, 2)), ("1–2 ч", (1, 2)),
        ("25", None), ("x", None),
    ],
)  # fmt: skip
def test_an_hour_is_read_in_any_of_its_forms(cell, hours):
    assert read_hour(cell) == hours


@pytest.mark.parametrize(
    ("cell", "unit"),
    [("кВт·ч", "kWh"), ("кВт*ч", "kWh"), ("МВт.ч", "MWh"), ("тыс. кВт·ч", "MWh"),
     ("кварч", "kvarh"),
     ("Втч", "Wh"), ("", NO_CODE), (7, NO_CODE), ("м3", NO_CODE)],
)  # fmt: skip
def test_a_unit_is_read_however_its_signs_are_written(cell, unit):
    assert code_of(read_unit(cell)) == unit
    assert names_unit(f"Показание, {cell}") is not isinstance(unit, Code)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""), (Uncounted("=A1  + 1"), "=A1 + 1"), (ErrorCell("#N/A"), "#N/A"),
        (StruckCell(7.5), "7.5"), (0.1 + 0.2, "0.3"), (1 / 3, "0.333333333333333"),
        (day(2026, 11, 1), "01.11.2026"), (day(2026, 11, 1, 9), "01.11.2026 09:00"),
        (date(2026, 11, 1), "01.11.2026"), ("a\u00a0 b\u200b", "a b"), (7, "7"),
    ],
)  # fmt: skip
def test_a_cell_is_shown_as_its_sender_sees_it(cell, text):
    assert shown(cell) == text


@pytest.mark.parametrize(
    ("cell", "blank"),
    [(None, True), ("", True), (" ", True), ("-", True), (" — ", True), ("'", True), ("0", False),
     ("--", False), (0, False), (".", False)],
)  # fmt: skip
def test_nothing_and_a_lone_dash_are_blank(cell, blank):
    assert is_blank(cell) is blank


@pytest.mark.parametrize(
    ("text", "same"),
    [("№ Счётчика:", "n счетчика"), ("  Пока-\nзание  ", "показание"), (7, ""), ("*Зона.", "зона"),
     ("Ё" * 300, "е" * 300), ("Ё" * 301, "е" * 301)],
)  # fmt: skip
def test_labels_are_compared_without_their_signs(text, same):
    assert label(text) == same
