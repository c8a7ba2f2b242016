"""When a document had to be here, as the rules count it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from layouts.layout import Layout
from layouts.rules import Parameters, deadline
from layouts.terms import Receipt


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
        if layout is None:
            return None
        return deadline([item for item in parsed.series if item.values], layout, parameters)

    return deadline_of
