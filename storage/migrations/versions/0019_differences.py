"""Differences from what holds are queued, and make no value suspect."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_QUEUED = "s.code NOT LIKE 'held-by-%' AND"
_VIEW = """
CREATE VIEW suspicion_open AS
SELECT s.id, s.submission_id, s.code, s.series_id, s.meter_id, s.channel, s.zone,
    s.start, s."end", s.raised_at
FROM suspicion AS s
WHERE {} NOT EXISTS (SELECT 1 FROM suspicion_accepted AS a WHERE a.suspicion_id = s.id)
AND NOT EXISTS (
    SELECT 1 FROM submission AS w WHERE w.withdraws = s.submission_id
    AND (w.withdraws_point IS NULL OR w.withdraws_point = coalesce(
        (SELECT i.point_id FROM interval_series AS i WHERE i.id = s.series_id),
        (SELECT m.point_id FROM meter AS m WHERE m.id = s.meter_id))))
"""


def upgrade() -> None:
    _make(_VIEW.format(_QUEUED))


def downgrade() -> None:
    _make(_VIEW.format(""))


def _make(view: str) -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP VIEW suspicion_open")
        op.execute(view)
    else:
        # Other views are made of it.
        op.execute(view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
