-- Leases, by the database's clock.

-- name: take
-- A lease that is free, has run out, or is the holder's own; one that would last
-- twice as long as it may was taken before the clock was set back.
INSERT INTO lease (name, holder, until)
VALUES (:name, :holder, CAST(strftime('%s', 'now') AS INTEGER) + :seconds) -- sqlite
VALUES (:name, :holder, CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :seconds) -- postgresql
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, until = excluded.until
WHERE lease.holder = excluded.holder OR lease.until <= excluded.until - :seconds
   OR lease.until > excluded.until + :seconds

-- name: holder
SELECT holder
FROM lease
WHERE name = :name
FOR UPDATE -- postgresql

-- name: release
DELETE FROM lease
WHERE name = :name AND holder = :holder
