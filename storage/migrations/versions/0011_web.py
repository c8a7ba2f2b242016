"""Who may use the pages: sessions, users of entities, programs' tokens, links sent by mail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "web_session",
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('owner', 'user', 'operator')", name="kind"),
    )
    op.create_index("ix_web_session_kind_subject_id", "web_session", ["kind", "subject_id"])
    op.create_table(
        "web_user",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("password_hash", sa.String()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("address"),
        sa.CheckConstraint("role IN ('sends', 'reads')", name="role"),
    )
    op.create_index("ix_web_user_entity_id", "web_user", ["entity_id"])
    op.create_table(
        "web_token",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.UniqueConstraint("sha256"),
    )
    op.create_index("ix_web_token_entity_id", "web_token", ["entity_id"])
    op.create_table(
        "web_link",
        sa.Column("sha256", sa.String(), primary_key=True),
        sa.Column("entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), nullable=False),
        sa.Column("user_id", sa.Integer(), sa.ForeignKey("web_user.id")),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger()),
    )
    op.create_index("ix_web_link_entity_id", "web_link", ["entity_id"])
    op.create_table(
        "access_request",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_code", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("answered_by", sa.Text()),
        sa.Column("answer", sa.Text()),
    )
    op.create_index("ix_access_request_at", "access_request", ["at"])
    op.create_table(
        "web_account",
        sa.Column("entity_id", sa.Integer(), sa.ForeignKey("legal_entity.id"), primary_key=True),
        sa.Column("reminders", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    for table in (
        "web_account", "access_request", "web_link", "web_token", "web_user", "web_session",
    ):  # fmt: skip
        op.drop_table(table)
