"""Workbooks as people fill them in: where the table is, and what its cells may hold."""

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableRow
from odf.text import P
from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from layouts.document import Document, Parsed, Series
from layouts.findings import Code, Finding
from layouts.layout import load
from parsers import looks_like_document, parse
from tests.books import Grid, workbook

LAYOUTS = load()
MIDNIGHT = datetime(2026, 10, 31, 21, tzinfo=UTC)


def read_all(content: bytes) -> tuple[Parsed, ...]:
    return parse(Document("x.xlsx", content), LAYOUTS)


def read(*grids: Grid, change: Callable[[Workbook], None] | None = None) -> Parsed:
    (parsed,) = read_all(workbook(*grids, change=change))
    return parsed


def only(parsed: Parsed) -> Finding:
    (found,) = parsed.findings
    return found


def values(parsed: Parsed) -> list[tuple[str | None, str | None, str, str | None, Decimal]]:
    return [
        (item.point, item.meter, item.channel, item.zone, item.reading) for item in parsed.series
    ]


HEAD = (["Код пользователя", "000000004711"], ["Дата показаний", "01.11.2026"])
TABLE = ["Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"]


def register(*rows: Sequence[Any], head: Grid = HEAD, table: Sequence[Any] = TABLE) -> Grid:
    return [*head, [], table, *rows]


def hourly(
    *rows: Sequence[Any],
    hours: Sequence[Any] = tuple(range(24)),
    head: Grid = (["Код пользователя", "000000004711"], ["Единица", "кВт·ч"]),
    keys: Sequence[str] = ("Дата",),
) -> Grid:
    return [*head, [*keys, *hours], *rows]


def day(first: Any, *, energy: Sequence[Any] = tuple(range(1, 25))) -> list[Any]:
    return [first, *energy]


def series(parsed: Parsed) -> Series:
    (item,) = parsed.series
    return item


# Where the table is.


def test_the_table_is_found_wherever_it_stands() -> None:
    grid: Grid = [
        ["ООО «Пример»"],
        [],
        [None, None, "Показания за октябрь"],
        [None, None, "КОД\nПОЛЬЗОВАТЕЛЯ :", None, "000000004711"],
        [None, None, "Дата показаний: 01.11.2026"],
        [],
        [None, None, "N п/п", "Точка учета", None, "Прибор учета", "Показание,\nкВт·ч", "Прим."],
        [None, None, 1, 2, None, 3, 4, 5],
        [],
        [None, None, 1, "P", None, "00000815", 48211, "x"],
        [None, None, None, None, None, "Итого:", 48211],
        [None, None, None, None, None, None, "Директор"],
    ]

    parsed = read([["Инструкция"], ["Заполните второй лист"]], grid)

    assert parsed.findings == ()
    assert parsed.header.sender_code == "000000004711"
    assert values(parsed) == [("P", "00000815", "A+", "T0", Decimal(48211))]
    assert str(parsed.series[0].place(0)) == "sheet 'Лист2', cell G10"


def test_zones_may_stand_in_columns_below_a_merged_label() -> None:
    grid = register(
        [None, None, "T1", "Т2", "Сумма"],
        ["P", "1", 10, 20, 30],
        ["P", "2", None, "", 5],
        table=["Точка учёта", "№ счётчика", "Показания", None, None],
    )

    def merge(book: Workbook) -> None:
        for cells in ("A4:A5", "B4:B5", "C4:E4"):
            book.active.merge_cells(cells)

    assert values(read(grid, change=merge)) == [
        ("P", "1", "A+", "T1", Decimal(10)),
        ("P", "1", "A+", "T2", Decimal(20)),
        ("P", "1", "A+", "T0", Decimal(30)),
        ("P", "2", "A+", "T0", Decimal(5)),
    ]


def test_a_key_cell_merged_over_rows_counts_for_each_of_them() -> None:
    grid = register(["P", "1", "A+", "T1", 10], [None, None, "A+", "T2", 20])

    def merge(book: Workbook) -> None:
        book.active.merge_cells("A5:A6")
        book.active.merge_cells("B5:B6")

    assert [item[:4] for item in values(read(grid, change=merge))] == [
        ("P", "1", "A+", "T1"),
        ("P", "1", "A+", "T2"),
    ]


def test_a_reading_knows_the_cells_of_its_names() -> None:
    columns = ["№ п/п", "Точка учёта", None, "№ прибора учёта", "Канал", "Зона", "Показание"]
    row = [1, "200000001234-01", None, "07512345", "A+", "T1", 5]
    parsed = read(register(row, table=columns))
    (one,) = parsed.series
    names = ("point", "meter", "channel", "zone")
    value = one.place(0).cell or ""
    assert [one.place_of(name).cell for name in names] == [
        value.replace("G", sign) for sign in "BDEF"
    ]
    assert one.place_of("area") == one.place(0)


def test_labels_repeated_on_a_printed_page_are_no_data() -> None:
    parsed = read(register(["P", "1", "A+", "T1", 10], TABLE, ["P", "1", "A+", "T2", 20]))

    assert (len(parsed.series), parsed.findings) == (2, ())


def test_a_sheet_each_makes_two_documents_that_share_the_title_sheet() -> None:
    title = [["Код пользователя", "000000004711"], ["Пароль", "Пароль№5"]]
    first = hourly(day("01.11.2026"), head=(["Единица", "кВт·ч"],))
    second = register(["P", "1", "A+", "T1", 10], head=HEAD[1:])

    hours, register_ = read_all(workbook(title, first, second))

    assert (hours.layout, hours.part) == ("52005", "Лист2")
    assert (register_.layout, register_.part) == ("52006", "Лист3")
    assert hours.header.password == register_.header.password == "Пароль№5"
    assert series(hours).point == register_.header.sender_code == "000000004711"


def test_a_hidden_sheet_is_not_sent() -> None:
    def hide(book: Workbook) -> None:
        book["Лист1"].sheet_state = "hidden"

    old, new = register(["P", "1", None, None, 1]), register(["P", "1", None, None, 2])

    assert series(read(old, new, change=hide)).reading == 2


def test_a_workbook_of_another_kind_is_an_unknown_layout() -> None:
    assert (
        only(read([["Счёт № 5"], ["Товар", "Цена"], ["Бумага", 300]])).code is Code.UNKNOWN_LAYOUT
    )
    assert only(read([])).code is Code.UNKNOWN_LAYOUT


def test_a_stated_class_that_nobody_knows_is_told_with_its_cell() -> None:
    found = only(read([["Макет", "52999"]]))

    assert (found.code, str(found.place), found.seen) == (
        Code.UNKNOWN_LAYOUT,
        "sheet 'Лист1', cell B1",
        "52999",
    )


@pytest.mark.parametrize("stated", [["Макет", 52006], ["Макет: 52006"], ["Макет 52006"]])
def test_a_stated_class_without_its_table_says_what_is_missing(stated: list[Any]) -> None:
    parsed = read([stated, ["Дата показаний", "01.11.2026"]])

    assert parsed.layout == "52006"
    assert [(found.code, found.detail.get("field")) for found in parsed.findings] == [
        (Code.MISSING_FIELD, "table")
    ]


@pytest.mark.parametrize(
    ("cells", "password"),
    [
        (["Пароль", "a b=c:d"], "a b=c:d"),
        (["Пароль: a b=c:d "], "a b=c:d"),
        (["пароль =a:b"], "a:b"),
        (["Пароль:", None, None, " Zima-2026\xa0"], "Zima-2026"),
        (["Пароль", 2026.0], "2026"),
        (["Пароль", None, None, None], None),
        (["Пароль", "Код пользователя"], None),
    ],
)
def test_a_password_is_what_stands_beside_its_label(cells: list[Any], password: str | None) -> None:
    parsed = read(register(["P", "1", None, None, 5], head=[*HEAD, cells]))

    assert parsed.header.password == password


def test_a_user_code_may_be_written_in_groups() -> None:
    head = (["Логин", "2000 0000 1234"], HEAD[1])

    assert read(register(["P", "1", None, None, 5], head=head)).header.sender_code == "200000001234"


# Register readings.


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (12345.67, "12345.67"),
        (0.1 + 0.2, "0.3"),
        (123456789012.345, "123456789012.345"),
        (48211, "48211"),
        ("12345,67", "12345.67"),
        ("12 345,67", "12345.67"),
        ("12\xa0345.67", "12345.67"),
        ("12\u2009345", "12345"),
        ("'00815", "815"),
        (" 7 ", "7"),
        ("1E+5", "100000"),
        (1e5, "100000"),
    ],
)
def test_numbers_are_read_in_every_dress(cell: Any, number: str) -> None:
    parsed = read(register(["P", "1", None, None, cell]))

    assert str(series(parsed).reading) == str(Decimal(number))


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("сломан", Code.INVALID_NUMBER),
        ("#ССЫЛКА!", Code.INVALID_NUMBER),
        (True, Code.INVALID_NUMBER),
        (date(2026, 11, 1), Code.INVALID_NUMBER),
        ("=A1+1", Code.FORMULA_WITHOUT_VALUE),
        (1 / 3, Code.TOO_MANY_DECIMALS),
    ],
)
def test_what_is_no_reading_is_told_with_its_cell(cell: Any, code: Code) -> None:
    parsed = read(register(["P", "1", None, None, cell], ["P", "2", None, None, 5]))

    found = only(parsed)
    assert (found.code, str(found.place)) == (code, "sheet 'Лист1', cell E5")
    assert (found.point, found.meter, found.zone) == ("P", "1", "T0")
    assert [item[1] for item in values(parsed)] == ["2"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (7512345, "7512345"),
        (7512345.0, "7512345"),
        ("07512345", "07512345"),
        ("7512345.0", "7512345"),
        ("7512345,0", "7512345"),
        ("2.00000001234E+11", "200000001234"),
        (200000001234.0, "200000001234"),
        ("'07512345", "07512345"),
        (" 075-12 ", "075-12"),
    ],
)
def test_codes_are_kept_as_text_and_mended_from_numbers(cell: Any, code: str) -> None:
    assert series(read(register(["P", cell, None, None, 5]))).meter == code


@pytest.mark.parametrize("cell", ["2E+11", "2.5E+11", 7.5, 1e18, "x" * 65, "=A1"])
def test_a_code_with_lost_digits_is_told(cell: Any) -> None:
    parsed = read(register(["P", cell, None, None, 5]))

    assert parsed.series == ()
    assert (only(parsed).detail["field"], only(parsed).point) == ("meter", "P")
    assert str(only(parsed).place) == "sheet 'Лист1', cell B5"


def test_a_number_shown_with_leading_zeros_is_read_as_it_is_shown() -> None:
    def show(book: Workbook) -> None:
        book.active["B5"].number_format = "00000000"

    parsed = read(register(["P", 815, None, None, 5]), change=show)

    assert series(parsed).meter == "00000815"


@pytest.mark.parametrize(
    "cell",
    [
        "01.11.2026",
        "1.11.26",
        "2026-11-01",
        "2026-11-01 00:00:00",
        "01/11/2026 0:00",
        "20261101",
        "1 ноября 2026 г.",
        46327,
        "46327",
        date(2026, 11, 1),
        datetime(2026, 11, 1, 0, 0),  # noqa: DTZ001 - workbooks know no zones
    ],
)
def test_dates_are_read_in_every_form(cell: Any) -> None:
    head = (HEAD[0], ["Дата показаний", cell])

    assert series(read(register(["P", "1", None, None, 5], head=head))).start == MIDNIGHT


def test_date_serials_count_from_the_day_that_the_workbook_says() -> None:
    def mac(book: Workbook) -> None:
        book.epoch = CALENDAR_MAC_1904

    head = (HEAD[0], ["Дата показаний", 46327 - 1462])

    parsed = read(register(["P", "1", None, None, 5], head=head), change=mac)

    assert series(parsed).start == MIDNIGHT


@pytest.mark.parametrize("cell", ["31.11.2026", "вчера", 5, "01.13.2026", "=A1", "01.11.1826"])
def test_what_is_no_date_is_told_with_its_cell(cell: Any) -> None:
    head = (HEAD[0], ["Дата показаний", cell])

    parsed = read(register(["P", "1", None, None, 5], head=head))

    assert str(only(parsed).place) == "sheet 'Лист1', cell B2"
    assert only(parsed).is_error
    assert parsed.series == ()


def test_a_row_may_have_its_own_date() -> None:
    table = [*TABLE[:2], "Дата", "Показание"]

    parsed = read(register(["P", "1", "02.11.2026 13:30", 5], table=table))

    assert series(parsed).start == datetime(2026, 11, 2, 10, 30, tzinfo=UTC)


def test_missing_keys_are_told_where_they_should_stand() -> None:
    parsed = read(register(["P", None, None, None, 5], head=HEAD))

    assert (only(parsed).code, str(only(parsed).place)) == (
        Code.MISSING_FIELD,
        "sheet 'Лист1', cell B5",
    )


def test_a_row_without_a_reading_is_not_filled_in_yet() -> None:
    parsed = read(register(["P", "1", "A+", "T1", None], ["P", "1", "A+", "T2", "-"]))

    assert only(parsed).code is Code.NOTHING_TO_RECORD
    assert parsed.points == frozenset()


@pytest.mark.parametrize(
    ("channel", "zone", "read_as"),
    [
        ("а+", "т1", ("A+", "T1")),
        ("А −", 2, ("A-", "T2")),
        (3, "Пик", ("R+", "T1")),
        ("04", "сумма", ("R-", "T0")),
        ("05", None, ("05", "T0")),
    ],
)
def test_channels_and_zones_are_read_as_typed(channel: Any, zone: Any, read_as: Any) -> None:
    item = series(read(register(["P", "1", channel, zone, 5])))

    assert (item.channel, item.zone) == read_as


def test_an_unknown_zone_is_told() -> None:
    found = only(read(register(["P", "1", "A+", "T9", 5])))

    assert (found.code, found.seen, str(found.place)) == (
        Code.INVALID_CODE,
        "T9",
        "sheet 'Лист1', cell D5",
    )


def test_readings_in_another_unit_are_told_in_kwh() -> None:
    table = [*TABLE[:4], "Показание, МВт·ч"]

    item = series(read(register(["P", "1", None, None, 1.5], table=table)))

    assert (item.reading, str(item.total)) == (1500, "1500.0")


# Hourly consumption.


@pytest.mark.parametrize(
    "hours",
    [
        range(24),
        [f"{h:02d}" for h in range(24)],
        [f"{h:02d}:00" for h in range(24)],
        [f"{h}-{h + 1}" for h in range(24)],
        [f"{h:02d}:00 - {(h + 1) % 24:02d}:00" for h in range(24)],
        [time(h) for h in range(24)],
        range(1, 25),
        [*(f"{h:02d}:00" for h in range(1, 24)), "24:00"],
        [*(f"{h:02d}:00" for h in range(1, 24)), "00:00"],
        [f"{h} час" for h in range(24)],
    ],
    ids=str,
)
def test_hours_are_labelled_as_people_do(hours: Sequence[Any]) -> None:
    item = series(read(hourly(day("01.11.2026"), hours=list(hours))))

    assert item.start == MIDNIGHT
    assert item.values == [1000 * h for h in range(1, 25)]
    assert item.spans is None


def test_the_unit_decides_and_may_stand_in_a_label() -> None:
    row = day("01.11.2026", energy=[0.001] * 24)
    head = (["Код пользователя", "000000004711"], ["Потребление, МВтч"])

    assert series(read(hourly(row, head=(*head[:1], ["Единица", "МВт*ч"])))).values[0] == 1000
    assert series(read(hourly(row, head=head))).values[0] == 1000
    missing = read(hourly(row, head=head[:1]))
    assert missing.findings[0].detail["field"] == "unit"


def test_empty_hours_are_left_out_and_a_gap_keeps_its_place() -> None:
    row = day("01.11.2026", energy=[1, None, 3, *[None] * 21])

    item = series(read(hourly(row)))

    assert [item.span(index)[0].hour for index in (0, 1)] == [21, 23]
    assert str(item.place(1)) == "sheet 'Лист1', cell D4"


@pytest.mark.parametrize("month", ["ноябрь 2026", "11.2026", "2026-11", "Ноябрь 2026 г.", 11.2026])
def test_days_may_be_numbered_when_the_month_is_stated(month: Any) -> None:
    head = (["Код пользователя", "000000004711"], ["Единица", "кВтч"], ["Месяц", month])

    item = series(read(hourly(day(1), day(2), head=head)))

    assert (item.start, item.count) == (MIDNIGHT, 48)


def test_a_day_outside_the_stated_month_is_told() -> None:
    head = (["Код пользователя", "1"], ["Единица", "кВтч"], ["Месяц", "октябрь 2026"])

    found = only(read(hourly(day("01.11.2026"), head=head)))

    assert (found.code, found.detail["expected"], found.count) == (
        Code.INVALID_DATE,
        "2026-10",
        24,
    )


def test_points_and_channels_may_stand_before_the_hours() -> None:
    rows = [["P", "R+", *day("01.11.2026")], ["Q", None, *day("01.11.2026")]]

    parsed = read(hourly(*rows, keys=("Точка учёта", "Канал", "Дата")))

    assert [(item.point, item.channel) for item in parsed.series] == [("P", "R+"), ("Q", "A+")]


def test_without_a_point_or_a_user_code_it_is_told_once_a_row() -> None:
    found = only(read(hourly(day("01.11.2026"), head=(["Единица", "кВтч"],))))

    assert (found.code, found.detail["field"]) == (Code.MISSING_FIELD, "point")


def test_a_wrong_date_spoils_its_series_only() -> None:
    rows = [["P", *day("x")], ["Q", *day("01.11.2026")]]

    parsed = read(hourly(*rows, keys=("Точка учёта", "Дата")))

    assert (only(parsed).code, str(only(parsed).place)) == (
        Code.INVALID_DATE,
        "sheet 'Лист1', cell B4",
    )
    assert only(parsed).point == "P"
    assert [item.point for item in parsed.series] == ["Q"]


def test_without_a_date_of_readings_it_is_told_once() -> None:
    rows = [["P", str(number), None, None, 5] for number in range(3)]

    found = only(read(register(*rows, head=HEAD[:1])))

    assert (found.code, found.detail["field"]) == (Code.MISSING_FIELD, "instant")


def test_the_password_is_read_and_told_nowhere() -> None:
    head = (["Код пользователя", "x1"], ["Пароль", 739184], ["Единица", "кг"])

    parsed = read(hourly(day("01.11.2026"), head=head))

    assert parsed.header.password == "739184"
    assert "739184" not in repr(parsed)
    assert [(found.code, found.detail["field"]) for found in parsed.findings] == [
        (Code.INVALID_CODE, "sender_code"),
        (Code.INVALID_CODE, "unit"),
    ]


# Containers.


def test_formulas_count_by_their_kept_value() -> None:
    content = workbook(register(["P", "1", None, None, "=2+3"]))
    counted = replaced(content, "xl/worksheets/sheet1.xml", b"<v></v>", b"<v>5</v>", b"<v />")

    (parsed,) = read_all(counted)

    assert series(parsed).reading == 5


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell() -> None:
    content = workbook(register(["P", "1", None, None, '=""'], ["P", "2", None, None, 5]))
    part = "xl/worksheets/sheet1.xml"
    counted = replaced(content, part, b'<c r="E5">', b'<c r="E5" t="str">')

    (parsed,) = read_all(counted)

    assert parsed.findings == ()
    assert [item[1] for item in values(parsed)] == ["2"]


def test_a_row_of_nothing_but_an_uncounted_formula_keeps_its_place() -> None:
    parsed = read(register(["P", "1", None, None, "=1"], ["P", "2", None, None, 5]))

    assert (only(parsed).code, only(parsed).seen) == (Code.FORMULA_WITHOUT_VALUE, "=1")


def test_a_formula_of_an_ods_that_was_never_counted_is_told() -> None:
    rows = register(["P", "1", "A+", "T1", None])
    table = Table(name="Лист1")
    for cells in rows:
        line = TableRow()
        for cell in cells:
            made = TableCell(valuetype="string")
            made.addElement(P(text=cell))
            line.addElement(made if cell else TableCell(formula="of:=[.A1]+1"))
        table.addElement(line)
    book = OpenDocumentSpreadsheet()
    book.spreadsheet.addElement(table)
    held = io.BytesIO()
    book.save(held)

    (parsed,) = parse(Document("x.ods", held.getvalue()), LAYOUTS)

    found = only(parsed)
    assert (found.code, found.seen) == (Code.FORMULA_WITHOUT_VALUE, "=[.A1]+1")
    assert str(found.place) == "sheet 'Лист1', cell E5"


def replaced(content: bytes, part: str, old: bytes, new: bytes, other: bytes = b"") -> bytes:
    """A workbook with bytes of one part changed."""
    held = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            data = source.read(name)
            if name == part:
                assert old in data or (other and other in data)
                data = data.replace(old, new)
                data = data.replace(other, new) if other else data
            target.writestr(name, data)
    return held.getvalue()


def test_a_doctype_in_a_part_is_forbidden() -> None:
    content = workbook(register(["P", "1", None, None, 5]))
    doctype = b'<!DOCTYPE a [<!ENTITY b "c">]><worksheet'

    (parsed,) = read_all(replaced(content, "xl/worksheets/sheet1.xml", b"<worksheet", doctype))

    assert only(parsed).code is Code.FORBIDDEN_CONTENT


def test_parts_that_unpack_too_large_are_not_unpacked() -> None:
    held = io.BytesIO(workbook(register(["P", "1", None, None, 5])))
    with zipfile.ZipFile(held, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/image1.png", b"\0" * 70_000_000)

    (parsed,) = read_all(held.getvalue())

    assert only(parsed).code is Code.TOO_COSTLY


def test_a_sheet_with_too_many_cells_is_too_costly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("parsers.grid_draft.MOST_CELLS", 10)

    assert only(read([["x"] * 11])).code is Code.TOO_COSTLY


def test_a_lone_cell_in_the_last_corner_does_no_harm() -> None:
    def corner(book: Workbook) -> None:
        book.active["XFD1048576"] = 1

    assert len(read(register(["P", "1", None, None, 5]), change=corner).series) == 1


@pytest.mark.parametrize("part", ["EncryptedPackage", "Workbook"])
def test_an_ole_file_is_told_from_its_streams(part: str) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + part.encode("utf-16-le") + b"\0\0"

    (parsed,) = read_all(ole)

    encrypted = part == "EncryptedPackage"
    code = Code.ENCRYPTED_DOCUMENT if encrypted else Code.UNREADABLE_DOCUMENT
    assert only(parsed).code is code
    assert looks_like_document("", ole)


def test_an_encrypted_ods_is_told() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", b"\x01\x02noise")
        archive.writestr("META-INF/manifest.xml", "<m><encryption-data/></m>")

    (parsed,) = read_all(held.getvalue())

    assert only(parsed).code is Code.ENCRYPTED_DOCUMENT


def test_a_cut_off_workbook_is_unreadable_and_never_raises() -> None:
    content = workbook(register(["P", "1", None, None, 5]))

    for length in range(4, len(content), 97):
        (parsed,) = read_all(content[:length])
        assert only(parsed).code is Code.UNREADABLE_DOCUMENT


def test_an_archive_of_documents_is_no_workbook() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("80020.xml", "<a/>")

    assert not looks_like_document("80020.zip", held.getvalue())
