/** Proposals that wait because their tenant has as many undecided ones as it may have. */
import { ProfileVersion } from '#lib/database';
import { type EntityManager } from 'typeorm';
import { hasRoomForProposal } from '../tenant/tenant-usage.js';

/** Of a build, as its learning problem. */
export const POSTPONED = 'its tenant has as many proposed versions as it may have: decide about some of them';

/** A version takes the place of the build's own proposal, so that only another build's needs room. */
export async function mayPropose(
  manager: EntityManager,
  build: { readonly id: string; readonly tenant: string },
): Promise<boolean> {
  const hasOne = await manager.existsBy(ProfileVersion, { buildId: build.id, state: 'PROPOSED' });
  return hasOne || (await hasRoomForProposal(manager, build.tenant));
}

/** Has the builds looked at again whose tenants have room by now, a few at a time. */
export async function considerPostponed(manager: EntityManager): Promise<void> {
  const tenants: { tenant: string }[] = await manager.query(
    `SELECT DISTINCT application.tenant FROM build JOIN application ON application.id = build.application_id
     WHERE learning_problem = $1`,
    [POSTPONED],
  );
  for (const { tenant } of tenants) {
    if (!(await hasRoomForProposal(manager, tenant))) continue;
    await manager.query(
      `UPDATE build SET reconsider_since = coalesce(reconsider_since, now()) WHERE id IN (
         SELECT build.id FROM build JOIN application ON application.id = build.application_id
         WHERE learning_problem = $1 AND application.tenant = $2 ORDER BY build.created_at LIMIT $3)`,
      [POSTPONED, tenant, BATCH],
    );
  }
}

const BATCH = 20;
