/** The recorder on the real kernel and the real engine: exact counts, one recording beside another, its lines. */
import { mkdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Recorder } from '../../libs/execution/src/monitoring/recorder.js';
import { sanitizedRecorder } from '../support/native.js';
import { RecorderContainers } from '../support/recorder-containers.js';
import { RecorderLines } from '../support/recorder-lines.js';

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
async function record(command: readonly string[]) {
  const gated = await containers.start(command);
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

  it('tells the names so far while the payload runs, again and again, and changes nothing by it', async () => {
    const held = await containers.start(['hold', '100']);
    await recorder.arm('run', held.pid, 'syscalls');
    expect(await recorder.counts('run')).toEqual({});
    await held.openGate();
    await held.payloadPid();
    await expect.poll(async () => Object.keys(await recorder.counts('run'))).toContain('clock_nanosleep');
    const early = await recorder.counts('run');
    expect(early).not.toHaveProperty('getppid');
    await held.endHold();
    expect(await held.exitCode()).toBe(0);
    expect(await recorder.counts('run')).toMatchObject({ getppid: 100, exit_group: 1 });
    const { calls, partialReasons } = await recorder.finish('run', ended);
    expect([calls.getppid, calls.exit_group, partialReasons]).toEqual([100, 1, []]);
    await expect(recorder.counts('run')).rejects.toMatchObject({ code: 'unknown-id' });
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

  it('attaches what the recordings that are on need, and nothing else', async () => {
    const { recorder: lines } = await RecorderLines.start(binaryPath);
    const [one, two] = await Promise.all([containers.start(['hold']), containers.start(['hold'])]);
    const always = await attachedAfter(lines, `arm one ${one.pid} syscalls`);
    expect(always).toEqual(expect.arrayContaining(['sys_enter', 'sys_exit']));
    const deeper = [...always, 'sched_process_exit'].sort();
    expect(await attachedAfter(lines, `arm two ${two.pid} arguments`)).toEqual(deeper);
    expect(await attachedAfter(lines, 'disarm one')).toEqual(deeper);
    expect(await attachedAfter(lines, `arm one ${one.pid} syscalls`)).toEqual(deeper);
    expect(await attachedAfter(lines, 'disarm two')).toEqual(always);
    expect(await attachedAfter(lines, 'disarm one')).toEqual([]);
    expect((await lines.close()).status).toBe(0);
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
    const { recorder: lines, first } = await RecorderLines.start(binaryPath);
    expect(first).toMatch(/^ready 3\.\d+ syscalls arguments files$/);
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
    for (const [line, answer] of garbage) expect((await lines.command(line)).answer).toMatch(answer);
    expect(await lines.close('an unfinished line')).toEqual({ status: 0, stderr: '' });
  });

  it.each([['--limits'], ['--limits', 'entries=0'], ['--limits', 'colour=3'], ['entries=16']])(
    'ends when its command line is %j %j',
    async (...args) => {
      const { recorder: lines, first } = await RecorderLines.start(binaryPath, args);
      expect(first).toMatch(/^error bad-argument /);
      expect((await lines.close()).status).toBe(1);
    },
  );

  it('makes whole recordings of every kind without a finding of ASan, UBSan or LeakSanitizer', async () => {
    const { recorder: lines, first } = await RecorderLines.start(sanitizedRecorder());
    expect(first).toMatch(/^ready /);
    for (const kind of ['syscalls', 'arguments', 'files']) {
      const gated = await containers.start(['commands', '3000']);
      expect((await lines.command(`arm ${kind} ${gated.pid} ${kind}`)).answer).toBe(`armed ${kind} others=0`);
      expect(await gated.openGateAndWait()).toBe(0);
      expect((await lines.command(`read ${kind}`)).answer).toMatch(/^counts .* started=1 empty=1 /);
      const { answer, details } = await lines.command(`finish ${kind}`);
      expect(answer).toMatch(/^finished .*[=,]72:3000(,|$)/);
      // Each of the 3000 is a use as a call, and one as a failure: more than one recording may hold.
      const uses = details.filter((line) => line.startsWith('use '));
      expect(uses).toHaveLength(kind === 'syscalls' ? 0 : 4096);
    }
    expect(await lines.close()).toEqual({ status: 0, stderr: '' });
  });
});

/** What is attached after a command. */
async function attachedAfter(lines: RecorderLines, command: string): Promise<readonly string[]> {
  expect((await lines.command(command)).answer).toMatch(/^(armed|disarmed) /);
  return lines.attached();
}

async function pidInRootCgroup(): Promise<number> {
  for (const pid of [process.pid, 1, 2]) {
    const text = await readFile(`/proc/${pid}/cgroup`, 'utf8').catch(() => '');
    if (text.split('\n').includes('0::/')) return pid;
  }
  throw new Error('neither this process, nor 1, nor 2 is in the root cgroup');
}
