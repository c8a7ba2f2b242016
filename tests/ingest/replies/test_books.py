"""Workbooks that senders get, whole: each cell, width, rule and colour of them.

    python -m tests.ingest.replies.test_books

writes `golden/books/` again; read the difference before committing it.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from openpyxl.comments import Comment
from openpyxl.styles import PatternFill
from openpyxl.workbook.workbook import Workbook

from ingest.reading.documents import written_in
from ingest.replies.blank import template
from ingest.replies.cells import cell_position, ranges_told
from ingest.replies.marked import mark
from layouts.document import Document
from layouts.findings import Code, Place, finding
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from tests.ingest.replies.cases import NOVEMBER
from tests.ingest.replies.drawn import drawn
from tests.ingest.replies.renew import GOLDEN

BOOKS = GOLDEN / "books"
LAYOUTS = load()
ENTITY = LegalEntity(
    "020000001234",
    "ООО «Пример»",
    points=(
        MeteringPoint(
            "020000001234-01",
            "Котельная",
            meters=(
                Meter("07512345", digits=6, decimals=2, zones=("T1", "T2")),
                Meter("00000001", digits=6, decimals=0, removed=date(2026, 10, 1)),
                Meter("00000002", removed=date(2026, 9, 30)),
            ),
        ),
        MeteringPoint("020000001234-02", meters=(Meter("07519999", channels=("A+", "R+")),)),
        MeteringPoint("020000001234", "Ввод 1", channels=("A+", "A-")),
    ),
)
KEY = (None, "020000001234-01", "07512345", None)
LAST = {(KEY, "A+", "T1"): (Decimal("12345.67"), NOVEMBER)}


def blank(number: str, language: str, entity: LegalEntity | None) -> bytes:
    return template(LAYOUTS[number], entity, LAST, language, today=date(2026, 11, 10))


WHOLE_METERS = replace(ENTITY, points=ENTITY.points[:2])


def returned(language: str) -> bytes:
    """A workbook that was marked before, with a password beside and below its labels."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    sheet.title = "Лист1"
    rows = (
        ("Показания",), ("Пароль", "Сек рет-77"), ("Пароль", *[None] * 11, "Сек рет-77"),
        ("Пароль", *[None] * 12, "далеко"), ("Пароль: Сек рет-77", "рядом"),
        ("x", "Пароль"), ("x", "Сек рет-77"), ("не Сек рет-77 это",),
        ("Пароль", None), ("своё", 5), ("=1+1", 7.5), ("Пароль",), ("объединено",),
    )  # fmt: skip
    for row in rows:
        sheet.append(row)
    sheet.merge_cells("A13:B14")
    sheet["B10"].comment = Comment("своё слово", "Иванова")
    sheet["B11"].comment = Comment("Ошибка: старая", "Приём показаний")
    for name, colour in (("B11", "FFF4A6A0"), ("B10", "FF00FF00"), ("A11", "FFFFE58A")):
        sheet[name].fill = PatternFill("solid", fgColor=colour)
    workbook.create_sheet("Скрытый").sheet_state = "hidden"
    workbook.create_sheet("Не читался")["A1"] = 1
    workbook.create_sheet("Ещё")["C3"] = date(2026, 11, 1)
    held = io.BytesIO()
    workbook.save(held)
    findings = [
        finding(Code.POINT_MISSING, points="1"),
        finding(Code.DECIMAL_COMMA, Place(sheet="Лист1", cell="B11"), seen="7,5"),
        finding(Code.INVALID_NUMBER, Place(sheet="Лист1", cell="B10"), seen="пять" * 20),
        finding(Code.NEGATIVE_VALUE, Place(sheet="Лист1", cell="B14"), seen="-1"),
        finding(Code.INVALID_DATE, Place(sheet="Нет такого", cell="A1"), field="date"),
        finding(Code.NOT_READ, Place(sheet="Не читался"), reason="no-words"),
        finding(Code.NOT_READ, Place(sheet="Ещё", cell="C3:C5"), seen="x"),
        finding(Code.LATE_SUBMISSION),
        *(finding(Code.SPIKE, Place(sheet="Ещё", cell="C3"), seen=f"{n}") for n in range(3)),
    ]
    document = Document("папка/52006.xlsx", held.getvalue())
    result = mark(document, findings, {"Сек рет-77"}, language, written_in)
    assert result is not None
    return result.content


MADE: dict[str, Callable[[], bytes]] = {
    "52006.ru": lambda: blank("52006", "ru", ENTITY),
    "52006.en": lambda: blank("52006", "en", WHOLE_METERS),
    "52006.empty": lambda: blank("52006", "ru", None),
    "52005.ru": lambda: blank("52005", "ru", ENTITY),
    "52005.whole-meters": lambda: blank("52005", "ru", replace(ENTITY, points=ENTITY.points[1:2])),
    "52005.empty": lambda: blank("52005", "en", None),
    "marked.ru": lambda: returned("ru"),
    "marked.en": lambda: returned("en"),
}


@pytest.mark.parametrize("name", MADE)
def test_a_workbook_for_senders_is_what_was_read_and_found_right(name: str) -> None:
    assert drawn(MADE[name]()) == (BOOKS / f"{name}.txt").read_text(encoding="utf-8"), (
        "run `python -m tests.ingest.replies.test_books` and read the difference"
    )


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("A1", (1, 1)), ("Z9", (9, 26)), ("AA10", (10, 27)), ("AZ1", (1, 52)), ("BA1", (1, 53)),
        ("ZZ1", (1, 702)), ("AAA1", (1, 703)), ("XFD1048576", (1_048_576, 16_384)),
        ("a1", None), ("1A", None), ("A", None), ("", None), ("A1:B2", None), ("ABCD1", None),
    ],
)  # fmt: skip
def test_a_cell_s_name_tells_its_row_and_column(
    name: str, position: tuple[int, int] | None
) -> None:
    assert cell_position(name) == position


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["A1"], ["A1"]),
        (["B1", "A1"], ["A1:B1"]),
        (["A1", "A2", "A2"], ["A1:A2"]),
        (["A1", "A3"], ["A1", "A3"]),
        (["A1", "B1", "A2", "B2"], ["A1:B2"]),
        (["A1", "B1", "A2"], ["A1:B1", "A2"]),
        (["A1", "C1"], ["A1", "C1"]),
        (["Z1", "AA1"], ["Z1:AA1"]),
        (["B2", "A9", "x"], ["B2", "A9", "x"]),
    ],
)
def test_cells_are_told_as_ranges(names: list[str], told: list[str]) -> None:
    assert ranges_told(names) == told


def main() -> None:
    """Write every file."""
    BOOKS.mkdir(exist_ok=True)
    for name, made in MADE.items():
        (BOOKS / f"{name}.txt").write_text(drawn(made()), encoding="utf-8")


if __name__ == "__main__":
    main()
