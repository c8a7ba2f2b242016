-- CPU time by who caused it, minute by minute of the database's clock.

-- name: charge
INSERT INTO cost (minute, payer, cpu_ms)
VALUES (CAST(strftime('%s', 'now') AS INTEGER) / 60, :payer, :cpu_ms) -- sqlite
VALUES (CAST(extract(epoch FROM clock_timestamp()) AS bigint) / 60, :payer, :cpu_ms) -- postgresql
ON CONFLICT (minute, payer) DO UPDATE
SET cpu_ms = cost.cpu_ms + excluded.cpu_ms

-- name: forget
DELETE FROM cost
WHERE minute <= CAST(strftime('%s', 'now') AS INTEGER) / 60 - 60 -- sqlite
WHERE minute <= CAST(extract(epoch FROM clock_timestamp()) AS bigint) / 60 - 60 -- postgresql

-- name: heavy
-- Who has cost that much within an hour.
SELECT payer, sum(cpu_ms) AS cpu_ms
FROM cost
WHERE minute > CAST(strftime('%s', 'now') AS INTEGER) / 60 - 60 -- sqlite
WHERE minute > CAST(extract(epoch FROM clock_timestamp()) AS bigint) / 60 - 60 -- postgresql
GROUP BY payer
HAVING sum(cpu_ms) >= :least
