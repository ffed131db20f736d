/** Triggers that keep what is looked through small and found by an index: the ages of artifacts, and messages of jobs that ended. */
import { isFinal, JOB_STATES } from '#lib/jobs';
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
  {
    // Whoever ends it, and why: placement looks at every row that was not sent.
    name: 'forget_outbox',
    sql: `
CREATE OR REPLACE FUNCTION porin.forget_outbox() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  DELETE FROM porin.outbox WHERE job_id = NEW.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER job_end_outbox AFTER UPDATE OF state ON porin.job
  FOR EACH ROW WHEN (OLD.state = 'QUEUED' AND NEW.state IN ('${JOB_STATES.filter(isFinal).join("', '")}'))
  EXECUTE FUNCTION porin.forget_outbox();`,
  },
];
