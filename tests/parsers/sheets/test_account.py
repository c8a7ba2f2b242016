"""Every cell has an account: claims are settled by what labels say, the rest is told."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from layouts.document import Document, Parsed
from layouts.figures import FigureKind
from layouts.findings import Code, Severity
from layouts.layout import load
from parsers import parse
from tests.books import Grid, workbook

LAYOUTS = load()
HEAD = (["Код пользователя", "000000004711"], ["Дата показаний", "01.11.2026"], [])


def read(*grids: Grid, change: Callable[[Workbook], None] | None = None) -> Parsed:
    return parse(Document("x.xlsx", workbook(*grids, change=change)), LAYOUTS)[0]


def readings(parsed: Parsed) -> dict[tuple[str | None, str, str | None], Decimal]:
    return {(s.meter, s.channel, s.zone): s.reading for s in parsed.series}


def told(parsed: Parsed) -> list[tuple[Code, str | None]]:
    return [(found.code, found.place.cell) for found in parsed.findings]


def two(first: Any, second: Any, *, head: Grid = HEAD, under: Grid = ()) -> Parsed:
    """A meter with 100 below one label and 250 below another one."""
    return read([*head, ["№ счётчика", first, second], *under, ["00000815", 100, 250]])


# Two claims on one role.


@pytest.mark.parametrize(
    ("last", "current"),
    [
        ("Предыдущее показание", "Текущее показание"),
        ("Предыдущее показание", "Показание"),
        ("Показание на начало месяца", "Показание на конец месяца"),
        ("Показание пред.", "Показание, кВт·ч"),
        ("Показание на 01.10.2026", "Показание на 01.11.2026"),
        ("Показание на 01.10.2026", "Показание"),
        ("Показания за сентябрь 2026", "Показания за октябрь 2026"),
        ("Показание (прошлый месяц)", "Показание (текущий месяц)"),
        ("Начальные показания", "Конечные показания"),
        ("Было", "Стало"),
        ("Пред.", "Тек."),
        ("Показания на 01.10", "Показания на 01.11"),
        ("Показания на 1 октября", "Показания на 1 ноября"),
    ],
)
def test_the_current_reading_is_read_in_whatever_order_the_columns_stand(
    last: str, current: str
) -> None:
    for parsed, value in ((two(last, current), 250), (two(current, last), 100)):
        assert readings(parsed) == {("00000815", "A+", "T0"): value}
        assert parsed.findings == ()
        assert [figure.kind for figure in parsed.figures] == [FigureKind.PREVIOUS]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Показание", "Показание"),
        ("Конечное показание", "Показание на конец месяца"),
        ("Показание активное", "Показание А+"),
    ],
)
def test_where_nothing_decides_both_columns_are_told_and_nothing_is_read(
    first: str, second: str
) -> None:
    found = two(first, second).findings[0]
    assert (found.code, found.place.cell, found.detail["other"]) == (
        Code.AMBIGUOUS_COLUMN,
        "B4",
        f"{second}, C4",
    )
    assert two(first, second).series == ()


def test_what_stands_behind_a_comma_belongs_to_a_label() -> None:
    parsed = two("Показание", "Показание, контрольное")
    assert readings(parsed) == {("00000815", "A+", "T0"): 100}
    assert told(parsed) == [(Code.NOT_READ, "C5")]


def test_labels_may_fill_two_rows_without_being_merged() -> None:
    parsed = two("Показания", None, under=[[None, "предыдущие", "текущие"]])
    assert readings(parsed) == {("00000815", "A+", "T0"): 250}


def test_zones_may_have_a_last_and_a_current_reading_each() -> None:
    grid = [
        *HEAD,
        ["№ счётчика", "Предыдущие показания", None, "Текущие показания", None],
        [None, "T1", "T2", "T1", "T2"],
        ["00000815", 1, 2, 30, 40],
    ]

    def merge(book: Workbook) -> None:
        for cells in ("A4:A5", "B4:C4", "D4:E4"):
            book.active.merge_cells(cells)

    for change in (None, merge):
        parsed = read(grid, change=change)
        assert list(readings(parsed).values()) == [30, 40]
        assert parsed.findings == ()


def test_reactive_columns_beside_active_ones_are_their_own_registers() -> None:
    for labels in (("Показание, кВт·ч", "Показание, кварч"), ("А+", "R+")):
        assert readings(two(*labels)) == {
            ("00000815", "A+", "T0"): 100,
            ("00000815", "R+", "T0"): 250,
        }


def test_the_date_of_the_paper_is_not_that_of_the_readings() -> None:
    paper = ["Дата", "03.11.2026"]
    for head in ([*HEAD[:2], paper, []], [HEAD[0], paper, HEAD[1], []]):
        parsed = read([*head, ["№ счётчика", "Показание"], ["00000815", 5]])
        assert parsed.findings == ()
        assert parsed.series[0].start.day == 31


def test_two_dates_of_readings_are_told_with_both_cells() -> None:
    head = [*HEAD[:2], ["Дата показаний", "01.10.2026"], []]
    parsed = read([*head, ["№ счётчика", "Показание"], ["00000815", 5]])
    assert (Code.AMBIGUOUS_COLUMN, "B2") in told(parsed)
    assert parsed.series == ()


# Tables.


def test_a_second_table_below_is_read_with_the_date_above_it() -> None:
    table = ["№ счётчика", "Показание"]
    second = [["Дата показаний", "01.10.2026"], table, ["00000815", 3]]
    parsed = read([*HEAD, table, ["00000815", 5], [], *second])
    assert [(s.start.month, s.reading) for s in parsed.series] == [(10, 5), (9, 3)]
    assert parsed.findings == ()


def test_a_table_whose_rows_are_hidden_ends_where_the_next_one_begins() -> None:
    grid = [
        ["Макет", 52006],
        *HEAD[:2],
        ["Телефон", "8 (4922) 53-12-34"],
        [],
        ["N прибора учёта", "Актив", "Реактив"],
        ["0751", 2.8, 89],
        *[[]] * 3,
        ["Текущее показание", "Номер счётчика", "№"],
        ["0.9", "0752", 1],
    ]

    def hide(book: Workbook) -> None:
        book.active.row_dimensions[7].hidden = True

    parsed = read(grid, change=hide)
    assert readings(parsed) == {("0752", "A+", "T0"): Decimal("0.9")}
    assert (Code.HIDDEN_CONTENT, None) in told(parsed)


def test_a_table_beside_is_read_too() -> None:
    labels = ["№ счётчика", "Показание"]
    rows = [[*labels, None, *labels], ["00000815", 5, None, "00000816", 6]]
    parsed = read([*HEAD, *rows])
    assert [s.meter for s in parsed.series] == ["00000815", "00000816"]


def test_a_point_may_be_called_like_a_total_and_a_zone_is_one() -> None:
    labels = ["Точка учёта", "№ счётчика", "Зона", "Показание"]
    rows = [["Итоговый ввод", "1", "Всего", 5], ["Всего по цеху", "2", "T1", 6]]
    parsed = read([*HEAD, labels, *rows, ["Итого", None, None, 11]])
    assert [(s.point, s.zone) for s in parsed.series] == [
        ("Итоговый ввод", "T0"),
        ("Всего по цеху", "T1"),
    ]
    assert parsed.findings == ()


@pytest.mark.parametrize("words", ["Итого", "ВСЕГО:", "Итого по цеху № 2"])
@pytest.mark.parametrize(("total", "codes"), [(7, []), (8, [Code.TOTAL_DIFFERS])])
def test_a_total_is_held_against_the_rows_above_it(
    words: str, total: int, codes: list[Code]
) -> None:
    rows = [["1", 3], ["2", 4], [words, total]]
    parsed = read([*HEAD, ["№ счётчика", "Показание"], *rows])
    assert [found.code for found in parsed.findings] == codes
    assert len(parsed.series) == 2


# Figures that prove.


@pytest.mark.parametrize(
    ("figures", "codes"),
    [
        ((150, 40, 6000), []),
        ((150, None, None), []),
        ((151, 40, 6000), [(Code.CONSUMPTION_DIFFERS, "D5")]),
        ((150, 40, 6001), [(Code.CONSUMPTION_DIFFERS, "F5")]),
    ],
)
def test_a_row_is_held_against_its_own_arithmetic(figures: Any, codes: Any) -> None:
    labels = ["№ счётчика", "Пред. показание", "Показание", "Разность", "Ктт", "Потребление"]
    parsed = read([*HEAD, labels, ["1", 100, 250, *figures]])
    assert told(parsed) == codes
    assert readings(parsed) == {("1", "A+", "T0"): 250}


# Defaults.


def test_a_column_of_channels_is_found_by_what_it_holds() -> None:
    labels = ["№ счётчика", "Энергоресурс", "Показание"]
    parsed = read([*HEAD, labels, ["1", "активная", 5], ["1", "реактивная", 6]])
    assert list(readings(parsed)) == [("1", "A+", "T0"), ("1", "R+", "T0")]


@pytest.mark.parametrize(
    ("words", "severity"),
    [(("в сеть", "реактив, отдача?"), Severity.ERROR), (("левый", "правый"), Severity.WARNING)],
)
def test_unknown_words_beside_a_default_are_told(words: Any, severity: Severity) -> None:
    rows = [["1", words[0], 5], ["2", words[1], 6]]
    parsed = read([*HEAD, ["№ счётчика", "Куда", "Показание"], *rows])
    (found,) = parsed.findings
    assert (found.code, found.place.cell, found.severity) == (Code.NOT_READ, "B5:B6", severity)


def test_notes_contracts_and_signatures_are_no_remarks() -> None:
    head = [["Договор №", 12345], ["ИНН", 3300000001], *HEAD]
    labels = ["№ п/п", "Адрес", "№ счётчика", "Показание", "№ пломбы", "Дата поверки"]
    row = [1, "ул. Мира, 5", "00000815", 5, 778899, datetime(2024, 5, 1)]  # noqa: DTZ001
    foot = [["Директор", "Иванов И. И.", datetime(2026, 11, 3)], ["тел. 8 (4922) 12-34-56"]]  # noqa: DTZ001
    assert read([*head, labels, row, [], *foot]).findings == ()


def test_a_lone_number_and_a_strange_sheet_are_told() -> None:
    table = [["№ счётчика", "Показание"], ["00000815", 5]]
    parsed = read([*HEAD, *table, [], [None, None, None, 77]], [["Обед", 300]])
    assert [(f.code, f.place.cell, f.severity) for f in parsed.findings] == [
        (Code.NOT_READ, "D7", Severity.WARNING),
        (Code.NOT_READ, None, Severity.NOTE),
    ]


# What is hidden.


def hide(book: Workbook) -> None:
    book.active.row_dimensions[6].hidden = True


def test_hidden_rows_are_not_read_and_their_meters_are_named() -> None:
    grid = [*HEAD, ["№ счётчика", "Показание"], ["00000815", 5], ["00000816", 6]]
    parsed = read(grid, change=hide)
    assert list(readings(parsed)) == [("00000815", "A+", "T0")]
    (found,) = parsed.findings
    assert (found.code, found.detail["meters"]) == (Code.HIDDEN_CONTENT, "00000816")


def test_a_hidden_remark_is_not_told() -> None:
    grid = [*HEAD, ["№ счётчика", "Показание"], ["00000815", 5], ["Прошу учесть", None]]
    assert read(grid, change=hide).findings == ()


def test_a_hidden_column_of_readings_is_told_and_never_replaced_by_the_last_ones() -> None:
    def change(book: Workbook) -> None:
        book.active.column_dimensions["C"].hidden = True

    labels = ["№ счётчика", "Предыдущее показание", "Текущее показание"]
    grid: Grid = [*HEAD, labels, ["00000815", 100, 250]]
    parsed = read(grid, change=change)
    assert parsed.series == ()
    assert Code.HIDDEN_CONTENT in {found.code for found in parsed.findings}
    # A sheet with such a column is no title sheet of another one.
    other: Grid = [*HEAD, ["№ счётчика", "Показание"], ["00000816", 7]]
    beside = read([["Макет", "52006"], *grid], [["Макет", "52006"], *other], change=change)
    assert Code.HIDDEN_CONTENT in {found.code for found in beside.findings}
    assert Severity.ERROR in {found.severity for found in beside.findings}


# Months.


def test_two_months_on_a_sheet_are_told_with_both_cells() -> None:
    hours = ["День", *(f"{h}-{h + 1}" for h in range(24))]
    head = [["Код пользователя", "000000004711"], ["Единица", "кВт·ч"]]
    first = [["Месяц", "октябрь 2026"], hours, [1, *range(24)]]
    second = [[], ["Месяц", "ноябрь 2026"], hours, [1, *range(24)]]
    parsed = read([*head, *first, *second])
    assert told(parsed) == [(Code.AMBIGUOUS_COLUMN, "B3")]
    assert parsed.findings[0].detail["other"] == "ноябрь 2026, B7"


def test_a_day_of_another_month_is_told_at_its_date() -> None:
    hours = ["Дата", *(f"{h}-{h + 1}" for h in range(24))]
    head = [["Код пользователя", "1"], ["Единица", "кВт·ч"], ["Месяц", "ноябрь 2026"]]
    (found,) = read([*head, hours, ["31.10.2026", *range(24)]]).findings
    assert (found.place.cell, found.seen) == ("A5", "31.10.2026")
    assert found.detail["reason"] == "other-month"


# What a title, a name or the header says against a default.


@pytest.mark.parametrize("title", ["Реактивная энергия", "Показания счётчиков реактивной энергии"])
@pytest.mark.parametrize("gap", [0, 1])
def test_a_title_that_names_a_channel_is_the_tables(title: str, gap: int) -> None:
    under = [[]] * gap
    parsed = read([*HEAD, [title], *under, ["№ счётчика", "Показание"], ["00000815", 100]])
    assert readings(parsed) == {("00000815", "R+", "T0"): 100}
    assert parsed.findings == ()


def test_tables_below_titles_of_two_channels_are_each_read_on_their_own() -> None:
    table = ["№ счётчика", "Показание"]
    active = [["Активная энергия"], table, ["00000815", 100]]
    parsed = read([*HEAD, *active, ["Реактивная энергия"], table, ["00000815", 7]])
    assert readings(parsed) == {("00000815", "A+", "T0"): 100, ("00000815", "R+", "T0"): 7}


def test_a_title_of_two_channels_or_of_more_words_refuses_the_default() -> None:
    for title in ("Активная и реактивная энергия", "Ведомость реактивной нагрузки"):
        parsed = read([*HEAD, [title], [], ["№ счётчика", "Показание"], ["00000815", 100]])
        assert (Code.NOT_READ, "A4") in told(parsed)
        assert any(found.is_error for found in parsed.findings)


def test_a_title_is_no_matter_where_a_column_says_the_channel() -> None:
    labels = ["№ счётчика", "Канал", "Показание"]
    parsed = read([*HEAD, ["Активная и реактивная энергия"], labels, ["00000815", "A+", 100]])
    assert readings(parsed) == {("00000815", "A+", "T0"): 100}
    assert parsed.findings == ()


def test_a_name_that_speaks_of_another_channel_refuses_the_default() -> None:
    labels = ["Наименование", "№ счётчика", "Показание"]
    refused = read([*HEAD, labels, ["Ввод 1 (реактив)", "00000815", 100]])
    assert any(found.is_error and found.place.cell == "A5" for found in refused.findings)
    taken = read([*HEAD, labels, ["Ввод 1 (актив)", "00000815", 100]])
    assert taken.findings == ()


def test_the_headers_unit_counts_for_registers() -> None:
    table = [["№ счётчика", "Показание"], ["00000815", 1.25]]
    parsed = read([*HEAD[:2], ["Единица измерения", "тыс. кВт·ч"], [], *table])
    assert readings(parsed) == {("00000815", "A+", "T0"): 1250}


def test_two_columns_of_meters_are_no_two_tables() -> None:
    parsed = read([*HEAD, ["№ счётчика", "№ счётчика", "Показание"], ["00000815", "0816", 5]])
    assert (Code.AMBIGUOUS_COLUMN, "A4") in told(parsed)


def test_readings_in_words_that_nobody_knows_contend_with_others() -> None:
    parsed = two("Показание расчётное", "Показание фактическое")
    assert (Code.AMBIGUOUS_COLUMN, "B4") in told(parsed)
    assert readings(two("Показание фактическое", "Показание")) == {("00000815", "A+", "T0"): 250}


def test_last_month_beside_this_month_may_be_what_was_used() -> None:
    assert any(f.is_error for f in two("Прошлый месяц", "Текущий месяц").findings)


def test_a_number_sign_before_a_meters_number_is_none_of_it() -> None:
    parsed = read([*HEAD, ["Счётчик", "Показание"], ["№ 00000815", 5]])
    assert readings(parsed) == {("00000815", "A+", "T0"): 5}
