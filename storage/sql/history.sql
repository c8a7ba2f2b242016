-- What is in force around a document: registers, and the energy of profiles.

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

-- name: readings_around
-- The readings of each register from the last before `first` to the first after `last`: both
-- are looked up by their key, and what a meter showed beyond them is not walked through. A
-- subquery for each register, as a join may be done the other way round.
WITH kinds (channel, zone) AS (VALUES
    ('A+', 'T0'), ('A+', 'T1'), ('A+', 'T2'), ('A+', 'T3'), ('A+', 'T4'),
    ('A-', 'T0'), ('A-', 'T1'), ('A-', 'T2'), ('A-', 'T3'), ('A-', 'T4'),
    ('R+', 'T0'), ('R+', 'T1'), ('R+', 'T2'), ('R+', 'T3'), ('R+', 'T4'),
    ('R-', 'T0'), ('R-', 'T1'), ('R-', 'T2'), ('R-', 'T3'), ('R-', 'T4'))
SELECT meter.id, kinds.channel, kinds.zone,
       (SELECT json_array(json_group_array(reading.instant), json_group_array(reading.value)) -- sqlite
       (SELECT ARRAY[array_agg(reading.instant), array_agg(reading.value)] -- postgresql
        FROM register_reading AS reading
        WHERE reading.meter_id = meter.id AND reading.channel = kinds.channel
          AND reading.zone = kinds.zone
          AND reading.instant >= coalesce(
              (SELECT max(before.instant) FROM register_reading AS before
               WHERE before.meter_id = meter.id AND before.channel = kinds.channel
                 AND before.zone = kinds.zone AND before.instant < :first), :first)
          AND reading.instant <= coalesce(
              (SELECT min(after.instant) FROM register_reading AS after
               WHERE after.meter_id = meter.id AND after.channel = kinds.channel
                 AND after.zone = kinds.zone AND after.instant > :last), :last))
FROM meter CROSS JOIN kinds
WHERE meter.id = ANY(:keys)
  AND EXISTS (SELECT 1 FROM register_reading AS any_one
              WHERE any_one.meter_id = meter.id AND any_one.channel = kinds.channel
                AND any_one.zone = kinds.zone)
