-- Who uses the pages: sessions, users of entities, programs' tokens.

-- name: owner
SELECT id, user_code, name, active, password_hash
FROM legal_entity
WHERE id = :id

-- name: user
SELECT person.id, person.address, person.role, person.password_hash,
       person.active AND entity.active AS active, entity.user_code, entity.name
FROM web_user AS person
JOIN legal_entity AS entity ON entity.id = person.entity_id
WHERE person.id = :id

-- name: user_by_address
SELECT id
FROM web_user
WHERE address = :address

-- name: session
SELECT sha256, kind, subject_id, mark, made_at, seen_at, network, agent
FROM web_session
WHERE sha256 = :sha256

-- name: sessions_of
SELECT sha256, kind, subject_id, mark, made_at, seen_at, network, agent
FROM web_session
WHERE kind = :kind AND subject_id = :subject
ORDER BY seen_at DESC, sha256

-- name: begin
INSERT INTO web_session (sha256, kind, subject_id, mark, made_at, seen_at, network, agent)
VALUES (:sha256, :kind, :subject, :mark, :now, :now, :network, :agent)

-- name: see
UPDATE web_session
SET seen_at = :now
WHERE sha256 = :sha256

-- name: end
DELETE FROM web_session
WHERE sha256 = :sha256

-- name: end_others
DELETE FROM web_session
WHERE kind = :kind AND subject_id = :subject AND sha256 <> :sha256

-- name: end_old
DELETE FROM web_session
WHERE made_at <= :made_before OR seen_at <= :seen_before

-- name: token
SELECT token.id, entity.user_code, entity.active, token.name, token.made_by, token.made_at,
       token.ends_at, token.used_at, token.ended_at
FROM web_token AS token
JOIN legal_entity AS entity ON entity.id = token.entity_id
WHERE token.sha256 = :sha256

-- name: use_token
UPDATE web_token
SET used_at = :now
WHERE id = :id

-- name: drop_uploads
DELETE FROM web_upload
WHERE at <= :before OR session = :session

-- name: keep_upload
INSERT INTO web_upload (session, sha256, name, content, at)
VALUES (:session, :sha256, :name, :content, :now)

-- name: upload
SELECT name, content
FROM web_upload
WHERE session = :session AND sha256 = :sha256 AND at > :since
