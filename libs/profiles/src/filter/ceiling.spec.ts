import { describe, expect, it } from 'vitest';
import { type Condition } from '../model/condition.js';
import { ENFORCEMENTS, type Enforcement } from '../model/level.js';
import { ARCHITECTURES, type Architecture, type Rule } from '../model/profile.js';
import { argumentWidth } from '../kernel/argument-widths.js';
import { AUDIT_ARCH } from './bpf.js';
import { DEFAULT_CEILING } from './ceiling.js';
import { compileFilter } from './compile.js';
import { decodeProgram, encodeProgram } from './encode.js';
import { engineDefaultNames } from '../kernel/engine-default.js';
import { callClass, KNOWN_CALLS } from '../kernel/families.js';
import { interpret } from './interpret.js';
import { syscallNames, syscallNumber } from '../kernel/syscalls.js';

const ALLOW = 0x7fff0000;
const NOTIFY = 0x7fc00000;
const ERRNOS = [0x00050001, 0x00050026];

/** What no approved profile may allow by itself. */
const FORBIDDEN = [
  ...['bpf', 'perf_event_open', 'userfaultfd', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'],
  ...['init_module', 'finit_module', 'delete_module', 'create_module', 'kexec_load', 'kexec_file_load', 'keyctl'],
  ...['mount', 'umount2', 'pivot_root', 'move_mount', 'open_tree', 'open_tree_attr', 'mount_setattr'],
  ...['fsopen', 'fsconfig', 'fsmount', 'fspick', 'chroot', 'unshare', 'setns', 'add_key', 'request_key'],
];
const ARGUMENTS = [
  [0n, 0n, 0n, 0n, 0n, 0n],
  [1n, 1n, 1n, 1n, 1n, 1n],
  [5n, 0n, 0x7n, 0xffffffffn, 1n << 63n, 9n],
];

const conditional = (name: string): Rule[] => {
  const argument = [0, 1, 2, 3].find((index) => argumentWidth(name, index) !== null);
  if (argument === undefined) return [];
  return (['0x0', '0x1', '0x5'] as const).map((value): Rule => {
    const condition: Condition = { argument, op: 'SCMP_CMP_EQ', value };
    return { names: [name], action: 'SCMP_ACT_ALLOW', args: [condition] };
  });
};

/** Through the bytes that porin-init is sent, as the kernel and porin-init run them. */
function outcomes(
  architecture: Architecture,
  enforcement: Enforcement,
  options: { name: string; rules: readonly Rule[]; ceiling: readonly string[]; notifyAll?: boolean },
): string[] {
  const { name, rules, ceiling, notifyAll = false } = options;
  const compiled = compileFilter({
    ...{ enforcement, architecture, ceiling, notifyAll },
    rules: enforcement === 'none' ? null : rules,
    // Wider than any engine's default, so that the ceiling alone is what refuses.
    engineDefault: [...engineDefaultNames(architecture), name],
  });
  const [filter, answer] = [compiled.filter, compiled.answer].map((program) => decodeProgram(encodeProgram(program)));
  return ARGUMENTS.map((args) => {
    const nr = syscallNumber(architecture, name) ?? -1;
    const data = { nr, arch: AUDIT_ARCH[architecture], instructionPointer: 0n, args };
    const first = interpret(filter ?? [], data);
    if (first === ALLOW) return 'made';
    if (ERRNOS.includes(first)) return 'refused';
    const second = interpret(answer ?? [], data);
    if (first === NOTIFY && second === ALLOW) return 'continued';
    return first === NOTIFY && ERRNOS.includes(second) ? 'refused' : 'wrong';
  });
}

it('leaves to administrators the dangerous calls that stay within the payload, and no other', () => {
  const left = KNOWN_CALLS.filter((name) => callClass(name) === 'dangerous' && !DEFAULT_CEILING.includes(name));
  expect(left).toEqual(['clone3', 'kcmp', 'process_vm_readv', 'process_vm_writev', 'ptrace']);
});

describe.each(ARCHITECTURES)('the ceiling in the bytes of a filter for %s', (architecture) => {
  const names = FORBIDDEN.filter((name) => syscallNumber(architecture, name) !== undefined);

  it.each(names)('refuses %s to a profile that allows it, unless the ceiling leaves the name out', (name) => {
    expect(DEFAULT_CEILING).toContain(name);
    const without = DEFAULT_CEILING.filter((other) => other !== name);
    const plain: Rule[] = [{ names: [name], action: 'SCMP_ACT_ALLOW' }];
    for (const rules of [plain, conditional(name)]) {
      for (const enforcement of ENFORCEMENTS) {
        const refused = outcomes(architecture, enforcement, { name, rules, ceiling: DEFAULT_CEILING });
        expect([enforcement, ...refused]).toEqual([enforcement, 'refused', 'refused', 'refused']);
        const granted = outcomes(architecture, enforcement, { name, rules, ceiling: without });
        if (rules.length > 0) expect([enforcement, granted[0]]).toEqual([enforcement, 'made']);
      }
    }
    for (const enforcement of ['none', 'enforce'] as const) {
      const options = { name, rules: plain, notifyAll: true };
      const refused = outcomes(architecture, enforcement, { ...options, ceiling: DEFAULT_CEILING });
      expect(refused).toEqual(['refused', 'refused', 'refused']);
      expect(outcomes(architecture, enforcement, { ...options, ceiling: without })[0]).toBe('continued');
    }
  });

  it('holds the conditions on a call that the ceiling leaves out', () => {
    const ceiling = DEFAULT_CEILING.filter((name) => name !== 'keyctl');
    const rules = conditional('keyctl').slice(1);
    const found = (['enforce', 'audit'] as const).map((enforcement) =>
      outcomes(architecture, enforcement, { name: 'keyctl', rules, ceiling }),
    );
    expect(found).toEqual([
      ['refused', 'made', 'made'],
      ['refused', 'made', 'made'],
    ]);
  });

  it('is all that enforcement none refuses of what the engine allows, beside the guards', () => {
    const refused = syscallNames(architecture).filter(
      (name) => outcomes(architecture, 'none', { name, rules: [], ceiling: DEFAULT_CEILING })[0] !== 'made',
    );
    const own = DEFAULT_CEILING.filter((name) => syscallNumber(architecture, name) !== undefined);
    // Process scope is 1 for ioprio_set, and clone3 is refused to everyone.
    expect(refused).toEqual([...own, 'clone3', 'ioprio_set'].sort());
  });
});
