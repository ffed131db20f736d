/** Calls that a filter answers before they enter the kernel: counted exactly at every kind, and nothing else with them. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Recorder, RECORDING_KINDS } from '#lib/execution';
import { RecorderContainers } from '../support/recorder-containers.js';
import { RecorderProcesses } from '../support/recorder-processes.js';

const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const ended = { payloadEndedOnItsOwn: true };
const PROGRAM = 'recorder-refusals';
const X86 = process.arch === 'x64';
/** The native number of keyctl, which Docker's own filter answers with EPERM. */
const KEYCTL = process.arch === 'arm64' ? '219' : '250';

let processes: RecorderProcesses;
let recorder: Recorder;
beforeAll(async () => {
  processes = await RecorderProcesses.create(PROGRAM);
});
afterAll(() => processes.close());
beforeEach(async () => {
  recorder = await Recorder.start({ binaryPath });
});
afterEach(() => recorder.close());

describe.each(RECORDING_KINDS)('a recording of kind %s', (kind) => {
  async function record(...command: readonly string[]) {
    const gated = await processes.start(command, PROGRAM);
    await recorder.arm('run', gated.pid, kind);
    expect(await gated.openGateAndWait()).toBe(0);
    return recorder.finish('run', ended);
  }

  it('counts the refused calls of threads that are switched away in their calls, and none that enters and fails', async () => {
    const recording = await record('threads', '6', '2000');
    expect(recording.refused).toEqual({ close: { EBADF: 24_000 }, mbind: { EPERM: 24_000 } });
    expect(recording.calls).toMatchObject({ close: 24_000 });
    expect(recording.calls).not.toHaveProperty('mbind');
    expect(recording.partialReasons).toEqual([]);
  });

  it('counts the refused calls of children that end in the middle of a call', async () => {
    const { refused, calls, partialReasons } = await record('children', '100');
    expect({ refused, partialReasons }).toEqual({
      refused: { close: { EBADF: 100 }, mbind: { EPERM: 100 } },
      partialReasons: [],
    });
    expect(calls.close).toBe(100);
  });

  it('counts the refused calls of a handler in the middle of a call, and no call that a signal interrupts', async () => {
    const { refused, partialReasons } = await record('signals', '200');
    expect({ refused, partialReasons }).toEqual({ refused: { mbind: { EPERM: 200 } }, partialReasons: [] });
  });

  it('tells a call that fails from the same call with the same errno that is refused for its argument', async () => {
    const { refused, calls } = await record('sessions');
    expect(refused).toEqual({ setsid: { EPERM: 2 } });
    expect(calls.setsid).toBe(2);
  });

  it('counts what a supervisor answers with an errno, neither what a signal took from it nor what it lets go on', async () => {
    const { refused, calls } = await record('notifications', '5');
    expect(refused).toEqual({ getpriority: { EACCES: 5 }, mbind: { EPERM: 1 } });
    expect(calls.getpriority).toBe(1);
  });

  it('takes no exec for a refused one that fails when it has taken over the number of another thread', async () => {
    const { refused, calls, partialReasons } = await record('execs');
    expect({ refused, partialReasons }).toEqual({ refused: { execveat: { ENOSYS: 1 } }, partialReasons: [] });
    expect(calls.execve).toBe(2);
  });

  it('is complete without refused calls of numbers that have no name', async () => {
    const recording = await record('without-name');
    expect(recording).not.toHaveProperty('refused');
    expect(recording.partialReasons).toEqual([]);
  });

  it('says overflow when there are more than it may hold', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { uses: 50 } });
    const { certificate, partialReasons } = await record('without-name');
    expect(partialReasons).toEqual(['overflow']);
    expect(certificate.overflows).toBeGreaterThanOrEqual(12);
  });

  it('says map-failure when the map of all recordings is full', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { entries: 16 } });
    const { certificate, partialReasons } = await record('without-name');
    expect(partialReasons).toEqual(['map-failure']);
    expect(certificate.mapFailures).toBeGreaterThanOrEqual(62 - 16);
  });

  it.runIf(X86).each([
    ['compat', 'compat-calls', { compatCalls: 1, x32Calls: 0 }],
    ['x32', 'x32-calls', { compatCalls: 0, x32Calls: 1 }],
  ] as const)('is partial after a refused call of the ABI %s', async (mode, reason, counts) => {
    const { certificate, partialReasons, refused } = await record(mode);
    expect({ partialReasons, refused }).toEqual({ partialReasons: [reason], refused: undefined });
    expect(certificate).toMatchObject(counts);
  });
});

describe('in a container', () => {
  let containers: RecorderContainers;
  beforeAll(async () => {
    containers = await RecorderContainers.create();
  });
  afterAll(() => containers.close());

  it.each(RECORDING_KINDS)("a recording of kind %s holds what the engine's filter refused", async (kind) => {
    const gated = await containers.start(['number', KEYCTL, '3']);
    await recorder.arm('run', gated.pid, kind);
    expect(await gated.openGateAndWait()).toBe(0);
    const { refused, calls, partialReasons } = await recorder.finish('run', ended);
    expect({ refused, partialReasons }).toEqual({ refused: { keyctl: { EPERM: 3 } }, partialReasons: [] });
    expect(calls).not.toHaveProperty('keyctl');
  });
});
