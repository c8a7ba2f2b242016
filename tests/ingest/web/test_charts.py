"""A column chart: heights are in proportion, and what is missing looks missing."""

from datetime import date

import pytest

from ingest.operations.account.consumption import Amount
from ingest.web.charts import Column, Label, columns

DAY = date(2026, 11, 1)
FLOOR, TALLEST = 270, 254
"""Where the axis is, and the height of what reaches the uppermost line."""


def chart(*amounts):
    return columns(amounts, lambda amount: f"{amount.start:%d}", lambda written: f"{written} kWh")


def drawn(*amounts):
    return chart(*amounts).columns


def test_a_column_is_as_tall_as_its_share_of_the_uppermost_line():
    whole, half, suspect = drawn(
        Amount(DAY, 4000), Amount(DAY, 2000), Amount(DAY, 1000, is_suspect=True)
    )
    wide = (960 - 78 - 8) / 3
    assert whole == Column(
        round(78 + 0.12 * wide, 1), FLOOR - TALLEST, round(0.76 * wide, 1), TALLEST, "bar"
    )
    assert (half.height, half.y, half.style) == (TALLEST / 2, FLOOR - TALLEST / 2, "bar")
    assert (suspect.height, suspect.style) == (round(TALLEST / 4, 1), "suspect")
    assert half.x == round(78 + 1.12 * wide, 1)


def test_the_year_before_stands_beside_and_raises_the_scale():
    past, now, alone = drawn(Amount(DAY, 1000, past=4000), Amount(DAY, 2000))
    wide = (960 - 78 - 8) / 2
    assert past == Column(round(78 + 0.06 * wide, 1), 16, round(0.42 * wide, 1), TALLEST, "past")
    assert (now.x, now.width) == (round(78 + 0.5 * wide, 1), past.width)
    assert now.height == round(TALLEST / 4, 1)
    assert (alone.x, alone.style) == (round(78 + 1.5 * wide, 1), "bar")


@pytest.mark.parametrize(
    ("amount", "styles"),
    [
        (Amount(DAY, None), ["gap"]),
        (Amount(DAY, None, has_begun=False), []),
        (Amount(DAY, 1000, missing=1), ["gap", "bar"]),
        (Amount(DAY, 1000), ["bar"]),
        (Amount(DAY, 0), ["bar"]),
        (Amount(DAY, None, past=0), ["past", "gap"]),
    ],
)
def test_what_is_missing_is_a_gap_as_tall_as_the_chart_and_zero_is_none(amount, styles):
    found = drawn(amount)
    assert [column.style for column in found] == styles
    for column in found:
        if column.style == "gap":
            assert (column.y, column.height) == (16, TALLEST)
        elif amount.energy in {0, None}:
            assert (column.y, column.height) == (FLOOR, 0)


def test_what_was_fed_back_is_not_drawn_below_the_axis():
    (column,) = drawn(Amount(DAY, -500))
    assert (column.y, column.height) == (FLOOR, 0)


@pytest.mark.parametrize(
    ("highest", "written"),
    [
        (None, ["0", "0.001"]),
        (0, ["0", "0.001"]),
        (1, ["0", "0.001"]),
        (7, ["0", "0.001", "0.002", "0.003", "0.004", "0.005", "0.006", "0.007"]),
        (8, ["0", "0.002", "0.004", "0.006", "0.008"]),
        (9, ["0", "0.002", "0.004", "0.006", "0.008", "0.01"]),
        (40_000, ["0", "10", "20", "30", "40"]),
        (40_001, ["0", "10", "20", "30", "40", "50"]),
        (2_300_000, ["0", "1000", "2000", "3000"]),
    ],
)
def test_lines_are_round_and_the_uppermost_is_not_below_the_highest_column(highest, written):
    lines = chart(Amount(DAY, highest)).lines
    assert [line.text for line in lines] == [f"{text} kWh" for text in written]
    assert (lines[0].x, lines[0].y, lines[-1].y) == (78, FLOOR, FLOOR - TALLEST)
    assert lines[1].y == round(FLOOR - TALLEST / (len(lines) - 1), 1)


@pytest.mark.parametrize(("count", "every"), [(1, 1), (12, 1), (28, 1), (31, 2), (60, 3)])
def test_names_stand_in_the_middle_as_far_apart_as_they_can_be_read(count, every):
    named = chart(*(Amount(DAY.replace(day=1 + at % 28), 1) for at in range(count))).names
    wide = (960 - 78 - 8) / count
    assert len(named) == -(-count // every)
    assert named[0] == Label(round(78 + 0.5 * wide, 1), 291, "01")
    if len(named) > 1:
        assert named[1] == Label(round(78 + (every + 0.5) * wide, 1), 291, f"{1 + every:02}")


def test_an_empty_chart_has_its_size_and_a_line():
    empty = chart()
    assert (empty.width, empty.height, empty.left, empty.right) == (960, 300, 78, 952)
    assert (empty.columns, empty.names, len(empty.lines)) == ((), (), 2)
