/** Triggers that let what has expired be found by an index: the ages of artifacts. */
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** With the rights of the owner: whoever writes needs none on what these read and delete. */
export const EXPIRY: readonly SqlFunction[] = [
  {
    name: 'date_artifact',
    sql: `
CREATE OR REPLACE FUNCTION porin.date_artifact() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  SELECT job.tenant, run.started_at INTO NEW.tenant, NEW.created_at
  FROM porin.executor_run AS run JOIN porin.job ON job.id = run.job_id WHERE run.id = NEW.executor_run_id;
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER date_artifact BEFORE INSERT ON porin.artifact
  FOR EACH ROW EXECUTE FUNCTION porin.date_artifact();`,
  },
];
