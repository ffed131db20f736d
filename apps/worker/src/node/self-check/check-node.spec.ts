import { describe, expect, it } from 'vitest';
import { checkNode, type NodeReadings, type NodeSettings } from './check-node.js';

const GIB = 1024 ** 3;
const settings: NodeSettings = {
  slots: 4,
  cpuMilli: 4000,
  memoryBytes: 8 * GIB,
  diskBytes: 20 * GIB,
  baseUid: 1_900_000_000,
  imagePatterns: 1,
};
const well: NodeReadings = {
  recorderProblem: undefined,
  dockerVersion: '20.10.24+dfsg1',
  engineCores: 4,
  engineMemoryBytes: 16 * GIB,
  runc: { version: '1.3.6', changelog: '' },
  diskForJobsBytes: 100 * GIB,
  clockAheadMs: 40,
  userIds: {
    subuid: 'anna:100000:65536\nbob:165536:65536\n',
    subgid: 'anna:100000:65536\nbob:165536:65536\n',
    passwd: 'root:x:0:0:root:/root:/bin/bash\nbob:x:1001:1001::/home/bob:/bin/sh\n',
    group: 'root:x:0:\n',
  },
};
const found = (readings: Partial<NodeReadings>, changed: Partial<NodeSettings> = {}) =>
  checkNode({ ...well, ...readings }, { ...settings, ...changed });

describe('the check of a node', () => {
  it('finds nothing on a node that is well', () => {
    expect(found({})).toEqual([]);
  });

  it.each([
    ['recorder', { recorderProblem: 'the kernel shows no types' }, 'the kernel shows no types'],
    ['engine', { dockerVersion: '19.03.15' }, '19.03.15'],
    ['runc', { runc: { version: '1.1.11', changelog: '' } }, 'CVE-2024-21626'],
    ['disk', { diskForJobsBytes: GIB }, 'has 1024 MiB for jobs'],
    ['clock', { clockAheadMs: -61_000 }, '61 s behind'],
  ] as const)('finds what is wrong with the %s, and does not refuse the node for it', (check, readings, text) => {
    const problems = found(readings);
    expect(problems).toMatchObject([{ check, severe: false }]);
    expect(problems[0]?.problem).toContain(text);
    expect(problems[0]?.advice).not.toBe('');
  });

  it.each([
    ['cores', { engineCores: 2 }, 'has 2 cores', 'Set PORIN_CPU_MILLI to 2000 or less'],
    ['memory', { engineMemoryBytes: GIB }, 'has 1024 MiB', `Set PORIN_MEMORY_BYTES to ${GIB} or less`],
  ] as const)('refuses a node that promises more %s than its engine has', (check, readings, text, advice) => {
    const problems = found(readings);
    expect(problems).toMatchObject([{ check, severe: true }]);
    expect(problems[0]?.problem).toContain(text);
    expect(problems[0]?.advice).toContain(advice);
  });

  it('does not hold the versions of another engine to those of Docker', () => {
    expect(found({ dockerVersion: undefined })).toEqual([]);
  });

  it('says so where no image may be run', () => {
    expect(found({}, { imagePatterns: 0 })).toMatchObject([{ check: 'images', severe: false }]);
  });

  it("refuses the slots' former range on a Debian with two users, and names the line", () => {
    const [problem, ...others] = found({}, { baseUid: 200_000 });
    expect(others).toEqual([]);
    expect(problem).toMatchObject({ check: 'user-ids', severe: true });
    expect(problem?.problem).toContain('line 2 of /etc/subuid ("bob:165536:65536")');
    expect(problem?.problem).toContain('line 2 of /etc/subgid');
  });

  it.each([
    ['the last slot is the first uid', { subuid: 'carl:1900000003:1' }],
    ['the first slot is the last uid', { subuid: 'carl:1899999990:11' }],
    ['a group has it', { group: 'staff:x:1900000001:anna' }],
    ['a user has it', { passwd: 'eve:x:1900000002:5:::' }],
    ['the file has comments and broken lines', { subuid: '# ids\n\nx\ncarl:1900000000:5\n' }],
  ])('refuses a range where %s', (_name, userIds) => {
    expect(found({ userIds: { ...well.userIds, ...userIds } })).toMatchObject([{ check: 'user-ids', severe: true }]);
  });

  it.each([
    ['ends before the first slot', 'carl:1899999990:10'],
    ['begins behind the last slot', 'carl:1900000004:65536'],
    ['is empty', 'carl:1900000000:0'],
    ['is a comment', '#carl:1900000000:5'],
  ])('accepts a subordinate range that %s', (_name, subuid) => {
    expect(found({ userIds: { ...well.userIds, subuid } })).toEqual([]);
  });
});

describe('the known vulnerabilities of runc', () => {
  const names = (version: string, changelog = '') =>
    (found({ runc: { version, changelog } })[0]?.problem.match(/CVE-\d+-\d+/g) ?? []) as string[];

  it.each([
    ['1.0-rc6', 'CVE-2019-5736', true],
    ['1.0.0-rc7', 'CVE-2019-5736', false],
    ['1.0.0-rc8', 'CVE-2019-16884', true],
    ['1.0.0-rc9', 'CVE-2019-16884', false],
    ['1.0.0-rc9', 'CVE-2019-19921', true],
    ['1.0.0-rc10', 'CVE-2019-19921', false],
    ['1.0.0~rc93+ds1', 'CVE-2021-30465', true],
    ['1.0.0-rc95', 'CVE-2021-30465', false],
    ['1.0.0-rc94', 'CVE-2023-27561', false],
    ['1.0.0-rc95', 'CVE-2023-27561', true],
    ['1.1.4', 'CVE-2023-27561', true],
    ['1.1.5', 'CVE-2023-27561', false],
    ['1.0.0-rc94', 'CVE-2023-28642', true],
    ['1.1.5', 'CVE-2023-28642', false],
    ['1.0.0-rc92', 'CVE-2024-21626', false],
    ['1.0.0-rc93', 'CVE-2024-21626', true],
    ['1.1.11', 'CVE-2024-21626', true],
    ['1.1.12', 'CVE-2024-21626', false],
    ['1.1.13', 'CVE-2024-45310', true],
    ['1.1.14', 'CVE-2024-45310', false],
    ['1.2.0-rc.2', 'CVE-2024-45310', true],
    ['1.2.0-rc.3', 'CVE-2024-45310', false],
    ['1.1.15', 'CVE-2025-31133', true],
    ['1.2.7', 'CVE-2025-31133', true],
    ['1.2.8', 'CVE-2025-31133', false],
    ['1.0.0-rc2', 'CVE-2025-52565', false],
    ['1.0.0-rc3', 'CVE-2025-52565', true],
    ['1.3.0', 'CVE-2025-52565', true],
    ['v1.3.3', 'CVE-2025-52565', false],
    ['1.4.0-rc.2', 'CVE-2025-52881', true],
    ['1.4.0-rc.3', 'CVE-2025-52881', false],
    ['1.4.0', 'CVE-2025-52881', false],
    ['2.0.0', 'CVE-2025-52881', false],
    ['1.2.9', 'CVE-2026-41579', true],
    ['1.3.5', 'CVE-2026-41579', true],
    ['1.3.6', 'CVE-2026-41579', false],
    ['1.4.2', 'CVE-2026-41579', true],
    ['1.4.3', 'CVE-2026-41579', false],
    ['1.5.0-rc.2', 'CVE-2026-41579', true],
    ['1.5.0', 'CVE-2026-41579', false],
  ])('version %s has %s: %s', (version, name, isOpen) => {
    expect(names(version).includes(name)).toBe(isOpen);
  });

  it('does not count what the distribution has mended in the very version that runs', () => {
    const changelog = 'runc (1.1.5+ds1-1+deb12u1) bookworm; urgency=medium\n\n  * Fix CVE-2024-21626\n';
    expect(names('1.1.5+ds1')).toContain('CVE-2024-21626');
    expect(names('1.1.5+ds1', changelog)).not.toContain('CVE-2024-21626');
    expect(names('1.1.5', changelog)).toContain('CVE-2024-21626');
  });

  it('says nothing about a version that it cannot read', () => {
    expect(names('unknown')).toEqual([]);
  });
});
