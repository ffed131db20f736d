/** What the product says of calls and vulnerabilities, as the report asks for it. */
import {
  callFacts,
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

/** The class of a call in the table of families; undefined where it is not in it. */
export function classOf(call: string): string | undefined {
  return callFacts(call)?.class;
}
