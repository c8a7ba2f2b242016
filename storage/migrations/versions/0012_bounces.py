"""Replies that came back, what of it operators have seen; why a letter was refused or ignored."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reply", sa.Column("bounced_at", sa.BigInteger()))
    op.add_column("reply", sa.Column("returned_code", sa.Text()))
    op.add_column("reply", sa.Column("returned_text", sa.Text()))
    op.add_column("reply", sa.Column("seen_at", sa.BigInteger()))
    op.add_column("letter", sa.Column("reason", sa.Text()))
    op.add_column("letter", sa.Column("claimed_code", sa.Text()))
    bounced = sa.text("bounced_at IS NOT NULL")
    op.create_index(
        "ix_reply_bounced",
        "reply",
        ["address"],
        sqlite_where=bounced,
        postgresql_where=bounced,
    )


def downgrade() -> None:
    op.drop_index("ix_reply_bounced", "reply")
    for name in ("bounced_at", "returned_code", "returned_text", "seen_at"):
        op.drop_column("reply", name)
    for name in ("reason", "claimed_code"):
        op.drop_column("letter", name)
