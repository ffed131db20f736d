/** Which URLs a tenant's jobs may name: its own prefixes, or the grid's, and none of another tenant's. */
import { type ApiConfig } from '#lib/config';
import { TenantSetting } from '#lib/database';
import { findOverlap, urlPrefixProblem } from '#lib/jobs';
import { type EntityManager, Not } from 'typeorm';

/** Where a tenant has none of its own; PORIN_INPUT_URL_PREFIXES and PORIN_OUTPUT_URL_PREFIXES of the API. */
export interface GridPrefixes {
  readonly inputPrefixes: readonly string[];
  readonly outputPrefixes: readonly string[];
}

export function gridPrefixes(config: ApiConfig): GridPrefixes {
  return { inputPrefixes: config.PORIN_INPUT_URL_PREFIXES, outputPrefixes: config.PORIN_OUTPUT_URL_PREFIXES };
}

export interface TenantPrefixes extends GridPrefixes {
  /** Of other tenants: theirs alone, for reading and for writing. */
  readonly foreignPrefixes: readonly string[];
}

export async function tenantPrefixes(
  manager: EntityManager,
  tenant: string,
  grid: GridPrefixes,
): Promise<TenantPrefixes> {
  const own = await manager.findOneBy(TenantSetting, { tenant });
  return {
    inputPrefixes: own?.inputPrefixes ?? grid.inputPrefixes,
    outputPrefixes: own?.outputPrefixes ?? grid.outputPrefixes,
    foreignPrefixes: (await othersPrefixes(manager, tenant)).map(({ prefix }) => prefix),
  };
}

/** Why the tenant cannot have the prefixes; null where it can. Two changes at once must be kept apart by the caller. */
export async function prefixProblem(
  manager: EntityManager,
  tenant: string,
  prefixes: readonly string[],
): Promise<string | null> {
  for (const prefix of prefixes) {
    const problem = urlPrefixProblem(prefix);
    if (problem !== null) return `the prefix ${prefix} ${problem}`;
  }
  const others = await othersPrefixes(manager, tenant);
  const texts = others.map(({ prefix }) => prefix);
  for (const prefix of prefixes) {
    const found = findOverlap(prefix, texts);
    const other = others.find((each) => each.prefix === found);
    if (other) return `the prefix ${prefix} overlaps ${other.prefix}, which is the tenant ${other.tenant}'s alone`;
  }
  return null;
}

async function othersPrefixes(
  manager: EntityManager,
  tenant: string,
): Promise<readonly { readonly tenant: string; readonly prefix: string }[]> {
  const rows = await manager.find(TenantSetting, { where: { tenant: Not(tenant) }, order: { tenant: 'ASC' } });
  return rows.flatMap((row) =>
    [...(row.inputPrefixes ?? []), ...(row.outputPrefixes ?? [])].map((prefix) => ({ tenant: row.tenant, prefix })),
  );
}
