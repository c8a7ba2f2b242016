"""What stands above a table and is meant for all of its rows: keys, zones, days of readings."""

import pytest

from layouts.findings import Code
from tests.parsers.sheets.test_as_filled_in import (
    DATED,
    HEAD,
    HOURS,
    POINT,
    SINGLES,
    M,
    N,
    read,
    told,
    values,
)

LIST = ["№ счётчика", "Показание"]
DAY_ROWS = [["Дата", *SINGLES], ["01.11.2026", *[0.5] * 24]]


def owners(parsed) -> set[tuple[str | None, str]]:
    return {(one.point, one.channel) for one in parsed.series}


@pytest.mark.parametrize(
    ("stated", "point", "channel"),
    [
        (["Точка учёта", POINT], POINT, "A+"),
        ([f"Точка учёта: {POINT}"], POINT, "A+"),
        ([f"Точка учёта {POINT}", "", "Ввод 1, ТП-12"], POINT, "A+"),
        (["Код точки учёта:", POINT, "", "Канал:", "R+"], POINT, "R+"),
        (["Канал", "R+"], "200000001234", "R+"),
        (["Вид энергии: реактивная"], "200000001234", "R+"),
        # Nobody's code, which the rules refuse: it is not the enterprise as a whole.
        (["Точка учёта", "Насосная"], "Насосная", "A+"),
    ],
)
def test_hours_are_of_the_point_and_channel_above_their_table(stated, point, channel):
    parsed = read([*HOURS, stated, *DAY_ROWS])
    assert owners(parsed) == {(point, channel)}
    assert values(parsed) == f"{channel} 24 12"


@pytest.mark.parametrize("between", [[], [[]], [[], ["", "Часы суток"]]])
def test_each_table_of_hours_has_the_point_nearest_above_it(between):
    other = f"{POINT[:-1]}2"
    rows = [["Точка учёта", POINT], *DAY_ROWS, [], ["Точка учёта", other], *between, *DAY_ROWS]
    assert owners(read([*HOURS, *rows])) == {(POINT, "A+"), (other, "A+")}


def test_two_points_above_one_table_are_not_decided():
    parsed = read([*HOURS, ["Точка учёта", POINT], ["Точка учёта", f"{POINT[:-1]}2"], *DAY_ROWS])
    assert (Code.AMBIGUOUS_COLUMN, "B6") in told(parsed)


@pytest.mark.parametrize(
    ("rows", "meant"),
    [
        ([["№ счётчика", M], ["Зона", "Показание"], ["T1", 1], ["T2", 2]],
         f"{M} A+ T1 1, {M} A+ T2 2"),
        ([["Счётчик № " + M], ["Канал", "Показание"], ["A+", 1], ["R+", 2]],
         f"{M} A+ T0 1, {M} R+ T0 2"),
        ([["Прибор учёта:", M], ["Тариф", "Было", "Стало"], ["Всего", 1, 2]], f"{M} A+ T0 2"),
        ([["Зона", "T2"], LIST, [M, 1]], f"{M} A+ T2 1"),
        ([["Ночной тариф"], LIST, [M, 1]], f"{M} A+ T2 1"),
        # No group of columns.
        ([["Реактивная энергия"], ["№ ПУ", "№", "Показание"], [M, 1, 5], [N, 2, 6]],
         f"{M} R+ T0 5, {N} R+ T0 6"),
        # No upper row of labels.
        ([["Телефон", "8 (4922) 53-12-34"], ["T1", "T2", "№ ПУ"], [1, 2, M]],
         f"{M} A+ T1 1, {M} A+ T2 2"),
        # Each meter is written once, in the first of its rows.
        ([["№ счётчика", "Зона", "Показание"], [M, "T1", 1], ["", "T2", 2], [N, "T1", 3],
          ["", "T2", 4]], f"{M} A+ T1 1, {M} A+ T2 2, {N} A+ T1 3, {N} A+ T2 4"),
    ],
)  # fmt: skip
def test_readings_are_of_the_meter_and_zone_above_them(rows, meant):
    parsed = read([*DATED, *rows])
    assert parsed.findings == ()
    assert values(parsed) == meant


@pytest.mark.parametrize(
    ("rows", "code", "cell"),
    [
        # The same zone again is another meter's, whose number is missing.
        ([["№ счётчика", "Зона", "Показание"], [M, "T1", 1], ["", "T1", 2]],
         Code.MISSING_FIELD, "A7"),
        ([["№ счётчика", "Зона", "Показание"], [M, "T1", 1], [], ["", "T2", 2]],
         Code.MISSING_FIELD, "A8"),
        ([["№ счётчика", "Зона", "Показание"], [M, "T1", 1], ["", "T2", "н/д"]],
         Code.INVALID_NUMBER, "C7"),
        ([["№ счётчика", M], ["Зона", "Показание"], ["T1", 1], ["T2", "н/д"]],
         Code.INVALID_NUMBER, "B8"),
        ([["№ счётчика", M], ["Зона", "Показание", "", "Показание"], ["T1", 1, "", 2]],
         Code.AMBIGUOUS_COLUMN, "B6"),
    ],
)  # fmt: skip
def test_what_stands_above_is_no_guess(rows, code, cell):
    parsed = read([*DATED, *rows])
    assert (code, cell) in told(parsed)


@pytest.mark.parametrize(
    "title",
    [
        "Показания на 1 ноября 2026 г.",
        "Показания приборов учёта на 01.11.2026",
        "Ведомость показаний по состоянию на 01.11.2026 г.",
        "Акт снятия показаний на 31.10.2026 24:00",
    ],
)
def test_a_title_that_says_of_which_day_the_readings_are_is_read(title):
    parsed = read([*HEAD, [title], ["ООО «Пример»", "", "05.11.2026"], LIST, [M, 1]])
    assert parsed.findings == ()
    assert {f"{one.start:%d.%m.%Y %H}" for one in parsed.series} == {"31.10.2026 21"}


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        # Of the paper; of the other reading; another one than the header block's.
        ([["Акт снятия показаний от 05.11.2026"]], Code.MISSING_FIELD),
        ([["Предыдущие показания на 01.10.2026"]], Code.MISSING_FIELD),
        ([["Дата показаний", "02.11.2026"], ["Показания на 01.11.2026"]], Code.AMBIGUOUS_COLUMN),
    ],
)
def test_a_title_with_another_day_is_not_that_of_the_readings(rows, code):
    parsed = read([*HEAD, *rows, LIST, [M, 1]])
    assert code in {found.code for found in parsed.findings if found.is_error}
