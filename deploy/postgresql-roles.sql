-- Once, by a superuser, in the new database:  psql -d ingest -f deploy/postgresql-roles.sql
-- `ingest_owner` owns the tables and migrates; `ingest` is the service, which can neither
-- change what is only added to nor switch off what refuses it. Both sign in as pg_hba.conf
-- says; peer authentication needs unix users of these names.
CREATE ROLE ingest_owner LOGIN;
CREATE ROLE ingest LOGIN;
ALTER SCHEMA public OWNER TO ingest_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO ingest;
