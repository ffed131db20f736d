/** How a job gets into the queue, whoever puts it there, and that it leaves it when it ends. */
import { isFinal, JOB_STATES } from '#lib/jobs';
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** Of a row `job`: where its payload has ended and only its outputs are to be put in place, a slot alone. */
const asked = (column: string) =>
  `CASE WHEN of_job.publishing_since IS NULL THEN porin.rounded(of_job.${column}) ELSE 0 END`;

export const QUEUE: readonly SqlFunction[] = [
  {
    // Down to a power of two: jobs that are much alike share a lane, and no submitter makes lanes without end.
    name: 'rounded',
    sql: `
CREATE OR REPLACE FUNCTION porin.rounded(amount bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE ${SEARCH_PATH}
AS $$ SELECT CASE WHEN amount < 1 THEN 0 ELSE (2 ^ floor(log(2, amount::numeric)))::bigint END $$;`,
  },
  {
    name: 'lane_of',
    sql: `
CREATE OR REPLACE FUNCTION porin.lane_of(of_job porin.job) RETURNS bigint LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE
  cpu bigint := ${asked('cpu_milli')};
  memory bigint := ${asked('memory_bytes')};
  disk bigint := ${asked('disk_bytes')};
  what text := CASE WHEN of_job.publishing_since IS NULL THEN coalesce(of_job.needs_monitoring, '') ELSE 'publication' END;
  found_id bigint;
BEGIN
  LOOP
    SELECT id INTO found_id FROM porin.lane
    WHERE (tenant, submitted_by, architecture, cpu_milli, memory_bytes, disk_bytes, needs)
      = (of_job.tenant, of_job.submitted_by, of_job.architecture, cpu, memory, disk, what);
    IF FOUND THEN RETURN found_id; END IF;
    INSERT INTO porin.lane (tenant, submitted_by, architecture, cpu_milli, memory_bytes, disk_bytes, needs)
    VALUES (of_job.tenant, of_job.submitted_by, of_job.architecture, cpu, memory, disk, what) ON CONFLICT DO NOTHING;
  END LOOP;
END $$;`,
  },
  {
    // A job that was in the queue before goes ahead of those of its priority that were not. Without effect on one that is there.
    name: 'enqueue',
    sql: `
CREATE OR REPLACE FUNCTION porin.enqueue(job_id uuid, was_before boolean) RETURNS void LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE of_job porin.job%ROWTYPE;
BEGIN
  SELECT * INTO of_job FROM porin.job WHERE id = enqueue.job_id AND state = 'QUEUED';
  IF NOT FOUND THEN RETURN; END IF;
  INSERT INTO porin.queue_entry (lane_id, priority, job_id)
  VALUES (porin.lane_of(of_job), -2 * of_job.priority - was_before::integer, of_job.id) ON CONFLICT DO NOTHING;
END $$;`,
  },
  {
    name: 'forget_queued',
    sql: `
CREATE OR REPLACE FUNCTION porin.forget_queued() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER ${SEARCH_PATH} AS $$
BEGIN
  DELETE FROM porin.queue_entry WHERE job_id = NEW.id;
  DELETE FROM porin.queue_delay WHERE job_id = NEW.id;
  RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER job_end_queued AFTER UPDATE OF state ON porin.job
  FOR EACH ROW WHEN (OLD.state = 'QUEUED' AND NEW.state IN ('${JOB_STATES.filter(isFinal).join("', '")}'))
  EXECUTE FUNCTION porin.forget_queued();`,
  },
];
