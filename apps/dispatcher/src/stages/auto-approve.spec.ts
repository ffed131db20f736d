import { type Condition, type Profile, type Rule } from '#lib/profiles';
import { describe, expect, it } from 'vitest';
import { isHarmless } from './auto-approve.js';

const allow = (name: string, ...args: Condition[]): Rule => ({
  ...{ names: [name], action: 'SCMP_ACT_ALLOW' },
  ...(args.length > 0 && { args }),
});
const equal = (argument: number, value: Condition['value']): Condition => ({ argument, op: 'SCMP_CMP_EQ', value });
const profile = (rules: readonly Rule[], more: Partial<Profile> = {}): Profile => ({
  ...{ version: 1, architecture: 'x86_64', rules, network: 'none', ...more },
});
const NOT_BOTH: Condition[] = [{ argument: 2, op: 'SCMP_CMP_MASKED_EQ', mask: '0x4', value: '0x0' }];
const RULES = [allow('read'), allow('mprotect', ...NOT_BOTH), allow('socket', equal(0, '0x1'))];
const BASE = profile(RULES, { files: [{ path: '/opt', rights: ['read'] }], pids: 16, landlockMinimum: 'NOT_ENFORCED' });
const with_ = (rules: readonly Rule[], more: Partial<Profile> = {}): Profile => ({ ...BASE, rules, ...more });

describe('a rule may approve', () => {
  it.each<[string, Profile]>([
    ['a harmless call', with_([...RULES, allow('eventfd2')])],
    ['a basic call', with_([...RULES, allow('getpid')])],
    [
      'a basic call under its fixed conditions',
      with_([
        ...RULES,
        allow(
          'clock_nanosleep',
          { argument: 0, op: 'SCMP_CMP_NE', value: '0x8' },
          { argument: 0, op: 'SCMP_CMP_NE', value: '0x9' },
        ),
      ]),
    ],
    [
      'a harmless call that the engine refuses to everybody',
      with_([...RULES, { names: ['mbind'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }]),
    ],
  ])('%s', (_name, addition) => {
    expect(isHarmless(addition, BASE)).toBe(true);
  });
});

describe('a rule never approves', () => {
  it.each<[string, Profile]>([
    ['a call that gives authority', with_([...RULES, allow('kill')])],
    ['a dangerous call', with_([...RULES, allow('ptrace')])],
    ['more arguments of a call that gives authority', with_([...RULES, allow('socket', equal(0, '0x2'))])],
    ['memory that is writable and executable', with_([allow('read'), allow('mprotect'), RULES[2] as Rule])],
    ['a basic call with any arguments', with_([...RULES, allow('clone')])],
    [
      'an end of reports of a call that gives authority',
      with_([...RULES, { names: ['move_pages'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }]),
    ],
    ['fewer calls', with_([allow('getpid'), ...RULES.slice(1)])],
    ['fewer arguments', with_([allow('read', equal(0, '0x0')), ...RULES.slice(1)])],
    [
      'a file rule',
      with_(RULES, {
        files: [
          { path: '/etc', rights: ['read'] },
          { path: '/opt', rights: ['read'] },
        ],
      }),
    ],
    ['a narrower file rule', with_(RULES, { files: [] })],
    ['more processes', with_(RULES, { pids: 32 })],
    ['less of Landlock', profile(RULES, { files: [{ path: '/opt', rights: ['read'] }], pids: 16 })],
  ])('%s', (_name, addition) => {
    expect(isHarmless(addition, BASE)).toBe(false);
  });
});
