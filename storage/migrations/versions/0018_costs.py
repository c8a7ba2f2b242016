"""CPU time by who caused it, so that who has cost the most can wait behind the others."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cost",
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("payer", sa.String(), nullable=False),
        sa.Column("cpu_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "payer", name="pk_cost"),
    )


def downgrade() -> None:
    op.drop_table("cost")
