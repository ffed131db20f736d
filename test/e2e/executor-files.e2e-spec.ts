/** What an executor reads and prints as files, what executors share, and which of their errors end the job. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FINAL, Grid, type JobView } from '../support/grid.js';

let grid: Grid;

beforeAll(async () => {
  grid = await Grid.start();
  await grid.startWorker('node-a', { PORIN_LOG_LIMIT_BYTES: String(LOG_BYTES) });
});
afterAll(() => grid.stop());

const MIB = 1024 ** 2;
const LOG_BYTES = 64 * 1024;
type Executor = Record<string, unknown> & { script: string };

/** One executor after another, `sh -c script` each. */
async function run(executors: readonly Executor[], request: object = {}): Promise<JobView> {
  const body = {
    executors: executors.map(({ script, ...more }) => ({
      ...{ image: grid.image, command: ['/bin/sh', '-c', script] },
      ...more,
    })),
    ...request,
  };
  const response = await grid.http('post', '/api/v1/jobs', 'submitter').send(body);
  if (response.status !== 201) throw new Error(`${response.status} ${response.text}`);
  return grid.waitFor((response.body as { id: string }).id, ...FINAL);
}

const output = (name: string, path = `/out/${name}`) => ({ url: pathToFileURL(join(grid.outputs, name)).href, path });
const logOf = async (id: string, stream: string, executor = 0) =>
  (await grid.http('get', `/api/v1/jobs/${id}/logs?stream=${stream}&executor=${executor}`).expect(200)).text;

describe('what an executor prints', () => {
  it('is in the files that it names, whole, and in the log', async () => {
    const job = await run([{ script: 'echo out; echo err >&2', stdout: '/out/o', stderr: '/out/e' }], {
      outputs: [output('o'), output('e')],
    });
    expect(job.state).toBe('COMPLETE');
    expect([grid.published('o'), grid.published('e')]).toEqual(['out\n', 'err\n']);
    expect([await logOf(job.id, 'stdout'), await logOf(job.id, 'stderr')]).toEqual(['out\n', 'err\n']);
  });

  it('is whole in the file where the log is cut', async () => {
    const job = await run([{ script: `head -c ${5 * MIB} /dev/zero`, stdout: '/out/large' }], {
      outputs: [output('large')],
    });
    expect([job.state, grid.published('large').length]).toEqual(['COMPLETE', 5 * MIB]);
    const stdout = job.runs[0]?.artifacts.find(({ kind }) => kind === 'stdout');
    expect(stdout).toMatchObject({ truncated: true, bytes: LOG_BYTES });
  });

  it('is an empty file where there is nothing', async () => {
    const job = await run([{ script: 'true', stdout: '/out/none' }], { outputs: [output('none')] });
    expect([job.state, grid.published('none')]).toEqual(['COMPLETE', '']);
  });

  it('can go to one file, of both streams, and what a later executor prints takes its place', async () => {
    const both = { stdout: '/tmp/log', stderr: '/tmp/log' };
    const job = await run(
      [
        { script: 'echo gone', ...both },
        { script: 'cp /tmp/log /tmp/before; echo a; sleep 0.2; echo b >&2', ...both },
      ],
      { outputs: [output('log', '/tmp/log'), output('before', '/tmp/before')] },
    );
    expect([job.state, grid.published('before')]).toEqual(['COMPLETE', '']);
    expect(grid.published('log').split('\n').sort()).toEqual(['', 'a', 'b']);
  });

  it('takes the place of a link that an earlier payload left, and follows none', async () => {
    writeFileSync(join(grid.outputs, 'victim'), 'theirs');
    const leaves = `rm -rf /vol/log /vol/dir; ln -s ${grid.outputs}/victim /vol/log; ln -s /etc /vol/dir`;
    const job = await run([{ script: leaves }, { script: 'echo mine', stdout: '/vol/log' }], {
      volumes: ['/vol'],
      outputs: [output('mine', '/vol/log')],
    });
    expect([job.state, grid.published('mine'), grid.published('victim')]).toEqual(['COMPLETE', 'mine\n', 'theirs']);
    const refused = await run([{ script: leaves }, { script: 'echo mine', stdout: '/vol/dir/passwd' }], {
      volumes: ['/vol'],
    });
    expect(refused).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'standard-output' });
    expect(refused.errorMessage).toContain('/vol/dir/passwd');
    const ended = { outcome: 'exec-failed', errorCode: 'standard-output', exitCode: null, endedAt: expect.any(String) };
    expect(refused.runs).toMatchObject([{ outcome: 'exited', errorCode: null }, ended]);
    const { body: task } = await grid.http('get', `/v1/tasks/${refused.id}?view=FULL`, 'submitter').expect(200);
    expect(task).toMatchObject({ logs: [{ logs: [{ exit_code: 0 }, { exit_code: 126 }] }] });
  });

  it('cannot take the place of a directory', async () => {
    const job = await run([{ script: 'mkdir -p /vol/log/a' }, { script: 'true', stdout: '/vol/log' }], {
      volumes: ['/vol'],
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'standard-output' });
  });

  it('is counted against the disk of the job, whatever the payload makes of it', async () => {
    const script = `head -c ${64 * MIB} /dev/zero; exit 0`;
    const job = await run([{ script, stdout: '/out/much' }], {
      outputs: [output('much')],
      resources: { diskBytes: 16 * MIB },
    });
    expect(job).toMatchObject({
      state: 'EXECUTOR_ERROR',
      errorCode: 'disk-limit',
      runs: [{ errorCode: 'disk-limit' }],
    });
    expect(readdirSync(grid.outputs)).not.toContain('much');
  });
});

describe('what an executor reads', () => {
  it('is an input, or what an earlier one left', async () => {
    const job = await run(
      [
        { script: 'tr a-z A-Z', stdin: '/in/text', stdout: '/vol/upper' },
        { script: 'rev', stdin: '/vol/upper', stdout: '/out/reversed' },
      ],
      { inputs: [{ content: 'abc\n', path: '/in/text' }], volumes: ['/vol'], outputs: [output('reversed')] },
    );
    expect([job.state, grid.published('reversed')]).toEqual(['COMPLETE', 'CBA\n']);
  });

  it('is nothing where it names nothing', async () => {
    const job = await run([{ script: 'cat; echo end' }]);
    expect([job.state, await logOf(job.id, 'stdout')]).toEqual(['COMPLETE', 'end\n']);
  });

  it.each([
    ['is not there', 'true', 'there is no such file'],
    ['is a link', 'ln -s /etc/passwd /vol/in', 'through a symbolic link'],
    ['is behind a link', 'ln -s /etc /vol/d', 'through a symbolic link'],
    ['is a directory', 'mkdir /vol/in', 'it is a directory'],
    ['is a pipe', 'mkfifo /vol/in', 'EACCES'],
  ])('is an error of the payload where it %s', async (_name, script, detail) => {
    const stdin = script.endsWith('/vol/d') ? '/vol/d/passwd' : '/vol/in';
    const job = await run([{ script }, { script: 'cat', stdin }], { volumes: ['/vol'] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'standard-input' });
    expect(job.errorMessage).toContain(stdin);
    expect(job.errorMessage).toContain(detail);
  });
});

describe('an executor that ignores errors', () => {
  it.each<[string, object, string]>([
    ['an exit code', { command: ['/bin/sh', '-c', 'exit 3'] }, 'exit-code'],
    ['a signal', { command: ['/bin/sh', '-c', 'kill -KILL $$'] }, 'killed-by-signal'],
    ['a command that is not there', { command: ['no-such-program'] }, 'command-not-found'],
    ['a standard input that is not there', { stdin: '/tmp/none' }, 'standard-input'],
  ])('is followed by the next after %s', async (_name, executor, errorCode) => {
    const job = await run([{ script: '', ignoreError: true, ...executor }, { script: 'echo next' }]);
    expect(job).toMatchObject({ state: 'COMPLETE', errorCode: null, runs: [{ errorCode }, { errorCode: null }] });
    expect(await logOf(job.id, 'stdout', 1)).toBe('next\n');
    const task = await grid.http('get', `/v1/tasks/${job.id}?view=FULL`, 'submitter').expect(200);
    const codes = { 'exit-code': 3, 'killed-by-signal': 137, 'command-not-found': 127, 'standard-input': 126 };
    expect(task.body).toMatchObject({
      state: 'COMPLETE',
      executors: [{ ignore_error: true }, {}],
      logs: [{ logs: [{ exit_code: codes[errorCode as keyof typeof codes] }, { exit_code: 0 }] }],
    });
  });

  it('has the error of the one that does not, after it', async () => {
    const job = await run([{ script: 'exit 3', ignoreError: true }, { script: 'exit 4' }, { script: 'true' }]);
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'exit-code', runs: [{}, {}] });
    expect(job.errorMessage).toContain('4');
  });

  it.each<[string, string, object]>([
    ['out-of-memory', 'dd if=/dev/zero of=/dev/null bs=200M count=1', { memoryBytes: 64 * MIB }],
    ['wall-time-exceeded', 'sleep 60', { wallTimeS: 1 }],
    ['disk-limit', `head -c ${64 * MIB} /dev/zero > /tmp/a`, { diskBytes: 8 * MIB }],
  ])('is the last one after %s', async (errorCode, script, resources) => {
    const job = await run([{ script, ignoreError: true }, { script: 'true' }], { resources });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode, runs: [{ errorCode }] });
    expect(job.runs).toHaveLength(1);
  });

  it('is the last one of a job that is canceled', async () => {
    const executors = ['sleep 60', 'true'].map((script) => ({
      ...{ image: grid.image, command: ['/bin/sh', '-c', script], ignoreError: true },
    }));
    const made = await grid.http('post', '/api/v1/jobs', 'submitter').send({ executors }).expect(201);
    const { id } = made.body as { id: string };
    await grid.waitFor(id, 'RUNNING');
    await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
    expect((await grid.waitFor(id, 'CANCELED')).runs).toHaveLength(1);
  });
});

describe('what executors share', () => {
  it('is the volumes of the job and /tmp, empty at first and gone afterwards', async () => {
    const look = 'ls -A /vol /vol/sub /tmp';
    const job = await run(
      [
        { script: `${look}; echo 1 > /vol/a; echo 2 > /vol/sub/b; echo 3 > /tmp/c` },
        { script: 'cat /vol/a /vol/sub/b /tmp/c; test ! -e /vol/d || exit 1; touch /vol/d' },
      ],
      { volumes: ['/vol', '/vol/sub'] },
    );
    expect([job.state, await logOf(job.id, 'stdout', 1)]).toEqual(['COMPLETE', '1\n2\n3\n']);
    expect(await logOf(job.id, 'stdout')).toBe('/tmp:\n\n/vol:\nsub\n\n/vol/sub:\n');
    const next = await run([{ script: look }], { volumes: ['/vol', '/vol/sub'] });
    expect(await logOf(next.id, 'stdout')).toBe('/tmp:\n\n/vol:\nsub\n\n/vol/sub:\n');
  });

  it('is counted against the disk of the job', async () => {
    const job = await run([{ script: `head -c ${64 * MIB} /dev/zero > /vol/a` }], {
      volumes: ['/vol'],
      resources: { diskBytes: 8 * MIB },
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'disk-limit' });
  });

  it('makes the work of a later one what the earlier ones did', async () => {
    const digests = async (...scripts: readonly string[]) => {
      const { id } = await run(scripts.map((script) => ({ script })));
      const { rows } = await grid.api.owner.query<{ inputs_digest: string }>(
        'SELECT inputs_digest FROM executor_run WHERE job_id = $1 ORDER BY position',
        [id],
      );
      return rows.map((row) => row.inputs_digest);
    };
    const first = await digests('echo 1 > /tmp/a', 'cat /tmp/a');
    const other = await digests('echo 2 > /tmp/a', 'cat /tmp/a');
    expect(await digests('echo 1 > /tmp/a', 'cat /tmp/a')).toEqual(first);
    expect(other[1]).not.toBe(first[1]);
    expect(await digests('echo 1 > /tmp/a')).toEqual([first[0]]);
  });

  it('is kept by a rerun, and shown', async () => {
    const first = await run([{ script: 'cat', stdin: '/vol/in', stdout: '/vol/out', ignoreError: true }], {
      volumes: ['/vol'],
    });
    const again = await grid.http('post', `/api/v1/jobs/${first.id}/rerun`, 'submitter').send({}).expect(201);
    const asked = { stdin: '/vol/in', stdout: '/vol/out', stderr: null, ignoreError: true };
    const made = again.body as JobView;
    for (const job of [first, made, await grid.job(made.id)]) {
      expect(job).toMatchObject({ executors: [asked], volumes: ['/vol'] });
    }
  });
});

describe('a job that works in /tmp, as those of Snakemake do', () => {
  it('leaves outputs in a directory of /tmp, where it has none beside it', async () => {
    const script = 'echo one > /tmp/results/one; echo two > /tmp/results/deep/two';
    const job = await grid.run(script, {
      outputs: [output('below/one', '/tmp/results/one'), output('below/two', '/tmp/results/deep/two')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect([grid.published('below/one'), grid.published('below/two')]).toEqual(['one\n', 'two\n']);
  });

  it('has its inputs there, writable directories beside them, and leaves its outputs there', async () => {
    writeFileSync(join(grid.inputs, 'sample'), 'sample\n');
    const task = {
      executors: [
        {
          ...{ image: grid.image, command: ['/bin/sh', '/tmp/run_snakemake.sh'], workdir: '/tmp' },
          env: { HOME: '/tmp' },
        },
      ],
      inputs: [
        {
          content: 'cat results/sample > results/copy; cat results/sample sample > all; ls -A',
          path: '/tmp/run_snakemake.sh',
        },
        { url: pathToFileURL(join(grid.inputs, 'sample')).href, path: '/tmp/sample' },
        { url: pathToFileURL(join(grid.inputs, 'sample')).href, path: '/tmp/results/sample' },
      ],
      outputs: [output('snakemake/copy', '/tmp/results/copy'), output('snakemake/all', '/tmp/all')],
    };
    const made = await grid.http('post', '/v1/tasks', 'submitter').send(task).expect(200);
    const job = await grid.waitFor((made.body as { id: string }).id, ...FINAL);
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect([grid.published('snakemake/copy'), grid.published('snakemake/all')]).toEqual([
      'sample\n',
      'sample\nsample\n',
    ]);
    expect(await logOf(job.id, 'stdout')).toBe('all\nresults\nrun_snakemake.sh\nsample\n');
  });

  it('has them in a directory below it as well', async () => {
    const job = await run([{ script: 'cat /tmp/deep/in > /tmp/deep/out; ls -A /tmp /tmp/deep' }], {
      inputs: [{ content: 'text', path: '/tmp/deep/in' }],
      outputs: [output('deep', '/tmp/deep/out')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect([grid.published('deep'), await logOf(job.id, 'stdout')]).toEqual([
      'text',
      '/tmp:\ndeep\n\n/tmp/deep:\nin\nout\n',
    ]);
  });
});
