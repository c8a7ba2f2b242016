-- Seals, and the rows that they are of.

-- name: last
SELECT number, at, upto, sha256
FROM seal
ORDER BY number DESC
LIMIT 1

-- name: seal
SELECT number, at, upto, rows, sha256
FROM seal
WHERE number = :number

-- name: hash_of
SELECT sha256
FROM seal
WHERE number = :number

-- name: chain
SELECT number, at, upto, rows, sha256
FROM seal
WHERE number > :after
ORDER BY number
LIMIT :most

-- name: head
SELECT number, sha256
FROM seal_head

-- name: now
-- The database's clock.
SELECT CAST(strftime('%s', 'now') AS INTEGER) -- sqlite
SELECT CAST(extract(epoch FROM clock_timestamp()) AS bigint) -- postgresql

-- name: transaction
SELECT CAST(CAST(pg_current_xact_id() AS text) AS bigint) -- postgresql

-- name: oldest_open
-- Every transaction with a smaller number has ended.
SELECT CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) -- postgresql

-- name: append
-- Behind the one it was drafted for, or not at all.
INSERT INTO seal (number, at, upto, rows, sha256)
SELECT :number, :at, :upto, :rows, :sha256
WHERE (SELECT coalesce(max(number), 0) FROM seal) = :before
ON CONFLICT (number) DO NOTHING

-- name: keep_head
INSERT INTO seal_head (id, number, sha256)
VALUES (1, :number, :sha256)
ON CONFLICT (id) DO UPDATE
SET number = excluded.number, sha256 = excluded.sha256

-- name: newest_audit
SELECT max(id)
FROM audit

-- name: count_audit
SELECT count(*)
FROM audit
WHERE id > :after

-- name: of_audit
SELECT *
FROM audit
WHERE id > :after AND id <= :upto
ORDER BY id
LIMIT :most

-- name: newest_finding
SELECT max(id)
FROM finding

-- name: count_finding
SELECT count(*)
FROM finding
WHERE id > :after

-- name: of_finding
SELECT *
FROM finding
WHERE id > :after AND id <= :upto
ORDER BY id
LIMIT :most

-- name: newest_snapshot
SELECT max(id)
FROM snapshot

-- name: count_snapshot
SELECT count(*)
FROM snapshot
WHERE id > :after

-- name: of_snapshot
SELECT *
FROM snapshot
WHERE id > :after AND id <= :upto
ORDER BY id
LIMIT :most

-- name: newest_submission
SELECT max(id)
FROM submission

-- name: count_submission
SELECT count(*)
FROM submission
WHERE id > :after

-- name: of_submission
SELECT *
FROM submission
WHERE id > :after AND id <= :upto
ORDER BY id
LIMIT :most

-- name: with_snapshot_row
SELECT *
FROM snapshot_row
WHERE snapshot_id = ANY(:keys)
ORDER BY snapshot_id, position

-- name: with_submission_reading
SELECT *
FROM submission_reading
WHERE submission_id = ANY(:keys)
ORDER BY submission_id, meter_id, channel, zone, instant

-- name: with_submission_span
SELECT *
FROM submission_span
WHERE submission_id = ANY(:keys)
ORDER BY submission_id, series_id, "end", start

-- name: with_suspicion
SELECT *
FROM suspicion
WHERE submission_id = ANY(:keys)
ORDER BY id
