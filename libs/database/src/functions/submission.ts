/** Takes a job in: its row, its executors and its place in the queue, by one statement of the API; and finds the task that is submitted again. */
import { type WaitingReason } from '#lib/jobs';
import { ADVISORY_LOCKS } from '../advisory-locks.js';
import { SEARCH_PATH, type SqlFunction } from './sql-function.js';

/** Column -> type, of what a submission says of a job's row. */
const JOB_COLUMNS = {
  id: 'uuid',
  tenant: 'text',
  submitted_by: 'uuid',
  submitted_role: 'text',
  idempotency_key: 'text',
  request_digest: 'text',
  request_bytes: 'bigint',
  name: 'text',
  priority: 'integer',
  architecture: 'text',
  cpu_milli: 'integer',
  memory_bytes: 'bigint',
  disk_bytes: 'bigint',
  wall_time_s: 'integer',
  inputs: 'jsonb',
  outputs: 'jsonb',
  volumes: 'text[]',
  publish_on: 'text',
  tags: 'jsonb',
  requested_enforcement: 'text',
  requested_monitoring: 'text',
  needs_monitoring: 'text',
  rerun_of: 'uuid',
  task: 'jsonb',
  secrets: 'text[]',
} as const;
const EXECUTOR_COLUMNS = {
  position: 'integer',
  application_id: 'uuid',
  image: 'text',
  command: 'text[]',
  environment: 'jsonb',
  working_directory: 'text',
  stdin: 'text',
  stdout: 'text',
  stderr: 'text',
  ignore_error: 'boolean',
} as const;

const names = (columns: object): string => Object.keys(columns).join(', ');
const typed = (columns: object): string =>
  Object.entries(columns)
    .map(([name, type]) => `${name} ${type as string}`)
    .join(', ');

/** After a task was made, or given to a repeated request, its request may be repeated for so long. */
const REPEATABLE_S = 60;
/** An answer that is not known to be written after so long is taken for lost: its API may be gone. */
const ANSWERED_WITHIN_S = 5;
/** Of a request; shared by its submissions. */
const REQUEST_HASH = `hashtext(by_whom::text || repeat_digest)`;

/**
 * `submission`: {"job": columns, "executors": [columns], "isQueued": whether it goes into its lane at once, "bounds": null or
 * {"openJobs", "storedBytes"} of the tenant, with the job}. `as_of`: the number of the facts that the submission was held to;
 * null: they are not looked at again. Outcomes:
 *   stale                 the facts have changed; nothing was written
 *   known                 the submitter has used the key before: id and digest are those of that job
 *   too-many-jobs, tenant-storage-full   beyond the bounds; used_bytes with the job
 *   created
 * A key that two submissions use at once makes the second one wait for the first. "repeatDigest" of a TES task: until its
 * answer is written, the same request may be repeated (`take_unanswered_task`).
 */
export const SUBMISSION: readonly SqlFunction[] = [
  {
    name: 'submit_job',
    sql: `
CREATE OR REPLACE FUNCTION porin.submit_job(as_of bigint, submission jsonb,
  OUT outcome text, OUT job_id uuid, OUT digest text, OUT created timestamptz, OUT used_bytes float8)
LANGUAGE plpgsql ${SEARCH_PATH} AS $$
DECLARE
  of_job porin.job%ROWTYPE;
  of_key text := submission->'job'->>'idempotency_key';
  by_whom uuid := submission->'job'->>'submitted_by';
  bounds jsonb := submission->'bounds';
  repeat_digest text := submission->>'repeatDigest';
  used_jobs float8;
BEGIN
  IF as_of <> (SELECT last_value FROM porin.fact_version) THEN outcome := 'stale'; RETURN; END IF;
  IF repeat_digest IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock_shared(${ADVISORY_LOCKS.repeatedTasks}, ${REQUEST_HASH});
  END IF;
  IF of_key IS NOT NULL THEN
    SELECT 'known', id, request_digest INTO outcome, job_id, digest FROM porin.job
    WHERE submitted_by = by_whom AND idempotency_key = of_key;
    IF FOUND THEN RETURN; END IF;
  END IF;
  IF jsonb_typeof(bounds) = 'object' THEN
    SELECT open_jobs + 1, stored_bytes + (submission->'job'->>'request_bytes')::float8 INTO used_jobs, used_bytes
    FROM porin.used(submission->'job'->>'tenant');
    outcome := CASE WHEN used_jobs > (bounds->>'openJobs')::float8 THEN 'too-many-jobs'
      WHEN used_bytes > (bounds->>'storedBytes')::float8 THEN 'tenant-storage-full' END;
    IF outcome IS NOT NULL THEN RETURN; END IF;
  END IF;
  INSERT INTO porin.job (${names(JOB_COLUMNS)}, waiting_reason)
  SELECT ${names(JOB_COLUMNS)}, '${'waiting-for-slot' satisfies WaitingReason}'
  FROM jsonb_to_record(submission->'job') AS given (${typed(JOB_COLUMNS)})
  ON CONFLICT DO NOTHING RETURNING * INTO of_job;
  IF of_job.id IS NULL THEN
    SELECT 'known', id, request_digest INTO STRICT outcome, job_id, digest FROM porin.job
    WHERE submitted_by = by_whom AND idempotency_key = of_key;
    RETURN;
  END IF;
  INSERT INTO porin.executor (job_id, ${names(EXECUTOR_COLUMNS)})
  SELECT of_job.id, ${names(EXECUTOR_COLUMNS)}
  FROM jsonb_to_recordset(submission->'executors') AS given (${typed(EXECUTOR_COLUMNS)});
  IF (submission->>'isQueued')::boolean THEN
    PERFORM porin.queue_job(of_job, false);
  END IF;
  IF repeat_digest IS NOT NULL THEN
    INSERT INTO porin.unanswered_task (job_id, submitted_by, digest, asked_at)
    VALUES (of_job.id, by_whom, repeat_digest, clock_timestamp());
  END IF;
  SELECT 'created', of_job.id, of_job.created_at INTO outcome, job_id, created;
END $$;`,
  },
  // Outcomes:
  //   stale   the facts have changed; nothing was taken
  //   taken   the task that an equal request of the submitter made, and whose answer was lost: from now on it is this request's,
  //           and not found again unless its answer is lost too
  //   open    there is none, but one whose answer may be on its way
  //   none
  {
    name: 'take_unanswered_task',
    sql: `
CREATE OR REPLACE FUNCTION porin.take_unanswered_task(as_of bigint, by_whom uuid, repeat_digest text,
  OUT outcome text, OUT task_id uuid)
LANGUAGE plpgsql ${SEARCH_PATH} AS $$
BEGIN
  IF as_of <> (SELECT last_value FROM porin.fact_version) THEN outcome := 'stale'; RETURN; END IF;
  PERFORM pg_advisory_xact_lock(${ADVISORY_LOCKS.repeatedTasks}, ${REQUEST_HASH});
  UPDATE porin.unanswered_task SET is_lost = false, asked_at = clock_timestamp() WHERE job_id = (
    SELECT job_id FROM porin.unanswered_task
    WHERE submitted_by = by_whom AND digest = repeat_digest AND asked_at > now() - interval '${REPEATABLE_S} s'
      AND (is_lost OR asked_at < now() - interval '${ANSWERED_WITHIN_S} s')
    ORDER BY asked_at, job_id LIMIT 1 FOR UPDATE)
  RETURNING job_id INTO task_id;
  outcome := CASE WHEN task_id IS NOT NULL THEN 'taken'
    WHEN EXISTS (SELECT FROM porin.unanswered_task
      WHERE submitted_by = by_whom AND digest = repeat_digest AND asked_at >= now() - interval '${ANSWERED_WITHIN_S} s')
    THEN 'open' ELSE 'none' END;
END $$;`,
  },
];
