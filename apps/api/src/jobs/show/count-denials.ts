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

export const NO_DENIALS: DenialCount = { count: 0, dropped: 0, worstClass: null };

/** Of one job, different ones that are read: the kernel has fewer, and a node may have made up more. */
const CALLS_MAXIMUM = 1000;
/** Of their names, characters. */
const WORD_CHARACTERS = 64;
const COUNT_MAXIMUM = Number.MAX_SAFE_INTEGER;

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
       SELECT job_id, left(call, $2) AS call, left(coalesce(shape->>'architecture', job.architecture), $2) AS architecture,
         left(shape->>'errno', $2) AS errno, sum(count) AS count,
         row_number() OVER (PARTITION BY job_id ORDER BY min(denial.position)) AS place
       FROM run JOIN denial ON denial.executor_run_id = run.id JOIN job ON job.id = run.job_id GROUP BY 1, 2, 3, 4
     ), dropped AS (
       SELECT job_id, sum(denials_dropped) AS dropped FROM run GROUP BY job_id
     )
     SELECT job_id AS "jobId", least(dropped, $4)::float8 AS dropped,
       least(dropped + coalesce(sum(count), 0), $4)::float8 AS count,
       coalesce(jsonb_agg(jsonb_build_object('call', call, 'architecture', architecture, 'errno', errno))
         FILTER (WHERE place <= $3), '[]') AS calls
     FROM dropped LEFT JOIN call USING (job_id) GROUP BY job_id, dropped`,
    [jobIds, WORD_CHARACTERS, CALLS_MAXIMUM, COUNT_MAXIMUM],
  );
  const byJob = new Map(
    rows.map(({ jobId, calls, ...counts }) => [jobId, { ...counts, worstClass: worstClass(calls.map(denialClass)) }]),
  );
  return (jobId) => byJob.get(jobId) ?? NO_DENIALS;
}
