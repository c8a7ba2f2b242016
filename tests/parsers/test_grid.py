"""The same sheet is the same grid, whatever program and format it was saved in."""

from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layouts.findings import Code, Finding
from parsers.grid import EPOCH_1900, EPOCH_1904, ErrorCell, Sheet
from parsers.grid_draft import Spent
from parsers.workbooks import open_workbook
from tests.parsers.pages import WRITERS, Page, Wrong

BOOKS = sorted((Path(__file__).parent / "books").iterdir())
BINARY = Path(__file__).parents[2] / "samples" / "52006" / "readings.xlsb"


def sheets(content: bytes) -> list[Sheet]:
    opened = open_workbook(content)
    assert isinstance(opened, list), opened
    return opened


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_a_book_is_read_the_same_whoever_saved_it(path):
    readings, other = sheets(path.read_bytes())
    rows = {
        row: {
            1: f"0751000{row % 2 ^ 1}",
            2: 12345.67 + row - 3,
            3: datetime(2026, 11, row - 2),  # noqa: DTZ001
            4: 0.25,
            5: time(row - 3),
            6: f"{815 + row - 3:08d}",
        }
        for row in range(3, 9)
    }
    assert {row: readings.rows[row] for row in (4, 6, 8)} == {row: rows[row] for row in (4, 6, 8)}
    assert readings.unseen == {3: {**rows[3], 7: "скрыто"}, 5: rows[5], 7: rows[7]}
    assert readings.rows[11] == {1: "07510009", 2: ErrorCell("#DIV/0!")}
    assert readings.rows[12] == {2: ErrorCell("#N/A")}
    assert readings.rows[13] == {2: 12347.67}
    assert [readings.key(row, 1) for row in (11, 12, 13, 14)] == ["07510009"] * 3 + [None]
    assert [readings.spread(1, column) for column in (1, 3, 4)] == ["Ведомость"] * 2 + [None]
    assert {(11, 2), (12, 2), (13, 2)} <= readings.formulas
    assert {(row, 4) for row in range(3, 9)} == set(readings.percents)
    assert readings.epoch == (EPOCH_1904 if "1904" in path.name else EPOCH_1900)
    assert (readings.is_visible, other.is_visible) == (True, False)
    assert other.rows == {1: {1: "нет"}}


@pytest.mark.parametrize("path", [*BOOKS, BINARY], ids=lambda path: path.name)
def test_the_cells_of_every_format_are_counted_against_the_bound(path, monkeypatch):
    spent = Spent()
    opened = open_workbook(path.read_bytes(), spent)
    filled = [[*sheet.rows.values(), *sheet.unseen.values()] for sheet in opened]
    assert spent.cells == sum(len(row) for rows in filled for row in rows) > 0

    monkeypatch.setattr("parsers.grid_draft.MOST_CELLS", spent.cells)
    assert len(sheets(path.read_bytes())) == len(opened)
    monkeypatch.setattr("parsers.grid_draft.MOST_CELLS", spent.cells - 1)
    refused = open_workbook(path.read_bytes())
    assert isinstance(refused, Finding)
    assert refused.code is Code.TOO_COSTLY


values = st.one_of(
    st.text("абвАБВ xyz№<&>\"'0123456789", min_size=1, max_size=12).map(str.strip).filter(bool),
    st.integers(0, 99_999_999),
    st.integers(0, 99_999_999).map(lambda n: n / 1000),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["#N/A", "#DIV/0!", "#REF!"]).map(Wrong),
)
pages = st.builds(
    Page,
    st.just("Лист"),
    st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 9)), values, min_size=1),
    hidden_rows=st.sets(st.integers(1, 9), max_size=3),
    hidden_columns=st.sets(st.integers(1, 9), max_size=3),
    is_visible=st.booleans(),
)


def as_read(value):
    if isinstance(value, Wrong):
        return ErrorCell(value.text)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001
    return int(value) if isinstance(value, float) and value.is_integer() else value


@settings(max_examples=60, derandomize=True, deadline=None, database=None)
@given(pages, st.sampled_from(sorted(WRITERS)))
def test_each_cell_is_seen_or_unseen_as_it_was_written(page, container):
    # A book of hidden sheets alone is none.
    first = Page("Титул", {(1, 1): "x"})
    _, sheet = sheets(WRITERS[container]([first, page]))
    seen, unseen = {}, {}
    for (row, column), value in page.cells.items():
        gone = row in page.hidden_rows or column in page.hidden_columns
        (unseen if gone else seen).setdefault(row, {})[column] = as_read(value)
    assert (sheet.rows, sheet.unseen, sheet.is_visible) == (seen, unseen, page.is_visible)


@pytest.mark.parametrize("container", sorted(WRITERS))
def test_what_lies_below_a_merged_cell_is_not_seen(container):
    cells = {(1, 1): "A", (2, 1): "B", (1, 2): "C", (3, 2): "D"}
    [sheet] = sheets(WRITERS[container]([Page("Лист", cells, merged=[(1, 1, 2, 2)])]))
    assert sheet.rows == {1: {1: "A"}, 3: {2: "D"}}
    assert sheet.spread(1, 2) == "A"


@pytest.mark.parametrize("container", sorted(WRITERS))
def test_a_merged_cell_is_seen_where_only_its_first_row_is_hidden(container):
    cells = {(1, 1): "07510001", (1, 2): 1, (2, 2): 2}
    page = Page("Лист", cells, merged=[(1, 1, 2, 1)], hidden_rows={1})
    [sheet] = sheets(WRITERS[container]([page]))
    assert sheet.rows == {2: {2: 2}}
    assert sheet.key(2, 1) == "07510001"
