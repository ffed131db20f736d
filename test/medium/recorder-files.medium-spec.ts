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

/** The program, once static and once dynamic, a script that it interprets, and /yard with something of each sort. */
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
  await mkdir(join(root, 'yard/deep/deeper'), { recursive: true });
  await writeFile(join(root, 'yard/plain'), 'plain');
  await writeFile(join(root, 'yard/deep/deeper/file'), 'file');
  await symlink('deep/deeper', join(root, 'yard/short'));
  await symlink('/yard/plain', join(root, 'yard/absolute'));
  await symlink('loop', join(root, 'yard/loop'));
  await symlink('nowhere', join(root, 'yard/dangling'));
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

/** As `record`, with a recorder that comes to nothing before the container has ended, and everything in it is gone. */
async function recordLate(operations: string, options: ContainerOptions = {}): Promise<Recording> {
  const gated = await containers.start(operations.split(' '), [], { program: PROGRAM, ...options });
  await recorder.arm('run', gated.pid, 'files');
  process.kill(recorder.pid, 'SIGSTOP');
  try {
    expect(await gated.openGateAndWait()).toBe(0);
  } finally {
    process.kill(recorder.pid, 'SIGCONT');
  }
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
type Case = readonly [name: string, operations: string, uses: readonly string[], options?: ContainerOptions];
const CASES: readonly Case[] = [
  ['an absolute path', 'open /yard/plain r', ['read /yard/plain ok']],
  ['a relative path', 'cd /yard open plain r', ['read /yard/plain ok']],
  ['a path from a descriptor', 'openat /yard/deep deeper/file r', ['read /yard/deep/deeper/file ok']],
  ['a number whose upper half is set', 'open-high /yard/plain r', ['read /yard/plain ok']],
  ['a symlink at the end', 'open /yard/absolute w', ['write /yard/plain ok']],
  [
    'a symlink in the middle',
    'open /yard/short/file +',
    ['read /yard/deep/deeper/file ok', 'write /yard/deep/deeper/file ok'],
  ],
  ['.. after a symlink', 'open /yard/short/../../plain r', ['read /yard/plain ok']],
  ['the root, and a directory', 'open / d open /yard r', ['list / ok', 'list /yard ok']],
  ['O_PATH, which is no access', 'open /yard/plain p', []],
  ['openat2 with a root of its own', 'openat2 /yard /plain r', ['read /yard/plain ok']],
  ['openat2 with a root of its own, failed', 'openat2 /yard /gone r', ['read /gone ENOENT asked']],
  [
    'a file that is made',
    'cd /yard open new wc open new wc open new wct creat new',
    ['create /yard/new ok', 'truncate /yard/new ok 2 times', 'write /yard/new ok 4 times'],
  ],
  ['a device, which O_TRUNC does not touch', 'open /dev/null wct', ['write /dev/null ok']],
  ['O_TMPFILE, which has no name', 'open /dev/shm T+', ['read /dev/shm ok', 'write /dev/shm ok']],
  [
    'truncate, through a symlink too, and ftruncate',
    'truncate /yard/absolute truncate /yard/plain ftruncate /yard/plain',
    ['truncate /yard/plain ok 3 times', 'write /yard/plain ok'],
  ],
  [
    'directories made and removed',
    'cd /yard mkdir a mkdirat /yard b rmdir a rmdir short/../../b/',
    ['create /yard/a ok', 'create /yard/b ok', 'remove /yard/a ok', 'remove /yard/b ok'],
  ],
  [
    'names moved, linked and removed',
    'cd /yard/short rename file ../moved link ../moved hard symlink x ../soft mkfifo pipe unlinkat /yard/short hard unlink ../soft',
    [
      'create /yard/deep/deeper/hard ok',
      'create /yard/deep/deeper/pipe ok',
      'create /yard/deep/soft ok',
      'link /yard/deep/moved ok',
      'remove /yard/deep/deeper/hard ok',
      'remove /yard/deep/soft ok',
      'rename-from /yard/deep/deeper/file ok',
      'rename-to /yard/deep/moved ok',
    ],
  ],
  [
    'names in directories that are gone soon after',
    'mkdir /yard/t mkdir /yard/t/u creat /yard/t/u/f mkdir /yard/t/u/v rmdir /yard/t/u/../u/v unlink /yard/t/u/f rmdir /yard/t/u rmdir /yard/t',
    [
      'create /yard/t ok',
      'create /yard/t/u ok',
      'create /yard/t/u/f ok',
      'create /yard/t/u/v ok',
      'remove /yard/t ok',
      'remove /yard/t/u ok',
      'remove /yard/t/u/f ok',
      'remove /yard/t/u/v ok',
      'write /yard/t/u/f ok',
    ],
  ],
  [
    'what failed',
    'cd /yard open gone r open plain/x r open loop r open dangling r open deep w open plain wcx open dangling/x r open /gate/new wc mkdir deep/../deep unlink gone/x rename gone /yard/y',
    [
      'create /gate/new EROFS',
      'create /yard/deep EEXIST',
      'create /yard/plain EEXIST',
      'read /yard/dangling ENOENT asked',
      'read /yard/dangling/x ENOENT asked',
      'read /yard/gone ENOENT',
      'read /yard/loop ELOOP asked',
      'read /yard/plain/x ENOTDIR asked',
      'remove /yard/gone/x ENOENT asked',
      'rename-from /yard/gone ENOENT',
      'rename-to /yard/y ENOENT',
      'write /gate/new EROFS',
      'write /yard/deep EISDIR',
      'write /yard/plain EEXIST',
    ],
  ],
  [
    'a FIFO that would block whoever opens it',
    'mkfifo /yard/fifo open /yard/fifo wb truncate /yard/fifo',
    ['create /yard/fifo ok', 'truncate /yard/fifo EINVAL', 'write /yard/fifo ENXIO'],
  ],
  [
    'a chroot',
    'open /yard/deep p chroot /yard/deep open /deeper/file r cd / mkdir /new mkdir ../../newer open /gone r symlink / /up mkdir /up/up/up/newest',
    [
      'create /yard/deep/new ok',
      'create /yard/deep/newer ok',
      'create /yard/deep/newest ok',
      'create /yard/deep/up ok',
      'read /yard/deep/deeper/file ok',
      'read /yard/deep/gone ENOENT',
    ],
  ],
  [
    'files of /proc, and what is no file of the tree',
    'open /proc/version r open /proc/self/gone r socket bind @x',
    ['read /proc/version ok', 'read /proc/self/gone ENOENT'].sort(),
  ],
];

describe('a recording of files', () => {
  it.each(CASES.map(([name, ...rest]) => ({ name, rest })))('holds $name', async ({ rest }) => {
    const [operations, uses, options] = rest;
    const recording = await record(operations, options);
    expect(usesOf(recording)).toEqual(uses);
    expect(recording.partialReasons).toEqual([]);
  });
});

describe('a recording of executions', () => {
  const linkerOf = async () => (await librariesOf('/bin/true')).find((path) => path.includes('/ld-'))!;

  it('holds the first program', async () => {
    const recording = await record('nothing');
    expect(recording.files).toEqual([{ path: PROGRAM, access: 'execute', result: 'ok', resolved: true, count: 1 }]);
  });

  it('holds a script and its interpreter', async () => {
    const recording = await record('cd /yard symlink ../script s execute s execute /script');
    expect(usesOf(recording)).toEqual(['create /yard/s ok', 'execute /script ok 2 times']);
    expect(recording.files).toContainEqual({
      path: PROGRAM,
      access: 'execute',
      result: 'ok',
      resolved: true,
      count: 3,
    });
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds a program, its dynamic linker and the libraries that it opens', async () => {
    const recording = await record('execute /dynamic');
    const opened = usesOf(recording).filter((line) => line.startsWith('read') && line.endsWith(' ok'));
    expect(usesOf(recording)).toEqual(
      expect.arrayContaining(['execute /dynamic ok', `execute ${await linkerOf()} ok`]),
    );
    expect(opened).toEqual([expect.stringMatching(/^read \S*libc\.so\.6 ok$/)]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds what was executed by descriptor, a file without a name too', async () => {
    const recording = await record('execute-file /dynamic execute-memory copy');
    expect(usesOf(recording)).toEqual(
      expect.arrayContaining(['execute /dynamic ok', 'execute memfd:copy ok', `execute ${await linkerOf()} ok`]),
    );
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds what could not be executed', async () => {
    const recording = await record('cd /yard execute plain execute gone execute deep');
    expect(usesOf(recording)).toEqual([
      'execute /yard/deep EACCES',
      'execute /yard/gone ENOENT',
      'execute /yard/plain EACCES',
    ]);
  });
});

describe('a recording of files, in their places', () => {
  it('holds files of mounts below the places where they are mounted', async () => {
    const recording = await record(
      'open /in/a/given r open /yard/deep/tmp/x wc rename /yard/deep/tmp/x /yard/short/../tmp/y',
      {
        binds: [`${outside}:/in/a:ro`],
        Tmpfs: { '/yard/deep/tmp': '' },
      },
    );
    expect(usesOf(recording)).toEqual([
      'create /yard/deep/tmp/x ok',
      'read /in/a/given ok',
      'rename-from /yard/deep/tmp/x ok',
      'rename-to /yard/deep/tmp/y ok',
      'write /yard/deep/tmp/x ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds both names of a file, each as it was opened', async () => {
    const recording = await record('link /yard/plain /yard/other open /yard/plain r open /yard/other r');
    expect(usesOf(recording)).toEqual([
      'create /yard/other ok',
      'link /yard/plain ok',
      'read /yard/other ok',
      'read /yard/plain ok',
    ]);
  });

  it('holds a file that was opened by its handle', async () => {
    const recording = await record('cd /dev/shm creat file handle file', { CapAdd: ['DAC_READ_SEARCH'] }, [
      'seccomp=unconfined',
    ]);
    expect(usesOf(recording)).toEqual([
      'create /dev/shm/file ok',
      'list /dev/shm ok',
      'read /dev/shm/file ok',
      'write /dev/shm/file ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds a temporary file that gets a name', async () => {
    const recording = await record('link-tmpfile /dev/shm /dev/shm/named', { CapAdd: ['DAC_READ_SEARCH'] });
    expect(usesOf(recording)).toEqual(['create /dev/shm/named ok', 'link /dev/shm ok', 'write /dev/shm ok']);
    expect(recording.partialReasons).toEqual([]);
  });
});

describe('a recording of names that are gone before the recorder looks', () => {
  it('holds them below directories that were seen', async () => {
    const recording = await recordLate(
      'mkdir /t/a creat /t/a/f mkdir /t/a/../a/b/ rmdir /t/a/b truncate /t/a/f unlink /t/a/f cd /t/a rmdir ../a',
      { Tmpfs: { '/t': '' } },
    );
    expect(usesOf(recording)).toEqual([
      'create /t/a ok',
      'create /t/a/b ok',
      'create /t/a/f ok',
      'remove /t/a ok',
      'remove /t/a/b ok',
      'remove /t/a/f ok',
      'truncate /t/a/f ok',
      'write /t/a/f ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('says unresolved-paths where a symlink was on the way', async () => {
    const recording = await recordLate('symlink deep /yard/way mkdir /yard/way/a unlink /yard/way');
    expect(usesOf(recording)).toEqual(['create /yard/way ok', 'create /yard/way/a ok asked', 'remove /yard/way ok']);
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
    expect(recording.certificate.unresolvedPaths).toBe(1);
  });

  it('says unresolved-paths where a symlink may have been on the way', async () => {
    const recording = await recordLate(
      'mkdir /yard/a symlink deep /yard/s rename /yard/s /yard/t mkdir /yard/a/b rmdir /yard/a/b rmdir /yard/a',
    );
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
    expect(recording.certificate.unresolvedPaths).toBe(2);
  });
});

describe('a recording of hostile names', () => {
  it('holds newlines, spaces and backslashes', async () => {
    const recording = await record('cd /yard creat a\\x0ab\\x20c\\x5cd open a\\x0ab\\x20c\\x5cd/ r');
    expect(usesOf(recording)).toEqual([
      'create /yard/a\nb c\\d ok',
      'read /yard/a\nb c\\d ENOTDIR',
      'write /yard/a\nb c\\d ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds a name of 255 bytes, and one that is too long', async () => {
    const recording = await record(`cd /yard creat ${'n'.repeat(255)} open ${'n'.repeat(256)} r`);
    expect(usesOf(recording)).toEqual([
      `create /yard/${'n'.repeat(255)} ok`,
      `read /yard/${'n'.repeat(256)} ENAMETOOLONG`,
      `write /yard/${'n'.repeat(255)} ok`,
    ]);
  });

  it('holds a path of 4,000 bytes', async () => {
    const recording = await record('cd /yard nest 3950 creat file unlink file');
    const deepest = recording.files!.filter(({ path }) => path.endsWith('/file'));
    expect(deepest.map(({ access }) => access).sort()).toEqual(['create', 'remove', 'write']);
    expect(new Set(deepest.map(({ path }) => path)).size).toBe(1);
    expect(deepest[0]!.path.length).toBeGreaterThan(3800);
    expect(recording.partialReasons).toEqual([]);
  });

  it('says unresolved-paths for a path longer than the kernel itself could name', async () => {
    const recording = await record('cd /yard nest 6000 creat file');
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
  });

  it('escapes what is not UTF-8, and is then partial', async () => {
    const recording = await record('creat /yard/caf\\xe9 creat /yard/caf\\xe8 creat /yard/\\xc3\\xa9');
    expect(usesOf(recording)).toEqual([
      'create /yard/caf\\xe8 ok asked',
      'create /yard/caf\\xe9 ok asked',
      'create /yard/é ok',
      'write /yard/caf\\xe8 ok asked',
      'write /yard/caf\\xe9 ok asked',
      'write /yard/é ok',
    ]);
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
  });
});

describe('counts of a recording of files', () => {
  it('are exact over threads and processes', async () => {
    const recording = await record('cd /yard threads plain processes short/file');
    expect(usesOf(recording)).toEqual(['read /yard/deep/deeper/file ok 8000 times', 'read /yard/plain ok 8000 times']);
    expect(recording.partialReasons).toEqual([]);
  });

  it('are exact for 5,000 files', async () => {
    const recording = await record('many /yard/deep 5000 many /yard/deep 5000');
    const of = (access: string) => recording.files!.filter((use) => use.access === access);
    expect([of('create').length, of('write').length]).toEqual([5000, 5000]);
    expect(of('create').every(({ count, resolved }) => count === 1 && resolved)).toBe(true);
    expect(of('write').every(({ count, resolved }) => count === 2 && resolved)).toBe(true);
    expect(recording.partialReasons).toEqual([]);
  });

  it('do not mix with those of another recording at the same time', async () => {
    const [one, two] = await Promise.all(
      ['plain', 'absolute'].map((name) =>
        containers.start(['threads', `/yard/${name}`, 'open', `/yard/deep/${name}`, 'wc'], [], { program: PROGRAM }),
      ),
    );
    await recorder.arm('one', one!.pid, 'files');
    await recorder.arm('two', two!.pid, 'files');
    await Promise.all([one!.openGateAndWait(), two!.openGateAndWait()]);
    const first = usesOf(await recorder.finish('one', { payloadEndedOnItsOwn: true }));
    const second = usesOf(await recorder.finish('two', { payloadEndedOnItsOwn: true }));
    expect(first).toEqual([
      'create /yard/deep/plain ok',
      'read /yard/plain ok 8000 times',
      'write /yard/deep/plain ok',
    ]);
    expect(second).toEqual([
      'create /yard/deep/absolute ok',
      'read /yard/plain ok 8000 times',
      'write /yard/deep/absolute ok',
    ]);
  });
});

describe('a recording of addresses', () => {
  it('holds what was connected to, bound and sent to', async () => {
    const recording = await record(
      [
        'cd /yard socket bind local socket connect local socket bind @abstract socket connect @abstract',
        'socket connect inet socket connect inet6 socket sendto inet socket sendmsg inet socket sendmmsg inet',
      ].join(' '),
    );
    expect(socketsOf(recording)).toEqual([
      'bind AF_UNIX @abstract ok 1',
      'bind AF_UNIX local ok 1',
      'connect AF_INET 127.0.0.1:9 ECONNREFUSED 1',
      'connect AF_INET6 [::1]:9 EADDRNOTAVAIL 1',
      'connect AF_UNIX @abstract ECONNREFUSED 1',
      'connect AF_UNIX local ECONNREFUSED 1',
      'send AF_INET 127.0.0.1:9 ok 5',
    ]);
    expect(usesOf(recording)).toEqual(['create /yard/local ok']);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds none where there were none', async () => {
    expect((await record('open /yard/plain r')).sockets).toEqual([]);
  });
});

describe('a partial recording of files', () => {
  async function recordWithin(limits: Readonly<Record<string, number>>, operations: string): Promise<Recording> {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits });
    return record(operations);
  }

  it('says overflow beyond its bound of distinct uses', async () => {
    const recording = await recordWithin({ 'file-uses': 100 }, 'many /yard/deep 500 open /yard/plain r');
    expect(recording.partialReasons).toEqual(['overflow']);
    expect(recording.certificate.overflows).toBe(500 + 1 - 99);
    expect(recording.files!.filter(({ access }) => access === 'create')).toHaveLength(99);
  });

  it('says map-failure when the kernel has no room for all recordings', async () => {
    const recording = await recordWithin({ 'file-entries': 128 }, 'many /yard/deep 500');
    expect(recording.partialReasons).toEqual(['map-failure']);
  });

  it('says ring-full when the loader does not come to empty the ring', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { 'ring-bytes': 4096 } });
    const recording = await recordLate('many /yard/deep 2000');
    expect(recording.partialReasons).toEqual(['ring-full']);
    const kept = recording.files!.filter(({ access }) => access === 'create').length;
    expect(kept + recording.certificate.ringFailures!).toBe(2000);
  });

  it('loses nothing through the smallest ring while the loader comes', async () => {
    const recording = await recordWithin({ 'ring-bytes': 65_536 }, 'cd /yard threads plain nest 3000');
    expect(recording.partialReasons).toEqual([]);
  });
});

describe('the recorder of files', () => {
  it('gives the room of ended recordings to later ones', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { 'file-entries': 600 } });
    for (let round = 0; round < 3; round += 1) {
      const recording = await record('many /yard/deep 500');
      expect(recording.partialReasons).toEqual([]);
    }
  });

  it('refuses a process that is gone', async () => {
    await expect(recorder.arm('run', 2 ** 30, 'files')).rejects.toMatchObject({ code: 'no-process' });
  });
});
