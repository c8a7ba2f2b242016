"""Key cells as people fill them in, through `check`: read as they are meant, or told."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
import xlwt
from openpyxl import Workbook

from tests.books import workbook
from tests.ingest.invocation import SAMPLES

POINT, METER = "200000001234-01", "07512345"
HEADER = [
    ("Макет", "52006"),
    ("Код пользователя", "200000001234"),
    ("Дата показаний", "01.11.2026"),
]
LABELS = ("Точка учёта", "№ прибора учёта", "Зона", "Показание")

Row = Sequence[Any]


def table(*rows: Row, labels: Row = LABELS, above: Sequence[Row] = ()) -> list[Row]:
    return [*above, *HEADER, (), labels, *rows]


def xlsx(rows: Sequence[Row], hidden: int = 0, name: str = "Лист1") -> bytes:
    def change(book: Workbook) -> None:
        book.active.title = name
        if hidden:
            book.active.row_dimensions[hidden].hidden = True

    return workbook(rows, change=change)


def xls(rows: Sequence[Row]) -> bytes:
    workbook = xlwt.Workbook()
    sheet = workbook.add_sheet("Лист1")
    for at, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(at, column, value)
    packed = io.BytesIO()
    workbook.save(packed)
    return packed.getvalue()


@pytest.fixture
def read(run):
    """For each workbook (meter, channel, zone) as read, and (code, cell) of each error.

    One `check` of many files costs a tenth of many checks.
    """

    def check(*contents: bytes, ending: str = "xlsx", series=_series):
        paths = [run.write(f"{n}.{ending}", content) for n, content in enumerate(contents)]
        about = ("--registry", SAMPLES / "registry.csv", "--at", "2026-11-02T10:00+03")
        rows = run("check", *paths, "--json", *about).rows
        assert len(rows) == len(contents)
        return [(series(row), _errors(row)) for row in rows]

    return check


def _series(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(s["meter"], s["channel"], s["zone"]) for s in row["series"]]


def _values(row: dict[str, Any]) -> list[tuple[str, str]]:
    """Channel and value of each reading, in kWh or kvarh."""
    return [(s["channel"], f"{float(s['total']):g}") for s in row["series"]]


def _errors(row: dict[str, Any]) -> list[tuple[str, str]]:
    told = [f for f in row["findings"] if f["severity"] == "error"]
    return [(f["code"], f["place"].rpartition("cell ")[2]) for f in told]


BOTH = [(METER, "A+", "T1"), (METER, "A+", "T2")]
GOOD = (BOTH, [])


def first_meter(written: Any) -> bytes:
    return xlsx(table((POINT, written, "T1", 10), (POINT, METER, "T2", 5)))


def test_a_number_behind_a_model_or_a_sign_is_the_meters(read):
    written = [
        "Меркурий 230 №07512345",
        "СЭТ-4ТМ.03М № 07512345",
        "Меркурий 230\n№ 07512345",
        "зав. № 07512345",
        "зав.№07512345",
        "Зав. 07512345",
        "заводской номер: 07512345",
        "сер. № 07512345",
        "N 07512345",
        "№07512345",
        "\u00a007512345\u200b",
    ]
    assert read(*map(first_meter, written)) == [GOOD] * len(written)


def test_a_cell_that_may_name_something_else_than_the_meter_is_told(read):
    written = [
        "Меркурий 230 07512345",
        "инв. № 07512345",
        "пломба № 07512345",
        "07512345 (старый № 07512344)",
        "07512345/07512346",
        "№ 07512345, № 07512346",
        "075123456",
    ]
    for text, (series, errors) in zip(written, read(*map(first_meter, written)), strict=True):
        assert errors == [("unknown-meter", "B6")]
        assert series[0][0] == text


def test_a_ditto_mark_is_the_key_above_it(read):
    marks = ['"', '-"-', '- " -', "—//—", "''", "»", "-»-", "то же", "То же", "тоже", "〃", "-,,-"]
    books = [xlsx(table((POINT, METER, "T1", 10), (mark, mark, "T2", 5))) for mark in marks]
    assert read(*books) == [GOOD] * len(marks)


def test_a_ditto_mark_of_nothing_that_is_read_is_told(read):
    first, last = (POINT, METER, "T1", 10), (POINT, '"', "T2", 5)
    below_nothing = table((POINT, '"', "T1", 10), (POINT, METER, "T2", 5))
    below_a_total = table(first, ("Итого", None, None, 10), last)
    of_a_value = table(first, (POINT, METER, "T2", '-"-'))
    # The meter above it is another one, whose row has no reading.
    below_another = table(first, (POINT, "07519999", "T1", None), last)
    told = read(*map(xlsx, (below_nothing, below_a_total, of_a_value, below_another)))
    assert [errors for _, errors in told] == [
        [("unknown-meter", "B6")],
        [("unknown-meter", "B8")],
        [("invalid-number", "D7")],
        [("unknown-meter", "B8")],
    ]


def test_a_ditto_mark_is_not_read_as_what_a_hidden_row_says(read):
    rows = [(POINT, METER, "T1", 10), (POINT, "07519999", "T2", 7), (POINT, '"', "T2", 5)]
    assert read(xlsx(table(*rows), hidden=7)) == [(BOTH, [("hidden-content", "D8")])]


def test_a_ditto_mark_in_the_column_of_dates_or_channels_is_the_one_above(read):
    labels = (*LABELS, "Вид энергии", "Дата показаний")
    rows = [
        (POINT, METER, "T0", 10, "реактивная", "01.11.2026"),
        (POINT, METER, '"', 10, "то же", "то же"),
    ]
    assert read(xlsx(table(*rows, labels=labels))) == [([(METER, "R+", "T0")] * 2, [])]


def test_hyphens_and_blanks_of_a_points_code_are_what_they_look_like(read):
    written = [
        "200000001234\u201101",
        "200000001234 – 01",
        "200000001234-01\u00a0",
        "'200000001234-01",
        "-",
        None,
    ]
    books = [xlsx(table((text, METER, "T1", 10), (text, METER, "T2", 5))) for text in written]
    assert read(*books) == [GOOD] * len(written)


def test_a_points_code_that_is_another_one_is_told(read):
    written = ["200000001234/01", "20000000123401", "200000001234-1"]
    books = [xlsx(table((text, METER, "T1", 10), (POINT, METER, "T2", 5))) for text in written]
    assert [errors for _, errors in read(*books)] == [[("unknown-point", "A6")]] * len(written)


def test_a_code_with_a_nul_in_it_is_told_at_its_cell(read):
    rows = [(POINT, "0751\x002345", "T1", 10), (POINT, METER, "T2", 5)]
    assert read(xls(table(*rows)), ending="xls") == [(BOTH[1:], [("invalid-code", "B6")])]


def test_a_number_that_lost_its_zero_is_found_behind_a_model_too(read):
    rows = [(POINT, "Меркурий 230 №7512345", "T1", 10), (POINT, 7512345.0, "T2", 5)]
    [(series, errors)] = read(xlsx(table(*rows)))
    assert ([meter for meter, _, _ in series], errors) == (["7512345"] * 2, [])


READINGS = [(POINT, METER, "T1", 10), (POINT, METER, "T2", 5)]


def test_a_firm_called_reactive_makes_no_reactive_energy(read):
    lines = ["ООО «Реактив»", 'АО "Реактив-Сервис", г. Владимир', "ЗАО Реактив", "ИП Реактивный"]
    for line in lines:
        above = table(*READINGS, above=[(line,)])
        below = table(*READINGS, (), (f"Директор {line}",))
        named = [(f"Насосная {line}", *row) for row in READINGS]
        beside = table(*named, labels=("Наименование", *LABELS))
        assert read(*map(xlsx, (above, below, beside))) == [GOOD] * 3


def test_a_title_of_reactive_energy_makes_the_table_so(read):
    titles = ["Реактивная энергия", "Реактивная энергия, ООО «Пример»"]
    books = [xlsx(table(*READINGS, above=[(title,)])) for title in titles]
    books.append(xlsx(table(*READINGS), name="Реактив"))
    reactive = [(METER, "R+", "T1"), (METER, "R+", "T2")]
    assert read(*books) == [(reactive, [])] * 3


def test_a_line_that_may_be_a_firm_or_a_kind_of_energy_is_told(read):
    lines = ["Реактив", "«Реактив»", "Завод «Реактив»"]
    books = [xlsx(table(*READINGS, above=[(line,)])) for line in lines]
    assert [errors for _, errors in read(*books)] == [[("not-read", "A1")]] * 3


IN_MWH = [(POINT, METER, "T1", 12.34), (POINT, METER, "T2", 2.3)]
SCALED = [("A+", "12340"), ("A+", "2300")]


def units(label="Показание", above=(), stated="", column=()):
    """A workbook that states its unit in some of the places where people do."""
    labels = (*LABELS[:3], label, *(["Ед. изм."] if column else []))
    rows = [(*row, *column[n : n + 1]) for n, row in enumerate(IN_MWH)]
    header = [("Единица", stated)] if stated else []
    return xlsx(table(*rows, labels=labels, above=[*[(line,) for line in above], *header]))


def test_a_unit_counts_wherever_it_is_named(read):
    books = [
        units(stated="МВт·ч"),
        units(label="Показание, МВт·ч"),
        units(label="Показание, тыс. кВт·ч"),
        units(above=["Показания приборов учёта (МВт·ч) за октябрь"]),
        units(above=["Показания в МВтч", "Разрешённая мощность 150 кВт, лимит 500 кВт·ч"]),
        units(column=("МВт·ч", "МВт*ч")),
        units(column=("МВт·ч", '"')),
        units(label="Показание, МВт·ч", above=["Сведения о расходе, кВт·ч"]),
    ]
    assert read(*books, series=_values) == [(SCALED, [])] * len(books)


def test_a_column_of_the_units_that_are_meant_anyway_is_no_remark(read):
    plain = [("A+", "12.34"), ("A+", "2.3")]
    told = read(units(column=("кВт·ч", "кВт.ч")), units(), series=_values)
    assert told == [(plain, [])] * 2


def test_a_row_in_kvarh_is_reactive_energy(read):
    [(values, errors)] = read(units(column=("кВт·ч", "квар·ч")), series=_values)
    assert (values, errors) == ([("A+", "12.34"), ("R+", "2.3")], [])


def test_units_that_contradict_each_other_are_told_at_their_cells(read):
    books = {
        "D6": units(stated="МВт·ч", label="Показание, кВт·ч"),
        "A1": units(above=["Показания, МВт·ч", "Расход, кВт·ч"]),
        "B2": units(above=["Показания, кВт·ч"], stated="МВт·ч"),
        "E6": units(label="Показание, кВт·ч", column=("МВт·ч", "кВт·ч")),
    }
    told = [set(errors) for _, errors in read(*books.values())]
    assert told == [{("ambiguous-column", cell)} for cell in books]


def test_a_unit_in_words_that_are_not_understood_is_told(read):
    [(_, errors)] = read(units(column=("МВт·ч", "в мегаваттах")))
    assert errors == [("not-read", "E6:E7")]
