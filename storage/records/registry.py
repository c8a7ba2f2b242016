"""What an import of the register of points does."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class RowDifference:
    """What an import says otherwise of a point, or of a meter at it.

    Attributes:
        meter: Its number; None for the point itself.
        valid_from: From when it is so; None: from the beginning.
        facts: Name, what was so and what is so, of each that differs.
        is_correction: Whether the row that begins then was wrong; else it is a change.
    """

    point: str
    meter: str | None
    valid_from: date | None
    facts: tuple[tuple[str, Any, Any], ...]
    is_correction: bool


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What a registry import did, or would do.

    Attributes:
        untouched: User codes the file does not mention, left alone.
        renumbered: Point, old and new number of meters that only got another number.
        differences: What was on record and is otherwise now.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    untouched: tuple[str, ...]
    renumbered: tuple[tuple[str, str, str], ...] = ()
    differences: tuple[RowDifference, ...] = ()


class Steps(IntEnum):
    """Which steps of a point's registers may have another consumption; a larger one has more."""

    BACKWARD = 1
    CONSUMING = 2
    ALL = 3


class Touched(NamedTuple):
    """From which day an import may change a point's consumption, and where.

    Attributes:
        steps: `ALL` is also its profile.
    """

    day: date
    steps: Steps
