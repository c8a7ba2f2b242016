"""How each mail server fares: since when it fails, with what, and when it last worked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "server",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("failing_since", sa.BigInteger()),
        sa.Column("failed_at", sa.BigInteger()),
        sa.Column("error", sa.Text(), nullable=False, server_default=""),
        sa.Column("advice", sa.Text(), nullable=False, server_default=""),
        sa.Column("worked_at", sa.BigInteger()),
    )


def downgrade() -> None:
    op.drop_table("server")
