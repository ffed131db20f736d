import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { Grid } from '../support/grid.js';

interface NodeView {
  readonly name: string;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly problems: readonly { readonly check: string; readonly severe: boolean; readonly problem: string }[];
}

let grid: Grid;
beforeAll(async () => {
  grid = await Grid.start();
});
afterAll(() => grid.stop());

const node = async (name: string) => {
  const { nodes } = (await grid.http('get', '/api/v1/nodes').expect(200)).body as { nodes: NodeView[] };
  return nodes.find((one) => one.name === name);
};

describe('a node that checks itself when it starts', () => {
  it('works, and says in the list of nodes what is wrong and what to do', async () => {
    await grid.startWorker('flawed', {
      PORIN_DISK_BYTES: String(2 ** 52),
    });
    const view = await node('flawed');
    const checks = view?.problems.map(({ check }) => check);
    expect(checks).toContain('disk');
    for (const check of ['user-ids', 'cores', 'memory']) expect(checks).not.toContain(check);
    expect(view?.problems.filter(({ severe }) => severe)).toEqual([]);
    expect(view?.facts).not.toHaveProperty('problems');
  });

  it.each([
    ['PORIN_CPU_MILLI', '9000000', /\(cores\): PORIN_CPU_MILLI is 9000000.*Set PORIN_CPU_MILLI to \d+000 or less/],
    [
      'PORIN_MEMORY_BYTES',
      String(2 ** 49),
      /\(memory\): PORIN_MEMORY_BYTES is .*Set PORIN_MEMORY_BYTES to \d+ or less/,
    ],
  ])('does not start where %s is more than its engine has', async (name, value, words) => {
    await expect(grid.startWorker('greedy', { [name]: value })).rejects.toThrow(words);
    expect(await node('greedy')).not.toMatchObject({ state: 'READY' });
  });

  it('does not start where its uids are taken: the error names the line', async () => {
    const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
    const at = lines.findIndex((line) => line.split(':')[2] === '65534');
    expect(at).toBeGreaterThanOrEqual(0);
    const settings = { PORIN_BASE_UID: '65533', PORIN_SLOTS: '2' };
    await expect(grid.startWorker('overlapping', settings)).rejects.toThrow(
      new RegExp(`This node cannot work \\(user-ids\\): .*65533 to 65534 .*line ${at + 1} of /etc/passwd`),
    );
    expect(await node('overlapping')).not.toMatchObject({ state: 'READY' });
  });

  it('leaves what nodes say in another form out of the list', async () => {
    await grid.startWorker('odd');
    await grid.api.owner.query(`UPDATE node SET facts = facts || '{"problems": {"a": 1}}' WHERE name = 'odd'`);
    expect((await node('odd'))?.problems).toEqual([]);
  });

  it('touches its heartbeat for the health check of its container', async () => {
    const run = join(grid.inputs, '..', 'run');
    mkdirSync(run);
    await grid.startWorker('alive', { PORIN_RUN_DIR: run });
    await eventually(() => {
      expect(Date.now() - statSync(join(run, 'heartbeat')).mtimeMs).toBeLessThan(60_000);
      return Promise.resolve();
    });
  });
});

describe('the disk of a node', () => {
  const MIB = 1024 ** 2;
  const SELF_CHECK_MS = 2_000;
  let disk: string;
  beforeAll(() => {
    disk = join(grid.inputs, '..', 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=0700', 'tmpfs', disk]);
  });
  afterAll(() => void execFileSync('umount', ['--lazy', disk]));

  const problem = async (name: string) => (await node(name))?.problems.find(({ check }) => check === 'disk')?.problem;
  const start = (name: string, more: Record<string, string> = {}) =>
    grid.startWorker(name, { PORIN_WORK_DIR: disk, PORIN_DISK_BYTES: String(32 * MIB), PORIN_SLOTS: '1', ...more });

  it('is not short by what a crashed worker has left, which is cleared away first', async () => {
    const left = join(disk, 'node-crashed', 'slot-0-1');
    mkdirSync(left, { recursive: true });
    writeFileSync(join(left, 'scratch.ext4'), Buffer.alloc(48 * MIB, 1));
    const worker = await start('crashed');
    expect(worker.log).not.toContain('"check":"disk"');
    expect(await problem('crashed')).toBeUndefined();
    await worker.stop();
  });

  it('is looked at again while the worker runs: what jobs have taken is no problem, and one that is gone is gone', async () => {
    writeFileSync(join(disk, 'other'), Buffer.alloc(40 * MIB, 1));
    const worker = await start('watched', { PORIN_SELF_CHECK_MS: String(SELF_CHECK_MS) });
    expect(await problem('watched')).toContain('has 24 MiB for jobs');
    rmSync(join(disk, 'other'));
    const slot = join(disk, 'node-watched', 'slot-9-9');
    mkdirSync(slot);
    writeFileSync(join(slot, 'scratch.ext4'), Buffer.alloc(40 * MIB, 1));
    await eventually(async () => expect(await problem('watched')).toBeUndefined(), 100_000);
    // It is looked at once more, with what the slot has taken.
    await sleep(3 * SELF_CHECK_MS);
    expect(await problem('watched')).toBeUndefined();
    expect(await node('watched')).toMatchObject({ state: 'READY' });
    await worker.stop();
  });
});

describe('a worker whose database is migrated by a newer version', () => {
  it('drains and ends with exit code 3', async () => {
    const worker = await grid.startWorker('outdated');
    await grid.api.owner.query(`INSERT INTO migrations (timestamp, name) VALUES (9, 'FromTheFuture9')`);
    try {
      const [code] = (await once(worker.child, 'exit')) as [number | null];
      expect(code).toBe(3);
      expect(worker.log).toContain('The database is newer than this program (FromTheFuture9): upgrade Porin.');
    } finally {
      await grid.api.owner.query(`DELETE FROM migrations WHERE name = 'FromTheFuture9'`);
    }
  });
});
