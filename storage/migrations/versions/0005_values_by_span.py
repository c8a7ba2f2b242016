"""Values name their series and submission without a key of their own to them.

Each submission has a row in `submission_span` for every series that it brings values of,
written first and in the same transaction: its keys vouch for the values as well, once a
span and not twice a value. On PostgreSQL checking them took longer than the values.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_KEYS = {
    "interval_value": (("submission_id", "submission"), ("series_id", "interval_series")),
    "interval_history": (
        ("series_id", "interval_series"),
        ("replaced_by", "submission"),
        ("submission_id", "submission"),
    ),
}


def upgrade() -> None:
    for table, keys in _KEYS.items():
        if _on_postgresql():
            for column, _ in keys:
                op.drop_constraint(f"fk_{table}_{column}", table, type_="foreignkey")
    if not _on_postgresql():
        _rebuilt(with_keys=False)


def downgrade() -> None:
    for table, keys in _KEYS.items():
        if _on_postgresql():
            for column, other in keys:
                op.create_foreign_key(f"fk_{table}_{column}", table, other, [column], ["id"])
    if not _on_postgresql():
        _rebuilt(with_keys=True)


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _rebuilt(*, with_keys: bool) -> None:
    """Both tables copied: SQLite changes the keys of none that is there."""
    connection = op.get_bind()
    found = connection.exec_driver_sql(
        "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE type IN ('view', 'trigger')"
    ).all()
    views = [row for row in found if row.type == "view"]
    triggers = [row for row in found if row.type == "trigger" and row.tbl_name in _KEYS]
    for view in views:
        op.execute(f"DROP VIEW {view.name}")
    for table in _KEYS:
        _copied(table, with_keys=with_keys)
    for one in (*triggers, *views):
        op.execute(one.sql)


def _copied(table: str, *, with_keys: bool) -> None:
    old = sa.Table(table, sa.MetaData(), autoload_with=op.get_bind(), resolve_fks=False)
    keys = [
        sa.ForeignKeyConstraint([column], [f"{other}.id"], name=f"fk_{table}_{column}")
        for column, other in _KEYS[table]
    ]
    op.create_table(
        f"{table}_new",
        *(sa.Column(column.name, column.type, nullable=column.nullable) for column in old.columns),
        sa.PrimaryKeyConstraint(*(c.name for c in old.primary_key), name=f"pk_{table}"),
        *(keys if with_keys else ()),
        sqlite_with_rowid=False,
    )
    # Only our own names are put together here.
    op.execute(f"INSERT INTO {table}_new SELECT * FROM {table}")  # noqa: S608
    op.drop_table(table)
    op.rename_table(f"{table}_new", table)
