/** Nothing is lost and nothing runs twice, whatever dies. */
import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { NATIVE_DIR } from '../../scripts/setup/paths.js';
import { eventually } from '../support/eventually.js';
import { Grid, type TestWorker } from '../support/grid.js';

let grid: Grid;
let workers: TestWorker[] = [];
const SHORT_LEASE = { PORIN_LEASE_MS: '3000', PORIN_SLOTS: '2', PORIN_CPU_MILLI: '2000' };

async function worker(name: string, settings: Record<string, string> = SHORT_LEASE): Promise<TestWorker> {
  const started = await grid.startWorker(name, settings);
  workers.push(started);
  return started;
}

beforeAll(async () => {
  grid = await Grid.start();
});
afterEach(async () => {
  for (const running of workers) await running.stop();
  workers = [];
});
afterAll(() => grid.stop());

interface NodeView {
  readonly name: string;
  readonly offeredMonitorings: readonly string[];
  readonly facts: { readonly recorderProblem?: string };
}

/** Writes one line into its output when it is let go. */
const GATED =
  'echo started; while [ $(cat /in/seconds) -gt $(cut -d. -f1 /proc/uptime) ]; do sleep 0.2; done; echo once > /out/line';
async function submitGated(name: string, seconds: number): Promise<string> {
  const { uptime } = await import('node:os');
  return grid.submit(GATED, {
    inputs: [{ content: String(Math.ceil(uptime() + seconds)), path: '/in/seconds' }],
    outputs: [{ ...grid.output(name), path: '/out/line' }],
  });
}

describe('a worker that is killed in the middle of a job', () => {
  it('is followed by one that completes the job exactly once, and leaves no container', async () => {
    const first = await worker('mortal');
    const id = await submitGated('killed', 8);
    await grid.waitFor(id, 'RUNNING');
    await eventually(async () => expect(await grid.log(id)).toContain('started'));
    await first.end('SIGKILL');
    await worker('mortal');
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    expect(job.outputs).toHaveLength(1);
    expect(grid.published('killed')).toBe('once\n');
    await eventually(async () => expect(await grid.containers()).toBe(0));
  });
});

describe('a worker whose event loop stands still', () => {
  it('does not publish what another has run meanwhile', async () => {
    const asleep = await worker('asleep');
    const id = await submitGated('asleep', 6);
    await grid.waitFor(id, 'RUNNING');
    asleep.child.kill('SIGSTOP');
    await worker('awake');
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    asleep.child.kill('SIGCONT');
    await eventually(() => {
      expect(asleep.log).toContain('the attempt is lost');
      return Promise.resolve();
    });
    const after = await grid.job(id);
    expect(after.outputs).toEqual(job.outputs);
    expect(after.attempts.map(({ state }) => state)).toEqual(['LOST', 'COMPLETE']);
    const { rows } = await grid.api.owner.query('SELECT attempt_number FROM job_output WHERE job_id = $1', [id]);
    expect(rows).toEqual([{ attempt_number: 2 }]);
    await eventually(async () => expect(await grid.containers()).toBe(0));
  });
});

describe('a worker that is told to end', () => {
  it('completes what runs and takes nothing more', async () => {
    const leaving = await worker('leaving');
    const id = await submitGated('leaving', 5);
    await grid.waitFor(id, 'RUNNING');
    await leaving.end('SIGTERM');
    expect((await grid.job(id)).state).toBe('COMPLETE');
    const later = await grid.submit('true');
    await worker('next');
    await grid.waitFor(later, 'COMPLETE');
  });

  it('gives back what takes longer than its grace, without counting it as a failure', async () => {
    const hasty = await worker('hasty', { ...SHORT_LEASE, PORIN_DRAIN_MS: '0' });
    const id = await submitGated('hasty', 8);
    await grid.waitFor(id, 'RUNNING');
    await hasty.end('SIGTERM');
    await worker('patient');
    const job = await grid.waitFor(id, 'COMPLETE');
    expect(job.attempts.map(({ state }) => state)).toEqual(['RELEASED', 'COMPLETE']);
    expect(job.failures).toBe(0);
  });
});

describe('two workers of one name', () => {
  it('are refused: the second would end the containers of the first', async () => {
    await worker('twin');
    await expect(grid.startWorker('twin', { PORIN_DRAIN_MS: '0' })).rejects.toThrow('node-name-taken');
  });

  it('follow one another where the first one drains', async () => {
    const first = await worker('heir');
    const id = await submitGated('heir', 5);
    await grid.waitFor(id, 'RUNNING');
    const second = worker('heir');
    await Promise.all([first.end('SIGTERM'), second]);
    expect((await grid.job(id)).state).toBe('COMPLETE');
    const later = await grid.submit('true');
    await grid.waitFor(later, 'COMPLETE');
  });
});

describe('Redis', () => {
  it('may lose everything while jobs wait, and no job is lost', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => grid.submit('true')));
    const redis = new Redis(grid.redisUrl);
    await redis.flushdb();
    redis.disconnect();
    await worker('after-the-loss');
    for (const id of ids) {
      const job = await grid.waitFor(id, 'COMPLETE');
      expect(job.attempts).toHaveLength(1);
    }
  });

  it('is not believed: forged and repeated messages start nothing', async () => {
    const witness = await worker('sceptic');
    const id = await grid.submit('true');
    await grid.waitFor(id, 'COMPLETE');
    const forged: Record<string, unknown>[] = [
      { jobId: id, attempt: 1 },
      { jobId: id, attempt: 2 },
      { jobId: randomUUID(), attempt: 1 },
      { jobId: id, attempt: 1, image: 'evil' },
      { jobId: "'; DROP TABLE job; --", attempt: 1 },
    ];
    await grid.send('sceptic', ...forged);
    await eventually(() => {
      expect(witness.log.split('forged-message').length - 1).toBeGreaterThanOrEqual(forged.length);
      return Promise.resolve();
    });
    const job = await grid.job(id);
    expect(job).toMatchObject({ state: 'COMPLETE' });
    expect(job.attempts).toHaveLength(1);
    expect(await grid.containers()).toBe(0);
  });

  it('cannot make a job run before its time', async () => {
    await (await worker('on-time')).end('SIGTERM');
    // No node takes jobs, so it is placed nowhere.
    const id = await grid.submit('true');
    await grid.send('on-time', { jobId: id, attempt: 1 });
    const { rows } = await grid.api.owner.query<{ dispatched_fence: number }>(
      'SELECT dispatched_fence FROM job WHERE id = $1',
      [id],
    );
    expect(rows[0]?.dispatched_fence).toBe(0);
    await worker('on-time');
    expect((await grid.waitFor(id, 'COMPLETE')).attempts).toHaveLength(1);
  });
});

describe('a node that cannot record', () => {
  it('says so, leaves the jobs that must be recorded to others, and runs those that need not be', async () => {
    const native = mkdtempSync(join(tmpdir(), 'porin-native-'));
    copyFileSync(join(NATIVE_DIR, 'porin-init'), join(native, 'porin-init'));
    await worker('blind', { ...SHORT_LEASE, PORIN_NATIVE_DIR: native });
    const { body } = (await grid.http('get', '/api/v1/nodes').expect(200)) as { body: { nodes: NodeView[] } };
    const node = body.nodes.find(({ name }) => name === 'blind');
    expect(node?.offeredMonitorings).toEqual(['none', 'trace']);
    expect(node?.facts.recorderProblem).toContain('porin-recorder could not be executed');
    const waiting = await grid.submit('true');
    const unrecorded = { enforcement: 'none', monitoring: 'none' };
    expect(await grid.run('true', unrecorded, 'admin')).toMatchObject({ state: 'COMPLETE' });
    expect(await grid.job(waiting)).toMatchObject({ state: 'QUEUED', attempts: [] });
    await grid.http('post', `/api/v1/jobs/${waiting}/cancel`).expect(200);
    rmSync(native, { recursive: true });
  });

  it('and has no strace traces by its supervisor, and says what that may do to a program', async () => {
    const native = mkdtempSync(join(tmpdir(), 'porin-native-'));
    copyFileSync(join(NATIVE_DIR, 'porin-init'), join(native, 'porin-init'));
    writeFileSync(join(native, 'strace'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
    await worker('blinder', { ...SHORT_LEASE, PORIN_NATIVE_DIR: native, PATH: `${native}:${process.env.PATH}` });
    const { body } = (await grid.http('get', '/api/v1/nodes').expect(200)) as { body: { nodes: NodeView[] } };
    const node = body.nodes.find(({ name }) => name === 'blinder');
    expect(node?.offeredMonitorings).toEqual(['none', 'trace-notify']);
    const job = await grid.run('cat /etc/passwd', { enforcement: 'none', monitoring: 'trace-notify' }, 'admin');
    expect(job).toMatchObject({ state: 'COMPLETE', runs: [{ monitoring: 'trace-notify', recording: null }] });
    expect(job.runs[0]?.selectionReason).toContain('a signal interrupts');
    expect(job.runs[0]?.artifacts.find(({ kind }) => kind === 'trace')?.bytes).toBeGreaterThan(0);
    rmSync(native, { recursive: true });
  });
});

describe('several jobs at once', () => {
  it('share the node, and never more of it than there is', async () => {
    await worker('small', { PORIN_SLOTS: '4', PORIN_CPU_MILLI: '2000', PORIN_MEMORY_BYTES: String(256 * 1024 ** 2) });
    const resources = { cpuMilli: 1000, memoryBytes: 64 * 1024 ** 2, diskBytes: 16 * 1024 ** 2 };
    const ids = await Promise.all(Array.from({ length: 6 }, () => grid.submit('sleep 1', { resources })));
    for (const id of ids) await grid.waitFor(id, 'COMPLETE');
    const { rows } = await grid.api.owner.query<{ most: number }>(
      `SELECT max(together) AS most FROM (
         SELECT (SELECT count(*) FROM executor_run b WHERE b.job_id = ANY($1) AND b.started_at <= a.started_at AND b.ended_at > a.started_at)::int AS together
         FROM executor_run a WHERE a.job_id = ANY($1)) AS counted`,
      [ids],
    );
    expect(rows[0]?.most).toBeLessThanOrEqual(2);
    expect(rows[0]?.most).toBeGreaterThan(0);
  });
});
