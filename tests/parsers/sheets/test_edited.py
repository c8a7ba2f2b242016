"""What one change of a sheet does to all that is read of it: `edited.py` makes the changes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.parsers.sheets.edited import BOOKS, GOLDEN, as_told, told


@pytest.mark.parametrize("name", BOOKS)
def test_a_changed_cell_row_or_column_does_to_a_sheet_what_was_read_and_found_right(
    name: str,
) -> None:
    assert as_told(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), (
        "run `python -m tests.parsers.sheets.edited` and read the difference"
    )


@pytest.mark.parametrize("corner", ["blank", "struck", "№"])
@pytest.mark.parametrize("title", ["Показания приборов учёта", "Показания", "Текущие показания"])
@pytest.mark.parametrize("label", ["текущее", "Показание текущее", "Показание"])
def test_numbers_of_rows_under_a_title_are_no_readings(corner: str, title: str, label: str) -> None:
    page = BOOKS["narrow"][0]
    cells = {**page.cells, (6, 1): title, (7, 1): None if corner == "blank" else "№", (7, 7): label}
    struck = frozenset({(7, 1)} if corner == "struck" else ())
    lines = told((replace(page, cells=cells, struck=struck),))
    readings = [line.partition(" = ")[2] for line in lines if " = " in line]
    assert readings == ["150.5 at G8", "260 at G9", "1001 at G10"]
