-- After every `ingest migrate`, by the owner:
--     psql -U ingest_owner -d ingest -f deploy/postgresql-grants.sql
-- The service may read and add everywhere, and change and delete where no trigger refuses it.
DO $$
DECLARE
    item record;
BEGIN
    FOR item IN
        SELECT c.oid, c.relname, c.relkind
        FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'S')
    LOOP
        IF item.relkind = 'S' THEN
            EXECUTE format('GRANT USAGE, SELECT ON SEQUENCE public.%I TO ingest', item.relname);
            CONTINUE;
        END IF;
        EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, ingest', item.relname);
        EXECUTE format('GRANT SELECT ON public.%I TO ingest', item.relname);
        IF item.relkind = 'v' OR item.relname = 'alembic_version' THEN
            CONTINUE;
        END IF;
        EXECUTE format('GRANT INSERT ON public.%I TO ingest', item.relname);
        IF NOT EXISTS (
            SELECT FROM pg_trigger AS t JOIN pg_proc AS f ON f.oid = t.tgfoid
            WHERE t.tgrelid = item.oid AND f.proname = 'refuse_change'
        ) THEN
            EXECUTE format('GRANT UPDATE, DELETE ON public.%I TO ingest', item.relname);
        END IF;
    END LOOP;
    -- The queue of `migrate --cluster`: jobs, which hold nothing that is not known elsewhere.
    IF to_regnamespace('ingest_queue') IS NOT NULL THEN
        GRANT USAGE ON SCHEMA ingest_queue TO ingest;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ingest_queue TO ingest;
        GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ingest_queue TO ingest;
    END IF;
END $$;
