/** What a tenant uses of its bounds. */
import { type EntityManager } from 'typeorm';
import { tenantSettings } from './settings.js';

export interface TenantUsage {
  /** Jobs that have not ended. */
  readonly queuedJobs: number;
  /** Bytes of logs, traces, recordings, and of jobs as they were asked for. */
  readonly storedBytes: number;
  /** Proposed versions that wait for a decision. */
  readonly proposals: number;
}

/** As of this transaction. */
export async function tenantUsage(manager: EntityManager, tenant: string): Promise<TenantUsage> {
  return { ...(await countedUsage(manager, tenant)), proposals: await openProposals(manager, tenant) };
}

/** What no number of ours is beyond, however wrong what was counted. */
const NUMBER = Number.MAX_SAFE_INTEGER;
const kept = (sum: string): string => `least(greatest(${sum}, -${NUMBER}), ${NUMBER})::bigint`;

export async function countedUsage(manager: EntityManager, tenant: string): Promise<Omit<TenantUsage, 'proposals'>> {
  const [counted]: [Omit<TenantUsage, 'proposals'>] = await manager.query(
    `SELECT open_jobs AS "queuedJobs", stored_bytes AS "storedBytes" FROM porin.used($1)`,
    [tenant],
  );
  return counted;
}

async function openProposals(manager: EntityManager, tenant: string): Promise<number> {
  const [{ count }]: [{ count: number }] = await manager.query(
    `SELECT count(*)::integer AS count FROM profile_version AS version JOIN build ON build.id = version.build_id
     JOIN application ON application.id = build.application_id
     WHERE version.state = 'PROPOSED' AND application.tenant = $1`,
    [tenant],
  );
  return count;
}

/** Whether another version of the tenant may be proposed. */
export async function hasRoomForProposal(manager: EntityManager, tenant: string): Promise<boolean> {
  const { maxProposals } = await tenantSettings(manager, tenant);
  return (await openProposals(manager, tenant)) < maxProposals;
}

/** Adds the changes up to now to the rows that they change. */
export async function foldUsage(manager: EntityManager): Promise<void> {
  await manager.query(
    `WITH folded AS (
       DELETE FROM tenant_usage_change RETURNING tenant, open_jobs, stored_bytes
     ), summed AS (
       SELECT tenant, ${kept('sum(open_jobs)')} AS open_jobs, ${kept('sum(stored_bytes)')} AS stored_bytes FROM folded GROUP BY tenant
     )
     INSERT INTO tenant_usage AS known (tenant, open_jobs, stored_bytes) SELECT tenant, open_jobs, stored_bytes FROM summed
     ON CONFLICT (tenant) DO UPDATE SET open_jobs = ${kept('known.open_jobs::numeric + excluded.open_jobs')},
       stored_bytes = ${kept('known.stored_bytes::numeric + excluded.stored_bytes')}`,
  );
}
