/** Seals what jobs name to nodes, each for one attempt. */
import { readSecretKeys } from '#lib/config';
import { decryptSecret, type SecretKey, type SecretKind, sealSecret, SecretUnreadable } from '#lib/secrets';
import { type Logger } from 'pino';
import { type EntityManager } from 'typeorm';
import { registrationProblem, SIGNED_REGISTRATION, type SignedRegistration } from '../nodes/verify-registrations.js';

/** An attempt of a job on a node. */
export interface Chosen {
  readonly jobId: string;
  readonly fence: number;
  readonly nodeId: string;
}

export interface SealedSecret extends Chosen {
  readonly name: string;
  readonly kind: SecretKind;
  readonly prefix: string;
  readonly sealed: string;
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
type FoundSecret = NamedSecret & { readonly kind: SecretKind };

/** Of the secrets that a job names, those that are to be sealed. Throws NotSealed where there is one too few. */
export type Selection = (named: readonly NamedSecret[]) => readonly FoundSecret[];

/** How long what was staged is cleared away with the job's secrets: a node that was stolen draws none out for longer. */
export const SWEPT_WITHIN = `interval '7 days'`;

/** The message is for the log and holds no value. */
export class NotSealed extends Error {
  constructor(
    message: string,
    /** Another node may do. */
    readonly isNodes = false,
  ) {
    super(message);
  }
}

export class SecretSealer {
  constructor(
    private readonly keyFile: string | undefined,
    readonly logger: Logger,
  ) {}

  /** Without a key no job that names secrets is placed. */
  get isAble(): boolean {
    return this.keyFile !== undefined;
  }

  /** In the order of the jobs. */
  async seal(
    manager: EntityManager,
    jobs: readonly Chosen[],
    select: Selection,
  ): Promise<readonly (readonly SealedSecret[] | NotSealed)[]> {
    const keys = this.#readKeys();
    const secrets = await namedSecrets(manager, jobs);
    const nodes = await sealingNodes(manager, jobs);
    return Promise.all(
      jobs.map(async (job) => {
        const named = secrets.filter(({ jobId }) => jobId === job.jobId);
        try {
          const key = nodes.get(job.nodeId) ?? new NotSealed('its node is not known any more', true);
          if (key instanceof NotSealed) return key;
          return await sealAll(job, select(named), keys, key);
        } catch (error) {
          if (error instanceof NotSealed) return error;
          if (error instanceof SecretUnreadable) return new NotSealed(error.message);
          throw error;
        }
      }),
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

export async function storeSealed(manager: EntityManager, sealed: readonly SealedSecret[]): Promise<void> {
  if (sealed.length === 0) return;
  await manager.query(
    `INSERT INTO sealed_secret (job_id, fence, name, node_id, kind, prefix, sealed)
     SELECT "jobId", fence, name, "nodeId", kind, prefix, sealed FROM jsonb_to_recordset($1)
       AS given("jobId" uuid, fence integer, name text, "nodeId" uuid, kind text, prefix text, sealed text)
     ON CONFLICT (job_id, fence, name) DO UPDATE
       SET (node_id, kind, prefix, sealed) = (excluded.node_id, excluded.kind, excluded.prefix, excluded.sealed)`,
    [JSON.stringify(sealed)],
  );
}

/** What no node can claim any more, for the job was placed again, canceled, or has ended, and nobody clears away with. */
export async function forgetSealed(manager: EntityManager): Promise<void> {
  await manager.query(
    `DELETE FROM sealed_secret USING job
     WHERE job.id = sealed_secret.job_id AND (job.fence <> sealed_secret.fence OR job.state <> 'QUEUED')
       AND NOT EXISTS (SELECT FROM attempt WHERE attempt.job_id = job.id AND attempt.number = sealed_secret.fence
         AND attempt.staging_token IS NOT NULL AND attempt.ended_at > now() - ${SWEPT_WITHIN})`,
  );
}

function sealAll(
  { jobId, fence, nodeId }: Chosen,
  secrets: readonly FoundSecret[],
  keys: readonly SecretKey[],
  publicKey: string,
): Promise<readonly SealedSecret[]> {
  return Promise.all(
    secrets.map(async ({ tenant, name, kind, prefix, usableBy, keyId, encrypted }) => {
      const value = decryptSecret(keys, { tenant, name, kind, prefix, usableBy }, { keyId, encrypted });
      const sealed = await sealSecret(publicKey, { jobId, fence, nodeId, name, kind, prefix }, value);
      return { jobId, fence, nodeId, name, kind, prefix, sealed };
    }),
  );
}

export function isFound(secret: NamedSecret): secret is FoundSecret {
  return secret.kind !== null;
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

/** By node, its sealing key. The column is what the node's function made of the text; the text is what the pinned key has signed. */
async function sealingNodes(manager: EntityManager, jobs: readonly Chosen[]): Promise<Map<string, string | NotSealed>> {
  const rows: (SignedRegistration & { readonly id: string })[] = await manager.query(
    `SELECT id, ${SIGNED_REGISTRATION}
     FROM node WHERE id = ANY ($1::uuid[]) AND registration IS NOT NULL AND public_key IS NOT NULL`,
    [jobs.map(({ nodeId }) => nodeId)],
  );
  const nodes = new Map<string, string | NotSealed>();
  for (const row of rows) {
    const problem = await registrationProblem(row);
    const key = problem === null ? row.sealingKey : null;
    nodes.set(row.id, key ?? new NotSealed(`its node's registration ${problem ?? 'names no sealing key'}`, true));
  }
  return nodes;
}
