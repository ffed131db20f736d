/** Recordings of kind arguments: every use of a call, its failures and the most tasks at once, counted exactly. */
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Recorder, type RecordingKind } from '#lib/execution';
import { type Recording } from '#lib/profiles';
import { RecorderContainers } from '../support/recorder-containers.js';

const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const ended = { payloadEndedOnItsOwn: true };
const F_GETFD = '0x1';
const F_GETFL = '0x3';
/** By the native number of keyctl, which Docker's own filter answers with EPERM. */
const KEYCTL = process.arch === 'arm64' ? '219' : '250';
const CLOSE = process.arch === 'arm64' ? '57' : '3';

let containers: RecorderContainers;
let recorder: Recorder;

beforeAll(async () => {
  containers = await RecorderContainers.create();
});
afterAll(() => containers.close());
beforeEach(async () => {
  recorder = await Recorder.start({ binaryPath });
});
afterEach(async () => {
  await recorder.close();
  await containers.removeContainers();
});

async function record(command: readonly string[], kind: RecordingKind = 'arguments'): Promise<Recording> {
  const gated = await containers.start(command);
  await recorder.arm('run', gated.pid, kind);
  expect(await gated.openGateAndWait()).toBe(0);
  return recorder.finish('run', ended);
}

const usesOf = (call: string, recording: Recording) => recording.arguments?.filter((use) => use.call === call);

describe('a recording of kind arguments', () => {
  it('counts every use of a call exactly, whichever thread makes it', async () => {
    const recording = await record(['flags', '4', '25000']);
    expect(usesOf('fcntl', recording)).toEqual([
      { call: 'fcntl', values: { '1': F_GETFL }, count: 100_000, failures: {} },
    ]);
    expect(recording.calls.fcntl).toBe(100_000);
    expect(recording.partialReasons).toEqual([]);
    expect(recording.certificate).toMatchObject({ overflows: 0 });
  });

  it('takes the bits that the kernel reads, and no others', async () => {
    expect(usesOf('fcntl', await record(['high-bits']))).toEqual([
      { call: 'fcntl', values: { '1': F_GETFD }, count: 1, failures: {} },
      { call: 'fcntl', values: { '1': F_GETFL }, count: 2, failures: {} },
    ]);
  });

  it('takes the number from the bits that the kernel reads, at the end of a call too', async () => {
    const recording = await record(['number', String(2 ** 40 + Number(CLOSE))]);
    expect(usesOf('close', recording)).toEqual([{ call: 'close', values: {}, count: 1, failures: { EBADF: 1 } }]);
  });

  it('tells failures apart by values and errno', async () => {
    const recording = await record(['commands', '3']);
    const uses = ['0x1388', '0x1389', '0x138a'].map((command) => ({
      ...{ call: 'fcntl', values: { '1': command }, count: 1, failures: { EBADF: 1 } },
    }));
    expect(usesOf('fcntl', recording)).toEqual(uses);
  });

  it('holds the failures of calls without such arguments', async () => {
    const recording = await record(['number', CLOSE, '7']);
    expect(usesOf('close', recording)).toEqual([{ call: 'close', values: {}, count: 7, failures: { EBADF: 7 } }]);
    expect(usesOf('exit_group', recording)).toEqual([]);
  });

  it('shows what seccomp refused as failures of calls that never entered the kernel', async () => {
    const recording = await record(['number', KEYCTL, '3']);
    expect(usesOf('keyctl', recording)).toEqual([
      { call: 'keyctl', values: { '0': '0xffffffff' }, count: 0, failures: { EPERM: 3 } },
    ]);
    expect(recording.calls).not.toHaveProperty('keyctl');
    expect(recording.partialReasons).toEqual([]);
  });

  it.each([
    [['nothing'], 1],
    [['count', '3', '1', '1'], 3],
    [['together', '3', '4'], 1 + 3 * (1 + 4)],
  ])('knows the most tasks of %j that were alive at once: %i', async (command, most) => {
    expect((await record(command)).peakTasks).toBe(most);
  });

  it('adds up to its counts by name, wherever every use is told apart', async () => {
    const recording = await record(['together', '2', '3']);
    const names = ['mmap', 'mprotect', 'futex', 'prlimit64'];
    for (const name of names) {
      const uses = recording.arguments?.filter(({ call }) => call === name) ?? [];
      expect([name, uses.reduce((sum, { count }) => sum + count, 0)]).toEqual([name, recording.calls[name] ?? 0]);
    }
  });

  it('holds the same beside recordings of other kinds that come and go', async () => {
    const [counted, held, flags] = await Promise.all([
      containers.start(['hold', '500']),
      containers.start(['hold']),
      containers.start(['flags', '2', '5000']),
    ]);
    await recorder.arm('counted', counted.pid, 'syscalls');
    await counted.openGate();
    await recorder.arm('held', held.pid, 'files');
    await recorder.arm('flags', flags.pid, 'arguments');
    await held.openGate();
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    await recorder.finish('held', ended);
    expect(await flags.openGateAndWait()).toBe(0);
    const ofFlags = await recorder.finish('flags', ended);
    await counted.endHold();
    expect(await counted.exitCode()).toBe(0);
    const ofCounted = await recorder.finish('counted', ended);
    expect(usesOf('fcntl', ofFlags)).toEqual([
      { call: 'fcntl', values: { '1': F_GETFL }, count: 10_000, failures: {} },
    ]);
    expect(ofFlags.peakTasks).toBe(3);
    expect(ofCounted.calls.getppid).toBe(500);
    expect(ofCounted).not.toHaveProperty('arguments');
    expect(ofCounted).not.toHaveProperty('peakTasks');
    expect([ofFlags.partialReasons, ofCounted.partialReasons]).toEqual([[], []]);
  });

  it('gives its room to later recordings when it ends', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { entries: 600 } });
    for (let round = 0; round < 3; round += 1) {
      const recording = await record(['commands', '200']);
      expect(usesOf('fcntl', recording)).toHaveLength(200);
      expect(recording.partialReasons).toEqual([]);
    }
  });
});
