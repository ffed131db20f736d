import { describe, expect, it } from 'vitest';
import { canonicalProfile, parseProfile } from '../model/parse-profile.js';
import { type ArgumentUse, FILE_ACCESSES, type Recording } from '../model/recording.js';
import { ALWAYS_GRANTED } from './always-granted.js';
import { isBoundary } from './areas.js';
import { generaliseFiles } from './generalise.js';
import { isExpressible, needsOf, successfulUses } from './needs.js';
import { EDF_PLACES, edfUses, lines, recordingOf } from './recordings.fixture.js';
import { byPath, grants, isGiven, rightsAt } from './rights.js';
import { toVariables } from './to-variables.js';

const rulesOf = (...uses: string[]) => lines(generaliseFiles([recordingOf(uses)]));
const numbered = (count: number, line: (index: number) => string) => Array.from({ length: count }, (_, i) => line(i));
/** What succeeded and the rules do not grant; nothing, if the next run is to go as this one. */
const refused = (recording: Recording, rules: ReturnType<typeof generaliseFiles>) =>
  successfulUses(recording).filter((use) => isExpressible(use) && !grants([...rules, ...ALWAYS_GRANTED], use));

describe('a numpy program', () => {
  const recording = toVariables(recordingOf(edfUses()), EDF_PLACES);

  it('is six lines that a person can read, out of hundreds of paths', () => {
    expect(recording.files?.length).toBeGreaterThan(200);
    expect(lines(generaliseFiles([recording]))).toEqual([
      '/etc/passwd read',
      '/opt/edf-normalize read',
      '/usr/bin/python3.11 read execute',
      '/usr/lib read',
      '/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 read execute',
      '/usr/local/lib/python3.11/dist-packages list',
    ]);
  });

  it('can do again all that it did, and under its own places', () => {
    expect(refused(recording, generaliseFiles([recording]))).toEqual([]);
  });

  it('is not given what its plug-in might try, nor what it looked for in vain', () => {
    const rules = [...generaliseFiles([recording]), ...ALWAYS_GRANTED];
    const attempts = [
      { path: '/etc/shadow', access: 'read' },
      { path: '/usr/bin/dash', access: 'execute' },
      { path: '/usr/lib/x86_64-linux-gnu/libc.so.6', access: 'execute' },
      { path: '{temporary}/a.out', access: 'execute' },
      { path: '/opt/edf-normalize/edf_normalize/edf.py', access: 'write' },
      { path: '/etc/machine-id', access: 'read' },
      { path: '/usr/local/lib/python3.11/dist-packages/evil.py', access: 'read' },
      { path: '/proc/1/maps', access: 'read' },
    ] as const;
    expect(attempts.filter((use) => grants(rules, use))).toEqual([]);
  });

  it('does not break where the next input loads another library or codec', () => {
    const rules = generaliseFiles([recording]);
    expect(grants(rules, { path: '/usr/lib/python3.11/encodings/latin_1.py', access: 'read' })).toBe(true);
    expect(grants(rules, { path: '/usr/lib/x86_64-linux-gnu/gconv/UTF-16.so', access: 'read' })).toBe(true);
  });
});

describe('reading', () => {
  it('spreads to an area of libraries from three files on', () => {
    expect(rulesOf('read /opt/tool/a', 'read /opt/tool/deep/b')).toEqual(['/opt/tool/a read', '/opt/tool/deep/b read']);
    expect(rulesOf('read /opt/tool/a', 'read /opt/tool/deep/b', 'list /opt/tool')).toEqual(['/opt/tool read']);
  });

  it('takes packages for an area wherever they are', () => {
    const uses = numbered(3, (i) => `read /home/app/venv/lib/python3.12/site-packages/numpy/${i}.so`);
    expect(rulesOf(...uses)).toEqual(['/home/app/venv/lib/python3.12 read']);
  });

  it('spreads to any other directory when six of its names were needed, counting all below', () => {
    const uses = numbered(6, (i) => `read /data/atlas/part${i}/volume`);
    expect(rulesOf(...uses.slice(1))).toHaveLength(5);
    expect(rulesOf(...uses)).toEqual(['/data/atlas read']);
  });

  it.each(['/', '/etc', '/root', '/home', '/home/me', '/proc', '/sys', '/dev', '/usr', '/var', '/var/lib', '/run'])(
    'never spreads to %s, however much of it was read',
    (directory) => {
      const uses = numbered(40, (i) => `read ${directory === '/' ? '' : directory}/name${i}`);
      expect(isBoundary(directory)).toBe(true);
      expect(rulesOf(...uses)).toHaveLength(40);
    },
  );

  it('spreads below /etc, where a directory belongs to one thing', () => {
    expect(rulesOf(...numbered(6, (i) => `read /etc/tool/conf.d/${i}.conf`))).toEqual(['/etc/tool/conf.d read']);
  });

  it('needs no rule for facts of the machine and for what libraries read as a matter of course', () => {
    const uses = ['/sys/fs/cgroup/memory.max', '/sys/devices/system/node/node0/meminfo', '/usr/share/zoneinfo/UTC'];
    const more = ['/etc/fonts/fonts.conf', '/usr/lib/locale/C.utf8/LC_CTYPE', '/etc/ssl/certs/ca-certificates.crt'];
    expect(rulesOf(...[...uses, ...more].map((path) => `read ${path}`))).toEqual([]);
  });

  it('grants the list of a directory, and no file below it, where nothing was read there', () => {
    expect(rulesOf('list /', 'list /etc', 'list /work')).toEqual(['/ list']);
    expect(rulesOf('list /etc', 'read /etc/tool.conf')).toEqual(['/etc list', '/etc/tool.conf read']);
    expect(rulesOf('list /data/models')).toEqual(['/data/models list']);
  });

  it('takes a directory that was listed, and one of whose files was read, as a whole', () => {
    expect(rulesOf('list /data/models', 'read /data/models/one')).toEqual(['/data/models read']);
  });

  it('learns nothing from failures', () => {
    expect(rulesOf('read ENOENT 4 /etc/localtime', 'execute EACCES 1 /bin/sh', 'read EACCES 1 /etc/shadow')).toEqual(
      [],
    );
  });
});

describe('writing and executing', () => {
  it('let a program whose shell started others start the rest of their directories', () => {
    expect(rulesOf('execute /usr/bin/dash', 'execute /usr/lib/mafft/bin/dvtditr')).toEqual([
      '/usr/bin read execute',
      '/usr/lib/mafft/bin read execute',
    ]);
    expect(rulesOf('execute /usr/bin/env', 'execute /usr/lib/mafft/bin/dvtditr')).toEqual([
      '/usr/bin/env read execute',
      '/usr/lib/mafft/bin/dvtditr read execute',
    ]);
  });

  it('hold for the very files', () => {
    expect(rulesOf('write /srv/log/a', 'truncate /srv/log/b', 'execute /usr/bin/env')).toEqual([
      '/srv/log/a write',
      '/srv/log/b write',
      '/usr/bin/env read execute',
    ]);
  });

  it('hold at the directory for what a run made, because no rule can be on what is not there', () => {
    const uses = ['create /srv/run/1', 'create /srv/run/1/log', 'write /srv/run/1/log', 'execute /srv/run/1/log'];
    expect(rulesOf(...uses)).toEqual(['/srv/run read write create execute']);
    expect(rulesOf('rename-from /srv/a/x', 'rename-to /srv/b/x', 'read /srv/b/x')).toEqual([
      '/srv/a create',
      '/srv/b read create',
    ]);
  });

  it('say nothing about variables that is granted anyway, and say what is not', () => {
    expect(rulesOf('create {outputs}/a', 'write {outputs}/a', 'read {inputs}', 'remove {temporary}/t/x')).toEqual([]);
    expect(rulesOf('create {temporary}/a', 'execute {temporary}/a', 'write {inputs}/x')).toEqual([
      '{inputs} write',
      '{temporary} execute',
    ]);
  });

  it('spread to a directory when many of its programs ran', () => {
    const uses = numbered(16, (i) => `execute /usr/libexec/git-core/git-${i}`);
    expect(rulesOf(...uses.slice(1)).filter((line) => line.endsWith('execute'))).toHaveLength(15);
    expect(rulesOf(...uses)).toContain('/usr/libexec/git-core read execute');
  });
});

describe('/proc', () => {
  const clone = (flags: `0x${string}`): ArgumentUse => ({
    call: 'clone',
    values: { 0: flags },
    count: 1,
    failures: {},
  });
  const made = (calls: Record<string, number>, uses?: ArgumentUse[]) =>
    lines(generaliseFiles([recordingOf(['read /proc/8/maps'], { calls, ...(uses && { arguments: uses }) })]));

  it("is a payload's own directory while it is one process, threads or not", () => {
    expect(made({ read: 1 })).toEqual([]);
    expect(made({ clone: 1 }, [clone('0x3d0f00')])).toEqual([]);
    expect(rulesOf('write /proc/8/oom_score_adj', 'write /proc/8/task/9/comm')).toEqual([
      '/proc/self/oom_score_adj write',
      '/proc/self/task write',
    ]);
  });

  it('is read as a whole once there were more, because Landlock cannot name the processes of a run', () => {
    for (const calls of [{ fork: 1 }, { vfork: 1 }, { clone3: 1 }, { clone: 1 }])
      expect(made(calls)).toEqual(['/proc read']);
    expect(made({ clone: 2 }, [clone('0x3d0f00'), clone('0x1200000')])).toEqual(['/proc read']);
  });

  it('is never written as a whole', () => {
    const recording = recordingOf(['write /proc/8/comm'], { calls: { fork: 1 } });
    expect(generaliseFiles([recording])).toEqual([]);
  });

  it('has files that every process sees, and the directory of porin-init', () => {
    expect(rulesOf('read /proc/modules', 'read /proc/1/cmdline', 'read /proc/cpuinfo')).toEqual([
      '/proc/1/cmdline read',
      '/proc/modules read',
    ]);
  });
});

describe('generaliseFiles', () => {
  it('holds what the version that it is based on holds, and folds both together', () => {
    const before = generaliseFiles([recordingOf([...numbered(3, (i) => `read /data/a/${i}`), 'write /srv/x'])]);
    const after = generaliseFiles([recordingOf(numbered(3, (i) => `read /data/a/${i + 3}`))], before);
    expect(lines(after)).toEqual(['/data/a read', '/srv/x write']);
  });

  it('refuses what no person would read', () => {
    const uses = numbered(513, (i) => `read /etc/${i}`);
    expect(() => generaliseFiles([recordingOf(uses)])).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_FILE_RULES' }),
    );
    expect(generaliseFiles([recordingOf(uses.slice(1))])).toHaveLength(512);
  });

  it('is not held up by an image that was made to be deep', () => {
    const uses = numbered(4096, (i) => `read /data/${i}${'/deep'.repeat(800)}`);
    expect(rulesOf(...uses, 'read /data/a')).toEqual(['/data/a read']);
    const long = numbered(4096, (i) => `read /data/${i}/${'x'.repeat(1100)}`);
    expect(() => rulesOf(...long)).toThrow(/characters together/);
  });

  it('takes a path as it is, whatever is in it', () => {
    expect(rulesOf('read /data/a b\n{inputs}', 'read /data/*', 'execute memfd:x', 'read /data/../x')).toEqual([
      '/data/* read',
      '/data/a b\n{inputs} read',
    ]);
  });
});

describe('generaliseFiles, for recordings at random', () => {
  const random = generator(20261124);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'lib', 'python3.11', 'site-packages', '12', '1', 'self'];
  const ROOTS = ['', '/usr/lib', '/usr', '/opt', '/etc', '/proc', '/home', '/dev', '/data', '{outputs}', '{inputs}'];
  const randomUse = () => {
    const depth = 1 + Math.floor(random() * 3);
    return `${pick(FILE_ACCESSES)} ${pick(ROOTS)}${Array.from({ length: depth }, () => `/${pick(NAMES)}`).join('')}`;
  };
  const randomRecording = () =>
    recordingOf(Array.from({ length: Math.floor(random() * 60) }, randomUse), {
      calls: random() < 0.5 ? { fork: 1 } : { read: 1 },
    });
  const cases = Array.from({ length: 120 }, () => [randomRecording(), randomRecording(), randomRecording()] as const);

  it('grants every successful use that was seen', () => {
    for (const recordings of cases) {
      const rules = generaliseFiles(recordings);
      for (const recording of recordings) expect(refused(recording, rules)).toEqual([]);
    }
  });

  it('is the same in any order, of recordings and of uses', () => {
    for (const [a, b, c] of cases) {
      const turned = (recording: Recording) => ({ ...recording, files: [...(recording.files ?? [])].reverse() });
      expect(generaliseFiles([turned(c), turned(a), turned(b)])).toEqual(generaliseFiles([a, b, c]));
    }
  });

  it('changes nothing when it is based on its own result, with or without the recordings', () => {
    for (const recordings of cases) {
      const rules = generaliseFiles(recordings);
      expect(generaliseFiles(recordings, rules)).toEqual(rules);
      expect(generaliseFiles([], rules)).toEqual(rules);
    }
  });

  it('never grants less for more recordings', () => {
    for (const [a, b, c] of cases) {
      const more = generaliseFiles([a, b, c]);
      const granted = byPath([...more, ...ALWAYS_GRANTED]);
      for (const { path, rights } of generaliseFiles([a, b])) {
        const given = rightsAt(granted, path);
        expect(
          rights.filter((right) => !isGiven(given, right)),
          path,
        ).toEqual([]);
      }
    }
  });

  it('writes what a profile can hold, and never a tree across a boundary that was not needed itself', () => {
    for (const recordings of cases) {
      const files = generaliseFiles(recordings);
      const profile = { version: 1, architecture: 'x86_64', rules: [], network: 'none', files } as const;
      expect(parseProfile(canonicalProfile(profile)).files).toEqual(files);
      const needs = needsOf(recordings);
      const crossed = files.filter(({ path }) => isBoundary(path) && !needs.some((need) => need.path === path));
      expect(crossed).toEqual([]);
    }
  });
});

/** The same numbers from 0 to 1 for the same seed: Mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
