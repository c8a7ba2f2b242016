"""Values that a column cannot keep exactly are refused, never rounded or zeroed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layouts.exact import MICRO, decimal
from storage.columns import INTEGER_MOST, micro

MOST = INTEGER_MOST // MICRO


@given(st.integers(-MOST * MICRO + MICRO, MOST * MICRO - MICRO))
def test_millionths_come_back_equal(units):
    assert micro(decimal(units)) == units


@pytest.mark.parametrize("value", [MOST, -MOST, MOST * 10, Decimal("1E30"), Decimal("-1E400")])
def test_what_has_no_place_in_the_column_is_refused(value):
    with pytest.raises(ValueError, match="no place"):
        micro(Decimal(value))


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_any_decimal_is_kept_exactly_or_refused(value):
    try:
        units = micro(value)
    except ValueError:
        return
    assert decimal(units) == value
