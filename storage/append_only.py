"""Tables whose rows are only ever added, and whether the database still refuses anything else."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import UniqueConstraint

from storage.session import Part
from storage.tables import METADATA

APPEND_ONLY = (
    "audit",
    "finding",
    "interval_history",
    "register_history",
    "seal",
    "snapshot",
    "snapshot_row",
    "submission",
    "submission_reading",
    "submission_span",
    "suspicion",
    "suspicion_accepted",
)
"""What happens to their rows later is a row of its own, such as a withdrawal."""

_REFUSE = "BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END"


class AppendOnly(Part):
    """The triggers that refuse changes."""

    matter = "append_only"

    def missing(self) -> list[str]:
        """Triggers that are gone, switched off or altered, by name; empty when all refuse."""
        found = {name: _plain(text) for name, text in self._sql.tuples("refusing")}
        return [name for name, text in self._wanted().items() if found.get(name) != text]

    def foreign(self) -> list[str]:
        """Triggers, rules and policies on our tables that are not ours, by what they are.

        They could keep rows out before anything is sealed.
        """
        wanted = self._wanted()
        hung = self._listed("hung", list(METADATA.tables))
        return [row.what for row in hung if row.name not in wanted]

    def _wanted(self) -> Mapping[str, str]:
        made = _on_postgresql if self._on_postgresql else _on_sqlite
        return {name: text for table in APPEND_ONLY for name, text in made(table).items()}

    def not_granted(self) -> list[str]:
        """Tables that this user may not read or add to, by name; none on SQLite."""
        return [name for (name,) in self._sql.tuples("not_granted")]


def _on_postgresql(table: str) -> Mapping[str, str]:
    """Triggers by name: how each is made, that it holds in every session, what it runs."""
    return {
        f"tr_{table}_{event.lower()}": f"CREATE TRIGGER tr_{table}_{event.lower()} BEFORE {event}"
        f" ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change() A {_REFUSE}"
        for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT"))
    }


def _on_sqlite(table: str) -> Mapping[str, str]:
    """Triggers by name: how each is made. One for INSERT refuses INSERT OR REPLACE."""
    of = METADATA.tables[table]
    unique = [u for u in of.constraints if isinstance(u, UniqueConstraint)]
    there = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE "  # noqa: S608 - only our own names
        + " AND ".join(f"{_quoted(c.name)} = NEW.{_quoted(c.name)}" for c in key.columns)
        + ")"
        for key in (of.primary_key, *unique)
    )
    return {
        f"tr_{table}_{event.lower()}": f"CREATE TRIGGER tr_{table}_{event.lower()} BEFORE {event}"
        f" ON {table}{condition} BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        for event, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", f" WHEN {there}"))
    }


def _quoted(column: str) -> str:
    return f'"{column}"' if column == "end" else column


def _plain(text: str) -> str:
    return " ".join(text.split())
