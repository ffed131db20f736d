/** Programs that were built for another ABI than the machine's 64-bit one: what is told of them, even where a script hides it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recorder } from '#lib/execution';
import { type Level } from '#lib/profiles';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ExecutorRuns, PAYLOAD, type RequestChanges } from '../support/executor-runs.js';
import { foreignProgram, MACHINES } from '../support/foreign-program.js';

const RECORDER = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const RECORDED: Level = { enforcement: 'none', monitoring: 'syscalls' };
const X86 = process.arch === 'x64';

let runs: ExecutorRuns;
let recorder: Recorder;

beforeAll(async () => {
  runs = await ExecutorRuns.create();
  recorder = await Recorder.start({ binaryPath: RECORDER });
  for (const [abi, machine] of Object.entries(MACHINES)) {
    writeFileSync(join(runs.directory, abi), foreignProgram(machine), { mode: 0o755 });
  }
});
afterAll(async () => {
  await recorder.close();
  await runs.close();
});

/** With `/opt/<abi>` in the container for each of them. */
async function run(command: readonly string[], changes: RequestChanges = {}) {
  const mounts = Object.keys(MACHINES).map((abi) => ({
    ...{ source: join(runs.directory, abi), target: `/opt/${abi}`, readOnly: true },
  }));
  return (await runs.run(runs.request(command, { level: RECORDED, mounts, ...changes }), { recorder })).report;
}

describe.runIf(X86)('a program for i386', () => {
  it('dies of its refused calls, is told of by its path, and its recording is partial', async () => {
    const report = await run(['/opt/i386']);
    expect(report.outcome).toMatchObject({ kind: 'signaled', signal: 11 });
    expect(report.foreignProgram).toEqual({ abi: 'i386', path: '/opt/i386' });
    expect(report.recording?.partialReasons).toEqual(['compat-calls', 'payload-stopped']);
    expect(report.denials).toMatchObject([
      { architecture: 'i386', number: 20 },
      { architecture: 'i386', number: 1 },
    ]);
  });

  it('is told of where a script hides it and ends with exit code 0', async () => {
    const report = await run(['/bin/sh', '-c', 'cp /opt/i386 /tmp/copy; /opt/i386; /opt/i386; true']);
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(report.foreignProgram).toEqual({ abi: 'i386', path: '/opt/i386' });
    expect(report.recording?.partialReasons).toEqual(['compat-calls']);
    expect(report.recording?.certificate.compatCalls).toBe(4);
    // By the native table their numbers would be writev and write.
    expect(report.recording?.refused ?? {}).not.toHaveProperty('writev');
  });

  it('ends at its first call where dangerous calls end a payload, and is told of', async () => {
    const report = await run(['/bin/sh', '-c', '/opt/i386; sleep 600'], { denialStops: { dangerous: true } });
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'dangerous-call' });
    expect(report.foreignProgram).toEqual({ abi: 'i386', path: '/opt/i386' });
    expect(report.stoppedBy).toMatchObject({ architecture: 'i386', number: 20 });
  });

  it('is told of under every enforcement and with a trace', async () => {
    const command = ['/bin/sh', '-c', '/opt/i386; true'];
    const level = { enforcement: 'enforce', monitoring: 'syscalls' } as const;
    const learned = Object.keys((await run(['/bin/sh', '-c', '/bin/false; true'])).recording?.calls ?? {});
    const enforced = await run(command, { level, allowed: [...learned, 'execve'] });
    expect(enforced.foreignProgram).toEqual({ abi: 'i386', path: '/opt/i386' });
    expect(enforced.recording?.partialReasons).toEqual(['compat-calls']);
    for (const monitoring of ['trace', 'trace-notify'] as const) {
      const traced = await run(command, { level: { enforcement: 'none', monitoring } });
      expect(traced.foreignProgram).toEqual({ abi: 'i386', path: '/opt/i386' });
    }
  });
});

describe.runIf(X86)('a 64-bit program that makes calls by 32-bit numbers', () => {
  it.each([
    ['i386-getppid', { compatCalls: 1, x32Calls: 0 }, ['compat-calls']],
    ['x32-getppid', { compatCalls: 0, x32Calls: 1 }, ['x32-calls']],
    ['unknown-minus-one', { compatCalls: 0, x32Calls: 0 }, []],
  ])('is no such program, and its recording is partial: %s', async (attempt, counts, reasons) => {
    const report = await run([PAYLOAD, 'try', attempt]);
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(report).not.toHaveProperty('foreignProgram');
    expect(report.recording?.certificate).toMatchObject(counts);
    expect(report.recording?.partialReasons).toEqual(reasons);
  });
});

describe('a program that this kernel does not execute at all', () => {
  // Neither kernel runs the other machine's programs.
  const abi = X86 ? 'arm' : 'i386';

  it('is told of with the failure to execute it', async () => {
    const report = await run([`/opt/${abi}`]);
    expect(report.outcome).toEqual({ kind: 'exec-failed', stage: 'exec', errno: 'ENOEXEC' });
    expect(report.foreignProgram).toEqual({ abi, path: `/opt/${abi}` });
  });

  it('is told of where the image lacks its dynamic linker, though the kernel says that there is no such file', async () => {
    const source = join(runs.directory, 'linked');
    writeFileSync(source, foreignProgram(X86 ? MACHINES.i386 : MACHINES.arm, '/lib/ld-linux.so.9'), { mode: 0o755 });
    const report = await run(['/opt/linked'], { mounts: [{ source, target: '/opt/linked', readOnly: true }] });
    expect(report.outcome).toEqual({
      kind: 'exec-failed',
      stage: 'exec',
      errno: expect.stringMatching(/^ENO(ENT|EXEC)$/),
    });
    expect(report.foreignProgram).toEqual({ abi: X86 ? 'i386' : 'arm', path: '/opt/linked' });
  });

  it('is found in PATH as any other', async () => {
    const report = await run([abi], { environment: { PATH: '/bin:/opt' } });
    expect(report.foreignProgram).toEqual({ abi, path: `/opt/${abi}` });
  });
});
