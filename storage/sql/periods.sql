-- Months, open and closed.

-- name: closed
SELECT month
FROM period
WHERE closed
