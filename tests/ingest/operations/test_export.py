"""Sheets as files: no text that somebody else wrote begins a formula."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from ingest.operations.export import COLUMNS, Sheet, write_csv, write_file
from ingest.operations.output import cell_text

WRITTEN_BY_OTHERS = ("entity", "area", "point", "meter")
ROW = dict.fromkeys(COLUMNS) | {"kind": "interval", "channel": "A+", "energy": -5, "late": False}
BEGINS = "=+-@\t\r"


def sheet_with(text):
    row = ROW | dict.fromkeys(WRITTEN_BY_OTHERS, text)
    return Sheet(COLUMNS, [tuple(row[name] for name in COLUMNS)])


def in_csv(text):
    out = io.StringIO(newline="")
    write_csv(sheet_with(text), out)
    [row] = csv.DictReader(io.StringIO(out.getvalue(), newline=""))
    return row


@given(st.text(alphabet=f"{BEGINS}' 1я\",=", max_size=9))
def test_no_cell_of_csv_begins_a_formula_and_every_text_can_be_had_back(text):
    row = in_csv(text)
    for name in WRITTEN_BY_OTHERS:
        assert not row[name].lstrip(" ")[:1] or row[name].lstrip(" ")[0] not in BEGINS
        assert cell_text(row[name]) == text
    assert (row["channel"], row["energy"], row["late"]) == ("A+", "-5", "false")


@pytest.mark.parametrize("text", ["=1+1", "+7", "-1", "@x", '=HYPERLINK("http://evil.example")'])
def test_no_cell_of_a_workbook_is_a_formula(tmp_path, text):
    write_file(sheet_with(text), tmp_path / "a.xlsx")
    cells = load_workbook(tmp_path / "a.xlsx").active[2]
    assert "f" not in {cell.data_type for cell in cells}
    assert text in {cell.value for cell in cells}
