"""Replies to strangers, which are bounded by domain and together."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("reply", sa.Column("stranger_domain", sa.Text()))
    strangers = sa.text("stranger_domain IS NOT NULL")
    op.create_index(
        "ix_reply_strangers",
        "reply",
        ["owed_at"],
        sqlite_where=strangers,
        postgresql_where=strangers,
    )


def downgrade() -> None:
    op.drop_index("ix_reply_strangers", "reply")
    op.drop_column("reply", "stranger_domain")
