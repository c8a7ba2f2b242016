"""Where in its document each carried value stood."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = ("submission_span", "submission_reading")


def upgrade() -> None:
    for table in _TABLES:
        op.add_column(table, sa.Column("places", sa.Text(), nullable=True))


def downgrade() -> None:
    for table in _TABLES:
        op.drop_column(table, "places")
