-- What the weeks before a document, and the other kind of readings, say of its points.

-- name: sum_inside
-- Energy of the intervals that lie wholly between two instants, and their number.
SELECT value.series_id, sum(value.energy_wh), count(*)
FROM interval_value AS value
JOIN interval_series AS series ON series.id = value.series_id
WHERE value.series_id = ANY(:keys)
  AND value.start >= :first
  AND value.start + series.step_minutes * 60 <= :last
  AND value.start < :last
  AND value.energy_wh IS NOT NULL
GROUP BY value.series_id

-- name: neighbours
-- The last reading of each register before `first`, and its first one after `last`: each is
-- looked up by its key, and all that a meter ever showed is not walked through.
WITH kinds (channel, zone) AS (VALUES
    ('A+', 'T0'), ('A+', 'T1'), ('A+', 'T2'), ('A+', 'T3'), ('A+', 'T4'),
    ('A-', 'T0'), ('A-', 'T1'), ('A-', 'T2'), ('A-', 'T3'), ('A-', 'T4'),
    ('R+', 'T0'), ('R+', 'T1'), ('R+', 'T2'), ('R+', 'T3'), ('R+', 'T4'),
    ('R-', 'T0'), ('R-', 'T1'), ('R-', 'T2'), ('R-', 'T3'), ('R-', 'T4'))
SELECT meter.id, kinds.channel, kinds.zone,
       (SELECT reading.instant FROM register_reading AS reading
        WHERE reading.meter_id = meter.id AND reading.channel = kinds.channel
          AND reading.zone = kinds.zone AND reading.instant < :first
        ORDER BY reading.instant DESC LIMIT 1),
       (SELECT reading.value FROM register_reading AS reading
        WHERE reading.meter_id = meter.id AND reading.channel = kinds.channel
          AND reading.zone = kinds.zone AND reading.instant < :first
        ORDER BY reading.instant DESC LIMIT 1),
       (SELECT reading.instant FROM register_reading AS reading
        WHERE reading.meter_id = meter.id AND reading.channel = kinds.channel
          AND reading.zone = kinds.zone AND reading.instant > :last
        ORDER BY reading.instant LIMIT 1),
       (SELECT reading.value FROM register_reading AS reading
        WHERE reading.meter_id = meter.id AND reading.channel = kinds.channel
          AND reading.zone = kinds.zone AND reading.instant > :last
        ORDER BY reading.instant LIMIT 1)
FROM meter CROSS JOIN kinds
WHERE meter.id = ANY(:keys)
