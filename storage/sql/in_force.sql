-- Series and register readings that several parts ask for.

-- name: series_at
SELECT id, point_id, channel, step_minutes
FROM interval_series
WHERE point_id = ANY(:keys)

-- name: new_series
INSERT INTO interval_series (point_id, channel, step_minutes)
VALUES (:point, :channel, :step_minutes)
RETURNING id

-- name: readings_in
SELECT reading.meter_id, reading.channel, reading.zone, reading.instant, reading.value,
       reading.submission_id, submission.layout
FROM register_reading AS reading
JOIN submission ON submission.id = reading.submission_id
WHERE reading.meter_id = ANY(:keys) AND reading.instant BETWEEN :first AND :last
