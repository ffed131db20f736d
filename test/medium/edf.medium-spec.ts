/** The example application in its image, in a plain hardened container without any sandbox of ours. */
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildEdfImage, buildTestImage } from '../../scripts/images/build-image.js';
import { required } from '../support/environment.js';

const CACHE = join(process.cwd(), '.porin/cache');
const EXAMPLE = join(process.cwd(), 'examples/edf-normalize');

let docker: Docker;
let image: string;
/** Mounted at /data; the program's user may write to /data/out. */
let data: string;

beforeAll(async () => {
  docker = new Docker({ socketPath: required('DOCKER_HOST').replace(/^unix:\/\//, '') });
  image = (await buildEdfImage({ docker, cacheDir: CACHE, log: console.log })).imageId;
  data = mkdtempSync(join(tmpdir(), 'porin-edf-'));
  chmodSync(data, 0o755);
  mkdirSync(join(data, 'out'));
  chmodSync(join(data, 'out'), 0o1777);
  cpSync(join(EXAMPLE, 'plugins'), join(data, 'plugins'), { recursive: true });
});

afterAll(() => rmSync(data, { recursive: true, force: true }));

interface Result {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(imageId: string, command: readonly string[], binds: readonly string[] = []): Promise<Result> {
  const container = await docker.createContainer({
    Image: imageId,
    Cmd: [...command],
    User: '65534:65534',
    HostConfig: {
      Binds: [`${data}:/data`, ...binds],
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      NetworkMode: 'none',
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': 'rw,nosuid,nodev,size=64m,mode=1777' },
    },
  });
  try {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const stream = await container.attach({ stream: true, stdout: true, stderr: true });
    docker.modem.demuxStream(stream, stdout, stderr);
    stream.on('end', () => {
      stdout.end();
      stderr.end();
    });
    await container.start();
    const [out, err, status] = await Promise.all([text(stdout), text(stderr), container.wait() as Promise<unknown>]);
    return { exitCode: (status as { StatusCode: number }).StatusCode, stdout: out, stderr: err };
  } finally {
    await container.remove({ force: true });
  }
}

async function text(stream: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

async function generate(name: string, ...options: string[]): Promise<void> {
  const path = `/data/out/${name}`;
  const result = await run(image, ['python3', '/opt/edf-normalize/generate.py', '--output', path, ...options]);
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
}

function normalise(input: string, output: string, ...options: string[]): Promise<Result> {
  const files = ['--input', `/data/out/${input}`, '--output', `/data/out/${output}`];
  return run(image, ['python3', '-m', 'edf_normalize', ...files, ...options]);
}

const sha256 = (name: string) =>
  createHash('sha256')
    .update(readFileSync(join(data, 'out', name)))
    .digest('hex');

describe('edf-normalize in its image', () => {
  it('passes its own unit tests', async () => {
    const bind = `${EXAMPLE}/tests:/opt/edf-normalize/tests:ro`;
    const plugins = `${EXAMPLE}/plugins:/opt/edf-normalize/plugins:ro`;
    const command = [
      'python3',
      '-m',
      'unittest',
      'discover',
      '-t',
      '/opt/edf-normalize',
      '-s',
      '/opt/edf-normalize/tests',
    ];
    const result = await run(image, command, [bind, plugins]);
    expect(result.stderr).toMatch(/Ran [1-9]\d+ tests[^]*\nOK\n$/);
    expect(result.exitCode).toBe(0);
  });

  it('is not built again while nothing changed', async () => {
    const said: string[] = [];
    const again = await buildEdfImage({ docker, cacheDir: CACHE, log: (line) => said.push(line) });
    expect(again.imageId).toBe(image);
    expect(said).toEqual([]);
  });

  it.each([
    ['7', '0.5'],
    ['20', '2'],
  ])('gives the same bytes twice for a recording of %s channels', async (channels, minutes) => {
    await generate('night.edf', '--channels', channels, '--minutes', minutes, '--seed', channels);
    for (const output of ['first.edf', 'second.edf']) {
      expect(await normalise('night.edf', output)).toMatchObject({ exitCode: 0, stderr: '' });
    }
    expect(sha256('first.edf')).toBe(sha256('second.edf'));
    expect(sha256('first.edf')).not.toBe(sha256('night.edf'));
  });

  it('refuses a recording that was cut off, with code 3 and one line', async () => {
    await generate('cut.edf', '--minutes', '0.5');
    truncateSync(join(data, 'out/cut.edf'), 50_000);
    expect(await normalise('cut.edf', 'never.edf')).toEqual({
      exitCode: 3,
      stdout: '',
      stderr: expect.stringMatching(/^edf-normalize: malformed EDF: the header says 30 data records, .*\n$/),
    });
  });

  it('refuses a file that is no recording, with code 3', async () => {
    writeFileSync(join(data, 'out/text.edf'), 'This is no recording. '.repeat(100));
    expect((await normalise('text.edf', 'never.edf')).exitCode).toBe(3);
  });

  it('gives the same bytes with every plug-in, and each attack says what happened', async () => {
    await generate('small.edf', '--minutes', '0.5');
    await normalise('small.edf', 'plain.edf');
    const attempts: Record<string, string> = {};
    for (const plugin of ['steal_passwd', 'raw_socket', 'start_shell', 'trace_parent', 'load_bpf', 'unshare']) {
      const result = await normalise('small.edf', `${plugin}.edf`, '--plugin', `/data/plugins/${plugin}.py`);
      expect(result.exitCode).toBe(0);
      expect(sha256(`${plugin}.edf`)).toBe(sha256('plain.edf'));
      attempts[plugin] = (JSON.parse(result.stderr) as { result: string }).result;
    }
    // What a container without a profile lets through; capabilities and the engine's profile stop the others.
    expect(attempts).toMatchObject({
      steal_passwd: 'succeeded',
      start_shell: 'succeeded',
      raw_socket: 'denied',
      load_bpf: 'denied',
      unshare: 'denied',
    });
  });

  it.each(['clip_saturation', 'clip_together'])('runs the benign plug-in %s', async (plugin) => {
    await generate('benign.edf', '--minutes', '0.5');
    const result = await normalise('benign.edf', 'clipped.edf', '--plugin', `/data/plugins/${plugin}.py`);
    expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  });
});

describe('the test image', () => {
  it('has a shell and /bin/true, and is not imported twice', async () => {
    const options = { docker, cacheDir: CACHE, log: () => undefined };
    const { imageId, reference } = await buildTestImage(options);
    expect(reference).toBe('porin/test:1');
    expect((await run(imageId, ['/bin/true'])).exitCode).toBe(0);
    expect(await run(imageId, ['/bin/sh', '-c', 'echo hello; exit 3'])).toEqual({
      exitCode: 3,
      stdout: 'hello\n',
      stderr: '',
    });
    expect((await buildTestImage(options)).imageId).toBe(imageId);
  });
});
