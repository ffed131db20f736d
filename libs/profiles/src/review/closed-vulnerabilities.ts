/**
 * Which known vulnerabilities of the kernel a profile takes the way to away, as the paper (Witt et al., CCGRID 2017) and later
 * work measure attack surface.
 */
import { byName } from '../model/argument-rules.js';
import { mayHold } from '../model/holds.js';
import { type Profile } from '../model/profile.js';
import { type Vulnerability, VULNERABILITIES } from './vulnerabilities.js';

/**
 * Those of which the profile allows no call at all: several calls of one vulnerability are alternatives (shmget, semget and
 * msgget reach the same fault), so one that is left keeps it open, and so does a call that is allowed with conditions.
 * Docker's default (engineDefaultNames) closes 10 of the 29 in the table.
 */
export function closedVulnerabilities(
  profile: Profile,
  table: readonly Vulnerability[] = VULNERABILITIES,
): readonly Vulnerability[] {
  const allowed = byName(profile.rules);
  return table.filter(({ calls }) => !calls.some((call) => allowed.has(call)));
}

/** And those whose calls are allowed, but never with the arguments that the fault needs. */
export function closedWithConditions(
  profile: Profile,
  table: readonly Vulnerability[] = VULNERABILITIES,
): readonly Vulnerability[] {
  const allowed = byName(profile.rules);
  return table.filter(({ calls, needs }) =>
    calls.every((call) => {
      const alternatives = allowed.get(call) ?? [];
      // Without certain arguments that it needs, any use of the call is enough.
      return !alternatives.some((conditions) => !needs || needs.values.some((values) => mayHold(conditions, values)));
    }),
  );
}
