/** Seals S3 secrets to nodes that have uploads to abort which no attempt goes on from: the attempt's own are gone with its process. */
import { LEAVES_STAGED } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { TAKES_JOBS } from './in-flight.js';
import {
  type Chosen,
  isFound,
  NotSealed,
  type SecretSealer,
  type Selection,
  storeSealed,
  SWEPT_WITHIN,
} from './seal-secrets.js';

/** Each of them takes as long as a job that is placed. */
const STAGINGS = 50;

/** Those whose node has taken what was sealed before are sealed for again: it may not have succeeded. */
export async function sealStagings(manager: EntityManager, sealer: SecretSealer): Promise<void> {
  if (!sealer.isAble) return;
  // In no order: some may not be sealed for as long as a key is missing, and keep none of the others from it.
  const stagings: Chosen[] = await manager.query(
    `SELECT attempt.job_id AS "jobId", attempt.number AS fence, node.id AS "nodeId"
     FROM attempt JOIN job ON job.id = attempt.job_id JOIN node ON node.id = attempt.node_id
     WHERE ${LEAVES_STAGED} AND attempt.ended_at > now() - ${SWEPT_WITHIN} AND ${TAKES_JOBS} AND sealing_key IS NOT NULL
       AND EXISTS (SELECT FROM jsonb_array_elements(coalesce(attempt.staged_files, job.outputs)) AS output
         WHERE output->>'url' ILIKE 's3:%')
       AND EXISTS (SELECT FROM secret WHERE secret.tenant = job.tenant AND secret.name = ANY (job.secrets) AND kind = 's3')
       AND NOT EXISTS (SELECT FROM sealed_secret WHERE sealed_secret.job_id = job.id AND sealed_secret.fence = attempt.number)
     ORDER BY random() LIMIT ${STAGINGS}`,
  );
  if (stagings.length === 0) return;
  const outcomes = await sealer.seal(manager, stagings, ofUploads);
  await storeSealed(
    manager,
    outcomes.flatMap((outcome) => (outcome instanceof NotSealed ? [] : outcome)),
  );
}

const ofUploads: Selection = (named) => named.filter(isFound).filter(({ kind }) => kind === 's3');
