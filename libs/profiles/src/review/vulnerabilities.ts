/**
 * Known kernel vulnerabilities that a profile takes the calls away from, as the paper (Witt et al., CCGRID 2017) and later work
 * measure attack surface. The table beside this file, vulnerabilities.tsv, is cve.files of shamedgh/confine (MIT).
 */
import { allowedNames } from '../model/parse-profile.js';
import { type Profile } from '../model/profile.js';

export interface Vulnerability {
  readonly cve: string;
  /** The calls that lead to the faulty code; where there are several, each may do. */
  readonly calls: readonly string[];
}

/** @throws RangeError for a line that is no CVE with its calls */
export function parseVulnerabilities(text: string): readonly Vulnerability[] {
  const [header, ...lines] = text.trimEnd().split('\n');
  if (header !== 'cve\tsyscalls') throw new RangeError('the table of vulnerabilities has another header');
  return lines.map((line) => {
    const match = /^(CVE-\d{4}-\d+)\t([a-z0-9_]+(?:,[a-z0-9_]+)*)$/.exec(line);
    if (!match?.[1] || !match[2]) throw new RangeError(`"${line}" is no vulnerability`);
    return { cve: match[1], calls: match[2].split(',') };
  });
}

/**
 * Those of which the profile allows no call at all: several calls of one vulnerability are alternatives (shmget, semget and
 * msgget reach the same fault), so one that is left keeps it open, and so does a call that is allowed with conditions.
 * Docker's default (engineDefaultNames) closes 10 of the 29 in the table.
 */
export function closedVulnerabilities(profile: Profile, table: readonly Vulnerability[]): readonly Vulnerability[] {
  const allowed = new Set(allowedNames(profile));
  return table.filter(({ calls }) => calls.every((call) => !allowed.has(call)));
}
