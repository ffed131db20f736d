import { describe, expect, it } from 'vitest';
import { requireKnownAnywhere } from '../kernel/syscalls.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { type Condition, type Hex } from '../model/condition.js';
import { type Profile, type Rule } from '../model/profile.js';
import { lintProfile } from './lint.js';
import { RISKY_VALUES } from './risky-values.js';

const equal = (argument: number, value: Hex): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const rule = (name: string, ...args: Condition[]): Rule => ({
  ...{ names: [name], action: 'SCMP_ACT_ALLOW' as const },
  ...(args.length > 0 && { args }),
});
const profile = (...rules: Rule[]): Profile => ({ version: 1, architecture: 'x86_64', rules, network: 'none' });
const warnings = (...rules: Rule[]) =>
  lintProfile(profile(...rules)).map(({ name, kind, reason }) => `${name} ${kind} ${reason}`);

const held = rule('membarrier', equal(0, '0x8'));

describe('lintProfile, of arguments', () => {
  it('warns of risky values in place of the name', () => {
    expect(warnings(rule('socket', equal(0, '0x1')))).toEqual([expect.stringMatching(/^socket risky SOCK_RAW/)]);
    expect(warnings(rule('socket', equal(0, '0x1'), equal(1, '0x1')))).toEqual([
      expect.stringMatching(/^socket risky opens sockets .*; here only where argument 0 is AF_UNIX, argument 1 is/),
    ]);
    expect(warnings(rule('socket', equal(0, '0x2'), equal(1, '0x1')))).toEqual([
      expect.stringMatching(/AF_INET: reaches/),
    ]);
    expect(warnings(rule('socket', { argument: 0, op: 'SCMP_CMP_GE', value: '0x11' }, equal(1, '0x2')))).toEqual(
      ['AF_PACKET', 'AF_CAN', 'AF_BLUETOOTH', 'AF_ALG', 'AF_XDP'].map((family) =>
        expect.stringContaining(`${family}:`),
      ),
    );
    expect(warnings(rule('ioctl', equal(1, '0x5412')))).toEqual([expect.stringContaining('TIOCSTI')]);
    expect(warnings(rule('ioctl', equal(1, '0x5401')))).toEqual([]);
    expect(warnings(rule('prctl', equal(0, '0x4')))).toEqual([expect.stringContaining('PR_SET_DUMPABLE')]);
    expect(warnings(rule('setsockopt', equal(1, '0x6'), equal(2, '0x1a')))).toEqual([
      expect.stringMatching(/^setsockopt risky configures sockets .*; here only where argument 1 is SOL_TCP/),
    ]);
    expect(warnings(rule('setsockopt', equal(1, '0x1'), equal(2, '0x1a')))).toEqual([
      expect.stringContaining('SO_ATTACH_FILTER'),
    ]);
  });

  it('warns of W^X given up, where the profile has conditions at all', () => {
    expect(warnings(rule('mmap'), rule('mprotect'))).toEqual([]);
    expect(warnings(rule('mmap'), held)).toEqual([expect.stringMatching(/^mmap risky W\^X is given up/)]);
    const [never, notBoth] = [
      rule('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x4', value: '0x0' }),
      rule('mprotect', { argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x2', value: '0x0' }),
    ];
    expect(warnings(never)).toEqual([]);
    expect(warnings(never, notBoth)).toEqual([]);
    expect(warnings(rule('mprotect', equal(2, '0x7')))).toEqual([expect.stringContaining('W^X')]);
  });

  it('warns of a call without conditions beside others with them, unless it is never held to any', () => {
    expect(warnings(rule('ioctl'), rule('lseek'), rule('read'))).toEqual([]);
    expect(warnings(rule('ioctl'), rule('lseek'), rule('read'), held)).toEqual([
      expect.stringMatching(/^ioctl risky allowed whatever its arguments: too many/),
    ]);
  });

  it('keeps the warning of a name whose values are not told apart', () => {
    expect(warnings(rule('ptrace', equal(0, '0x0')))).toEqual([expect.stringMatching(/^ptrace risky takes control/)]);
    expect(warnings(rule('kill', equal(1, '0x9')))).toEqual([expect.stringContaining('sends signals')]);
  });
});

it('has only scalar arguments of calls that exist in its table', () => {
  requireKnownAnywhere(Object.keys(RISKY_VALUES), 'the table');
  for (const [call, risks] of Object.entries(RISKY_VALUES)) {
    for (const argument of risks.flatMap(({ values }) => Object.keys(values))) {
      expect([call, argument, argumentWidth(call, Number(argument))]).toEqual([call, argument, expect.any(Number)]);
    }
  }
});
