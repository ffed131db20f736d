/** What holds for all jobs and versions of a tenant; every change is in the audit trail. */
import { Audit, TenantSetting } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { releaseUnknownContent } from '../dispatch/held/release-held.js';
import { prefixProblem } from './tenant-prefixes.js';

/** Null prefixes: the grid's. */
export type TenantSettings = Pick<TenantSetting, 'unknownContent' | 'fourEyes' | 'inputPrefixes' | 'outputPrefixes'>;

/** Those of the table's own defaults: a tenant without a row has them. */
export const TENANT_DEFAULTS: TenantSettings = {
  unknownContent: 'hold',
  fourEyes: false,
  inputPrefixes: null,
  outputPrefixes: null,
};

export async function tenantSettings(manager: EntityManager, tenant: string): Promise<TenantSettings> {
  const row = await manager.findOneBy(TenantSetting, { tenant });
  return row ? pick(row) : TENANT_DEFAULTS;
}

/** Names a lock: two tenants must not get one prefix at the same time. */
const PREFIXES_LOCK = 7_060_122;

/** A prefix cannot be the tenant's; the message says why. */
export class PrefixRefused extends Error {
  override readonly name = 'PrefixRefused';
}

/**
 * `actor`: an API key, or the program that an administrator used. A member that is absent stays as it is. Throws
 * PrefixRefused.
 */
export async function changeTenant(
  manager: EntityManager,
  { tenant, actor }: { readonly tenant: string; readonly actor: string },
  change: { readonly [member in keyof TenantSettings]?: TenantSettings[member] | undefined },
): Promise<TenantSettings> {
  const prefixes = [...(change.inputPrefixes ?? []), ...(change.outputPrefixes ?? [])];
  if (prefixes.length > 0) {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [PREFIXES_LOCK]);
    const problem = await prefixProblem(manager, tenant, prefixes);
    if (problem !== null) throw new PrefixRefused(problem);
  }
  await manager
    .createQueryBuilder()
    .insert()
    .into(TenantSetting)
    .values({ tenant, ...TENANT_DEFAULTS })
    .orIgnore()
    .execute();
  const before = await manager.findOneOrFail(TenantSetting, {
    where: { tenant },
    lock: { mode: 'pessimistic_write' },
  });
  const after = {
    unknownContent: change.unknownContent ?? before.unknownContent,
    fourEyes: change.fourEyes ?? before.fourEyes,
    inputPrefixes: change.inputPrefixes === undefined ? before.inputPrefixes : change.inputPrefixes,
    outputPrefixes: change.outputPrefixes === undefined ? before.outputPrefixes : change.outputPrefixes,
  };
  await manager.update(TenantSetting, { tenant }, after);
  await manager.insert(Audit, {
    ...{ tenant, actor, action: 'tenant.change', subjectType: 'tenant', subjectId: tenant },
    detail: { before: pick(before), after },
  });
  if (after.unknownContent !== before.unknownContent) await releaseUnknownContent(manager, tenant);
  return after;
}

function pick({ unknownContent, fourEyes, inputPrefixes, outputPrefixes }: TenantSetting): TenantSettings {
  return { unknownContent, fourEyes, inputPrefixes, outputPrefixes };
}
