/** Lets jobs go that waited for an earlier one that writes to the same place. */
import { ADVISORY_LOCKS } from '#lib/database';
import { CLAIM_PART_BYTES, type WaitingReason } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { enqueue } from '../queue/enqueue.js';

/** After every key that begins with the claim's. */
const BELOW_END = `claim.key || decode(repeat('ff', ${CLAIM_PART_BYTES + 1}), 'hex')`;
/** The beginnings of the claim's key, which are the keys of what it lies below. */
const ABOVE = `SELECT substring(claim.key FOR ${CLAIM_PART_BYTES} * depth)
  FROM generate_series(1, octet_length(claim.key) / ${CLAIM_PART_BYTES} - 1) AS depth`;

/** Of a row \`claim\`: an earlier job writes there, below it or above it. Each of the two is a look into the index. */
export const CONFLICT = `(
  EXISTS (SELECT FROM job_output_claim AS other
    WHERE other.key >= claim.key AND other.key < ${BELOW_END} AND other.number < claim.number AND NOT other.ended)
  OR EXISTS (SELECT FROM (${ABOVE}) AS above(key) JOIN job_output_claim AS other ON other.key = above.key
    WHERE other.number < claim.number AND NOT other.ended))`;

const WAITS: WaitingReason = 'waiting-for-output';
const GOES: WaitingReason = 'waiting-for-slot';

/** Of the jobs whose claims have ended: those that waited for them and wait for no other are queued. */
export async function releaseOutputs(manager: EntityManager): Promise<number> {
  const ended: unknown[] = await manager.query('SELECT FROM job_output_claim WHERE ended LIMIT 1');
  if (ended.length === 0) return 0;
  await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.outputClaims]);
  const [gone] = await manager.query<[{ key: Buffer }[], number]>(
    'DELETE FROM job_output_claim WHERE ended RETURNING key',
  );
  // Of equal keys only the earliest can be free.
  const released: { id: string }[] = await manager.query(
    `WITH candidate AS (
       SELECT DISTINCT next.job_id FROM (SELECT DISTINCT key FROM unnest($1::bytea[]) AS key) AS claim, LATERAL (
         (SELECT DISTINCT ON (other.key) other.job_id FROM job_output_claim AS other
          WHERE other.key >= claim.key AND other.key < ${BELOW_END} ORDER BY other.key, other.number)
         UNION ALL
         (SELECT first.job_id FROM (${ABOVE}) AS above(key), LATERAL (
            SELECT other.job_id FROM job_output_claim AS other WHERE other.key = above.key
            ORDER BY other.number LIMIT 1) AS first)
       ) AS next
     ), released AS (
       UPDATE job SET waiting_reason = $3, queued_at = now() FROM candidate
       WHERE job.id = candidate.job_id AND state = 'QUEUED' AND waiting_reason = $2
         AND NOT EXISTS (SELECT FROM job_output_claim AS claim WHERE claim.job_id = job.id AND ${CONFLICT})
       RETURNING job.id, fence
     )
     SELECT id FROM released ORDER BY id`,
    [gone.map(({ key }) => key), WAITS, GOES],
  );
  await enqueue(manager, released);
  return released.length;
}
