/** Traces of payloads in containers: whole, ordered, without a call of porin-init, cut where they must be. */
import { createHash } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { probeStrace } from '../../libs/execution/src/monitoring/probe-strace.js';
import { Strace } from '../../libs/execution/src/monitoring/strace.js';
import { TraceArtifact } from '../../libs/execution/src/monitoring/trace-artifact.js';
import { ExecutorRuns, PAYLOAD, type TestRun } from '../support/executor-runs.js';

let runs: ExecutorRuns;
beforeAll(async () => {
  runs = await ExecutorRuns.create();
});
afterAll(() => runs.close());
afterEach(async () => expect(await runs.leftContainers()).toEqual([]));

const level = { enforcement: 'none', monitoring: 'trace' } as const;

function linesOf({ trace }: TestRun): string[] {
  return gunzipSync(trace).toString().trimEnd().split('\n');
}

describe('a run at monitoring "trace"', () => {
  it('has every call in order with arguments, result and time, from the execve of the payload on', async () => {
    const run = await runs.run(runs.request(['/bin/sh', '-c', 'cat /etc/missing; exec true'], { level }));
    expect(run.report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    const lines = linesOf(run);
    expect(lines[0]).toMatch(/^0\.000000 \d+ execve\("\/bin\/sh", \["\/bin\/sh", "-c", /);
    expect(lines.every((line) => /^\d+\.\d{6} \d+ /.test(line))).toBe(true);
    const times = lines.map((line) => Number(line.split(' ', 1)[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(lines.join('\n')).toMatch(
      /open(at)?\(.*"\/etc\/missing", O_RDONLY.*\) = -1 ENOENT \(No such file or directory\) <0\.\d{6}>/,
    );
    expect(lines.at(-1)).toMatch(/\+\+\+ exited with 0 \+\+\+$/);
  });

  it('has no call of porin-init, and none of its child before the payload is executed', async () => {
    const run = await runs.run(runs.request([PAYLOAD, 'repeat-getppid', '100'], { level }));
    const text = linesOf(run).join('\n');
    expect(text.match(/ getppid\(/g)).toHaveLength(100);
    expect(text).not.toMatch(/ (setsid|epoll_wait|seccomp|landlock_\w+)\(/);
    expect(new Set(linesOf(run).map((line) => line.split(' ')[1])).size).toBe(1);
  });

  it('reports the size, digest and lines of what it handed on', async () => {
    const { trace, report } = await runs.run(runs.request(['true'], { level }));
    expect(report.trace).toEqual({
      bytes: trace.length,
      sha256: createHash('sha256').update(trace).digest('hex'),
      lines: gunzipSync(trace).toString().trimEnd().split('\n').length,
      truncated: false,
    });
    expect(report.recording).toBeUndefined();
  });

  it('is cut at its maximum, says so, and no longer slows the payload', async () => {
    const limits = { traceBytes: 64 * 1024 };
    const run = await runs.run(runs.request([PAYLOAD, 'repeat-getppid', '300000'], { level, limits }));
    expect(run.report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(run.report.trace).toMatchObject({ truncated: true, bytes: run.trace.length });
    expect(run.trace.length).toBeLessThanOrEqual(limits.traceBytes);
    const lines = linesOf(run);
    expect(lines.at(-1)).toBe('+++ the trace was cut at 65536 bytes; the payload went on +++');
    const traced = lines.filter((line) => line.includes(' getppid(')).length;
    expect(traced).toBeGreaterThan(1000);
    expect(traced).toBeLessThan(300_000);
  });

  it('shows a call that is denied with what it was answered', async () => {
    const enforced = { enforcement: 'enforce', monitoring: 'trace' } as const;
    const learned = await runs.run(runs.request(['/bin/sh', '-c', 'echo >&2'], { level }));
    const allowed = [...new Set(linesOf(learned).flatMap((line) => / ([a-z_0-9]+)\(/.exec(line)?.[1] ?? []))];
    const request = runs.request(['/bin/sh', '-c', 'kill -0 $$'], { level: enforced, allowed });
    const run = await runs.run(request);
    expect(run.report.denials).toMatchObject([{ call: 'kill', errno: 'ENOSYS' }]);
    expect(linesOf(run).join('\n')).toMatch(/ (kill\(\d+, 0\)|<... kill resumed>\)) += -1 ENOSYS/);
  });

  it('fails by name where strace cannot attach: nothing is run', async () => {
    const path = process.env.PATH;
    let started = false;
    try {
      process.env.PATH = '/nowhere';
      const run = runs.run(runs.request(['true'], { level }), { onStarted: () => (started = true) });
      await expect(run).rejects.toMatchObject({ name: 'ExecutionError', code: 'recorder-lost' });
    } finally {
      process.env.PATH = path;
    }
    expect(started).toBe(false);
  });

  it('fails when the trace cannot be written', async () => {
    const run = runs.run(runs.request(['true'], { level }), {
      onTrace: () => Promise.reject(new Error('the database is gone')),
    });
    await expect(run).rejects.toThrow('the database is gone');
  });
});

describe('a run at monitoring "trace-notify"', () => {
  const notified = { enforcement: 'none', monitoring: 'trace-notify' } as const;

  it('has every call in order in words, with paths and without results, but those that are never held', async () => {
    const run = await runs.run(runs.request(['/bin/sh', '-c', 'cat /etc/missing; exec true'], { level: notified }));
    expect(run.report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    const lines = linesOf(run);
    expect(lines.every((line) => /^\d+\.\d{6} \d+ [a-z_0-9]+\(.*\)$/.test(line))).toBe(true);
    const times = lines.map((line) => Number(line.split(' ', 1)[0]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(lines.join('\n')).toMatch(/ open(at)?\(.*"\/etc\/missing", O_RDONLY/);
    expect(lines.join('\n')).not.toMatch(/ (exit|exit_group|rt_sigreturn|close)\(/);
    expect(run.report.trace).toMatchObject({ bytes: run.trace.length, lines: lines.length, truncated: false });
    expect(run.report.denials).toEqual([]);
  });

  it('counts each call once', async () => {
    const run = await runs.run(runs.request([PAYLOAD, 'repeat-getppid', '1000'], { level: notified }));
    expect(linesOf(run).filter((line) => line.endsWith(' getppid()'))).toHaveLength(1000);
  });

  it('is cut at its maximum, says so, and lets the payload go on', async () => {
    const limits = { traceBytes: 64 * 1024 };
    const request = runs.request([PAYLOAD, 'repeat-getppid', '100000'], { level: notified, limits });
    const run = await runs.run(request);
    expect(run.report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(run.report.trace).toMatchObject({ truncated: true, bytes: run.trace.length });
    expect(run.trace.length).toBeLessThanOrEqual(limits.traceBytes);
    expect(linesOf(run).at(-1)).toMatch(/^\+\+\+ .*; the payload went on \+\+\+$/);
    expect(linesOf(run).length).toBeGreaterThan(1000);
  });

  it('goes with enforcement: what is denied is refused, reported and in the trace', async () => {
    const learned = await runs.run(runs.request(['/bin/sh', '-c', 'echo >&2'], { level: notified }));
    const allowed = [...new Set(linesOf(learned).flatMap((line) => / ([a-z_0-9]+)\(/.exec(line)?.[1] ?? []))];
    const level = { enforcement: 'enforce', monitoring: 'trace-notify' } as const;
    const request = runs.request(['/bin/sh', '-c', 'kill -0 $$'], { level, allowed: [...allowed, 'close'] });
    const run = await runs.run(request);
    expect(run.report.denials).toMatchObject([{ call: 'kill', errno: 'ENOSYS', count: 1 }]);
    expect(linesOf(run).join('\n')).toMatch(/ kill\(pid \d+, signal 0\)$/m);
  });
});

describe('strace', () => {
  it('that is killed leaves a trace that says so', async () => {
    const parts: Buffer[] = [];
    const artifact = new TraceArtifact(1_000_000, (part) => Promise.resolve(void parts.push(part)));
    const child = spawn('cat', [], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(child, 'spawn');
    const strace = await Strace.attach({ pid: child.pid ?? 0, artifact });
    const pids = execFileSync('pgrep', ['-x', 'strace', '-P', String(process.pid)], { encoding: 'utf8' });
    process.kill(Number(pids.trim()), 'SIGKILL');
    const summary = await strace.finish(60_000);
    child.stdin.end();
    expect(summary).toMatchObject({ truncated: true, lines: 0 });
    expect(gunzipSync(Buffer.concat(parts)).toString()).toBe(
      '+++ strace was ended by SIGKILL; the payload went on +++\n',
    );
  });

  it('is probed by tracing a process', async () => {
    expect(await probeStrace()).toEqual({ straceVersion: expect.stringMatching(/^\d+\.\d+/) });
    expect(await probeStrace('/nowhere/strace')).toEqual({ straceProblem: expect.stringContaining('ENOENT') });
  });

  it('is not offered where it may not trace', () => {
    const script = `import('${import.meta.dirname}/../../.porin/dist/libs/execution/src/monitoring/probe-strace.js')
      .then(({ probeStrace }) => probeStrace()).then((probe) => console.log(JSON.stringify(probe)))`;
    const output = execFileSync(
      'setpriv',
      ['--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace', process.execPath, '-e', script],
      {
        encoding: 'utf8',
      },
    );
    expect(JSON.parse(output)).toEqual({
      straceProblem: 'the worker has no CAP_SYS_PTRACE',
    });
  });
});
