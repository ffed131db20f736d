/** Writes and deletes named secrets of a tenant; the audit trail has what is said of a secret, and never its value. */
import { type ApiConfig, readSecretKeys } from '#lib/config';
import { Audit, Principal, Secret } from '#lib/database';
import { encryptSecret } from '#lib/secrets';
import { tenantSettings } from '#lib/store';
import { type EntityManager, In } from 'typeorm';
import { type Caller } from '../auth/caller.js';
import { PorinError } from '../errors/porin-error.js';
import { gridPrefixes, tenantPrefixes } from '../tenant/tenant-prefixes.js';
import { type NewSecret } from './secret-answers.js';
import { secretPrefixProblem } from './secret-prefix.js';

/** Of one tenant. */
const SECRETS_MAXIMUM = 1_000;

/**
 * In the place of one of the same name, if there is one; jobs that wait for a secret are looked at again. Throws
 * secrets-not-kept, invalid-request, prefix-refused and too-many-secrets.
 */
export async function putSecret(
  manager: EntityManager,
  config: ApiConfig,
  { tenant, principalId }: Caller,
  name: string,
  { prefix, usableBy: names, ...value }: NewSecret,
): Promise<void> {
  const { kind } = value;
  const keyFile = requireKeyFile(config);
  await requirePrefix(manager, config, tenant, { kind, prefix });
  const usableBy = names && (await principalIds(manager, tenant, names));
  await requireRoom(manager, tenant, name);
  const { keyId, encrypted } = encryptSecret(readSecretKeys(keyFile), { tenant, name, kind, prefix, usableBy }, value);
  await manager.query(
    `INSERT INTO secret (tenant, name, kind, prefix, usable_by, key_id, encrypted, changed_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (tenant, name) DO UPDATE SET (kind, prefix, usable_by, key_id, encrypted, changed_at, changed_by)
       = (excluded.kind, excluded.prefix, excluded.usable_by, excluded.key_id, excluded.encrypted, now(), excluded.changed_by)`,
    [tenant, name, kind, prefix, usableBy, keyId, encrypted, principalId],
  );
  await manager.insert(Audit, {
    ...{ tenant, actor: principalId, action: 'secret.put', subjectType: 'secret', subjectId: name },
    detail: { kind, prefix, keyId, ...(names && { usableBy: names }) },
  });
  await endPauses(manager, tenant);
}

/** Throws not-found. Attempts that run keep what was sealed for them. */
export async function deleteSecret(
  manager: EntityManager,
  { tenant, principalId }: Caller,
  name: string,
): Promise<Secret> {
  const secret = await manager.findOneBy(Secret, { tenant, name });
  if (!secret) throw new PorinError('not-found', `There is no secret called "${name}".`);
  await manager.delete(Secret, { tenant, name });
  const { kind, prefix } = secret;
  await manager.insert(Audit, {
    ...{ tenant, actor: principalId, action: 'secret.delete', subjectType: 'secret', subjectId: name },
    detail: { kind, prefix },
  });
  return secret;
}

function requireKeyFile({ PORIN_SECRETS_KEY_FILE: path }: ApiConfig): string {
  if (path !== undefined) return path;
  throw new PorinError('secrets-not-kept', 'This grid keeps no secrets: who runs it sets PORIN_SECRETS_KEY_FILE.');
}

async function requirePrefix(
  manager: EntityManager,
  config: ApiConfig,
  tenant: string,
  { kind, prefix }: Pick<NewSecret, 'kind' | 'prefix'>,
): Promise<void> {
  const problem = secretPrefixProblem(kind, prefix, {
    prefixes: await tenantPrefixes(manager, tenant, gridPrefixes(config)),
    registries: (await tenantSettings(manager, tenant)).imageRegistries,
    config,
  });
  if (problem !== null) throw new PorinError('prefix-refused', `The prefix ${prefix} ${problem}.`);
}

/** Sorted, each once. */
async function principalIds(manager: EntityManager, tenant: string, names: readonly string[]): Promise<string[]> {
  const found = await manager.findBy(Principal, { tenant, name: In([...names]) });
  const known = new Set(found.map(({ name }) => name));
  const problems = names.flatMap((name, index) =>
    known.has(name) ? [] : [`usableBy.${index}: the tenant has no principal "${name}"`],
  );
  if (problems.length === 0) return found.map(({ id }) => id).sort();
  throw new PorinError('invalid-request', `The request has ${problems.length} problem(s).`, { problems });
}

async function requireRoom(manager: EntityManager, tenant: string, name: string): Promise<void> {
  const others = await manager
    .createQueryBuilder(Secret, 'secret')
    .where('tenant = :tenant AND name <> :name', { tenant, name })
    .getCount();
  if (others < SECRETS_MAXIMUM) return;
  throw new PorinError('too-many-secrets', `A tenant has at most ${SECRETS_MAXIMUM} secrets: delete some.`);
}

/** The dispatcher looks at once. */
async function endPauses(manager: EntityManager, tenant: string): Promise<void> {
  await manager.query(
    `UPDATE queue_delay SET due_at = now() FROM job
     WHERE job.id = queue_delay.job_id AND job.tenant = $1 AND job.waiting_reason = 'waiting-for-secret'`,
    [tenant],
  );
}
