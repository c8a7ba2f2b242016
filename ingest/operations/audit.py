"""Who changed what; and whether append-only rows were changed: audit, receipts, findings."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from ingest.operations.ports import Ledger
from ingest.operations.told import Keys
from storage.records.audit import AuditEntry, Head

_EVENT = "audit.head"


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of verifying the sealed rows.

    Attributes:
        broken: The first break, one sentence; None when all is whole.
        off: Triggers that no longer refuse a change.
        foreign: Triggers, rules and policies on our tables that somebody has added.
        seals: How many seals were looked at, up to a break.
        rows: How many rows they cover.
        number: Of the last seal; None before the first.
        sha256: Its hash.
        sealed_at: When it was made, by the database's clock.
        unsealed: How many rows of each kind no seal covers yet.
        compared: How many seals of the log were looked up.
    """

    KEYS: ClassVar[Keys] = {
        name: name
        for name in (
            "broken", "off", "foreign", "seals", "rows", "number", "sha256", "sealed_at",
            "unsealed", "compared",
        )
    } | {"whole": "is_whole"}  # fmt: skip

    broken: str | None
    off: tuple[str, ...]
    foreign: tuple[str, ...]
    seals: int
    rows: int
    number: int | None
    sha256: str | None
    sealed_at: datetime | None
    unsealed: Mapping[str, int]
    compared: int

    @property
    def is_whole(self) -> bool:
        """Whether every sealed row is as it was, and changes, and nothing else, are refused."""
        return self.broken is None and not self.off and not self.foreign


def verify(ledger: Ledger, known: Iterable[Head] = (), last: int | None = None) -> Verified:
    """Verify the sealed rows by their hashes.

    Args:
        ledger: The database.
        known: Seals that were there once, such as those of `heads_in`.
        last: Only so many seals, the last ones; None: all.

    Raises:
        ConnectionError: the database is away.
    """
    heads = list(known)
    with ledger.reading() as store:
        found = store.seals.check(heads, last)
        off, foreign = store.append_only.missing(), store.append_only.foreign()
    return Verified(
        broken=found.broken,
        off=tuple(off),
        foreign=tuple(foreign),
        seals=found.seals,
        rows=found.rows,
        number=found.head.number if found.head else None,
        sha256=found.head.sha256 if found.head else None,
        sealed_at=found.head.at if found.head else None,
        unsealed=found.unsealed,
        compared=len(heads),
    )


def heads_in(lines: Iterable[str]) -> Iterator[Head]:
    """The seals that a log tells; lines that are something else are passed over."""
    for line in lines:
        if _EVENT not in line:
            continue
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and event.get("event") == _EVENT:
            number, digest = event.get("number"), event.get("sha256")
            if isinstance(number, int) and isinstance(digest, str):
                yield Head(number, digest)


def audit_page(
    ledger: Ledger, before: int | None, limit: int, **wanted: str
) -> tuple[Sequence[AuditEntry], int | None]:
    """Changes, the latest first, and where the next page begins; see `storage.audit.Audit.page`.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return store.audit.page(before, limit, **wanted)
