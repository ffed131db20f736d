/** What the database keeps of failures that may be the fault of the node where they happened. */
import { ATTEMPT_FAILED_BY_NODE, type JobErrorCode } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { TAKES_JOBS } from '../placement/in-flight.js';
import { codeOf } from './retry.js';

/** Attempts of the job before the one that has just ended, where a probe of the node has succeeded since. */
export const FAILED_ON_WELL_NODES = `(SELECT count(*)::integer FROM attempt JOIN node ON node.id = attempt.node_id
    WHERE attempt.job_id = job.id AND attempt.number < job.fence AND ${ATTEMPT_FAILED_BY_NODE} AND node.proved_at > attempt.ended_at)
    AS "failedOnWellNodes"`;

/** That take jobs of its architecture, and have not failed it. */
export const UNTRIED_NODES = `(SELECT count(*)::integer FROM node
    WHERE ${TAKES_JOBS} AND node.suspect_since IS NULL AND node.architecture = job.architecture
    AND NOT EXISTS (SELECT FROM attempt AS tried WHERE tried.job_id = job.id AND tried.node_id = node.id)) AS "untriedNodes"`;

/** For which jobs of an application go elsewhere where they can; doubled each time that it is said anew, to an hour. */
const AVOIDED_S = 60;
const DOUBLINGS = 6;
const AVOIDED_AFTER_S: Readonly<Partial<Record<JobErrorCode, number>>> = {
  // Says nothing of the application, and its end is the node's start.
  'lease-lost': 0,
  // Somebody must bring the image.
  'image-not-on-node': 600,
};
const LONGEST_AVOIDED_S = 3_600;

/** `isFree`: the node is held to be the cause. Whatever it was, a probe of the node follows. */
export async function noteNodeFailure(
  manager: EntityManager,
  { id, nodeId, errorCode }: { readonly id: string; readonly nodeId: string; readonly errorCode: string | null },
  { isFree }: { readonly isFree: boolean },
): Promise<void> {
  await manager.query(`UPDATE node SET failed_at = clock_timestamp() WHERE id = $1`, [nodeId]);
  if (!isFree) return;
  const code = codeOf(errorCode);
  await manager.query(
    `INSERT INTO node_failure AS known (node_id, application_id, code, failed_at, avoided_until)
     SELECT $2, application_id, $3, clock_timestamp(), clock_timestamp() + make_interval(secs => $4)
     FROM executor WHERE job_id = $1 AND position = 0
     ON CONFLICT (node_id, application_id) DO UPDATE SET code = excluded.code, failed_at = excluded.failed_at,
       times = CASE WHEN known.avoided_until > now() THEN known.times ELSE least(known.times + 1, ${DOUBLINGS + 1}) END,
       avoided_until = CASE WHEN known.avoided_until > now() THEN known.avoided_until
         ELSE excluded.failed_at + least(make_interval(secs => ${LONGEST_AVOIDED_S}),
           (excluded.avoided_until - excluded.failed_at) * 2 ^ least(known.times, ${DOUBLINGS})) END`,
    [id, nodeId, code, AVOIDED_AFTER_S[code] ?? AVOIDED_S],
  );
}
