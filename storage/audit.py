"""The audit: who changed what, when, from what to what; rows are only ever added."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select

from layouts.points import LegalEntity
from storage.records.audit import AuditEntry, Facts
from storage.session import Part
from storage.tables.audit import AUDIT


class Audit(Part):
    """Changes of the register of points, of passwords and of months.

    Readings have their own history, and their submissions say who.
    """

    def add(
        self,
        at: datetime,
        who: str,
        what: str,
        key: str,
        *,
        before: Facts | None,
        after: Facts | None,
    ) -> None:
        """Keep one change; see `add_all`.

        Args:
            at: When.
            who: Who did it.
            what: Kind of the thing that was changed.
            key: Which of them.
            before: What it was; None: it was not there.
            after: What it is; None: it is gone.
        """
        self.add_all(at, who, what, [(key, before, after)])

    def add_all(
        self,
        at: datetime,
        who: str,
        what: str,
        changes: Sequence[tuple[str, Facts | None, Facts | None]],
    ) -> None:
        """Keep changes that were made together.

        Args:
            at: When.
            who: The unix user, an operator, or a part of the service.
            what: `entity`, `point`, `meter`, `password` or `period`.
            changes: Key, facts before (None: it is new) and facts after (None: it is gone).
        """
        rows = [
            {
                "at": at,
                "who": who,
                "what": what,
                "key": key,
                "before": _json(before),
                "after": _json(after),
            }
            for key, before, after in changes
        ]
        if rows:
            self._connection.execute(AUDIT.insert(), rows)

    def of(self, what: str, key: str | None = None) -> list[AuditEntry]:
        """Every change of one thing, or of all of a kind, the first one first.

        Args:
            what: `entity`, `point`, `meter`, `password` or `period`.
            key: Its user code, code, number or month; None: of every one.
        """
        statement = select(AUDIT).where(AUDIT.c.what == what).order_by(AUDIT.c.id)
        if key is not None:
            statement = statement.where(AUDIT.c.key == key)
        return self._entries(statement)

    def page(
        self, before: int | None, limit: int, *, who: str = "", what: str = "", key: str = ""
    ) -> tuple[list[AuditEntry], int | None]:
        """Changes, the latest first, and where the next page begins; None: there is none.

        Args:
            before: Only those before the one of this number; None: from the last one on.
            limit: That many.
            who: Only of this one; '' of everybody, as with the following two.
            what: Only of this kind.
            key: Only of the thing of this key.
        """
        of, found = AUDIT.c, select(AUDIT)
        for column, wanted in ((of.who, who), (of.what, what), (of.key, key)):
            if wanted:
                found = found.where(column == wanted)
        if before is not None:
            found = found.where(of.id < before)
        rows = self._connection.execute(found.order_by(of.id.desc()).limit(limit + 1)).all()
        more = rows[limit - 1].id if len(rows) > limit else None
        return [_entry(row) for row in rows[:limit]], more

    def last_of(self, kinds: Sequence[str]) -> int | None:
        """Number of the last change of some kinds; None when there was none."""
        of = AUDIT.c
        last: int | None = self._connection.scalar(
            select(func.max(of.id)).where(of.what.in_(kinds))
        )
        return last

    def changes_of(self, entity: LegalEntity) -> list[AuditEntry]:
        """Every change of an entity, its password, points and meters, the first one first."""
        codes = {point.code for point in entity.points}
        numbers = {meter.number for point in entity.points for meter in point.meters}
        of = AUDIT.c
        found = select(AUDIT).where(
            (of.what.in_(("entity", "password")) & (of.key == entity.user_code))
            | ((of.what == "point") & of.key.in_(codes))
            | ((of.what == "meter") & of.key.in_(numbers))
        )
        return [
            entry
            for entry in self._entries(found.order_by(of.id))
            # Another entity may have a meter of the same number.
            if entry.what != "meter" or (entry.after or {}).get("point") in codes
        ]

    def _entries(self, statement: Select[Any]) -> list[AuditEntry]:
        return [_entry(row) for row in self._connection.execute(statement)]


def _entry(row: Any) -> AuditEntry:
    return AuditEntry(row.at, row.who, row.what, row.key, _facts(row.before), _facts(row.after))


def _json(facts: Facts | None) -> str | None:
    # Dates and decimals as their text.
    return None if facts is None else json.dumps(dict(facts), default=str, sort_keys=True)


def _facts(text: str | None) -> Facts | None:
    return None if text is None else json.loads(text)
