-- Submissions, and what became of the values that they carry.

-- name: hold_back_others
-- Other documents of the entity wait until this transaction ends. SQLite has one writer.
SELECT id
FROM legal_entity
WHERE id = :entity
FOR NO KEY UPDATE -- postgresql

-- name: hand_in
-- Behind those that the letter has; its number is the receipt's.
INSERT INTO submission (letter_id, position, entity_id, name, container, part, sha256, size,
                        layout, form_version, created_at, version_first, version_second,
                        received_at, recorded_at, verdict, status, accepted_values,
                        duplicate_of, operator, reason, withdraws, withdraws_point)
VALUES (:letter_id, (SELECT count(*) FROM submission WHERE letter_id = :letter_id), :entity_id,
        :name, :container, :part, :sha256, :size, :layout, :form_version, :created_at,
        :version_first, :version_second, :received_at, :recorded_at, :verdict, :status,
        :accepted_values, :duplicate_of, :operator, :reason, :withdraws, :withdraws_point)
RETURNING id

-- name: last
SELECT max(id)
FROM submission

-- name: in_force
-- Values of each span that are in force by the span's own submission.
SELECT span.submission_id, span.series_id, span."end", count(*) AS count_
FROM submission_span AS span
JOIN interval_value AS value
  ON value.series_id = span.series_id AND value.start >= span.start AND value.start < span."end"
WHERE span.submission_id = ANY(:keys) AND value.submission_id = span.submission_id
GROUP BY span.submission_id, span.series_id, span."end"

-- name: replaced_others
-- Values of each span that its submission replaced.
SELECT span.submission_id, span.series_id, span."end", count(*) AS count_
FROM submission_span AS span
JOIN interval_history AS value
  ON value.series_id = span.series_id AND value.start >= span.start AND value.start < span."end"
WHERE span.submission_id = ANY(:keys) AND value.replaced_by = span.submission_id
GROUP BY span.submission_id, span.series_id, span."end"

-- name: replaced_since
-- Values of each span that a later submission replaced.
SELECT span.submission_id, span.series_id, span."end", value.replaced_by, count(*) AS count_
FROM submission_span AS span
JOIN interval_history AS value
  ON value.series_id = span.series_id AND value.start >= span.start AND value.start < span."end"
WHERE span.submission_id = ANY(:keys) AND value.submission_id = span.submission_id
GROUP BY span.submission_id, span.series_id, span."end", value.replaced_by

-- name: spans
SELECT span.submission_id, span.series_id, span.start, span."end", span.places,
       series.channel, point.code, point.area
FROM submission_span AS span
JOIN interval_series AS series ON series.id = span.series_id
JOIN metering_point AS point ON point.id = series.point_id
WHERE span.submission_id = ANY(:keys)
ORDER BY point.code, point.area, series.channel, span.start

-- name: readings
-- Each reading with what is in force now, what became of it, and what it replaced.
SELECT carried.*, meter.number, point.code, point.area,
       reading.value, reading.submission_id AS in_force_by,
       ended.value AS was, ended.replaced_by AS ended_by, ended.replaced_at AS ended_at,
       began.value AS before
FROM submission_reading AS carried
JOIN meter ON meter.id = carried.meter_id
JOIN metering_point AS point ON point.id = meter.point_id
LEFT JOIN register_reading AS reading
  ON reading.meter_id = carried.meter_id AND reading.channel = carried.channel
 AND reading.zone = carried.zone AND reading.instant = carried.instant
LEFT JOIN register_history AS ended
  ON ended.meter_id = carried.meter_id AND ended.channel = carried.channel
 AND ended.zone = carried.zone AND ended.instant = carried.instant
 AND ended.submission_id = carried.submission_id
LEFT JOIN register_history AS began
  ON began.meter_id = carried.meter_id AND began.channel = carried.channel
 AND began.zone = carried.zone AND began.instant = carried.instant
 AND began.replaced_by = carried.submission_id
WHERE carried.submission_id = ANY(:keys)
ORDER BY point.code, point.area, meter.number, carried.instant, carried.channel, carried.zone

-- name: letters_of
-- The letters that hold what an entity handed in, the latest first.
SELECT letter.id
FROM letter
JOIN legal_entity AS entity ON entity.id = letter.entity_id
WHERE entity.user_code = :entity AND letter.id < :before
ORDER BY letter.id DESC
LIMIT :most

-- name: handed_in
-- Their documents, or one row without one.
SELECT letter.id AS letter_id, letter.received_at, letter.sender, letter.subject, letter.outcome,
       submission.id, submission.duplicate_of, submission.name, submission.layout,
       submission.verdict, submission.accepted_values, submission.operator, submission.withdraws,
       (SELECT count(*) FROM finding
        WHERE finding.submission_id = submission.id AND finding.severity <> 'note') AS findings,
       (SELECT min(location.mailbox) FROM letter_location AS location
        WHERE location.letter_id = letter.id) AS mailbox
FROM letter
LEFT JOIN submission ON submission.letter_id = letter.id
WHERE letter.id = ANY(:keys)
ORDER BY letter.id DESC, submission.position

-- name: refused_in
-- The last document with an error in a month for each point and meter.
SELECT finding.point, finding.meter, max(submission.id) AS receipt
FROM submission
JOIN legal_entity AS entity ON entity.id = submission.entity_id
JOIN finding ON finding.submission_id = submission.id
WHERE entity.user_code = :entity AND submission.recorded_at >= :first
  AND finding.severity = 'error' AND finding.point IS NOT NULL
  AND (finding.start IS NULL OR finding.start > :first AND finding.start <= :last
       OR finding.start = :first AND finding.meter IS NULL)
GROUP BY finding.point, finding.meter
