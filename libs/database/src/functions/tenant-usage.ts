/** Triggers that note what a tenant uses more or less of its bounds, whoever writes. */
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** Of an artifact, by its last part: whatever a node says of it. */
export const STORED_BYTES = `coalesce((SELECT byte_offset + octet_length(chunk.content) FROM porin.artifact_chunk AS chunk
      WHERE chunk.artifact_id = artifact.id ORDER BY byte_offset DESC LIMIT 1), 0)`;

/** What no number of ours is beyond, however wrong what was counted: usage is told, and never ends who counts it. */
const told = (sum: string): string => `least(greatest(${sum}, 0), ${Number.MAX_SAFE_INTEGER})::float8`;

export const TENANT_USAGE: readonly SqlFunction[] = [
  {
    name: 'used',
    sql: `
CREATE OR REPLACE FUNCTION porin.used(of_tenant text, OUT open_jobs float8, OUT stored_bytes float8) LANGUAGE sql STABLE ${SEARCH_PATH} AS $$
  SELECT ${told('sum(change.open_jobs)')}, ${told('sum(change.stored_bytes)')} FROM (
    SELECT open_jobs, stored_bytes FROM porin.tenant_usage WHERE tenant = of_tenant
    UNION ALL SELECT open_jobs, stored_bytes FROM porin.tenant_usage_change WHERE tenant = of_tenant
    UNION ALL SELECT 0, 0
  ) AS change
$$;`,
  },
  noted(
    'note_open_jobs',
    `INSERT INTO tenant_usage_change (tenant, open_jobs, stored_bytes)
  VALUES (coalesce(NEW.tenant, OLD.tenant),
    (NEW.id IS NOT NULL AND NEW.ended_at IS NULL)::integer - (OLD.id IS NOT NULL AND OLD.ended_at IS NULL)::integer,
    coalesce(NEW.request_bytes, 0) - coalesce(OLD.request_bytes, 0));`,
    `CREATE OR REPLACE TRIGGER note_job AFTER INSERT OR DELETE ON porin.job
  FOR EACH ROW EXECUTE FUNCTION porin.note_open_jobs();
CREATE OR REPLACE TRIGGER note_job_end AFTER UPDATE OF ended_at ON porin.job
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION porin.note_open_jobs();
DROP TRIGGER IF EXISTS note_job_gone ON porin.job;`,
  ),
  storedBytes('artifact', 'bytes', 'INSERT OR UPDATE OF bytes'),
  storedBytes('recording', 'content_bytes', 'INSERT'),
  // A run that its node does not finish has its bytes all the same.
  noted(
    'note_unfinished_bytes',
    `UPDATE artifact SET bytes = ${STORED_BYTES} FROM executor_run AS run
  WHERE run.id = artifact.executor_run_id AND run.job_id = NEW.job_id AND run.attempt_number = NEW.number AND run.ended_at IS NULL;`,
    `CREATE OR REPLACE TRIGGER note_attempt_end AFTER UPDATE OF ended_at ON porin.attempt
  FOR EACH ROW WHEN (OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL) EXECUTE FUNCTION porin.note_unfinished_bytes();`,
  ),
];

/**
 * The tenant is found by the run, so that what a deletion of the run takes along is not noted: delete artifacts and
 * recordings before their jobs.
 */
function storedBytes(table: string, column: string, changes: string): SqlFunction {
  const name = `note_${table}_bytes`;
  return noted(
    name,
    `INSERT INTO tenant_usage_change (tenant, stored_bytes)
  SELECT job.tenant, coalesce(NEW.${column}, 0) - coalesce(OLD.${column}, 0)
  FROM executor_run AS run JOIN job ON job.id = run.job_id
  WHERE run.id = coalesce(NEW.executor_run_id, OLD.executor_run_id)
    AND coalesce(NEW.${column}, 0) <> coalesce(OLD.${column}, 0);`,
    `CREATE OR REPLACE TRIGGER ${name} AFTER ${changes} OR DELETE ON porin.${table}
  FOR EACH ROW EXECUTE FUNCTION porin.${name}();`,
  );
}

/** SECURITY DEFINER: who may change a job or an artifact needs no right on the changes. NEW and OLD are null where there is none. */
function noted(name: string, body: string, triggers: string): SqlFunction {
  return {
    name,
    sql: `
CREATE OR REPLACE FUNCTION porin.${name}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  ${body}
  RETURN NULL;
END $$;
${triggers}`,
  };
}
