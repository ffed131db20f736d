/** Inputs and outputs that are many files: what is copied and published of them, file by file, and what is refused. */
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { FINAL, Grid, type JobView, type TestWorker } from '../support/grid.js';

const SETTINGS = { PORIN_LEASE_MS: '3000' };
let grid: Grid;
const workers: TestWorker[] = [];

beforeAll(async () => {
  grid = await Grid.start();
  workers.push(await grid.startWorker('node-a', SETTINGS));
});
afterAll(() => grid.stop());

interface File {
  readonly path: string;
  readonly url: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly publishedAt: string;
}
const urlOf = (name: string) => pathToFileURL(join(grid.outputs, name)).href;
const directory = (name: string, path = '/out') => ({ path, url: urlOf(name), type: 'DIRECTORY' });
const pattern = (name: string, path: string, pathPrefix: string) => ({ path, pathPrefix, url: urlOf(name) });
const filesOf = ({ outputs }: JobView, index = 0) => (outputs[index] as unknown as { files: File[] }).files;
const pathsOf = (job: JobView, index = 0) => filesOf(job, index).map(({ path }) => path);
const listed = (name: string) =>
  readdirSync(join(grid.outputs, name), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(grid.outputs, name).length + 1))
    .sort();
const runTask = async (task: object) => {
  const made = await grid.http('post', '/v1/tasks', 'submitter').send(task).expect(200);
  const { id } = made.body as { id: string };
  const job = await grid.waitFor(id, ...FINAL);
  const { body } = await grid.http('get', `/v1/tasks/${id}?view=FULL`, 'submitter').expect(200);
  return {
    job,
    task: body as { outputs: object[]; logs: [{ outputs: { url: string; path: string; size_bytes: string }[] }] },
  };
};

describe('an output that is a directory', () => {
  it('is published file by file, whatever the names are', async () => {
    const script = `mkdir -p "/out/a b/c" /out/empty; cd /out
      printf 1 > top; printf 22 > "a b/c/#1 100%?.txt"; printf 333 > "a b/line
feed"; printf 4444 > 'a b/back\\slash'; printf 55555 > 'a b/größe!(*)'; printf 6 > .hidden`;
    const job = await grid.run(script, { outputs: [directory('tree')] });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    const names = ['.hidden', 'a b/back\\slash', 'a b/c/#1 100%?.txt', 'a b/größe!(*)', 'a b/line\nfeed', 'top'];
    expect(listed('tree')).toEqual([...names].sort());
    expect(pathsOf(job).sort()).toEqual(names.map((name) => `/out/${name}`).sort());
    expect(filesOf(job).find(({ path }) => path.includes('#1'))).toMatchObject({
      url: `${urlOf('tree')}/a%20b/c/%231%20100%25%3F.txt`,
      ...{ bytes: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), publishedAt: expect.any(String) },
    });
    expect(filesOf(job).find(({ path }) => path.includes('größe'))?.url).toBe(
      `${urlOf('tree')}/a%20b/gr%C3%B6%C3%9Fe%21%28%2A%29`,
    );
  });

  it('is no file where it is empty', async () => {
    const job = await grid.run('mkdir /out/a', { outputs: [directory('nothing')] });
    expect([job.state, filesOf(job), existsSync(join(grid.outputs, 'nothing'))]).toEqual(['COMPLETE', [], false]);
  });

  it('may lie in a shared directory, with inputs in it, which are no outputs', async () => {
    const job = await grid.run('echo x > /tmp/results/made; cat /tmp/results/given', {
      inputs: [{ content: 'given', path: '/tmp/results/given' }],
      outputs: [directory('beside', '/tmp/results')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect(listed('beside')).toEqual(['made']);
  });

  it.each([
    ['a link', 'ln -s /etc/passwd /out/d/l', 'output-is-link', '/out/d/l'],
    ['a pipe', 'mkfifo /out/d/f', 'output-not-regular', '/out/d/f'],
    ['a name that is not UTF-8', `touch "/out/d/$(printf 'a\\377')"`, 'output-unpublishable', 'its name is not UTF-8'],
    ['a name of Porin’s own', 'touch /out/d/.porin-x.part', 'output-unpublishable', '.porin-'],
    [
      'directories without end',
      'cd /out/d; for i in $(seq 80); do mkdir d && cd d; done; touch a',
      'output-unpublishable',
      '64 directories',
    ],
  ])('is not published where there is %s in it', async (_what, script, errorCode, said) => {
    const job = await grid.run(`mkdir /out/d; echo x > /out/a; ${script}`, { outputs: [directory('refused')] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode });
    expect(job.errorMessage).toContain(said);
    expect([filesOf(job), existsSync(join(grid.outputs, 'refused'))]).toEqual([[], false]);
  });

  it('is published but for what cannot be, where the job asks for that', async () => {
    const job = await grid.run('echo x > /out/a; ln -s /etc/passwd /out/l', {
      outputs: [directory('partly')],
      publishOn: 'executor-error',
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-is-link' });
    expect([pathsOf(job), listed('partly')]).toEqual([['/out/a'], ['a']]);
  });

  it('has at most 10,000 files', async () => {
    const job = await grid.run('cd /out; seq 10001 | xargs touch', { outputs: [directory('many')] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-unpublishable' });
    expect(job.errorMessage).toContain('10,000 files');
  });

  it('is a file by mistake', async () => {
    const job = await grid.run('rmdir /vol/d; echo x > /vol/d', {
      volumes: ['/vol'],
      outputs: [directory('mistake', '/vol/d')],
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-unpublishable' });
    expect(job.errorMessage).toContain('regular file');
  });

  it('counts against the disk of the job', async () => {
    const script = 'cd /out; dd if=/dev/zero of=a bs=1 count=0 seek=60M; for i in 1 2 3; do ln a $i; done';
    const job = await grid.run(script, { outputs: [directory('large')], resources: { diskBytes: 64 * 1024 ** 2 } });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-too-large' });
    expect(existsSync(join(grid.outputs, 'large')) && listed('large')).toEqual([]);
  });
});

describe('an input that is a directory', () => {
  const given = (name: string) => ({
    path: '/in',
    url: pathToFileURL(join(grid.inputs, name)).href,
    type: 'DIRECTORY',
  });

  it('is there with all that is below it, and nothing can be changed in it', async () => {
    mkdirSync(join(grid.inputs, 'tree/a b'), { recursive: true });
    mkdirSync(join(grid.inputs, 'tree/empty'));
    writeFileSync(join(grid.inputs, 'tree/a b/1'), 'one');
    writeFileSync(join(grid.inputs, 'tree/2'), 'two', { mode: 0o600 });
    const job = await grid.run('cd /in; find . | sort; cat 2 "a b/1"; touch 3 2>/dev/null; ls empty', {
      inputs: [given('tree')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', inputs: [{ type: 'DIRECTORY' }] });
    expect(await grid.log(job.id)).toBe('.\n./2\n./a b\n./a b/1\n./empty\ntwoone');
  });

  it.each<[string, (path: string) => void, string]>([
    ['holds a link', (path) => symlinkSync('/etc', join(path, 'l')), 'l in it is a symbolic link'],
    ['is a file', (path) => writeFileSync(`${path}-file`, ''), 'it is a regular file'],
  ])('is refused where it %s', async (what, make, said) => {
    const name = what.replaceAll(' ', '-');
    mkdirSync(join(grid.inputs, name));
    make(join(grid.inputs, name));
    const job = await grid.run('true', {
      inputs: [given(existsSync(join(grid.inputs, `${name}-file`)) ? `${name}-file` : name)],
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'input-directory', runs: [] });
    expect(job.errorMessage).toContain(said);
  });
});

describe('an output that is a pattern', () => {
  const make =
    'mkdir -p /out/run-1 /out/run-2 /out/other; for d in run-1 run-2 other; do touch /out/$d/a.txt /out/$d/b.log; done';

  it('is the files that match, at their place below the prefix', async () => {
    const job = await grid.run(`${make}; ln -s /out/run-1 /out/run-l`, {
      outputs: [pattern('matched', '/out/run-*/[ab].txt', '/out')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect(listed('matched')).toEqual(['run-1/a.txt', 'run-2/a.txt']);
    expect(filesOf(job).map(({ url }) => url)).toEqual(
      ['run-1', 'run-2'].map((name) => `${urlOf('matched')}/${name}/a.txt`),
    );
  });

  it('is no file where nothing matches, and takes no directory for one', async () => {
    const job = await grid.run(make, { outputs: [pattern('none', '/out/run-*', '/')] });
    expect([job.state, filesOf(job)]).toEqual(['COMPLETE', []]);
  });

  it('takes directories that match with all that is below them, where it is of that type', async () => {
    const job = await grid.run(`${make}; touch /out/run-3`, {
      outputs: [{ ...pattern('directories', '/out/run-*', '/'), type: 'DIRECTORY' }],
    });
    expect([job.state, listed('directories')]).toEqual([
      'COMPLETE',
      ['run-1', 'run-2'].flatMap((name) => [`out/${name}/a.txt`, `out/${name}/b.log`]),
    ]);
  });

  it('passes over inputs, and is there once where another output names a file and its URL', async () => {
    const job = await grid.run('touch /tmp/a.txt /tmp/b.txt', {
      inputs: [{ content: 'given', path: '/tmp/in.txt' }],
      outputs: [
        pattern('shared', '/tmp/*.txt', '/tmp'),
        { path: '/tmp/a.txt', url: urlOf('shared/a.txt') },
        pattern('shared', '/tmp/*', '/tmp'),
      ],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect([listed('shared'), pathsOf(job, 0), pathsOf(job, 2)]).toEqual([['a.txt', 'b.txt'], ['/tmp/b.txt'], []]);
  });

  it('has its own copy of a file that other outputs have too', async () => {
    const job = await grid.run('mkdir /out/d; echo a > /out/d/a; echo b > /out/b', {
      outputs: [
        directory('copies/whole'),
        pattern('copies/named', '/out/*/a', '/out'),
        { path: '/out/d/a', url: urlOf('copies/single') },
      ],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect(listed('copies')).toEqual(['named/d/a', 'single', 'whole/b', 'whole/d/a']);
    expect([pathsOf(job, 0), pathsOf(job, 1)]).toEqual([['/out/b', '/out/d/a'], ['/out/d/a']]);
    expect(job.outputs[2]).toMatchObject({ bytes: 2, publishedAt: expect.any(String) });
    const { body } = await grid.http('get', `/v1/tasks/${job.id}?view=BASIC`, 'submitter').expect(200);
    const task = body as { logs: [{ outputs: { url: string }[] }] };
    expect(task.logs[0].outputs.map(({ url }) => url.slice(urlOf('copies/').length))).toEqual([
      ...['whole/b', 'whole/d/a', 'named/d/a', 'single'],
    ]);
  });

  it('counts each copy against the disk of the job', async () => {
    const job = await grid.run('dd if=/dev/zero of=/out/a bs=1 count=0 seek=40M', {
      outputs: [directory('twice'), pattern('again-twice', '/out/*', '/out')],
      resources: { diskBytes: 64 * 1024 ** 2 },
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-too-large' });
    expect([existsSync(join(grid.outputs, 'twice/a')), existsSync(join(grid.outputs, 'again-twice/a'))]).toEqual([
      ...[false, false],
    ]);
  });

  it('is refused where two files would go to one place', async () => {
    const job = await grid.run('mkdir /out/x /out/y; touch /out/x/a /out/y/a', {
      outputs: [pattern('clash', '/out/x/*', '/out/x'), pattern('clash', '/out/y/*', '/out/y')],
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'output-refused' });
    expect(existsSync(join(grid.outputs, 'clash'))).toBe(false);
  });
});

describe('a task of TES', () => {
  it('has each file of its directories and patterns in its log', async () => {
    const { job, task } = await runTask({
      executors: [
        { image: grid.image, command: ['/bin/sh', '-c', 'mkdir /out/d; echo 1 > "/out/d/a b"; echo 2 > /out/c.txt'] },
      ],
      outputs: [
        { path: '/out/d', url: `${join(grid.outputs, 'tes dir')}/`, type: 'DIRECTORY' },
        { path: '/out/*.txt', path_prefix: '/out/', url: urlOf('tes-pattern') },
      ],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorMessage: null });
    expect(task.outputs).toEqual([
      { path: '/out/d', url: `${join(grid.outputs, 'tes dir')}/`, type: 'DIRECTORY' },
      { path: '/out/*.txt', path_prefix: '/out', url: urlOf('tes-pattern'), type: 'FILE' },
    ]);
    expect(task.logs[0].outputs).toEqual([
      { path: '/out/c.txt', url: `${urlOf('tes-pattern')}/c.txt`, size_bytes: '2' },
      { path: '/out/d/a b', url: `${join(grid.outputs, 'tes dir')}/a b`, size_bytes: '2' },
    ]);
    expect(readFileSync(join(grid.outputs, 'tes dir/a b'), 'utf8')).toBe('1\n');
  });
});

describe('another job that writes below the directory', () => {
  it('waits for it', async () => {
    // Nothing runs, and so nothing ends, while there is no worker.
    await workers.pop()?.stop();
    const id = await grid.submit('echo first > /out/a', { outputs: [directory('claimed')] });
    const later = await grid.submit('echo second > /out/a', {
      outputs: [{ path: '/out/a', url: urlOf('claimed/a') }],
    });
    expect(await grid.job(later)).toMatchObject({ state: 'QUEUED', waitingReason: 'waiting-for-output' });
    workers.push(await grid.startWorker('node-a', SETTINGS));
    await grid.waitFor(id, 'COMPLETE');
    await grid.waitFor(later, 'COMPLETE');
    expect(grid.published('claimed/a')).toBe('second\n');
  });
});

describe('a worker that dies while it stages a directory', () => {
  it('leaves nothing beside the files of the next attempt', async () => {
    const [worker] = workers;
    const id = await grid.submit('mkdir /out/d; for i in 1 2 3; do echo $i > /out/d/$i; done', {
      outputs: [directory('again')],
    });
    // Everything is staged, and the manifest waits to know whether there is another one.
    const client = new pg.Client({ connectionString: grid.api.database.ownerUrl });
    await client.connect();
    await client.query('BEGIN');
    await client.query(
      `INSERT INTO porin.publication (job_id, attempt_number, node_id)
       SELECT $1, 1, id FROM porin.node WHERE name = 'node-a'`,
      [id],
    );
    const hidden = () =>
      readdirSync(grid.outputs, { recursive: true, encoding: 'utf8' }).filter((name) => /\.part$/.test(name));
    await eventually(() => Promise.resolve(expect(hidden()).toHaveLength(3)));
    await worker?.end('SIGKILL');
    // A statement of a worker that is gone would still be carried out.
    await grid.api.owner.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'porin-worker' AND wait_event_type = 'Lock' AND datname = current_database()`,
    );
    await client.end();
    await grid.startWorker('node-a', SETTINGS);
    const job = await grid.waitFor(id, ...FINAL);
    expect([pathsOf(job), hidden()]).toEqual([['/out/d/1', '/out/d/2', '/out/d/3'], []]);
    expect(listed('again')).toEqual(['d/1', 'd/2', 'd/3']);
  });
});
