/** How a job gets into the queue, whoever puts it there, and that it leaves it when it ends. */
import { ATTEMPT_FAILED_BY_NODE, isFinal, JOB_STATES } from '#lib/jobs';
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** Of a row `job`: where its payload has ended and only its outputs are to be put in place, a slot alone. */
const asked = (column: string) =>
  `CASE WHEN of_job.publishing_since IS NULL THEN porin.rounded(of_job.${column}) ELSE 0 END`;

export const QUEUE: readonly SqlFunction[] = [
  {
    // Down to a power of two, by its digits in base 2: jobs that are much alike share a lane, and no submitter makes lanes
    // without end.
    name: 'rounded',
    sql: `
CREATE OR REPLACE FUNCTION porin.rounded(amount bigint) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE ${SEARCH_PATH}
AS $$ SELECT CASE WHEN amount < 1 THEN 0 ELSE 1::bigint << (length(ltrim(amount::bit(64)::text, '0')) - 1) END $$;`,
  },
  {
    name: 'lane_of',
    sql: `
CREATE OR REPLACE FUNCTION porin.lane_of(of_job porin.job) RETURNS bigint LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE
  cpu bigint := ${asked('cpu_milli')};
  memory bigint := ${asked('memory_bytes')};
  disk bigint := ${asked('disk_bytes')};
  what text := CASE WHEN of_job.publishing_since IS NULL THEN coalesce(of_job.needs_monitoring, '') ELSE 'publication' END
    || CASE WHEN of_job.secrets IS NULL THEN '' ELSE '+secrets' END;
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
    // With all that placement asks of it, as it is now. Its executors are there. Whoever was in the queue before goes ahead of those
    // of its priority that were not. Without effect on a job that is there.
    name: 'queue_job',
    sql: `
CREATE OR REPLACE FUNCTION porin.queue_job(of_job porin.job, was_before boolean) RETURNS void LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE publishes boolean := of_job.publishing_since IS NOT NULL;
BEGIN
  INSERT INTO porin.queue_entry (lane_id, priority, job_id, fence, wall_time_s, cpu_milli, memory_bytes, disk_bytes, ready_at,
    application_id, last_node_id, bound_node_id, node_failures, image_digests)
  SELECT porin.lane_of(of_job), -2 * of_job.priority - was_before::integer, of_job.id, of_job.fence, of_job.wall_time_s,
    CASE WHEN publishes THEN 0 ELSE of_job.cpu_milli END, CASE WHEN publishes THEN 0 ELSE of_job.memory_bytes END,
    CASE WHEN publishes THEN 0 ELSE of_job.disk_bytes END, of_job.queued_at, first.application_id, of_job.placed_node_id,
    CASE WHEN publishes THEN (SELECT node_id FROM porin.publication WHERE publication.job_id = of_job.id) END,
    CASE WHEN of_job.fence > 1 AND NOT publishes THEN (
      SELECT jsonb_agg(jsonb_build_object('nodeId', node_id, 'atMs', extract(epoch FROM ended_at)::float8 * 1000))
      FROM porin.attempt WHERE attempt.job_id = of_job.id AND ${ATTEMPT_FAILED_BY_NODE}) END,
    -- Of an image that no worker has resolved for this job, most likely that of the application's last build.
    (SELECT array_agg(DISTINCT digest) FROM porin.executor CROSS JOIN LATERAL (
      SELECT coalesce(executor.repository_digest, (SELECT build.repository_digest FROM porin.build
        WHERE build.application_id = executor.application_id ORDER BY build.created_at DESC LIMIT 1)) AS digest) AS image
     WHERE executor.job_id = of_job.id AND digest IS NOT NULL)
  FROM (SELECT) AS always LEFT JOIN porin.executor AS first ON first.job_id = of_job.id AND first.position = 0
  ON CONFLICT (job_id) DO NOTHING;
END $$;`,
  },
  {
    name: 'enqueue',
    sql: `
CREATE OR REPLACE FUNCTION porin.enqueue(job_id uuid, was_before boolean) RETURNS void LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE of_job porin.job%ROWTYPE;
BEGIN
  -- Whoever cancels it meanwhile comes after, and finds its place.
  SELECT * INTO of_job FROM porin.job WHERE id = enqueue.job_id AND state = 'QUEUED' FOR NO KEY UPDATE;
  IF FOUND THEN PERFORM porin.queue_job(of_job, was_before); END IF;
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
