import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { type Profile } from '../model/profile.js';
import { closedVulnerabilities, parseVulnerabilities } from './vulnerabilities.js';

const TABLE = parseVulnerabilities(readFileSync(join(import.meta.dirname, 'vulnerabilities.tsv'), 'utf8'));

function profileOf(names: readonly string[]): Profile {
  return { version: 1, architecture: 'x86_64', rules: [{ names, action: 'SCMP_ACT_ALLOW' }], network: 'none' };
}

const closedBy = (...names: string[]) => closedVulnerabilities(profileOf(names), TABLE).map(({ cve }) => cve);

describe('the table', () => {
  it('has 29 vulnerabilities, of calls that there are', () => {
    expect(new Set(TABLE.map(({ cve }) => cve)).size).toBe(29);
    for (const call of TABLE.flatMap(({ calls }) => calls)) expect(syscallNumber('x86_64', call)).toBeDefined();
  });

  it.each(['', 'cve\tsyscalls\nCVE-2017-6001', 'cve\tsyscalls\nCVE-2017-6001\tperf_event_open, bpf'])(
    'is refused as %j',
    (text) => {
      expect(() => parseVulnerabilities(text)).toThrow(RangeError);
    },
  );
});

describe('closed vulnerabilities', () => {
  it('are all of them for a profile that allows nothing', () => {
    expect(closedBy()).toHaveLength(29);
  });

  it('are 10 for Docker’s default', () => {
    expect(closedBy(...engineDefaultNames('x86_64'))).toEqual([
      'CVE-2017-6001',
      'CVE-2016-0728',
      'CVE-2017-14140',
      'CVE-2017-15274',
      'CVE-2013-1858',
      'CVE-2014-7970',
      'CVE-2017-12192',
      'CVE-2015-7550',
      'CVE-2009-3624',
      'CVE-2016-9604',
    ]);
  });

  it('are not those of which one call is left, also with a condition', () => {
    expect(closedBy('semget')).not.toContain('CVE-2015-7613');
    const conditional: Profile = {
      ...profileOf([]),
      rules: [
        {
          names: ['madvise'],
          action: 'SCMP_ACT_ALLOW',
          args: [{ argument: 2, op: 'SCMP_CMP_EQ', value: '0x4' }],
        },
      ],
    };
    const left = closedVulnerabilities(conditional, TABLE).map(({ cve }) => cve);
    expect(left).toHaveLength(27);
    expect(left).not.toContain('CVE-2012-3511');
  });
});
