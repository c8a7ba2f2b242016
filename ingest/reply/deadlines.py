"""When a document had to be here, as the rules count it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from layouts.layout import Layout
from layouts.rules.case import Case
from layouts.rules.parameters import Parameters
from layouts.rules.period import due_at
from layouts.terms import Context, Receipt


def deadlines(
    layouts: Mapping[str, Layout], parameters: Parameters
) -> Callable[[Receipt], datetime | None]:
    """What tells the moment before which a document had to be received.

    Of several series the earliest deadline counts; a document of which no series
    could be read has none.
    """

    def deadline_of(receipt: Receipt) -> datetime | None:
        parsed = receipt.parsed
        layout = layouts.get(parsed.layout or "")
        if layout is None or not parsed.series:
            return None
        case = Case(parsed, layout, Context(), parameters)
        ends = {series.end for series in parsed.series if series.values}
        return min((due_at(end, case) for end in ends), default=None)

    return deadline_of
