/** Seals secrets for jobs that are placed; a job whose secrets are not to be had waits, and is looked at again. */
import { type WaitingReason } from '#lib/jobs';
import { enqueueLater } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { disbelieve } from '../nodes/verify-registrations.js';
import {
  type Chosen,
  isFound,
  NotSealed,
  type SealedSecret,
  type SecretSealer,
  type Selection,
} from './seal-secrets.js';

export interface Sealing {
  readonly placeable: readonly Chosen[];
  /** For the next round: there are too many for one, or another node is to be found. */
  readonly left: readonly Chosen[];
  readonly sealed: readonly SealedSecret[];
}

/** A job has 20 secrets at most, each of which takes a millisecond or two, and a transaction is open meanwhile. */
const JOBS_PER_ROUND = 50;
/** An administrator who writes the secret ends the pause. */
const PAUSE_MS = 60_000;

/** Of the chosen, those of `namesSecrets` are sealed for; the others cost nothing. */
export async function sealChosen(
  manager: EntityManager,
  sealer: SecretSealer,
  chosen: readonly Chosen[],
  namesSecrets: (job: Chosen) => boolean,
): Promise<Sealing> {
  const naming = chosen.filter(namesSecrets);
  if (naming.length === 0) return { placeable: chosen, left: [], sealed: [] };
  const now = naming.slice(0, JOBS_PER_ROUND);
  const outcomes = await sealer.seal(manager, now, allOf);
  const held = new Set<Chosen>();
  const refused = new Set<string>();
  for (const [index, job] of now.entries()) {
    const outcome = outcomes[index];
    if (!(outcome instanceof NotSealed)) continue;
    if (outcome.isNodes) {
      refused.add(job.nodeId);
      continue;
    }
    sealer.logger.warn({ job: job.jobId, problem: outcome.message }, 'a job waits for a secret');
    await hold(manager, job);
    held.add(job);
  }
  await disbelieve(manager, [...refused]);
  const later = new Set(naming.slice(JOBS_PER_ROUND));
  const isLeft = (job: Chosen) => later.has(job) || refused.has(job.nodeId);
  return {
    placeable: chosen.filter((job) => !isLeft(job) && !held.has(job)),
    left: chosen.filter(isLeft),
    sealed: outcomes.flatMap((outcome) => (outcome instanceof NotSealed ? [] : outcome)),
  };
}

const allOf: Selection = (named) => {
  const missing = named.find((secret) => !isFound(secret));
  if (missing) throw new NotSealed(`there is no secret ${missing.name} that its submitter may use`);
  return named.filter(isFound);
};

/** Out of the queue, for a while. */
async function hold(manager: EntityManager, { jobId, fence }: Chosen): Promise<void> {
  const reason = 'waiting-for-secret' satisfies WaitingReason;
  await manager.query('DELETE FROM queue_entry WHERE job_id = $1', [jobId]);
  await manager.query(`UPDATE job SET waiting_reason = $3 WHERE id = $1 AND fence = $2 AND state = 'QUEUED'`, [
    jobId,
    fence,
    reason,
  ]);
  await enqueueLater(manager, jobId, PAUSE_MS);
}
