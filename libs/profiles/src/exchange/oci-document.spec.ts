import { describe, expect, it } from 'vitest';
import { ProfileError } from '../model/parse-json.js';
import { importOci } from './import-oci.js';
import { parseOciDocument } from './oci-document.js';

const rule = (changes: object): unknown => ({
  defaultAction: 'SCMP_ACT_ERRNO',
  syscalls: [{ names: ['read'], action: 'SCMP_ACT_ALLOW', ...changes }],
});
const tested = (changes: object): unknown => rule({ args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 1, ...changes }] });
const many = <T>(length: number, item: T): T[] => Array.from({ length }, () => item);
const fromText = (text: string): unknown => JSON.parse(text);

describe('a seccomp document', () => {
  it.each<[string, unknown, string, string]>([
    ['no object', null, '$', 'must be an object'],
    ['a list', [], '$', 'must be an object'],
    ['no default action', {}, '$.defaultAction', 'is missing'],
    ['an unknown action', { defaultAction: 'SCMP_ACT_MAYBE' }, '$.defaultAction', 'must be one of SCMP_ACT_ALLOW'],
    ['a whole runtime configuration', { linux: { seccomp: {} } }, '$.linux', 'is unknown'],
    ['an unknown member of a rule', rule({ unless: [] }), '$.syscalls[0].unless', 'is unknown'],
    [
      'a member called __proto__',
      fromText('{"defaultAction":"SCMP_ACT_ERRNO","__proto__":{}}'),
      '$.__proto__',
      'is unknown',
    ],
    [
      'one of a rule',
      fromText('{"defaultAction":"SCMP_ACT_ERRNO","syscalls":[{"__proto__":1}]}'),
      '$.syscalls[0].__proto__',
      'is unknown',
    ],
    [
      'a name of Object’s',
      fromText('{"defaultAction":"SCMP_ACT_ERRNO","constructor":1}'),
      '$.constructor',
      'is unknown',
    ],
    ['a member with a long name', { ['x'.repeat(1e6)]: 1 }, `$.${'x'.repeat(64)}`, 'is unknown'],
    [
      'rules that are no list',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: { length: 1 } },
      '$.syscalls',
      'must be an array',
    ],
    ['no names', rule({ names: [] }), '$.syscalls[0].names', 'must not be empty'],
    [
      'names that are none',
      rule({ names: ['read', { toString: 'x' }] }),
      '$.syscalls[0].names[1]',
      'must be a system call name',
    ],
    ['a name with a line feed', rule({ names: ['read\n'] }), '$.syscalls[0].names[0]', 'must be a system call name'],
    ['a name and names', rule({ name: 'write' }), '$.syscalls[0].name', 'exclude one another'],
    [
      'deep arguments',
      rule({ args: [fromText('['.repeat(5000) + ']'.repeat(5000))] }),
      '$.syscalls[0].args[0]',
      'must be an object',
    ],
    ['an index of no argument', tested({ index: 6 }), '$.syscalls[0].args[0].index', 'must be an integer of 0 to 5'],
    ['a negative index', tested({ index: -1 }), '$.syscalls[0].args[0].index', 'must be an integer of 0 to 5'],
    [
      'an unknown comparison',
      tested({ op: 'SCMP_CMP_LIKE' }),
      '$.syscalls[0].args[0].op',
      'must be one of SCMP_CMP_NE',
    ],
    ['NaN', tested({ value: NaN }), '$.syscalls[0].args[0].value', 'must be an integer'],
    ['infinity', tested({ value: Infinity }), '$.syscalls[0].args[0].value', 'must be an integer'],
    ['a negative value', tested({ value: -1 }), '$.syscalls[0].args[0].value', 'must be an integer'],
    ['a fraction', tested({ value: 1.5 }), '$.syscalls[0].args[0].value', 'must be an integer'],
    ['text for a number', tested({ value: '1' }), '$.syscalls[0].args[0].value', 'must be an integer'],
    ['2^53', tested({ value: 2 ** 53 }), '$.syscalls[0].args[0].value', 'JSON numbers lose bits above 2^53'],
    [
      '2^64 - 1 as JSON gives it',
      fromText(JSON.stringify(tested({})).replace('"value":1', '"value":18446744073709551615')),
      '$.syscalls[0].args[0].value',
      'lose bits',
    ],
    ['a second value beyond 2^53', tested({ valueTwo: 2 ** 60 }), '$.syscalls[0].args[0].valueTwo', 'lose bits'],
    [
      'seven tests',
      rule({ args: many(7, { index: 0, op: 'SCMP_CMP_EQ', value: 1 }) }),
      '$.syscalls[0].args',
      'has more than 6 tests',
    ],
    ['an errno of no kernel', rule({ errnoRet: 4096 }), '$.syscalls[0].errnoRet', 'must be an integer of 0 to 4095'],
    ['an errno of no name', rule({ errno: 'constructor' }), '$.syscalls[0].errno', 'must be the name of an errno'],
    ['two errnos', rule({ errno: 'EPERM', errnoRet: 38 }), '$.syscalls[0].errno', 'contradict one another'],
    [
      'a kernel that is none',
      rule({ includes: { minKernel: '4' } }),
      '$.syscalls[0].includes.minKernel',
      'must be a kernel version',
    ],
    ['an unknown filter', rule({ excludes: { cpus: 1 } }), '$.syscalls[0].excludes.cpus', 'is unknown'],
    [
      'capabilities that are none',
      rule({ excludes: { caps: [1] } }),
      '$.syscalls[0].excludes.caps[0]',
      'must be a word',
    ],
    [
      'two lists of architectures',
      { defaultAction: 'SCMP_ACT_ERRNO', architectures: [], archMap: [] },
      '$.archMap',
      'exclude one another',
    ],
    [
      'too many rules',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: many(4097, {}) },
      '$.syscalls',
      'has more than 4096 rules',
    ],
    [
      'too many names in a rule',
      rule({ names: many(1025, 'read') }),
      '$.syscalls[0].names',
      'has more than 1024 names',
    ],
    [
      'too many names',
      { defaultAction: 'SCMP_ACT_ERRNO', syscalls: many(17, { names: many(1000, 'read'), action: 'SCMP_ACT_ALLOW' }) },
      '$.syscalls',
      'has more than 16384 names',
    ],
  ])('is refused with the place of %s', (_words, document, at, problem) => {
    const error = errorOf(() => parseOciDocument(document));
    expect(error).toBeInstanceOf(ProfileError);
    expect(error).toMatchObject({ at, message: expect.stringContaining(problem) });
  });

  it('may not have more rules of one call than a person can mean', () => {
    const syscalls = many(1025, { names: ['close'], action: 'SCMP_ACT_ALLOW' });
    const error = errorOf(() => importOci({ defaultAction: 'SCMP_ACT_ERRNO', syscalls }, { architecture: 'x86_64' }));
    expect(error).toMatchObject({
      at: '$.syscalls[1024]',
      message: expect.stringContaining('more than 1024 rules of "close"'),
    });
  });

  it('is looked through in time, with as many rules that refuse as rules that allow', () => {
    const names = ['fchown', 'kill', 'dup3', 'fcntl', 'setpgid', 'flock', 'close', 'lseek'];
    const of = (action: string) =>
      many(512, 0).map((_, value) => ({
        names,
        action,
        args: [{ index: 0, op: 'SCMP_CMP_EQ', value: 2 * value + (action === 'SCMP_ACT_ALLOW' ? 1 : 0) }],
      }));
    const document = { defaultAction: 'SCMP_ACT_ERRNO', syscalls: [...of('SCMP_ACT_ALLOW'), ...of('SCMP_ACT_KILL')] };
    expect(importOci(document, { architecture: 'x86_64' }).report.conditional).toHaveLength(8);
  });

  it('is known by its words, and Docker’s are no words of the specification', () => {
    const format = (document: unknown): string => parseOciDocument(document).format;
    expect(format(rule({ comment: 'of Porin’s exports too' }))).toBe('oci');
    expect(format(rule({ includes: {} }))).toBe('docker');
    expect(format({ defaultAction: 'SCMP_ACT_ERRNO', archMap: [] })).toBe('docker');
    expect(errorOf(() => parseOciDocument(rule({ excludes: {} }), 'oci'))).toMatchObject({
      at: '$.syscalls[0].excludes',
    });
    expect(parseOciDocument(rule({}), 'docker').format).toBe('docker');
  });

  it('may say nothing by null, and an errno by name, as Podman does', () => {
    const { rules, ignored } = parseOciDocument({
      ...{
        defaultAction: 'SCMP_ACT_ERRNO',
        defaultErrno: 'ENOSYS',
        defaultErrnoRet: 38,
        flags: ['SECCOMP_FILTER_FLAG_LOG'],
      },
      ...{
        architectures: null,
        syscalls: [{ names: ['mbind'], action: 'SCMP_ACT_ERRNO', errno: 'EPERM', args: null, includes: null }],
      },
    });
    expect(ignored).toEqual(['flags']);
    expect(rules).toMatchObject([{ errnoRet: 1, args: [], includes: { caps: [] } }]);
    expect(parseOciDocument({ defaultAction: 'SCMP_ACT_KILL' }).rules).toEqual([]);
  });
});

function errorOf(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
