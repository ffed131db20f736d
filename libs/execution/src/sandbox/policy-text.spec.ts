import { describe, expect, it } from 'vitest';
import { PolicyError, renderPolicy, type SandboxPolicy } from './policy-text.js';

const POLICY: SandboxPolicy = {
  arguments: ['/bin/true', '', 'two\nlines'],
  environment: { A: 'b=c', EMPTY: '' },
  workingDirectory: '/',
  rlimits: { NOFILE: { soft: 10, hard: 20 }, CORE: { soft: 0, hard: 'unlimited' } },
  filter: {
    filter: [{ code: 6, jt: 0, jf: 0, k: 0x7fc00000 }],
    answer: [{ code: 6, jt: 1, jf: 2, k: 0x00050026 }],
  },
};

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('renderPolicy', () => {
  it('writes one line for each part, with strings in base64', () => {
    expect(renderPolicy(POLICY).split('\n')).toEqual([
      'policy 5',
      `arg ${base64('/bin/true')}`,
      'arg -',
      `arg ${base64('two\nlines')}`,
      `env ${base64('A=b=c')}`,
      `env ${base64('EMPTY=')}`,
      'dir Lw==',
      'rlimit NOFILE 10 20',
      'rlimit CORE 0 unlimited',
      'filter BgAAAAAAwH8=',
      'answer BgABAiYABQA=',
      'end',
      '',
    ]);
  });

  it('writes the files that may be used, and the size of a trace', () => {
    const landlock = [
      { path: '/', rights: ['read', 'execute'] },
      { path: '/tmp', rights: ['read', 'write', 'create'] },
    ] as const;
    const lines = renderPolicy({ ...POLICY, landlock, trace: { maximumBytes: 1000 } }).split('\n');
    expect(lines.slice(9, 13)).toEqual(['landlock', 'path rx Lw==', `path rwc ${base64('/tmp')}`, 'trace 1000']);
    expect(renderPolicy({ ...POLICY, landlock: [] })).toContain('\nlandlock\n');
  });

  it('writes the standard input where there is one', () => {
    const lines = renderPolicy({ ...POLICY, standardInput: '/in/a' }).split('\n');
    expect(lines.slice(6, 8)).toEqual(['dir Lw==', `stdin ${base64('/in/a')}`]);
  });

  it.each<[string, Partial<SandboxPolicy>]>([
    ['a relative standard input', { standardInput: 'a' }],
    ['no command', { arguments: [] }],
    ['an empty command', { arguments: [''] }],
    ['a relative directory', { workingDirectory: 'tmp' }],
    ['a NUL in an argument', { arguments: ['/bin/echo', 'a\0b'] }],
    ['a NUL in a variable', { environment: { A: '\0' } }],
    ['a variable without a name', { environment: { '': 'x' } }],
    ['a name with an equals sign', { environment: { 'A=B': 'x' } }],
    ['an argument longer than the kernel takes', { arguments: ['/bin/echo', 'ü'.repeat(64 * 1024)] }],
    ['more bytes than porin-init has room for', { arguments: Array<string>(20).fill('x'.repeat(120_000)) }],
    ['a relative path', { landlock: [{ path: 'tmp', rights: ['read'] }] }],
    ['a path without rights', { landlock: [{ path: '/tmp', rights: [] }] }],
    ['a NUL in a path', { landlock: [{ path: '/a\0', rights: ['read'] }] }],
    [
      'more paths than porin-init has room for',
      { landlock: Array(5000).fill({ path: '/a', rights: ['read'] }) as never },
    ],
    ['more bytes of paths', { landlock: Array(600).fill({ path: `/${'x'.repeat(4000)}`, rights: ['read'] }) as never }],
    ['more strings than porin-init has room for', { arguments: Array<string>(9000).fill('x') }],
  ])('refuses %s', (_name, changes) => {
    expect(() => renderPolicy({ ...POLICY, ...changes })).toThrow(PolicyError);
  });
});
