"""Which row of labels is the 24 hours of a day: read in one way, or not at all."""

from datetime import time

import pytest

from parsers.sheets.hours import hour_columns

STARTS = list(range(24))
SPANS = [f"{hour}-{hour + 1}" for hour in STARTS]


def row(*cells, first=1):
    return {column: cell for column, cell in enumerate(cells, first) if cell != ""}


@pytest.mark.parametrize(
    ("cells", "hours"),
    [
        (row(*STARTS), STARTS), (row(*range(1, 25)), STARTS), (row(*range(1, 24), 0), STARTS),
        (row(*SPANS), STARTS), (row(*SPANS[5:], *SPANS[:5]), [*STARTS[5:], *STARTS[:5]]),
        (row(*(time(hour) for hour in STARTS)), STARTS),
        (row(*(f"{h}:00" for h in STARTS)), STARTS),
        (row("Дата", *STARTS, "Итого"), STARTS), (row(*STARTS[:12], "x", *STARTS[12:]), STARTS),
        (row(*STARTS, "", 7), STARTS), (row(7, *SPANS), STARTS),
        # What may be read in two ways, or has more of the same, is none.
        (row(*range(25)), []), (row(*STARTS[:-1]), []), (row(*STARTS[:-1], "x"), []),
        (row(*range(1, 32)), []), (row(*STARTS, *STARTS), []), (row(*STARTS, 24), []),
        (row(*STARTS[:12], 0.7, *STARTS[12:]), []), (row(*STARTS[:12], "12.5", *STARTS[12:]), []),
        (row(*STARTS, 0.5), []), (row(*STARTS, "5 x"), []), (row(*STARTS, "x 5"), STARTS),
        (row(*SPANS[:-1], "0-1"), []), (row(*SPANS, "5-6"), []), (row(*SPANS[:-1]), []),
        (row(*reversed(STARTS)), []), (row(*STARTS[1:], *STARTS[:1], 1), []), ({}, []),
    ],
)  # fmt: skip
def test_a_row_names_each_hour_of_a_day_once(cells, hours):
    assert list(hour_columns(cells).values()) == hours


@pytest.mark.parametrize("before", [0, 1, 3])
def test_hours_are_of_their_own_columns(before):
    found = hour_columns(row(*["x"] * before, *STARTS))
    assert found == {before + 1 + hour: hour for hour in STARTS}
    after = hour_columns(row(*["x"] * before, *range(1, 25), "Итого"))
    assert after == found
