/** How many calls of jobs were denied, and how bad the worst was: for lists, without every denial. */
import { type CallClass, denialClass, worstClass } from '#lib/profiles';
import { type EntityManager } from 'typeorm';

export interface DenialCount {
  /** Denied calls, those that were dropped from the report included. */
  readonly count: number;
  /** Of them, those that no denial row tells of. */
  readonly dropped: number;
  readonly worstClass: CallClass | null;
}

const NONE: DenialCount = { count: 0, dropped: 0, worstClass: null };

interface Row {
  readonly jobId: string;
  readonly count: number;
  readonly dropped: number;
  readonly calls: readonly { readonly call: string; readonly architecture: string; readonly errno: string | null }[];
}

/** By job, in all of its runs; every one of the jobs has an entry. */
export async function countDenials(
  manager: EntityManager,
  jobIds: readonly string[],
): Promise<(jobId: string) => DenialCount> {
  const rows: Row[] = await manager.query(
    `WITH run AS (
       SELECT id, job_id, denials_dropped FROM executor_run WHERE job_id = ANY ($1)
     ), call AS (
       SELECT job_id, call, coalesce(shape->>'architecture', job.architecture) AS architecture, shape->>'errno' AS errno,
         sum(count) AS count
       FROM run JOIN denial ON denial.executor_run_id = run.id JOIN job ON job.id = run.job_id GROUP BY 1, 2, 3, 4
     ), dropped AS (
       SELECT job_id, sum(denials_dropped) AS dropped FROM run GROUP BY job_id
     )
     SELECT job_id AS "jobId", dropped::float8, dropped::float8 + coalesce(sum(count), 0)::float8 AS count,
       coalesce(jsonb_agg(jsonb_build_object('call', call, 'architecture', architecture, 'errno', errno))
         FILTER (WHERE call IS NOT NULL), '[]') AS calls
     FROM dropped LEFT JOIN call USING (job_id) GROUP BY job_id, dropped`,
    [jobIds],
  );
  const byJob = new Map(
    rows.map(({ jobId, calls, ...counts }) => [jobId, { ...counts, worstClass: worstClass(calls.map(denialClass)) }]),
  );
  return (jobId) => byJob.get(jobId) ?? NONE;
}
