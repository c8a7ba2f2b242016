-- Triggers of tables whose rows are only ever added.

-- name: refusing
-- How each is made; on PostgreSQL also 'A' where it holds in every session, and what it runs.
SELECT name, sql FROM sqlite_master WHERE type = 'trigger' -- sqlite
SELECT made.tgname, concat_ws(' ', pg_get_triggerdef(made.oid, true), made.tgenabled, refuse.prosrc) -- postgresql
FROM pg_trigger AS made JOIN pg_proc AS refuse ON refuse.oid = made.tgfoid WHERE NOT made.tgisinternal -- postgresql
