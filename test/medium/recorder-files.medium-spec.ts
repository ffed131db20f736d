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
const CASES: readonly (readonly [name: string, operations: string, uses: readonly string[]])[] = [
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
    'truncate /work/absolute truncate /work/plain ftruncate /work/plain',
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
    ['read /proc/self/gone ENOENT', 'read /proc/version ok'],
  ],
];

describe('a recording of files', () => {
  it.each(CASES)('holds %s', async (_name, operations, uses) => {
    const recording = await record(operations);
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
    const recording = await record('cd /work symlink ../script s execute s execute /script');
    expect(usesOf(recording)).toEqual(['create /work/s ok', 'execute /script ok 2 times']);
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
    const recording = await record('cd /work execute plain execute gone execute deep');
    expect(usesOf(recording)).toEqual([
      'execute /work/deep EACCES',
      'execute /work/gone ENOENT',
      'execute /work/plain EACCES',
    ]);
  });
});

describe('a recording of files, in their places', () => {
  it('holds files of mounts below the places where they are mounted', async () => {
    const recording = await record(
      'open /in/a/given r open /work/deep/tmp/x wc rename /work/deep/tmp/x /work/short/../tmp/y',
      {
        binds: [`${outside}:/in/a:ro`],
        Tmpfs: { '/work/deep/tmp': '' },
      },
    );
    expect(usesOf(recording)).toEqual([
      'create /work/deep/tmp/x ok',
      'read /in/a/given ok',
      'rename-from /work/deep/tmp/x ok',
      'rename-to /work/deep/tmp/y ok',
      'write /work/deep/tmp/x ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds both names of a file, each as it was opened', async () => {
    const recording = await record('link /work/plain /work/other open /work/plain r open /work/other r');
    expect(usesOf(recording)).toEqual([
      'create /work/other ok',
      'link /work/plain ok',
      'read /work/other ok',
      'read /work/plain ok',
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
    const recording = await recordLate('symlink deep /work/way mkdir /work/way/a unlink /work/way');
    expect(usesOf(recording)).toEqual(['create /work/way ok', 'create /work/way/a ok asked', 'remove /work/way ok']);
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
    expect(recording.certificate.unresolvedPaths).toBe(1);
  });

  it('says unresolved-paths where a symlink may have been on the way', async () => {
    const recording = await recordLate(
      'mkdir /work/a symlink deep /work/s rename /work/s /work/t mkdir /work/a/b rmdir /work/a/b rmdir /work/a',
    );
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
    expect(recording.certificate.unresolvedPaths).toBe(2);
  });
});

describe('a recording of hostile names', () => {
  it('holds newlines, spaces and backslashes', async () => {
    const recording = await record('cd /work creat a\\x0ab\\x20c\\x5cd open a\\x0ab\\x20c\\x5cd/ r');
    expect(usesOf(recording)).toEqual([
      'create /work/a\nb c\\d ok',
      'read /work/a\nb c\\d ENOTDIR',
      'write /work/a\nb c\\d ok',
    ]);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds a name of 255 bytes, and one that is too long', async () => {
    const recording = await record(`cd /work creat ${'n'.repeat(255)} open ${'n'.repeat(256)} r`);
    expect(usesOf(recording)).toEqual([
      `create /work/${'n'.repeat(255)} ok`,
      `read /work/${'n'.repeat(256)} ENAMETOOLONG`,
      `write /work/${'n'.repeat(255)} ok`,
    ]);
  });

  it('holds a path of 4,000 bytes', async () => {
    const recording = await record('cd /work nest 3950 creat file unlink file');
    const deepest = recording.files!.filter(({ path }) => path.endsWith('/file'));
    expect(deepest.map(({ access }) => access).sort()).toEqual(['create', 'remove', 'write']);
    expect(new Set(deepest.map(({ path }) => path)).size).toBe(1);
    expect(deepest[0]!.path.length).toBeGreaterThan(3800);
    expect(recording.partialReasons).toEqual([]);
  });

  it('says unresolved-paths for a path longer than the kernel itself could name', async () => {
    const recording = await record('cd /work nest 6000 creat file');
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
  });

  it('escapes what is not UTF-8, and is then partial', async () => {
    const recording = await record('creat /work/caf\\xe9 creat /work/caf\\xe8 creat /work/\\xc3\\xa9');
    expect(usesOf(recording)).toEqual([
      'create /work/caf\\xe8 ok asked',
      'create /work/caf\\xe9 ok asked',
      'create /work/é ok',
      'write /work/caf\\xe8 ok asked',
      'write /work/caf\\xe9 ok asked',
      'write /work/é ok',
    ]);
    expect(recording.partialReasons).toEqual(['unresolved-paths']);
  });
});

describe('counts of a recording of files', () => {
  it('are exact over threads and processes', async () => {
    const recording = await record('cd /work threads plain processes short/file');
    expect(usesOf(recording)).toEqual(['read /work/deep/deeper/file ok 8000 times', 'read /work/plain ok 8000 times']);
    expect(recording.partialReasons).toEqual([]);
  });

  it('are exact for 5,000 files', async () => {
    const recording = await record('many /work/deep 5000 many /work/deep 5000');
    const of = (access: string) => recording.files!.filter((use) => use.access === access);
    expect([of('create').length, of('write').length]).toEqual([5000, 5000]);
    expect(of('create').every(({ count, resolved }) => count === 1 && resolved)).toBe(true);
    expect(of('write').every(({ count, resolved }) => count === 2 && resolved)).toBe(true);
    expect(recording.partialReasons).toEqual([]);
  });

  it('do not mix with those of another recording at the same time', async () => {
    const [one, two] = await Promise.all(
      ['plain', 'absolute'].map((name) =>
        containers.start(['threads', `/work/${name}`, 'open', `/work/deep/${name}`, 'wc'], [], { program: PROGRAM }),
      ),
    );
    await recorder.arm('one', one!.pid, 'files');
    await recorder.arm('two', two!.pid, 'files');
    await Promise.all([one!.openGateAndWait(), two!.openGateAndWait()]);
    const first = usesOf(await recorder.finish('one', { payloadEndedOnItsOwn: true }));
    const second = usesOf(await recorder.finish('two', { payloadEndedOnItsOwn: true }));
    expect(first).toEqual([
      'create /work/deep/plain ok',
      'read /work/plain ok 8000 times',
      'write /work/deep/plain ok',
    ]);
    expect(second).toEqual([
      'create /work/deep/absolute ok',
      'read /work/plain ok 8000 times',
      'write /work/deep/absolute ok',
    ]);
  });
});

describe('a recording of addresses', () => {
  it('holds what was connected to, bound and sent to', async () => {
    const recording = await record(
      [
        'cd /work socket bind local socket connect local socket bind @abstract socket connect @abstract',
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
    expect(usesOf(recording)).toEqual(['create /work/local ok']);
    expect(recording.partialReasons).toEqual([]);
  });

  it('holds none where there were none', async () => {
    expect((await record('open /work/plain r')).sockets).toEqual([]);
  });
});

describe('a partial recording of files', () => {
  async function recordWithin(limits: Readonly<Record<string, number>>, operations: string): Promise<Recording> {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits });
    return record(operations);
  }

  it('says overflow beyond its bound of distinct uses', async () => {
    const recording = await recordWithin({ 'file-uses': 100 }, 'many /work/deep 500 open /work/plain r');
    expect(recording.partialReasons).toEqual(['overflow']);
    expect(recording.certificate.overflows).toBe(500 + 1 - 99);
    expect(recording.files!.filter(({ access }) => access === 'create')).toHaveLength(99);
  });

  it('says map-failure when the kernel has no room for all recordings', async () => {
    const recording = await recordWithin({ 'file-entries': 128 }, 'many /work/deep 500');
    expect(recording.partialReasons).toEqual(['map-failure']);
  });

  it('says ring-full when the loader does not come to empty the ring', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { 'ring-bytes': 4096 } });
    const recording = await recordLate('many /work/deep 2000');
    expect(recording.partialReasons).toEqual(['ring-full']);
    const kept = recording.files!.filter(({ access }) => access === 'create').length;
    expect(kept + recording.certificate.ringFailures!).toBe(2000);
  });

  it('loses nothing through the smallest ring while the loader comes', async () => {
    const recording = await recordWithin({ 'ring-bytes': 65_536 }, 'cd /work threads plain nest 3000');
    expect(recording.partialReasons).toEqual([]);
  });
});

describe('the recorder of files', () => {
  it('gives the room of ended recordings to later ones', async () => {
    await recorder.close();
    recorder = await Recorder.start({ binaryPath, limits: { 'file-entries': 600 } });
    for (let round = 0; round < 3; round += 1) {
      const recording = await record('many /work/deep 500');
      expect(recording.partialReasons).toEqual([]);
    }
  });

  it('refuses a process that is gone', async () => {
    await expect(recorder.arm('run', 2 ** 30, 'files')).rejects.toMatchObject({ code: 'no-process' });
  });
});
