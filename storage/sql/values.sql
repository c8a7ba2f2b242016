-- Thousands of interval values in one go. SQLite takes a series of them as one JSON array,
-- in half the time of a row each, and replaces row by row; PostgreSQL takes COPY and arrays.

-- name: add
INSERT INTO interval_value (series_id, start, energy_wh, not_commercial, submission_id) VALUES (?, ?, ?, ?, ?) -- sqlite
COPY interval_value (series_id, start, energy_wh, not_commercial, submission_id) FROM STDIN -- postgresql

-- name: add_run
INSERT INTO interval_value (series_id, start, energy_wh, not_commercial, submission_id) -- sqlite
SELECT ?, ? + key * ?, value, 0, ? FROM json_each(?) -- sqlite

-- name: keep_old
-- What is in force becomes history.
INSERT INTO interval_history (series_id, start, replaced_by, energy_wh, not_commercial,
                              submission_id, replaced_at)
SELECT series_id, start, ?, energy_wh, not_commercial, submission_id, ? -- sqlite
FROM interval_value WHERE series_id = ? AND start = ? -- sqlite
SELECT old.series_id, old.start, :by, old.energy_wh, old.not_commercial, old.submission_id, :at -- postgresql
FROM interval_value AS old -- postgresql
JOIN unnest(:series::integer[], :starts::bigint[]) AS new (series_id, start) USING (series_id, start) -- postgresql

-- name: replace
UPDATE interval_value SET energy_wh = ?, not_commercial = ?, submission_id = ? WHERE series_id = ? AND start = ? -- sqlite
UPDATE interval_value AS old -- postgresql
SET energy_wh = new.energy_wh, not_commercial = new.not_commercial, submission_id = :by -- postgresql
FROM unnest(:series::integer[], :starts::bigint[], :energy::bigint[], :flags::boolean[]) AS new (series_id, start, energy_wh, not_commercial) -- postgresql
WHERE old.series_id = new.series_id AND old.start = new.start -- postgresql

-- name: carry_spans
INSERT INTO submission_span (series_id, submission_id, start, "end", places) VALUES (?, ?, ?, ?, ?) -- sqlite
COPY submission_span (series_id, submission_id, start, "end", places) FROM STDIN -- postgresql

-- name: carry_readings
INSERT INTO submission_reading (meter_id, channel, zone, instant, submission_id, places) VALUES (?, ?, ?, ?, ?, ?) -- sqlite
COPY submission_reading (meter_id, channel, zone, instant, submission_id, places) FROM STDIN -- postgresql

-- name: add_readings
INSERT INTO register_reading (meter_id, channel, zone, instant, submission_id, value) VALUES (?, ?, ?, ?, ?, ?) -- sqlite
COPY register_reading (meter_id, channel, zone, instant, submission_id, value) FROM STDIN -- postgresql

-- name: keep_old_reading
INSERT INTO register_history (meter_id, channel, zone, instant, replaced_by, value,
                              submission_id, replaced_at)
SELECT meter_id, channel, zone, instant, :by, value, submission_id, :at
FROM register_reading
WHERE meter_id = :meter AND channel = :channel AND zone = :zone AND instant = :instant

-- name: replace_reading
UPDATE register_reading
SET value = :value, submission_id = :by
WHERE meter_id = :meter AND channel = :channel AND zone = :zone AND instant = :instant

-- name: keep_displaced
-- What came in another step becomes history where its day comes anew.
INSERT INTO interval_history (series_id, start, replaced_by, energy_wh, not_commercial,
                              submission_id, replaced_at)
SELECT series_id, start, :by, energy_wh, not_commercial, submission_id, :at
FROM interval_value
WHERE series_id = :series AND start >= :first AND start < :last

-- name: drop_displaced
DELETE FROM interval_value
WHERE series_id = :series AND start >= :first AND start < :last
