/** What may be told of a tenant's secrets: everything but their values. */
import { Principal, Secret } from '#lib/database';
import { type EntityManager, In } from 'typeorm';
import { type z } from 'zod';
import { type Caller } from '../auth/caller.js';
import { type secretAnswer } from './secret-answers.js';

/** Without what is stored of the value. */
const MEMBERS = {
  ...{ tenant: true, name: true, kind: true, prefix: true, usableBy: true },
  ...{ createdAt: true, changedAt: true, changedBy: true },
} as const;

/** By name; of a submitter those that its jobs may name. */
export async function listSecrets(manager: EntityManager, { tenant, principalId, role }: Caller) {
  const all = await manager.find(Secret, { where: { tenant }, select: MEMBERS, order: { name: 'ASC' } });
  const shown = role === 'submitter' ? all.filter((secret) => isUsableBy(secret, principalId)) : all;
  return describeSecrets(manager, shown);
}

export function isUsableBy({ usableBy }: Pick<Secret, 'usableBy'>, principalId: string): boolean {
  return usableBy === null || usableBy.includes(principalId);
}

export async function describeSecrets(
  manager: EntityManager,
  secrets: readonly Omit<Secret, 'encrypted' | 'keyId'>[],
): Promise<z.input<typeof secretAnswer>[]> {
  const ids = [...new Set(secrets.flatMap(({ usableBy }) => usableBy ?? []))];
  const principals = ids.length === 0 ? [] : await manager.findBy(Principal, { id: In(ids) });
  const nameOf = new Map(principals.map(({ id, name }) => [id, name]));
  return secrets.map(({ name, kind, prefix, usableBy, createdAt, changedAt, changedBy }) => ({
    ...{ name, kind, prefix, createdAt, changedAt, changedBy },
    usableBy: usableBy && usableBy.flatMap((id) => nameOf.get(id) ?? []).sort(),
  }));
}
