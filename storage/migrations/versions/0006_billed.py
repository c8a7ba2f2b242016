"""What was billed stays billed: rows true from a date, snapshots, suspicions, withdrawals.

What the register of points says is true from the beginning; `Ledger.migrate` then takes
the snapshots of months that were closed before.
"""

from __future__ import annotations

from importlib import import_module

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_before = import_module("storage.migrations.versions.0002_billing_views")

_APPEND_ONLY = ("snapshot", "snapshot_row", "suspicion", "suspicion_accepted")
_VIEWS = (
    "point_in_force",
    "meter_in_force",
    "suspicion_open",
    "billing_interval",
    "billing_day",
    "billing_month",
    "billing_register",
    "billing_history",
)


def upgrade() -> None:
    for name in reversed(_before._VIEWS):
        op.execute(f"DROP VIEW {name}")
    _new_columns()
    _register_of_points()
    _snapshots()
    _suspicions()
    words = _POSTGRESQL if _on_postgresql() else _SQLITE
    for name, body in zip(_VIEWS, _BODIES, strict=True):
        op.execute(f"CREATE VIEW {name} AS {_before._filled(body, words)}")
    for table in _APPEND_ONLY:
        _append_only(table)


def downgrade() -> None:
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW {name}")
    for table in ("suspicion_accepted", "suspicion", "snapshot_row", "snapshot"):
        op.drop_table(table)
    for table in ("meter_row", "point_row"):
        op.drop_table(table)
    for column in ("operator", "withdraws"):
        op.drop_index(f"ix_submission_{column}", "submission")
    for column in ("withdraws_point", "withdraws", "reason", "operator"):
        op.drop_column("submission", column)
    for column in ("load", "source", "active"):
        op.drop_column("metering_point", column)
    words = _before._POSTGRESQL if _on_postgresql() else _before._SQLITE
    for name, body in zip(_before._VIEWS, _before._BODIES, strict=True):
        op.execute(f"CREATE VIEW {name} AS {_before._filled(body, words)}")


def _on_postgresql() -> bool:
    return bool(op.get_bind().dialect.name == "postgresql")


def _new_columns() -> None:
    op.add_column("metering_point", sa.Column("active", sa.Boolean, nullable=False,
                                              server_default=sa.true()))  # fmt: skip
    op.add_column("metering_point", sa.Column("source", sa.String, nullable=False,
                                              server_default=""))  # fmt: skip
    op.add_column("metering_point", sa.Column("load", sa.String, nullable=False,
                                              server_default=""))  # fmt: skip
    op.add_column("submission", sa.Column("operator", sa.Text))
    op.add_column("submission", sa.Column("reason", sa.Text))
    op.add_column("submission", sa.Column("withdraws", sa.Integer))
    op.add_column("submission", sa.Column("withdraws_point", sa.Integer))
    op.create_index("ix_submission_withdraws", "submission", ["withdraws"])
    op.create_index("ix_submission_operator", "submission", ["operator"])


def _register_of_points() -> None:
    op.create_table(
        "point_row",
        sa.Column("point_id", sa.Integer, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=True),
        sa.Column("entity_id", sa.Integer, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("max_power_kw", sa.BigInteger, nullable=True),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("point_id", "begins", name="pk_point_row"),
        sa.ForeignKeyConstraint(["point_id"], ["metering_point.id"], name="fk_point_row_point_id"),
        sa.ForeignKeyConstraint(["entity_id"], ["legal_entity.id"], name="fk_point_row_entity_id"),
    )
    op.create_index("ix_point_row_entity_id", "point_row", ["entity_id"])
    op.create_table(
        "meter_row",
        sa.Column("meter_id", sa.Integer, nullable=False),
        sa.Column("begins", sa.BigInteger, nullable=False),
        sa.Column("valid_from", sa.Date, nullable=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("digits", sa.Integer, nullable=True),
        sa.Column("decimals", sa.Integer, nullable=True),
        sa.Column("ratio", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("meter_id", "begins", name="pk_meter_row"),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_meter_row_meter_id"),
    )
    op.execute(
        "INSERT INTO point_row (point_id, begins, valid_from, entity_id, area, max_power_kw,"
        " active, source) SELECT id, 0, NULL, entity_id, area, max_power_kw, active, source"
        " FROM metering_point"
    )
    op.execute(
        "INSERT INTO meter_row (meter_id, begins, valid_from, number, digits, decimals, ratio)"
        " SELECT id, 0, NULL, number, digits, decimals, ratio FROM meter"
    )


def _snapshots() -> None:
    op.create_table(
        "snapshot",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("month", sa.String, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("sha256", sa.String, nullable=False),
        sa.Column("row_count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_snapshot"),
        sa.CheckConstraint(
            "kind IN ('closing', 'migrated', 'export')", name=op.f("ck_snapshot_kind")
        ),
    )
    op.create_index("ix_snapshot_month", "snapshot", ["month"])
    op.create_table(
        "snapshot_row",
        sa.Column("snapshot_id", sa.Integer, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("entity", sa.Text, nullable=False),
        sa.Column("point_id", sa.Integer, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("point", sa.Text, nullable=False),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("source", sa.String, nullable=False),
        sa.Column("energy_wh", sa.BigInteger, nullable=True),
        sa.Column("quality", sa.String, nullable=False),
        sa.Column("codes", sa.String, nullable=False),
        sa.Column("value_count", sa.Integer, nullable=False),
        sa.Column("missing_count", sa.Integer, nullable=False),
        sa.Column("late", sa.Boolean, nullable=False),
        sa.Column("receipt", sa.Integer, nullable=True),
        sa.PrimaryKeyConstraint("snapshot_id", "position", name="pk_snapshot_row"),
        sa.ForeignKeyConstraint(
            ["snapshot_id"], ["snapshot.id"], name="fk_snapshot_row_snapshot_id"
        ),
    )


def _suspicions() -> None:
    op.create_table(
        "suspicion",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("submission_id", sa.Integer, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("series_id", sa.Integer, nullable=True),
        sa.Column("meter_id", sa.Integer, nullable=True),
        sa.Column("channel", sa.String, nullable=False),
        sa.Column("zone", sa.String, nullable=False),
        sa.Column("start", sa.BigInteger, nullable=False),
        sa.Column("end", sa.BigInteger, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_suspicion"),
        sa.CheckConstraint(
            "(series_id IS NULL) <> (meter_id IS NULL)", name=op.f("ck_suspicion_owner")
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submission.id"], name="fk_suspicion_submission_id"
        ),
        sa.ForeignKeyConstraint(
            ["series_id"], ["interval_series.id"], name="fk_suspicion_series_id"
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.id"], name="fk_suspicion_meter_id"),
    )
    for column in ("submission_id", "series_id", "meter_id"):
        op.create_index(f"ix_suspicion_{column}", "suspicion", [column])
    op.create_table(
        "suspicion_accepted",
        sa.Column("suspicion_id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("suspicion_id", name="pk_suspicion_accepted"),
        sa.ForeignKeyConstraint(
            ["suspicion_id"], ["suspicion.id"], name="fk_suspicion_accepted_suspicion_id"
        ),
    )


def _append_only(table: str) -> None:
    refused = (
        "EXECUTE FUNCTION refuse_change()"
        if _on_postgresql()
        else f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    )
    for event in ("UPDATE", "DELETE"):
        each = "FOR EACH ROW " if _on_postgresql() else ""
        name = f"tr_{table}_{event.lower()}"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {table} {each}{refused}")


# What each database says otherwise, beside the words of 0002. {0} is an expression.
_POSTGRESQL = _before._POSTGRESQL | {"CODES": "string_agg(DISTINCT {0}, ',' ORDER BY {0})"}
_SQLITE = _before._SQLITE | {"CODES": "group_concat(DISTINCT {0})"}

_POINT_IN_FORCE = """
SELECT r.point_id, r.begins,
    coalesce(lead(r.begins) OVER (PARTITION BY r.point_id ORDER BY r.begins),
        9000000000000) AS ends,
    r.valid_from, r.entity_id, r.area, r.max_power_kw, r.active, r.source,
    p.code, e.user_code
FROM point_row AS r
JOIN metering_point AS p ON p.id = r.point_id
JOIN legal_entity AS e ON e.id = r.entity_id
"""
_METER_IN_FORCE = """
SELECT r.meter_id, r.begins,
    coalesce(lead(r.begins) OVER (PARTITION BY r.meter_id ORDER BY r.begins),
        9000000000000) AS ends,
    r.valid_from, r.number, r.digits, r.decimals, r.ratio, m.point_id
FROM meter_row AS r JOIN meter AS m ON m.id = r.meter_id
"""
_SUSPICION_OPEN = """
SELECT s.id, s.submission_id, s.code, s.series_id, s.meter_id, s.channel, s.zone,
    s.start, s."end", s.raised_at
FROM suspicion AS s
WHERE NOT EXISTS (SELECT 1 FROM suspicion_accepted AS a WHERE a.suspicion_id = s.id)
AND NOT EXISTS (
    SELECT 1 FROM submission AS w WHERE w.withdraws = s.submission_id
    AND (w.withdraws_point IS NULL OR w.withdraws_point = coalesce(
        (SELECT i.point_id FROM interval_series AS i WHERE i.id = s.series_id),
        (SELECT m.point_id FROM meter AS m WHERE m.id = s.meter_id))))
"""

_NAMES = "p.user_code AS entity, nullif(p.area, '') AS area, p.code AS point"
_UNIT = _before._UNIT
_INTERVAL_CODES = """
(SELECT CODES[o.code] FROM suspicion_open AS o
    WHERE o.series_id = v.series_id AND o.start <= v.start AND o."end" > v.start
    AND o.submission_id >= v.submission_id)
"""
_INTERVAL = f"""
SELECT q.*, CASE WHEN q.not_commercial = 1 THEN 'not-commercial'
    WHEN q.codes IS NOT NULL THEN 'suspect' ELSE 'valid' END AS quality
FROM (
SELECT {_NAMES}, s.channel, s.step_minutes,
    MONTH[v.start] AS month, DAY[v.start] AS day,
    AT[v.start] AS start_at, AT[v.start + s.step_minutes * 60] AS end_at,
    v.start AS start_epoch, {_UNIT.format("s")},
    v.energy_wh AS energy,
    CASE WHEN v.not_commercial THEN NULL ELSE v.energy_wh END AS billed,
    FLAG[v.not_commercial] AS not_commercial,
    v.submission_id AS receipt, d.letter_id AS letter, AT[d.received_at] AS received_at,
    {_INTERVAL_CODES} AS codes
FROM interval_value AS v
JOIN interval_series AS s ON s.id = v.series_id
JOIN point_in_force AS p
    ON p.point_id = s.point_id AND p.begins <= v.start AND v.start < p.ends
JOIN submission AS d ON d.id = v.submission_id
) AS q
"""  # noqa: S608 - only our own text is put together


def _sums(*keys: str) -> str:
    by = ", ".join(("entity", "area", "point", "channel", "step_minutes", *keys, "unit"))
    return f"""
SELECT {by},
    CAST(coalesce(sum(energy), 0) AS bigint) AS energy,
    CAST(coalesce(sum(billed), 0) AS bigint) AS billed,
    count(energy) AS value_count,
    CAST(sum(not_commercial) AS bigint) AS not_commercial_count,
    max(receipt) AS receipt,
    CAST(sum(CASE WHEN quality = 'suspect' THEN 1 ELSE 0 END) AS bigint) AS suspect_count
FROM billing_interval GROUP BY {by}
"""  # noqa: S608


_BEFORE = "OVER (PARTITION BY g.meter_id, g.channel, g.zone ORDER BY g.instant)"
_REGISTER_CODES = """
(SELECT CODES[o.code] FROM suspicion_open AS o
    WHERE o.meter_id = r.meter_id AND o.channel = r.channel AND o.zone = r.zone
    AND (o.start < r.instant OR o.start = o."end") AND o.start <= r.instant
    AND o."end" >= r.instant AND o.submission_id >= r.submission_id)
"""
# The day's own reading is the boundary: a row counts for steps that end a day after it.
_REGISTER = f"""
SELECT z.*, CASE WHEN z.codes IS NOT NULL THEN 'suspect' ELSE 'valid' END AS quality
FROM (
SELECT {_NAMES}, r.number AS meter, r.channel, r.zone,
    MONTH[r.instant - 1] AS month,
    AT[r.before_at] AS start_at, AT[r.instant] AS end_at, r.instant AS end_epoch,
    {_UNIT.format("r")},
    CASE WHEN r.step >= 0 THEN ENERGY[] END AS energy,
    CASE WHEN r.step >= 0 THEN ENERGY[] END AS billed,
    EXACT[r.value] AS reading,
    CASE WHEN r.before IS NOT NULL THEN EXACT[r.before] END AS previous_reading,
    EXACT[r.ratio] AS ratio,
    CASE WHEN r.before IS NULL THEN 'first' WHEN r.value >= r.before THEN NULL
        WHEN r.digits IS NULL THEN 'went-back' ELSE 'rollover' END AS remark,
    r.submission_id AS receipt, d.letter_id AS letter, AT[d.received_at] AS received_at,
    {_REGISTER_CODES} AS codes
FROM (
    SELECT q.*, CASE WHEN q.value >= q.before THEN q.value - q.before
        ELSE q.value - q.before
            + CAST('1' || substr('000000000000000000', 1, q.digits + 6) AS bigint) END AS step
    FROM (
        SELECT g.*, m.number, m.ratio, m.digits, m.point_id
        FROM (
            SELECT g.*, lag(g.value) {_BEFORE} AS before, lag(g.instant) {_BEFORE} AS before_at
            FROM register_reading AS g
        ) AS g
        JOIN meter_in_force AS m ON m.meter_id = g.meter_id
            AND m.begins + 86400 <= g.instant AND g.instant < m.ends + 86400
    ) AS q
) AS r
JOIN point_in_force AS p ON p.point_id = r.point_id
    AND p.begins + 86400 <= r.instant AND r.instant < p.ends + 86400
JOIN submission AS d ON d.id = r.submission_id
) AS z
"""  # noqa: S608

_BY = """
    AT[h.replaced_at] AS replaced_at, h.replaced_by, b.letter_id AS replaced_by_letter,
    l.sender AS replaced_who,
    CASE WHEN b.withdraws IS NULL THEN 'replaced' ELSE 'withdrawn' END AS state
"""
_HISTORY = f"""
SELECT 'interval' AS kind, {_NAMES}, NULL AS meter, s.channel, NULL AS zone,
    MONTH[h.start] AS month, AT[h.start] AS start_at,
    AT[h.start + s.step_minutes * 60] AS end_at, {_UNIT.format("s")},
    h.energy_wh AS energy, FLAG[h.not_commercial] AS not_commercial, NULL AS reading,
    h.submission_id AS receipt, {_BY}
FROM interval_history AS h
JOIN interval_series AS s ON s.id = h.series_id
JOIN point_in_force AS p
    ON p.point_id = s.point_id AND p.begins <= h.start AND h.start < p.ends
JOIN submission AS b ON b.id = h.replaced_by
JOIN letter AS l ON l.id = b.letter_id
UNION ALL
SELECT 'register', {_NAMES}, m.number, h.channel, h.zone,
    MONTH[h.instant - 1], NULL, AT[h.instant], {_UNIT.format("h")},
    NULL, 0, EXACT[h.value],
    h.submission_id, {_BY}
FROM register_history AS h
JOIN meter_in_force AS m ON m.meter_id = h.meter_id
    AND m.begins + 86400 <= h.instant AND h.instant < m.ends + 86400
JOIN point_in_force AS p ON p.point_id = m.point_id
    AND p.begins + 86400 <= h.instant AND h.instant < p.ends + 86400
JOIN submission AS b ON b.id = h.replaced_by
JOIN letter AS l ON l.id = b.letter_id
"""  # noqa: S608

_BODIES = (
    _POINT_IN_FORCE,
    _METER_IN_FORCE,
    _SUSPICION_OPEN,
    _INTERVAL,
    _sums("month", "day"),
    _sums("month"),
    _REGISTER,
    _HISTORY,
)
