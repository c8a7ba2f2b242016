-- Sums of days, beside the interval values they are of. Days are Moscow's: UTC + 10800 s.

-- name: days
SELECT series_id, day, energy_wh, highest_wh, counts
FROM interval_day
WHERE series_id = ANY(:keys) AND day >= :first AND day < :last

-- name: lock_series
-- Locks the series, so that no other transaction sums them up meanwhile.
SELECT id
FROM interval_series
WHERE id = ANY(:keys)
ORDER BY id
FOR NO KEY UPDATE -- postgresql

-- name: hours
-- Commercial values of each hour, numbered since 1970 in Moscow time.
SELECT series_id, (start + 10800) / 3600, count(*), sum(energy_wh), max(energy_wh)
FROM interval_value
WHERE series_id = ANY(:keys) AND start >= :first AND start < :last
  AND energy_wh IS NOT NULL AND NOT not_commercial
GROUP BY series_id, (start + 10800) / 3600

-- name: put
-- Over the sums that are there. PostgreSQL takes columns: arrays, one a column.
INSERT INTO interval_day (series_id, day, energy_wh, highest_wh, counts)
VALUES (?, ?, ?, ?, ?) -- sqlite
SELECT * FROM unnest(:series::integer[], :days::integer[], :energy::bytea[], :highest::bytea[], :counts::bytea[]) -- postgresql
ON CONFLICT (series_id, day) DO UPDATE
SET energy_wh = excluded.energy_wh, highest_wh = excluded.highest_wh, counts = excluded.counts
