/** Changes what holds for all jobs and versions of a tenant; every change is in the audit trail. */
import { ADVISORY_LOCKS, Audit, TenantSetting } from '#lib/database';
import { releaseUnknownContent, SETTING_NAMES, settingsIn, type TenantSettings } from '#lib/store';
import { type EntityManager } from 'typeorm';
import { PorinError } from '../errors/porin-error.js';
import { prefixProblem } from './tenant-prefixes.js';

export type TenantChange = { readonly [N in keyof TenantSettings]?: TenantSettings[N] | undefined };

/**
 * `actor`: a principal, or the program that an administrator used. A member that is absent stays as it is. Throws
 * prefix-refused.
 */
export async function changeTenant(
  manager: EntityManager,
  { tenant, actor }: { readonly tenant: string; readonly actor: string },
  change: TenantChange,
): Promise<TenantSettings> {
  const prefixes = [...(change.inputPrefixes ?? []), ...(change.outputPrefixes ?? [])];
  if (prefixes.length > 0) {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [ADVISORY_LOCKS.tenantPrefixes]);
    const problem = await prefixProblem(manager, tenant, prefixes);
    if (problem !== null) throw new PorinError('prefix-refused', `The tenant cannot have these prefixes: ${problem}.`);
  }
  await manager.query('INSERT INTO tenant_setting (tenant) VALUES ($1) ON CONFLICT DO NOTHING', [tenant]);
  const row = await manager.findOneOrFail(TenantSetting, {
    where: { tenant },
    lock: { mode: 'pessimistic_write' },
  });
  const before = settingsIn(row);
  const changed = SETTING_NAMES.filter((name) => change[name] !== undefined && change[name] !== before[name]);
  const after = { ...before, ...Object.fromEntries(changed.map((name) => [name, change[name]])) };
  if (changed.length > 0) {
    await manager.update(TenantSetting, { tenant }, Object.fromEntries(changed.map((name) => [name, change[name]])));
    const only = (settings: TenantSettings) => Object.fromEntries(changed.map((name) => [name, settings[name]]));
    await manager.insert(Audit, {
      ...{ tenant, actor, action: 'tenant.change', subjectType: 'tenant', subjectId: tenant },
      detail: { before: only(before), after: only(after) },
    });
  }
  if (after.unknownContent !== before.unknownContent) await releaseUnknownContent(manager, tenant);
  return after;
}
