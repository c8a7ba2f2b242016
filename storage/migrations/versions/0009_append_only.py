"""Receipts, their findings and what they carry are never changed either.

PostgreSQL refuses TRUNCATE as well, also in a session that replays changes as a replica;
SQLite refuses INSERT OR REPLACE, which deletes without asking the trigger for that.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_BEFORE = (
    "audit",
    "interval_history",
    "register_history",
    "snapshot",
    "snapshot_row",
    "suspicion",
    "suspicion_accepted",
)
_NEW = ("finding", "submission", "submission_reading", "submission_span")

# By which columns REPLACE finds the rows that it deletes.
_KEYS = {
    "audit": (("id",),),
    "finding": (("id",),),
    "interval_history": (("series_id", "start", "replaced_by"),),
    "register_history": (("meter_id", "channel", "zone", "instant", "replaced_by"),),
    "snapshot": (("id",),),
    "snapshot_row": (("snapshot_id", "position"),),
    "submission": (("id",), ("letter_id", "position")),
    "submission_reading": (("meter_id", "channel", "zone", "instant", "submission_id"),),
    "submission_span": (("series_id", '"end"', "start", "submission_id"),),
    "suspicion": (("id",),),
    "suspicion_accepted": (("suspicion_id",),),
}


def upgrade() -> None:
    for table in _BEFORE:
        _drop(table, "update")
        _drop(table, "delete")
    for table in _KEYS:
        if _on_postgresql():
            _refuse_on_postgresql(table)
        else:
            _refuse_on_sqlite(table)


def downgrade() -> None:
    for table in _KEYS:
        for event in ("update", "delete", "truncate" if _on_postgresql() else "insert"):
            _drop(table, event)
    for table in _BEFORE:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER tr_{table}_{event.lower()} BEFORE {event} ON {table}"
                + (" FOR EACH ROW EXECUTE FUNCTION refuse_change()" if _on_postgresql() else "")
                + ("" if _on_postgresql() else f" {_abort(table)}")
            )


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _drop(table: str, event: str) -> None:
    of_table = f" ON {table}" if _on_postgresql() else ""
    op.execute(f"DROP TRIGGER tr_{table}_{event}{of_table}")


def _refuse_on_postgresql(table: str) -> None:
    for event in ("UPDATE", "DELETE", "TRUNCATE"):
        name = f"tr_{table}_{event.lower()}"
        each = "STATEMENT" if event == "TRUNCATE" else "ROW"
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {event} ON {table}"
            f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def _refuse_on_sqlite(table: str) -> None:
    for event in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER tr_{table}_{event.lower()} BEFORE {event} ON {table} {_abort(table)}"
        )
    # Only our own names are put together here.
    there = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} WHERE "  # noqa: S608
        + " AND ".join(f"{column} = NEW.{column}" for column in key)
        + ")"
        for key in _KEYS[table]
    )
    op.execute(
        f"CREATE TRIGGER tr_{table}_insert BEFORE INSERT ON {table} WHEN {there} {_abort(table)}"
    )


def _abort(table: str) -> str:
    return f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
