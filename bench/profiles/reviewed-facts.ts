/** What the product says of calls and vulnerabilities, as the report asks for it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closedVulnerabilities, parseVulnerabilities, type Profile } from '#lib/profiles';
import { ROOT } from '../../scripts/setup/paths.js';

const TABLE = parseVulnerabilities(readFileSync(join(ROOT, 'libs/profiles/src/review/vulnerabilities.tsv'), 'utf8'));
export const VULNERABILITIES = TABLE.length;

/** Of the table of 29, those of which the profile allows no call. */
export function closedCves(profile: Profile): number {
  return closedVulnerabilities(profile, TABLE).length;
}

/** Conditions counted too; undefined where the product cannot say. */
export function closedCvesWithConditions(_profile: Profile): number | undefined {
  return undefined;
}

/** The class of a call in the table of families; undefined where the product has none. */
export function classOf(_call: string): string | undefined {
  return undefined;
}
