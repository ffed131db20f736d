/** What holds for all jobs and versions of a tenant; every change is in the audit trail. */
import { Audit, TenantSetting } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { releaseUnknownContent } from '../dispatch/held/release-held.js';

export type TenantSettings = Pick<TenantSetting, 'unknownContent' | 'fourEyes' | 'imageRegistries' | 'localImages'>;

/** Those of the table's own defaults: a tenant without a row has them. */
export const TENANT_DEFAULTS: TenantSettings = {
  unknownContent: 'hold',
  fourEyes: false,
  imageRegistries: null,
  localImages: null,
};

export async function tenantSettings(manager: EntityManager, tenant: string): Promise<TenantSettings> {
  const row = await manager.findOneBy(TenantSetting, { tenant });
  return row ? pick(row) : TENANT_DEFAULTS;
}

/** `actor`: an API key, or the program that an administrator used. A member that is absent stays as it is. */
export async function changeTenant(
  manager: EntityManager,
  { tenant, actor }: { readonly tenant: string; readonly actor: string },
  change: { readonly [member in keyof TenantSettings]?: TenantSettings[member] | undefined },
): Promise<TenantSettings> {
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
    imageRegistries: change.imageRegistries === undefined ? before.imageRegistries : change.imageRegistries,
    localImages: change.localImages === undefined ? before.localImages : change.localImages,
  };
  await manager.update(TenantSetting, { tenant }, after);
  await manager.insert(Audit, {
    ...{ tenant, actor, action: 'tenant.change', subjectType: 'tenant', subjectId: tenant },
    detail: { before: pick(before), after },
  });
  if (after.unknownContent !== before.unknownContent) await releaseUnknownContent(manager, tenant);
  return after;
}

function pick({ unknownContent, fourEyes, imageRegistries, localImages }: TenantSetting): TenantSettings {
  return { unknownContent, fourEyes, imageRegistries, localImages };
}
