/** runExecutor on the real engine: how payloads end, what they may do, what is reported, and that nothing is left. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Recorder } from '#lib/execution';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ExecutorRuns, PAYLOAD, stopWith } from '../support/executor-runs.js';

const MIB = 1024 * 1024;
const RECORDER = join(import.meta.dirname, '../../.porin/native/porin-recorder');
/** Beyond what the test payload, a static program, needs to write a line and end. */
const ALLOWED = [
  ...['arch_prctl', 'brk', 'exit_group', 'fstat', 'getrandom', 'ioctl', 'mmap', 'mprotect', 'munmap', 'newfstatat'],
  ...['prlimit64', 'readlink', 'readlinkat', 'rseq', 'set_robust_list', 'set_tid_address', 'uname', 'write'],
];

let runs: ExecutorRuns;

beforeAll(async () => {
  runs = await ExecutorRuns.create();
});
afterEach(async () => {
  expect(await runs.leftContainers()).toEqual([]);
});
afterAll(() => runs.close());

const shell = (script: string) => ['/bin/sh', '-c', script];

describe('a payload that ends on its own', () => {
  it('is reported with its exit code, its output, its use of resources and the phases of its run', async () => {
    const { report, stdout, stderr } = await runs.run(runs.request(shell('echo out; echo err >&2; exit 3')));
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 3 });
    expect([stdout, stderr]).toEqual(['out\n', 'err\n']);
    expect(report.logs).toEqual({ stdout: { bytes: 4, droppedBytes: 0 }, stderr: { bytes: 4, droppedBytes: 0 } });
    expect(report.usage?.wallUs).toBeGreaterThan(0);
    expect(report.usage?.maxRssBytes).toBeGreaterThan(64 * 1024);
    expect(Object.values(report.phasesMs).every((ms) => ms > 0)).toBe(true);
    expect(report.sandbox.initVersion).toMatch(/^\d+\.\d+\.\d+$/);
    expect(report).not.toHaveProperty('removalProblem');
  });

  it('is reported with the signal that killed it', async () => {
    const { report } = await runs.run(runs.request([PAYLOAD, 'signal', '11']));
    expect(report.outcome).toEqual({ kind: 'signaled', signal: 11, oomKilled: false });
  });

  it('gets the image’s command and environment where the request has none, and the request’s over them', async () => {
    const environment = { NAME: 'a=b', HOME: '/elsewhere' };
    const { stdout } = await runs.run(runs.request(['env'], { environment, workingDirectory: '/etc' }));
    expect(stdout.trim().split('\n').sort()).toEqual([
      'HOME=/elsewhere',
      'LOGNAME=porin',
      'NAME=a=b',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'USER=porin',
    ]);
    // The image's is a shell, which reads its empty standard input.
    expect((await runs.run(runs.request([]))).report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
  });

  it('is told of when it starts, and its output when it comes', async () => {
    const gate = runs.gate();
    let started = 0;
    const { stdout } = await runs.run(runs.request(shell(`echo out; ${gate.wait}`), { mounts: [gate.mount] }), {
      onStarted: () => (started += 1),
      onOutput: (text) => text === 'out\n' && gate.open(),
    });
    expect([started, stdout]).toEqual([1, 'out\n']);
  });
});

describe('a payload that cannot be executed', () => {
  it.each([
    ['a command that is not in PATH', ['no-such-program'], {}, { stage: 'lookup', errno: 'ENOENT' }],
    ['a path that does not exist', ['/no/such/program'], {}, { stage: 'exec', errno: 'ENOENT' }],
    ['a file without execute permission', ['/etc/passwd'], {}, { stage: 'exec', errno: 'EACCES' }],
    [
      'a working directory that does not exist',
      ['true'],
      { workingDirectory: '/no' },
      { stage: 'directory', errno: 'ENOENT' },
    ],
  ])('is reported with the reason: %s', async (_name, command, changes, failure) => {
    const { report } = await runs.run(runs.request(command, changes));
    expect(report.outcome).toEqual({ kind: 'exec-failed', ...failure });
    expect(report).not.toHaveProperty('usage');
  });
});

describe('a payload over its limits', () => {
  it('is stopped after its wall time', async () => {
    const { report } = await runs.run(runs.request(['sleep', '600'], { limits: { wallTimeMs: 500 } }));
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'wall-time' });
    expect(report.usage?.wallUs).toBeGreaterThan(490_000);
  });

  it('is killed when it ignores SIGTERM, and still reported', async () => {
    const script = 'trap "" TERM; while :; do sleep 1; done';
    const { report } = await runs.run(runs.request(shell(script), { limits: { wallTimeMs: 500 } }));
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'wall-time' });
    expect(report.usage?.wallUs).toBeGreaterThan(5_000_000);
  });

  it('writes without end, and only what is kept takes space', async () => {
    const limits = { wallTimeMs: 2000, logBytes: 100_000 };
    const { report, stdout } = await runs.run(runs.request(['yes', 'x'.repeat(1000)], { limits }));
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'wall-time' });
    expect(stdout).toHaveLength(100_000);
    expect(report.logs.stdout.bytes).toBe(100_000);
    expect(report.logs.stdout.droppedBytes).toBeGreaterThan(MIB);
  });

  it('forks until it may not, ends with its own exit code, and the refusals are told', async () => {
    const script = 'i=0; while [ $i -lt 500 ]; do sleep 600 & i=$((i+1)); done; exit 0';
    const { report, stderr } = await runs.run(runs.request(shell(script), { limits: { pids: 20 } }));
    expect(stderr).toContain("can't fork");
    expect(report.outcome).toMatchObject({ kind: 'exited', exitCode: expect.any(Number) });
    expect(report.outcome).not.toMatchObject({ exitCode: 0 });
    expect(report.limitHits?.refusedForks).toBeGreaterThan(0);
  });

  it('forks without end and does not end, until it is stopped', async () => {
    // The shell itself waits without a fork, which might be refused too.
    const script = 'mkfifo /tmp/f; exec 3<>/tmp/f; bomb() { bomb | bomb & }; bomb; read never <&3';
    const { report } = await runs.run(runs.request(shell(script), { limits: { pids: 30, wallTimeMs: 2000 } }));
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'wall-time' });
    expect(report.limitHits?.refusedForks).toBeGreaterThan(0);
  });

  it('may have as many processes as its limit says', async () => {
    const script = 'i=0; while [ $i -lt 19 ]; do sleep 600 & i=$((i+1)); done; exit 4';
    const { report } = await runs.run(runs.request(shell(script), { limits: { pids: 20 } }));
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 4 });
    expect(report.limitHits).toEqual({ refusedForks: 0, oomKills: 0 });
  });

  it('needs too much memory and is killed, which is told apart from another SIGKILL', async () => {
    const limits = { memoryBytes: 64 * MIB };
    const greedy = await runs.run(
      runs.request(['dd', 'if=/dev/zero', 'of=/dev/null', 'bs=200M', 'count=1'], { limits }),
    );
    expect(greedy.report.outcome).toEqual({ kind: 'signaled', signal: 9, oomKilled: true });
    const killed = await runs.run(runs.request([PAYLOAD, 'signal', '9'], { limits }));
    expect(killed.report.outcome).toEqual({ kind: 'signaled', signal: 9, oomKilled: false });
  });

  it('needs too much memory in many small processes, whoever of them the kernel kills, porin-init included', async () => {
    const limits = { memoryBytes: 24 * MIB, pids: 20_000 };
    const { report } = await runs.run(runs.request([PAYLOAD, 'storm'], { limits }));
    expect(report.outcome).toEqual({ kind: 'signaled', signal: 9, oomKilled: true });
  });

  it('fills its disk and ends with an error', async () => {
    await runs.withDisk(['dd', 'if=/dev/zero', 'of=/out/file', 'bs=1M'], {}, async (request) => {
      const { report, stderr } = await runs.run(request);
      expect(stderr).toContain('No space left on device');
      expect(report.outcome).toEqual({ kind: 'stopped', reason: 'disk-limit' });
    });
  });

  it('fills its disk and does not end, and is stopped', async () => {
    const script = 'while :; do dd if=/dev/zero of=/out/file bs=1M; done 2>/dev/null';
    await runs.withDisk(shell(script), {}, async (request) => {
      const { report } = await runs.run(request);
      expect(report.outcome).toEqual({ kind: 'stopped', reason: 'disk-limit' });
      expect(report.usage?.wallUs).toBeLessThan(50_000_000);
    });
  });

  it('fills /tmp, which is bounded too', async () => {
    const { report, stderr } = await runs.run(runs.request(['dd', 'if=/dev/zero', 'of=/tmp/file', 'bs=1M']));
    expect(stderr).toContain('No space left on device');
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'disk-limit' });
  });

  it('may fill its disk up to its limit', async () => {
    const command = shell('dd if=/dev/zero of=/out/file bs=1M count=32 && sync && sleep 2 && exit 6');
    await runs.withDisk(command, {}, async (request) => {
      expect((await runs.run(request)).report.outcome).toEqual({ kind: 'exited', exitCode: 6 });
    });
  });
});

describe('a run that is stopped', () => {
  it.each(['canceled', 'lease-lost'] as const)('ends its payload and is reported: %s', async (reason) => {
    const { signal, abort } = stopWith(reason);
    const { report } = await runs.run(runs.request(['sleep', '600']), { stop: signal, onStarted: abort });
    expect(report.outcome).toEqual({ kind: 'stopped', reason });
    expect(report.usage?.wallUs).toBeGreaterThan(0);
  });

  it('lets a canceled payload end its work', async () => {
    const { signal, abort } = stopWith('canceled');
    const { report, stdout } = await runs.run(runs.request([PAYLOAD, 'term']), {
      stop: signal,
      onOutput: (text) => text.includes('waiting') && abort(),
    });
    expect(stdout).toContain('terminated');
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'canceled' });
  });

  it('is killed with its container when porin-init does not answer', async () => {
    const { signal, abort } = stopWith('lease-lost');
    const request = runs.request(['sleep', '600']);
    const { report } = await runs.run(request, {
      stop: signal,
      onStarted: () => {
        void runs.inspect(request.runId).then(({ info }) => {
          process.kill(info.State.Pid, 'SIGSTOP');
          abort();
        });
      },
    });
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'lease-lost' });
    expect(report).not.toHaveProperty('usage');
  });

  it('runs nothing when it is stopped before it begins', async () => {
    const { signal, abort } = stopWith('canceled');
    abort();
    const { report, stdout } = await runs.run(runs.request(shell('echo ran')), { stop: signal });
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'canceled' });
    expect(stdout).toBe('');
  });
});

describe('a payload that is stopped for what it was refused', () => {
  const level = { enforcement: 'enforce', monitoring: 'none' } as const;
  const STORM = { perSecond: 1_000, seconds: 2 };

  it('ends at its first dangerous call, which is told', async () => {
    const script = `${PAYLOAD} try open-passwd unshare-user; sleep 600`;
    const { report } = await runs.run(runs.request(shell(script), { denialStops: { dangerous: true } }));
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'dangerous-call' });
    expect(report.stoppedBy).toEqual(report.denials[0]);
    expect(report.stoppedBy).toMatchObject({ description: 'unshare(CLONE_NEWUSER)', errno: 'EPERM', count: 1 });
    expect(report.usage?.wallUs).toBeLessThan(10_000_000);
  });

  it('is stopped even where it ends by itself right behind the call', async () => {
    const request = runs.request([PAYLOAD, 'try', 'unshare-user'], { denialStops: { dangerous: true } });
    const { report } = await runs.run(request);
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'dangerous-call' });
  });

  it('has no time left that an earlier reason gave it', async () => {
    const script = `trap "${PAYLOAD} try unshare-user" TERM; while :; do sleep 0.1; done`;
    const { report } = await runs.run(
      runs.request(shell(script), { limits: { wallTimeMs: 500 }, denialStops: { dangerous: true } }),
    );
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'wall-time' });
    expect(report).not.toHaveProperty('stoppedBy');
    expect(report.usage?.wallUs).toBeLessThan(4_000_000);
  });

  it.each([
    ['one call', ['repeat-getppid', '1000000000'], 'getppid()'],
    ['calls of ever new shapes', ['shapes', '1000000000'], 'openat("/shape/0", O_RDONLY)'],
  ])('spins on %s, which is told', async (_name, command, description) => {
    const request = runs.request([PAYLOAD, ...command], {
      level,
      allowed: ALLOWED,
      denialStops: { dangerous: true, storm: STORM },
    });
    const { report } = await runs.run(request);
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'denial-storm' });
    expect(report.stoppedBy?.description).toBe(description);
    expect(report.usage?.wallUs).toBeGreaterThan(STORM.seconds * 1_000_000);
    expect(report.usage?.wallUs).toBeLessThan(15_000_000);
    const calls = report.denials.reduce((sum, { count }) => sum + count, report.denialsDropped);
    expect(calls).toBeGreaterThan(STORM.perSecond * STORM.seconds);
  });

  it('goes on where nothing dangerous is refused and nothing as often as that', async () => {
    const request = runs.request([PAYLOAD, 'repeat-getppid', '5000'], {
      level,
      allowed: ALLOWED,
      denialStops: { dangerous: true, storm: STORM },
    });
    const { report } = await runs.run(request);
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(report.denials).toMatchObject([{ call: 'getppid', count: 5000 }]);
  });
});

describe('the level', () => {
  it('enforce refuses what is not in the profile, and reports it', async () => {
    const level = { enforcement: 'enforce', monitoring: 'none' } as const;
    const request = runs.request([PAYLOAD, 'try', 'open-passwd', 'getppid', 'unshare-user'], {
      level,
      allowed: ALLOWED,
    });
    const { report, stdout, live } = await runs.run(request);
    expect(stdout).toBe('open-passwd ENOSYS\ngetppid ENOSYS\nunshare-user EPERM\n');
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    const reported = report.denials.map(({ description, action, errno }) => [description, action, errno]);
    expect(reported).toEqual([
      ['openat("/etc/passwd", O_RDONLY|O_CLOEXEC)', 'refused', 'ENOSYS'],
      ['getppid()', 'refused', 'ENOSYS'],
      ['unshare(CLONE_NEWUSER)', 'refused', 'EPERM'],
    ]);
    expect(live.map(({ call }) => call)).toEqual(['openat', 'getppid', 'unshare']);
    expect(report.level).toEqual(level);
  });

  it('audit makes it without a word, and refuses what is dangerous', async () => {
    const level = { enforcement: 'audit', monitoring: 'none' } as const;
    const request = runs.request([PAYLOAD, 'try', 'open-passwd', 'unshare-user'], { level, allowed: ALLOWED });
    const { report, stdout } = await runs.run(request);
    expect(stdout).toBe('open-passwd ok\nunshare-user EPERM\n');
    expect(report.denials.map(({ call, action }) => [call, action])).toEqual([['unshare', 'refused']]);
  });

  it('none refuses a reviewed probe of the ceiling quietly, and reports what is dangerous', async () => {
    const { report, stdout } = await runs.run(
      runs.request([PAYLOAD, 'try', 'io-uring', 'open-passwd', 'unshare-user']),
    );
    expect(stdout).toMatch(/^io-uring (ENOSYS|EPERM)\nopen-passwd ok\nunshare-user EPERM\n$/);
    expect(report.denials.map(({ call, action }) => [call, action])).toEqual([['unshare', 'refused']]);
  });
});

describe('the container', () => {
  it('gives no right, no network and nothing to write but scratch', async () => {
    const script = [
      'grep -E "^(CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status',
      'ls /sys/class/net',
      'for path in / /etc /run /run/porin /proc/sys/kernel; do touch $path/file 2>/dev/null && echo "wrote $path"; done',
      'for path in /tmp /dev/shm /out; do touch $path/file && echo "may write $path"; done',
      'ls /run/porin/*',
      'id -u',
    ].join('; ');
    await runs.withDisk(shell(script), {}, async (request) => {
      const { stdout, stderr } = await runs.run(request);
      expect(stderr).toBe('');
      expect(stdout.trim().split('\n')).toEqual([
        ...['CapBnd:\t0000000000000000', 'CapEff:\t0000000000000000', 'NoNewPrivs:\t1', 'Seccomp:\t2'].sort(
          (a, b) => stdout.indexOf(a) - stdout.indexOf(b),
        ),
        'lo',
        ...['may write /tmp', 'may write /dev/shm', 'may write /out'],
        ...['control.sock', 'init'],
        String(request.uid),
      ]);
    });
  });

  it('cannot write to a read-only mount', async () => {
    const directory = join(runs.directory, 'input');
    mkdirSync(directory);
    writeFileSync(join(directory, 'data'), 'given');
    const mounts = [{ source: directory, target: '/in', readOnly: true }];
    const { stdout, stderr } = await runs.run(runs.request(shell('cat /in/data; echo x > /in/data'), { mounts }));
    expect(stdout).toBe('given');
    expect(stderr).toContain('Read-only file system');
  });

  it.each(['/run/porin', '/proc/self', '/', 'relative'])('has nothing mounted at %s', async (target) => {
    const mounts = [{ source: runs.directory, target, readOnly: true }];
    await expect(runs.run(runs.request(['true'], { mounts }))).rejects.toMatchObject({ code: 'invalid-policy' });
  });

  it('runs nothing in the place of porin-init, where a link of the image leads a mount to it', async () => {
    const imageId = await runs.imageWith([], { 'a/b/c/d/e': '/run/porin' });
    const source = join(runs.directory, 'disguised');
    mkdirSync(source);
    writeFileSync(join(source, 'init'), '#!/bin/sh\necho unsupervised; env\n', { mode: 0o755 });
    const mounts = [{ source, target: '/a/b/c/d/e', readOnly: false }];
    let output = '';
    const run = runs.run(runs.request(shell('echo supervised'), { imageId, mounts }), {
      onOutput: (text) => (output = text),
    });
    await expect(run).rejects.toMatchObject({ code: 'engine-error' });
    expect(output).toBe('');
  });

  it('bounds the VOLUMEs of its image, runs no HEALTHCHECK, and gives the image’s environment to the payload alone', async () => {
    const imageId = await runs.imageWith([
      'VOLUME ["/data", "/tmp"]',
      'HEALTHCHECK --interval=1s CMD touch /tmp/checked',
      'ENV GLIBC_TUNABLES=glibc.malloc.check=3',
    ]);
    const before = await runs.volumeNames();
    const script = 'env | grep TUNABLES; sleep 3; ls /tmp; dd if=/dev/zero of=/data/file bs=1M';
    const request = runs.request(shell(script), { imageId, imageVolumes: ['/data', '/tmp'] });
    let inspected: ReturnType<ExecutorRuns['inspect']> | undefined;
    const { report, stdout, stderr } = await runs.run(request, {
      onStarted: () => {
        inspected = runs.inspect(request.runId);
      },
    });
    expect(stdout).toBe('GLIBC_TUNABLES=glibc.malloc.check=3\n');
    expect(stderr).toContain('No space left on device');
    expect(report.outcome).toEqual({ kind: 'stopped', reason: 'disk-limit' });
    const container = await inspected;
    expect(container?.info.State).not.toHaveProperty('Health');
    expect(container?.environment.map((variable) => variable.split('=')[0]).sort()).toEqual([
      ...['HOME', 'HOSTNAME', 'PATH', 'PORIN_CONTROL', 'PORIN_TOKEN'],
    ]);
    expect(await runs.volumeNames()).toEqual(before);
  });
});

describe('a recording', () => {
  let recorder: Recorder;
  const level = { enforcement: 'none', monitoring: 'syscalls' } as const;

  beforeAll(async () => {
    recorder = await Recorder.start({ binaryPath: RECORDER });
  });
  afterAll(() => recorder.close());

  it('is complete, with every call of the payload and none of anybody else', async () => {
    const { report } = await runs.run(runs.request([PAYLOAD, 'repeat-getppid', '1234'], { level }), { recorder });
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 0 });
    expect(report.recording?.partialReasons).toEqual([]);
    expect(report.recording?.calls).toMatchObject({ getppid: 1234, exit_group: 1 });
    expect(report.recording?.certificate).toMatchObject({ armedBeforeStart: true, cleanDrain: true, execs: 1 });
    for (const call of ['execve', 'setns', 'mount', 'connect', 'seccomp']) {
      expect(report.recording?.calls).not.toHaveProperty(call);
    }
  });

  it('is made under enforce too, and has no denied call', async () => {
    const request = runs.request([PAYLOAD, 'try', 'getppid'], {
      level: { enforcement: 'enforce', monitoring: 'syscalls' },
      allowed: ALLOWED,
    });
    const { report } = await runs.run(request, { recorder });
    expect(report.recording?.partialReasons).toEqual([]);
    expect(report.recording?.calls).not.toHaveProperty('getppid');
  });

  it('is partial when the payload was stopped', async () => {
    const limits = { wallTimeMs: 300 };
    const { report } = await runs.run(runs.request(['sleep', '600'], { level, limits }), { recorder });
    expect(report.recording?.partialReasons).toEqual(['payload-stopped']);
  });

  it('is not made of a payload that was not executed', async () => {
    const { report } = await runs.run(runs.request(['/no/such'], { level }), { recorder });
    expect(report).not.toHaveProperty('recording');
  });

  it('is partial when the recorder is killed in the middle', async () => {
    const other = await Recorder.start({ binaryPath: RECORDER });
    const gate = runs.gate();
    const { report } = await runs.run(runs.request(shell(`${gate.wait}; exit 5`), { level, mounts: [gate.mount] }), {
      recorder: other,
      onStarted: () => {
        process.kill(other.pid, 'SIGKILL');
        void other.lost.then(() => gate.open());
      },
    });
    expect(report.outcome).toEqual({ kind: 'exited', exitCode: 5 });
    expect(report.recording?.partialReasons).toEqual(['recorder-lost']);
  });

  it('was asked of a recorder that is lost: nothing is run', async () => {
    const other = await Recorder.start({ binaryPath: RECORDER });
    process.kill(other.pid, 'SIGKILL');
    await other.lost;
    let started = false;
    const run = runs.run(runs.request(['true'], { level }), { recorder: other, onStarted: () => (started = true) });
    await expect(run).rejects.toMatchObject({ name: 'ExecutionError', code: 'recorder-lost' });
    expect(started).toBe(false);
  });

  it('was asked where there is no recorder: nothing is run', async () => {
    await expect(runs.run(runs.request(['true'], { level }))).rejects.toMatchObject({ code: 'recorder-lost' });
  });
});

describe('a run that fails', () => {
  it('says so when the engine has no such image', async () => {
    const imageId = `sha256:${'0'.repeat(64)}`;
    await expect(runs.run(runs.request(['true'], { imageId }))).rejects.toMatchObject({
      name: 'ExecutionError',
      code: 'engine-error',
    });
  });

  it('says so when what is to be mounted does not exist', async () => {
    const mounts = [{ source: join(runs.directory, 'missing'), target: '/in', readOnly: true }];
    await expect(runs.run(runs.request(['true'], { mounts }))).rejects.toMatchObject({ code: 'engine-error' });
  });

  it('says so when the command cannot be told to porin-init', async () => {
    await expect(runs.run(runs.request(['a\0b']))).rejects.toMatchObject({ code: 'invalid-policy' });
  });

  it('says so when its container is killed by somebody', async () => {
    const request = runs.request(['sleep', '600']);
    const run = runs.run(request, { onStarted: () => void runs.kill(request.runId) });
    await expect(run).rejects.toMatchObject({ code: 'control-channel' });
  });

  it('says so when its container ends without a word', async () => {
    const run = runs.run(runs.request(['true']), { initPath: '/bin/true' });
    await expect(run).rejects.toMatchObject({ name: 'ExecutionError', code: 'control-channel' });
  });
});

describe('several runs at once', () => {
  it('keep their output, ends and recordings apart', async () => {
    const recorder = await Recorder.start({ binaryPath: RECORDER });
    try {
      const level = { enforcement: 'none', monitoring: 'syscalls' } as const;
      const results = await Promise.all(
        [1, 2, 3, 4].map((number) =>
          runs.run(runs.request(shell(`echo ${number}; exec ${PAYLOAD} repeat-getppid ${number}00`), { level }), {
            recorder,
          }),
        ),
      );
      expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
      expect(results.map(({ report }) => report.recording?.partialReasons)).toEqual([[], [], [], []]);
      const counts = results.map(({ report }) => report.recording?.calls.getppid ?? 0);
      // The shell asks for its parent once.
      expect(counts.map((count, index) => count - 100 * (index + 1))).toEqual([1, 1, 1, 1]);
    } finally {
      await recorder.close();
    }
  });
});
