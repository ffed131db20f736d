/** The recorder on the real kernel and the real engine: exact counts, and every hole made visible. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Recorder } from '../../libs/execution/src/monitoring/recorder.js';
import { RecorderContainers } from '../support/recorder-containers.js';

const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const ended = { payloadEndedOnItsOwn: true };
const STARTUP_CALLS = [
  'setns',
  'unshare',
  'mount',
  'umount2',
  'pivot_root',
  'capset',
  'sethostname',
  'execve',
  'seccomp',
];

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

/** Records the program `command` from its gate to the container's end. */
async function record(command: readonly string[], securityOptions: readonly string[] = []) {
  const gated = await containers.start(command, securityOptions);
  await recorder.arm('run', gated.pid, 'syscalls');
  expect(await gated.openGateAndWait()).toBe(0);
  return recorder.finish('run', ended);
}

describe('a recording of a container', () => {
  it('counts every call of children and threads exactly', async () => {
    const recording = await record(['count', '3', '4', '1000']);
    expect(recording.partialReasons).toEqual([]);
    expect(recording.calls).toMatchObject({ getppid: 3 * 4 * 1000, wait4: 3, exit_group: 4, exit: 12 });
  });

  it('holds the same calls every time', async () => {
    const first = await record(['nothing']);
    const second = await record(['nothing']);
    expect(first.calls).toEqual(second.calls);
    expect(first.calls).toMatchObject({ exit_group: 1 });
  });

  it('holds nothing of the start of the container, the gate or the first exec', async () => {
    const recording = await record(['nothing']);
    for (const call of STARTUP_CALLS) expect(recording.calls).not.toHaveProperty(call);
    expect(recording.certificate).toMatchObject({ started: true, armedBeforeStart: true, cleanDrain: true, execs: 1 });
    expect(recording.certificate.supervisorCalls).toBeGreaterThan(0);
  });

  it('does not mix with another recording at the same time', async () => {
    const [one, two] = await Promise.all([
      containers.start(['count', '1', '1', '100']),
      containers.start(['count', '2', '2', '1000']),
    ]);
    await recorder.arm('one', one.pid, 'syscalls');
    await recorder.arm('two', two.pid, 'syscalls');
    await Promise.all([one.openGateAndWait(), two.openGateAndWait()]);
    const first = await recorder.finish('one', ended);
    const second = await recorder.finish('two', ended);
    expect(first.calls.getppid).toBe(100);
    expect(second.calls.getppid).toBe(4000);
    expect([first.partialReasons, second.partialReasons]).toEqual([[], []]);
  });

  it('is not told apart by another container that starts meanwhile', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    const other = await containers.start(['count', '1', '1', '100']);
    await other.openGateAndWait();
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.calls).not.toHaveProperty('getppid');
    expect(recording.partialReasons).toEqual([]);
  });

  it('follows the payload into a sub-cgroup', async () => {
    const held = await containers.start(['hold', '100']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    const deeper = join(await held.cgroupDirectory(), 'deep', 'deeper');
    await mkdir(deeper, { recursive: true });
    await writeFile(join(deeper, 'cgroup.procs'), String(await held.payloadPid()));
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    await rmdir(deeper).catch(() => undefined);
    expect(recording.calls.getppid).toBe(100);
    expect(recording.partialReasons).toEqual([]);
  });
});

describe('a partial recording', () => {
  it.runIf(process.arch === 'x64')('says compat-calls after int 0x80', async () => {
    const recording = await record(['compat']);
    expect(recording.partialReasons).toEqual(['compat-calls']);
    expect(recording.certificate.compatCalls).toBe(1);
  });

  it.runIf(process.arch === 'x64')('says x32-calls after a number with the x32 bit', async () => {
    const recording = await record(['number', '0x40000027'], ['seccomp=unconfined']);
    expect(recording.partialReasons).toEqual(['x32-calls']);
    expect(recording.calls).not.toHaveProperty('getpid');
  });

  it.each(['1000', '500', '-1'])('says unknown-calls after the number %s', async (number) => {
    const recording = await record(['number', number], ['seccomp=unconfined']);
    expect(recording.partialReasons).toEqual(['unknown-calls']);
    expect(recording.certificate.unknownCalls).toBe(1);
  });

  it('says io-uring after io_uring_setup', async () => {
    const recording = await record(['number', '425'], ['seccomp=unconfined']);
    expect(recording.partialReasons).toEqual(['io-uring']);
    expect(recording.calls.io_uring_setup).toBe(1);
  });

  it('says foreign-processes after docker exec', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    await held.execute(['nothing']);
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.certificate.foreignProcesses).toBeGreaterThanOrEqual(1);
  });

  it('says foreign-processes after a process was started into the cgroup from outside', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await containers.runOnHost(['into-cgroup', await held.cgroupDirectory()]);
    await held.openGate();
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.certificate.foreignProcesses).toBe(1);
  });

  it('says foreign-processes after the payload was moved out of its cgroup', async () => {
    const held = await containers.start(['hold', '100']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    const above = dirname(await held.cgroupDirectory());
    await writeFile(join(above, 'cgroup.procs'), String(await held.payloadPid()));
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['foreign-processes']);
    expect(recording.calls).not.toHaveProperty('getppid');
  });

  it('says not-armed-before-start when the payload already ran', async () => {
    const held = await containers.start(['hold']);
    await held.openGate();
    await expect
      .poll(async () => ((await held.container.top()) as { Processes: unknown[] }).Processes.length, {
        timeout: 60_000,
      })
      .toBe(2);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(expect.arrayContaining(['not-armed-before-start', 'never-started']));
  });

  it('says drain-failed when the container still runs, and payload-stopped when we ended it', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    await expect
      .poll(async () => ((await held.container.top()) as { Processes: unknown[] }).Processes.length, {
        timeout: 60_000,
      })
      .toBe(2);
    const recording = await recorder.finish('run', { payloadEndedOnItsOwn: false });
    expect(recording.partialReasons).toEqual(expect.arrayContaining(['drain-failed', 'payload-stopped']));
  });

  it('says recorder-lost when the recorder is killed meanwhile', async () => {
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await held.openGate();
    process.kill(recorder.pid, 'SIGKILL');
    expect(await recorder.lost).toMatchObject({ code: 'lost' });
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    const recording = await recorder.finish('run', ended);
    expect(recording.partialReasons).toEqual(['recorder-lost']);
    expect(recording.calls).toEqual({});
    await expect(recorder.arm('next', process.pid, 'syscalls')).rejects.toMatchObject({ code: 'lost' });
    await expect(recorder.finish('never-armed', ended)).rejects.toMatchObject({ code: 'lost' });
  });
});

describe('the recorder', () => {
  it('refuses the root cgroup, a dead process and ids that are or are not on', async () => {
    const rootPid = await pidInRootCgroup();
    await expect(recorder.arm('run', rootPid, 'syscalls')).rejects.toMatchObject({ code: 'root-cgroup' });
    await expect(recorder.arm('run', 2 ** 30, 'syscalls')).rejects.toMatchObject({ code: 'no-process' });
    await expect(recorder.finish('run', ended)).rejects.toMatchObject({ code: 'unknown-id' });
    const held = await containers.start(['hold']);
    await recorder.arm('run', held.pid, 'syscalls');
    await expect(recorder.arm('run', held.pid, 'syscalls')).rejects.toMatchObject({ code: 'duplicate-id' });
    await expect(recorder.arm('again', held.pid, 'syscalls')).rejects.toMatchObject({ code: 'already-recorded' });
    await recorder.disarm('run');
    await recorder.arm('again', held.pid, 'syscalls');
  });

  it('gives the places and slots of ended recordings to later ones while another is on', async () => {
    const [held, counted] = await Promise.all([containers.start(['hold']), containers.start(['count', '1', '1', '7'])]);
    await recorder.arm('held', held.pid, 'syscalls');
    for (let round = 0; round < 300; round += 1) {
      await recorder.arm(`run-${round}`, counted.pid, 'syscalls');
      await recorder.disarm(`run-${round}`);
    }
    await recorder.arm('last', counted.pid, 'syscalls');
    await counted.openGateAndWait();
    expect((await recorder.finish('last', ended)).calls.getppid).toBe(7);
    await held.openGate();
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    expect((await recorder.finish('held', ended)).partialReasons).toEqual([]);
  });

  it('says which file is missing when it cannot be executed', async () => {
    await expect(Recorder.start({ binaryPath: '/nonexistent/porin-recorder' })).rejects.toMatchObject({
      code: 'not-started',
    });
  });

  it('is lost when it does not answer', async () => {
    await expect(Recorder.start({ binaryPath: '/bin/cat', answerTimeoutMs: 100 })).rejects.toMatchObject({
      code: 'lost',
    });
  });

  it('answers each garbage line with one error and works on', async () => {
    const child = spawn(binaryPath, [], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async () => (await lines.next()).value as string;
    expect(await next()).toMatch(/^ready 2\.\d+ syscalls arguments files$/);
    const garbage: [string | Buffer, RegExp][] = [
      ['', /^error bad-line /],
      ['  ', /^error bad-line /],
      ['hello', /^error unknown-command /],
      [Buffer.from([0, 255, 128, 1]), /^error unknown-command /],
      ['x'.repeat(100_000), /^error bad-line /],
      ['arm run', /^error bad-line /],
      ['arm run 1', /^error bad-line /],
      ['arm run -1 syscalls', /^error bad-argument /],
      ['arm run 1 everything', /^error bad-argument /],
      ['arm ../run 1 files', /^error bad-argument /],
      ['arm run 1; reboot', /^error bad-argument /],
      ['finish run', /^error unknown-id /],
    ];
    for (const [line, answer] of garbage) {
      child.stdin.write(line);
      child.stdin.write('\n');
      expect(await next()).toMatch(answer);
    }
    const exit = once(child, 'exit');
    child.stdin.end('an unfinished line');
    expect(await exit).toEqual([0, null]);
  });
});

async function pidInRootCgroup(): Promise<number> {
  for (const pid of [process.pid, 1, 2]) {
    const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (text.split('\n').includes('0::/')) return pid;
  }
  throw new Error('neither this process, nor 1, nor 2 is in the root cgroup');
}
