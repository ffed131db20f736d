/** What recordings of kind `files` hold, on the real kernel and the real engine: every path as the kernel resolved it. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Recording } from '../../libs/profiles/src/index.js';
import { Recorder } from '../../libs/execution/src/monitoring/recorder.js';
import { type ContainerOptions, RecorderContainers } from '../support/recorder-containers.js';

const run = promisify(execFile);
const binaryPath = join(import.meta.dirname, '../../.porin/native/porin-recorder');
const PROGRAM = '/files-payload';

let containers: RecorderContainers;
let recorder: Recorder;
let outside: string;

beforeAll(async () => {
  outside = await mkdtemp(join(tmpdir(), 'porin-files-'));
  await writeFile(join(outside, 'given'), 'given');
  containers = await RecorderContainers.create(fillRoot);
});
afterAll(async () => {
  await containers.close();
  await rm(outside, { recursive: true });
});
beforeEach(async () => {
  recorder = await Recorder.start({ binaryPath });
});
afterEach(async () => {
  await recorder.close();
  await containers.removeContainers();
});

/** The program, once static and once dynamic, a script that it interprets, and /work with something of each sort. */
async function fillRoot(root: string): Promise<void> {
  const source = join(import.meta.dirname, '../support/files-payload.c');
  const warnings = ['-O2', '-Wall', '-Wextra', '-Werror', '-pthread'];
  await run('cc', [...warnings, '-static', source, '-o', join(root, PROGRAM)]);
  await run('cc', [...warnings, source, '-o', join(root, 'dynamic')]);
  for (const library of await librariesOf(join(root, 'dynamic'))) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(library, join(root, library));
  }
  await writeFile(join(root, 'script'), `#!${PROGRAM} nothing\n`);
  await chmod(join(root, 'script'), 0o755);
  await mkdir(join(root, 'work/deep/deeper'), { recursive: true });
  await writeFile(join(root, 'work/plain'), 'plain');
  await writeFile(join(root, 'work/deep/deeper/file'), 'file');
  await symlink('deep/deeper', join(root, 'work/short'));
  await symlink('/work/plain', join(root, 'work/absolute'));
  await symlink('loop', join(root, 'work/loop'));
  await symlink('nowhere', join(root, 'work/dangling'));
}

/** Where the program's libraries and its dynamic linker are on this machine, by absolute path. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run('ldd', [program]);
  return [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path!);
}

/** Records the program's operations, from its own execution on. */
async function record(operations: string, options: ContainerOptions = {}, security: string[] = []): Promise<Recording> {
  const gated = await containers.start(operations.split(' '), security, { program: PROGRAM, ...options });
  await recorder.arm('run', gated.pid, 'files');
  expect(await gated.openGateAndWait()).toBe(0);
  return recorder.finish('run', { payloadEndedOnItsOwn: true });
}

/** The uses as lines, without the first execution; `asked` stands for a path that was not resolved. */
function usesOf(recording: Recording): string[] {
  return (recording.files ?? [])
    .filter(({ path }) => path !== PROGRAM)
    .map(({ access, path, result, resolved, count }) =>
      [access, path, result, ...(resolved ? [] : ['asked']), ...(count === 1 ? [] : [`${count} times`])].join(' '),
    )
    .sort();
}

function socketsOf(recording: Recording): string[] {
  return (recording.sockets ?? [])
    .map(({ operation, family, address, result, count }) => `${operation} ${family} ${address} ${result} ${count}`)
    .sort();
}

/** Each one's operations, and the uses that it must give: those and no others, in a recording without holes. */
const CASES: readonly (readonly [
  name: string,
  operations: string,
  uses: readonly string[],
  options?: ContainerOptions,
])[] = [
  ['an absolute path', 'open /work/plain r', ['read /work/plain ok']],
  ['a relative path', 'cd /work open plain r', ['read /work/plain ok']],
  ['a path from a descriptor', 'openat /work/deep deeper/file r', ['read /work/deep/deeper/file ok']],
  ['a symlink at the end', 'open /work/absolute w', ['write /work/plain ok']],
  [
    'a symlink in the middle',
    'open /work/short/file +',
    ['read /work/deep/deeper/file ok', 'write /work/deep/deeper/file ok'],
  ],
  ['.. after a symlink', 'open /work/short/../../plain r', ['read /work/plain ok']],
  ['the root, and a directory', 'open / d open /work r', ['list / ok', 'list /work ok']],
  ['O_PATH, which is no access', 'open /work/plain p', []],
  ['openat2 with a root of its own', 'openat2 /work /plain r', ['read /work/plain ok']],
  ['openat2 with a root of its own, failed', 'openat2 /work /gone r', ['read /gone ENOENT asked']],
  [
    'a file that is made',
    'cd /work open new wc open new wc open new wct creat new',
    ['create /work/new ok', 'truncate /work/new ok 2 times', 'write /work/new ok 4 times'],
  ],
  ['a device, which O_TRUNC does not touch', 'open /dev/null wct', ['write /dev/null ok']],
  ['O_TMPFILE, which has no name', 'open /dev/shm T+', ['read /dev/shm ok', 'write /dev/shm ok']],
  [
    'truncate, through a symlink too, and ftruncate',
    'truncate /work/absolute truncate /work/plain open-truncate /work/plain w',
    ['truncate /work/plain ok 3 times', 'write /work/plain ok'],
  ],
  [
    'directories made and removed',
    'cd /work mkdir a mkdirat /work b rmdir a rmdir short/../../b/',
    ['create /work/a ok', 'create /work/b ok', 'remove /work/a ok', 'remove /work/b ok'],
  ],
  [
    'names moved, linked and removed',
    'cd /work/short rename file ../moved link ../moved hard symlink x ../soft mkfifo pipe unlinkat /work/short hard unlink ../soft',
    [
      'create /work/deep/deeper/hard ok',
      'create /work/deep/deeper/pipe ok',
      'create /work/deep/soft ok',
      'link /work/deep/moved ok',
      'remove /work/deep/deeper/hard ok',
      'remove /work/deep/soft ok',
      'rename-from /work/deep/deeper/file ok',
      'rename-to /work/deep/moved ok',
    ],
  ],
  [
    'names in directories that are gone soon after',
    'mkdir /work/t mkdir /work/t/u creat /work/t/u/f mkdir /work/t/u/v rmdir /work/t/u/../u/v unlink /work/t/u/f rmdir /work/t/u rmdir /work/t',
    [
      'create /work/t ok',
      'create /work/t/u ok',
      'create /work/t/u/f ok',
      'create /work/t/u/v ok',
      'remove /work/t ok',
      'remove /work/t/u ok',
      'remove /work/t/u/f ok',
      'remove /work/t/u/v ok',
      'write /work/t/u/f ok',
    ],
  ],
  [
    'what failed',
    'cd /work open gone r open plain/x r open loop r open dangling r open deep w open plain wcx open dangling/x r open /gate/new wc mkdir deep/../deep unlink gone/x rename gone /work/y',
    [
      'create /gate/new EROFS',
      'create /work/deep EEXIST',
      'create /work/plain EEXIST',
      'read /work/dangling ENOENT asked',
      'read /work/dangling/x ENOENT asked',
      'read /work/gone ENOENT',
      'read /work/loop ELOOP asked',
      'read /work/plain/x ENOTDIR asked',
      'remove /work/gone/x ENOENT asked',
      'rename-from /work/gone ENOENT',
      'rename-to /work/y ENOENT',
      'write /gate/new EROFS',
      'write /work/deep EISDIR',
      'write /work/plain EEXIST',
    ],
  ],
  [
    'a FIFO that would block whoever opens it',
    'mkfifo /work/fifo open /work/fifo wb truncate /work/fifo',
    ['create /work/fifo ok', 'truncate /work/fifo EINVAL', 'write /work/fifo ENXIO'],
  ],
  [
    'a chroot',
    'open /work/deep p chroot /work/deep open /deeper/file r cd / mkdir /new mkdir ../../newer open /gone r symlink / /up mkdir /up/up/up/newest',
    [
      'create /work/deep/new ok',
      'create /work/deep/newer ok',
      'create /work/deep/newest ok',
      'create /work/deep/up ok',
      'read /work/deep/deeper/file ok',
      'read /work/deep/gone ENOENT',
    ],
  ],
  [
    'files of /proc, and what is no file of the tree',
    'open /proc/version r open /proc/self/gone r socket bind @x',
    ['read /proc/version ok', 'read /proc/self/gone ENOENT'].sort(),
  ],
];

describe('a recording of files', () => {
  it.each(CASES)('holds %s', async (_name, operations, uses, options) => {
    const recording = await record(operations, options);
    expect(usesOf(recording)).toEqual(uses);
    expect(recording.partialReasons).toEqual([]);
  });
});
