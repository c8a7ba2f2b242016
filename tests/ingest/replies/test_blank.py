"""The workbook to fill in: what it asks for, and that the readers take it back."""

from __future__ import annotations

import io
from calendar import monthrange
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from openpyxl.workbook.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from ingest.replies.blank import _installed, template
from layouts.document import Document, Parsed
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from parsers import parse
from tests.ingest.replies.cases import NOVEMBER

LAYOUTS = load()
TODAY = date(2026, 11, 3)
ENTITY = LegalEntity(
    "020000001234",
    "ООО «Пример»",
    points=(
        MeteringPoint(
            "020000001234-01",
            meters=(
                Meter("07512345", digits=6, decimals=2, zones=("T1", "T2")),
                Meter("00000001", removed=date(2026, 5, 1)),
            ),
        ),
        MeteringPoint(
            "020000001234-02", meters=(Meter("07519999", digits=5, channels=("A+", "R+")),)
        ),
        MeteringPoint("020000001234", channels=("A+", "A-")),
    ),
)
METER = (None, "020000001234-01", "07512345", None)
LAST = {(METER, "A+", "T1"): (Decimal("12345.67"), NOVEMBER)}


def form(number: str, language: str = "ru", entity: LegalEntity | None = ENTITY) -> Workbook:
    content = template(LAYOUTS[number], entity, LAST, language, today=TODAY)
    return openpyxl.load_workbook(io.BytesIO(content))


def read_back(workbook: Workbook) -> Parsed:
    buffer = io.BytesIO()
    workbook.save(buffer)
    (parsed,) = parse(Document("образец.xlsx", buffer.getvalue()), LAYOUTS)
    return parsed


def inputs(sheet: Worksheet) -> list[str]:
    return [c.coordinate for row in sheet.iter_rows() for c in row if not c.protection.locked]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_filled_form_of_readings_is_read_without_a_finding(language: str) -> None:
    workbook = form("52006", language)
    sheet = workbook.worksheets[0]
    cells = [name for name in inputs(sheet) if name.startswith("G")]
    for number, name in enumerate(cells):
        sheet[name] = 12400.25 + number
    parsed = read_back(workbook)
    assert parsed.findings == ()
    assert parsed.header.sender_code == "020000001234"
    told = [(s.point, s.meter, s.channel, s.zone, s.reading, s.start) for s in parsed.series]
    first, second = "020000001234-01", "020000001234-02"
    assert told == [
        (first, "07512345", "A+", "T1", Decimal("12400.25"), NOVEMBER),
        (first, "07512345", "A+", "T2", Decimal("12401.25"), NOVEMBER),
        (second, "07519999", "A+", "T0", Decimal("12402.25"), NOVEMBER),
        (second, "07519999", "R+", "T0", Decimal("12403.25"), NOVEMBER),
    ]


@pytest.mark.parametrize("language", ["ru", "en"])
def test_a_filled_profile_is_read_without_a_finding(language: str) -> None:
    workbook = form("52005", language)
    sheet = workbook.worksheets[0]
    start = next(row for row in range(1, 30) if sheet.cell(row, 3).value == 1)
    for block in (start, start + 31):
        for row in range(block, block + 31):
            for column in range(4, 28):
                sheet.cell(row, column).value = 67
    parsed = read_back(workbook)
    assert parsed.findings == ()
    assert [(s.point, s.channel, s.count, s.total) for s in parsed.series] == [
        ("020000001234", "A+", 744, 744 * 67_000),
        ("020000001234", "A-", 744, 744 * 67_000),
    ]
    assert parsed.series[0].start == datetime(2026, 9, 30, 21, tzinfo=UTC)


@pytest.mark.parametrize("year", [2027, 2028])
@pytest.mark.parametrize("month", range(1, 13))
def test_a_profile_form_has_the_days_of_its_month_and_no_others(year: int, month: int) -> None:
    content = template(LAYOUTS["52005"], None, {}, "ru", today=date(year, month, 28))
    workbook = openpyxl.load_workbook(io.BytesIO(content))
    sheet = workbook.worksheets[0]
    (at,) = [row[1].coordinate for row in sheet.iter_rows() if row[1].value == f"{month:02}.{year}"]
    assert at not in inputs(sheet)
    days = [row[2].value for row in sheet.iter_rows() if isinstance(row[2].value, int)]
    assert days == list(range(1, monthrange(year, month)[1] + 1))


def test_a_partly_filled_form_gives_what_is_there() -> None:
    workbook = form("52006")
    sheet = workbook.worksheets[0]
    sheet[next(name for name in inputs(sheet) if name.startswith("G"))] = 5
    parsed = read_back(workbook)
    assert parsed.findings == ()
    assert len(parsed.series) == 1


@pytest.mark.parametrize("language", ["ru", "en"])
@pytest.mark.parametrize("number", ["52005", "52006"])
def test_the_name_of_a_point_stands_beside_its_code_and_is_read_as_nothing(number, language):
    # Words that would mean something in another column.
    names = ("Ввод № 2, реактивная, ночь", "Итого", "150")
    points = tuple(
        replace(point, name=name) for point, name in zip(ENTITY.points, names, strict=True)
    )
    workbook = form(number, language, replace(ENTITY, points=points))
    sheet = workbook.worksheets[0]
    listed = {(row[0].value, row[1].value) for row in sheet.iter_rows()}
    wanted = zip(points, names, strict=True)
    assert {(p.code, name) for p, name in wanted if bool(p.meters) == (number == "52006")} <= listed
    for row in sheet.iter_rows(min_row=9):
        for cell in row[5:]:
            if not cell.protection.locked:
                cell.value = 67
    parsed = read_back(workbook)
    assert [found for found in parsed.findings if found.is_error] == []
    assert {series.channel for series in parsed.series} > {"A+"}


def test_the_last_reading_stands_beside_the_empty_cell() -> None:
    sheet = form("52006").worksheets[0]
    row = next(r for r in sheet.iter_rows() if r[1].value == "07512345" and r[3].value == "T1")
    assert [cell.value for cell in row[4:7]] == [
        12345.67,
        datetime.fromisoformat("2026-11-01"),
        None,
    ]


def test_only_what_is_filled_in_can_be_changed() -> None:
    workbook = form("52006")
    sheet = workbook.worksheets[0]
    assert all(each.protection.sheet for each in workbook.worksheets)
    names = inputs(sheet)
    assert len(names) == 3 + 4
    assert [sheet[name].value for name in names] == [
        None,
        "кВт·ч",
        datetime.fromisoformat("2026-11-01"),
        *[None] * 4,
    ]


def test_a_removed_meter_is_left_out_once_its_month_is_over() -> None:
    meters = (Meter("1", removed=date(2026, 10, 5)), Meter("2", removed=date(2026, 9, 30)))
    entity = replace(ENTITY, points=(MeteringPoint("p", meters=meters),))
    sheet = form("52006", entity=entity).worksheets[0]
    listed = {row[1].value for row in sheet.iter_rows(min_row=10)}
    assert "1" in listed
    assert "2" not in listed


def test_typing_is_checked_against_the_meter() -> None:
    sheet = form("52006").worksheets[0]
    rules = {
        (rule.type, rule.formula1, rule.formula2) for rule in sheet.data_validations.dataValidation
    }
    assert ("decimal", "0", "999999.999999") in rules
    assert ("decimal", "0", "99999.999999") in rules


def test_an_empty_form_takes_any_meter() -> None:
    workbook = form("52006", entity=None)
    sheet = workbook.worksheets[0]
    row = next(r for r in range(1, 40) if sheet.cell(r, 2).value == "№ прибора учёта") + 1
    sheet["B5"] = "020000001234"
    for column, value in ((1, "020000001234-01"), (2, "07512345"), (3, "A+"), (4, "T1"), (7, 5)):
        sheet.cell(row, column).value = value
    parsed = read_back(workbook)
    assert parsed.findings == ()
    assert [s.meter for s in parsed.series] == ["07512345"]


@pytest.mark.parametrize(
    ("today", "month", "instant"),
    [
        (date(2026, 11, 10), "10.2026", datetime.fromisoformat("2026-11-01")),
        (date(2026, 11, 11), "11.2026", datetime.fromisoformat("2026-12-01")),
        (date(2026, 1, 2), "12.2025", datetime.fromisoformat("2026-01-01")),
    ],
)
def test_the_month_is_the_one_that_has_just_ended_until_the_tenth(
    today: date, month: str, instant: datetime
) -> None:
    profile = template(LAYOUTS["52005"], ENTITY, {}, "ru", today=today)
    readings = template(LAYOUTS["52006"], ENTITY, {}, "ru", today=today)
    first = openpyxl.load_workbook(io.BytesIO(profile)).worksheets[0]
    second = openpyxl.load_workbook(io.BytesIO(readings)).worksheets[0]
    assert month in {row[1].value for row in first.iter_rows(max_row=9)}
    assert instant in {row[1].value for row in second.iter_rows(max_row=9)}


def test_a_layout_without_a_workbook_has_no_form() -> None:
    with pytest.raises(ValueError, match="80020 has no workbook"):
        template(LAYOUTS["80020"], ENTITY, {}, "ru", today=TODAY)


def test_a_name_that_begins_like_a_formula_stays_a_text() -> None:
    sheet = form("52006", entity=replace(ENTITY, name="=1+1")).worksheets[0]
    cell = next(c for row in sheet.iter_rows(max_row=9) for c in row if c.value == "=1+1")
    assert cell.data_type == "s"


# Forms filled in and saved by LibreOffice 7: made once from `form(...)` with
# `soffice --headless --convert-to xlsx --outdir saved filled.xlsx` (ods, xls).
SAVED = Path(__file__).parent / "saved"


@pytest.mark.parametrize("name", ["52006.xlsx", "52006.ods", "52005.xls"])
def test_a_form_saved_by_libreoffice_is_read_without_a_finding(name: str) -> None:
    (parsed,) = parse(Document(name, (SAVED / name).read_bytes()), LAYOUTS)
    assert parsed.findings == ()
    assert parsed.layout == name[:5]
    assert sum(series.count for series in parsed.series) == (
        4 if parsed.layout == "52006" else 1488
    )


@pytest.mark.parametrize(
    ("removed", "read"),
    [
        (None, True),
        (date(2026, 10, 1), True),
        (date(2026, 9, 30), False),
        (date(2026, 11, 9), True),
    ],
)
def test_a_meter_that_was_removed_in_the_last_month_is_read_too(
    removed: date | None, read: bool
) -> None:
    place = MeteringPoint("P1", meters=(Meter("1", removed=removed),))
    for day in (1, 15, 30):
        assert bool(_installed(place, date(2026, 11, day))) is read
