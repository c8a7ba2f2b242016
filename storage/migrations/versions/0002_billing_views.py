"""Views for those who read the database: what the verb `readings` tells, in SQL."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_VIEWS = (
    "billing_interval",
    "billing_day",
    "billing_month",
    "billing_register",
    "billing_history",
)


def upgrade() -> None:
    words = _POSTGRESQL if op.get_bind().dialect.name == "postgresql" else _SQLITE
    for name, body in zip(_VIEWS, _BODIES, strict=True):
        op.execute(f"CREATE VIEW {name} AS {_filled(body, words)}")


def downgrade() -> None:
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW {name}")


# How each database says what the other says otherwise. {0} is an expression.
_POSTGRESQL = {
    "AT": "to_timestamp({0})",
    "MONTH": "to_char(to_timestamp({0}) AT TIME ZONE 'Europe/Moscow', 'YYYY-MM')",
    "DAY": "to_char(to_timestamp({0}) AT TIME ZONE 'Europe/Moscow', 'YYYY-MM-DD')",
    "FLAG": "({0})::int",
    "EXACT": "round(({0})::numeric / 1000000, 6)",
    # Millionths times millionths: numeric neither overflows nor rounds before the end.
    "ENERGY": "round(r.step::numeric * r.ratio / 1000000000)::bigint",
}
# SQLite knows no time zones. Moscow is UTC+3 since 2014-10-26, was UTC+4 since
# 2011-03-27; of the summers before that it knows nothing.
_MOSCOW = (
    "{0} + CASE WHEN {0} >= 1301180400 AND {0} < 1414274400 THEN 14400 ELSE 10800 END, 'unixepoch'"
)
_SQLITE = {
    "AT": "strftime('%Y-%m-%dT%H:%M:%SZ', {0}, 'unixepoch')",
    "MONTH": f"strftime('%Y-%m', {_MOSCOW})",
    "DAY": f"strftime('%Y-%m-%d', {_MOSCOW})",
    "FLAG": "({0})",
    # A text, because its numbers with decimals are binary.
    "EXACT": "printf('%d.%06d', ({0}) / 1000000, ({0}) % 1000000)",
    # The whole part of the ratio and the rest apart, so that 64 bits suffice.
    "ENERGY": (
        "r.step * (r.ratio / 1000000) / 1000"
        " + (r.step * (r.ratio / 1000000) % 1000 * 1000000"
        " + r.step * (r.ratio % 1000000) + 500000000) / 1000000000"
    ),
}


def _filled(body: str, words: dict[str, str]) -> str:
    for word, form in words.items():
        while (start := body.find(f"{word}[")) >= 0:
            end = body.index("]", start)
            inside = body[start + len(word) + 1 : end]
            body = body[:start] + form.format(inside) + body[end + 1 :]
    # A colon would begin a parameter.
    return body.replace("::", "\\:\\:").replace(":%", "\\:%")


_NAMES = """
    e.user_code AS entity, nullif(p.area, '') AS area, p.code AS point
"""
_UNIT = "CASE WHEN {0}.channel LIKE 'R%' THEN 'varh' ELSE 'Wh' END AS unit"

_INTERVAL = f"""
SELECT {_NAMES}, s.channel, s.step_minutes,
    MONTH[v.start] AS month, DAY[v.start] AS day,
    AT[v.start] AS start_at, AT[v.start + s.step_minutes * 60] AS end_at,
    v.start AS start_epoch, {_UNIT.format("s")},
    v.energy_wh AS energy,
    CASE WHEN v.not_commercial THEN NULL ELSE v.energy_wh END AS billed,
    FLAG[v.not_commercial] AS not_commercial,
    v.submission_id AS receipt, d.letter_id AS letter, AT[d.received_at] AS received_at
FROM interval_value AS v
JOIN interval_series AS s ON s.id = v.series_id
JOIN metering_point AS p ON p.id = s.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
JOIN submission AS d ON d.id = v.submission_id
"""  # noqa: S608 - only our own text is put together


def _sums(*keys: str) -> str:
    by = ", ".join(("entity", "area", "point", "channel", "step_minutes", *keys, "unit"))
    return f"""
SELECT {by},
    CAST(coalesce(sum(energy), 0) AS bigint) AS energy,
    CAST(coalesce(sum(billed), 0) AS bigint) AS billed,
    count(energy) AS value_count,
    CAST(sum(not_commercial) AS bigint) AS not_commercial_count,
    max(receipt) AS receipt
FROM billing_interval GROUP BY {by}
"""  # noqa: S608


_BEFORE = "OVER (PARTITION BY g.meter_id, g.channel, g.zone ORDER BY g.instant)"
_REGISTER = f"""
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
    r.submission_id AS receipt, d.letter_id AS letter, AT[d.received_at] AS received_at
FROM (
    SELECT q.*, CASE WHEN q.value >= q.before THEN q.value - q.before
        ELSE q.value - q.before
            + CAST('1' || substr('000000000000000000', 1, q.digits + 6) AS bigint) END AS step
    FROM (
        SELECT g.*, m.number, m.ratio, m.digits, m.point_id,
            lag(g.value) {_BEFORE} AS before, lag(g.instant) {_BEFORE} AS before_at
        FROM register_reading AS g JOIN meter AS m ON m.id = g.meter_id
    ) AS q
) AS r
JOIN metering_point AS p ON p.id = r.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
JOIN submission AS d ON d.id = r.submission_id
"""  # noqa: S608

_BY = """
    AT[h.replaced_at] AS replaced_at, h.replaced_by, b.letter_id AS replaced_by_letter,
    l.sender AS replaced_who
"""
_HISTORY = f"""
SELECT 'interval' AS kind, {_NAMES}, NULL AS meter, s.channel, NULL AS zone,
    MONTH[h.start] AS month, AT[h.start] AS start_at,
    AT[h.start + s.step_minutes * 60] AS end_at, {_UNIT.format("s")},
    h.energy_wh AS energy, FLAG[h.not_commercial] AS not_commercial, NULL AS reading,
    h.submission_id AS receipt, {_BY}
FROM interval_history AS h
JOIN interval_series AS s ON s.id = h.series_id
JOIN metering_point AS p ON p.id = s.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
JOIN submission AS b ON b.id = h.replaced_by
JOIN letter AS l ON l.id = b.letter_id
UNION ALL
SELECT 'register', {_NAMES}, m.number, h.channel, h.zone,
    MONTH[h.instant - 1], NULL, AT[h.instant], {_UNIT.format("h")},
    NULL, 0, EXACT[h.value],
    h.submission_id, {_BY}
FROM register_history AS h
JOIN meter AS m ON m.id = h.meter_id
JOIN metering_point AS p ON p.id = m.point_id
JOIN legal_entity AS e ON e.id = p.entity_id
JOIN submission AS b ON b.id = h.replaced_by
JOIN letter AS l ON l.id = b.letter_id
"""  # noqa: S608

_BODIES = (_INTERVAL, _sums("month", "day"), _sums("month"), _REGISTER, _HISTORY)
