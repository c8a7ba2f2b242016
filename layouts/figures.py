"""Figures that prove: what senders write beside their readings, for comparison only.

A figure is never recorded. One that a document can settle itself is compared where it
is read; the others travel with the document to the rules, which know the register of
points and the readings on record.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from layouts.findings import Place


class FigureKind(StrEnum):
    """What a figure is, with R the reading, D its difference to the last one, K the ratio."""

    PREVIOUS = "previous"
    """The last reading, R - D."""
    DIFFERENCE = "difference"
    """D, as on the meter's face."""
    CONSUMPTION = "consumption"
    """D x K."""
    USAGE = "usage"
    """D or D x K: words such as «расход» are written above either."""
    SCALED = "scaled"
    """R x K or D x K: a "reading, multiplied"."""
    RATIO = "ratio"
    """K, the transformer ratio."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure beside a register reading.

    Attributes:
        value: In kWh or kvarh; a ratio is a bare number.
        point: As the document names it, beside `meter`, `channel` and `zone`.
        instant: Of the reading that it stands beside, UTC.
        since: Instant of the last reading, UTC; None when the document names none.
        place: Its cell.
        seen: As written, in the sender's unit.
    """

    kind: FigureKind
    value: Decimal
    point: str | None
    meter: str
    channel: str
    zone: str
    instant: datetime
    since: datetime | None
    place: Place
    seen: str


def agrees(
    kind: FigureKind,
    value: Decimal,
    reading: Decimal,
    difference: Decimal | None,
    ratio: Decimal | None,
) -> bool | None:
    """Whether a figure is what it should be; None when too little is known to tell.

    Args:
        kind: Of the figure.
        value: The figure.
        reading: The reading beside it.
        difference: From the last reading to this one, rollover seen to.
        ratio: The transformer ratio.
    """
    consumption = None if difference is None or ratio is None else difference * ratio
    scaled = None if ratio is None else reading * ratio
    last = None if difference is None else reading - difference
    meant = {
        FigureKind.PREVIOUS: (last,),
        FigureKind.DIFFERENCE: (difference,),
        FigureKind.CONSUMPTION: (consumption,),
        FigureKind.USAGE: (difference, consumption),
        FigureKind.SCALED: (scaled, consumption),
        FigureKind.RATIO: (ratio,),
    }[kind]
    if any(exact is not None and same(value, exact) for exact in meant):
        return True
    return None if None in meant else False


_MOST_DECIMALS = 6
"""Beyond it, a cell's decimals are the noise of its workbook's binary floats."""


def same(written: Decimal, exact: Decimal) -> bool:
    """Whether a number is another one, rounded to as many decimals as are written."""
    exponent = written.as_tuple().exponent
    decimals = min(-exponent, _MOST_DECIMALS) if isinstance(exponent, int) else 0
    return abs(written - exact) * 2 <= Decimal(1).scaleb(-decimals)
