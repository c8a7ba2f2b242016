-- Triggers of tables whose rows are only ever added.

-- name: refusing
-- How each is made; on PostgreSQL also 'A' where it holds in every session, and what it runs.
SELECT name, sql FROM sqlite_master WHERE type = 'trigger' -- sqlite
SELECT made.tgname, concat_ws(' ', pg_get_triggerdef(made.oid, true), made.tgenabled, refuse.prosrc) -- postgresql
FROM pg_trigger AS made JOIN pg_proc AS refuse ON refuse.oid = made.tgfoid WHERE NOT made.tgisinternal -- postgresql

-- name: hung
-- Triggers, rules and policies on our tables: they could keep rows out, change or hide them.
SELECT 'trigger ' || name AS what, name FROM sqlite_master -- sqlite
WHERE type = 'trigger' AND tbl_name = ANY(:keys) -- sqlite
SELECT 'trigger ' || tgname AS what, tgname::text AS name -- postgresql
FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid -- postgresql
WHERE NOT tgisinternal AND relnamespace = 'public'::regnamespace AND relname = ANY(:keys) -- postgresql
UNION ALL -- postgresql
SELECT 'rule ' || rulename || ' on ' || tablename, '' FROM pg_rules -- postgresql
WHERE schemaname = 'public' AND tablename = ANY(:keys) -- postgresql
UNION ALL -- postgresql
SELECT 'row security of ' || relname, '' FROM pg_class -- postgresql
WHERE relrowsecurity AND relnamespace = 'public'::regnamespace AND relname = ANY(:keys) -- postgresql
ORDER BY 1

-- name: not_granted
-- Tables that this user may not read or add to; alembic_version is read only.
SELECT name FROM sqlite_master WHERE 1 = 0 -- sqlite
SELECT relname FROM pg_class -- postgresql
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' -- postgresql
  AND NOT (has_table_privilege(oid, 'SELECT') -- postgresql
           AND (relname = 'alembic_version' OR has_table_privilege(oid, 'INSERT'))) -- postgresql
ORDER BY 1
