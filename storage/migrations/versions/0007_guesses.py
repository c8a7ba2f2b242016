"""Guesses at a user code within the hour, and letters that wait for their turn to be tried."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letter", sa.Column("waits_until", sa.BigInteger()))
    op.create_table(
        "sender_guess",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index(
        "ix_sender_guess_user_code_bucket_at", "sender_guess", ["user_code", "bucket", "at"]
    )
    op.create_index("ix_sender_guess_at", "sender_guess", ["at"])


def downgrade() -> None:
    op.drop_table("sender_guess")
    op.drop_column("letter", "waits_until")
