"""One document judged: by a letter, by `check`, by every other way in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from ingest.letters.secrets import Masker
from layouts.document import Parsed
from layouts.findings import Code
from layouts.known import Checked, Known, Wants
from layouts.layout import Layout
from layouts.parameters import Parameters
from layouts.points import LegalEntity
from layouts.rules import against_each_other, check

__all__ = ["against_each_other", "judge", "without_secrets"]


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
        know: `Store.know`, or what stands in for it without a database.
        overrides: Codes that an operator decides against; None: no operator's document.
    """
    layout = layouts.get(document.layout or "")
    return check(document, layout, entity, received_at, know, parameters, overrides)


def without_secrets(
    document: Parsed, checked: Checked, entity: LegalEntity | None, secrets: Iterable[str]
) -> tuple[Parsed, Checked]:
    """A judged document and its verdict, with no password in place of a point's code.

    A password that is also a name in the entity's own part of the register stays, as it
    gives nothing away.

    Args:
        document: As it was parsed.
        checked: Its verdict.
        entity: Whose it is; None when nobody proved to be its sender.
        secrets: Passwords that the letter gives.
    """
    hidden = set(secrets)
    if hidden and entity is not None:
        hidden -= set(_names(entity))
    if not hidden or not checked.findings:
        return document, checked
    masker = Masker(hidden)
    found = tuple(map(masker.whole_finding, checked.findings))
    series = tuple(map(masker.series, document.series))
    return replace(document, series=series), replace(checked, findings=found)


def _names(entity: LegalEntity) -> Iterator[str]:
    yield from (entity.user_code, entity.inn)
    for point in (*entity.points, *entity.held_at_times):
        yield point.code
        yield from (meter.number for meter in point.meters)
