"""Readings as whole numbers of millionths: exact, and what every database keeps."""

from __future__ import annotations

from decimal import Decimal

MICRO = 10**6
_ONE_MICRO = Decimal("0.000001")


def decimal(units: int) -> Decimal:
    """The decimal of so many millionths, without trailing zeros."""
    if units % MICRO:
        return (units * _ONE_MICRO).normalize()
    return Decimal(units // MICRO)
