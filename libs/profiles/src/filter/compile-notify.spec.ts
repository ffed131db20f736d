import { describe, expect, it } from 'vitest';
import { type Rule } from '../model/profile.js';
import { DEFAULT_CEILING } from './ceiling.js';
import { compileFilter } from './compile.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { type CompiledFilter } from './instruction.js';
import { interpret } from './interpret.js';
import { syscallNumber } from '../kernel/syscalls.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const F_GETFD: Rule = {
  ...{ names: ['fcntl'], action: 'SCMP_ACT_ALLOW' },
  args: [{ argument: 1, op: 'SCMP_CMP_EQ', value: '0x1' }],
};

function run({ filter, answer }: CompiledFilter, name: string, args: readonly bigint[] = []): string {
  const nr = syscallNumber('x86_64', name) ?? -1;
  const data = { nr, arch: 0xc000003e, instructionPointer: 0n, args };
  const first = interpret(filter, data);
  if (first === ALLOW) return 'made';
  expect(first).toBe(NOTIFY);
  const second = interpret(answer, data);
  return second === ALLOW ? 'continued' : second === 0x00050001 ? 'EPERM' : second === 0x00050026 ? 'ENOSYS' : 'wrong';
}

describe('a filter that has every call notified', () => {
  const options = { ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames('x86_64') };

  it('asks porin-init about everything but what a signal must not interrupt, and gets from it the whole decision', () => {
    for (const enforcement of ['none', 'enforce'] as const) {
      const rules = enforcement === 'none' ? null : [F_GETFD];
      const compiled = compileFilter({ ...options, enforcement, rules, architecture: 'x86_64', notifyAll: true });
      const other = enforcement === 'none' ? 'continued' : 'ENOSYS';
      expect(run(compiled, 'rt_sigreturn')).toBe('made');
      expect([run(compiled, 'exit'), run(compiled, 'exit_group')]).toEqual(['made', 'made']);
      expect(run(compiled, 'close')).toBe(enforcement === 'none' ? 'made' : 'ENOSYS');
      expect(run(compiled, 'fcntl', [0n, 1n])).toBe('continued');
      expect(run(compiled, 'fcntl', [0n, 2n])).toBe(other);
      expect(run(compiled, 'read')).toBe(other);
      expect(run(compiled, 'bpf')).toBe('EPERM');
      expect(interpret(compiled.filter, { nr: 0, arch: 0x40000003, instructionPointer: 0n, args: [] })).toBe(NOTIFY);
      expect(interpret(compiled.answer, { nr: 0, arch: 0x40000003, instructionPointer: 0n, args: [] })).toBe(
        0x00050026,
      );
    }
  });
});
