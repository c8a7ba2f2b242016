"""Sheets as accountants fill them in: each is read as meant, or refused at its cell."""

from datetime import date, timedelta

import pytest

from layouts.document import Document, Parsed
from layouts.findings import Code, Severity
from layouts.layout import load
from layouts.terms import Kind
from parsers import parse
from tests.parsers.pages import WRITERS, Page, Value

LAYOUTS = load()
M, N = "07512345", "11223355"
POINT = "200000001234-01"
Rows = list[list[Value]]
HEAD: Rows = [["Макет", 52006], ["Код пользователя", "200000001234"]]
DATED: Rows = [*HEAD, ["Дата показаний", "01.11.2026"], []]
HOURS: Rows = [
    ["Макет", 52005],
    ["Код пользователя", "200000001234"],
    ["Месяц", "ноябрь 2026"],
    ["Единица", "кВт·ч"],
    [],
]
DAY: list[Value] = [date(2026, 11, 1)]
SINGLES: list[Value] = list(range(24))


def read(rows: Rows, merged: tuple[tuple[int, int, int, int], ...] = (), hidden=()) -> Parsed:
    cells = {
        (row, column): value
        for row, values in enumerate(rows, 1)
        for column, value in enumerate(values, 1)
        if value != ""
    }
    page = Page("Лист1", cells, list(merged), hidden_columns=set(hidden))
    (parsed,) = parse(Document("a.xlsx", WRITERS["xlsx"]([page])), LAYOUTS)
    return parsed


def values(parsed: Parsed) -> str:
    """`meter channel zone value`, or `channel hours kWh` of hours."""
    found = []
    for one in parsed.series:
        if one.kind is Kind.INTERVAL:
            found.append(f"{one.channel} {one.count} {one.total / 1000:g}")
        else:
            found.append(f"{one.meter} {one.channel} {one.zone} {one.reading.normalize():f}")
    return ", ".join(found)


def told(parsed: Parsed) -> set[tuple[Code, str | None]]:
    return {(f.code, f.place.cell) for f in parsed.findings if f.severity is Severity.ERROR}


@pytest.mark.parametrize(
    ("rows", "meant"),
    [
        ([["№ счётчика", "Показ. на начало", "Показ. на конец"], [M, 1, 2]], "A+ T0 2"),
        ([["№ счётчика", "на начало месяца", "на конец месяца"], [M, 1, 2]], "A+ T0 2"),
        ([["Прибор №", "01.10.2026", "01.11.2026"], [M, 1, 2]], "A+ T0 2"),
        ([["Прибор", date(2026, 10, 1), date(2026, 11, 1)], [M, 1, 2]], "A+ T0 2"),
        ([["Показания, МВт·ч"], ["№ счётчика", "Показание"], [M, 1.25]], "A+ T0 1250"),
        ([["№ счётчика", "Зона", "Показание"], [M, "1 (день)", 1]], "A+ T1 1"),
        ([["№ счётчика", "Зона", "Показание"], [M, "2 - ночь", 1]], "A+ T2 1"),
        (
            [["№ счётчика", "Активная энергия", "Реактивная энергия"], [M, 1, 2]],
            f"A+ T0 1, {M} R+ T0 2",
        ),
        ([["№ ПУ", "A+", "Реактивная энергия, квар·ч"], [M, 0, 2]], f"A+ T0 0, {M} R+ T0 2"),
        ([["№ ПУ", "Активная энергия, кВт·ч"], [M, 1]], "A+ T0 1"),
        ([["№ ПУ", "Активная энергия", "Показание"], [M, "A+", 1]], "A+ T0 1"),
        ([["№ ПУ", "Показания на 00:00 01.10.2026", "Показания на 00:00 01.11.2026"], [M, 1, 2]],
         "A+ T0 2"),
        ([["№ ПУ", "Показание на 24:00 31.10.2026"], [M, 2]], "A+ T0 2"),
        ([["№ ПУ", "Показание на 31.10.2026 24:00"], [M, 2]], "A+ T0 2"),
        ([["№ ПУ", "Актив (приём)", "Реактив (отдача)"], [M, 1, 2]], f"A+ T0 1, {M} R- T0 2"),
        ([["№ ПУ", "Т1", "Т2", "Сумма Т1+Т2"], [M, 1, 2, 3]],
         f"A+ T1 1, {M} A+ T2 2, {M} A+ T0 3"),
        ([["№ счётчика", "Показание"], [M, 1], [], ["Директор", "Иванов И. И."]], "A+ T0 1"),
        ([["№№", "№ ПУ", "Присоединение", "Примеч.", "Показание"], [1, M, "яч. 5", "слева", 1]],
         "A+ T0 1"),
        ([["№ ПУ", "Зона суток", "Показание"], [M, 1, 1], [M, 2, 2]], f"A+ T1 1, {M} A+ T2 2"),
        ([["№ ПУ", "Показания по зонам суток"], ["", "День", "Ночь"], [M, 1, 2]],
         f"A+ T1 1, {M} A+ T2 2"),
        ([["№ ПУ", "Т3 (п/пик)", "Т2 (ночь)"], [M, 1, 2]], f"A+ T3 1, {M} A+ T2 2"),
        ([["№ ПУ", "Кол-во эл.энергии, кВт.ч", "Показание, кВт·ч"], ["", "кВт·ч", "кВт·ч"],
          [M, 5, 1]], "A+ T0 1"),
        (
            [["№", "№ ПУ", "Показание", "Расход"], [1, M, 1, 5], [2, N, 2, 7], ["", "", "", 12]],
            f"A+ T0 1, {N} A+ T0 2",
        ),
    ],
)  # fmt: skip
def test_what_is_clear_is_read_without_a_remark(rows, meant):
    parsed = read([*DATED, *rows])
    assert parsed.findings == ()
    assert values(parsed) == f"{M} {meant}"


@pytest.mark.parametrize("day", ["1 ноября", "1 нояб.", "01-ноя", "«01» ноября 2026 г."])
def test_a_day_in_words_is_one_of_the_month_in_the_header_block(day):
    parsed = read([*HOURS, ["Дата", *SINGLES], [day, *[0.5] * 24]])
    assert parsed.findings == ()
    assert values(parsed) == "A+ 24 12"


def test_a_table_that_is_not_the_forms_is_told_as_one_range_with_what_is_expected():
    halves = [f"{n // 2:02d}:{n % 2 * 30:02d}" for n in range(48)]
    rows = [["Дата", *halves], ["01.11.2026", *[1] * 48], ["02.11.2026", *[1] * 48]]
    parsed = read([*HOURS, *rows])
    missing, left = parsed.findings
    told_of = missing.code, missing.detail["expected"]
    assert told_of == (Code.MISSING_FIELD, "Дата, 0, 1, 2, ... 23")
    assert (left.code, left.place.cell, left.count) == (Code.NOT_READ, "B7:AW8", 96)


@pytest.mark.parametrize(
    ("rows", "code", "cell"),
    [
        # Two readings in one cell are no thousands.
        ([["№ счётчика", "Показание"], [M, "100\n200"]], Code.INVALID_NUMBER, "B6"),
        # Below R+ an empty channel may be that one, or the default.
        ([["№ счётчика", "Канал", "Зона", "Показание"], [M, "R+", "T1", 1], [M, "", "T2", 2]],
         Code.MISSING_FIELD, "B7"),
        ([["№ счётчика", "Зона", "Показание"], [M, "2 (день)", 1]], Code.INVALID_CODE, "B6"),
        ([["№ счётчика", "Показание"], [M, 1], ["Насос", "#"], [N, "не работает"]],
         Code.INVALID_NUMBER, "B8"),
        # Numbers below words about zones that nobody knows may be zones.
        ([["№ счётчика", "Зона нагрузки", "Показание"], [M, 1, 1], [M, 2, 2]],
         Code.NOT_READ, "B6:B7"),
    ],
)  # fmt: skip
def test_what_may_be_another_reading_is_told_at_its_cell(rows, code, cell):
    assert (code, cell) in told(read([*DATED, *rows]))


def test_a_label_that_names_two_zones_is_not_decided():
    parsed = read([*DATED, ["№ ПУ", "Тариф 1 (ночь)", "Тариф 2 (день)"], [M, 1, 2]])
    assert parsed.series == ()
    assert any(found.is_error for found in parsed.findings)


def test_a_sum_without_a_word_that_is_wrong_is_told():
    rows = [["№ счётчика", "Показание", "Расход"], [M, 1, 5], [N, 2, 7], ["", "", 13]]
    parsed = read([*DATED, *rows])
    assert [(f.code, f.place.cell) for f in parsed.findings] == [(Code.NOT_READ, "C8")]


def test_one_merged_value_beside_two_zones_is_nobodys():
    rows: Rows = [["№ счётчика", "Зона", "Показание"], [M, "T1", 1], [M, "T2"], [N, "T1", 3]]
    parsed = read([*DATED, *rows], merged=((6, 3, 7, 3),))
    assert told(parsed) == {(Code.NOT_READ, "C6")}
    assert {found.meter for found in parsed.findings} == {M}


def test_a_zone_in_a_hidden_column_keeps_its_reading_out():
    rows: Rows = [["№ счётчика", "Показание", "Зона"], [M, 1, "T1"]]
    assert told(read([*DATED, *rows], hidden=(3,))) == {(Code.HIDDEN_CONTENT, "B6")}


@pytest.mark.parametrize(
    ("between", "channel"),
    [
        ([["", "", "R+"]], "A+"),
        ([["", "", "R+"], []], "A+"),
        ([[], ["Реактивная энергия R+"]], "R+"),
        ([[], ["", "Реактивная энергия R+"]], "R+"),
    ],
)
def test_a_channel_without_a_reading_is_no_title_of_the_next_table(between, channel):
    upper: Rows = [["№ счётчика", "Показание", "Канал"], [M, 1, "A+"]]
    parsed = read([*DATED, *upper, *between, ["№ счётчика", "Показание"], [N, 2]])

    assert values(parsed) == f"{M} A+ T0 1, {N} {channel} T0 2"


def test_an_empty_column_of_channels_below_the_name_of_another_one_is_told():
    rows: Rows = [["", "", "Реактивная энергия R+"], ["№ счётчика", "Показание"], [M, 1]]
    parsed = read([*DATED, *rows])

    assert parsed.series == ()
    assert (Code.MISSING_FIELD, "C7") in told(parsed)


def test_a_date_that_nothing_states_is_told_for_every_point():
    rows: Rows = [["Точка учёта", "№ ПУ", "Показание"], ["p-1", M, 1], ["p-2", N, 2]]
    (found,) = read([*HEAD, *rows]).findings
    assert (found.code, found.point, found.meter) == (Code.MISSING_FIELD, None, None)


def test_a_channel_in_a_hidden_column_keeps_its_hours_out():
    rows: Rows = [["Дата", "Канал", *SINGLES], [*DAY, "R+", *SINGLES]]
    shown: Rows = [["", "", "", "", *row] for row in rows]
    assert (Code.HIDDEN_CONTENT, "G7") in told(read([*HOURS, *shown], hidden=(6,)))


@pytest.mark.parametrize(
    ("title", "merged"),
    [
        ("по состоянию на 01.11.2026 г.", ((3, 1, 3, 2),)),
        ("на 00 часов 1 ноября 2026 г.", ()),
        ("Показания на 00:00 01.11.2026", ()),
        ("Дата показаний: на 01.11.2026 г.", ()),
    ],
)
def test_a_title_says_the_day_of_the_readings(title, merged):
    parsed = read([*HEAD, [title], ["№ ПУ", "Показание"], [M, 1]], merged)
    assert parsed.findings == ()
    assert [f"{s.start:%d.%m %H}" for s in parsed.series] == ["31.10 21"]


@pytest.mark.parametrize("below", ["по состоянию на 01.11.2026", "на 00:00 01.11.2026"])
@pytest.mark.parametrize("merged", [(), ((3, 1, 4, 1),)])
def test_a_day_below_the_label_of_readings_is_a_part_of_it(below, merged):
    parsed = read([*HEAD, ["№ ПУ", "Показания"], ["", below], [M, 1]], merged)
    assert parsed.findings == ()
    assert values(parsed) == f"{M} A+ T0 1"


@pytest.mark.parametrize("written", ["31.10.2026 24:00", "31.10.2026 24:00:00"])
def test_the_end_of_a_day_is_the_beginning_of_the_next(written):
    rows: Rows = [*HEAD, ["Дата показаний", written], ["№ счётчика", "Показание"], [M, 1]]
    (series,) = read(rows).series
    assert series.start + timedelta(hours=3) == series.start.replace(month=11, day=1, hour=0)


@pytest.mark.parametrize(
    ("rows", "meant"),
    [
        ([["Дата", *(f"с {h} до {h + 1}" for h in range(24))], [*DAY, *SINGLES]], "A+ 24 276"),
        ([["Дата", "День недели", *SINGLES], [*DAY, "вс", *SINGLES]], "A+ 24 276"),
        ([["Дата", *SINGLES], ["01.11", *SINGLES], ["02.11.", *SINGLES]], "A+ 48 552"),
        # A sum at the bottom without a word.
        ([["Дата", *SINGLES], [*DAY, *SINGLES], [date(2026, 11, 2), *[1] * 24],
          ["", *(h + 1 for h in range(24))]], "A+ 48 300"),
    ],
)  # fmt: skip
def test_hours_that_are_clear_are_read_without_a_remark(rows, meant):
    parsed = read([*HOURS, *rows])
    assert parsed.findings == ()
    assert values(parsed) == meant


def test_a_row_without_a_point_below_others_is_not_the_whole_enterprises():
    rows: Rows = [["Точка учёта", "Дата", *SINGLES], [POINT, *DAY, *SINGLES],
                  ["", date(2026, 11, 2), *SINGLES]]  # fmt: skip
    assert told(read([*HOURS, *rows])) == {(Code.MISSING_FIELD, "A8")}


@pytest.mark.parametrize(
    "rows",
    [
        # Half-hours; 0 to 24; days of a month across; two sets of hours side by side.
        [["Дата", *(f"{h // 2:02}:{h % 2 * 30:02}" for h in range(48))], [*DAY, *[1] * 48]],
        [["Дата", *range(25)], [*DAY, *[1] * 25]],
        [["Час/День", *range(1, 31)], *([hour, *[1] * 30] for hour in range(1, 25))],
        [["Дата", *SINGLES, "", "Дата", *SINGLES],
         [*DAY, *SINGLES, "", date(2026, 11, 16), *SINGLES]],
    ],
)  # fmt: skip
def test_columns_that_only_look_like_the_hours_of_a_day_are_not_read(rows):
    parsed = read([*HOURS, *rows])
    assert parsed.series == ()
    assert (Code.MISSING_FIELD, None) in told(parsed)


def test_the_keys_of_a_further_table_are_told_at_its_own_columns():
    further: Rows = [["", "", "№ счётчика", "Показание"], ["", "", N, 2]]
    parsed = read([*DATED, ["№ счётчика", "Показание"], [M, 1], [], *further])
    cells = [series.places.place_of("meter", 0).cell for series in parsed.series]
    assert cells == ["A6", "C9"]
