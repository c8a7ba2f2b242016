"""What one change of a sheet does to all that is read of it: `edited.py` makes the changes."""

from __future__ import annotations

import pytest

from tests.parsers.sheets.edited import BOOKS, GOLDEN, as_told


@pytest.mark.parametrize("name", BOOKS)
def test_a_changed_cell_row_or_column_does_to_a_sheet_what_was_read_and_found_right(
    name: str,
) -> None:
    assert as_told(name) == (GOLDEN / f"{name}.txt").read_text(encoding="utf-8"), (
        "run `python -m tests.parsers.sheets.edited` and read the difference"
    )
