import { describe, expect, it } from 'vitest';
import { AUDIT_ARCH, SECCOMP_RET_ALLOW, SECCOMP_RET_DATA } from '../filter/bpf.js';
import { DEFAULT_CEILING } from '../filter/ceiling.js';
import { compileFilter } from '../filter/compile.js';
import { engineDefaultNames } from '../filter/engine-default.js';
import { ALWAYS_ALLOWED, guardOf, GUARDS } from '../filter/guards.js';
import { interpret } from '../filter/interpret.js';
import { syscallNames, syscallNumber } from '../filter/syscalls.js';
import { type Architecture, ARCHITECTURES, type Profile } from '../model/profile.js';
import { exportOci, type OciSeccomp, type OciSyscall, RUNTIME_START_CALLS } from './oci.js';
import { type OciArgument } from './oci-arguments.js';

const profileOf = (architecture: Architecture, names: readonly string[]): Profile => ({
  version: 1,
  architecture,
  rules: names.length === 0 ? [] : [{ names: [...names].sort(), action: 'SCMP_ACT_ALLOW' }],
  network: 'none',
});

/** What a runtime does with the profile: 0 for allowed, else the errno. */
function decide(oci: OciSeccomp, name: string, args: readonly bigint[]): number {
  const matches = ({ names, args: conditions = [] }: OciSyscall) =>
    names.includes(name) && conditions.every((condition) => holds(condition, args));
  const rule = oci.syscalls.find(matches);
  if (rule?.action === 'SCMP_ACT_ALLOW') return 0;
  return rule?.errnoRet ?? oci.defaultErrnoRet;
}

function holds({ index, value, valueTwo }: OciArgument, args: readonly bigint[]): boolean {
  return ((args[index] ?? 0n) & BigInt(value)) === BigInt(valueTwo);
}

/** Values around everything that guards test, with and without garbage in the high word. */
const VALUES = [0, 1, 2, 3, 8, 39, 40, 41, 0x10000, 0x20000, 0x20008, 0x7fffffff, 0x80000001, 0x7e020000, 0xffffffff]
  .map(BigInt)
  .flatMap((low) => [low, low | (1n << 32n), low | (0xdeadbeefn << 32n)]);

describe.each(ARCHITECTURES)('the OCI export of a profile of %s', (architecture) => {
  const all = syscallNames(architecture);
  const options = { architecture, ceiling: DEFAULT_CEILING, engineDefault: engineDefaultNames(architecture) };

  it.each([
    ['every call', all],
    ['every third call', all.filter((_name, index) => index % 3 === 0)],
    ['no call', []],
  ])('lets through what the filter lets through, for %s', (_words, allowed) => {
    const oci = exportOci(profileOf(architecture, allowed), { runtimeCalls: [] });
    const { filter, answer } = compileFilter({ ...options, enforcement: 'enforce', allowed });
    const wrong: string[] = [];
    for (const name of all) {
      const guarded = guardOf(name) !== undefined;
      for (const first of guarded ? VALUES : [0n]) {
        for (const second of guarded ? VALUES : [0n]) {
          const args = [first, second, 0n, 0n, 0n, 0n];
          const call = {
            nr: syscallNumber(architecture, name)!,
            arch: AUDIT_ARCH[architecture],
            instructionPointer: 0n,
            args,
          };
          const loaded = interpret(filter, call);
          const errno = loaded === SECCOMP_RET_ALLOW ? 0 : interpret(answer, call) & SECCOMP_RET_DATA;
          const exported = decide(oci, name, args);
          // A guard that fails gets the default errno: the format has no "otherwise" for one name.
          const same = guarded ? (exported === 0) === (errno === 0) : exported === errno;
          if (!same) wrong.push(`${name}(${first}, ${second}): filter ${errno}, export ${exported}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('always lets programs end, and the runtime start them', () => {
    const oci = exportOci(profileOf(architecture, []));
    for (const name of [...ALWAYS_ALLOWED, ...RUNTIME_START_CALLS]) {
      if (syscallNumber(architecture, name) !== undefined) expect(decide(oci, name, [])).toBe(0);
    }
  });

  it('tests an argument once in a rule: runc reads a second test of the same one as an alternative', () => {
    const oci = exportOci(profileOf(architecture, all));
    for (const { args = [] } of oci.syscalls) {
      expect(new Set(args.map(({ index }) => index)).size).toBe(args.length);
    }
  });

  it('gives no name two unconditional rules, nor one beside conditions', () => {
    for (const names of [all, ['read', ...GUARDS.flatMap((guard) => guard.names)]]) {
      const { syscalls } = exportOci(profileOf(architecture, names));
      const plain = syscalls.filter(({ args }) => !args).flatMap(({ names }) => names);
      expect(new Set(plain).size).toBe(plain.length);
      const conditional = new Set(syscalls.filter(({ args }) => args).flatMap(({ names }) => names));
      expect(plain.filter((name) => conditional.has(name))).toEqual([]);
    }
  });
});

it('refuses names that the architecture does not have', () => {
  expect(() => exportOci(profileOf('aarch64', ['open']))).toThrow(
    expect.objectContaining({ code: 'UNKNOWN_SYSCALLS' }),
  );
});

it('looks as the OCI runtime specification says', () => {
  const oci = exportOci(profileOf('x86_64', ['read', 'personality']), { runtimeCalls: [] });
  expect(oci).toMatchObject({
    defaultAction: 'SCMP_ACT_ERRNO',
    defaultErrnoRet: 38,
    architectures: ['SCMP_ARCH_X86_64'],
  });
  expect(oci.syscalls[1]).toEqual({
    names: ['personality'],
    action: 'SCMP_ACT_ALLOW',
    args: [{ index: 0, value: 0xffffffff, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }],
  });
});
