"""A sheet's grid while its cells are read: what is seen, what is not, what it costs."""

import pytest

from parsers import grid_draft
from parsers.grid import EPOCH_1900, Merged, Sheet
from parsers.grid_draft import SheetDraft, Spent, TooCostlyError
from parsers.number_formats import GENERAL, NumberFormat, Shape


def draft(cells: dict, **about) -> SheetDraft:
    made = SheetDraft("Лист", Spent(), **about)
    for at, cell in cells.items():
        made.put(*at, cell)
    return made


FOUR = {(2, 2): "b", (1, 2): 2, (2, 1): "a", (1, 1): 1}


@pytest.mark.parametrize(
    ("about", "unseen"),
    [
        ({}, set()), ({"hidden_rows": {1}}, {(1, 1), (1, 2)}), ({"hidden_rows": {9}}, set()),
        ({"hidden_columns": [(2, 9)]}, {(1, 2), (2, 2)}), ({"hidden_columns": [(3, 9)]}, set()),
        ({"hidden_columns": [(0, 1)]}, {(1, 1), (2, 1)}), ({"veiled": {(2, 2)}}, {(2, 2)}),
        ({"merged": [Merged(1, 1, 2, 2)]}, {(1, 2), (2, 1), (2, 2)}),
        ({"merged": [Merged(1, 2, 2, 2)]}, {(2, 2)}), ({"merged": [Merged(5, 5, 6, 6)]}, set()),
        ({"merged": [Merged(2, 2, 9, 9)]}, set()), ({"merged": [Merged(2, 1, 2, 2)]}, {(2, 2)}),
        ({"hidden_rows": {1}, "hidden_columns": [(1, 1)]}, {(1, 1), (1, 2), (2, 1)}),
        ({"hidden_rows": {1}, "veiled": {(2, 1)}}, {(1, 1), (1, 2), (2, 1)}),
    ],
)  # fmt: skip
def test_what_is_hidden_below_another_or_veiled_is_not_seen(about, unseen):
    sheet = draft(FOUR, **about).sheet()
    found = {
        name: {(row, column): cell for row, cells in rows.items() for column, cell in cells.items()}
        for name, rows in (("rows", sheet.rows), ("unseen", sheet.unseen))
    }
    assert set(found["unseen"]) == unseen
    assert found["rows"] | found["unseen"] == FOUR
    for rows in (sheet.rows, sheet.unseen):
        assert list(rows) == sorted(rows)
        assert all(list(cells) == sorted(cells) for cells in rows.values())


def test_heads_are_of_filled_rows_and_of_columns_up_to_the_last_filled_one():
    made = draft({(1, 1): "a", (3, 4): "b"})
    made.merge(Merged(1, 1, 3, 2))
    made.merge(Merged(3, 3, 3, 9))
    sheet = made.sheet()
    assert sheet.heads == {
        (1, 1): (1, 1), (1, 2): (1, 1), (3, 1): (1, 1), (3, 2): (1, 1), (3, 3): (3, 3),
        (3, 4): (3, 3),
    }  # fmt: skip
    # Each cell below, and each range.
    assert (made.spent.covered, made.spent.merged) == (6 + 2, 2)
    assert sheet.merged == (Merged(1, 1, 3, 2), Merged(3, 3, 3, 9))
    assert draft({}, merged=[Merged(1, 1, 3, 2)]).sheet().heads == {}


def test_a_sheet_has_what_was_said_of_it():
    made = draft({(1, 1): 7}, epoch=EPOCH_1900.replace(year=1904), is_visible=False)
    made.formulas.add((1, 1))
    assert made.typed((1, 2), 0.5, NumberFormat(Shape.PERCENT)) == 0.5
    assert made.typed((1, 3), 7.0, NumberFormat(Shape.UNSEEN)) == 7
    assert made.typed((1, 4), 7.0, GENERAL) == 7
    assert (made.percents, made.veiled) == ({(1, 2)}, {(1, 3)})
    sheet = made.sheet()
    assert (sheet.name, sheet.is_visible, sheet.epoch.year) == ("Лист", False, 1904)
    assert (sheet.formulas, sheet.percents) == ({(1, 1)}, {(1, 2)})
    shown = draft({}).sheet()
    assert (shown.is_visible, shown.epoch) == (True, EPOCH_1900)


ROWS = [(1,), (1, 1), (1, 1, 1), (2,), (3,), (1, 2), (2, 1)]


@pytest.mark.parametrize("sizes", ROWS)
def test_a_row_is_counted_once_and_as_lone_while_it_has_one_cell(sizes):
    one, other = SheetDraft("1", Spent()), SheetDraft("1", Spent())
    column = 0
    for size in sizes:
        several = {column + n: n for n in range(1, size + 1)}
        column += size
        one.fill(5, several)
        for at, cell in several.items():
            other.put(5, at, cell)
    for made in (one, other):
        assert (made.spent.rows, made.spent.lone) == (1, int(sum(sizes) == 1))
        assert made.spent.cells == sum(sizes)
        # The same cell again is no other row.
        made.put(5, 1, 9)
        made.fill(5, {1: 9})
        assert (made.spent.rows, made.spent.lone) == (1, int(sum(sizes) == 1))


@pytest.mark.parametrize(
    "cells", [{1: 1, 16_385: 1}, {0: 1, 5: 1}, {-1: 1}, {16_384: 1, 16_385: 2}]
)
def test_no_cell_of_a_row_lies_beside_the_sheet(cells):
    with pytest.raises(TooCostlyError, match="1048576 x 16384"):
        SheetDraft("1", Spent()).fill(1, cells)


def test_a_row_becomes_too_wide_by_any_way_of_filling_it(monkeypatch):
    monkeypatch.setattr(grid_draft, "MOST_WIDE", 3)
    for last in ({4: 1}, {1: 1}, {3: 1, 4: 1}):
        made = SheetDraft("1", Spent())
        made.fill(1, {1: 1, 2: 1, 3: 1})
        made.put(1, 2, 5)
        if 4 in last:
            with pytest.raises(TooCostlyError, match="3"):
                made.fill(1, last)
        else:
            made.fill(1, last)


def test_a_merged_cell_is_seen_in_each_of_its_cells_and_named_by_its_first_column():
    sheet = draft({(1, 1): "a", (2, 3): "b", (1, 4): "c"}, merged=[Merged(1, 1, 2, 2)]).sheet()
    assert isinstance(sheet, Sheet)
    spreads = {(row, column): sheet.spread(row, column) for row in (1, 2) for column in range(1, 5)}
    assert spreads == {(1, 1): "a", (1, 2): "a", (2, 1): "a", (2, 2): "a", (1, 3): None,
                       (2, 3): "b", (1, 4): "c", (2, 4): None}  # fmt: skip
    assert [sheet.key(2, column) for column in (1, 2, 3)] == ["a", None, "b"]
    assert (sheet.head(2, 2), sheet.head(2, 3)) == ((1, 1), (2, 3))
    hidden = draft({(1, 1): "a", (2, 3): "b"}, merged=[Merged(1, 1, 2, 2)], hidden_rows={1}).sheet()
    assert (hidden.spread(2, 1), hidden.spread(1, 1), hidden.key(2, 2)) == ("a", None, None)
