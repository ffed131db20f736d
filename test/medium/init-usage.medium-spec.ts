/** Wall and processor time as porin-init reports them, on a machine that is busy with other work: they never contradict. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { isPlausibleUsage } from '#lib/overhead';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Exited } from '../../libs/execution/src/sandbox/control-message.js';
import { type SandboxPolicy } from '../../libs/execution/src/sandbox/policy-text.js';
import { policyFor } from '../support/init-container.js';
import { runUnderBareInit } from '../support/init-process.js';
import { testPayload } from '../support/native.js';
import { EPERM, NR, smallFilter } from '../support/small-filter.js';

const CORES = cpus().length;
const CONCURRENCY = 6;
const TIMEOUT_MS = 300_000;
const NO_OPERATION = { code: 0x20, jt: 0, jf: 0, k: 0 };

let load: ChildProcess[] = [];

beforeAll(() => {
  load = Array.from({ length: 2 * CORES }, () => spawn('sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
});
afterAll(() => load.forEach((child) => child.kill('SIGKILL')));

async function ends(runs: number, command: readonly string[], changes: Partial<SandboxPolicy> = {}) {
  const policy = policyFor([], { arguments: [testPayload(), ...command], ...changes });
  const all: Exited[] = [];
  let begun = 0;
  const runSome = async (): Promise<void> => {
    while (begun++ < runs) {
      const end = await runUnderBareInit(policy, policy.trace && { onTrace: () => undefined });
      expect(end.denials).toEqual([]);
      all.push(end.exited);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, runSome));
  return all;
}

const cpuUs = ({ userUs, systemUs }: Exited) => userUs + systemUs;

describe('the processor time of a payload', { timeout: TIMEOUT_MS }, () => {
  it('is never more than its wall time where it has one thread', async () => {
    const all = await ends(250, ['busy', '2']);
    expect(all.every((exited) => cpuUs(exited) > 1000)).toBe(true);
    expect(all.filter((exited) => !isPlausibleUsage(exited, 1))).toEqual([]);
  });

  it('is never more than the wall time of every core where it has many', async () => {
    const all = await ends(60, ['busy', '2', String(4 * CORES)]);
    expect(all.every((exited) => cpuUs(exited) > CORES * 4000)).toBe(true);
    expect(all.filter((exited) => !isPlausibleUsage(exited, CORES))).toEqual([]);
  });

  it('counts what is left behind only as long as it lasts', async () => {
    const all = await ends(60, ['leave-busy', String(2 * CORES)]);
    expect(all.filter((exited) => !isPlausibleUsage(exited, CORES))).toEqual([]);
  });

  it('is the payload’s alone: loading a large filter is no use of it', async () => {
    const { filter, answer } = smallFilter({});
    const large = { filter: [...Array<typeof NO_OPERATION>(3900).fill(NO_OPERATION), ...filter], answer };
    const least = async (changes: Partial<SandboxPolicy>) =>
      Math.min(...(await ends(10, ['exit', '0'], changes)).map(cpuUs));
    expect(await least({ filter: large })).toBeLessThan(3 * (await least({})));
  });

  it.each([
    ['every call', ['busy', '2'], { filter: smallFilter({ notifyAll: true }), trace: { maximumBytes: 1_000_000 } }],
    [
      'the calls that measure it',
      ['exit', '0'],
      { filter: smallFilter({ denied: { [NR.getrusage]: EPERM, [NR.clockGettime]: EPERM } }) },
    ],
  ])('is measured, and nothing of that reported, where the filter holds %s', async (_name, command, changes) => {
    const all = await ends(60, command, changes);
    expect(all.filter((exited) => !isPlausibleUsage(exited, 1))).toEqual([]);
  });
});
