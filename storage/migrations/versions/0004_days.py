"""Sums of days, beside the values they are of."""

from __future__ import annotations

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_DAY_HOURS = 24
_VALUES = """
SELECT (start + 10800) / 3600 AS hour, count(*), sum(energy_wh), max(energy_wh)
FROM interval_value
WHERE series_id = :series AND energy_wh IS NOT NULL AND NOT not_commercial
GROUP BY (start + 10800) / 3600 ORDER BY (start + 10800) / 3600
"""


def upgrade() -> None:
    day = op.create_table(
        "interval_day",
        sa.Column("series_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("energy_wh", sa.LargeBinary(), nullable=False),
        sa.Column("highest_wh", sa.LargeBinary(), nullable=False),
        sa.Column("counts", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("series_id", "day", name="pk_interval_day"),
        sa.ForeignKeyConstraint(
            ["series_id"], ["interval_series.id"], name="fk_interval_day_series_id"
        ),
        sqlite_with_rowid=False,
    )
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        # What another process still records would be missing in the sums.
        connection.execute(sa.text("LOCK TABLE interval_value IN SHARE MODE"))
    for (series,) in connection.execute(sa.text("SELECT id FROM interval_series")).all():
        hours = connection.execute(sa.text(_VALUES), {"series": series})
        rows = [
            {"series_id": series, "day": number, **_summed_up(list(of_day))}
            for number, of_day in groupby(hours, lambda row: row[0] // _DAY_HOURS)
        ]
        if rows:
            connection.execute(day.insert(), rows)


def _summed_up(hours: list[Any]) -> dict[str, object]:
    energy, highest, counts = ([0] * _DAY_HOURS for _ in range(3))
    for hour, count, total, most in hours:
        at = hour % _DAY_HOURS
        energy[at], highest[at], counts[at] = int(total), most, count
    return {
        "energy_wh": _packed(energy),
        "highest_wh": _packed(highest),
        "counts": bytes(counts),
    }


def _packed(numbers: list[int]) -> bytes:
    size = 4 if max(numbers) < 1 << 32 else 8
    return b"".join(number.to_bytes(size, "little") for number in numbers)


def downgrade() -> None:
    op.drop_table("interval_day")
