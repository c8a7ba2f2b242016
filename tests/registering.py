"""Entities put into the register of points, as an import does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial

from ingest.operations.register import registry_file
from ingest.reading.tables import first_sheet
from layouts.points import LegalEntity
from storage.points.registry import Registry
from storage.records.registry import ImportReport

read_registry = partial(registry_file.read_registry, table=first_sheet)
"""Without a child."""


def register(
    registry: Registry,
    entities: Sequence[LegalEntity],
    who: str,
    now: datetime,
    *,
    since: date | None = None,
    correct: str | None = None,
) -> ImportReport:
    """Plan an import and apply it."""
    return registry.apply(registry.plan(entities, since=since, correct=correct), entities, who, now)
