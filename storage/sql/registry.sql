-- The register of points, as every letter asks for it.

-- name: entities
SELECT *
FROM legal_entity
ORDER BY user_code

-- name: entities_of
SELECT *
FROM legal_entity
WHERE user_code = ANY(:keys)
ORDER BY user_code

-- name: active_after
SELECT user_code
FROM legal_entity
WHERE active AND user_code > :after
ORDER BY user_code
LIMIT :most

-- name: sharing
-- Entities of points that had more than one holder.
SELECT DISTINCT entity_id
FROM point_row
WHERE point_id IN (SELECT point_id FROM point_row
                   GROUP BY point_id HAVING min(entity_id) < max(entity_id))

-- name: entity
SELECT *
FROM legal_entity
WHERE user_code = :user_code

-- name: entities_without_zeros
-- Those whose code is this one before it lost its leading zeros.
SELECT *
FROM legal_entity
WHERE ltrim(user_code, '0') = :bare

-- name: entities_by_inn
SELECT *
FROM legal_entity
WHERE inn = :inn AND active
ORDER BY user_code

-- name: listed
-- Whether an address, with a blank on either side, is one of an active entity.
SELECT 1
FROM legal_entity
WHERE active
AND position(:address in ' ' || addresses || ' ') > 0 -- postgresql
AND instr(' ' || addresses || ' ', :address) > 0 -- sqlite
LIMIT 1

-- name: renew_hash
-- Only while it is still the hash that the password was verified against.
UPDATE legal_entity
SET password_hash = :after
WHERE user_code = :user_code AND password_hash = :before

-- name: renew_marks
UPDATE web_session
SET mark = :after
WHERE kind = 'owner' AND mark = :before
AND subject_id = (SELECT id FROM legal_entity WHERE user_code = :user_code)

-- name: points_of
SELECT *
FROM metering_point
WHERE entity_id = ANY(:keys)
ORDER BY code, area

-- name: meters_at
SELECT *
FROM meter
WHERE point_id = ANY(:keys)

-- name: points_ever_of
-- The points of some entities, and those that are another's by their newest row, with who
-- held them by an earlier one.
SELECT metering_point.*, metering_point.entity_id AS holder
FROM metering_point
WHERE metering_point.entity_id = ANY(:keys)
UNION ALL
SELECT metering_point.*, held.entity_id AS holder
FROM (SELECT DISTINCT point_id, entity_id FROM point_row
      WHERE entity_id = ANY(:keys)) AS held
JOIN metering_point ON metering_point.id = held.point_id
WHERE metering_point.entity_id <> held.entity_id

-- name: point_rows
-- What was true of the points from when, the oldest first.
SELECT point_row.*, legal_entity.user_code
FROM point_row
JOIN legal_entity ON legal_entity.id = point_row.entity_id
WHERE point_row.point_id = ANY(:keys)
ORDER BY point_row.point_id, point_row.begins

-- name: meter_rows
-- The same of the meters at some points.
SELECT meter_row.*
FROM meter_row
JOIN meter ON meter.id = meter_row.meter_id
WHERE meter.point_id = ANY(:keys)
ORDER BY meter_row.meter_id, meter_row.begins

-- name: others_points
SELECT code
FROM metering_point
WHERE code = ANY(:keys) AND entity_id <> :entity

-- name: others_meters
SELECT meter.number
FROM meter
JOIN metering_point ON metering_point.id = meter.point_id
WHERE meter.number = ANY(:keys) AND metering_point.entity_id <> :entity

-- name: read_between
-- The first and the last reading in force of each meter.
SELECT meter_id, min(instant) AS first, max(instant) AS last
FROM register_reading
WHERE meter_id = ANY(:keys)
GROUP BY meter_id

-- name: with_profile
SELECT DISTINCT point_id
FROM interval_series
WHERE point_id = ANY(:keys)

-- name: largest_reading
-- Of a meter, since a moment.
SELECT value
FROM register_reading
WHERE meter_id = :meter AND instant >= :begins
ORDER BY value DESC
LIMIT 1

-- name: finest_reading
-- One with more places after the point than this unit has.
SELECT value
FROM register_reading
WHERE meter_id = :meter AND instant >= :begins AND value / :unit * :unit <> value
LIMIT 1
