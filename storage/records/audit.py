"""Entries of the audit, and the seals over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

Facts: TypeAlias = Mapping[str, Json]
"""What the audit keeps of a thing, as JSON has it."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change of what we keep: who, when, what, from what to what."""

    at: datetime
    who: str
    what: str
    key: str
    before: Facts | None
    after: Facts | None


@dataclass(frozen=True, slots=True)
class Fence:
    """Up to which rows may be sealed, once the transactions of its time have ended.

    Attributes:
        upto: The last id of each kind.
        transaction: PostgreSQL's number of a transaction that began behind them; None on
            SQLite, which has one writer.
    """

    upto: Mapping[str, int]
    transaction: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """A seal by its hash; `at` is not known of one that was told by its hash alone."""

    number: int
    sha256: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SealCheck:
    """Whether rows are those that were sealed.

    Attributes:
        seals: How many were looked at, up to a break.
        rows: How many rows they cover.
        head: The last one; None before the first.
        unsealed: How many rows of each kind no seal covers yet.
        broken: The first break, one sentence; None when there is none.
    """

    seals: int
    rows: int
    head: Head | None
    unsealed: Mapping[str, int]
    broken: str | None
