-- The outbox: replies owed, leased, sent.

-- name: owe
-- The same Message-ID is the same reply. It is due by the database's clock, as is every
-- wait: hosts' clocks differ.
INSERT INTO reply (letter_id, recipient, address, stranger_domain, subject, message_id,
                   content, state, attempts, owed_at, next_at)
VALUES (:letter, :recipient, :address, :stranger_domain, :subject, :message_id,
        :content, 'owed', 0, :now,
        CAST(strftime('%s', 'now') AS INTEGER) + :held) -- sqlite
        CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :held) -- postgresql
ON CONFLICT (message_id) DO NOTHING

-- name: complete
-- A reply that was held may leave, unless somebody has begun to send it.
UPDATE reply
SET content = :content,
    next_at = CAST(strftime('%s', 'now') AS INTEGER) -- sqlite
    next_at = CAST(extract(epoch FROM clock_timestamp()) AS bigint) -- postgresql
WHERE message_id = :message_id AND state = 'owed' AND attempts = 0 AND leased_until IS NULL

-- name: due
-- Replies that nobody is sending, the longest due first. What waits for longer than it was ever
-- told to was noted before the clock was set back, and is due.
SELECT id
FROM reply
WHERE state = 'owed'
  AND (next_at <= CAST(strftime('%s', 'now') AS INTEGER) -- sqlite
  AND (next_at <= CAST(extract(epoch FROM clock_timestamp()) AS bigint) -- postgresql
    OR next_at - CAST(CASE WHEN attempts = 0 THEN :held_most ELSE :rest_most END AS INTEGER)
       > CAST(strftime('%s', 'now') AS INTEGER)) -- sqlite
       > CAST(extract(epoch FROM clock_timestamp()) AS bigint)) -- postgresql
  AND (leased_until IS NULL
    OR leased_until <= CAST(strftime('%s', 'now') AS INTEGER) -- sqlite
    OR leased_until - CAST(:leased_most AS INTEGER) > CAST(strftime('%s', 'now') AS INTEGER)) -- sqlite
    OR leased_until <= CAST(extract(epoch FROM clock_timestamp()) AS bigint) -- postgresql
    OR leased_until - CAST(:leased_most AS INTEGER) > CAST(extract(epoch FROM clock_timestamp()) AS bigint)) -- postgresql
ORDER BY next_at, id
LIMIT :most
FOR UPDATE SKIP LOCKED -- postgresql

-- name: lease
-- The attempt is counted here, so that one which kills the sender counts too. The lease
-- runs by the database's clock, which is the same for all who send.
UPDATE reply
SET attempts = attempts + 1,
    leased_until = CAST(strftime('%s', 'now') AS INTEGER) + :seconds -- sqlite
    leased_until = CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :seconds -- postgresql
WHERE id = ANY(:keys)
RETURNING id, letter_id, recipient, subject, message_id, content, attempts, owed_at

-- name: settle
-- The server has taken it, or never will.
UPDATE reply
SET state = :state, settled_at = :now, leased_until = NULL, last_error = :error
WHERE id = :reply

-- name: defer
-- The server asked to try later.
UPDATE reply
SET leased_until = NULL, last_error = :error,
    next_at = CAST(strftime('%s', 'now') AS INTEGER) + :rest -- sqlite
    next_at = CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :rest -- postgresql
WHERE id = :reply

-- name: owed_since
-- How many replies an address has had.
SELECT count(*)
FROM reply
WHERE address = :address AND owed_at >= :since

-- name: owed_to_strangers
-- How many replies all strangers have had, and those of a domain.
SELECT count(*) AS of_all, count(CASE WHEN stranger_domain = :domain THEN 1 END) AS of_domain
FROM reply
WHERE stranger_domain IS NOT NULL AND owed_at >= :since

-- name: ours
-- Whether a Message-ID is of a letter that we wrote.
SELECT id
FROM reply
WHERE message_id = :message_id

-- name: returned
-- Replies that a bounce names.
SELECT id, letter_id, message_id, bounced_at, returned_text
FROM reply
WHERE message_id = ANY(:keys)

-- name: bounce
-- It came back for good, which is new to operators once.
UPDATE reply
SET bounced_at = :now, returned_code = :code, returned_text = :text, seen_at = NULL
WHERE id = :reply AND bounced_at IS NULL

-- name: delay
-- It is still on its way, the recipient's server says.
UPDATE reply
SET returned_code = :code, returned_text = :text
WHERE id = :reply AND bounced_at IS NULL

-- name: last_of
-- The latest mail of a kind to an address, between two moments.
SELECT message_id, owed_at
FROM reply
WHERE address = :address AND owed_at > :since AND owed_at <= :until AND message_id LIKE :beginning
ORDER BY owed_at DESC, id DESC
LIMIT 1
