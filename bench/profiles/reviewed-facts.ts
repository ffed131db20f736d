/** What the product says of calls and vulnerabilities, as the report asks for it. */
import {
  callClass,
  closedVulnerabilities,
  closedWithConditions,
  type Profile,
  VULNERABILITIES as TABLE,
} from '#lib/profiles';

export const VULNERABILITIES = TABLE.length;

/** Of the table of 29, those of which the profile allows no call. */
export function closedCves(profile: Profile): number {
  return closedVulnerabilities(profile).length;
}

/** Conditions counted too. */
export function closedCvesWithConditions(profile: Profile): number {
  return closedWithConditions(profile).length;
}

export const classOf: (call: string) => string = callClass;
