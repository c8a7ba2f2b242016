"""One document judged: by a letter, by `check`, by every other way in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from layouts.findings import Code
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.rules import check
from layouts.terms import Checked, Known, LegalEntity, Parsed, Wants


def judge(
    document: Parsed,
    layouts: Mapping[str, Layout],
    parameters: Parameters,
    entity: LegalEntity | None,
    received_at: datetime | None,
    know: Callable[[Wants], Known],
    overrides: Collection[Code] | None = None,
) -> Checked:
    """The verdict on a document by the layout that claims it, and what recording it changes.

    Args:
        document: As read.
        layouts: The forms, by name.
        parameters: The bounds of the rules.
        entity: The sender; None without a register of points.
        received_at: Aware; None leaves out the rules that depend on it.
        know: Tells what is on record.
        overrides: Codes that an operator decides against; None: no operator's document.
    """
    layout = layouts.get(document.layout or "")
    return check(document, layout, entity, received_at, know, parameters, overrides)
