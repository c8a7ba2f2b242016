-- Letters whose raw bytes wait in the database, and the processes that carry them.

-- name: announce
-- A letter that waits for a worker; one that is known by its place already is left as it is.
INSERT INTO arrival (source, key, received_at, size, content, held, header_only, missing,
                     announced_at, due_at)
VALUES (:source, :key, :received_at, :size, :content, :held, :header_only, :missing,
        CAST(strftime('%s', 'now') AS INTEGER), 0) -- sqlite
        CAST(extract(epoch FROM clock_timestamp()) AS bigint), 0) -- postgresql
ON CONFLICT (source, key) DO NOTHING
RETURNING id

-- name: carry
-- The job that brings them to a worker.
UPDATE arrival
SET job = :job
WHERE id = ANY(:keys)

-- name: take
-- Those of a trip that have no verdict, taken by a process.
UPDATE arrival
SET holder = :holder
WHERE id = ANY(:keys) AND outcome IS NULL
RETURNING id, source, key, received_at, size, content, header_only, missing

-- name: headers
-- The beginning of each, which says who claims to have sent it.
SELECT id, substr(content, 1, :most) AS header
FROM arrival
WHERE id = ANY(:keys) AND content IS NOT NULL

-- name: settle
-- The verdict; the bytes go with it.
UPDATE arrival
SET outcome = :outcome, content = NULL, held = 0, holder = NULL
WHERE source = :source AND key = :key AND outcome IS NULL

-- name: put_off
-- Put off: without a holder, and due then.
UPDATE arrival
SET holder = NULL,
    due_at = CAST(strftime('%s', 'now') AS INTEGER) + :seconds -- sqlite
    due_at = CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :seconds -- postgresql
WHERE id = ANY(:keys) AND outcome IS NULL

-- name: of_source
-- Everything of a source that is under way, or not put away yet.
SELECT key, outcome
FROM arrival
WHERE source = :source

-- name: settled
-- How many of a source have a verdict and are not put away.
SELECT count(*)
FROM arrival
WHERE source = :source AND outcome IS NOT NULL

-- name: forget
-- Those that are put away.
DELETE FROM arrival
WHERE source = :source AND key = ANY(:keys) AND outcome IS NOT NULL

-- name: held
-- Bytes that wait for a verdict.
SELECT coalesce(sum(held), 0)
FROM arrival
WHERE outcome IS NULL

-- name: waiting
-- How many wait for a verdict, the bytes of them, since when the oldest.
SELECT count(*) AS letters, coalesce(sum(held), 0) AS held, min(announced_at) AS oldest,
       count(DISTINCT CASE WHEN holder IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM process
           WHERE process.holder = arrival.holder
             AND process.beat_at > CAST(strftime('%s', 'now') AS INTEGER) - :silent -- sqlite
             AND process.beat_at > CAST(extract(epoch FROM clock_timestamp()) AS bigint) - :silent -- postgresql
       ) THEN job END) AS stalled
FROM arrival
WHERE outcome IS NULL

-- name: in_hands_of
-- Jobs whose letters some processes have.
SELECT DISTINCT job
FROM arrival
WHERE outcome IS NULL AND job IS NOT NULL AND holder = ANY(:keys)

-- name: beat
-- The heartbeat of a process.
INSERT INTO process (holder, role, version, began_at, beat_at)
VALUES (:holder, :role, :version,
        CAST(strftime('%s', 'now') AS INTEGER), CAST(strftime('%s', 'now') AS INTEGER)) -- sqlite
        CAST(extract(epoch FROM clock_timestamp()) AS bigint), -- postgresql
        CAST(extract(epoch FROM clock_timestamp()) AS bigint)) -- postgresql
ON CONFLICT (holder) DO UPDATE SET beat_at = excluded.beat_at

-- name: left
-- A process has ended.
DELETE FROM process
WHERE holder = :holder

-- name: processes
-- Every process, and the seconds since its last heartbeat.
SELECT holder, role, version, began_at, beat_at,
       CAST(strftime('%s', 'now') AS INTEGER) - beat_at AS silent -- sqlite
       CAST(extract(epoch FROM clock_timestamp()) AS bigint) - beat_at AS silent -- postgresql
FROM process
ORDER BY role, began_at, holder

-- name: forget_silent
-- Processes without a heartbeat for so long.
DELETE FROM process
WHERE beat_at < CAST(strftime('%s', 'now') AS INTEGER) - :silent -- sqlite
WHERE beat_at < CAST(extract(epoch FROM clock_timestamp()) AS bigint) - :silent -- postgresql
