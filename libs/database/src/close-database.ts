/** Takes away what Postgres lets every role do in a database: a node's role does nothing but call the functions for nodes. */
import type pg from 'pg';

/**
 * Temporary objects could stand in the way of ours, functions that are made later are nobody's to call, and public belongs to
 * the owner. The role of all workers of earlier versions has nothing here. Large objects, with which any role could fill the disk, only a superuser can take away.
 */
const CLOSE = `
DO $$
DECLARE maker text;
BEGIN
  IF pg_has_role((SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'porin_worker') THEN
    REVOKE ALL ON ALL TABLES IN SCHEMA porin FROM porin_worker;
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA porin FROM porin_worker;
    REVOKE ALL ON SCHEMA porin FROM porin_worker;
  END IF;
  ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
  IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
    FOR maker IN SELECT oid::regprocedure::text FROM pg_proc
      WHERE pronamespace = 'pg_catalog'::regnamespace AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea') LOOP
      EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', maker);
    END LOOP;
  END IF;
END $$`;

/** As the owner of the schema, under the lock of migrations. Without effect where it is so already. */
export async function closeDatabase(client: pg.Client): Promise<void> {
  await client.query(CLOSE);
}
