/** Seals what jobs name to the nodes that they are placed on; a job whose secrets are not to be had waits, and is looked at again. */
import { readSecretKeys } from '#lib/config';
import { type WaitingReason } from '#lib/jobs';
import { decryptSecret, type SecretKey, type SecretKind, sealSecret, SecretUnreadable } from '#lib/secrets';
import { enqueueLater } from '#lib/store';
import { type Logger } from 'pino';
import { type EntityManager } from 'typeorm';
import { type SignedRegistration, verifies } from '../nodes/verify-registrations.js';

export interface Chosen {
  readonly jobId: string;
  readonly fence: number;
  readonly nodeId: string;
}

interface SealedSecret extends Chosen {
  readonly name: string;
  readonly kind: SecretKind;
  readonly prefix: string;
  readonly sealed: string;
}

export interface Sealing {
  readonly placeable: readonly Chosen[];
  /** For the next round: there are too many for one. */
  readonly left: readonly Chosen[];
  readonly sealed: readonly SealedSecret[];
}

/** A secret as a job names it; the members of the secret are null where there is none that its submitter may use. */
interface NamedSecret {
  readonly jobId: string;
  readonly tenant: string;
  readonly name: string;
  readonly kind: SecretKind | null;
  readonly prefix: string;
  readonly usableBy: readonly string[] | null;
  readonly keyId: string;
  readonly encrypted: Buffer;
}

/** A job has 20 secrets at most, each of which takes a millisecond or two, and a transaction is open meanwhile. */
const JOBS_PER_ROUND = 50;
/** An administrator who writes the secret ends the pause. */
const PAUSE_MS = 60_000;

/** The job waits; the message is for the log and holds no value. */
class NotSealed extends Error {}

export class SecretSealer {
  constructor(
    private readonly keyFile: string | undefined,
    private readonly logger: Logger,
  ) {}

  /** Without a key no job that names secrets is placed. */
  get isAble(): boolean {
    return this.keyFile !== undefined;
  }

  /** Of the chosen, those of `namesSecrets` are sealed for; the others cost nothing. */
  async seal(
    manager: EntityManager,
    chosen: readonly Chosen[],
    namesSecrets: (job: Chosen) => boolean,
  ): Promise<Sealing> {
    const naming = chosen.filter(namesSecrets);
    if (naming.length === 0) return { placeable: chosen, left: [], sealed: [] };
    const left = naming.slice(JOBS_PER_ROUND);
    const now = naming.slice(0, JOBS_PER_ROUND);
    const keys = this.#readKeys();
    const secrets = await namedSecrets(manager, now);
    const sealingKeys = await verifiedSealingKeys(manager, now);
    const outcomes = await Promise.all(
      now.map((job) =>
        sealAll(job, { keys, secrets: secrets.filter(({ jobId }) => jobId === job.jobId), sealingKeys }).catch(
          problemOf,
        ),
      ),
    );
    const off = new Set(left);
    for (const [index, job] of now.entries()) {
      const outcome = outcomes[index];
      if (typeof outcome !== 'string') continue;
      this.logger.warn({ job: job.jobId, problem: outcome }, 'a job waits for a secret');
      await hold(manager, job);
      off.add(job);
    }
    const sealed = outcomes.flatMap((outcome) => (typeof outcome === 'string' || outcome === undefined ? [] : outcome));
    return { placeable: chosen.filter((job) => !off.has(job)), left, sealed };
  }

  /** In the transaction that placed the jobs. */
  async store(manager: EntityManager, sealed: readonly SealedSecret[], placed: readonly { jobId: string }[]) {
    const jobIds = new Set(placed.map(({ jobId }) => jobId));
    const rows = sealed.filter(({ jobId }) => jobIds.has(jobId));
    if (rows.length === 0) return;
    await manager.query(
      `INSERT INTO sealed_secret (job_id, fence, name, node_id, kind, prefix, sealed)
       SELECT "jobId", fence, name, "nodeId", kind, prefix, sealed FROM jsonb_to_recordset($1)
         AS given("jobId" uuid, fence integer, name text, "nodeId" uuid, kind text, prefix text, sealed text)
       ON CONFLICT (job_id, fence, name) DO UPDATE
         SET (node_id, kind, prefix, sealed) = (excluded.node_id, excluded.kind, excluded.prefix, excluded.sealed)`,
      [JSON.stringify(rows)],
    );
  }

  /** Read anew: they may have been rotated. */
  #readKeys(): readonly SecretKey[] {
    try {
      return this.keyFile === undefined ? [] : readSecretKeys(this.keyFile);
    } catch (error) {
      this.logger.error({ err: (error as Error).message }, 'the keys of secrets cannot be read');
      return [];
    }
  }
}

/** What no node can claim any more: the job was placed again, canceled, or has ended. A claim deletes its own. */
export async function forgetSealed(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM sealed_secret USING job
     WHERE job.id = sealed_secret.job_id AND (job.fence <> sealed_secret.fence OR job.state <> 'QUEUED')`,
  );
}

/** A node may name a key that nothing can be sealed to: that ends no round. */
function problemOf(error: unknown): string {
  if (error instanceof NotSealed || error instanceof SecretUnreadable) return error.message;
  return 'nothing can be sealed to the key that its node names';
}

interface Means {
  readonly keys: readonly SecretKey[];
  readonly secrets: readonly NamedSecret[];
  readonly sealingKeys: ReadonlyMap<string, string>;
}

async function sealAll(job: Chosen, { keys, secrets, sealingKeys }: Means): Promise<readonly SealedSecret[]> {
  const publicKey = sealingKeys.get(job.nodeId);
  if (publicKey === undefined) throw new NotSealed('the sealing key of the node is not signed by the node');
  return Promise.all(
    secrets.map(async ({ tenant, name, kind, prefix, usableBy, keyId, encrypted }) => {
      if (kind === null) throw new NotSealed(`there is no secret ${name} that its submitter may use`);
      const value = decryptSecret(keys, { tenant, name, kind, prefix, usableBy }, { keyId, encrypted });
      const { jobId, fence, nodeId } = job;
      const sealed = await sealSecret(publicKey, { jobId, fence, nodeId, name, kind, prefix }, value);
      return { jobId, fence, nodeId, name, kind, prefix, sealed };
    }),
  );
}

function namedSecrets(manager: EntityManager, jobs: readonly Chosen[]): Promise<NamedSecret[]> {
  return manager.query(
    `SELECT job.id AS "jobId", job.tenant, named.name, kind, prefix, usable_by AS "usableBy", key_id AS "keyId", encrypted
     FROM job CROSS JOIN LATERAL unnest(job.secrets) AS named(name)
     LEFT JOIN secret ON secret.tenant = job.tenant AND secret.name = named.name
       AND (usable_by IS NULL OR job.submitted_by = ANY (usable_by))
     WHERE job.id = ANY ($1::uuid[])`,
    [jobs.map(({ jobId }) => jobId)],
  );
}

/** By node. The column is what the node's function made of the text; the text is what the pinned key has signed. */
async function verifiedSealingKeys(manager: EntityManager, jobs: readonly Chosen[]): Promise<Map<string, string>> {
  const rows: (SignedRegistration & { readonly id: string })[] = await manager.query(
    `SELECT id, public_key AS "publicKey", registration AS text, registration_signature AS signature
     FROM node WHERE id = ANY ($1::uuid[]) AND registration IS NOT NULL AND public_key IS NOT NULL`,
    [jobs.map(({ nodeId }) => nodeId)],
  );
  const entries = rows.filter(verifies).flatMap(({ id, text }): [string, string][] => {
    const { sealingKey } = JSON.parse(text) as { readonly sealingKey?: unknown };
    return typeof sealingKey === 'string' ? [[id, sealingKey]] : [];
  });
  return new Map(entries);
}

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
