"""Small sheets, each drawn with all that is read and told of it below: `drawn.txt`."""

import pytest

from tests.parsers.sheets.edited import cases, told_of


@pytest.mark.parametrize(
    ("drawing", "lines"),
    [pytest.param(drawing, lines, id=f"{n}") for n, (_, drawing, lines) in enumerate(cases(), 1)],
)
def test_a_small_sheet_is_read_and_told_as_is_drawn_below_it(drawing, lines):
    assert told_of(drawing) == lines, "\n".join(drawing)
