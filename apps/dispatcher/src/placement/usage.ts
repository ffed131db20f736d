/** What the database keeps of fair shares: who had how much, as of when, and what weights they have. */
import { type EntityManager } from 'typeorm';
import { type OwnUsage, type Weights } from './fair-share.js';

export const NO_WEIGHTS: Weights = { tenants: new Map(), submitters: new Map() };

/** As of now. */
export async function loadUsage(manager: EntityManager, halfLifeMs: number): Promise<OwnUsage[]> {
  return manager.query(
    `SELECT tenant, submitted_by AS "submittedBy",
       cpu_seconds * 0.5 ^ (greatest(extract(epoch FROM now() - as_of)::float8, 0) * 1000 / $1::float8) AS "cpuSeconds"
     FROM fair_usage`,
    [halfLifeMs],
  );
}

export async function saveUsage(manager: EntityManager, usage: readonly OwnUsage[]): Promise<void> {
  await manager.query(
    `WITH told AS (
       SELECT * FROM jsonb_to_recordset($1) AS told(tenant text, "submittedBy" uuid, "cpuSeconds" float8)
     ), gone AS (
       DELETE FROM fair_usage WHERE NOT EXISTS (
         SELECT FROM told WHERE told.tenant = fair_usage.tenant AND told."submittedBy" = fair_usage.submitted_by)
     )
     INSERT INTO fair_usage (tenant, submitted_by, cpu_seconds, as_of) SELECT tenant, "submittedBy", "cpuSeconds", now() FROM told
     ON CONFLICT (tenant, submitted_by) DO UPDATE SET cpu_seconds = excluded.cpu_seconds, as_of = excluded.as_of`,
    [JSON.stringify(usage)],
  );
}

/** Those that are not 1. */
export async function loadWeights(manager: EntityManager): Promise<Weights> {
  const rows: { kind: 'tenant' | 'submitter'; id: string; weight: number }[] = await manager.query(
    `SELECT 'tenant' AS kind, tenant AS id, weight FROM tenant_setting WHERE weight <> 1
     UNION ALL SELECT 'submitter', id::text, weight FROM principal WHERE weight <> 1`,
  );
  const of = (wanted: string) =>
    new Map(rows.filter(({ kind }) => kind === wanted).map(({ id, weight }) => [id, weight]));
  return { tenants: of('tenant'), submitters: of('submitter') };
}
