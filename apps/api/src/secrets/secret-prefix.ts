/** Whether a tenant may have a secret for a prefix: what it opens must be what jobs of the tenant may name. */
import { type ApiConfig } from '#lib/config';
import {
  ANY,
  describePrefixes,
  imageAccess,
  imageBelow,
  type ImageLists,
  isUrlAllowed,
  registryPrefixProblem,
  urlPrefixProblem,
} from '#lib/jobs';
import { type SecretKind } from '#lib/secrets';
import { type TenantPrefixes } from '../tenant/tenant-prefixes.js';

/** What the tenant's jobs may name. */
export interface Reach {
  readonly prefixes: TenantPrefixes;
  /** Null: it has no list of its own. */
  readonly registries: readonly string[] | null;
  readonly config: Pick<ApiConfig, 'PORIN_IMAGE_REGISTRIES'>;
}

const SCHEMES: Readonly<Record<Exclude<SecretKind, 'registry'>, readonly string[]>> = {
  s3: ['s3'],
  bearer: ['http', 'https', 'drs'],
  basic: ['http', 'https', 'drs'],
  headers: ['http', 'https', 'drs'],
};

/** In words that follow "the prefix"; null where it may. */
export function secretPrefixProblem(kind: SecretKind, prefix: string, reach: Reach): string | null {
  return kind === 'registry' ? registryProblem(prefix, reach) : urlProblem(kind, prefix, reach.prefixes);
}

function urlProblem(
  kind: Exclude<SecretKind, 'registry'>,
  prefix: string,
  { inputPrefixes, outputPrefixes, foreignPrefixes: foreign }: TenantPrefixes,
): string | null {
  const scheme = /^([a-z0-9]+):\/\//.exec(prefix)?.[1] ?? '';
  const schemes = SCHEMES[kind];
  if (!schemes.includes(scheme)) return `must begin with ${schemes.map((each) => `${each}://`).join(' or ')}`;
  const problem = urlPrefixProblem(prefix);
  if (problem !== null) return problem;
  // Beside one that ends in the middle of a name there may be others, which are somebody else's.
  if (!prefix.endsWith('/')) return 'must end with "/": what lies below it is meant';
  // A name stands for any: a bucket alone is no URL of an object.
  const below = `${prefix}a`;
  const isAllowed = [inputPrefixes, outputPrefixes].some((prefixes) => isUrlAllowed(below, { prefixes, foreign }));
  if (isAllowed) return null;
  return `lies below none of those that jobs of the tenant may name. ${describePrefixes([...inputPrefixes, ...outputPrefixes])}`;
}

function registryProblem(prefix: string, { registries, config }: Reach): string | null {
  const problem = registryPrefixProblem(prefix);
  if (problem !== null) return problem;
  // Nodes have lists of their own where the API has none.
  const grid: ImageLists = { registries: config.PORIN_IMAGE_REGISTRIES ?? [ANY], local: [] };
  const access = imageAccess(imageBelow(prefix), grid, { registries, local: null });
  return access.registry === 'refused' ? 'is of no registry that images of the tenant may come from' : null;
}
