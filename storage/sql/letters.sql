-- The ledger of letters: what every letter asks, whatever comes of it.

-- name: count_attempt
-- A new letter, or one attempt more of one without a verdict; else no row.
INSERT INTO letter (sha256, size, state, attempts, claimed_at, received_at,
                    sender, subject, message_id, run)
VALUES (:sha256, :size, 'claimed', 1, :now, :received_at, '', '', '', 0)
ON CONFLICT (sha256) DO UPDATE
SET attempts = letter.attempts + 1, claimed_at = excluded.claimed_at
WHERE letter.state = 'claimed'
RETURNING id, state, outcome, attempts, received_at, run

-- name: settled
-- A letter that has its verdict.
SELECT id, state, outcome, attempts, received_at, run
FROM letter
WHERE sha256 = :sha256

-- name: locate
-- Where a letter lies; a place may have held another one before.
INSERT INTO letter_location (mailbox, folder, uidvalidity, uid, letter_id)
VALUES (:mailbox, :folder, :uidvalidity, :uid, :letter)
ON CONFLICT (mailbox, folder, uidvalidity, uid) DO UPDATE
SET letter_id = excluded.letter_id

-- name: known
-- What became of the letters at these places.
SELECT location.uid, letter.id, letter.state, letter.outcome, letter.attempts,
       letter.received_at, letter.run,
       -- None waits for two hours: one that would was put off before the clock was set back.
       COALESCE(letter.waits_until - CAST(strftime('%s', 'now') AS INTEGER) BETWEEN 1 AND 7200, 0) AS waits -- sqlite
       COALESCE(letter.waits_until - CAST(extract(epoch FROM clock_timestamp()) AS bigint) BETWEEN 1 AND 7200, false) AS waits -- postgresql
FROM letter_location AS location
JOIN letter ON letter.id = location.letter_id
WHERE location.mailbox = :mailbox
  AND location.folder = :folder
  AND location.uidvalidity = :uidvalidity
  AND location.uid = ANY(:keys)

-- name: settle
-- The verdict, unless another process gave one.
UPDATE letter
SET state = 'done', outcome = :outcome, entity_id = :entity, sender = :sender,
    subject = :subject, message_id = :message_id, reason = :reason,
    claimed_code = :claimed, settled_at = :now, error = NULL, waits_until = NULL
WHERE id = :letter AND state <> 'done'

-- name: wait
-- Not before so long; the attempt does not count. Operators are told whose it is and why.
UPDATE letter
SET attempts = attempts - 1, sender = :sender, claimed_code = :claimed, reason = :reason,
    waits_until = CAST(strftime('%s', 'now') AS INTEGER) + :rest -- sqlite
    waits_until = CAST(extract(epoch FROM clock_timestamp()) AS bigint) + :rest -- postgresql
WHERE id = :letter AND state = 'claimed' AND attempts > 0
