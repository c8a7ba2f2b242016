"""Seals over what is only ever added to, and leases by the database's clock.

`Ledger.migrate` then seals what is there. On PostgreSQL a row of what is sealed gets its id
only after its transaction has a number: so all rows up to an id are of transactions with
smaller numbers than one that began behind it, and none is passed over.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SEALED = ("audit", "finding", "snapshot", "submission")


def upgrade() -> None:
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("upto", sa.String, nullable=False),
        sa.Column("rows", sa.String, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_seal"),
    )
    op.create_table(
        "seal_head",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_seal_head"),
        sa.CheckConstraint("id = 1", name=op.f("ck_seal_head_one")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_lease"),
    )
    if _on_postgresql():
        for event, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            name = f"tr_seal_{event.lower()}"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {event} ON seal"
                f" FOR EACH {each} EXECUTE FUNCTION refuse_change()"
            )
            op.execute(f"ALTER TABLE seal ENABLE ALWAYS TRIGGER {name}")
        for table in _SEALED:
            _default(table, f"CASE WHEN pg_current_xact_id() IS NOT NULL THEN {_next(table)} END")
        return
    there = "EXISTS (SELECT 1 FROM seal WHERE number = NEW.number)"
    for event, condition in (("UPDATE", ""), ("DELETE", ""), ("INSERT", f" WHEN {there}")):
        op.execute(
            f"CREATE TRIGGER tr_seal_{event.lower()} BEFORE {event} ON seal{condition}"
            " BEGIN SELECT RAISE(ABORT, 'seal is append-only'); END"
        )


def downgrade() -> None:
    for table in _SEALED if _on_postgresql() else ():
        _default(table, _next(table))
    for table in ("lease", "seal_head", "seal"):
        op.drop_table(table)


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _next(table: str) -> str:
    return f"nextval('{table}_id_seq'::regclass)"


def _default(table: str, value: str) -> None:
    op.execute(f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT {value}")
