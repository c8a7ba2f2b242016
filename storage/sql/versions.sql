-- What is in force, and which documents carry it.

-- name: values_in
SELECT series_id, start, energy_wh, not_commercial
FROM interval_value
WHERE series_id = ANY(:keys) AND start >= :first AND start < :last
ORDER BY start

-- name: spans_in
-- What was withdrawn counts no more; what an operator withdrew or entered holds, and what
-- was withdrawn of an operator's own entry does not.
SELECT span.series_id, span.start, span."end", submission.layout, submission.version_first,
       submission.version_second, submission.received_at, submission.id AS submission,
       submission.operator, submission.withdraws
FROM submission_span AS span
JOIN submission ON submission.id = span.submission_id
JOIN interval_series AS series ON series.id = span.series_id
WHERE span.series_id = ANY(:keys) AND span."end" > :first AND span.start < :last
  AND NOT EXISTS (
      SELECT 1 FROM submission AS later
      WHERE later.withdraws = submission.id
        AND coalesce(later.withdraws_point, series.point_id) = series.point_id
  )
  AND NOT EXISTS (
      SELECT 1 FROM submission AS entry
      WHERE entry.id = submission.withdraws AND entry.operator IS NOT NULL
  )

-- name: carried_in
-- As `spans_in`; a document of another layout matters only where an operator holds by it.
SELECT carried.meter_id, carried.channel, carried.zone, carried.instant,
       submission.layout, submission.version_first, submission.version_second,
       submission.received_at, submission.id AS submission,
       submission.operator, submission.withdraws, entity.user_code
FROM submission_reading AS carried
JOIN submission ON submission.id = carried.submission_id
LEFT JOIN legal_entity AS entity ON entity.id = submission.entity_id
JOIN meter ON meter.id = carried.meter_id
WHERE carried.meter_id = ANY(:keys)
  AND carried.instant BETWEEN :first AND :last
  AND (submission.layout = :layout OR submission.operator IS NOT NULL)
  AND NOT EXISTS (
      SELECT 1 FROM submission AS later
      WHERE later.withdraws = submission.id
        AND coalesce(later.withdraws_point, meter.point_id) = meter.point_id
  )
  AND NOT EXISTS (
      SELECT 1 FROM submission AS entry
      WHERE entry.id = submission.withdraws AND entry.operator IS NOT NULL
  )

-- name: same
-- The last time that an entity handed in the same bytes, and all of them were accepted.
SELECT id, received_at
FROM submission
WHERE sha256 = :sha256 AND entity_id = :entity AND layout = :layout
  AND coalesce(part, '') = coalesce(:part, '')
  AND verdict = 'accepted'
  AND NOT EXISTS (SELECT 1 FROM submission AS later WHERE later.withdraws = submission.id)
ORDER BY id DESC
LIMIT 1

-- name: replaced_since
-- Whether anything that a submission carried was replaced by a later one.
SELECT EXISTS (
    SELECT 1
    FROM submission_span AS span
    JOIN interval_history AS history
      ON history.series_id = span.series_id
     AND history.start >= span.start AND history.start < span."end"
    WHERE span.submission_id = :submission AND history.replaced_by > :submission
) OR EXISTS (
    SELECT 1
    FROM submission_reading AS carried
    JOIN register_history AS history
      ON history.meter_id = carried.meter_id AND history.channel = carried.channel
     AND history.zone = carried.zone AND history.instant = carried.instant
    WHERE carried.submission_id = :submission AND history.replaced_by > :submission
)

-- name: high_enough
-- The last ones are as high as any in nearly every case: all are read in no other.
SELECT id
FROM submission
WHERE entity_id = :entity AND layout = :layout AND version_first >= :least
  AND verdict IN ('accepted', 'partly_accepted')
ORDER BY id DESC
LIMIT 1

-- name: highest
SELECT max(version_first)
FROM submission
WHERE entity_id = :entity AND layout = :layout AND verdict IN ('accepted', 'partly_accepted')
