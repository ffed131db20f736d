/** From HTTP to a container and back. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeForeignProgram } from '../support/foreign-program.js';
import { Grid } from '../support/grid.js';

let grid: Grid;
const MIB = 1024 ** 2;
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const fileInput = (name: string) => pathToFileURL(join(grid.inputs, name)).href;

beforeAll(async () => {
  grid = await Grid.start();
  mkdirSync(`${grid.inputs}-evil`);
  writeFileSync(`${grid.inputs}-evil/data`, 'evil');
  writeFileSync(join(grid.inputs, 'data'), 'data');
  symlinkSync('/etc/passwd', join(grid.inputs, 'link'));
  execFileSync('mkfifo', [join(grid.inputs, 'fifo')]);
  await grid.startWorker('node-1', { PORIN_SLOTS: '4', PORIN_CPU_MILLI: '2000', PORIN_LOG_LIMIT_BYTES: '65536' });
});
afterAll(() => grid.stop());

describe('a job', () => {
  it('gets its inputs, runs, and publishes its outputs', async () => {
    writeFileSync(join(grid.inputs, 'greeting'), 'hello ');
    const job = await grid.run('cat /in/greeting /in/name | tee /out/whole; echo problems >&2', {
      inputs: [
        { url: fileInput('greeting'), path: '/in/greeting', sha256: sha256('hello ') },
        { content: 'world', path: '/in/name' },
      ],
      outputs: [grid.output('whole')],
    });
    expect(job).toMatchObject({ state: 'COMPLETE', errorCode: null });
    expect(grid.published('whole')).toBe('hello world');
    expect(job.outputs).toMatchObject([{ path: '/out/whole', sha256: sha256('hello world') }]);
    expect(await grid.log(job.id)).toBe('hello world');
    expect(await grid.log(job.id, 'stderr')).toBe('problems\n');
    const [run] = job.runs;
    expect(run).toMatchObject({ enforcement: 'none', monitoring: 'syscalls', outcome: 'exited', exitCode: 0 });
    expect(run?.recording).toMatchObject({ partialReasons: [] });
    expect(run?.callCount).toBeGreaterThan(10);
    expect(run?.wallUs).toBeGreaterThan(0);
    expect(Object.keys(run?.phasesMs ?? {})).toEqual(
      expect.arrayContaining(['queue', 'stage', 'create', 'start', 'payload', 'remove', 'upload']),
    );
    expect(await grid.containers()).toBe(0);
  });

  it('runs its executors one after another, on shared files', async () => {
    const job = await grid.run('', {
      executors: [
        { image: grid.image, command: ['/bin/sh', '-c', 'echo first > /out/shared'] },
        { image: grid.image, command: ['/bin/sh', '-c', 'echo second >> /out/shared'] },
      ],
      outputs: [grid.output('shared')],
    });
    expect(job.state).toBe('COMPLETE');
    expect(grid.published('shared')).toBe('first\nsecond\n');
  });

  it('can be read while it runs', async () => {
    const id = await grid.submit('echo early; while ! [ -e /tmp/never ]; do sleep 0.1; done');
    await grid.waitFor(id, 'RUNNING');
    for (let text = ''; text !== 'early\n';) text = await grid.log(id);
    await grid.http('post', `/api/v1/jobs/${id}/cancel`).expect(200);
    expect(await grid.waitFor(id, 'CANCELED')).toMatchObject({ attempts: [{ state: 'CANCELED' }] });
    expect(await grid.containers()).toBe(0);
  });

  it('cannot see the network, its worker, or other users’ files, and is nobody', async () => {
    const job = await grid.run('id -u; ls /sys/class/net; env | grep -c PORIN; touch /here 2>&1; ls /run/porin');
    expect(job.state).toBe('COMPLETE');
    const [uid, interfaces, variables, readOnly] = (await grid.log(job.id)).split('\n');
    expect(Number(uid)).toBeGreaterThan(600_100_000);
    expect([interfaces, variables]).toEqual(['lo', '0']);
    expect(readOnly).toContain('Read-only file system');
  });
});

describe('what a payload does wrong', () => {
  const resources = (changes: object) => ({ resources: { memoryBytes: 64 * MIB, diskBytes: 32 * MIB, ...changes } });

  it.each([
    ['ends with an exit code', 'exit 3', {}, 'exit-code', 'exit code 3'],
    ['dies by a signal', 'kill -SEGV $$', {}, 'killed-by-signal', 'signal 11'],
    ['sleeps past its wall time', 'sleep 1000', { wallTimeS: 1 }, 'wall-time-exceeded', '1 s'],
    [
      'ignores SIGTERM',
      `trap '' TERM INT; while true; do sleep 1; done`,
      { wallTimeS: 1 },
      'wall-time-exceeded',
      '1 s',
    ],
    ['fills the disk', 'cat /dev/zero > /tmp/full; sleep 1000', {}, 'disk-limit', 'disk'],
    ['fills the disk and gives up', 'cat /dev/zero > /tmp/full', {}, 'disk-limit', 'disk'],
    ['needs more memory than it asked for', 'tail /dev/zero', {}, 'out-of-memory', 'memory'],
    [
      'forks without end',
      'while :; do sleep 1000 & done',
      { memoryBytes: 1024 * MIB },
      'process-limit',
      '1024 processes',
    ],
  ])('%s', async (_name, script, changes, code, words) => {
    const job = await grid.run(script, resources(changes));
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: code });
    expect(job.errorMessage).toContain(words);
    expect(await grid.containers()).toBe(0);
  });

  it.each([
    [['/no/such/program'], 'command-not-found'],
    [['/etc/passwd'], 'command-not-executable'],
  ])('%j', async (command, code) => {
    const job = await grid.run('', { executors: [{ image: grid.image, command }] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: code });
  });

  it('asks for a working directory that the image does not have', async () => {
    const executors = [{ image: grid.image, command: ['true'], workingDirectory: '/no/such/place' }];
    expect(await grid.run('', { executors })).toMatchObject({ errorCode: 'working-directory' });
  });

  it.runIf(process.arch === 'x64')('has a 32-bit program, and hides that it cannot run', async () => {
    const job = await grid.run(`${writeForeignProgram('/out/tool')}; /out/tool; echo done > /out/result`, {
      outputs: [grid.output('result')],
    });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'unsupported-abi', outputs: [{ sha256: null }] });
    expect(job.errorMessage).toMatch(/^The program \/out\/tool cannot run here: .* 64-bit build/);
    expect(job.runs).toMatchObject([{ exitCode: 0, recording: { partialReasons: ['compat-calls'] } }]);
  });

  it('writes endless output, of which the limit is kept', async () => {
    const job = await grid.run('yes', resources({ wallTimeS: 2 }));
    expect(job.errorCode).toBe('wall-time-exceeded');
    const response = await grid.http('get', `/api/v1/jobs/${job.id}/logs?stream=stdout`).expect(200);
    expect(response.text.length).toBe(65536);
    expect(Number(response.headers['porin-log-dropped-bytes'])).toBeGreaterThan(0);
  });

  it.each([
    ['is missing', 'true', 'output-missing'],
    ['is a symbolic link', 'ln -s /etc/passwd /out/bad', 'output-is-link'],
    ['is a FIFO', 'mkfifo /out/bad', 'output-not-regular'],
    ['is a directory', 'mkdir /out/bad', 'output-not-regular'],
  ])('an output %s', async (_name, script, code) => {
    const job = await grid.run(script, { outputs: [grid.output('bad')] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: code });
  });
});

describe('what a submitter gets wrong', () => {
  it('an image that does not exist', async () => {
    const executors = [{ image: 'porin/no-such-image:1', command: ['true'] }];
    const job = await grid.run('', { executors });
    expect(['image-not-found', 'image-not-on-node', 'image-pull-failed']).toContain(job.errorCode);
  });

  it.each([
    ['with another checksum', () => ({ url: fileInput('data'), sha256: '0'.repeat(64) }), 'input-checksum-mismatch'],
    ['that does not exist', () => ({ url: fileInput('missing') }), 'input-not-found'],
    [
      'in a directory with the same beginning',
      () => ({ url: `${pathToFileURL(grid.inputs).href}-evil/data` }),
      'input-not-allowed',
    ],
    ['behind a symbolic link', () => ({ url: fileInput('link') }), 'input-outside-roots'],
    ['that is a FIFO', () => ({ url: fileInput('fifo') }), 'input-not-regular'],
  ])('an input %s', async (_name, input, code) => {
    const job = await grid.run('true', { inputs: [{ path: '/in/data', ...input() }] });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: code });
    expect(job.runs).toEqual([]);
  });

  it.each([
    ['through ".."', () => `${pathToFileURL(grid.inputs).href}/../outputs/data`, 'invalid-request'],
    ['on another scheme’s host', () => 'http://127.0.0.1:9/x', 'input-not-allowed'],
  ])('an input %s is refused at once', async (_name, url, code) => {
    expect(await grid.refusal(grid.script('true', { inputs: [{ path: '/in/data', url: url() }] }))).toBe(code);
  });

  it('more than any node has', async () => {
    const job = await grid.run('true', { resources: { cpuMilli: 999_999 } });
    expect(job).toMatchObject({ state: 'EXECUTOR_ERROR', errorCode: 'resources-unavailable' });
  });
});
