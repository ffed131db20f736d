import { describe, expect, it } from 'vitest';
import { argumentWidth } from '../kernel/argument-widths.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { syscallNumber } from '../kernel/syscalls.js';
import { type Condition, type Hex } from '../model/condition.js';
import { type Profile, type Rule } from '../model/profile.js';
import { closedVulnerabilities, closedWithConditions } from './closed-vulnerabilities.js';
import { VULNERABILITIES } from './vulnerabilities.js';

const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const profileOf = (...rules: Rule[]): Profile => ({ version: 1, architecture: 'x86_64', rules, network: 'none' });
const names = (...all: string[]): Rule => ({ names: all, action: 'SCMP_ACT_ALLOW' });
const held = (name: string, ...args: Condition[]): Rule => ({ names: [name], action: 'SCMP_ACT_ALLOW', args });

const closedBy = (...rules: Rule[]) => closedVulnerabilities(profileOf(...rules)).map(({ cve }) => cve);
const openWithConditions = (...rules: Rule[]) => {
  const closed = closedWithConditions(profileOf(...rules));
  return VULNERABILITIES.filter((each) => !closed.includes(each)).map(({ cve }) => cve);
};

describe('the table', () => {
  it('has 29 vulnerabilities, of calls that there are', () => {
    expect(new Set(VULNERABILITIES.map(({ cve }) => cve)).size).toBe(29);
    for (const call of VULNERABILITIES.flatMap(({ calls }) => calls)) {
      expect(syscallNumber('x86_64', call)).toBeDefined();
    }
  });

  it('needs only arguments that a condition can be about', () => {
    const needed = VULNERABILITIES.flatMap(({ calls, needs }) =>
      calls.flatMap((call) => (needs?.values ?? []).flatMap((values) => Object.keys(values).map((key) => [call, key]))),
    );
    expect(needed.length).toBeGreaterThan(10);
    for (const [call = '', argument] of needed) expect(argumentWidth(call, Number(argument))).toBe(32);
  });
});

describe('closed vulnerabilities', () => {
  it('are all of them for a profile that allows nothing', () => {
    expect(closedBy()).toHaveLength(29);
    expect(openWithConditions()).toEqual([]);
  });

  it('are 10 for Docker’s default', () => {
    expect(closedBy(names(...engineDefaultNames('x86_64')))).toEqual([
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
    expect(closedBy(names('semget'))).not.toContain('CVE-2015-7613');
    const left = closedBy(held('madvise', equal(2, '0x4')));
    expect(left).toHaveLength(27);
    expect(left).not.toContain('CVE-2012-3511');
  });

  it('are not those that a quiet refusal answers', () => {
    expect(closedBy({ names: ['keyctl'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 })).toHaveLength(29);
  });
});

describe('vulnerabilities closed by conditions too', () => {
  it('are open where the call is allowed whatever its arguments, and where they need none', () => {
    expect(openWithConditions(names('madvise'))).toEqual(['CVE-2012-3511', 'CVE-2017-18208']);
    expect(openWithConditions(held('waitid', equal(0, '0x1')))).toEqual(['CVE-2017-5123', 'CVE-2017-14954']);
  });

  it('are closed where no alternative admits the arguments that the fault needs', () => {
    expect(openWithConditions(held('madvise', equal(2, '0x4')))).toEqual([]);
    expect(openWithConditions(held('madvise', equal(2, '0x4')), held('madvise', equal(2, '0x9')))).toEqual([
      'CVE-2012-3511',
    ]);
    expect(openWithConditions(held('clock_nanosleep', equal(0, '0x1')))).toEqual([]);
    expect(openWithConditions(held('clock_nanosleep', { argument: 0, op: 'SCMP_CMP_GT', value: '0x8' }))).toEqual([
      'CVE-2018-13053',
    ]);
  });

  it('are open where a condition holds only one of the arguments, or another', () => {
    expect(openWithConditions(held('setsockopt', equal(1, '0x1'), equal(2, '0x2')))).toEqual([]);
    expect(openWithConditions(held('setsockopt', equal(1, '0x1'), equal(2, '0x21')))).toEqual(['CVE-2016-9793']);
    expect(openWithConditions(held('setsockopt', equal(1, '0x107')))).toEqual(['CVE-2016-8655', 'CVE-2017-7308']);
    expect(openWithConditions(held('setsockopt', equal(1, '0x29')))).toEqual(['CVE-2016-4997', 'CVE-2017-6074']);
    expect(openWithConditions(held('madvise', equal(1, '0x0')))).toEqual(['CVE-2012-3511', 'CVE-2017-18208']);
  });
});
