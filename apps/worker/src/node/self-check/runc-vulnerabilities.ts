/** Which of runc's known ways out of a container a node's runc has. */

interface Vulnerability {
  readonly name: string;
  /** One for each line of releases that got the fix, oldest first. Older lines never got it, newer ones have it. */
  readonly fixedIn: readonly string[];
  readonly what: string;
}

/** From runc's security advisories (github.com/opencontainers/runc/security/advisories). */
const VULNERABILITIES: readonly Vulnerability[] = [
  { name: 'CVE-2019-5736', fixedIn: ['1.0.0-rc7'], what: 'a container can overwrite runc on the host' },
  { name: 'CVE-2019-16884', fixedIn: ['1.0.0-rc9'], what: 'an image can take AppArmor off its container' },
  { name: 'CVE-2021-30465', fixedIn: ['1.0.0-rc95'], what: 'a mount can be led to a directory of the host' },
  { name: 'CVE-2023-27561', fixedIn: ['1.1.5'], what: 'an image can take the masks off /proc' },
  { name: 'CVE-2024-21626', fixedIn: ['1.1.12'], what: 'an image can start in a directory of the host' },
  { name: 'CVE-2024-45310', fixedIn: ['1.1.14', '1.2.0-rc.3'], what: 'empty files can be made on the host' },
  {
    name: 'CVE-2025-31133',
    fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc.3'],
    what: 'masked paths can be led to files of the host',
  },
  {
    name: 'CVE-2025-52565',
    fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc.3'],
    what: '/dev/console can be led to a file of the host',
  },
  {
    name: 'CVE-2025-52881',
    fixedIn: ['1.2.8', '1.3.3', '1.4.0-rc.3'],
    what: 'writes to /proc can be led to other files',
  },
];

export interface RuncReading {
  /** As the engine says it: `1.1.5+ds1`. */
  readonly version: string;
  /** Debian's changelog of the package on the node; empty where there is none. Debian mends old versions. */
  readonly changelog: string;
}

/** `CVE-2024-21626 (an image can start in a directory of the host)`. Empty for a version that cannot be read. */
export function openVulnerabilities({ version, changelog }: RuncReading): readonly string[] {
  const own = parseVersion(version);
  if (!own) return [];
  const packaged = packagedFixes(version, changelog);
  return VULNERABILITIES.filter(({ name, fixedIn }) => !packaged.has(name) && !isFixed(own, fixedIn)).map(
    ({ name, what }) => `${name} (${what})`,
  );
}

type Version = readonly [major: number, minor: number, patch: number, candidate: number];

function isFixed(version: Version, fixedIn: readonly string[]): boolean {
  const fixes = fixedIn.map(parseVersion).filter((fix) => fix !== undefined);
  const ofItsLine = fixes.find(([major, minor]) => major === version[0] && minor === version[1]);
  const fix = ofItsLine ?? fixes.at(-1);
  return fix !== undefined && compare(version, fix) >= 0;
}

/** `1.0-rc6`, `1.0.0~rc93+ds1`, `v1.2.0-rc.3`, `1.1.5+ds1`; a release is newer than its candidates. */
function parseVersion(text: string): Version | undefined {
  const [, major, minor, patch = '0', candidate] = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-~]rc\.?(\d+))?/.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return [Number(major), Number(minor), Number(patch), candidate === undefined ? Infinity : Number(candidate)];
}

function compare(one: Version, other: Version): number {
  const index = one.findIndex((part, at) => part !== other[at]);
  return index < 0 ? 0 : (one[index] ?? 0) > (other[index] ?? 0) ? 1 : -1;
}

/** Names in the changelog, where its newest entry is of this very version: else the engine runs another runc. */
function packagedFixes(version: string, changelog: string): ReadonlySet<string> {
  const newest = /^runc \(([^)-]+)-/.exec(changelog)?.[1];
  return new Set(newest === version ? (changelog.match(/CVE-\d{4}-\d{4,}/g) ?? []) : []);
}
