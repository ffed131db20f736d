/** Which of runc's known ways out of a container a node's runc has. */

interface Vulnerability {
  readonly name: string;
  /** A GHSA number (github.com/advisories), or where it was reported. */
  readonly advisory: string;
  /** The first version that has it; without one, all before the fix have it. */
  readonly since?: string;
  /** One for each line of releases that got the fix, oldest first. Older lines never got it, newer ones have it. */
  readonly fixedIn: readonly string[];
  readonly what: string;
}

const FIXED_IN_NOVEMBER_2025 = ['1.2.8', '1.3.3', '1.4.0-rc.3'];

/**
 * As the advisories and runc's CHANGELOG say, compared on 2026-11-28. Left out is what no container of ours can bring about:
 * it needs rootless containers (CVE-2023-25809), `runc restore` (CVE-2026-119101), a configuration of the attacker's own
 * (CVE-2021-43784), or gives nothing to a payload without capabilities (CVE-2022-29162).
 */
const VULNERABILITIES: readonly Vulnerability[] = [
  {
    name: 'CVE-2019-5736',
    advisory: 'oss-security 2019/02/11/2',
    fixedIn: ['1.0.0-rc7'],
    what: 'a container can overwrite runc on the host',
  },
  {
    name: 'CVE-2019-16884',
    advisory: 'opencontainers/runc issue 2128',
    fixedIn: ['1.0.0-rc9'],
    what: 'an image can take AppArmor off its container',
  },
  {
    name: 'CVE-2019-19921',
    advisory: 'GHSA-fh74-hm69-rqjw',
    fixedIn: ['1.0.0-rc10'],
    what: 'containers that share a volume can take AppArmor off themselves',
  },
  {
    name: 'CVE-2021-30465',
    advisory: 'GHSA-c3xm-pvg7-gh7r',
    fixedIn: ['1.0.0-rc95'],
    what: 'a mount can be led to a directory of the host',
  },
  {
    name: 'CVE-2023-27561',
    advisory: 'GHSA-vpvm-3wq2-2wvm',
    since: '1.0.0-rc95',
    fixedIn: ['1.1.5'],
    what: 'CVE-2019-19921 again',
  },
  {
    name: 'CVE-2023-28642',
    advisory: 'GHSA-g2j6-57v7-gm8c',
    fixedIn: ['1.1.5'],
    what: 'an image can take AppArmor off its container',
  },
  {
    name: 'CVE-2024-21626',
    advisory: 'GHSA-xr7r-f8xq-vfvv',
    since: '1.0.0-rc93',
    fixedIn: ['1.1.12'],
    what: 'an image can start in a directory of the host',
  },
  {
    name: 'CVE-2024-45310',
    advisory: 'GHSA-jfvp-7x6p-h2pv',
    fixedIn: ['1.1.14', '1.2.0-rc.3'],
    what: 'empty files can be made on the host',
  },
  {
    name: 'CVE-2025-31133',
    advisory: 'GHSA-9493-h29p-rfm2',
    fixedIn: FIXED_IN_NOVEMBER_2025,
    what: 'masked paths can be led to files of the host',
  },
  {
    name: 'CVE-2025-52565',
    advisory: 'GHSA-qw9x-cqr3-wc7r',
    since: '1.0.0-rc3',
    fixedIn: FIXED_IN_NOVEMBER_2025,
    what: '/dev/console can be led to a file of the host',
  },
  {
    name: 'CVE-2025-52881',
    advisory: 'GHSA-cgrx-mc8f-2prm',
    fixedIn: FIXED_IN_NOVEMBER_2025,
    what: 'writes to /proc can be led to other files',
  },
  {
    name: 'CVE-2026-41579',
    advisory: 'GHSA-xjvp-4fhw-gc47',
    fixedIn: ['1.3.6', '1.4.3', '1.5.0-rc.3'],
    what: 'under other engines than Docker an image can write to a few places of the host',
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
  return VULNERABILITIES.filter(({ name, since, fixedIn }) => {
    const hasIt = since === undefined || compare(own, versionOf(since)) >= 0;
    return hasIt && !packaged.has(name) && !isFixed(own, fixedIn);
  }).map(({ name, what }) => `${name} (${what})`);
}

type Version = readonly [major: number, minor: number, patch: number, candidate: number];

function isFixed(version: Version, fixedIn: readonly string[]): boolean {
  const fixes = fixedIn.map(versionOf);
  const ofItsLine = fixes.find(([major, minor]) => major === version[0] && minor === version[1]);
  const fix = ofItsLine ?? fixes.at(-1);
  return fix !== undefined && compare(version, fix) >= 0;
}

/** Of a version in the table. */
function versionOf(text: string): Version {
  const version = parseVersion(text);
  if (!version) throw new Error(`${text} is no version`);
  return version;
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
