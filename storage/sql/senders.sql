-- Failures and successes of addresses, and of domains for strangers.

-- name: locks
SELECT address, locked_until, succeeded_at
FROM sender_failure
WHERE user_code = :user_code AND address = ANY(:keys)

-- name: succeed
INSERT INTO sender_failure (user_code, address, failures, succeeded_at)
VALUES (:user_code, :address, 0, :now)
ON CONFLICT (user_code, address) DO UPDATE
SET failures = 0, locked_until = NULL, succeeded_at = excluded.succeeded_at

-- name: knows
-- Whether an address has authenticated with the code.
SELECT 1
FROM sender_failure
WHERE user_code = :user_code AND address = :address AND succeeded_at IS NOT NULL

-- name: forgive
UPDATE sender_failure
SET failures = 0, locked_until = NULL
WHERE user_code = :user_code AND address = :address

-- name: known_with
-- Every address that has authenticated with the code.
SELECT address
FROM sender_failure
WHERE user_code = :user_code AND succeeded_at IS NOT NULL

-- name: proven
-- Those of the addresses that have authenticated, with whatever code.
SELECT DISTINCT address
FROM sender_failure
WHERE address = ANY(:keys) AND succeeded_at IS NOT NULL

-- name: guess
INSERT INTO sender_guess (user_code, bucket, at)
VALUES (:user_code, :bucket, :now)

-- name: guesses
-- The wrong passwords of a bucket since then, the last one first.
SELECT at
FROM sender_guess
WHERE user_code = :user_code AND bucket = :bucket AND at > :since
ORDER BY at DESC
LIMIT :most

-- name: forget_guesses
DELETE FROM sender_guess
WHERE at <= :before
