/** Claims the outputs of a job: jobs that write to the same place, or one below it, run in the order of their submission. */
import { ADVISORY_LOCKS } from '#lib/database';
import { outputClaimKey, type OutputReference, parseDataUrl } from '#lib/jobs';
import { type EntityManager } from 'typeorm';
import { CONFLICT } from '#lib/store';

/**
 * The last write of a submission, because it holds up all other submissions with outputs until the commit. True: an earlier
 * job that has not ended writes to one of the places, and the dispatcher lets this one go after it.
 */
export async function claimOutputs(
  manager: EntityManager,
  jobId: string,
  outputs: readonly OutputReference[],
): Promise<boolean> {
  if (outputs.length === 0) return false;
  // Directories and patterns of a job may have one URL.
  const keys = new Map<string, Buffer>();
  for (const { url: text } of outputs) {
    const { url } = parseDataUrl(text);
    const key = url && outputClaimKey(url);
    if (key) keys.set(key.toString('hex'), key);
  }
  await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.outputClaims]);
  // Its own statement: it sees what was committed before the lock was given.
  await manager.query(
    `INSERT INTO job_output_claim (key, number, job_id)
     SELECT key, number, $1 FROM unnest($2::bytea[]) AS key, nextval('job_output_claim_number') AS number`,
    [jobId, [...keys.values()]],
  );
  const earlier: unknown[] = await manager.query(
    `SELECT FROM job_output_claim AS claim WHERE job_id = $1 AND ${CONFLICT} LIMIT 1`,
    [jobId],
  );
  return earlier.length > 0;
}
