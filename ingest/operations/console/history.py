"""The audit page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.operations.ports import Ledger
from storage.records.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Some changes, the latest first.

    Attributes:
        before: Where the next page begins; None: there is none.
    """

    entries: Sequence[AuditEntry]
    before: int | None


def audit_page(
    ledger: Ledger, before: int | None, limit: int, *, who: str, what: str, key: str
) -> AuditPage:
    """Who changed what.

    Args:
        ledger: The database.
        before: Where the page begins, as the page before says; None: with the last change.
        limit: That many.
        who: Only of this one; '' of everybody, as with the following two.
        what: Only of this kind.
        key: Only of the thing of this key.

    Raises:
        ConnectionError: the database is away.
    """
    with ledger.reading() as store:
        return AuditPage(*store.audit.page(before, limit, who=who, what=what, key=key))
