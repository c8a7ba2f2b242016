"""When the certificates of mail servers end, as the service last saw them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("server", sa.Column("certificate_ends", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("server", "certificate_ends")
