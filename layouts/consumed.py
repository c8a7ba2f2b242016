"""What went through a meter between two readings of one register."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext

_WATT_HOURS = Decimal(1000)
_PRECISION = 50
"""Twelve digits of reading, nine of ratio and all their decimals are exact in it."""


def is_rollover(before: Decimal, after: Decimal, digits: int | None) -> bool:
    """Whether the register passed its last digit: it shows less than it did.

    Readings that go back without that were refused when they came.
    """
    return after < before and digits is not None


def consumed_wh(
    before: Decimal, after: Decimal, ratio: Decimal, digits: int | None = None
) -> int | None:
    """Consumption in whole Wh (or varh): difference x ratio; half a unit is rounded up.

    Args:
        before: The reading before, in kWh as on the meter's face.
        after: The later one.
        ratio: Of the transformers.
        digits: The meter's places before the point, where the register rolls over.

    Returns:
        None when the register went back and its digits are not known.
    """
    with localcontext(prec=_PRECISION):
        difference = after - before
        if difference < 0:
            if digits is None:
                return None
            difference += Decimal(10) ** digits
        exact = difference * ratio * _WATT_HOURS
        return int(exact.to_integral_value(ROUND_HALF_UP))
