/** Every hole that can be forced, at every kind: the recording is partial for exactly that reason. */
import { mkdir, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Recorder, RECORDING_KINDS, type RecordingKind } from '#lib/execution';
import { ExecutorRuns, PAYLOAD } from '../support/executor-runs.js';
import { type GatedContainer, RecorderContainers } from '../support/recorder-containers.js';

const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const ended = { payloadEndedOnItsOwn: true };
const X86 = process.arch === 'x64';
const unconfined = ['seccomp=unconfined'];
/** More than the recorder's table of cgroups has places (DIRECTORY_PLACES, native/recorder/layout.h). */
const TOO_MANY_CGROUPS = 2100;

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

async function restart(limits: Readonly<Record<string, number>>): Promise<void> {
  await recorder.close();
  recorder = await Recorder.start({ binaryPath, limits });
}

async function record(kind: RecordingKind, command: readonly string[], securityOptions: readonly string[] = []) {
  const gated = await containers.start(command, securityOptions);
  await recorder.arm('run', gated.pid, kind);
  expect(await gated.openGateAndWait()).toBe(0);
  return recorder.finish('run', ended);
}

/** Records a payload that goes on until `meanwhile` has been done to it. */
async function recordDuring(
  kind: RecordingKind,
  meanwhile: (held: GatedContainer) => Promise<void>,
  command: readonly string[] = ['hold'],
) {
  const held = await containers.start(command);
  await recorder.arm('run', held.pid, kind);
  await held.openGate();
  await held.payloadPid();
  await meanwhile(held);
  await held.endHold();
  expect(await held.exitCode()).toBe(0);
  return recorder.finish('run', ended);
}

describe.each(RECORDING_KINDS)('a recording of kind %s', (kind) => {
  it('is complete where there is no hole', async () => {
    expect((await record(kind, ['count', '2', '2', '10'])).partialReasons).toEqual([]);
  });

  it.runIf(X86)('says compat-calls after int 0x80', async () => {
    // close(-1), by the number that natively is lstat's.
    const recording = await record(kind, ['compat', '6']);
    expect(recording.partialReasons).toEqual(['compat-calls']);
    expect(recording.certificate.compatCalls).toBe(1);
    expect(recording.calls).not.toHaveProperty('lstat');
    expect(recording.arguments?.map(({ call }) => call) ?? []).not.toContain('lstat');
  });

  it.runIf(X86)('says x32-calls after a number with the x32 bit', async () => {
    const recording = await record(kind, ['number', '0x40000027'], unconfined);
    expect(recording.partialReasons).toEqual(['x32-calls']);
    expect(recording.certificate.x32Calls).toBe(1);
    expect(recording.calls).not.toHaveProperty('getpid');
  });

  it.each(['1000', '500', '-1'])('says unknown-calls after the number %s', async (number) => {
    const recording = await record(kind, ['number', number], unconfined);
    expect(recording.partialReasons).toEqual(['unknown-calls']);
    expect(recording.certificate.unknownCalls).toBe(1);
  });

  it('says io-uring after io_uring_setup', async () => {
    const recording = await record(kind, ['number', '425'], unconfined);
    expect(recording.partialReasons).toEqual(['io-uring']);
    expect(recording.calls.io_uring_setup).toBe(1);
  });

  it('says foreign-processes after docker exec', async () => {
    const recording = await recordDuring(kind, (held) => held.execute(['nothing']));
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.certificate.foreignProcesses).toBeGreaterThanOrEqual(1);
  });

  it('says foreign-processes after a process was started into the cgroup from outside', async () => {
    const recording = await recordDuring(kind, async (held) =>
      containers.runOnHost(['into-cgroup', await held.cgroupDirectory()]),
    );
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.certificate.foreignProcesses).toBe(1);
  });

  it('says foreign-processes after the payload was moved out of its cgroup', async () => {
    const moveOut = async (held: GatedContainer) => {
      const above = dirname(await held.cgroupDirectory());
      await writeFile(join(above, 'cgroup.procs'), String(await held.payloadPid()));
    };
    const recording = await recordDuring(kind, moveOut, ['hold', '100']);
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.calls).not.toHaveProperty('getppid');
  });

  it('says not-armed-before-start when another process was there before', async () => {
    const held = await containers.start(['hold']);
    const other = held.execute(['hold']);
    await held.payloadPid();
    await recorder.arm('run', held.pid, kind);
    await held.openGate();
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    await other;
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['not-armed-before-start']);
  });

  it('says never-started as well when the payload already ran', async () => {
    const held = await containers.start(['hold']);
    await held.openGate();
    await held.payloadPid();
    await recorder.arm('run', held.pid, kind);
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['not-armed-before-start', 'never-started']);
  });

  it('says never-started when the gate did not open', async () => {
    const gated = await containers.start(['nothing']);
    await recorder.arm('run', gated.pid, kind);
    await gated.container.kill();
    await gated.exitCode();
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['never-started']);
    expect(recording.calls).toEqual({});
  });

  it('says drain-failed when the container still runs', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, kind);
    await held.openGate();
    await held.payloadPid();
    expect((await recorder.finish('run', ended)).partialReasons).toEqual(['drain-failed']);
  });

  it('says map-failure when the cgroups below find no room', async () => {
    const makeMany = async (held: GatedContainer) => {
      const directory = await held.cgroupDirectory();
      const names = Array.from({ length: TOO_MANY_CGROUPS }, (_, index) => join(directory, `below-${index}`));
      for (const name of names) await mkdir(name);
      for (const name of names) await rmdir(name);
    };
    const recording = await recordDuring(kind, makeMany);
    expect(recording.partialReasons).toEqual(['map-failure']);
    expect(recording.certificate.mapFailures).toBeGreaterThan(0);
  });

  it('says recorder-lost when the recorder is killed meanwhile', async () => {
    const recording = await recordDuring(kind, async () => {
      process.kill(recorder.pid, 'SIGKILL');
      expect(await recorder.lost).toMatchObject({ code: 'lost' });
    });
    expect(recording.partialReasons).toEqual(['recorder-lost']);
    expect(recording.calls).toEqual({});
    await expect(recorder.arm('next', process.pid, kind)).rejects.toMatchObject({ code: 'lost' });
    await expect(recorder.finish('never-armed', ended)).rejects.toMatchObject({ code: 'lost' });
  });
});

describe.each(['arguments', 'files'] as const)('the uses in a recording of kind %s', (kind) => {
  it('make it say map-failure when the map of all recordings is full', async () => {
    await restart({ entries: 16 });
    const recording = await record(kind, ['commands', '100']);
    expect(recording.partialReasons).toEqual(['map-failure']);
    // Each of the hundred is a use as a call, and one as a failure.
    expect(recording.certificate.mapFailures).toBeGreaterThanOrEqual(2 * 100 - 16);
    expect(recording.calls.fcntl).toBe(100);
  });

  it('make it say overflow when it has more than one recording may, and no other recording', async () => {
    await restart({ uses: 64 });
    const [greedy, modest] = await Promise.all([
      containers.start(['commands', '100']),
      containers.start(['flags', '2', '100']),
    ]);
    await recorder.arm('greedy', greedy.pid, kind);
    await recorder.arm('modest', modest.pid, kind);
    expect(await Promise.all([greedy.openGateAndWait(), modest.openGateAndWait()])).toEqual([0, 0]);
    const recording = await recorder.finish('greedy', ended);
    expect(recording.partialReasons).toEqual(['overflow']);
    expect(recording.certificate.overflows).toBeGreaterThanOrEqual(2 * 100 - 64);
    expect(recording.calls.fcntl).toBe(100);
    expect((await recorder.finish('modest', ended)).partialReasons).toEqual([]);
  });
});

describe('a payload that did not end on its own', () => {
  let runs: ExecutorRuns;
  beforeAll(async () => {
    runs = await ExecutorRuns.create();
  });
  afterAll(() => runs.close());

  it.each([
    ['a signal that it got', ['signal', '15'], {}],
    ['SIGKILL', ['signal', '9'], {}],
    ['its wall time', ['sleep', '600'], { wallTimeMs: 300 }],
  ])('has a recording that says payload-stopped: %s', async (_name, command, limits) => {
    const level = { enforcement: 'none', monitoring: 'syscalls' } as const;
    const { report } = await runs.run(runs.request([PAYLOAD, ...command], { level, limits }), { recorder });
    expect(report.recording?.partialReasons).toEqual(['payload-stopped']);
  });
});
