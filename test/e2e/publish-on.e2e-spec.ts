/** What a job publishes that fails, and what together is too much. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Grid, type JobView } from '../support/grid.js';

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-a');
});
afterAll(() => grid.stop());

const MIB = 1024 ** 2;
const outputs = (...names: string[]) => names.map((name) => grid.output(name));
const inPlace = (job: JobView) => job.outputs.filter(({ sha256 }) => sha256 !== null).map(({ path }) => path);
const exists = (name: string) => existsSync(join(grid.outputs, name));

describe('a job whose payload fails', () => {
  it('publishes nothing by default', async () => {
    const job = await grid.run('echo x > /out/f1; exit 3', { outputs: outputs('f1', 'f2') });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'exit-code' });
    expect([inPlace(job), exists('f1')]).toEqual([[], false]);
  });

  const LEFT_ONE = [
    ['echo x > /out/NAME; exit 3', 'exit-code'],
    ['echo x > /out/NAME; kill -KILL $$', 'killed-by-signal'],
    ['echo x > /out/NAME; ln -s /etc/passwd /out/NAME-2', 'output-is-link'],
    ['echo x > /out/NAME', 'output-missing'],
  ] as const;
  it.each(LEFT_ONE.flatMap(([script, code]) => [[script, code, 'first'] as const, [script, code, 'last'] as const]))(
    'publishes what is there where it asks for that: %s, %s, where it is the %s',
    async (script, errorCode, place) => {
      const name = `e-${errorCode}-${place}`;
      const both = [name, `${name}-2`];
      const job = await grid.run(script.replaceAll('NAME', name), {
        outputs: outputs(...(place === 'first' ? both : both.reverse())),
        publishOn: 'executor-error',
      });
      expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode, attempts: [{ state: 'FAILED', errorCode }] });
      expect(inPlace(job)).toEqual([`/out/${name}`]);
      expect([grid.published(name), exists(`${name}-2`)]).toEqual(['x\n', false]);
    },
  );

  it('ends by its own error where it left nothing', async () => {
    const job = await grid.run('exit 3', { outputs: outputs('n1'), publishOn: 'executor-error' });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'exit-code' });
    expect(inPlace(job)).toEqual([]);
  });

  it('publishes nothing when it is canceled', async () => {
    const id = await grid.submit('echo x > /out/c1; sleep 60', { outputs: outputs('c1'), publishOn: 'executor-error' });
    await grid.waitFor(id, 'RUNNING');
    await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
    const job = await grid.waitFor(id, 'CANCELED');
    expect([inPlace(job), exists('c1')]).toEqual([[], false]);
  });
});

describe('a sparse file with many names', () => {
  it('counts as often as it has names, and nothing is published', async () => {
    const names = Array.from({ length: 24 }, (_, index) => `h${index}`);
    const script = `cd /out; dd if=/dev/zero of=h0 bs=1 count=0 seek=${60 * MIB}; for i in $(seq 1 23); do ln h0 h$i; done`;
    const job = await grid.run(script, { outputs: outputs(...names), resources: { diskBytes: 64 * MIB } });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-too-large' });
    expect([inPlace(job), names.filter(exists)]).toEqual([[], []]);
  });
});

it('names that are percent-encoded are decoded once', async () => {
  const url = `${grid.output('x').url.slice(0, -1)}s%231%3F100%25%5C.txt`;
  const job = await grid.run('echo x > /out/a', { outputs: [{ url, path: '/out/a' }] });
  expect(job.state).toBe('COMPLETE');
  expect(grid.published('s#1?100%\\.txt')).toBe('x\n');
});
