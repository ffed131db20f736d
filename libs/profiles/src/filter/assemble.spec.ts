import { describe, expect, it } from 'vitest';
import { type Comparison } from '../model/condition.js';
import { ARCHITECTURES } from '../model/profile.js';
import { type ArgumentTest } from './argument-test.js';
import { assemble, type Verdict } from './assemble.js';
import { AUDIT_ARCH } from './bpf.js';
import { interpret } from './interpret.js';
import { validateProgram } from './validate.js';

const YES = 0x7fff0000;
const NO = 0x7fc00000;

/** A seeded linear congruential generator, so that a failure can be repeated. */
function random(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const run = (program: ReturnType<typeof assemble>, arch: number, nr: number, first = 0n): number =>
  interpret(program, { nr, arch, instructionPointer: 0n, args: [first, 0n, 0n, 0n, 0n, 0n] });

const test = (argument: number, op: Comparison, value: bigint, mask = 0xffffffffn): ArgumentTest => ({
  ...{ argument, op, value, mask },
  width: 32,
});
const guarded: Verdict = { allOf: [[[test(0, 'SCMP_CMP_EQ', 7n)]]], pass: YES, fail: NO };

describe.each(ARCHITECTURES)('assemble for %s', (architecture) => {
  const arch = AUDIT_ARCH[architecture];

  it.each([0, 1, 2, 3, 50, 150, 256, 300, 471, 600])(
    'gives valid programs that decide every number right for random sets of about %i calls',
    (size) => {
      const next = random(size + 1);
      for (let round = 0; round < 5; round++) {
        const verdicts = new Map<number, Verdict>();
        while (verdicts.size < size) {
          const dice = next();
          verdicts.set(Math.floor(next() * 1000), dice < 0.1 ? guarded : dice < 0.2 ? 0x50026 : YES);
        }
        const program = assemble(architecture, verdicts, NO);
        validateProgram(program);
        for (let number = 0; number < 1024; number++) {
          const verdict = verdicts.get(number) ?? NO;
          const [pass, fail] = typeof verdict === 'number' ? [verdict, verdict] : [YES, NO];
          expect([number, run(program, arch, number, 7n), run(program, arch, number, 8n)]).toEqual([
            number,
            pass,
            fail,
          ]);
        }
      }
    },
  );

  it('keeps every jump in range where nothing can be merged', () => {
    const verdicts = new Map<number, Verdict>(Array.from({ length: 500 }, (_, index) => [index * 2, guarded]));
    const program = assemble(architecture, verdicts, NO);
    validateProgram(program);
    expect(program.some(({ code }) => code === 0x05)).toBe(true);
    for (let number = 0; number < 1300; number++) {
      expect(run(program, arch, number, 7n)).toBe(verdicts.has(number) ? YES : NO);
    }
  });

  it('decides each of 470 alternating calls within 22 instructions', () => {
    const verdicts = new Map<number, Verdict>(Array.from({ length: 235 }, (_, index) => [index * 2, YES]));
    const program = assemble(architecture, verdicts, NO);
    const steps = (number: number): number => {
      let count = 0;
      // A proxy sees every instruction that the interpreter fetches.
      const counting = new Proxy(program, {
        get: (target, key) => {
          if (typeof key === 'string' && /^\d+$/.test(key)) count++;
          return Reflect.get(target, key) as unknown;
        },
      });
      run(counting, arch, number);
      return count;
    };
    for (let number = 0; number < 470; number++) expect(steps(number)).toBeLessThanOrEqual(22);
  });

  it('tries alternatives in turn and needs all conditions of one', () => {
    const either: Verdict = {
      allOf: [
        [
          [test(0, 'SCMP_CMP_MASKED_EQ', 0x10n, 0xf0n), test(1, 'SCMP_CMP_NE', 1n)],
          [test(5, 'SCMP_CMP_EQ', 0xffffffffn)],
        ],
      ],
      pass: YES,
      fail: NO,
    };
    const program = assemble(architecture, new Map([[9, either]]), NO);
    const decide = (...args: bigint[]): number => interpret(program, { nr: 9, arch, instructionPointer: 0n, args });
    expect(decide(0x1fn, 0n)).toBe(YES);
    expect(decide(0x1fn, 1n)).toBe(NO);
    expect(decide(0x2fn, 0n)).toBe(NO);
    expect(decide(0x2fn, 1n, 0n, 0n, 0n, 0xffffffffn)).toBe(YES);
    expect(decide(0x2fn, 1n, 0n, 0n, 0n, 0xfffffffen)).toBe(NO);
  });
});
