-- Failures and successes of addresses, and of domains for strangers.

-- name: locks
SELECT locked_until, succeeded_at
FROM sender_failure
WHERE user_code = :user_code AND address = ANY(:keys)

-- name: succeed
INSERT INTO sender_failure (user_code, address, failures, succeeded_at)
VALUES (:user_code, :address, 0, :now)
ON CONFLICT (user_code, address) DO UPDATE
SET failures = 0, locked_until = NULL, succeeded_at = excluded.succeeded_at
